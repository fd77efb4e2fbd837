//! A world of its own for every test of the program: a folder with config, sheets, store and mail, and the program
//! itself run in it, as a person at the keyboard would.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use advis::domain::zone::Zone;
use assert_cmd::assert::OutputAssertExt;
use mailparse::{MailHeaderMap, ParsedMail};
use serde_json::Value;
use tempfile::TempDir;

/// Where the store is when no config names another place.
pub(crate) const STORE: &str = "data/advis.db";

/// Where mail is written when no config names another place.
const MAIL: &str = "data/mail";

/// A folder in which nothing but the program's defaults holds.
pub(crate) struct World {
    dir: TempDir,
}

impl World {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file, and the folders that it lies in.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Writes the config where the program looks for it.
    pub(crate) fn config(&self, toml: &str) -> &Self {
        self.file("config/advis.toml", toml)
    }

    /// Imports what the two sheets say, on a day.
    pub(crate) fn import(&self, on: &str, leaders: &str, commitments: &str) -> Ran {
        self.file("leaders.csv", leaders).file("commitments.csv", commitments);
        self.run(&format!("import leaders.csv commitments.csv --on {on}"))
    }

    /// The program with these words, in this folder.
    pub(crate) fn advis(&self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = program(self.dir.path());
        command.args(words);
        command
    }

    /// Runs a line in which blanks part the words.
    pub(crate) fn run(&self, line: &str) -> Ran {
        self.run_words(line.split_whitespace())
    }

    /// Runs words that may hold blanks.
    pub(crate) fn run_words(&self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Ran {
        Ran::of(self.advis(words).output().unwrap())
    }

    /// Runs a line with variables of the environment.
    pub(crate) fn run_with(&self, line: &str, variables: &[(&str, &str)]) -> Ran {
        let mut command = self.advis(line.split_whitespace());
        Ran::of(command.envs(variables.iter().copied()).output().unwrap())
    }

    /// Runs a line and keeps its standard streams, to talk to it while it runs.
    pub(crate) fn start(&self, line: &str) -> Child {
        let mut command = self.advis(line.split_whitespace());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// One pass on each of these days; all of them go well.
    pub(crate) fn once_on<'d>(&self, days: impl IntoIterator<Item = &'d str>) {
        for day in days {
            self.run(&format!("once --on {day}")).ok();
        }
    }

    /// What the log says was sent.
    pub(crate) fn sent(&self) -> BTreeSet<Sent> {
        let attempts = self.run("log --json").json();
        let texts = |value: &Value| -> Vec<String> {
            value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        let sent: Vec<Sent> = attempts
            .iter()
            .filter(|attempt| attempt["state"] == "accepted")
            .map(|attempt| {
                let (commitments, steps) =
                    (texts(&attempt["commitments"]), texts(&attempt["steps"]));
                let items =
                    commitments.iter().zip(&steps).map(|(one, step)| format!("{one} {step}"));
                Sent {
                    on: attempt["at"].as_str().unwrap()[..10].to_owned(),
                    to: attempt["to"].as_str().unwrap().to_owned(),
                    items: items.collect(),
                }
            })
            .collect();
        let different: BTreeSet<Sent> = sent.iter().cloned().collect();
        assert_eq!(different.len(), sent.len(), "a message went twice: {sent:#?}");
        different
    }

    /// What the mails in the folder say was sent.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        let Ok(entries) = fs::read_dir(self.path(MAIL)) else { return Vec::new() };
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.iter().map(|file| Mail::read(file)).collect()
    }

    /// The whole store as SQL; `None` when there is none, and always where the program `sqlite3` is not installed.
    pub(crate) fn dump(&self) -> Option<String> {
        self.path(STORE).exists().then(|| self.sql(".dump")).flatten()
    }

    /// What another program gets that runs SQL on the store; `None`, and a line about it, without `sqlite3`.
    pub(crate) fn sql(&self, statements: &str) -> Option<String> {
        let mut command = Command::new("sqlite3");
        command.arg("-bail").arg(self.path(STORE)).arg(statements);
        match command.output() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                eprintln!("skipped: the program sqlite3 is not installed");
                None
            }
            output => {
                let output = output.unwrap();
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                Some(String::from_utf8(output.stdout).unwrap())
            }
        }
    }
}

