//! Opening the file: safe settings, the right SQLite, the right tables.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, SqliteConnection};

use super::error::primary_code;
use super::sender::Mark;
use super::{Error, backup};

/// The tables, embedded.
pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The first SQLite without the fault that can corrupt a WAL file on reset.
const SQLITE_VERSION_MIN: [u32; 3] = [3, 51, 3];
const SQLITE_VERSION_MIN_TEXT: &str = "3.51.3";

/// How long a writer waits for another process that writes.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Rows that SQLite's thread reads ahead of ours: with few, the two wait for each other at every row of a long log.
const ROWS_AHEAD_MAX: usize = 1_000;

/// In KiB, negative as SQLite takes it, a connection: a third of the usual. What is written empties the cache of whoever reads,
/// and whoever writes comes back to few pages but the newest: more would be held, and nothing be faster.
const CACHE: &str = "-700";

/// Pages in the log of changes (of 4 KiB, so 16 MB) at which they are copied into the store: the more, the seldomer is a
/// page copied that changes again and again, and all who write wait for that.
const WAL_PAGES: &str = "4000";

/// SQLite's primary result codes (sqlite.org/rescode.html).
const SQLITE_BUSY: i32 = 5;
const SQLITE_READONLY: i32 = 8;
const SQLITE_CANTOPEN: i32 = 14;
const SQLITE_NOTADB: i32 = 26;

/// Where the file's header says how large it is (sqlite.org/fileformat2.html, 1.3).
const HEADER_BYTES: usize = 100;
const MAGIC: &[u8] = b"SQLite format 3\0";
const PAGE_SIZE_AT: usize = 16;
const CHANGES_AT: usize = 24;
const PAGES_AT: usize = 28;
/// The number of pages holds only if it was written by the last change.
const PAGES_VALID_FOR_AT: usize = 92;

/// A connection that writes, on a store whose tables are those of `migrations`.
pub(super) async fn open(
    path: &Path,
    migrations: &Migrator,
    patience: Duration,
) -> Result<SqliteConnection, Error> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)
            .map_err(|source| Error::Unwritable { path: folder.to_owned(), source })?;
    }
    // An empty file may become a store, but not where senders have been at work.
    if Mark::left_at(path).is_some() {
        refuse_empty(path)?;
    }
    refuse_cut_short(path)?;
    let prepared = async {
        let mut connection = connect(path, patience).await?;
        refuse_old_sqlite(&mut connection).await?;
        refuse_read_only(&mut connection, path, patience).await?;
        migrate(&mut connection, path, migrations).await?;
        Ok(connection)
    };
    prepared.await.map_err(|error| explain(error, path))
}

/// A connection that writes.
pub(super) async fn connect(path: &Path, patience: Duration) -> Result<SqliteConnection, Error> {
    let options = options(path, patience)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", WAL_PAGES);
    Ok(options.connect().await?)
}

/// A connection that only reads, on a store that is open already.
pub(super) async fn connect_read_only(
    path: &Path,
    patience: Duration,
) -> Result<SqliteConnection, Error> {
    Ok(options(path, patience).read_only(true).connect().await?)
}

