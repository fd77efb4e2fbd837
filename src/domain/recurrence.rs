//! Deadlines that come again: the rule (a small part of RFC 5545's RRULE) and the length of each window.

mod rrule;

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

use super::window::Window;

/// Periods searched for the next occurrence; week 53 is at most seven years away, times any interval people write.
const PERIODS_SEARCHED_MAX: usize = 100;
const DAYS_A_WEEK: i64 = 7;
const MONTHS_A_YEAR: i64 = 12;

/// How long a bare interval's unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Frequency {
    /// Counted in days.
    Daily,
    /// Counted in weeks.
    Weekly,
    /// Counted in months.
    Monthly,
    /// Counted in years.
    Yearly,
}

/// A day within a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MonthDay {
    /// 1 to 31; in a shorter month its last day.
    Number(u32),
    /// The last day.
    Last,
    /// The first, second, … such weekday; -1 is the last one.
    Nth(i32, Weekday),
    /// The first (1) or the last (-1) day from Monday to Friday.
    Workday(i32),
    /// The weekday among the seven days that begin with this one.
    WeekdayFrom(Weekday, u32),
}

/// The days on which windows open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Every so many units, from a day that the phrase does not name.
    Bare {
        /// The unit.
        frequency: Frequency,
        /// How many of them, at least 1.
        interval: u32,
    },
    /// These weekdays, in order, every so many weeks.
    Weekdays {
        /// Weeks from one to the next, at least 1.
        interval: u32,
        /// Which days.
        days: Vec<Weekday>,
    },
    /// These days of a month: every so many months, or, with `months`, of these months every so many years.
    MonthDays {
        /// Months or years from one to the next, at least 1.
        interval: u32,
        /// 1 to 12, rising; empty for every month.
        months: Vec<u32>,
        /// Which days: several numbers, several weekdays, or one of another sort.
        days: Vec<MonthDay>,
    },
    /// The Monday of these ISO weeks, every so many years.
    Weeks {
        /// Years from one to the next, at least 1.
        interval: u32,
        /// 1 to 53, rising.
        weeks: Vec<u32>,
    },
}

/// When a window that opens on some day is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Span {
    /// After so many days, the opening day included.
    Days(u32),
    /// On the last day of the month that lies so many months after the opening one.
    Months(u32),
}

/// A rule for deadlines that come again.
///
/// `rrule` marks the day on which each window opens; `span` says when it is due. Unlike RFC 5545, a day that a
/// month lacks (29 to 31) is its last day: nobody who promised something for the 31st is free of it in June.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurrence {
    rule: Rule,
    span: Span,
}

/// A stored recurrence that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadRecurrence(pub String);

impl Recurrence {
    /// Windows of that length, opening on the days of the rule. The windows of a bare interval are single days.
    #[must_use]
    pub fn new(rule: Rule, span: Span) -> Self {
        let span = if matches!(rule, Rule::Bare { .. }) { Span::Days(1) } else { span };
        Self { rule, span }
    }

    /// The rule itself.
    #[must_use]
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// The rule as RFC 5545 text without `RRULE:`, such as `FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=1`.
    #[must_use]
    pub fn rrule(&self) -> String {
        self.rule.to_text()
    }

    /// How long each window is, as the store keeps it: `days:10` (that many days, the opening day included), or
    /// `months:0` (to the last day of the opening month), `months:2` (to the last day of the second month after it).
    #[must_use]
    pub fn span(&self) -> String {
        match self.span {
            Span::Days(days) => format!("days:{days}"),
            Span::Months(months) => format!("months:{months}"),
        }
    }

    /// Reads back what [`Self::rrule`] and [`Self::span`] wrote.
    ///
    /// # Errors
    /// When either text is not one that this version writes.
    pub fn from_stored(rrule: &str, span: &str) -> Result<Self, BadRecurrence> {
        let bad = || BadRecurrence(format!("'{rrule}' with '{span}' is no recurrence of ours"));
        let (unit, number) = span.split_once(':').ok_or_else(bad)?;
        let number = number.parse().map_err(|_| bad())?;
        let length = match unit {
            "days" => Span::Days(number),
            "months" => Span::Months(number),
            _ => return Err(bad()),
        };
        let read = Self::new(Rule::from_text(rrule).ok_or_else(bad)?, length);
        // What another hand wrote differently ("INTERVAL=1") is refused rather than half understood.
        let same = read.rrule() == rrule && read.span() == span && length != Span::Days(0);
        same.then_some(read).ok_or_else(bad)
    }

