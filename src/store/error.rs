//! What can go wrong with the store, in words for people.

use std::io;
use std::path::PathBuf;

use super::import::ImportProblem;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No file.
    #[error("there is no store at {}; run `advis import FILE…` first, or set [store] path", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file or its folder takes no writing.
    #[error("{} cannot be written ({source}); give this user the right to write it and its folder, or set [store] path", path.display())]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The disk fails under the store, or is full.
    #[error(
        "the store cannot be read and written as it should ({0}); see whether the disk under [store] path is full or failing, then try again; if it stays so, restore a backup"
    )]
    Disk(String),
    /// Something else than a store of Advis.
    #[error("{} is no store of Advis; set [store] path to another file, or move this one away", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// A store that has lost parts of itself.
    #[error(
        "the store is damaged: {what}; stop the worker, move the file away, and restore a backup (README, \"Backup and restore\")"
    )]
    Damaged {
        /// What is wrong.
        what: String,
    },
    /// A copy of the store that cannot be written.
    #[error("no copy was made: {} cannot be written ({source}); name a file in a folder that this user may write", path.display())]
    NoCopy {
        /// The copy.
        path: PathBuf,
        /// What the system or SQLite said.
        source: io::Error,
    },
    /// A copy of the store that would take the place of another file.
    #[error("no copy was made: {} is there already; name another file", path.display())]
    CopyExists {
        /// The copy.
        path: PathBuf,
    },
    /// Migrated by an Advis that knows more than this one.
    #[error(
        "{} was written by a newer Advis (schema {version}, this one knows {known}); install that version, or restore a backup",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema version that is unknown here.
        version: i64,
        /// The newest version known here.
        known: i64,
    },
    /// A library with a known fault: it can corrupt a WAL file.
    #[error(
        "SQLite {found} is too old, it can damage the store; build Advis with SQLite {needed} or later"
    )]
    TooOldSqlite {
        /// What runs.
        found: String,
        /// What is needed.
        needed: &'static str,
    },
    /// The tables could not be made or changed.
    #[error("the tables of {} could not be brought up to date: {source}", path.display())]
    Migration {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: sqlx::migrate::MigrateError,
    },
    /// Another process sends from this store.
    #[error("another advis is sending from {}; stop it first, or wait until it is done", path.display())]
    SenderRuns {
        /// The store.
        path: PathBuf,
    },
    /// Another process writes, and did not end in time.
    #[error("another process is writing into {}; try again when it is done", path.display())]
    Busy {
        /// The store.
        path: PathBuf,
    },
    /// References that are not in the book.
    #[error("not in the book: {}; nothing was changed", what.join(", "))]
    Unknown {
        /// Each reference.
        what: Vec<String>,
    },
    /// Numbers of messages that are not in the outbox.
    #[error("not in the outbox: {}; `advis log` shows the numbers; nothing was changed", ids.iter().map(|id| format!("message {id}")).collect::<Vec<_>>().join(", "))]
    UnknownMessages {
        /// Each number.
        ids: Vec<i64>,
    },
    /// A change that makes no sense, with the reason.
    #[error("{0}; nothing was changed")]
    Refused(String),
    /// Cells of an import that are wrong, every one.
    #[error("nothing was imported:{}", problems.iter().map(|problem| format!("\n{problem}")).collect::<String>())]
    Import {
        /// Each cell.
        problems: Vec<ImportProblem>,
    },
    /// What befell a whole batch of moves, told to each lane that had one in it.
    #[error(transparent)]
    Together(std::sync::Arc<Error>),
    /// Anything else that SQLite says.
    #[error("the store failed: {0}")]
    Sql(#[source] sqlx::Error),
}

/// SQLite's primary result codes (sqlite.org/rescode.html) for a disk that fails or is full, and for a file that
/// contradicts itself.
const SQLITE_IOERR: i32 = 10;
const SQLITE_CORRUPT: i32 = 11;
const SQLITE_FULL: i32 = 13;

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let said = error.as_database_error().map(|said| (primary_code(said), said.message()));
        match said {
            Some((SQLITE_CORRUPT, what)) => Self::Damaged { what: what.to_owned() },
            Some((SQLITE_IOERR | SQLITE_FULL, what)) => Self::Disk(what.to_owned()),
            _ => Self::Sql(error),
        }
    }
}

/// SQLite's primary result code: the low byte of the extended one.
pub(super) fn primary_code(error: &dyn sqlx::error::DatabaseError) -> i32 {
    error.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or_default() & 0xff
}