/// The store's path with `.<extension>` put behind it.
pub(super) fn beside(path: &Path, extension: &str) -> PathBuf {
    with(path, &format!(".{extension}"))
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Refuses a file that is there and holds nothing: SQLite would make a new store of it.
pub(super) fn refuse_empty(path: &Path) -> Result<(), Error> {
    match fs::metadata(path) {
        Ok(file) if file.is_file() && file.len() == 0 => {
            Err(Error::Damaged { what: format!("{} is empty", path.display()) })
        }
        _ => Ok(()),
    }
}

/// Refuses a file that is shorter than its header says: SQLite would see that only when it comes to what is missing, and
/// would make a new store of a file without a whole header. Only before there is a connection: whoever closes the file
/// gives up every lock that the process has on it.
fn refuse_cut_short(path: &Path) -> Result<(), Error> {
    let mut header = Vec::with_capacity(HEADER_BYTES);
    let Ok(file) = fs::File::open(path) else { return Ok(()) };
    if (&file).take(HEADER_BYTES as u64).read_to_end(&mut header).is_err() || header.is_empty() {
        return Ok(());
    }
    if !header.starts_with(&MAGIC[..header.len().min(MAGIC.len())]) {
        return Err(Error::NotADatabase { path: path.to_owned() });
    }
    let (left, whole) = (file.metadata().map_or(u64::MAX, |file| file.len()), whole_bytes(&header));
    // What is missing may still be in there.
    let has_wal = fs::metadata(with(path, "-wal")).is_ok_and(|wal| wal.len() > 0);
    match whole {
        Some(whole) if has_wal || left >= whole => Ok(()),
        Some(whole) => {
            let what = format!("{} is cut short: {left} of {whole} bytes are left", path.display());
            Err(Error::Damaged { what })
        }
        None => {
            let what = format!("{} is cut short: {left} bytes are left", path.display());
            Err(Error::Damaged { what })
        }
    }
}

/// How large the file is by its header; 0 where the header cannot tell, `None` where it is not whole.
fn whole_bytes(header: &[u8]) -> Option<u64> {
    let number = |at: usize| {
        let bytes = header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u32::from_be_bytes)
    };
    let pages = number(PAGES_AT)?;
    let page_bytes = match number(PAGE_SIZE_AT)? >> 16 {
        1 => 65_536,
        bytes => u64::from(bytes),
    };
    let is_valid = number(CHANGES_AT)? == number(PAGES_VALID_FOR_AT)?;
    Some(if is_valid { u64::from(pages) * page_bytes } else { 0 })
}

fn options(path: &Path, patience: Duration) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(patience)
        .row_buffer_size(ROWS_AHEAD_MAX)
        .pragma("cache_size", CACHE)
        // What statements keep to undo themselves is not written to disk.
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging()
}

async fn refuse_old_sqlite(connection: &mut SqliteConnection) -> Result<(), Error> {
    let found: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(connection).await?;
    let numbers: Vec<u32> = found.split('.').filter_map(|part| part.parse().ok()).collect();
    if numbers < SQLITE_VERSION_MIN.to_vec() {
        return Err(Error::TooOldSqlite { found, needed: SQLITE_VERSION_MIN_TEXT });
    }
    Ok(())
}

/// SQLite opens a file that may only be read without a word, and fails at the first change: so one is tried.
async fn refuse_read_only(
    connection: &mut SqliteConnection,
    path: &Path,
    patience: Duration,
) -> Result<(), Error> {
    connection.execute("PRAGMA busy_timeout = 0").await?;
    let tried = connection.execute("BEGIN IMMEDIATE; PRAGMA user_version = 0; ROLLBACK").await;
    match tried.map_err(|error| explain(error.into(), path)) {
        // When somebody else writes, it can be written.
        Ok(_) | Err(Error::Busy { .. }) => {}
        Err(error) => return Err(error),
    }
    let timeout = format!("PRAGMA busy_timeout = {}", patience.as_millis());
    connection.execute(AssertSqlSafe(timeout)).await?;
    Ok(())
}

/// The migrations done, in order; `None` when the file holds tables but none of ours.
async fn applied(connection: &mut SqliteConnection) -> Result<Option<Vec<i64>>, sqlx::Error> {
    const TABLES: &str = "SELECT name FROM sqlite_master WHERE type = 'table'";
    const APPLIED: &str = "SELECT version FROM _sqlx_migrations ORDER BY version";

    let tables: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&mut *connection).await?;
    if tables.is_empty() {
        return Ok(Some(Vec::new()));
    }
    if !tables.iter().any(|name| name == "_sqlx_migrations") {
        return Ok(None);
    }
    sqlx::query_scalar(APPLIED).fetch_all(connection).await.map(Some)
}

