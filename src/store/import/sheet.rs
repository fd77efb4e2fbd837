//! What both sheets have in common: rows of cells, compared with the last import and with the book.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use serde_json::{Map, Value, json};
use sqlx::{FromRow, SqliteConnection};

use super::{Cells, Change, ImportProblem, Tally};
use crate::domain::commitment::Status;
use crate::store::batch;
use crate::store::journal::{Subject, record};
use crate::store::{Error, Stamp};

/// Rows compared and written at a time: what a page holds beside the rows themselves is gone before the next.
pub(super) const PAGE_ROWS_MAX: usize = 1_000;

/// The cells in a JSON object; what is no text, or empty, counts as no cell.
#[derive(Default)]
pub(super) struct Kept(Map<String, Value>);

impl Kept {
    fn read(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap_or_default())
    }

    pub(super) fn get(&self, column: &str) -> Option<&str> {
        self.0.get(column)?.as_str().filter(|cell| !cell.is_empty())
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.keys().filter_map(|column| Some((column.as_str(), self.get(column)?)))
    }
}

/// One of the two sheets.
pub(super) struct Sheet {
    pub(super) table: &'static str,
    /// Columns that a new row must fill.
    pub(super) required: &'static [&'static str],
    /// Columns that hold days.
    pub(super) days: &'static [&'static str],
    /// Selects the rows with the references in `$1`: see [`Known`].
    pub(super) known: &'static str,
    /// Selects, for the references in `$1`, the cells as the book has them: a JSON object each.
    pub(super) book: &'static str,
}

/// A row of the table as it is before the import.
#[derive(FromRow)]
struct Known {
    reference: String,
    /// JSON object: the cells of the last import.
    imported: String,
    revision: u32,
}

/// A row that is new, or that says something else than at the last import.
pub(super) struct Difference<'a> {
    /// Place in the page.
    pub(super) index: usize,
    pub(super) reference: &'a str,
    pub(super) is_new: bool,
    pub(super) revision: u32,
    /// As the book had it; empty for a new row.
    pub(super) before: Kept,
    /// What becomes of the cell `status`, when that is decided.
    pub(super) status: Option<Status>,
    /// Cells in which this import differs from the last, by column name.
    news: Vec<(&'a str, &'a str)>,
    /// The cells of earlier imports; empty for a new row.
    earlier: Kept,
}

impl Difference<'_> {
    /// The cell as the book is to have it.
    pub(super) fn after(&self, column: &str) -> Option<&str> {
        let status = self.status.filter(|_| column == "status").map(Status::name);
        status.or_else(|| self.news(column)).or_else(|| self.before.get(column))
    }

    /// The cell when it differs from the last import.
    pub(super) fn news(&self, column: &str) -> Option<&str> {
        self.news.iter().find(|(name, _)| *name == column).map(|(_, cell)| *cell)
    }

    /// The cell as the sheet says it, now or at an earlier import.
    pub(super) fn imported(&self, column: &str) -> Option<&str> {
        self.news(column).or_else(|| self.earlier.get(column))
    }

    /// Every cell as the sheet says it, now or at an earlier import, for the next import to find: a JSON object.
    pub(super) fn all_imported(&self) -> Result<String, Error> {
        let mut cells: BTreeMap<&str, &str> = self.earlier.iter().collect();
        cells.extend(self.news.iter().copied());
        batch::to_json(&cells)
    }

    /// The column when it is to change in the book, with the old and the new text.
    pub(super) fn change(&self, column: &str) -> Option<(&str, &str)> {
        let old = self.before.get(column).unwrap_or_default();
        let new = self.after(column)?;
        (old != new).then_some((old, new))
    }

    /// Every change, in the order of the columns.
    fn changes(&self) -> Vec<(&str, &str, &str)> {
        let mut columns: Vec<&str> = self.news.iter().map(|(column, _)| *column).collect();
        columns.extend(self.status.map(|_| "status"));
        columns.sort_unstable();
        columns.dedup();
        let change = |column| self.change(column).map(|(old, new)| (column, old, new));
        columns.into_iter().filter_map(change).collect()
    }

    pub(super) fn problem(&self, sheet: &Sheet, column: &str, what: String) -> ImportProblem {
        problem(sheet, self.reference, column, what)
    }
}

pub(super) fn problem(sheet: &Sheet, reference: &str, column: &str, what: String) -> ImportProblem {
    let (reference, column) = (reference.to_owned(), column.to_owned());
    ImportProblem { table: sheet.table, reference, column, what }
}

