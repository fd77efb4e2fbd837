//! The store: one SQLite file. `sqlx` lives here and only here; the store never decides.
//!
//! One connection writes, one reads. Every change is one unit of work (`write`): it happens whole or not at all.

mod backup;
mod batch;
mod book;
mod cells;
mod changes;
mod duties;
mod edited;
mod edits;
mod error;
mod history;
mod import;
mod journal;
mod memory;
mod open;
pub mod outbox;
mod overview;
mod page;
mod passes;
mod proposals;
mod reading;
mod restored;
mod row;
mod sender;
mod set_back;
mod these;

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::query::QueryAs;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Connection, FromRow, Sqlite, SqliteConnection};
use tokio::sync::{Mutex, MutexGuard};

use self::outbox::Moves;

pub use self::book::Which;
pub use self::changes::ClosedAs;
pub use self::edited::{Deed, Edited, LINK_SENT, REMARKED, Touched};
pub use self::error::Error;
pub use self::import::{
    Cells, Change, Import, ImportProblem, ImportReport, ImportedCommitment, ImportedLeader,
    KeptDates, Tally,
};
pub use self::journal::{Attempted, Event, Stamp};
pub use self::memory::Timetable;
pub use self::overview::{Alive, Late};
pub use self::page::Page;
pub use self::passes::{ClosedWindow, Near, Occurrence};
pub use self::proposals::Proposal;
pub use self::reading::{Entered, EnteredAs, Unread};
pub use self::restored::{Amends, OnHold};
pub use self::row::RowProblem;
pub use self::sender::SenderLock;

/// The book, the outbox and the journal of one municipality.
///
/// A connection that is `None` is opened when it is next needed.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    patience: Duration,
    writer: Mutex<Option<SqliteConnection>>,
    reader: Mutex<Option<SqliteConnection>>,
    moves: Moves,
}

/// A connection's place, while nobody else uses it.
type Place<'s> = MutexGuard<'s, Option<SqliteConnection>>;

/// A unit of work: a transaction that has a connection to itself. Statements run on `&mut *unit`.
///
/// Dropped without an end (an error returned with `?`, a panic, a future dropped) it closes its connection, which
/// undoes the unit, and the next unit opens a fresh one: after an error SQLite may have left the transaction open, or
/// gone on without one. So nobody ever meets a transaction half done; but never `select!` over a unit or put a time
/// limit on it, for whether it was committed is then unknown.
#[derive(Debug)]
#[must_use = "a unit that is not committed is undone"]
pub(crate) struct Unit<'s> {
    // Dropped in this order: the place is free only when the connection is gone.
    connection: SqliteConnection,
    place: Place<'s>,
}

impl Store {
    /// Opens the store at `path`; makes folder, file and tables where they are missing, and brings an older store up
    /// to date after copying it to `<path>.before-<version>`.
    ///
    /// # Errors
    /// A file that is no store, is damaged, was written by a newer Advis or cannot be written.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        Self::open_patiently(path, open::PATIENCE).await
    }

    /// As [`Self::open`], and waits up to `patience` for another process that writes.
    ///
    /// # Errors
    /// Those of [`Self::open`], and [`Error::Busy`] when that takes longer.
    pub async fn open_patiently(path: &Path, patience: Duration) -> Result<Self, Error> {
        let writer = open::open(path, &open::MIGRATIONS, patience).await?;
        Ok(Self {
            path: path.to_owned(),
            patience,
            writer: Mutex::new(Some(writer)),
            reader: Mutex::new(None),
            moves: Moves::default(),
        })
    }

    /// As [`Self::open`], for verbs that make no sense on an empty store.
    ///
    /// # Errors
    /// [`Error::Missing`] when there is no file, and those of [`Self::open`].
    pub async fn open_existing(path: &Path) -> Result<Self, Error> {
        if !path.exists() {
            return Err(Error::Missing { path: path.to_owned() });
        }
        open::refuse_empty(path)?;
        Self::open(path).await
    }

    /// Where the store is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins a unit of work that changes the store: all of it, with [`Unit::commit`], or nothing.
    ///
    /// Waits for other units of this process, then up to some seconds for other processes.
    pub(crate) async fn write(&self) -> Result<Unit<'_>, Error> {
        let begun =
            async { self.writer(self.lock_writer().await).await?.begin("BEGIN IMMEDIATE").await };
        begun.await.map_err(|error| self.explain(error))
    }

    /// Begins to read at one moment: the unit sees no change that is committed meanwhile, and can make none. It ends
    /// with [`Unit::commit`] too.
    pub(crate) async fn read(&self) -> Result<Unit<'_>, Error> {
        let begun = async { self.reader().await?.begin("BEGIN").await };
        begun.await.map_err(|error| self.explain(error))
    }

    /// To read by a single statement, which sees one moment by itself: two calls fewer. It ends with [`Unit::keep`].
    pub(crate) async fn read_once(&self) -> Result<Unit<'_>, Error> {
        self.reader().await.map_err(|error| self.explain(error))
    }

    /// Runs a script that begins and commits by itself: a unit of work in one call, each of which costs two hand-offs
    /// between threads.
    async fn run<'q, R>(
        &self,
        unit: impl Future<Output = Result<Unit<'_>, Error>>,
        script: QueryAs<'q, Sqlite, R, SqliteArguments>,
    ) -> Result<Vec<R>, Error>
    where
        R: for<'r> FromRow<'r, SqliteRow> + Send + Unpin + 'q,
    {
        let run = async {
            let mut unit = unit.await?;
            let found = script.fetch_all(&mut *unit).await?;
            unit.keep();
            Ok(found)
        };
        run.await.map_err(|error| self.explain(error))
    }

    /// Waits until no other unit of this process writes.
    async fn lock_writer(&self) -> Place<'_> {
        self.writer.lock().await
    }

    /// A unit that has not begun, on the connection that writes.
    async fn writer<'s>(&'s self, mut place: Place<'s>) -> Result<Unit<'s>, Error> {
        let connection = match place.take() {
            Some(connection) => connection,
            None => open::connect(&self.path, self.patience).await?,
        };
        Ok(Unit { connection, place })
    }

    /// A unit that has not begun, on the connection that reads.
    async fn reader(&self) -> Result<Unit<'_>, Error> {
        let mut place = self.reader.lock().await;
        let connection = match place.take() {
            Some(connection) => connection,
            None => open::connect_read_only(&self.path, self.patience).await?,
        };
        Ok(Unit { connection, place })
    }

    /// Says in our words what SQLite says about this store.
    fn explain(&self, error: Error) -> Error {
        open::explain(error, &self.path)
    }

    /// Closes both connections, so that the file stands alone.
    ///
    /// # Errors
    /// When SQLite cannot close the file.
    pub async fn close(self) -> Result<(), Error> {
        for connection in [self.reader, self.writer].map(Mutex::into_inner).into_iter().flatten() {
            connection.close().await?;
        }
        Ok(())
    }
}

