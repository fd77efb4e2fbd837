//! Import: what the municipality's own sheets say goes into the book, cell by cell.
//!
//! A cell counts as changed when it differs from the last import, which is kept as JSON in `imported`; so what people
//! did in Advis stands until the sheet itself changes. Empty cells and missing rows change nothing.

mod commitments;
mod leaders;
mod sheet;

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;

use super::batch::json_list;
use super::{Error, Stamp, Store, book};
use crate::domain::window::{Deadline, Undated};

const KEPT_DATES: &str = "
    SELECT reference, document_date, adopted_on, reference_date FROM commitments
     WHERE reference IN (SELECT value FROM json_each($1))";

/// A sheet names commitments in an order of its own, so pages come and go: more of them stay at hand.
const ROOM: &str = "PRAGMA cache_size = -32768";

/// As bytes: a title that others wrote, and that is no text, is like no other.
const TITLES_WITHOUT: &str = "
    SELECT CAST(reference AS BLOB), CAST(title AS BLOB) FROM commitments
     WHERE entered_on IS NOT NULL AND reference NOT IN (SELECT value FROM json_each($1))
     ORDER BY reference";

const OVERDUE: &str = "
    SELECT c.reference, min(w.due) FROM commitments c
      JOIN windows w ON w.commitment = c.reference AND w.revision = c.revision
     WHERE c.reference IN (SELECT value FROM json_each($1))
       AND c.status = 'open' AND w.closed_on IS NULL AND w.due < $2
     GROUP BY c.reference
     ORDER BY c.reference";

/// The cells of a row by column name, but for the reference; an empty one changes nothing.
pub type Cells = BTreeMap<&'static str, String>;

/// The rows of the files, each reference at most once a sheet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Import<Commitments = Vec<ImportedCommitment>> {
    /// Of the address book.
    pub leaders: Vec<ImportedLeader>,
    /// Of the book: any iterator of [`ImportedCommitment`]. A page of it is held at a time.
    pub commitments: Commitments,
}

/// A row of the address book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedLeader {
    /// Its reference.
    pub reference: String,
    /// The other cells by column name, normalised: days as `2020-01-31`, language as `da` or `en`.
    pub cells: Cells,
}

/// A row of the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedCommitment {
    /// Its reference.
    pub reference: String,
    /// The other cells by column name, normalised: days as `2020-01-31`, `confidential` as `1` or `0`, `status` by its
    /// name in the store, the references in `responsible` joined by `;`.
    pub cells: Cells,
    /// What the cell `deadline` reads as, against the reference date (see [`KeptDates`]).
    pub deadline: Result<Deadline, Undated>,
    /// Whether it reads as something else than against the reference date kept so far.
    pub is_reread: bool,
}

/// The days that the book has of a commitment. A phrase is read against the date of the document, else the day of
/// adoption; an import that says neither reads it against these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptDates {
    /// The date of the document.
    pub document_date: Option<NaiveDate>,
    /// The day of adoption; that of the first import when nobody said.
    pub adopted_on: Option<NaiveDate>,
    /// The day its phrase was read against.
    pub reference_date: Option<NaiveDate>,
}

/// A cell that an import changed in the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Reference of the row.
    pub reference: String,
    /// Name of the column.
    pub column: String,
    /// What the book said; empty for nothing.
    pub old: String,
    /// What it says now.
    pub new: String,
}

/// What an import did to one table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// References that were not there before.
    pub new: Vec<String>,
    /// Cells that changed in rows that were.
    pub changed: Vec<Change>,
    /// Number of rows that changed nothing.
    pub unchanged: usize,
}

/// What an import did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportReport {
    /// To the address book.
    pub leaders: Tally,
    /// To the book.
    pub commitments: Tally,
    /// Commitments of these files that wait for a date, and why.
    pub needs_date: Vec<(String, String)>,
    /// Open commitments of these files whose deadline has passed, and the earliest such deadline.
    pub already_overdue: Vec<(String, NaiveDate)>,
    /// Commitments that were there before and changed: messages about them not yet sent are to be withdrawn.
    pub touched: Vec<String>,
}

/// A cell that cannot be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportProblem {
    /// `leaders` or `commitments`.
    pub table: &'static str,
    /// Reference of the row.
    pub reference: String,
    /// Name of the column.
    pub column: String,
    /// What is wrong and what to do.
    pub what: String,
}

impl fmt::Display for ImportProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}, {}: {}", self.table, self.reference, self.column, self.what)
    }
}

impl Store {
    /// The days kept of those commitments that are in the book.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn kept_dates(
        &self,
        references: &[&str],
    ) -> Result<BTreeMap<String, KeptDates>, Error> {
        type Row = (String, Option<String>, Option<String>, Option<String>);

        let mut unit = self.read_once().await?;
        let rows: Vec<Row> =
            sqlx::query_as(KEPT_DATES).bind(json_list(references)?).fetch_all(&mut *unit).await?;
        unit.keep();
        let day = |text: Option<String>| text.and_then(|text| text.parse().ok());
        let kept = |(reference, document_date, adopted_on, reference_date): Row| {
            let (document_date, adopted_on) = (day(document_date), day(adopted_on));
            let reference_date = day(reference_date);
            (reference, KeptDates { document_date, adopted_on, reference_date })
        };
        Ok(rows.into_iter().map(kept).collect())
    }

    /// Reference and title of the commitments in the book, but for those with these references.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn titles_without(
        &self,
        references: &[&str],
    ) -> Result<Vec<(String, String)>, Error> {
        let mut unit = self.read_once().await?;
        let rows: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(TITLES_WITHOUT)
            .bind(json_list(references)?)
            .fetch_all(&mut *unit)
            .await?;
        unit.keep();
        let text = |bytes| String::from_utf8(bytes).ok();
        Ok(rows.into_iter().filter_map(|(one, title)| Some((text(one)?, text(title)?))).collect())
    }

    /// Imports rows, all of them or none; with `dry_run` none, and says what would happen.
    ///
    /// # Errors
    /// [`Error::Import`] with every cell that is wrong.
    pub async fn import(
        &self,
        import: Import<impl IntoIterator<Item = ImportedCommitment>>,
        stamp: &Stamp,
        dry_run: bool,
    ) -> Result<ImportReport, Error> {
        let Import { leaders: imported, commitments: rows } = import;
        let mut unit = self.write().await?;
        let mut problems = Vec::new();
        sqlx::query(ROOM).execute(&mut *unit).await?;
        let leaders = leaders::import(&mut unit, &imported, stamp, &mut problems).await?;
        let rows = rows.into_iter();
        let (commitments, mut references) =
            commitments::import(&mut unit, rows, &imported, stamp, &mut problems).await?;
        if !problems.is_empty() {
            return Err(Error::Import { problems });
        }
        references.sort_unstable();
        let needs_date = book::notes(&mut unit)
            .await?
            .into_iter()
            .filter(|(reference, _)| references.binary_search(reference).is_ok())
            .collect();
        let overdue: Vec<(String, String)> = sqlx::query_as(OVERDUE)
            .bind(json_list(&references)?)
            .bind(stamp.day.to_string())
            .fetch_all(&mut *unit)
            .await?;
        if dry_run {
            unit.roll_back().await?;
        } else {
            unit.commit().await?;
        }
        let mut touched: Vec<String> =
            commitments.changed.iter().map(|change| change.reference.clone()).collect();
        touched.dedup();
        let already_overdue = overdue
            .into_iter()
            .filter_map(|(reference, due)| Some((reference, due.parse().ok()?)))
            .collect();
        Ok(ImportReport { leaders, commitments, needs_date, already_overdue, touched })
    }
}