    /// Whether only an interval is given ("halvårligt"): such a deadline has days only once someone confirms it.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        matches!(self.rule, Rule::Bare { .. })
    }

    /// The first window that is due on or after the day `anchor`; intervals are counted from it. `None` for a bare
    /// interval, which names no day, and when the calendar ends before.
    #[must_use]
    pub fn first_window(&self, anchor: NaiveDate) -> Option<Window> {
        self.first_period(anchor).map(|(_, window)| window)
    }

    /// The first window that opens after the day `after`. `anchor` is the reference day that intervals are counted
    /// from (reference + k intervals, clamped to the last day of short months, k at least 1, for a bare interval,
    /// whose windows are single days).
    ///
    /// `None` when the calendar ends before the next window.
    #[must_use]
    pub fn window_after(&self, anchor: NaiveDate, after: NaiveDate) -> Option<Window> {
        if let Rule::Bare { frequency, interval } = self.rule {
            return bare_day_after(frequency, interval, anchor, after).map(Window::day);
        }
        let interval = self.rule.interval();
        // Week 1 may open in the year before its own, hence one period back.
        let earliest = self.rule.period_of(after) - 1;
        let start = if interval == 1 {
            earliest
        } else {
            let (phase, _) = self.first_period(anchor)?;
            let behind = (earliest - phase).max(0);
            phase + behind.div_euclid(interval) * interval
        };
        (0_i64..)
            .take(PERIODS_SEARCHED_MAX)
            .flat_map(|step| self.rule.opens_in(start + step * interval))
            .find(|opens| *opens > after)
            .and_then(|opens| self.window(opens))
    }

    fn first_period(&self, anchor: NaiveDate) -> Option<(i64, Window)> {
        let reach = match self.span {
            Span::Days(days) => anchor.checked_sub_days(Days::new(u64::from(days))),
            Span::Months(months) => anchor.checked_sub_months(Months::new(months.checked_add(1)?)),
        };
        let start = self.rule.period_of(reach.unwrap_or(anchor)) - 1;
        (start..)
            .take(PERIODS_SEARCHED_MAX)
            .flat_map(|period| self.rule.opens_in(period).into_iter().map(move |day| (period, day)))
            .filter_map(|(period, opens)| Some((period, self.window(opens)?)))
            .find(|(_, window)| window.due >= Some(anchor))
    }

    fn window(&self, opens: NaiveDate) -> Option<Window> {
        let due = match self.span {
            Span::Days(days) => {
                opens.checked_add_days(Days::new(u64::from(days).saturating_sub(1)))?
            }
            Span::Months(months) => {
                let month = opens.with_day(1)?.checked_add_months(Months::new(months))?;
                MonthDay::Last.in_month(month.year(), month.month())?
            }
        };
        Some(Window::span(opens, due))
    }
}

/// `anchor` + k intervals, the first of them after `after`, k at least 1.
fn bare_day_after(
    frequency: Frequency,
    interval: u32,
    anchor: NaiveDate,
    after: NaiveDate,
) -> Option<NaiveDate> {
    let interval = i64::from(interval);
    let months =
        |date: NaiveDate| i64::from(date.year()) * MONTHS_A_YEAR + i64::from(date.month0());
    let (step, passed) = match frequency {
        Frequency::Daily => (interval, (after - anchor).num_days()),
        Frequency::Weekly => (interval * DAYS_A_WEEK, (after - anchor).num_days()),
        Frequency::Monthly => (interval, months(after) - months(anchor)),
        Frequency::Yearly => (interval * MONTHS_A_YEAR, months(after) - months(anchor)),
    };
    let nearest = passed.div_euclid(step).max(1);
    (nearest..=nearest + 1)
        .filter_map(|k| match frequency {
            Frequency::Daily | Frequency::Weekly => {
                anchor.checked_add_days(Days::new(u64::try_from(k * step).ok()?))
            }
            Frequency::Monthly | Frequency::Yearly => {
                anchor.checked_add_months(Months::new(u32::try_from(k * step).ok()?))
            }
        })
        .find(|day| *day > after)
}