impl<'s> Unit<'s> {
    async fn begin(mut self, begin: &'static str) -> Result<Self, Error> {
        // Plain statements: sqlx counts transactions, and after a failed COMMIT it would count wrong for ever.
        sqlx::query(begin).execute(&mut self.connection).await?;
        Ok(self)
    }

    /// Makes it so.
    ///
    /// After an error the outcome is unknown: read again.
    pub(crate) async fn commit(self) -> Result<(), Error> {
        self.end("COMMIT").await
    }

    /// Takes it all back: a rehearsal.
    pub(crate) async fn roll_back(self) -> Result<(), Error> {
        self.end("ROLLBACK").await
    }

    async fn end(mut self, end: &'static str) -> Result<(), Error> {
        sqlx::query(end).execute(&mut self.connection).await?;
        self.keep();
        Ok(())
    }

    /// Gives the connection back, for the next unit.
    fn keep(mut self) {
        *self.place = Some(self.connection);
    }
}

impl Deref for Unit<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for Unit<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, Store};

    fn sendable<T: Send>(value: T) -> T {
        value
    }

    async fn note(store: &Store, key: &str) -> Result<(), Error> {
        let mut unit = store.write().await?;
        sqlx::query("INSERT INTO meta (key, value) VALUES ($1, '')")
            .bind(key)
            .execute(&mut *unit)
            .await?;
        unit.commit().await
    }

    async fn notes(store: &Store) -> Result<i64, Error> {
        let mut unit = store.read().await?;
        let count = sqlx::query_scalar("SELECT count(*) FROM meta WHERE value = ''")
            .fetch_one(&mut *unit)
            .await?;
        unit.commit().await?;
        Ok(count)
    }

    #[test]
    fn a_unit_happens_whole_or_not_at_all_and_may_move_between_threads() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(sendable(async {
            let store = Store::open(&folder.path().join("new/advis.db")).await.unwrap();
            note(&store, "one").await.unwrap();
            note(&store, "one").await.unwrap_err();
            note(&store, "two").await.unwrap();
            assert_eq!(notes(&store).await.unwrap(), 2);
            let mut unit = store.write().await.unwrap();
            sqlx::query("DELETE FROM meta").execute(&mut *unit).await.unwrap();
            drop(unit);
            let mut unit = store.write().await.unwrap();
            sqlx::query("DELETE FROM meta").execute(&mut *unit).await.unwrap();
            unit.roll_back().await.unwrap();
            note(&store, "three").await.unwrap();
            assert_eq!(notes(&store).await.unwrap(), 3);
        }));
    }

    #[tokio::test]
    async fn after_a_commit_that_fails_the_next_unit_works() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("advis.db")).await.unwrap();
        let mut unit = store.write().await.unwrap();
        let dangling =
            "INSERT INTO leaders (reference, name, email, manager) VALUES ('a', 'A', '', 'b')";
        sqlx::query(dangling).execute(&mut *unit).await.unwrap();
        unit.commit().await.unwrap_err();
        note(&store, "one").await.unwrap();
        assert_eq!(notes(&store).await.unwrap(), 1);
        let mut unit = store.read().await.unwrap();
        let leaders: i64 =
            sqlx::query_scalar("SELECT count(*) FROM leaders").fetch_one(&mut *unit).await.unwrap();
        assert_eq!(leaders, 0);
    }

    #[tokio::test]
    async fn a_reading_unit_sees_one_moment_and_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("advis.db")).await.unwrap();
        let count = "SELECT count(*) FROM meta WHERE value = ''";
        let mut unit = store.read().await.unwrap();
        let before: i64 = sqlx::query_scalar(count).fetch_one(&mut *unit).await.unwrap();
        note(&store, "one").await.unwrap();
        let after: i64 = sqlx::query_scalar(count).fetch_one(&mut *unit).await.unwrap();
        assert_eq!((before, after), (0, 0));
        sqlx::query("DELETE FROM meta").execute(&mut *unit).await.unwrap_err();
        drop(unit);
        assert_eq!(notes(&store).await.unwrap(), 1);
    }
}
