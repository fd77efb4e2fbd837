//! The store, seen from the verbs that use it and from other systems that write into its file.

mod contract;
mod edits;
mod importing;
mod opening;
mod passes;
mod reading;
mod recurring;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use advis::domain::commitment::{Commitment, Status};
use advis::domain::leader::Language;
use advis::domain::recurrence::Recurrence;
use advis::domain::reminder::{Reminder, ReminderKey};
use advis::domain::rule::{Ladder, RuleStep, Step};
use advis::domain::window::{Confidence, Deadline, Undated, Window};
use advis::planner::NEVER;
use advis::store::{
    Cells, ClosedAs, ClosedWindow, Edited, Entered, EnteredAs, Error, Import, ImportReport,
    ImportedCommitment, ImportedLeader, KeptDates, Near, Occurrence, RowProblem, Stamp, Store,
    Timetable, Which,
};
use chrono::{NaiveDate, NaiveTime};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, SqlSafeStr, SqliteConnection, Statement,
};
use tempfile::TempDir;

/// A store in a folder of its own.
struct World {
    store: Store,
    path: PathBuf,
    _folder: TempDir,
}

async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("advis.db");
    World { store: Store::open(&path).await.unwrap(), path, _folder: folder }
}

/// A world with the leaders nord, syd and vest (nord's and syd's manager).
async fn staffed() -> World {
    let world = world().await;
    world
        .sql(
            "INSERT INTO leaders(reference, name, email, manager) VALUES
                ('vest', 'Vera Vest', 'vera@kommune.example', NULL),
                ('nord', 'Nora Nord', 'nora@kommune.example', 'vest'),
                ('syd', 'Sune Syd', 'sune@kommune.example', 'vest')",
        )
        .await;
    world
}

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).foreign_keys(true).connect().await.unwrap()
}

impl World {
    /// What another system does to the file.
    async fn try_sql(&self, sql: &str) -> Result<(), sqlx::Error> {
        let mut connection = connect(&self.path).await;
        let result = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await;
        connection.close().await?;
        result.map(|_| ())
    }

    async fn sql(&self, sql: &str) {
        self.try_sql(sql).await.unwrap();
    }

    /// One value as text.
    async fn value(&self, sql: &str) -> String {
        let sql = format!("SELECT CAST(coalesce(({sql}), 'NULL') AS TEXT)");
        sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut connect(&self.path).await)
            .await
            .unwrap()
    }

    async fn book(&self, which: Which<'_>) -> Vec<Commitment> {
        let (book, problems) = self.store.book(which).await.unwrap();
        assert_eq!(problems, []);
        book
    }

    async fn one(&self, reference: &str) -> Commitment {
        self.book(Which::These(&[reference])).await.pop().unwrap()
    }

    async fn references(&self, which: Which<'_>) -> Vec<String> {
        self.book(which).await.into_iter().map(|one| one.reference).collect()
    }

    /// What was never looked at, and then what is near on a day, read one by one.
    async fn near(&self, day: NaiveDate) -> Vec<String> {
        let unlooked = self
            .value("SELECT group_concat(commitment) FROM (SELECT commitment FROM agenda WHERE look_on IS NULL ORDER BY 1)")
            .await;
        let unlooked = unlooked.split(',').filter(|one| *one != "NULL");
        let (mut place, mut near) =
            (Near::default(), unlooked.map(str::to_owned).collect::<Vec<_>>());
        while let Some(next) = self.store.near(day, &place, 1).await.unwrap().pop() {
            near.push(next.reference.clone());
            place = next;
        }
        near
    }

    /// Puts a commitment of nord into the book, with these windows.
    async fn promise(&self, reference: &str, windows: &[Window]) {
        self.import(&[row(reference, "fast", &[], Ok(deadline(windows, Confidence::High)))]).await;
    }

    async fn import(&self, rows: &[ImportedCommitment]) -> ImportReport {
        let import = Import { leaders: Vec::new(), commitments: rows.to_vec() };
        self.store.import(import, &stamp("2020-01-02"), false).await.unwrap()
    }

    /// Every row of every table.
    async fn dump(&self) -> String {
        let mut connection = connect(&self.path).await;
        let tables: Vec<String> =
            sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
                .fetch_all(&mut connection)
                .await
                .unwrap();
        let mut dump = String::new();
        for table in tables {
            let columns: Vec<String> =
                sqlx::query_scalar("SELECT 'quote(' || name || ')' FROM pragma_table_info($1)")
                    .bind(&table)
                    .fetch_all(&mut connection)
                    .await
                    .unwrap();
            let sql = format!("SELECT {} FROM {table} ORDER BY 1", columns.join(" || ',' || "));
            let rows: Vec<String> =
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
            dump.push_str(&format!("{table}\n{}\n", rows.join("\n")));
        }
        dump
    }
}

/// Makes an edit final; answers with what it touched.
async fn committed<'s>(edit: impl Future<Output = Result<Edited<'s>, Error>>) -> Vec<String> {
    edit.await.unwrap().commit(&[]).await.unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn stamp(text: &str) -> Stamp {
    let at = day(text).and_time(NaiveTime::from_hms_opt(8, 0, 0).unwrap()).and_utc();
    Stamp { at, day: day(text), who: "sekretær".to_owned() }
}

fn span(opens: &str, due: &str) -> Window {
    Window::span(day(opens), day(due))
}

fn deadline(windows: &[Window], confidence: Confidence) -> Deadline {
    Deadline { windows: windows.to_vec(), recurrence: None, confidence }
}

fn june() -> Result<Deadline, Undated> {
    Ok(deadline(&[span("2020-06-01", "2020-06-30")], Confidence::High))
}

fn cells(cells: &[(&'static str, &str)]) -> Cells {
    cells.iter().map(|(column, cell)| (*column, (*cell).to_owned())).collect()
}

/// A row of nord's, with some cells replaced.
fn row(
    reference: &str,
    phrase: &str,
    others: &[(&'static str, &str)],
    deadline: Result<Deadline, Undated>,
) -> ImportedCommitment {
    let mut all = cells(&[("title", "En plan"), ("responsible", "nord"), ("deadline", phrase)]);
    all.extend(cells(others));
    ImportedCommitment { reference: reference.to_owned(), cells: all, deadline, is_reread: false }
}

fn open_numbers(commitment: &Commitment) -> Vec<u32> {
    let open = commitment.windows.iter().filter(|window| window.closed_on.is_none());
    open.map(|window| window.number).collect()
}

fn days_of(commitment: &Commitment) -> Vec<String> {
    commitment.windows.iter().map(|window| window.window.to_string()).collect()
}

fn leaders_of(commitment: &Commitment) -> Vec<(&str, Option<NaiveDate>)> {
    commitment.responsible.iter().map(|one| (one.leader.as_str(), one.since)).collect()
}
