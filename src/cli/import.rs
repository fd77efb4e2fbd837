//! `import`: leaders and commitments from CSV files, all or nothing.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use chrono::NaiveDate;

use super::Everywhere;
use super::exit::{Exit, Failure};
use super::list::plain;
use super::setting::{self, Setting};
use crate::config::Config;
use crate::domain::commitment::Commitment;
use crate::domain::window::Window;
use crate::intake::{self, CommitmentRow, Known, LeaderRow, Problem, Promise, Sheets, SourceFile};
use crate::phrase;
use crate::planner::{self, NEVER};
use crate::store::{
    Import, ImportReport, ImportedCommitment, ImportedLeader, KeptDates, Tally, Which,
};

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
    if !config.store.path.exists() {
        // Sheets that are refused must not leave an empty store behind.
        let today = setting::clock(everywhere, &config).today();
        check(&sheets, &BTreeMap::new(), &config, today)?;
    }
    if dry_run && !config.store.path.exists() {
        return take_nowhere(config, everywhere, &sheets, out).await;
    }
    let setting = Setting::of(config, everywhere).await?;
    let ended = take(&setting, &sheets, dry_run, out).await;
    setting.close().await;
    ended
}

/// A dry run before there is a store: on an empty one, which is gone afterwards.
async fn take_nowhere(
    mut config: Config,
    everywhere: &Everywhere,
    sheets: &Sheets,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let folder = tempfile::tempdir().context("a dry run needs room for temporary files")?;
    config.store.path = folder.path().join("advis.db");
    let setting = Setting::of(config, everywhere).await?;
    let ended = take(&setting, sheets, true, out).await;
    setting.close().await;
    ended
}

async fn take(
    setting: &Setting,
    sheets: &Sheets,
    dry_run: bool,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    setting.read_new().await?;
    let references: Vec<&str> =
        sheets.commitments.iter().map(|row| row.reference.as_str()).collect();
    let kept = setting.store.kept_dates(&references).await?;
    check(sheets, &managers(setting).await?, &setting.config, setting.clock.today())?;
    let doubles = doubles(setting, sheets).await?;
    let import = Import {
        leaders: sheets.leaders.iter().map(leader).collect(),
        commitments: sheets
            .commitments
            .iter()
            .map(|row| commitment(row, &kept, setting.clock.today()))
            .collect(),
    };
    let report = setting.store.import(&import, &setting.stamp(), dry_run).await?;
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
    leaders: &BTreeMap<String, Option<String>>,
    config: &Config,
    today: NaiveDate,
) -> anyhow::Result<()> {
    let kinds = config.rules.names();
    let known = Known { leaders, kinds: &kinds, today };
    let problems = intake::check(sheets, &known, phrase::parse);
    if problems.is_empty() { Ok(()) } else { Err(refusal(&problems).into()) }
}

/// Each leader in the store, with their manager.
async fn managers(setting: &Setting) -> anyhow::Result<BTreeMap<String, Option<String>>> {
    let (people, _) = setting.desk().people().await?;
    Ok(people.iter().map(|one| (one.reference.clone(), one.manager.clone())).collect())
}

/// Pairs of commitments that look like one.
async fn doubles(setting: &Setting, sheets: &Sheets) -> anyhow::Result<Vec<(String, String)>> {
    let today = setting.clock.today();
    let (book, _) = setting.store.book(Which::All).await?;
    let days =
        |one: &Commitment| one.windows.iter().map(|window| window.window).collect::<Vec<Window>>();
    let book_windows: Vec<Vec<Window>> = book.iter().map(days).collect();
    let book_responsible: Vec<Vec<String>> = book
        .iter()
        .map(|one| one.responsible.iter().map(|responsible| responsible.leader.clone()).collect())
        .collect();
    let row_windows: Vec<Vec<Window>> = sheets
        .commitments
        .iter()
        .map(|row| phrase::parse(&row.deadline, row.reference_date(today)))
        .map(|read| read.map(|deadline| deadline.windows).unwrap_or_default())
        .collect();
    let existing: Vec<Promise<'_>> = book
        .iter()
        .zip(&book_windows)
        .zip(&book_responsible)
        .map(|((one, windows), responsible)| Promise {
            reference: &one.reference,
            title: &one.title,
            phrase: &one.phrase,
            windows,
            responsible,
        })
        .collect();
    let imported: Vec<Promise<'_>> = sheets
        .commitments
        .iter()
        .zip(&row_windows)
        .map(|(row, windows)| Promise {
            reference: &row.reference,
            title: &row.title,
            phrase: &row.deadline,
            windows,
            responsible: &row.responsible,
        })
        .collect();
    Ok(intake::likely_doubles(&imported, &existing))
}

/// The cells of a leader in the form the store keeps.
fn leader(row: &LeaderRow) -> ImportedLeader {
    let mut cells: BTreeMap<String, String> = owned(&row.cells);
    let day = |day: Option<NaiveDate>| day.map(|day| day.to_string());
    put(&mut cells, "name", Some(row.name.clone()));
    put(&mut cells, "email", Some(row.email.to_string()));
    put(&mut cells, "language", row.language.map(|language| language.code().to_owned()));
    put(&mut cells, "active_from", day(row.active.from));
    put(&mut cells, "active_to", day(row.active.to));
    put(&mut cells, "absent_from", day(row.absent.from));
    put(&mut cells, "absent_to", day(row.absent.to));
    ImportedLeader { reference: row.reference.clone(), cells }
}

/// The cells of a commitment in the form the store keeps, and its deadline as read.
fn commitment(
    row: &CommitmentRow,
    kept: &BTreeMap<String, KeptDates>,
    today: NaiveDate,
) -> ImportedCommitment {
    let mut cells = owned(&row.cells);
    let day = |day: Option<NaiveDate>| day.map(|day| day.to_string());
    put(&mut cells, "document_date", day(row.document_date));
    put(&mut cells, "adopted_on", day(row.adopted_on));
    put(&mut cells, "confidential", row.confidential.map(|yes| u8::from(yes).to_string()));
    put(&mut cells, "status", row.status.map(|status| status.name().to_owned()));
    put(&mut cells, "responsible", Some(row.responsible.join(";")));
    let kept = kept.get(&row.reference);
    let reference_date = row
        .document_date
        .or(kept.and_then(|kept| kept.document_date))
        .or(row.adopted_on)
        .or(kept.and_then(|kept| kept.adopted_on))
        .unwrap_or(today);
    let deadline = phrase::parse(&row.deadline, reference_date);
    let is_reread = kept
        .and_then(|kept| kept.reference_date)
        .is_some_and(|before| phrase::parse(&row.deadline, before) != deadline);
    ImportedCommitment { reference: row.reference.clone(), cells, deadline, is_reread }
}

fn owned(cells: &intake::Cells) -> BTreeMap<String, String> {
    cells
        .iter()
        .filter(|(column, _)| **column != "reference")
        .map(|(column, cell)| ((*column).to_owned(), cell.clone()))
        .collect()
}

/// Replaces a cell that is there by its normal form.
fn put(cells: &mut BTreeMap<String, String>, column: &str, value: Option<String>) {
    if let (Some(cell), Some(value)) = (cells.get_mut(column), value) {
        *cell = value;
    }
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
