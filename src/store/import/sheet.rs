//! What both sheets have in common: rows of cells, compared with the last import and with the book.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sqlx::{FromRow, SqliteConnection};

use super::{Change, ImportProblem, Tally};
use crate::store::batch::{self, batch};
use crate::store::journal::{Subject, record};
use crate::store::{Error, Stamp};

/// Cells by column name; none is empty.
pub(super) type Cells = BTreeMap<String, String>;

/// One of the two sheets.
pub(super) struct Sheet {
    pub(super) table: &'static str,
    /// Columns that a new row must fill.
    pub(super) required: &'static [&'static str],
    /// Columns that hold days.
    pub(super) days: &'static [&'static str],
    /// Selects the rows with the references in `$1`: see [`Known`].
    pub(super) known: &'static str,
    /// Puts the rows in `$1` into the table: see [`PutRow`].
    pub(super) put: &'static str,
}

/// A row of the table as it is before the import.
#[derive(FromRow)]
struct Known {
    reference: String,
    /// JSON object: the cells of the last import.
    imported: String,
    /// JSON object: the cells as the book has them.
    cells: String,
    revision: u32,
}

/// A row that is new, or that says something else than at the last import.
pub(super) struct Difference<'a> {
    /// Place in the import.
    pub(super) index: usize,
    pub(super) reference: &'a str,
    pub(super) is_new: bool,
    pub(super) revision: u32,
    /// As the book had it; empty for a new row.
    pub(super) before: Cells,
    /// As the book is to have it.
    pub(super) after: Cells,
    /// Every cell of this and earlier imports.
    pub(super) imported: Cells,
    /// Columns in which this import differs from the last.
    pub(super) news: Vec<&'a str>,
}

#[derive(Serialize)]
struct PutRow<'a> {
    reference: &'a str,
    imported: String,
    #[serde(flatten)]
    cells: &'a Cells,
}

impl Difference<'_> {
    /// The column when it is to change in the book, with the old and the new text.
    pub(super) fn change(&self, column: &str) -> Option<(&str, &str)> {
        let old = self.before.get(column).map_or("", String::as_str);
        let new = self.after.get(column)?;
        (old != new).then_some((old, new))
    }

    fn changes(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.after
            .keys()
            .filter_map(|column| self.change(column).map(|(old, new)| (column.as_str(), old, new)))
    }

    pub(super) fn problem(&self, sheet: &Sheet, column: &str, what: String) -> ImportProblem {
        ImportProblem {
            table: sheet.table,
            reference: self.reference.to_owned(),
            column: column.to_owned(),
            what,
        }
    }
}

/// Compares `rows` with the table.
pub(super) async fn compare<'a>(
    unit: &mut SqliteConnection,
    sheet: &Sheet,
    rows: &[(&'a str, &'a BTreeMap<String, String>)],
) -> Result<Vec<Difference<'a>>, Error> {
    let references: Vec<&str> = rows.iter().map(|(reference, _)| *reference).collect();
    let known: Vec<Known> =
        sqlx::query_as(sheet.known).bind(batch::json(&references)?).fetch_all(unit).await?;
    let known: HashMap<&str, &Known> =
        known.iter().map(|row| (row.reference.as_str(), row)).collect();
    Ok(rows
        .iter()
        .enumerate()
        .filter_map(|(index, (reference, cells))| {
            difference(index, reference, cells, known.get(reference).copied())
        })
        .collect())
}

fn difference<'a>(
    index: usize,
    reference: &'a str,
    cells: &'a BTreeMap<String, String>,
    known: Option<&Known>,
) -> Option<Difference<'a>> {
    let mut imported = known.map(|row| read_cells(&row.imported)).unwrap_or_default();
    let news: Vec<(&str, &str)> = cells
        .iter()
        .map(|(column, cell)| (column.as_str(), cell.as_str()))
        .filter(|(column, cell)| {
            !cell.is_empty() && imported.get(*column).is_none_or(|last| last != cell)
        })
        .collect();
    if known.is_some() && news.is_empty() {
        return None;
    }
    let before = known.map(|row| read_cells(&row.cells)).unwrap_or_default();
    let mut after = before.clone();
    for (column, cell) in &news {
        imported.insert((*column).to_owned(), (*cell).to_owned());
        after.insert((*column).to_owned(), (*cell).to_owned());
    }
    Some(Difference {
        index,
        reference,
        is_new: known.is_none(),
        revision: known.map_or(1, |row| row.revision),
        before,
        after,
        imported,
        news: news.into_iter().map(|(column, _)| column).collect(),
    })
}

/// The cells in a JSON object; what is no text, or empty, counts as no cell.
fn read_cells(text: &str) -> Cells {
    let object: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
    object
        .into_iter()
        .filter_map(|(column, value)| match value {
            Value::String(cell) if !cell.is_empty() => Some((column, cell)),
            _ => None,
        })
        .collect()
}

/// What is wrong with the cells themselves.
pub(super) fn check(
    sheet: &Sheet,
    differences: &[Difference<'_>],
    problems: &mut Vec<ImportProblem>,
) {
    for row in differences {
        for column in sheet.required.iter().filter(|column| !row.after.contains_key(**column)) {
            problems.push(row.problem(sheet, column, "is empty; fill it in".to_owned()));
        }
        for column in sheet.days {
            if let Some(cell) = row.after.get(*column)
                && cell.parse::<NaiveDate>().is_err()
            {
                let what = format!("{cell:?} is no day; write it as 2020-01-31");
                problems.push(row.problem(sheet, column, what));
            }
        }
    }
}

/// Puts the rows into the table.
pub(super) async fn put(
    unit: &mut SqliteConnection,
    sheet: &Sheet,
    differences: &[Difference<'_>],
) -> Result<(), Error> {
    let mut rows = Vec::with_capacity(differences.len());
    for row in differences {
        let imported = serde_json::to_string(&row.imported)
            .map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
        rows.push(PutRow { reference: row.reference, imported, cells: &row.after });
    }
    batch(unit, sheet.put, &rows, &[]).await
}

/// Records what was new and what changed, and counts it; `rows` is the number of rows in the import.
pub(super) async fn account(
    unit: &mut SqliteConnection,
    differences: &[Difference<'_>],
    rows: usize,
    subject: for<'a> fn(&'a str) -> Subject<'a>,
    stamp: &Stamp,
) -> Result<Tally, Error> {
    let mut tally = Tally { unchanged: rows, ..Tally::default() };
    let (mut new, mut changed) = (Vec::new(), Vec::new());
    for row in differences {
        if row.is_new {
            tally.new.push(row.reference.to_owned());
            new.push(subject(row.reference));
            continue;
        }
        let changes: Vec<_> = row.changes().collect();
        if changes.is_empty() {
            continue;
        }
        let detail: Map<String, Value> = changes
            .iter()
            .map(|(column, old, new)| ((*column).to_owned(), json!([old, new])))
            .collect();
        changed.push(subject(row.reference).detail(Value::Object(detail)));
        tally.changed.extend(changes.into_iter().map(|(column, old, new)| Change {
            reference: row.reference.to_owned(),
            column: column.to_owned(),
            old: old.to_owned(),
            new: new.to_owned(),
        }));
    }
    tally.unchanged -= new.len() + changed.len();
    record(unit, stamp, "imported", &new).await?;
    record(unit, stamp, "changed", &changed).await?;
    Ok(tally)
}
