//! Many rows in few statements: they go to SQLite as JSON arrays, which it unfolds with `json_each($1)`, or, where each
//! row is an object with many cells, with `jsonb_each($1)`, which reads the text of each only once.

use std::fmt::Display;

use serde::{Serialize, Serializer};
use sqlx::SqliteConnection;

use super::Error;

/// Rows in one statement: enough that the cost of a call does not count, few enough that its text stays small.
const BATCH_ROWS_MAX: usize = 1_000;

/// A text in JSON, as its value is printed: a day `2020-01-31`, a step `before:30`.
#[derive(Clone, Copy)]
pub(super) struct Printed<T>(pub(super) T);

impl<T: Display> Serialize for Printed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A statement and its rows, which are text already: SQLite, in its own thread, can run one while the next is made.
pub(super) struct Batch {
    sql: &'static str,
    parts: Vec<String>,
}

impl Batch {
    pub(super) fn of(sql: &'static str, rows: &[impl Serialize]) -> Result<Self, Error> {
        let parts = rows.chunks(BATCH_ROWS_MAX).map(json_list).collect::<Result<_, _>>()?;
        Ok(Self { sql, parts })
    }

    /// As [`batch`].
    pub(super) async fn run(self, unit: &mut SqliteConnection) -> Result<(), Error> {
        for part in self.parts {
            execute(unit, self.sql, part, &[]).await?;
        }
        Ok(())
    }
}

/// Runs `sql` on `rows`, some at a time: `$1` is a JSON array of them, `$2` and on are `rest`.
pub(super) async fn batch(
    unit: &mut SqliteConnection,
    sql: &'static str,
    rows: &[impl Serialize],
    rest: &[&str],
) -> Result<(), Error> {
    for some in rows.chunks(BATCH_ROWS_MAX) {
        whole(unit, sql, some, rest).await?;
    }
    Ok(())
}

/// As [`batch`], with all rows in one statement, for those that must see them together.
pub(super) async fn whole(
    unit: &mut SqliteConnection,
    sql: &'static str,
    rows: &[impl Serialize],
    rest: &[&str],
) -> Result<(), Error> {
    execute(unit, sql, json_list(rows)?, rest).await
}

async fn execute(
    unit: &mut SqliteConnection,
    sql: &'static str,
    rows: String,
    rest: &[&str],
) -> Result<(), Error> {
    let query = sqlx::query(sql).bind(rows);
    rest.iter().fold(query, |query, value| query.bind(*value)).execute(unit).await?;
    Ok(())
}

/// `rows` as a JSON array.
pub(super) fn json_list(rows: impl IntoIterator<Item: Serialize>) -> Result<String, Error> {
    to_json(&rows.into_iter().collect::<Vec<_>>())
}

/// `row` as JSON.
pub(super) fn to_json(row: &impl Serialize) -> Result<String, Error> {
    Ok(serde_json::to_string(row).map_err(|error| sqlx::Error::Encode(Box::new(error)))?)
}
