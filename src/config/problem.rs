//! What is wrong with a configuration: where, what, and what to do.

use std::fmt;
use std::path::PathBuf;

/// Why there is no configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file that was asked for is not there (exit code 66).
    #[error("there is no configuration file {}; check the path given with --config", .0.display())]
    NotFound(PathBuf),
    /// Something in it is wrong (exit code 78).
    #[error(transparent)]
    Invalid(#[from] Problems),
}

/// Every problem of a configuration, never only the first: those of the file by line, then those of the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What is wrong there.
    pub what: String,
    /// What to do about it, where that is not plain from `what`.
    pub hint: Option<String>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The file, at a line (from 1) where there is one.
    File {
        /// As it was given.
        file: PathBuf,
        /// 0 when the whole file is meant.
        line: usize,
        /// With its section, such as `mail.from`; empty where no key can be told.
        key: String,
    },
    /// An environment variable.
    Variable(String),
    /// A key that nobody has set.
    Default(String),
    /// No single place.
    Whole,
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(f, "the configuration has a problem:")?,
            many => write!(f, "the configuration has {many} problems:")?,
        }
        self.0.iter().try_for_each(|problem| write!(f, "\n\n{problem}"))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {}\n    {}", self.place, self.what)?;
        self.hint.iter().try_for_each(|hint| write!(f, "\n    {hint}"))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, line: 0, .. } => write!(f, "{}", file.display()),
            Self::File { file, line, key } if key.is_empty() => {
                write!(f, "{}:{line}", file.display())
            }
            Self::File { file, line, key } => write!(f, "{}:{line}: {key}", file.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Default(key) => write!(f, "{key} (not set)"),
            Self::Whole => f.write_str("the configuration as a whole"),
        }
    }
}
