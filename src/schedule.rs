//! When a schedule fires: a cron line on wall-clock time, resolved in a time zone.
//!
//! The cron crate reads the fields. When they fire is ours: on naive wall-clock time, so that the nights on which the
//! clocks change neither skip a firing nor repeat one.

mod line;
mod sending;

pub use line::BadSchedule;
pub use sending::{SEARCH_DAYS_MAX, SendingDays};

use chrono::{DateTime, Datelike, Days, DurationRound, NaiveDate, NaiveDateTime, NaiveTime};
use chrono::{TimeDelta, TimeZone, Utc};

use crate::domain::zone::Zone;

/// A cron line with day names, checked: it fires on at least one day.
///
/// The fields are second, minute, hour, day of the month, month, day of the week and, if given, year. When both days
/// are given, both must hold: `0 0 8 1-7 * Mon` is the first Monday of the month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    source: String,
    /// Rising, never empty.
    times: Vec<NaiveTime>,
    /// Bit `n` is day `n` of the month.
    days: u32,
    /// Bit `n` is month `n`.
    months: u16,
    /// Bit `n` is the day `n` days after Sunday.
    weekdays: u8,
    /// Rising; `None` for every year.
    years: Option<Vec<i32>>,
}

/// Longest time between two firing days of a line without years: a 29 February on a given day of the week, across a
/// year such as 2100 that is no leap year.
const FIRING_GAP_YEARS_MAX: i32 = 40;

/// More than the longest stretch that any zone ever skipped (a whole day, where the date line was moved).
const GAP_MINUTES_MAX: i64 = 2 * 24 * 60;

impl Schedule {
    /// Reads a cron line of 5, 6 or 7 fields; with 5 it fires at second 0.
    ///
    /// # Errors
    /// Says what is wrong and how to write it.
    pub fn parse(line: &str) -> Result<Self, BadSchedule> {
        line::parse(line)
    }

    /// The line as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the schedule fires at least once on `day`.
    #[must_use]
    pub fn fires_on(&self, day: NaiveDate) -> bool {
        self.days >> day.day() & 1 == 1
            && self.months >> day.month() & 1 == 1
            && self.weekdays >> day.weekday().num_days_from_sunday() & 1 == 1
            && self.years.as_ref().is_none_or(|years| years.binary_search(&day.year()).is_ok())
    }

    /// The first day of firing on or after `day`.
    fn firing_day(&self, day: NaiveDate) -> Option<NaiveDate> {
        let last_year = match &self.years {
            Some(years) => *years.last()?,
            None => day.year().saturating_add(FIRING_GAP_YEARS_MAX),
        };
        day.iter_days().take_while(|day| day.year() <= last_year).find(|day| self.fires_on(*day))
    }

    /// The next firing strictly after `after`, both wall-clock time; `None` when the years of the line are over.
    #[must_use]
    pub fn next_wall(&self, after: NaiveDateTime) -> Option<NaiveDateTime> {
        let on = |day: NaiveDate| self.times.iter().map(move |time| day.and_time(*time));
        let today = self.firing_day(after.date())?;
        on(today).find(|firing| *firing > after).or_else(|| {
            let tomorrow = today.checked_add_days(Days::new(1))?;
            on(self.firing_day(tomorrow)?).next()
        })
    }

    /// The last firing after `after` and not after `until`, all wall-clock time: what a worker that looked at `after`
    /// has missed, however much, is one firing. None when the clock went back meanwhile.
    #[must_use]
    pub fn latest_firing(
        &self,
        after: NaiveDateTime,
        until: NaiveDateTime,
    ) -> Option<NaiveDateTime> {
        let on = |day: NaiveDate| self.times.iter().rev().map(move |time| day.and_time(*time));
        let days = until.date().iter_days().rev().take_while(|day| *day >= after.date());
        days.filter(|day| self.fires_on(*day))
            .find_map(|day| on(day).find(|firing| *firing <= until))
            .filter(|firing| *firing > after)
    }

    /// The instant of a firing at `wall` in `zone`: of an hour that comes twice the first, in an hour that is skipped
    /// the first minute after it.
    #[must_use]
    pub fn resolve(wall: NaiveDateTime, zone: Zone) -> DateTime<Utc> {
        let exact = zone.from_local_datetime(&wall).earliest();
        let after_the_gap = || {
            let minute = wall.duration_trunc(TimeDelta::minutes(1)).ok()?;
            (1..=GAP_MINUTES_MAX).find_map(|minutes| {
                let wall = minute.checked_add_signed(TimeDelta::minutes(minutes))?;
                zone.from_local_datetime(&wall).earliest()
            })
        };
        exact
            .or_else(after_the_gap)
            .map_or_else(|| Utc.from_utc_datetime(&wall), |instant| instant.with_timezone(&Utc))
    }

    /// The wall-clock time up to which every firing has had its instant by `now`: what the clock shows, and while an
    /// hour comes for the second time the whole of that hour.
    #[must_use]
    pub fn wall_reached(now: DateTime<Utc>, zone: Zone) -> NaiveDateTime {
        let wall = now.with_timezone(&zone).naive_local();
        let ahead = |seconds| wall + TimeDelta::seconds(seconds);
        let first = |wall| Self::resolve(wall, zone);
        // The hour ends within its own length, which is how far its first and second time lie apart.
        let (mut over, mut not_over) = (0, (now - first(wall)).num_seconds());
        while over + 1 < not_over {
            let half = over.midpoint(not_over);
            let comes_twice = zone.from_local_datetime(&ahead(half)).latest();
            if comes_twice.is_some_and(|second| first(ahead(half)) < second) {
                over = half;
            } else {
                not_over = half;
            }
        }
        ahead(over)
    }

    /// The next `n` instants of firing strictly after `after`, rising. Fewer when the years of the line are over.
    #[must_use]
    pub fn next_runs(&self, after: DateTime<Utc>, zone: Zone, n: usize) -> Vec<DateTime<Utc>> {
        let mut last = after;
        let wall = after.with_timezone(&zone).naive_local();
        let firings = std::iter::successors(self.next_wall(wall), |wall| self.next_wall(*wall));
        firings
            .map(|firing| Self::resolve(firing, zone))
            // Firings within one gap share an instant; within a repeated hour they may be over already.
            .filter(|instant| {
                let is_new = *instant > last;
                last = last.max(*instant);
                is_new
            })
            .take(n)
            .collect()
    }
}
