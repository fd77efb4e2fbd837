//! What is wrong with a sheet, where, and what to do about it.

use std::fmt;
use std::sync::Arc;

/// Longest piece of a cell that a problem shows, in characters.
const SHOWN_CHARS_MAX: usize = 60;

/// Where a row begins.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// Name of the file.
    pub file: Arc<str>,
    /// Line within the file as an editor counts it, from 1.
    pub line: u64,
}

impl Place {
    pub(super) fn problem(&self, column: &str, flaw: Flaw) -> Problem {
        Problem { column: Some(column.to_owned()), ..self.row_problem(flaw) }
    }

    pub(super) fn row_problem(&self, flaw: Flaw) -> Problem {
        Problem { line: Some(self.line), ..Problem::of_file(&self.file, flaw) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A reason to refuse an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Name of the file.
    pub file: Arc<str>,
    /// Line on which the row begins; `None` when the whole file is meant.
    pub line: Option<u64>,
    /// Name of the column, as the header has it; `None` when the whole row is meant.
    pub column: Option<String>,
    /// What is wrong; no full stop at the end.
    pub what: String,
    /// What to do, in whole sentences.
    pub hint: String,
}

impl Problem {
    pub(super) fn of_file(name: &str, flaw: Flaw) -> Self {
        Self { file: name.into(), line: None, column: None, what: flaw.what, hint: flaw.hint }
    }
}

impl fmt::Display for Problem {
    /// `commitments.csv:14, column "deadline": 31.04.2020 does not exist: April 2020 has 30 days. Write a day that exists.`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column \"{column}\"")?;
        }
        write!(f, ": {}. {}", self.what, self.hint)
    }
}

/// What is wrong with a cell, wherever it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    pub(super) what: String,
    pub(super) hint: String,
}

impl Flaw {
    pub(super) fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into() }
    }
}

/// The beginning of a cell, in one line.
pub(super) fn shown(cell: &str) -> String {
    let line = cell.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
