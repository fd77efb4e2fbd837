//! `import`: leaders and commitments from CSV files, all or nothing.

mod doubles;
mod rows;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use chrono::NaiveDate;

use self::rows::Phrases;
use super::Everywhere;
use super::exit::{Exit, Failure};
use super::list::plain;
use super::progress::Progress;
use super::setting::{self, Setting};
use crate::config::Config;
use crate::intake::{self, Known, Problem, Sheets, SourceFile};
use crate::planner::{self, NEVER};
use crate::store::{Import, ImportReport, Tally, Which};

/// Lines shown of each part of the summary; the rest is counted.
const LINES_SHOWN_MAX: usize = 20;

/// Problems shown; a file of the wrong kind would otherwise fill the screen.
const PROBLEMS_SHOWN_MAX: usize = 100;

/// Reads the files and takes them into the store, or says everything that is wrong with them.
pub(super) async fn import(
    everywhere: &Everywhere,
    files: &[PathBuf],
    dry_run: bool,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let config = Setting::config(everywhere)?;
    let sheets = read(files)?;
    let phrases = Phrases::default();
    if !config.store.path.exists() {
        // Sheets that are refused must not leave an empty store behind.
        let today = setting::clock(everywhere, &config).today();
        check(&sheets, &phrases, &BTreeMap::new(), &config, today)?;
    }
    if dry_run && !config.store.path.exists() {
        return take_nowhere(config, everywhere, sheets, &phrases, out).await;
    }
    let setting = Setting::of(config, everywhere).await?;
    let ended = take(&setting, sheets, &phrases, dry_run, out).await;
    setting.close().await;
    ended
}

/// A dry run before there is a store: on an empty one, which is gone afterwards.
async fn take_nowhere(
    mut config: Config,
    everywhere: &Everywhere,
    sheets: Sheets,
    phrases: &Phrases,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let folder = tempfile::tempdir().context("a dry run needs room for temporary files")?;
    config.store.path = folder.path().join("advis.db");
    let setting = Setting::of(config, everywhere).await?;
    let ended = take(&setting, sheets, phrases, true, out).await;
    setting.close().await;
    ended
}

async fn take(
    setting: &Setting,
    mut sheets: Sheets,
    phrases: &Phrases,
    dry_run: bool,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    setting.read_new().await?;
    let today = setting.clock.today();
    check(&sheets, phrases, &managers(setting).await?, &setting.config, today)?;
    let references: Vec<&str> =
        sheets.commitments.iter().map(|row| row.reference.as_str()).collect();
    let doubles = doubles::doubles(setting, &sheets, &references, phrases).await?;
    let kept = setting.store.kept_dates(&references).await?;
    // The store keeps them so: each page of it is written once, and full.
    sheets.leaders.sort_by(|one, other| one.reference.cmp(&other.reference));
    sheets.commitments.sort_by(|one, other| one.reference.cmp(&other.reference));
    let count = sheets.commitments.len();
    let mut progress = Progress::of("importing commitments", count, count);
    let import = Import {
        leaders: sheets.leaders.into_iter().map(rows::leader).collect(),
        commitments: sheets
            .commitments
            .into_iter()
            .map(|row| rows::commitment(row, phrases, &kept, today))
            .inspect(|_| progress.step()),
    };
    let report = setting.store.import(import, &setting.stamp(), dry_run).await?;
    drop(progress);
    if !dry_run {
        setting.store.withdraw(&report.touched, setting.clock.now()).await?;
    }
    show(&report, &doubles, dry_run, out)?;
    if !dry_run {
        show_finished(setting, &report, out).await?;
    }
    Ok(Exit::Done)
}

fn read(files: &[PathBuf]) -> anyhow::Result<Sheets> {
    let mut contents = Vec::with_capacity(files.len());
    for file in files {
        let bytes = std::fs::read(file).map_err(|error| unreadable(file, &error))?;
        contents.push((file.display().to_string(), bytes));
    }
    let sources: Vec<SourceFile<'_>> =
        contents.iter().map(|(name, bytes)| SourceFile { name, bytes }).collect();
    Ok(intake::read(&sources).map_err(|problems| refusal(&problems))?)
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    let text = format!("{} cannot be read: {error}", file.display());
    match error.kind() {
        std::io::ErrorKind::NotFound => Failure::not_found(text),
        _ => Failure::bad_input(text),
    }
}

