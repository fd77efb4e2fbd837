//! What the parser understood, before any date is worked out.

use chrono::Weekday;

use crate::domain::recurrence::{Frequency, MonthDay, Rule, Span};

/// A stretch of time that people count in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Day,
    Workday,
    Week,
    Month,
    Quarter,
    Tertial,
    HalfYear,
    Year,
    /// August to July.
    SchoolYear,
    /// The calendar year whose 1 January lies nearest: "det kommende år".
    NearestYear,
}

impl Unit {
    /// Whole months in it; 0 for days and weeks.
    pub(super) fn months(self) -> u32 {
        match self {
            Self::Day | Self::Workday | Self::Week => 0,
            Self::Month => 1,
            Self::Quarter => 3,
            Self::Tertial => 4,
            Self::HalfYear => 6,
            Self::Year | Self::SchoolYear | Self::NearestYear => 12,
        }
    }
}

/// A part of a month or of a longer span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// "primo"
    First,
    /// "medio"
    Middle,
    /// "ultimo"
    Last,
    /// "udgangen af": as ultimo, but "inden" before it changes nothing.
    End,
    /// "første halvdel"
    FirstHalf,
    /// "anden halvdel"
    SecondHalf,
}

/// The year of an atom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Year {
    /// Not written: the next one that fits.
    Missing,
    /// Written.
    Given(i32),
    /// "i år" (0), "næste år" (1).
    Ahead(i32),
}

/// The smallest thing with days of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Atom {
    /// A day of a month; it may not exist.
    Day { day: MonthDay, month: u32, year: Year },
    /// Whole months from the first of them on, or a part of these: month, quarter, season, year.
    Months { first: u32, count: u32, part: Option<Part>, year: Year },
    /// An ISO week, or one day of it.
    Week { number: u32, weekday: Option<Weekday>, year: Year },
    /// 31 December and 1 January.
    Turn { year: Year },
    /// The school holiday in summer; what is meant depends on the word before it.
    SummerHoliday { during: bool, year: Year },
    /// The present, or a later, day, week, month, … or a part of it.
    Current { unit: Unit, ahead: u32, part: Option<Part> },
    /// The first such weekday after the reference date.
    Coming(Weekday),
    /// So much time after the reference date: that day, or (`whole`) all days until then.
    Later { count: u32, unit: Unit, whole: bool },
    /// "5. kvartal"
    Never,
}

/// What the word before an atom makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// Nothing.
    Plain,
    /// "inden": a day is meant itself, of a longer window the day before.
    Within,
    /// "før": the day before.
    Before,
    /// "fra", "tidligst": from its first day on.
    From,
    /// "efter": from the day after on.
    After,
    /// "resten af"
    Rest,
    /// "14 dage før": so much before (negative) or after it.
    Shift { count: i64, unit: Unit },
}

/// One window: an atom, or from one atom to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) from: Atom,
    pub(super) to: Option<Atom>,
}

/// A dated phrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dated {
    pub(super) bound: Bound,
    /// At least one.
    pub(super) items: Vec<Item>,
    /// The words fit more than one window.
    pub(super) fuzzy: bool,
}

/// A deadline that comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Again {
    /// Only the interval.
    Bare { frequency: Frequency, interval: u32, fuzzy: bool },
    /// On days of a month or week.
    Rule(Rule, Span),
    /// Every so many years, at these dates.
    Dates { years: u32, dates: Dated },
}

impl Atom {
    pub(super) fn year(&self) -> Option<Year> {
        match self {
            Self::Day { year, .. }
            | Self::Months { year, .. }
            | Self::Week { year, .. }
            | Self::Turn { year }
            | Self::SummerHoliday { year, .. } => Some(*year),
            Self::Current { .. } | Self::Coming(_) | Self::Later { .. } | Self::Never => None,
        }
    }

    /// The same in another year.
    pub(super) fn in_year(mut self, wanted: Year) -> Self {
        if let Self::Day { year, .. }
        | Self::Months { year, .. }
        | Self::Week { year, .. }
        | Self::Turn { year }
        | Self::SummerHoliday { year, .. } = &mut self
        {
            *year = wanted;
        }
        self
    }

    /// Whether the phrase does not say which year's is meant.
    pub(super) fn lacks_year(&self) -> bool {
        self.year() == Some(Year::Missing)
    }

    /// "2020", and nothing more.
    pub(super) fn is_bare_year(&self) -> bool {
        matches!(self, Self::Months { first: 1, count: 12, part: None, .. })
    }
}

impl Dated {
    /// Whether it is clear which year's days are meant.
    pub(super) fn is_explicit(&self) -> bool {
        !self.items.iter().any(Item::lacks_year)
    }
}

impl Item {
    /// The year at its end.
    pub(super) fn year(&self) -> Option<Year> {
        self.to.unwrap_or(self.from).year()
    }

    /// Whether the phrase does not say which year's is meant.
    pub(super) fn lacks_year(&self) -> bool {
        self.from.lacks_year() && self.to.is_none_or(|to| to.lacks_year())
    }

    /// The same in another year; a range takes the year at its end.
    pub(super) fn in_year(self, year: i32) -> Self {
        let year = Year::Given(year);
        match self.to {
            Some(to) => Self { from: self.from, to: Some(to.in_year(year)) },
            None => Self { from: self.from.in_year(year), to: None },
        }
    }
}
