//! A book of commitments as a test keeps it: plain values that anyone may edit.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

/// First and last day, both included; an end that is missing is open.
pub(crate) type Period = (Option<NaiveDate>, Option<NaiveDate>);

#[derive(Debug, Clone)]
pub(crate) struct Leader {
    pub(crate) name: String,
    /// `None` when there is none we can send to.
    pub(crate) address: Option<String>,
    pub(crate) manager: Option<String>,
    pub(crate) deputy: Option<String>,
    pub(crate) active: Period,
    pub(crate) absent: Option<Period>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Open,
    NeedsDate,
    Done,
    Cancelled,
}

#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) number: u32,
    pub(crate) opens: NaiveDate,
    pub(crate) due: Option<NaiveDate>,
    /// The day it was made, for an occurrence of a recurrence or a postponed deadline.
    pub(crate) made_on: Option<NaiveDate>,
    /// The day it was done, or ended as not answered.
    pub(crate) closed_on: Option<NaiveDate>,
}

#[derive(Debug, Clone)]
pub(crate) struct Snooze {
    pub(crate) window: u32,
    /// First day on which messages go again.
    pub(crate) until: NaiveDate,
    pub(crate) made_on: NaiveDate,
}

#[derive(Debug, Clone)]
pub(crate) struct Responsible {
    pub(crate) leader: String,
    /// The day of the hand-over to this leader.
    pub(crate) since: Option<NaiveDate>,
    /// The day from which somebody else answers for it.
    pub(crate) until: Option<NaiveDate>,
    pub(crate) snoozes: Vec<Snooze>,
}

#[derive(Debug, Clone)]
pub(crate) struct Commitment {
    pub(crate) kind: String,
    pub(crate) status: Status,
    pub(crate) revision: u32,
    /// The later of `adopted_on` and the day the present revision entered the store.
    pub(crate) adoption: NaiveDate,
    pub(crate) windows: Vec<Window>,
    pub(crate) responsible: Vec<Responsible>,
}

/// The rules of one kind as a file has them: what is `None` is that of `default`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) before: Option<Vec<u32>>,
    pub(crate) opens: Option<bool>,
    pub(crate) due: Option<bool>,
    /// `first`, `every`, `at_most`.
    pub(crate) overdue: Option<(u32, u32, u32)>,
    pub(crate) escalate: Option<Vec<u32>>,
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    /// By reference.
    pub(crate) leaders: BTreeMap<String, Leader>,
    pub(crate) secretariat: String,
    /// By reference.
    pub(crate) commitments: BTreeMap<String, Commitment>,
    /// By kind; `default` says every key.
    pub(crate) rules: BTreeMap<String, Rules>,
    /// Since when a step of a kind (name, number of days) is in force; ever, when it is not here.
    pub(crate) births: BTreeMap<(String, String, u32), NaiveDate>,
    pub(crate) days_off: BTreeSet<NaiveDate>,
    /// Whether the schedule fires on Monday, Tuesday, ….
    pub(crate) fires: [bool; 7],
}

/// A reminder, once only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) commitment: String,
    pub(crate) revision: u32,
    pub(crate) window: u32,
    /// `before:7`, `opens`, `due`, `overdue:1`, `escalate:2`.
    pub(crate) step: String,
    pub(crate) leader: String,
}

impl Key {
    pub(crate) fn ladder(&self) -> Ladder {
        if self.step.starts_with("escalate:") { Ladder::Escalation } else { Ladder::Own }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ladder {
    Own,
    Escalation,
}

/// What became of a reminder: the day of its message, and the day a server accepted that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Posted {
    pub(crate) on: NaiveDate,
    pub(crate) accepted: Option<NaiveDate>,
}

pub(crate) type Sent = BTreeMap<Key, Posted>;

impl World {
    /// The rules of a kind, each key as a whole from `default` where the kind has none.
    pub(crate) fn rules_of(&self, kind: &str) -> Rules {
        let default = self.rules["default"].clone();
        let own = self.rules.get(kind).cloned().unwrap_or_default();
        Rules {
            before: own.before.or(default.before),
            opens: own.opens.or(default.opens),
            due: own.due.or(default.due),
            overdue: own.overdue.or(default.overdue),
            escalate: own.escalate.or(default.escalate),
        }
    }
}

impl Rules {
    /// Every step that complete rules name, with its number of days.
    pub(crate) fn steps(&self) -> Vec<(String, u32)> {
        let mut steps = Vec::new();
        for days in self.before.as_ref().unwrap() {
            steps.push((format!("before:{days}"), *days));
        }
        if self.opens.unwrap() {
            steps.push(("opens".to_owned(), 0));
        }
        if self.due.unwrap() {
            steps.push(("due".to_owned(), 0));
        }
        let (first, every, at_most) = self.overdue.unwrap();
        for number in 1..=at_most {
            steps.push((format!("overdue:{number}"), first + (number - 1) * every));
        }
        for (level, days) in (1..).zip(self.escalate.as_ref().unwrap()) {
            steps.push((format!("escalate:{level}"), *days));
        }
        steps
    }
}
