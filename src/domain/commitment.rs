//! What was promised, by when, and who answers for it.

use chrono::NaiveDate;

use super::recurrence::Recurrence;
use super::window::{Confidence, Window};

/// Where a commitment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Planned and reminded of.
    Open,
    /// Waits for someone to give or confirm a date; nothing is sent.
    NeedsDate,
    /// Met.
    Done,
    /// Given up.
    Cancelled,
}

impl Status {
    /// Every status, in the order of its life.
    pub const ALL: [Self; 4] = [Self::Open, Self::NeedsDate, Self::Done, Self::Cancelled];

    /// `open`, `needs_date`, `done`, `cancelled`: the name in the store, in JSON and in CSV.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::NeedsDate => "needs_date",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// The document a commitment stands in; any part may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// Title of the document.
    pub document: String,
    /// Its date.
    pub document_date: Option<NaiveDate>,
    /// The section within it.
    pub section: String,
    /// The sentence, word for word.
    pub quote: String,
}

/// One window of a commitment in the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookWindow {
    /// 1, 2, … within the revision, in the order of time.
    pub number: u32,
    /// Its days.
    pub window: Window,
    /// The day it was made, for an occurrence of a recurrence, or postponed: its steps before that day are history.
    pub made_on: Option<NaiveDate>,
    /// The day it was closed: done, or not answered when the next occurrence opened.
    pub closed_on: Option<NaiveDate>,
}

/// A snooze: one leader's own messages about one window are held back until a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snooze {
    /// Number of the window.
    pub window: u32,
    /// First day on which messages go again.
    pub until: NaiveDate,
    /// The day it was asked for.
    pub made_on: NaiveDate,
}

/// A leader who answers for a commitment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Responsible {
    /// Reference of the leader.
    pub leader: String,
    /// The day of a hand-over: steps before it are history for this leader. `None` from the beginning.
    pub since: Option<NaiveDate>,
    /// The day from which somebody else answers for it: a hand-over to come.
    pub until: Option<NaiveDate>,
    /// Snoozes of this leader.
    pub snoozes: Vec<Snooze>,
}

/// One promise in the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commitment {
    /// Unique, chosen by the municipality: `AAR-DAG-05`.
    pub reference: String,
    /// What was promised, in a line.
    pub title: String,
    /// Which rules apply: `status`, `effect_goals`, …
    pub kind: String,
    /// The deadline as written; empty when dates were given directly.
    pub phrase: String,
    /// How sure the reading of the phrase is; `None` when it has no date.
    pub confidence: Option<Confidence>,
    /// Such as "Aarhus Kommune"; may be empty.
    pub organisation: String,
    /// Where it stands.
    pub source: Source,
    /// "Lukket indstilling": subjects and calendars carry the reference only.
    pub confidential: bool,
    /// Where it stands in its life.
    pub status: Status,
    /// The later of `adopted_on` and the day the present revision, or its reopening, entered the store.
    pub adoption: NaiveDate,
    /// Rises with every change of the deadline; 1 at first.
    pub revision: u32,
    /// Every window of the present revision.
    pub windows: Vec<BookWindow>,
    /// The rule that makes further windows.
    pub recurrence: Option<Recurrence>,
    /// The day intervals are counted from and phrases are read against.
    pub reference_date: NaiveDate,
    /// Who answers for it, in the order given.
    pub responsible: Vec<Responsible>,
}

impl Responsible {
    /// Whether the leader still answers for it on `day`.
    #[must_use]
    pub fn answers_on(&self, day: NaiveDate) -> bool {
        self.until.is_none_or(|until| day < until)
    }
}

impl Commitment {
    /// The earliest window that is not closed: by its deadline, the open-ended last.
    #[must_use]
    pub fn earliest_open(&self) -> Option<&BookWindow> {
        let place = |window: &&BookWindow| {
            let Window { opens, due } = window.window;
            (due.is_none(), due, opens, window.number)
        };
        self.windows.iter().filter(|window| window.closed_on.is_none()).min_by_key(place)
    }
}
