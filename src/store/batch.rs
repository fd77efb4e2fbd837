//! Many rows in few statements: they go to SQLite as JSON arrays, which it unfolds with `json_each($1)`, or, where each
//! row is an object with many cells, with `jsonb_each($1)`, which reads the text of each only once. Where rows are only
//! inserted, their cells are bound one by one ([`Insert`]).

use std::fmt::Display;

use serde::{Serialize, Serializer};
use sqlx::query_builder::Separated;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::Error;

/// Rows in one statement: enough that the cost of a call does not count, few enough that its text stays small.
const BATCH_ROWS_MAX: usize = 1_000;

/// Rows in one `INSERT`: enough that a call does not count, and far below the 32,766 cells that SQLite takes in one.
pub(super) const INSERT_ROWS_MAX: usize = 250;

/// A text in JSON, as its value is printed: a day `2020-01-31`, a step `before:30`.
#[derive(Clone, Copy)]
pub(super) struct Printed<T>(pub(super) T);

impl<T: Display> Serialize for Printed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Rows to insert, ready: SQLite, in its own thread, can take some while the next are made. Each cell is bound as it is;
/// to take as many out of JSON would cost as much as to insert them.
pub(super) struct Insert {
    parts: Vec<QueryBuilder<Sqlite>>,
}

/// Where the cells of a row go, in the order of the columns.
pub(super) type Row<'a> = Separated<'a, Sqlite, &'static str>;

impl Insert {
    /// `head` names the table and its columns, `tail` says what becomes of a row that is there.
    pub(super) fn new<R>(
        head: &str,
        rows: &[R],
        bind: impl Fn(&mut Row<'_>, &R),
        tail: &str,
    ) -> Self {
        let part = |rows: &[R]| {
            let mut insert = QueryBuilder::new(head);
            insert.push_values(rows, |mut cells, row| bind(&mut cells, row)).push(tail);
            insert
        };
        Self { parts: rows.chunks(INSERT_ROWS_MAX).map(part).collect() }
    }

    pub(super) async fn run(self, unit: &mut SqliteConnection) -> Result<(), Error> {
        for mut part in self.parts {
            part.build().execute(&mut *unit).await?;
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
    let query = sqlx::query(sql).bind(json_list(rows)?);
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
