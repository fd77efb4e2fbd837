//! Which schedules fire now: each firing once, one missed earlier the same day made up, older ones left to the next.

use chrono::{DateTime, NaiveDateTime, NaiveTime, TimeDelta, Utc};

use super::pass::Desk;
use crate::domain::zone::Zone;
use crate::schedule::Schedule;
use crate::store::{self, Timetable};

/// The firings due at one look at the clock, by wall-clock time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Firings {
    reminders: Option<NaiveDateTime>,
    report: Option<NaiveDateTime>,
    /// A message of a firing that is over was taken back, and what else was in it is to go today all the same.
    freed: bool,
}

impl Firings {
    /// Looks at the clock.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn due(desk: &Desk<'_>) -> Result<Self, store::Error> {
        let reminders = firing(desk, Timetable::Reminders).await?;
        let report = firing(desk, Timetable::Report).await?;
        let freed = has_fired_today(desk) && desk.store.has_freed().await?;
        Ok(Self { reminders, report, freed })
    }

    /// Whether new reminders are planned: on a day without work only what waits is delivered.
    #[must_use]
    pub fn plans(&self, desk: &Desk<'_>) -> bool {
        let plans = self.reminders.is_some() || self.freed;
        plans && desk.config.calendar.is_working_day(desk.today())
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

fn has_fired_today(desk: &Desk<'_>) -> bool {
    let midnight = desk.today().and_time(NaiveTime::MIN);
    let schedule = &desk.config.reminders;
    schedule.latest_firing(midnight - TimeDelta::seconds(1), desk.clock.wall()).is_some()
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
    zone: Zone,
) -> Decision {
    let reached = Schedule::wall_reached(now, zone);
    let Some(last) = last.filter(|last| Schedule::resolve(*last, zone) <= now) else {
        return Decision::Record(reached);
    };
    match schedule.latest_firing(last, reached) {
        Some(firing) if firing.date() == reached.date() => Decision::Fire(firing),
        Some(firing) => Decision::Record(firing),
        None => Decision::Wait,
    }
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, NaiveDate, Timelike, Weekday};

    use super::*;

    const ZONE: Zone = Zone::COPENHAGEN;

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

    #[test]
    fn inside_the_hour_that_comes_twice_nothing_fires_that_has_had_its_time() {
        let schedule = Schedule::parse("*/10 * * * *").unwrap();
        let second = at("2026-10-25T02:15:00") + TimeDelta::hours(1);
        let hour_is_over = Decision::Record(wall("2026-10-25T02:59:59"));
        assert_eq!(decide(&schedule, None, second, ZONE), hour_is_over);
        let missed = decide(&schedule, Some(wall("2026-10-25T02:10:00")), second, ZONE);
        assert_eq!(missed, Decision::Fire(wall("2026-10-25T02:50:00")));
    }

    /// A cron line drawn at random, and which times of a day it means.
    fn drawn(rng: &mut fastrand::Rng) -> (Schedule, impl Fn(NaiveDateTime) -> bool + use<>) {
        let mut some = |count: u32, most: usize| -> Vec<u32> {
            let how_many = rng.usize(1..=most);
            let mut some: Vec<u32> = (0..how_many).map(|_| rng.u32(0..count)).collect();
            some.sort_unstable();
            some.dedup();
            some
        };
        let minutes = if some(20, 1) == [0] { (0..60).collect() } else { some(60, 6) };
        // The hours around the change more often than others.
        let mut hours: Vec<u32> = some(4, 4).into_iter().map(|hour| hour + 1).collect();
        hours.extend(some(24, 3));
        let second = some(60, 1)[0] * some(2, 1)[0];
        let list =
            |numbers: &[u32]| numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let line = format!("{second} {} {} * * *", list(&minutes), list(&hours));
        let means = move |wall: NaiveDateTime| {
            wall.second() == second
                && minutes.contains(&wall.minute())
                && hours.contains(&wall.hour())
        };
        (Schedule::parse(&line).unwrap(), means)
    }

    /// What a worker fires from one instant to another, that looks whenever something is to fire and at other times too.
    fn fired(
        schedule: &Schedule,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        rng: &mut fastrand::Rng,
    ) -> Vec<DateTime<Utc>> {
        let (mut now, mut last, mut fired) = (from, Schedule::wall_reached(from, ZONE), Vec::new());
        loop {
            let next = schedule.next_runs(now, ZONE, 1).into_iter().next().unwrap_or(to);
            now = next.min(now + TimeDelta::seconds(rng.i64(1..7200)));
            if now > to {
                return fired;
            }
            match decide(schedule, Some(last), now, ZONE) {
                Decision::Fire(wall) => {
                    last = wall;
                    fired.push(now);
                }
                Decision::Record(wall) => last = wall,
                Decision::Wait => {}
            }
        }
    }

    #[test]
    fn a_thousand_schedules_fire_each_instant_once_at_every_change_of_the_clocks() {
        let mut changes = Vec::new();
        for year in 2018..=2040 {
            for month in [3, 10] {
                let days = (25..=31).filter_map(|day| NaiveDate::from_ymd_opt(year, month, day));
                let sunday = days.into_iter().find(|day| day.weekday() == Weekday::Sun).unwrap();
                changes.push(sunday.and_hms_opt(0, 0, 0).unwrap());
            }
        }
        for seed in 0..1000 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let (schedule, means) = drawn(&mut rng);
            let second = schedule.next_wall(NaiveDateTime::default()).unwrap().second();
            for midnight in &changes {
                let (from, to) = (*midnight, *midnight + TimeDelta::hours(6));
                let minutes = (0..360).map(|minute| from + TimeDelta::seconds(60 * minute));
                let mut expected: Vec<DateTime<Utc>> = minutes
                    .map(|minute| minute + TimeDelta::seconds(i64::from(second)))
                    .filter(|wall| means(*wall) && *wall > from)
                    .map(|wall| Schedule::resolve(wall, ZONE))
                    .collect();
                expected.dedup();
                let span = (
                    Schedule::resolve(from, ZONE),
                    Schedule::resolve(to, ZONE) - TimeDelta::seconds(1),
                );
                let fired = fired(&schedule, span, &mut rng);
                assert_eq!(fired, expected, "seed {seed}, {midnight}: {}", schedule.source());
            }
        }
    }
}
