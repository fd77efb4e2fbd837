//! Reminders: what makes one unique, what became of the earlier ones, and the messages they travel in.

use std::collections::{HashMap, HashSet};
use std::fmt;

use chrono::NaiveDate;

use super::leader::{Capacity, Language};
use super::rule::{Ladder, Step};
use super::window::Window;
use crate::domain::address::Mailbox;

/// What happens once only (planning.md): one step of one window about one responsible leader.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReminderKey {
    /// Reference of the commitment.
    pub commitment: String,
    /// Its revision.
    pub revision: u32,
    /// Number of the window within the revision.
    pub window: u32,
    /// The step.
    pub step: Step,
    /// Reference of the responsible leader it is about; the recipient may be another.
    pub leader: String,
}

/// A step that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reminder {
    /// What makes it unique.
    pub key: ReminderKey,
    /// Days of the window.
    pub span: Window,
    /// The day the rules name.
    pub planned_on: NaiveDate,
    /// The sending day it was moved to.
    pub moved_on: NaiveDate,
    /// The address key of whoever gets it, as things stand today.
    pub reader: String,
}

impl Reminder {
    /// Why it goes: its day, and how it was moved.
    #[must_use]
    pub fn reason(&self) -> String {
        let what = match self.key.step {
            Step::Before(1) => "1 day before the deadline".to_owned(),
            Step::Before(days) => format!("{days} days before the deadline"),
            Step::Opens => "the window opens".to_owned(),
            Step::Due => "the deadline".to_owned(),
            Step::Overdue(nth) => format!("reminder {nth} after the deadline"),
            Step::Escalate(level) => format!("escalation to level {level}"),
        };
        if self.planned_on == self.moved_on {
            format!("{what}, {}", self.planned_on)
        } else {
            format!("{what}, {}, moved to the sending day {}", self.planned_on, self.moved_on)
        }
    }
}

/// A reminder that was put into a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Revision of the commitment.
    pub revision: u32,
    /// Number of the window.
    pub window: u32,
    /// Reference of the responsible leader it was about.
    pub leader: String,
    /// The step.
    pub step: Step,
    /// The day of its message.
    pub on: NaiveDate,
    /// The day its message was accepted; `None` while it is under way, or when it never was.
    pub accepted_on: Option<NaiveDate>,
}

/// What was sent before: facts for the planner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    sent: HashMap<String, Vec<Sent>>,
    /// Address keys.
    written: HashMap<Ladder, HashSet<String>>,
}

impl History {
    /// Records that a reminder of `commitment` was put into a message.
    pub fn record(&mut self, commitment: &str, sent: Sent) {
        match self.sent.get_mut(commitment) {
            Some(about) => about.push(sent),
            None => drop(self.sent.insert(commitment.to_owned(), vec![sent])),
        }
    }

    /// Records that the person with that address key got today's message of the ladder.
    pub fn record_message(&mut self, ladder: Ladder, address_key: &str) {
        self.written.entry(ladder).or_default().insert(address_key.to_owned());
    }

    /// Forgets who got a message today: a new day begins.
    pub fn begin_day(&mut self) {
        self.written.clear();
    }

    /// Whether that person got today's message of the ladder.
    #[must_use]
    pub fn has_message(&self, ladder: Ladder, address_key: &str) -> bool {
        self.written.get(&ladder).is_some_and(|keys| keys.contains(address_key))
    }

    /// What was sent about a commitment.
    #[must_use]
    pub fn of(&self, commitment: &str) -> &[Sent] {
        self.sent.get(commitment).map_or(&[], Vec::as_slice)
    }

    /// What was sent about one window of a commitment to, or for, one responsible leader.
    pub fn about<'a>(
        &'a self,
        commitment: &str,
        revision: u32,
        window: u32,
        leader: &'a str,
    ) -> impl Iterator<Item = &'a Sent> + Clone + use<'a> {
        self.of(commitment).iter().filter(move |sent| {
            sent.revision == revision && sent.window == window && sent.leader == leader
        })
    }
}

/// The next escalation about an item, as its message announces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// The day the manager is told, if nothing is marked as done before.
    pub on: NaiveDate,
    /// Name of who is told.
    pub name: String,
}

/// One line of a message: a window of a commitment that the reader is to know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Reference of the commitment.
    pub commitment: String,
    /// Its revision.
    pub revision: u32,
    /// Number of the window.
    pub window: u32,
    /// Days of the window.
    pub span: Window,
    /// The step that makes it due.
    pub step: Step,
    /// Days from the day of sending to the deadline: 0 on the day, negative when late, `None` when open-ended.
    pub days_left: Option<i64>,
    /// References of the responsible leaders meant, in the order of the commitment, each with why this reader gets it.
    pub about: Vec<(String, Capacity)>,
    /// Why it goes today.
    pub reason: String,
    /// The next escalation; `None` when there is none, and in escalations.
    pub announced: Option<Announced>,
    /// Days on which earlier messages about this window were accepted, for the first of `about`, in the order of time.
    pub reminded_on: Vec<NaiveDate>,
}

impl Item {
    /// The reminders it stands for: one for each responsible leader meant.
    pub fn reminders(&self) -> impl Iterator<Item = ReminderKey> {
        self.about.iter().map(|(leader, _)| ReminderKey {
            commitment: self.commitment.clone(),
            revision: self.revision,
            window: self.window,
            step: self.step,
            leader: leader.clone(),
        })
    }
}

/// One mail to one person on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The day of sending.
    pub on: NaiveDate,
    /// Own reminders, or escalations.
    pub ladder: Ladder,
    /// Name and address.
    pub to: Mailbox,
    /// Reference of the reader; `None` for the secretariat.
    pub leader: Option<String>,
    /// Language of the mail.
    pub language: Language,
    /// At least one, the most pressing first.
    pub items: Vec<Item>,
}

impl fmt::Display for ReminderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} r{} w{} {} for {}",
            self.commitment, self.revision, self.window, self.step, self.leader
        )
    }
}
