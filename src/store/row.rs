//! Rows as others than us may have written them.

use serde::de::DeserializeOwned;
use sqlx::sqlite::{SqliteRow, SqliteValue};
use sqlx::{FromRow, Row, Value, ValueRef};

use super::Error;

/// A row that is left out, or taken with a gap, because something in it cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowProblem {
    /// Reference of the commitment or leader.
    pub reference: String,
    /// What is wrong.
    pub what: String,
}

/// A row, or why its cells cannot be read. Others than us write into the store: text that is no UTF-8, say, costs its own
/// row and no more.
pub(super) struct Tried<R>(Result<R, RowProblem>);

impl<'r, R: FromRow<'r, SqliteRow>> FromRow<'r, SqliteRow> for Tried<R> {
    fn from_row(row: &'r SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self(R::from_row(row).map_err(|error| {
            let reference: Vec<u8> = row.try_get("reference").unwrap_or_default();
            let reference = String::from_utf8_lossy(&reference).into_owned();
            RowProblem { reference, what: unreadable(&error) }
        })))
    }
}

/// The rows whose cells can be read, and the others' problems.
pub(super) fn readable<R>(rows: Vec<Tried<R>>) -> (Vec<R>, Vec<RowProblem>) {
    let (mut read, mut problems) = (Vec::with_capacity(rows.len()), Vec::new());
    for Tried(row) in rows {
        match row {
            Ok(one) => read.push(one),
            Err(problem) => problems.push(problem),
        }
    }
    (read, problems)
}

/// The first cell of a row, not yet looked into.
pub(super) struct Cell(SqliteValue);

impl<'r> FromRow<'r, SqliteRow> for Cell {
    fn from_row(row: &'r SqliteRow) -> Result<Self, sqlx::Error> {
        row.try_get_raw(0).map(|value| Self(value.to_owned()))
    }
}

impl Cell {
    pub(super) fn rows<R: DeserializeOwned>(self) -> Parsed<R> {
        Parsed::read(self.0.try_decode().ok())
    }

    pub(super) fn number(self) -> Result<i64, Error> {
        Ok(self.0.try_decode()?)
    }
}

/// The cells that the statements of a script answer, one each.
pub(super) fn exactly<const N: usize>(cells: Vec<Cell>) -> Result<[Cell; N], Error> {
    Ok(cells.try_into().map_err(|_| sqlx::Error::RowNotFound)?)
}

/// Rows as one cell: a JSON array with an array of columns for each. `None` when one of them cannot be read so.
pub(super) struct Parsed<R>(pub(super) Option<Vec<R>>);

impl<'r, R: DeserializeOwned> FromRow<'r, SqliteRow> for Parsed<R> {
    fn from_row(row: &'r SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self::read(row.try_get(0).ok()))
    }
}

impl<R: DeserializeOwned> Parsed<R> {
    fn read(text: Option<&str>) -> Self {
        Self(text.and_then(|text| serde_json::from_str(text).ok()))
    }
}

impl<R> Parsed<R> {
    /// Rows that nobody writes but us: `what` they are says who cannot read them.
    pub(super) fn ours(self, what: &str) -> Result<Vec<R>, Error> {
        let damaged = || sqlx::Error::Decode(format!("{what} that cannot be read").into());
        Ok(self.0.ok_or_else(damaged)?)
    }
}

fn unreadable(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::ColumnDecode { index, source } => {
            format!("its {} cannot be read: {source}; write it anew", index.trim_matches('"'))
        }
        error => error.to_string(),
    }
}
