//! The right to send, and what it leaves beside the store, by which a store from an old backup is known.
//!
//! `<db>.lock` holds the store's name and its generation, a number that grows before and after each pass that sends. It
//! is written after the store, so that a healthy store is never behind it; a store that is, was put back.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use sqlx::SqliteConnection;

use super::memory::INSTANCE;
use super::{Error, Store, open};

const GENERATION: &str = "
    SELECT i.value, CAST(coalesce(g.value, 0) AS INTEGER)
      FROM meta AS i LEFT JOIN meta AS g ON g.key = 'generation' WHERE i.key = $1";

const NEXT_GENERATION: &str = "
    INSERT INTO meta (key, value) VALUES ('generation', '1')
    ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1
    RETURNING CAST(value AS INTEGER)";

/// The right to send from a store; given back when dropped, also by a crash.
#[derive(Debug)]
pub struct SenderLock {
    file: File,
}

/// Which store, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    instance: String,
    pub(super) generation: i64,
}

impl Store {
    /// Takes the lock that only one sending process may hold (`<path>.lock`).
    ///
    /// # Errors
    /// [`Error::SenderRuns`] when another process has it.
    pub fn lock_sender(&self) -> Result<SenderLock, Error> {
        let path = open::beside(&self.path, LOCK);
        let unwritable = |source| Error::Unwritable { path: path.clone(), source };
        let options = File::options().create(true).truncate(false).read(true).write(true).clone();
        let file = options.open(&path).map_err(unwritable)?;
        match file.try_lock() {
            Ok(()) => Ok(SenderLock { file }),
            Err(std::fs::TryLockError::WouldBlock) => {
                Err(Error::SenderRuns { path: self.path.clone() })
            }
            Err(std::fs::TryLockError::Error(source)) => Err(unwritable(source)),
        }
    }

    /// Begins the store's next generation: whoever restores a copy made before it will be found out. To be called before
    /// anything is sent, and again after it.
    ///
    /// # Errors
    /// When the store or its lock file cannot be written; then send nothing.
    pub async fn begin_generation(&self, lock: &SenderLock) -> Result<(), Error> {
        let mut unit = self.write().await?;
        let generation = sqlx::query_scalar(NEXT_GENERATION).fetch_one(&mut *unit).await?;
        let Mark { instance, .. } = own_mark(&mut unit).await?;
        unit.commit().await?;
        let text = Mark { instance, generation }.text();
        let written = lock.file.write_all_at(text.as_bytes(), 0);
        written.and_then(|()| lock.file.sync_data()).map_err(|source| {
            let path = open::beside(&self.path, LOCK);
            Error::Unwritable { path, source }
        })
    }

    /// The generation that senders of this store have come to, where the store itself is behind it.
    pub(super) async fn lost_generation(&self) -> Result<Option<i64>, Error> {
        // The file first: beside a running sender, the store is read to be as far or further.
        let Some(left) = Mark::left_at(&self.path) else { return Ok(None) };
        let mut unit = self.read().await?;
        let own = own_mark(&mut unit).await?;
        unit.commit().await?;
        let is_behind = own.instance == left.instance && own.generation < left.generation;
        Ok(is_behind.then_some(left.generation))
    }
}

/// Behind the store's name.
const LOCK: &str = "lock";

async fn own_mark(unit: &mut SqliteConnection) -> Result<Mark, Error> {
    let row: Option<(String, i64)> =
        sqlx::query_as(GENERATION).bind(INSTANCE).fetch_optional(unit).await?;
    let (instance, generation) = row.unwrap_or_default();
    Ok(Mark { instance, generation })
}

impl Mark {
    /// What the last sender left beside the store; `None` when there is nothing that can be read.
    pub(super) fn left_at(store: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(open::beside(store, LOCK)).ok()?;
        let (instance, generation) = text.trim_end().split_once(' ')?;
        Some(Self { instance: instance.to_owned(), generation: generation.parse().ok()? })
    }

    /// Always as long, so that it is overwritten as a whole.
    fn text(&self) -> String {
        format!("{} {:019}\n", self.instance, self.generation)
    }
}
