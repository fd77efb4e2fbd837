//! The days in which a commitment is to be met, and how sure we are of them.

use std::fmt;

use chrono::NaiveDate;

use super::recurrence::Recurrence;

/// The days `opens..due`, both included. Without `due` the deadline is open-ended ("from May 2020").
///
/// `due` is never before `opens`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Window {
    /// First day.
    pub opens: NaiveDate,
    /// Last day; `None` when open-ended.
    pub due: Option<NaiveDate>,
}

impl Window {
    /// The window of one day.
    #[must_use]
    pub fn day(day: NaiveDate) -> Self {
        Self { opens: day, due: Some(day) }
    }

    /// The window `opens..due`.
    #[must_use]
    pub fn span(opens: NaiveDate, due: NaiveDate) -> Self {
        debug_assert!(opens <= due, "a window opens before it is due");
        Self { opens, due: Some(due) }
    }

    /// The open-ended window from `opens` on.
    #[must_use]
    pub fn from(opens: NaiveDate) -> Self {
        Self { opens, due: None }
    }

    /// Whether the window is longer than one day.
    #[must_use]
    pub fn is_longer_than_a_day(&self) -> bool {
        self.due != Some(self.opens)
    }
}

impl fmt::Display for Window {
    /// `2020-01-01..2020-01-31`, or `2020-05-01..` when open-ended.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.due {
            Some(due) => write!(f, "{}..{due}", self.opens),
            None => write!(f, "{}..", self.opens),
        }
    }
}

/// How far a reading may be trusted. `High` and `AssumedYear` are planned at once, the others wait for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Confidence {
    /// Read as written.
    High,
    /// The phrase names no year; the next such window was taken.
    AssumedYear,
    /// The words fit more than one window ("vinter 2020", "2020/21").
    Fuzzy,
    /// A spelling mistake was mended.
    Corrected,
}

impl Confidence {
    /// Every value, in the order of falling trust.
    pub const ALL: [Self; 4] = [Self::High, Self::AssumedYear, Self::Fuzzy, Self::Corrected];

    /// The name used in the store and in JSON: `high`, `assumed_year`, `fuzzy`, `corrected`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::AssumedYear => "assumed_year",
            Self::Fuzzy => "fuzzy",
            Self::Corrected => "corrected",
        }
    }

    /// Whether a commitment read so is planned without asking anyone.
    #[must_use]
    pub fn is_certain(self) -> bool {
        matches!(self, Self::High | Self::AssumedYear)
    }
}

/// Why a phrase has no date. The texts are fixed: scripts compare them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Undated {
    /// "når der foreligger en afgørelse"
    #[error("relative to an event")]
    RelativeToEvent,
    /// "løbende"
    #[error("ongoing")]
    Ongoing,
    /// "snarest muligt"
    #[error("as soon as possible")]
    AsSoonAsPossible,
    /// "afklares senere", an empty table cell
    #[error("no date given")]
    NoDateGiven,
    /// "31. april", "5. kvartal"
    #[error("no such date")]
    NoSuchDate,
}

/// What a phrase was read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    /// In the order of time. Several for a list; for a recurrence the first occurrences, none when only the interval is given.
    pub windows: Vec<Window>,
    /// The rule, when the phrase names one ("hvert år i maj").
    pub recurrence: Option<Recurrence>,
    /// How sure the reading is.
    pub confidence: Confidence,
}

/// The sort of a deadline, as `deadline --json` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One day.
    Day,
    /// One window of several days.
    Window,
    /// Two or more windows.
    List,
    /// A window without a last day.
    Open,
    /// A rule that makes windows.
    Recurring,
    /// No date at all.
    Undated,
}

impl Kind {
    /// `day`, `window`, `list`, `open`, `recurring`, `undated`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Window => "window",
            Self::List => "list",
            Self::Open => "open",
            Self::Recurring => "recurring",
            Self::Undated => "undated",
        }
    }
}

impl Deadline {
    /// The sort of this deadline; never `Undated`.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.windows.as_slice() {
            _ if self.recurrence.is_some() => Kind::Recurring,
            [one] if one.due.is_none() => Kind::Open,
            [one] if !one.is_longer_than_a_day() => Kind::Day,
            [_] => Kind::Window,
            _ => Kind::List,
        }
    }

    /// Whether the deadline has days and may be planned without asking anyone.
    #[must_use]
    pub fn can_be_planned(&self) -> bool {
        self.confidence.is_certain() && !self.windows.is_empty()
    }
}
