//! The outbox: reminders, the messages they travel in, and what became of every attempt.
//!
//! Nothing here decides. Every change of state names the state it expects; a row that is no longer so is a miss, not an
//! error, and nothing is written about it.

mod failures;
mod freeze;
mod log;
mod moves;
mod operator;
mod plan;
mod send;
mod standing;
mod withdraw;

pub use failures::Undelivered;
pub(super) use freeze::freeze;
pub use freeze::{FREEZE_PAGE, Frozen, Purpose};
pub use log::{Counts, LogRow, Past, Reported};
pub use moves::Ending;
pub(super) use moves::Moves;
pub use operator::{Act, Ordered, Unsent};
pub(super) use operator::{give_back, write_off};
pub use plan::{PlannedReminder, Planning};
pub use send::{Claimed, Recovered, Waiting};
pub use standing::Standing;
pub(super) use withdraw::{withdraw, withdraw_changed};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::Error;
use super::batch::Printed;
use crate::delivery::state::State;
use crate::domain::reminder::ReminderKey;
use crate::domain::rule::Step;

/// Who stands in the journal for what the worker does by itself.
const WORKER: &str = "advis";

/// An instant as the store keeps it; always as long, so that text sorts as time does.
pub(super) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn read_instant(text: &str) -> Result<DateTime<Utc>, Error> {
    match DateTime::parse_from_rfc3339(text) {
        Ok(at) => Ok(at.with_timezone(&Utc)),
        Err(_) => Err(damaged("instant", text)),
    }
}

fn read_state(name: &str) -> Result<State, Error> {
    State::from_name(name).ok_or_else(|| damaged("state", name))
}

fn damaged(what: &str, text: &str) -> Error {
    Error::Sql(sqlx::Error::Decode(format!("{text:?} is no {what}").into()))
}

/// The identity of a reminder, as batch statements read it.
#[derive(Serialize)]
struct KeyCells<'a> {
    commitment: &'a str,
    revision: u32,
    window: u32,
    step: Printed<Step>,
    leader: &'a str,
}

impl<'a> From<&'a ReminderKey> for KeyCells<'a> {
    fn from(key: &'a ReminderKey) -> Self {
        Self {
            commitment: &key.commitment,
            revision: key.revision,
            window: key.window,
            step: Printed(key.step),
            leader: &key.leader,
        }
    }
}