fn refusal(problems: &[Problem]) -> Failure {
    let mut lines: Vec<String> =
        problems.iter().take(PROBLEMS_SHOWN_MAX).map(ToString::to_string).collect();
    if problems.len() > PROBLEMS_SHOWN_MAX {
        lines.push(format!("… and {} more", problems.len() - PROBLEMS_SHOWN_MAX));
    }
    let count = match problems.len() {
        1 => "1 problem".to_owned(),
        count => format!("{count} problems"),
    };
    lines.push(format!("{count}; nothing was imported"));
    Failure::bad_input(lines.join("\n"))
}

/// What spans rows, files and the leaders who are in the store with their managers.
fn check(
    sheets: &Sheets,
    phrases: &Phrases,
    leaders: &BTreeMap<String, Option<String>>,
    config: &Config,
    today: NaiveDate,
) -> anyhow::Result<()> {
    let kinds = config.rules.names();
    let known = Known { leaders, kinds: &kinds, today };
    let problems = intake::check(sheets, &known, |phrase, day| phrases.read(phrase, day));
    if problems.is_empty() { Ok(()) } else { Err(refusal(&problems).into()) }
}

/// Each leader in the store, with their manager.
async fn managers(setting: &Setting) -> anyhow::Result<BTreeMap<String, Option<String>>> {
    let (people, _) = setting.desk().people().await?;
    Ok(people.iter().map(|one| (one.reference.clone(), one.manager.clone())).collect())
}

fn show(
    report: &ImportReport,
    doubles: &[(String, String)],
    dry_run: bool,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    if dry_run {
        writeln!(out, "a dry run: nothing was changed; this is what would happen")?;
    }
    show_tally("leaders", &report.leaders, out)?;
    show_tally("commitments", &report.commitments, out)?;
    let waiting = report.needs_date.iter().map(|(reference, why)| format!("{reference}: {why}"));
    list("need a date, and send nothing until they have one", waiting, out)?;
    let overdue =
        report.already_overdue.iter().map(|(reference, due)| format!("{reference}: due {due}"));
    list("already overdue; `advis list --overdue` keeps showing them", overdue, out)?;
    let doubles = doubles.iter().map(|(new, old)| format!("{new} looks like {old}"));
    list("likely doubles", doubles, out)
}

fn show_tally(table: &str, tally: &Tally, out: &mut impl Write) -> anyhow::Result<()> {
    let mut changed: Vec<&str> = tally.changed.iter().map(|one| one.reference.as_str()).collect();
    changed.dedup();
    let (new, changed, unchanged) = (tally.new.len(), changed.len(), tally.unchanged);
    if new + changed + unchanged > 0 {
        writeln!(out, "{table}: {new} new, {changed} changed, {unchanged} unchanged")?;
    }
    let quoted =
        |text: &str| if text.is_empty() { "nothing".to_owned() } else { format!("{text:?}") };
    let lines = tally.changed.iter().map(|one| {
        let (old, new) = (quoted(&one.old), quoted(&one.new));
        format!("{} {}: {old} > {new}", one.reference, one.column)
    });
    list(&format!("changed {table}"), lines, out)
}

/// A heading with at most some lines below it; nothing when there are none.
fn list(
    heading: &str,
    lines: impl Iterator<Item = String>,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "{heading} ({}):", lines.len())?;
    for line in lines.iter().take(LINES_SHOWN_MAX) {
        writeln!(out, "  {}", plain(line))?;
    }
    if lines.len() > LINES_SHOWN_MAX {
        writeln!(out, "  … and {} more", lines.len() - LINES_SHOWN_MAX)?;
    }
    Ok(())
}

/// Says which of the overdue will never be reminded of, since no step is left.
async fn show_finished(
    setting: &Setting,
    report: &ImportReport,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let overdue: Vec<&str> =
        report.already_overdue.iter().map(|(reference, _)| reference.as_str()).collect();
    if overdue.is_empty() {
        return Ok(());
    }
    let facts = setting.desk().facts(Which::These(&overdue)).await?;
    let today = setting.clock.today();
    let plan = planner::plan(&facts.book, &facts.people, &facts.rules, &facts.sent, today);
    let finished = plan.look_on.iter().filter(|(_, look_on)| *look_on == NEVER);
    list(
        "no step is left, so nobody is reminded of these",
        finished.map(|one| one.0.to_owned()),
        out,
    )
}
