//! The days on which reminders go out.

use std::fmt;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::Schedule;
use crate::domain::calendar::Calendar;

/// Working days on which the schedule of the reminders fires. The planner asks for millions of them, so those that a
/// book talks about are worked out once.
#[derive(Clone, PartialEq, Eq)]
pub struct SendingDays {
    calendar: Calendar,
    schedule: Schedule,
    /// One bit a day, from [`KNOWN_FIRST_DAY`] on.
    known: Vec<u64>,
}

/// 1 January 2010, in days of the common era (1 January of year 1 is day 1).
const KNOWN_FIRST_DAY: i32 = 733_773;
/// Fifty years in words of 64 days: 2 KiB, and half a millisecond to fill.
const KNOWN_WORDS: i32 = 286;

/// How far a sending day is looked for. The config refuses a schedule without one in as many days.
pub const SEARCH_DAYS_MAX: usize = 366;

impl SendingDays {
    /// The working days of `calendar` on which `schedule` fires.
    #[must_use]
    pub fn new(calendar: Calendar, schedule: Schedule) -> Self {
        let mut sending = Self { calendar, schedule, known: Vec::new() };
        sending.known = (0..KNOWN_WORDS).map(|word| sending.work_out(word)).collect();
        sending
    }

    /// The 64 days of one word.
    fn work_out(&self, word: i32) -> u64 {
        let day =
            |bit: i32| NaiveDate::from_num_days_from_ce_opt(KNOWN_FIRST_DAY + word * 64 + bit);
        (0..64)
            .filter(|bit| day(*bit).is_some_and(|day| self.falls_on(day)))
            .fold(0, |word, bit| word | 1 << bit)
    }

    fn falls_on(&self, day: NaiveDate) -> bool {
        self.schedule.fires_on(day) && self.calendar.is_working_day(day)
    }

    /// Whether reminders go out on `day`.
    #[must_use]
    pub fn is_sending_day(&self, day: NaiveDate) -> bool {
        let since = usize::try_from(day.num_days_from_ce() - KNOWN_FIRST_DAY).unwrap_or(usize::MAX);
        match self.known.get(since / 64) {
            Some(word) => word >> (since % 64) & 1 == 1,
            None => self.falls_on(day),
        }
    }

    /// `day`, or the last sending day before it; `None` when there is none in [`SEARCH_DAYS_MAX`] days.
    #[must_use]
    pub fn on_or_before(&self, day: NaiveDate) -> Option<NaiveDate> {
        self.first(day.iter_days().rev())
    }

    /// `day`, or the next sending day after it; `None` when there is none in [`SEARCH_DAYS_MAX`] days.
    #[must_use]
    pub fn on_or_after(&self, day: NaiveDate) -> Option<NaiveDate> {
        self.first(day.iter_days())
    }

    /// The most days in a row without a sending day, and the last day up to which that is known.
    #[must_use]
    pub fn longest_gap(&self) -> (u32, NaiveDate) {
        let (mut longest, mut gap) = (0, 0);
        for word in &self.known {
            for bit in 0..64 {
                gap = if word >> bit & 1 == 1 { 0 } else { gap + 1 };
                longest = longest.max(gap);
            }
        }
        let last = KNOWN_FIRST_DAY + KNOWN_WORDS * 64 - 1;
        (longest, NaiveDate::from_num_days_from_ce_opt(last).unwrap_or(NaiveDate::MIN))
    }

    /// The next firing on a sending day strictly after `after`, both wall-clock time.
    #[must_use]
    pub fn next_firing(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        let firing = self.schedule.next_wall(after)?;
        let day = self.on_or_after(firing.date())?;
        if day == firing.date() {
            return Some(firing);
        }
        let before_the_day =
            day.and_time(NaiveTime::MIN).checked_sub_signed(TimeDelta::seconds(1))?;
        self.schedule.next_wall(before_the_day)
    }

    fn first(&self, days: impl Iterator<Item = NaiveDate>) -> Option<NaiveDate> {
        days.take(SEARCH_DAYS_MAX + 1).find(|day| self.is_sending_day(*day))
    }
}

impl fmt::Debug for SendingDays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calendar, schedule, known: _ } = self;
        f.debug_tuple("SendingDays").field(calendar).field(schedule).finish()
    }
}
