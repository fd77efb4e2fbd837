//! Messages as files: what a fresh clone, a rehearsal and a demo send to.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::DateTime;
use tokio::task::spawn_blocking;

use super::{broken, unopened};
use crate::delivery::state::{Outcome, Stage};

/// Longest part of a file's name taken from a Message-ID, in characters.
const NAME_CHARS_MAX: usize = 100;

/// Writes each message to a file of its own, whole or not at all.
#[derive(Debug, Clone)]
pub struct FileTransport {
    /// The folder; made when the first message comes.
    pub dir: PathBuf,
}

impl FileTransport {
    /// A connection for one lane.
    #[must_use]
    pub fn connection(&self) -> FileConnection {
        FileConnection { dir: self.dir.clone(), draft: None }
    }
}

/// One lane's way into the folder.
#[derive(Debug)]
pub struct FileConnection {
    dir: PathBuf,
    draft: Option<Draft>,
}

impl FileConnection {
    pub(super) async fn connect(&mut self) -> Result<(), Outcome> {
        self.open("connect").await?;
        self.abandon();
        Ok(())
    }

    pub(super) async fn open(&mut self, message_id: &str) -> Result<(), Outcome> {
        let (dir, name) = (self.dir.clone(), file_name(message_id));
        let draft = blocking(move || Draft::create(&dir, name)).await;
        self.draft = Some(draft.map_err(|error| {
            let dir = self.dir.display();
            let cause = format!(
                "cannot write into the folder {dir}: {error}; make it writable, or name another one with file_dir under [mail]"
            );
            broken(Stage::Connect, cause)
        })?);
        Ok(())
    }

    pub(super) async fn body(&mut self, mime: &[u8]) -> Outcome {
        let Some(mut draft) = self.draft.take() else { return unopened() };
        let mime = mime.to_vec();
        let written = blocking(move || {
            draft.file.write_all(&mime)?;
            draft.file.sync_all()?;
            Ok((draft, stamp(&mime)))
        });
        let (draft, stamp) = match written.await {
            Ok(written) => written,
            Err(error) => return broken(Stage::Data, format!("cannot write the file: {error}")),
        };
        match blocking(move || draft.publish(&stamp)).await {
            Ok(path) => Outcome::Accepted { code: None, reply: path.display().to_string() },
            Err(error) => broken(Stage::Body, format!("cannot give the file its name: {error}")),
        }
    }

    pub(super) fn abandon(&mut self) {
        self.draft = None;
    }
}

/// A file under a hidden name, which goes away unless it is published.
#[derive(Debug)]
struct Draft {
    dir: PathBuf,
    name: String,
    hidden: PathBuf,
    file: File,
}

impl Draft {
    fn create(dir: &Path, name: String) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let hidden = dir.join(format!(".{name}.part"));
        let file = File::create(&hidden)?;
        Ok(Self { dir: dir.to_owned(), name, hidden, file })
    }

    /// Gives the file its name in one step, and makes that durable.
    fn publish(self, stamp: &str) -> io::Result<PathBuf> {
        let path = self.dir.join(format!("{stamp}{}.eml", self.name));
        fs::rename(&self.hidden, &path)?;
        File::open(&self.dir)?.sync_all()?;
        Ok(path)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Gone already when it was published; when it cannot be removed, the next attempt overwrites it.
        let _ = fs::remove_file(&self.hidden);
    }
}

/// The part of a Message-ID before the `@`, in characters that are safe in a file's name everywhere.
fn file_name(message_id: &str) -> String {
    let local = message_id.trim_matches(['<', '>']).split('@').next().unwrap_or_default();
    local
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' })
        .take(NAME_CHARS_MAX)
        .collect()
}

/// The message's own date, so that a folder sorts by it and the same message always gets the same name; empty if it
/// has none.
fn stamp(mime: &[u8]) -> String {
    mime.split(|byte| *byte == b'\n')
        .map_while(|line| Some(str::from_utf8(line).ok()?.trim()).filter(|line| !line.is_empty()))
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("Date"))
        .and_then(|(_, date)| DateTime::parse_from_rfc2822(date.trim()).ok())
        .map(|date| date.format("%Y-%m-%d-%H%M%S-").to_string())
        .unwrap_or_default()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await.unwrap_or_else(|lost| Err(io::Error::other(lost)))
}
