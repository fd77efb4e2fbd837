//! Whole copies of the store, made while others read and write it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sqlx::{Connection, SqliteConnection};

use super::{Error, Store, open};

/// How many problems of a damaged file are named.
const PROBLEMS_MAX: usize = 5;

impl Store {
    /// Copies the store to `copy`, as it is at one moment: a complete file or none, and never over another file.
    ///
    /// # Errors
    /// [`Error::CopyExists`], [`Error::NoCopy`], and when the store is damaged.
    pub async fn back_up(&self, copy: &Path) -> Result<(), Error> {
        if fs::symlink_metadata(copy).is_ok() {
            return Err(Error::CopyExists { path: copy.to_owned() });
        }
        // Not within a unit: SQLite copies outside of transactions only.
        let connected = open::connect_read_only(&self.path, self.patience).await;
        let mut connection = connected.map_err(|error| open::explain(error, &self.path))?;
        let part = write_part(&mut connection, copy).await?;
        connection.close().await?;
        // It holds what the store holds, so the same people may read it.
        let rights = fs::metadata(&self.path).map(|store| store.permissions());
        rights.and_then(|rights| fs::set_permissions(&part.0, rights)).map_err(no_copy(copy))?;
        part.publish(copy)
    }

    /// Whether the file is sound, as far as SQLite can see in short time.
    ///
    /// # Errors
    /// [`Error::Damaged`] when it is not.
    pub async fn check_file(&self) -> Result<(), Error> {
        let mut unit = self.read_once().await?;
        let mut said: Vec<String> =
            sqlx::query_scalar("PRAGMA quick_check").fetch_all(&mut *unit).await?;
        unit.keep();
        if said == ["ok"] {
            return Ok(());
        }
        said.truncate(PROBLEMS_MAX);
        Err(Error::Damaged { what: said.join("; ") })
    }
}

/// A copy under a name of its own; it goes away unless it gets the one it was made for.
pub(super) struct Part(PathBuf);

/// Writes the copy that is to become `copy`.
pub(super) async fn write_part(
    connection: &mut SqliteConnection,
    copy: &Path,
) -> Result<Part, Error> {
    let part = Part(open::beside(copy, "part"));
    match fs::remove_file(&part.0) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(no_copy(copy)(error)),
        _ => {}
    }
    let name = part.0.to_string_lossy().into_owned();
    let written = sqlx::query("VACUUM INTO $1").bind(name).execute(connection).await;
    written.map_err(|error| match Error::from(error) {
        Error::Sql(error) => no_copy(copy)(io::Error::other(error)),
        damaged => damaged,
    })?;
    File::open(&part.0).and_then(|file| file.sync_all()).map_err(no_copy(copy))?;
    Ok(part)
}

impl Part {
    /// Gives the copy its name, unless another file has it.
    fn publish(self, copy: &Path) -> Result<(), Error> {
        match fs::hard_link(&self.0, copy) {
            Ok(()) => keep_name(copy),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Error::CopyExists { path: copy.to_owned() })
            }
            // Not every file system has links, such as shares of other machines.
            Err(_) => self.replace(copy),
        }
    }

    /// Gives the copy its name, whatever had it.
    pub(super) fn replace(self, copy: &Path) -> Result<(), Error> {
        fs::rename(&self.0, copy).map_err(no_copy(copy))?;
        keep_name(copy)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Gone already when it was renamed; when it cannot be removed, the next copy removes it.
        let _ = fs::remove_file(&self.0);
    }
}

/// Makes the name durable.
fn keep_name(copy: &Path) -> Result<(), Error> {
    let folder = copy.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(no_copy(copy))
}

fn no_copy(copy: &Path) -> impl Fn(io::Error) -> Error {
    move |source| Error::NoCopy { path: copy.to_owned(), source }
}
