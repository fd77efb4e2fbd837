//! `deadline`: read one phrase, or many.

use std::io::{BufRead, BufWriter, Write};

use chrono::NaiveDate;
use serde::Serialize;

use super::Everywhere;
use super::day;
use super::exit::{Exit, Failure};
use super::setting::{self, Setting};
use crate::domain::window::{Confidence, Deadline, Kind, Undated, Window};
use crate::phrase;

/// A window in JSON.
#[derive(Debug, Serialize)]
pub(super) struct WindowJson {
    opens: NaiveDate,
    due: Option<NaiveDate>,
}

impl From<&Window> for WindowJson {
    fn from(window: &Window) -> Self {
        Self { opens: window.opens, due: window.due }
    }
}

impl std::fmt::Display for WindowJson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Window { opens: self.opens, due: self.due }.fmt(f)
    }
}

#[derive(Serialize)]
struct Reading<'r> {
    phrase: &'r str,
    reference: NaiveDate,
    kind: &'static str,
    windows: Vec<WindowJson>,
    rrule: Option<String>,
    reason: Option<String>,
    confidence: Option<&'static str>,
}

#[derive(Serialize)]
struct Unreadable<'r> {
    phrase: &'r str,
    error: String,
}

impl<'r> Reading<'r> {
    fn new(phrase: &'r str, reference: NaiveDate, read: &Result<Deadline, Undated>) -> Self {
        let (kind, reason) = match read {
            Ok(deadline) => (deadline.kind(), None),
            Err(reason) => (Kind::Undated, Some(reason.to_string())),
        };
        let deadline = read.as_ref().ok();
        let windows = deadline.map(|deadline| deadline.windows.as_slice()).unwrap_or_default();
        let recurrence = deadline.and_then(|deadline| deadline.recurrence.as_ref());
        Self {
            phrase,
            reference,
            kind: kind.name(),
            windows: windows.iter().map(WindowJson::from).collect(),
            rrule: recurrence.map(crate::domain::recurrence::Recurrence::rrule),
            reason,
            confidence: deadline.map(|deadline| Confidence::name(deadline.confidence)),
        }
    }
}

/// The verb: one phrase, or with `-` those on standard input.
pub(super) fn deadline(
    everywhere: &Everywhere,
    phrase: &str,
    json: bool,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let config = Setting::config(everywhere)?;
    let today = setting::clock(everywhere, &config).today();
    match (phrase, json) {
        ("-", true) => many(std::io::stdin().lock(), today, &mut BufWriter::new(out)),
        ("-", false) => {
            Err(Failure::usage("many phrases need --json: advis deadline --json -").into())
        }
        _ => one(phrase, today, json, out),
    }
}

/// Reads one phrase against `reference`.
fn one(
    phrase: &str,
    reference: NaiveDate,
    json: bool,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let read = phrase::parse(phrase, reference);
    if json {
        write_json(out, &Reading::new(phrase, reference, &read))?;
    } else {
        writeln!(out, "{}", phrase::explain(phrase, reference, &read))?;
    }
    Ok(Exit::Done)
}

/// Reads lines `phrase<TAB>reference date`; without a date the phrase is read against `reference`.
fn many(lines: impl BufRead, reference: NaiveDate, out: &mut impl Write) -> anyhow::Result<Exit> {
    let mut exit = Exit::Done;
    for line in lines.split(b'\n') {
        let line = line?;
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches('\r');
        let (phrase, day) = match text.rsplit_once('\t') {
            Some((phrase, day)) => (phrase, day::day(day.trim())),
            None => (text, Ok(reference)),
        };
        match day {
            Ok(day) => write_json(out, &Reading::new(phrase, day, &phrase::parse(phrase, day)))?,
            Err(_) => {
                let error = "the reference date is not of the form YYYY-MM-DD".to_owned();
                write_json(out, &Unreadable { phrase, error })?;
                exit = Exit::BadInput;
            }
        }
    }
    out.flush()?;
    Ok(exit)
}

/// Writes one JSON Lines object.
pub(super) fn write_json(out: &mut impl Write, value: &impl Serialize) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")?;
    Ok(())
}
