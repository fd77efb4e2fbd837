//! Why a step does not go out today: a closed list, so that every step can be explained.

use std::fmt;

use chrono::NaiveDate;

use crate::domain::rule::Step;

/// Why a step does not go out today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Its day is still to come.
    NotYet,
    /// It went out on that day, and was accepted.
    Sent(NaiveDate),
    /// It is in a message of that day which was not accepted, or not yet.
    Posted(NaiveDate),
    /// A later step has come, or was sent.
    Overtaken(Step),
    /// Its day was before the commitment was adopted, on that day.
    BeforeAdoption(NaiveDate),
    /// Its day was before the rule came into force, on that day.
    BeforeRule(NaiveDate),
    /// The deadline is past, so it has nothing left to say.
    Lapsed,
    /// It would go on the same day as that later step.
    Merged(Step),
    /// The window is a single day.
    OneDay,
    /// The first reminder before the deadline comes at about the same time, or earlier.
    BeforeStepsSuffice,
    /// The leader asked for peace until that day.
    Snoozed(NaiveDate),
    /// No message to the leader after the deadline was accepted three days ago or more; the day on which one will have
    /// been, if one was accepted at all.
    LeaderNotTold(Option<NaiveDate>),
    /// There is no manager at that level.
    NoReceiver,
    /// The schedule has no sending day near.
    NoSendingDay,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotYet => f.write_str("its day is still to come"),
            Self::Sent(on) => write!(f, "sent on {on}"),
            Self::Posted(on) => {
                write!(f, "in a message of {on} that was not accepted; see `advis log`")
            }
            Self::Overtaken(step) => write!(f, "overtaken by {step}"),
            Self::BeforeAdoption(on) => write!(f, "history: before the adoption on {on}"),
            Self::BeforeRule(on) => write!(f, "history: the rule is in force since {on}"),
            Self::Lapsed => f.write_str("lapsed: the deadline is past"),
            Self::Merged(step) => write!(f, "falls on the same day as {step}"),
            Self::OneDay => f.write_str("the window is a single day"),
            Self::BeforeStepsSuffice => {
                f.write_str("the first reminder before the deadline comes at most 7 days later")
            }
            Self::Snoozed(until) => write!(f, "snoozed until {until}"),
            Self::LeaderNotTold(Some(on)) => {
                write!(f, "waits until {on}, so that the leader has known for 3 days")
            }
            Self::LeaderNotTold(None) => f.write_str(
                "waits until a message after the deadline has been with the leader for 3 days",
            ),
            Self::NoReceiver => f.write_str("there is no manager at that level"),
            Self::NoSendingDay => f.write_str("the schedule has no sending day near"),
        }
    }
}
