//! Exit codes, a promise to scripts (the numbers above 64 are those of BSD's sysexits.h).

use std::process::ExitCode;

use crate::delivery::shift::ShiftError;
use crate::mail::transport::smtp::BadSettings;
use crate::{config, store};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done; also with nothing to do, find or show.
    Done = 0,
    /// Something was rejected, held, unknown or failed, and is explained.
    Explained = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// Bad input data.
    BadInput = 65,
    /// Input, store or commitment not found.
    NotFound = 66,
    /// Another instance runs, or something was deferred and will be tried again.
    TryLater = 75,
    /// Configuration, environment or templates.
    Config = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error with its exit code already chosen.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    /// The code.
    pub exit: Exit,
    /// What is wrong, where, and what to do.
    pub text: String,
}

impl Failure {
    /// A command line that makes no sense.
    pub fn usage(text: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, text: text.into() }
    }

    /// Bad input data.
    pub fn bad_input(text: impl Into<String>) -> Self {
        Self { exit: Exit::BadInput, text: text.into() }
    }

    /// Something that is not there.
    pub fn not_found(text: impl Into<String>) -> Self {
        Self { exit: Exit::NotFound, text: text.into() }
    }
}

/// The exit code of an error, by the first cause that has one.
pub(super) fn of(error: &anyhow::Error) -> Exit {
    error.chain().find_map(code).unwrap_or(Exit::Explained)
}

fn code(cause: &(dyn std::error::Error + 'static)) -> Option<Exit> {
    if let Some(failure) = cause.downcast_ref::<Failure>() {
        return Some(failure.exit);
    }
    if let Some(error) = cause.downcast_ref::<config::Error>() {
        return Some(match error {
            config::Error::NotFound(_) => Exit::NotFound,
            config::Error::Invalid(_) => Exit::Config,
        });
    }
    if cause.downcast_ref::<BadSettings>().is_some() {
        return Some(Exit::Config);
    }
    match cause.downcast_ref::<ShiftError>() {
        Some(ShiftError::Store(error)) => Some(of_store(error)),
        Some(ShiftError::Settings(_)) => Some(Exit::Config),
        Some(ShiftError::Signals(_)) => Some(Exit::Explained),
        None => cause.downcast_ref::<store::Error>().map(of_store),
    }
}

fn of_store(error: &store::Error) -> Exit {
    match error {
        store::Error::Missing { .. }
        | store::Error::Unknown { .. }
        | store::Error::UnknownMessages { .. } => Exit::NotFound,
        store::Error::SenderRuns { .. } | store::Error::Busy { .. } => Exit::TryLater,
        store::Error::Refused(_)
        | store::Error::Import { .. }
        | store::Error::Damaged { .. }
        | store::Error::CopyExists { .. } => Exit::BadInput,
        store::Error::Unwritable { .. }
        | store::Error::NotADatabase { .. }
        | store::Error::Newer { .. }
        | store::Error::TooOldSqlite { .. }
        | store::Error::Migration { .. } => Exit::Config,
        store::Error::Together(error) => of_store(error),
        store::Error::NoCopy { .. } | store::Error::Disk(_) | store::Error::Sql(_) => {
            Exit::Explained
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_sender_has_its_code_from_once_and_from_the_worker() {
        let runs = || store::Error::SenderRuns { path: "advis.db".into() };
        assert_eq!(of(&runs().into()), Exit::TryLater);
        assert_eq!(of(&ShiftError::from(runs()).into()), Exit::TryLater);
    }
}