/// Compares a page of rows with the table.
pub(super) async fn compare<'a>(
    unit: &mut SqliteConnection,
    sheet: &Sheet,
    page: impl Iterator<Item = (&'a str, &'a Cells)>,
) -> Result<Vec<Difference<'a>>, Error> {
    let rows: Vec<_> = page.collect();
    let references: Vec<&str> = rows.iter().map(|(reference, _)| *reference).collect();
    let known: Vec<Known> = sqlx::query_as(sheet.known)
        .bind(batch::json_list(&references)?)
        .fetch_all(&mut *unit)
        .await?;
    let known: HashMap<&str, &Known> =
        known.iter().map(|row| (row.reference.as_str(), row)).collect();
    let mut differences: Vec<Difference<'a>> = (0..)
        .zip(&rows)
        .filter_map(|(index, (reference, cells))| {
            difference(index, reference, cells, known.get(reference).copied())
        })
        .collect();
    let changed: Vec<&str> =
        differences.iter().filter(|row| !row.is_new).map(|row| row.reference).collect();
    if changed.is_empty() {
        return Ok(differences);
    }
    let book: Vec<(String, String)> =
        sqlx::query_as(sheet.book).bind(batch::json_list(&changed)?).fetch_all(unit).await?;
    let mut book: HashMap<&str, Kept> =
        book.iter().map(|(reference, cells)| (reference.as_str(), Kept::read(cells))).collect();
    for row in &mut differences {
        row.before = book.remove(row.reference).unwrap_or_default();
    }
    Ok(differences)
}

fn difference<'a>(
    index: usize,
    reference: &'a str,
    cells: &'a Cells,
    known: Option<&Known>,
) -> Option<Difference<'a>> {
    let earlier = known.map(|row| Kept::read(&row.imported)).unwrap_or_default();
    let news: Vec<(&str, &str)> = cells
        .iter()
        .map(|(column, cell)| (*column, cell.as_str()))
        .filter(|(column, cell)| !cell.is_empty() && earlier.get(column) != Some(cell))
        .collect();
    if known.is_some() && news.is_empty() {
        return None;
    }
    Some(Difference {
        index,
        reference,
        is_new: known.is_none(),
        revision: known.map_or(1, |row| row.revision),
        before: Kept::default(),
        status: None,
        news,
        earlier,
    })
}

/// What is wrong with the cells themselves.
pub(super) fn check(
    sheet: &Sheet,
    differences: &[Difference<'_>],
    problems: &mut Vec<ImportProblem>,
) {
    for row in differences {
        for column in sheet.required.iter().filter(|column| row.after(column).is_none()) {
            problems.push(row.problem(sheet, column, "is empty; fill it in".to_owned()));
        }
        for column in sheet.days {
            if let Some(cell) = row.after(column)
                && cell.parse::<NaiveDate>().is_err()
            {
                let what = format!("{cell:?} is no day; write it as 2020-01-31");
                problems.push(row.problem(sheet, column, what));
            }
        }
    }
}

/// Counts what was new and what changed in a page of `rows` rows.
pub(super) fn count(tally: &mut Tally, differences: &[Difference<'_>], rows: usize) {
    tally.unchanged += rows;
    for row in differences {
        let changes = if row.is_new { Vec::new() } else { row.changes() };
        if row.is_new {
            tally.new.push(row.reference.to_owned());
        }
        if row.is_new || !changes.is_empty() {
            tally.unchanged -= 1;
        }
        tally.changed.extend(changes.into_iter().map(|(column, old, new)| Change {
            reference: row.reference.to_owned(),
            column: column.to_owned(),
            old: old.to_owned(),
            new: new.to_owned(),
        }));
    }
}

/// Records what was new and what changed.
pub(super) async fn account(
    unit: &mut SqliteConnection,
    tally: &Tally,
    subject: for<'a> fn(&'a str) -> Subject<'a>,
    stamp: &Stamp,
) -> Result<(), Error> {
    for page in tally.new.chunks(PAGE_ROWS_MAX) {
        let new: Vec<Subject<'_>> = page.iter().map(|reference| subject(reference)).collect();
        record(unit, stamp, "imported", &new).await?;
    }
    let rows = tally.changed.chunk_by(|one, next| one.reference == next.reference);
    let changed: Vec<Subject<'_>> = rows
        .filter_map(|changes| {
            let detail: Map<String, Value> =
                changes.iter().map(|one| (one.column.clone(), json!([one.old, one.new]))).collect();
            Some(subject(&changes.first()?.reference).detail(Value::Object(detail)))
        })
        .collect();
    record(unit, stamp, "changed", &changed).await
}
