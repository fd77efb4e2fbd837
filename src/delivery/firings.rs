//! Which schedules fire now: each firing once, one missed earlier the same day made up, older ones left to the next.

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;

use super::pass::Desk;
use crate::schedule::Schedule;
use crate::store::{self, Timetable};

/// The firings due at one look at the clock, by wall-clock time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Firings {
    reminders: Option<NaiveDateTime>,
    report: Option<NaiveDateTime>,
}

impl Firings {
    /// Looks at the clock.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn due(desk: &Desk<'_>) -> Result<Self, store::Error> {
        let reminders = firing(desk, Timetable::Reminders).await?;
        let report = firing(desk, Timetable::Report).await?;
        Ok(Self { reminders, report })
    }

    /// Whether new reminders are planned: on a day without work only what waits is delivered.
    #[must_use]
    pub fn plans(&self, desk: &Desk<'_>) -> bool {
        self.reminders.is_some() && desk.config.calendar.is_working_day(desk.today())
    }

    /// Freezes the report, if its schedule fires.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn post_report(&self, desk: &Desk<'_>) -> Result<(), store::Error> {
        if self.report.is_some() { desk.post_report().await } else { Ok(()) }
    }

    /// Remembers that they have fired, when all that they ask for is in the outbox.
    ///
    /// # Errors
    /// When the store fails; they fire again then, which is harmless.
    pub async fn record(self, desk: &Desk<'_>) -> Result<(), store::Error> {
        for (timetable, wall) in
            [(Timetable::Reminders, self.reminders), (Timetable::Report, self.report)]
        {
            if let Some(wall) = wall {
                desk.store.record_firing(timetable, wall).await?;
            }
        }
        Ok(())
    }
}

/// The wall-clock firing of a schedule that is due now. One that was missed on an earlier day is recorded as over: what
/// it would have sent comes with the next. So is the time when the store is new, or the clock was set back.
async fn firing(
    desk: &Desk<'_>,
    timetable: Timetable,
) -> Result<Option<NaiveDateTime>, store::Error> {
    let schedule = match timetable {
        Timetable::Reminders => &desk.config.reminders,
        Timetable::Report => &desk.config.report,
    };
    let last = desk.store.last_wall(timetable).await?;
    match decide(schedule, last, desk.clock.now(), desk.clock.zone()) {
        Decision::Fire(wall) => return Ok(Some(wall)),
        Decision::Record(wall) => desk.store.record_firing(timetable, wall).await?,
        Decision::Wait => {}
    }
    Ok(None)
}

/// What the clock says of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    Wait,
    Record(NaiveDateTime),
    Fire(NaiveDateTime),
}

fn decide(
    schedule: &Schedule,
    last: Option<NaiveDateTime>,
    now: DateTime<Utc>,
    zone: Tz,
) -> Decision {
    let wall = now.with_timezone(&zone).naive_local();
    let Some(last) = last.filter(|last| Schedule::resolve(*last, zone) <= now) else {
        return Decision::Record(wall);
    };
    match schedule.latest_firing(last, wall) {
        Some(firing) if firing.date() == wall.date() => Decision::Fire(firing),
        Some(firing) => Decision::Record(firing),
        None => Decision::Wait,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const ZONE: Tz = chrono_tz::Europe::Copenhagen;

    fn at(text: &str) -> DateTime<Utc> {
        Schedule::resolve(wall(text), ZONE)
    }

    fn wall(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    fn check(last: Option<&str>, now: &str, expected: Decision) {
        let schedule = Schedule::parse("0 0 8 * * Mon-Fri").unwrap();
        assert_eq!(decide(&schedule, last.map(wall), at(now), ZONE), expected, "{last:?} {now}");
    }

    #[test]
    fn the_first_start_of_a_store_has_missed_no_firing() {
        check(None, "2026-11-23T09:00:00", Decision::Record(wall("2026-11-23T09:00:00")));
    }

    #[test]
    fn a_firing_missed_earlier_the_same_day_is_made_up_and_one_of_another_day_is_not() {
        let fire = Decision::Fire(wall("2026-11-23T08:00:00"));
        check(Some("2026-11-20T08:00:00"), "2026-11-23T08:00:00", fire);
        check(Some("2026-11-16T08:00:00"), "2026-11-23T23:59:00", fire);
        let friday = Decision::Record(wall("2026-11-20T08:00:00"));
        check(Some("2026-11-16T08:00:00"), "2026-11-21T09:00:00", friday);
        check(Some("2026-11-23T08:00:00"), "2026-11-23T09:00:00", Decision::Wait);
    }

    #[test]
    fn a_clock_set_back_fires_nothing_and_counts_from_where_it_is() {
        let now = "2021-11-23T09:00:00";
        check(Some("2026-11-23T08:00:00"), now, Decision::Record(wall(now)));
    }

    #[test]
    fn the_hour_that_comes_twice_fires_once() {
        let schedule = Schedule::parse("0 30 2 * * *").unwrap();
        let first = at("2026-10-25T02:30:00");
        let second = first + TimeDelta::hours(1);
        let fired = wall("2026-10-25T02:30:00");
        let before = Some(wall("2026-10-24T02:30:00"));
        assert_eq!(decide(&schedule, before, first, ZONE), Decision::Fire(fired));
        assert_eq!(decide(&schedule, Some(fired), second, ZONE), Decision::Wait);
    }
}
