//! `preview`: the next mail about a commitment, or to a person, as it would be sent.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use chrono::Datelike;
use clap::ValueEnum;

use super::PreviewArgs;
use super::exit::{Exit, Failure};
use super::list::plain;
use super::setting::Setting;
use crate::delivery::preview::{DAYS_AHEAD, Preview, Wanted};
use crate::domain::address::EmailAddress;
use crate::store::{self, Which};

/// What of a mail is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Subject and plain text
    Text,
    /// The HTML part
    Html,
    /// The whole message
    Eml,
}

/// The verb: shows, or writes into a folder, what the next sending day brings.
pub(super) async fn preview(
    setting: &Setting,
    args: &PreviewArgs,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    setting.read_new().await?;
    let key = args.to.as_deref().map(address).transpose()?;
    let (wanted, name) = match (&args.reference, &key) {
        (Some(reference), _) => {
            refuse_unknown(setting, reference).await?;
            (Wanted::About(reference), reference.as_str())
        }
        (None, key) => {
            let key = key.as_deref().unwrap_or_default();
            (Wanted::To(key), key)
        }
    };
    let previews = setting.desk().preview(wanted).await?;
    if previews.is_empty() {
        let what = if args.reference.is_some() { "about" } else { "to" };
        writeln!(out, "no mail {what} {name} comes within {DAYS_AHEAD} days")?;
        return Ok(Exit::Done);
    }
    match (&args.dir, args.form, previews.as_slice()) {
        (Some(dir), ..) => write_all(dir, &previews, out)?,
        (None, Form::Text, previews) => {
            for (number, preview) in previews.iter().enumerate() {
                if number > 0 {
                    writeln!(out, "\n----\n")?;
                }
                write!(out, "{}", text(preview))?;
            }
        }
        (None, Form::Html, [one]) => write!(out, "{}", one.mail.html)?,
        (None, Form::Eml, [one]) => out.write_all(&one.mail.mime)?,
        (None, _, several) => {
            let text = format!(
                "{} mails go that day; write them into a folder with --dir DIR",
                several.len()
            );
            return Err(Failure::usage(text).into());
        }
    }
    Ok(Exit::Done)
}

/// The form for comparing of what was typed.
fn address(typed: &str) -> Result<String, Failure> {
    let address: Result<EmailAddress, _> = typed.parse();
    address
        .map(|address| address.key())
        .map_err(|error| Failure::usage(format!("--to {typed}: {error}")))
}

async fn refuse_unknown(setting: &Setting, reference: &str) -> Result<(), store::Error> {
    let (book, problems) = setting.store.book(Which::These(&[reference])).await?;
    if book.is_empty() && problems.is_empty() {
        return Err(store::Error::Unknown { what: vec![reference.to_owned()] });
    }
    Ok(())
}

fn text(preview: &Preview) -> String {
    let Preview { on, mail } = preview;
    let (weekday, to, subject) = (on.weekday(), &mail.recipient, plain(&mail.subject));
    format!("Goes:    {weekday} {on}\nTo:      {to}\nSubject: {subject}\n\n{}", mail.text)
}

/// Three files a mail, to be opened with a mail program, a browser and an editor.
fn write_all(dir: &Path, previews: &[Preview], out: &mut impl Write) -> anyhow::Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    for (number, Preview { on, mail }) in (1..).zip(previews) {
        for (ending, content) in [
            ("eml", mail.mime.as_slice()),
            ("html", mail.html.as_bytes()),
            ("txt", mail.text.as_bytes()),
        ] {
            let file = dir.join(format!("{on}-{number}.{ending}"));
            fs::write(&file, content)
                .with_context(|| format!("{} cannot be written", file.display()))?;
            writeln!(out, "{}", file.display())?;
        }
    }
    Ok(())
}