impl MonthDay {
    /// The day in that month; `None` when the month has no such weekday, or is none itself.
    #[must_use]
    pub fn in_month(self, year: i32, month: u32) -> Option<NaiveDate> {
        let first = NaiveDate::from_ymd_opt(year, month, 1)?;
        let last = first.with_day(u32::from(first.num_days_in_month()))?;
        let forward = |from: NaiveDate, to: Weekday| {
            from.checked_add_days(Days::new(u64::from(to.days_since(from.weekday()))))
        };
        let backward = |from: NaiveDate, to: Weekday| {
            from.checked_sub_days(Days::new(u64::from(from.weekday().days_since(to))))
        };
        match self {
            Self::Number(day) => first.with_day(day.min(last.day())),
            Self::Last => Some(last),
            Self::Nth(-1, weekday) => backward(last, weekday),
            Self::Nth(nth, weekday) => {
                let weeks = u64::try_from(nth.checked_sub(1)?).ok()?;
                let day = forward(first, weekday)?.checked_add_days(Days::new(weeks * 7))?;
                (day <= last).then_some(day)
            }
            Self::Workday(-1) if last.weekday().num_days_from_monday() > 4 => {
                backward(last, Weekday::Fri)
            }
            Self::Workday(-1) => Some(last),
            Self::Workday(_) if first.weekday().num_days_from_monday() > 4 => {
                forward(first, Weekday::Mon)
            }
            Self::Workday(_) => Some(first),
            Self::WeekdayFrom(weekday, day) => forward(first.with_day(day)?, weekday),
        }
    }
}

impl Rule {
    fn frequency(&self) -> Frequency {
        match self {
            Self::Bare { frequency, .. } => *frequency,
            Self::Weekdays { .. } => Frequency::Weekly,
            Self::MonthDays { months, .. } if months.is_empty() => Frequency::Monthly,
            Self::MonthDays { .. } | Self::Weeks { .. } => Frequency::Yearly,
        }
    }

    fn interval(&self) -> i64 {
        let (Self::Bare { interval, .. }
        | Self::Weekdays { interval, .. }
        | Self::MonthDays { interval, .. }
        | Self::Weeks { interval, .. }) = self;
        i64::from((*interval).max(1))
    }

    /// The week, month or year of a day, numbered so that neighbours differ by one.
    fn period_of(&self, day: NaiveDate) -> i64 {
        match self.frequency() {
            Frequency::Daily => i64::from(day.num_days_from_ce()),
            // 1 January of the year 1 was a Monday.
            Frequency::Weekly => i64::from(day.num_days_from_ce() - 1).div_euclid(DAYS_A_WEEK),
            Frequency::Monthly => i64::from(day.year()) * MONTHS_A_YEAR + i64::from(day.month0()),
            Frequency::Yearly => i64::from(day.year()),
        }
    }

    /// The opening days within a period, in order.
    fn opens_in(&self, period: i64) -> Vec<NaiveDate> {
        let year = |period: i64| i32::try_from(period).unwrap_or(i32::MAX);
        let mut opens: Vec<NaiveDate> = match self {
            Self::Bare { .. } => Vec::new(),
            Self::Weekdays { days, .. } => {
                let monday = i32::try_from(period * DAYS_A_WEEK + 1).unwrap_or(i32::MAX);
                days.iter()
                    .filter_map(|day| {
                        monday.checked_add(i32::try_from(day.num_days_from_monday()).ok()?)
                    })
                    .filter_map(NaiveDate::from_num_days_from_ce_opt)
                    .collect()
            }
            Self::MonthDays { months, days, .. } if months.is_empty() => {
                let month = u32::try_from(period.rem_euclid(MONTHS_A_YEAR)).unwrap_or(0) + 1;
                let year = year(period.div_euclid(MONTHS_A_YEAR));
                days.iter().filter_map(|day| day.in_month(year, month)).collect()
            }
            Self::MonthDays { months, days, .. } => months
                .iter()
                .flat_map(|month| days.iter().map(move |day| (month, day)))
                .filter_map(|(month, day)| day.in_month(year(period), *month))
                .collect(),
            Self::Weeks { weeks, .. } => weeks
                .iter()
                .filter_map(|week| NaiveDate::from_isoywd_opt(year(period), *week, Weekday::Mon))
                .collect(),
        };
        opens.sort_unstable();
        opens.dedup();
        opens
    }
}