async fn migrate(
    connection: &mut SqliteConnection,
    path: &Path,
    migrations: &Migrator,
) -> Result<(), Error> {
    let Some(done) = applied(connection).await? else {
        return Err(Error::NotADatabase { path: path.to_owned() });
    };
    let known = migrations.iter().map(|migration| migration.version).max().unwrap_or_default();
    if let Some(version) = done.iter().copied().find(|version| !migrations.version_exists(*version))
    {
        return Err(Error::Newer { path: path.to_owned(), version, known });
    }
    let next = migrations.iter().map(|one| one.version).find(|version| !done.contains(version));
    if let (Some(version), false) = (next, done.is_empty()) {
        let copy = beside(path, &format!("before-{version}"));
        // One that is there is from an attempt that came no further.
        backup::write_part(connection, &copy).await?.replace(&copy)?;
    }
    // In one transaction of our own, so that two processes that open a new store do not both make its tables.
    let begin = if next.is_some() { "BEGIN IMMEDIATE" } else { "BEGIN" };
    let mut transaction = connection.begin_with(begin).await?;
    migrations
        .run_direct(None, &mut *transaction, false)
        .await
        .map_err(|source| Error::Migration { path: path.to_owned(), source })?;
    Ok(transaction.commit().await?)
}

/// Says in our words what SQLite says about a file; damage is told by [`Error::from`] already.
pub(super) fn explain(error: Error, path: &Path) -> Error {
    let Error::Sql(sqlx::Error::Database(database)) = &error else { return error };
    match primary_code(&**database) {
        SQLITE_BUSY => Error::Busy { path: path.to_owned() },
        SQLITE_NOTADB => Error::NotADatabase { path: path.to_owned() },
        SQLITE_READONLY | SQLITE_CANTOPEN => Error::Unwritable {
            path: path.to_owned(),
            source: io::Error::other(database.message().to_owned()),
        },
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use sqlx::SqlSafeStr;
    use sqlx::migrate::{Migration, MigrationType};

    use super::*;

    /// Our migrations, and one more from a later version.
    fn later() -> Migrator {
        let sql = "CREATE TABLE later (x TEXT) STRICT".into_sql_str();
        let next = Migration::new(99, "later".into(), MigrationType::Simple, sql, false);
        Migrator::with_migrations(MIGRATIONS.iter().cloned().chain([next]).collect())
    }

    #[tokio::test]
    async fn an_older_store_is_copied_before_it_is_brought_up_to_date() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("advis.db");
        let copy = folder.path().join("advis.db.before-99");
        open(&path, &MIGRATIONS, PATIENCE).await.unwrap().close().await.unwrap();
        assert!(!copy.exists(), "a new store needs no copy");
        fs::write(beside(&copy, "part"), "left by a crash").unwrap();

        let mut connection = open(&path, &later(), PATIENCE).await.unwrap();
        connection.execute("INSERT INTO later VALUES ('x')").await.unwrap();
        connection.close().await.unwrap();
        assert!(!beside(&copy, "part").exists());
        let text = open(&path, &MIGRATIONS, PATIENCE).await.unwrap_err().to_string();
        let known = MIGRATIONS.iter().map(|one| one.version).max().unwrap();
        let words = format!("newer Advis (schema 99, this one knows {known})");
        assert!(text.contains(&words), "{text}");
        open(&copy, &MIGRATIONS, PATIENCE).await.unwrap();
    }

    #[tokio::test]
    async fn messages_come_through_the_making_anew_of_their_table_with_all_that_refers_to_them() {
        const FILL: &str = "
            INSERT INTO leaders (reference, name, email) VALUES ('l1', 'Leder', 'l1@kommune.example');
            INSERT INTO commitments (reference, title) VALUES ('C-1', 'Et løfte');
            WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 100)
            INSERT INTO messages (id, purpose, day, sender, recipient, address_key, name, subject, message_id, items,
                state, attempt, epoch, resends, was_in_body, next_at, rehearsal, frozen_at, started_at, accepted_on,
                patience_from)
            SELECT 3 * n, 'own', '2020-01-02', 'a@kommune.example', 'l1@kommune.example', 'l1@kommune.example', 'Leder',
                'Husk ' || n, '<' || n || '.advis@kommune.example>', '[[\"C-1\",\"due\"]]',
                iif(n % 2, 'accepted', 'deferred'), n, 2, 1, 1, iif(n % 2, NULL, '2020-01-02T08:00:00Z'), 0,
                '2020-01-02T07:00:00Z', '2020-01-02T07:01:00Z', iif(n % 2, '2020-01-02', NULL),
                iif(n % 3, NULL, '2020-01-03T07:00:00Z') FROM n;
            INSERT INTO message_bytes (message, mime, sha256) SELECT id, zeroblob(5000), 'x' FROM messages;
            INSERT INTO attempts (message, attempt, at, state) SELECT id, attempt, frozen_at, state FROM messages;
            INSERT INTO reminders (commitment, revision, window, step, leader, planned_on, moved_on, state, message)
            SELECT 'C-1', 1, id, 'due', 'l1', day, day, 'attached', id FROM messages";
        const STORY: &str = "
            SELECT group_concat(concat_ws(' ', m.id, m.purpose, m.day, m.sender, m.recipient, m.address_key, m.name,
                m.subject, m.message_id, m.items, m.state, m.attempt, m.epoch, m.resends, m.was_in_body, m.next_at,
                m.rehearsal, m.frozen_at, m.started_at, m.accepted_on, m.patience_from, length(b.mime), a.state,
                r.window), '; ')
            FROM messages AS m JOIN message_bytes AS b ON b.message = m.id JOIN attempts AS a ON a.message = m.id
                JOIN reminders AS r ON r.message = m.id";

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("advis.db");
        let first = MIGRATIONS.iter().filter(|one| one.version < 8).cloned().collect();
        let mut old = open(&path, &Migrator::with_migrations(first), PATIENCE).await.unwrap();
        sqlx::raw_sql(FILL).execute(&mut old).await.unwrap();
        let before: String = sqlx::query_scalar(STORY).fetch_one(&mut old).await.unwrap();
        assert_eq!(before.matches("; ").count(), 99);
        old.close().await.unwrap();

        let mut new = open(&path, &MIGRATIONS, PATIENCE).await.unwrap();
        let after: String = sqlx::query_scalar(STORY).fetch_one(&mut new).await.unwrap();
        assert_eq!(after, before);
        let broken = new.fetch_all("PRAGMA foreign_key_check").await.unwrap();
        assert!(broken.is_empty(), "references without a row");
        let whole: String =
            sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut new).await.unwrap();
        assert_eq!(whole, "ok");
        let twice = "INSERT INTO messages (purpose, day, sender, recipient, address_key, name, subject, message_id, state,
                frozen_at)
            SELECT purpose, day, sender, recipient, address_key, name, subject, message_id, 'ready', frozen_at
            FROM messages LIMIT 1";
        let text = new.execute(twice).await.unwrap_err().to_string();
        assert!(text.contains("UNIQUE"), "{text}");
        let gone = new.execute("DELETE FROM messages WHERE id = 3").await.unwrap_err().to_string();
        assert!(gone.contains("FOREIGN KEY"), "{gone}");
    }

    #[tokio::test]
    async fn a_migration_that_fails_leaves_the_store_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("advis.db");
        open(&path, &MIGRATIONS, PATIENCE).await.unwrap().close().await.unwrap();
        let sql = "CREATE TABLE half (x TEXT); SELECT nonsense".into_sql_str();
        let bad = Migration::new(99, "bad".into(), MigrationType::Simple, sql, false);
        let all = Migrator::with_migrations(MIGRATIONS.iter().cloned().chain([bad]).collect());
        assert!(matches!(open(&path, &all, PATIENCE).await, Err(Error::Migration { .. })));
        let mut connection = open(&path, &MIGRATIONS, PATIENCE).await.unwrap();
        connection.execute("SELECT * FROM half").await.unwrap_err();
    }

    #[tokio::test]
    async fn the_settings_are_those_that_keep_what_was_committed() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection =
            open(&folder.path().join("advis.db"), &MIGRATIONS, PATIENCE).await.unwrap();
        for (pragma, value) in [
            ("PRAGMA journal_mode", "wal"),
            ("PRAGMA synchronous", "2"),
            ("PRAGMA foreign_keys", "1"),
            ("PRAGMA busy_timeout", "5000"),
            ("PRAGMA cache_size", CACHE),
        ] {
            let row = connection.fetch_one(pragma).await.unwrap();
            let found = sqlx::Row::try_get_raw(&row, 0).unwrap();
            let found: String = sqlx::Decode::<sqlx::Sqlite>::decode(found).unwrap();
            assert_eq!(found, value, "{pragma}");
        }
    }
}
