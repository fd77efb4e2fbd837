//! Opening the file: safe settings, the right SQLite, the right tables.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, SqliteConnection};

use super::Error;

/// The tables, embedded.
pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The first SQLite without the fault that can corrupt a WAL file on reset.
const SQLITE_VERSION_MIN: [u32; 3] = [3, 51, 3];
const SQLITE_VERSION_MIN_TEXT: &str = "3.51.3";

/// How long a writer waits for another process that writes.
const BUSY_TIMEOUT_SECONDS: u64 = 5;

/// SQLite's primary result codes (sqlite.org/rescode.html); the low byte of an extended code.
const SQLITE_BUSY: i32 = 5;
const SQLITE_READONLY: i32 = 8;
const SQLITE_CANTOPEN: i32 = 14;
const SQLITE_NOTADB: i32 = 26;

/// A connection that writes, on a store whose tables are those of `migrations`.
pub(super) async fn open(path: &Path, migrations: &Migrator) -> Result<SqliteConnection, Error> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)
            .map_err(|source| Error::Unwritable { path: folder.to_owned(), source })?;
    }
    let prepared = async {
        let mut connection = connect(path).await?;
        refuse_old_sqlite(&mut connection).await?;
        refuse_read_only(&mut connection, path).await?;
        migrate(&mut connection, path, migrations).await?;
        Ok(connection)
    };
    prepared.await.map_err(|error| explain(error, path))
}

/// A connection that writes.
pub(super) async fn connect(path: &Path) -> Result<SqliteConnection, Error> {
    let options = options(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    Ok(options.connect().await?)
}

/// A connection that only reads, on a store that is open already.
pub(super) async fn connect_read_only(path: &Path) -> Result<SqliteConnection, Error> {
    Ok(options(path).read_only(true).connect().await?)
}

/// The store's path with `.<extension>` put behind it.
pub(super) fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(BUSY_TIMEOUT_SECONDS))
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
async fn refuse_read_only(connection: &mut SqliteConnection, path: &Path) -> Result<(), Error> {
    connection.execute("PRAGMA busy_timeout = 0").await?;
    let tried = connection.execute("BEGIN IMMEDIATE; PRAGMA user_version = 0; ROLLBACK").await;
    match tried.map_err(|error| explain(error.into(), path)) {
        // When somebody else writes, it can be written.
        Ok(_) | Err(Error::Busy { .. }) => {}
        Err(error) => return Err(error),
    }
    let timeout = format!("PRAGMA busy_timeout = {}", BUSY_TIMEOUT_SECONDS * 1_000);
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
        back_up(connection, &beside(path, &format!("before-{version}"))).await?;
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

/// A whole copy at `copy`; it takes that name only when it is complete.
async fn back_up(connection: &mut SqliteConnection, copy: &Path) -> Result<(), Error> {
    let part = beside(copy, "part");
    let unwritable = |source| Error::Unwritable { path: copy.to_owned(), source };
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unwritable(error)),
        _ => {}
    }
    let name = part.to_string_lossy().into_owned();
    sqlx::query("VACUUM INTO $1").bind(name).execute(connection).await?;
    fs::rename(&part, copy).map_err(unwritable)
}

/// Says in our words what SQLite says about a file.
pub(super) fn explain(error: Error, path: &Path) -> Error {
    let Error::Sql(sqlx::Error::Database(database)) = &error else { return error };
    let code = database.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or_default() & 0xff;
    match code {
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
        open(&path, &MIGRATIONS).await.unwrap().close().await.unwrap();
        assert!(!copy.exists(), "a new store needs no copy");
        fs::write(beside(&copy, "part"), "left by a crash").unwrap();

        let mut connection = open(&path, &later()).await.unwrap();
        connection.execute("INSERT INTO later VALUES ('x')").await.unwrap();
        connection.close().await.unwrap();
        assert!(!beside(&copy, "part").exists());
        let text = open(&path, &MIGRATIONS).await.unwrap_err().to_string();
        assert!(text.contains("newer Advis (schema 99, this one knows 1)"), "{text}");
        open(&copy, &MIGRATIONS).await.unwrap();
    }

    #[tokio::test]
    async fn a_migration_that_fails_leaves_the_store_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("advis.db");
        open(&path, &MIGRATIONS).await.unwrap().close().await.unwrap();
        let sql = "CREATE TABLE half (x TEXT); SELECT nonsense".into_sql_str();
        let bad = Migration::new(99, "bad".into(), MigrationType::Simple, sql, false);
        let all = Migrator::with_migrations(MIGRATIONS.iter().cloned().chain([bad]).collect());
        assert!(matches!(open(&path, &all).await, Err(Error::Migration { .. })));
        let mut connection = open(&path, &MIGRATIONS).await.unwrap();
        connection.execute("SELECT * FROM half").await.unwrap_err();
    }

    #[tokio::test]
    async fn the_settings_are_those_that_keep_what_was_committed() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = open(&folder.path().join("advis.db"), &MIGRATIONS).await.unwrap();
        for (pragma, value) in [
            ("PRAGMA journal_mode", "wal"),
            ("PRAGMA synchronous", "2"),
            ("PRAGMA foreign_keys", "1"),
            ("PRAGMA busy_timeout", "5000"),
        ] {
            let row = connection.fetch_one(pragma).await.unwrap();
            let found = sqlx::Row::try_get_raw(&row, 0).unwrap();
            let found: String = sqlx::Decode::<sqlx::Sqlite>::decode(found).unwrap();
            assert_eq!(found, value, "{pragma}");
        }
    }
}