/// The program in a folder, free of what the surroundings say about it.
pub(crate) fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_advis"));
    command.current_dir(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ADVIS_") {
            command.env_remove(name);
        }
    }
    command
}

/// The folder with the data of the project, when it is there.
pub(crate) fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let shared = std::env::var_os("ADVIS_SHARED").map_or(beside, PathBuf::from).join("data");
    let is_there = shared.is_dir();
    if !is_there {
        eprintln!("skipped: no data at {} (ADVIS_SHARED names another place)", shared.display());
    }
    is_there.then_some(shared)
}

/// A message as plan, log and mail all tell it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sent {
    pub(crate) on: String,
    pub(crate) to: String,
    /// Each as `reference step`.
    pub(crate) items: BTreeSet<String>,
}

impl Sent {
    /// `2026-03-02 leder@kommune.example: A-1 due, A-2 before:7`.
    pub(crate) fn line(&self) -> String {
        let items: Vec<&str> = self.items.iter().map(String::as_str).collect();
        format!("{} {}: {}", self.on, self.to, items.join(", "))
    }

    /// What a line of `plan --json` says.
    pub(crate) fn planned(message: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let item = |item: &Value| format!("{} {}", text(&item["commitment"]), text(&item["step"]));
        let items = message["items"].as_array().unwrap().iter().map(item).collect();
        Self { on: text(&message["on"]), to: text(&message["to"]), items }
    }
}

/// A mail as another program reads it.
#[derive(Debug)]
pub(crate) struct Mail {
    pub(crate) sent: Sent,
    pub(crate) message_id: String,
    pub(crate) subject: String,
    /// The plain text.
    pub(crate) text: String,
}

impl Mail {
    fn read(file: &Path) -> Self {
        let bytes = fs::read(file).unwrap();
        let mail = mailparse::parse_mail(&bytes).unwrap();
        let header = |name| mail.headers.get_first_value(name);
        let to = mailparse::addrparse_header(mail.headers.get_first_header("To").unwrap()).unwrap();
        let date = mailparse::dateparse(&header("Date").unwrap()).unwrap();
        let on = chrono::DateTime::from_timestamp(date, 0).unwrap();
        let items = header("X-Advis-Items").unwrap_or_default();
        Self {
            sent: Sent {
                on: on.with_timezone(&Zone::COPENHAGEN).date_naive().to_string(),
                to: to.extract_single_info().unwrap().addr,
                items: items.split(';').map(|item| item.trim().to_owned()).collect(),
            },
            message_id: header("Message-ID").unwrap(),
            subject: header("Subject").unwrap(),
            text: part(&mail, "text/plain").unwrap(),
        }
    }
}

/// What stands in the first part of that type, lines ended by a newline alone.
pub(crate) fn part(mail: &ParsedMail<'_>, mimetype: &str) -> Option<String> {
    let part = mail.parts().find(|part| part.ctype.mimetype == mimetype)?;
    Some(part.get_body().unwrap().replace("\r\n", "\n"))
}

/// How a run ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) out: String,
    pub(crate) err: String,
    output: Output,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { out: text(&output.stdout), err: text(&output.stderr), output }
    }

    /// What it printed; it went well.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        self.ended(0).out
    }

    /// The code it ended with.
    pub(crate) fn code(&self) -> Option<i32> {
        self.output.status.code()
    }

    /// It ended with that code.
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        self.output.clone().assert().code(code);
        self
    }

    /// It ended with that code, and said all of this on standard error, and nothing about its own insides.
    #[track_caller]
    pub(crate) fn refused(self, code: i32, words: &[&str]) {
        let err = &self.err;
        assert_eq!(self.output.status.code(), Some(code), "{err}{}", self.out);
        for word in words {
            assert!(err.contains(word), "{word:?} is not in: {err}");
        }
        for inside in ["panicked", "RUST_BACKTRACE", "Error {", "sqlx", "os error 0"] {
            assert!(!err.contains(inside), "{err}");
        }
    }

    /// What it printed, as JSON Lines; it went well.
    #[track_caller]
    pub(crate) fn json(self) -> Vec<Value> {
        json_lines(&self.ok())
    }
}

/// Every line as JSON.
#[track_caller]
pub(crate) fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}
