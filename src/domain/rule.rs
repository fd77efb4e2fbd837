//! Which reminders a commitment gets: steps, and the rules that name them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;

/// The kinds that every municipality has. Others need rules of their own in the config.
pub const STANDARD_KINDS: [&str; 7] =
    ["status", "effect_goals", "evaluation", "milestone", "follow_up", "decision", "meeting"];

/// The kind of a commitment that names none.
pub const DEFAULT_KIND: &str = "follow_up";

/// One step of a ladder. The order is that of planning.md's table: of two on one day the greater wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// `before:N`: N calendar days before the deadline.
    Before(u32),
    /// `opens`: the window opens.
    Opens,
    /// `due`: the deadline itself.
    Due,
    /// `overdue:K`: the K-th reminder after the deadline.
    Overdue(u32),
    /// `escalate:L`: the L-th manager is told.
    Escalate(u32),
}

/// The two independent sequences of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ladder {
    /// The responsible leader's own reminders.
    Own,
    /// What managers are told.
    Escalation,
}

impl Ladder {
    /// `own` or `escalation`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Escalation => "escalation",
        }
    }
}

impl Step {
    /// The ladder the step belongs to.
    #[must_use]
    pub fn ladder(self) -> Ladder {
        if matches!(self, Self::Escalate(_)) { Ladder::Escalation } else { Ladder::Own }
    }

    /// Place in the table: a greater rank is a later step.
    #[must_use]
    pub fn rank(self) -> (u8, i64) {
        match self {
            Self::Before(days) => (0, -i64::from(days)),
            Self::Opens => (1, 0),
            Self::Due => (2, 0),
            Self::Overdue(nth) => (3, i64::from(nth)),
            Self::Escalate(level) => (4, i64::from(level)),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before(days) => write!(f, "before:{days}"),
            Self::Opens => f.write_str("opens"),
            Self::Due => f.write_str("due"),
            Self::Overdue(nth) => write!(f, "overdue:{nth}"),
            Self::Escalate(level) => write!(f, "escalate:{level}"),
        }
    }
}

/// A text that names no step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no step; steps are before:N, opens, due, overdue:K and escalate:L")]
pub struct BadStep(String);

impl FromStr for Step {
    type Err = BadStep;

    fn from_str(text: &str) -> Result<Self, BadStep> {
        let bad = || BadStep(text.to_owned());
        match text.split_once(':') {
            None if text == "opens" => Ok(Self::Opens),
            None if text == "due" => Ok(Self::Due),
            Some((name, number)) => {
                let number = number.parse().map_err(|_| bad())?;
                match name {
                    "before" => Ok(Self::Before(number)),
                    "overdue" => Ok(Self::Overdue(number)),
                    "escalate" => Ok(Self::Escalate(number)),
                    _ => Err(bad()),
                }
            }
            None => Err(bad()),
        }
    }
}

/// Reminders after the deadline: the first after `first` days, then every `every` days, `at_most` of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Overdue {
    /// Days from the deadline to the first reminder.
    pub first: u32,
    /// Days between reminders, at least 1.
    pub every: u32,
    /// How many; 0 for none.
    pub at_most: u32,
}

/// The rules of one kind, complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindRules {
    /// Days before the deadline, each above 0, distinct.
    pub before: Vec<u32>,
    /// Whether the opening of a window is announced.
    pub opens: bool,
    /// Whether the deadline itself is announced.
    pub due: bool,
    /// Reminders after it.
    pub overdue: Overdue,
    /// Days after the deadline on which level 1, 2, … of the managers is told, strictly rising.
    pub escalate: Vec<u32>,
}

impl Default for KindRules {
    fn default() -> Self {
        Self {
            before: vec![30, 7],
            opens: true,
            due: true,
            overdue: Overdue { first: 3, every: 14, at_most: 3 },
            escalate: vec![21],
        }
    }
}

impl KindRules {
    /// Every step these rules name, with its number of days (planning.md, "Rules have a birthday").
    pub fn steps(&self) -> impl Iterator<Item = (Step, u32)> {
        self.own_steps().chain(self.escalations())
    }

    /// The steps of the own ladder.
    pub fn own_steps(&self) -> impl Iterator<Item = (Step, u32)> {
        let Overdue { first, every, at_most } = self.overdue;
        let before = self.before.iter().map(|days| (Step::Before(*days), *days));
        let opens = self.opens.then_some((Step::Opens, 0));
        let due = self.due.then_some((Step::Due, 0));
        let overdue = (1..=at_most).map(move |nth| (Step::Overdue(nth), first + (nth - 1) * every));
        before.chain(opens).chain(due).chain(overdue)
    }

    /// The steps of the escalation ladder.
    pub fn escalations(&self) -> impl Iterator<Item = (Step, u32)> {
        (1..).zip(&self.escalate).map(|(level, days)| (Step::Escalate(level), *days))
    }
}

/// Since when one step of one kind has been in force (planning.md, "Rules have a birthday").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleStep {
    /// The kind of commitment.
    pub kind: String,
    /// The step.
    pub step: Step,
    /// Its number of days: the same step with another number is another rule.
    pub days: u32,
    /// First day; `None` for as long as anyone remembers.
    pub since: Option<NaiveDate>,
}

/// The rules of every kind that there are rules for: the standard ones, and those with rules of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindTable(BTreeMap<String, KindRules>);

impl KindTable {
    /// `kinds` holds those with rules of their own, already completed from `default`.
    #[must_use]
    pub fn new(default: KindRules, mut kinds: BTreeMap<String, KindRules>) -> Self {
        for kind in STANDARD_KINDS {
            kinds.entry(kind.to_owned()).or_insert_with(|| default.clone());
        }
        Self(kinds)
    }

    /// The rules of a kind; `None` when it is neither standard nor has rules of its own.
    #[must_use]
    pub fn get(&self, kind: &str) -> Option<&KindRules> {
        self.0.get(kind)
    }

    /// Every kind there are rules for, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

impl Default for KindTable {
    fn default() -> Self {
        let status = KindRules { before: vec![30, 14, 3], ..KindRules::default() };
        Self::new(KindRules::default(), BTreeMap::from([("status".to_owned(), status)]))
    }
}
