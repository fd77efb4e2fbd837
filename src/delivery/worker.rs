//! The worker: looks at the clock at least once a minute, fires schedules, delivers what waits, until it is told to stop.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::pass::Desk;
use super::shift::{PassReport, Shift, ShiftError};
use crate::clock::Clock;
use crate::config::Config;
use crate::mail::compose::Templates;
use crate::schedule::Schedule;
use crate::store::{self, SenderLock, Store, Timetable};
use crate::telemetry;

/// Longest sleep: timers do not count the time that a machine is suspended, so the wall clock is asked this often.
const TICK_SECONDS_MAX: u64 = 60;

/// How long messages on the wire may take to end after SIGTERM; what is left then is unknown, and sent again.
const STOP_SECONDS_MAX: u64 = 25;

/// What the worker runs on; a reload replaces it as a whole.
pub struct Settings {
    /// The config.
    pub config: Config,
    /// The texts of the mails.
    pub templates: Templates,
}

/// Runs until SIGTERM or SIGINT. On SIGHUP asks `reload` for new settings; it answers `None` to keep the old ones.
///
/// # Errors
/// When another sender runs, or the store or the SMTP settings cannot be used at the start; later failures of the store
/// are logged and outlived.
pub async fn run(
    store: &Store,
    mut settings: Settings,
    mut reload: impl FnMut() -> Option<Settings>,
) -> Result<(), ShiftError> {
    let lock = store.lock_sender()?;
    let mut signals = Signals::new().map_err(ShiftError::Signals)?;
    telemetry::worker_began();
    let mut has_begun = false;
    loop {
        let call = match turn(store, &settings, &lock, &mut signals, &mut has_begun).await {
            Ok(call) => Some(call),
            // A store that fails may be well again in a minute: a full disk, a lock held by a backup. A new shift puts
            // right what could not be recorded.
            Err(error) if has_begun => {
                telemetry::worker_failed(&error.to_string());
                let wait = Duration::from_secs(TICK_SECONDS_MAX);
                tokio::time::timeout(wait, signals.next()).await.ok()
            }
            Err(error) => return Err(error),
        };
        match call {
            Some(Call::Stop) => break,
            Some(Call::Reload) => {
                if let Some(new) = reload() {
                    settings = new;
                    telemetry::config_reloaded();
                }
            }
            None => {}
        }
    }
    telemetry::worker_ended();
    Ok(())
}

/// One shift, from its beginning to a signal or a failure.
async fn turn(
    store: &Store,
    settings: &Settings,
    lock: &SenderLock,
    signals: &mut Signals,
    has_begun: &mut bool,
) -> Result<Call, ShiftError> {
    let clock = Clock::System(settings.config.timezone);
    let (config, templates) = (&settings.config, &settings.templates);
    let desk = Desk { store, config, clock: &clock, templates, rehearsal: false };
    let mut shift = Shift::begin(&desk, lock).await?;
    *has_begun = true;
    Ok(watch(&desk, &mut shift, signals).await?)
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Stop,
    Reload,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Call {
        tokio::select! {
            _ = self.terminate.recv() => Call::Stop,
            _ = self.interrupt.recv() => Call::Stop,
            _ = self.hang_up.recv() => Call::Reload,
        }
    }
}

/// Ticks until a signal comes. A tick is never dropped halfway, but at the very end of a stop that takes too long: that
/// is a crash like any other, and the next start puts it right.
async fn watch(
    desk: &Desk<'_>,
    shift: &mut Shift<'_>,
    signals: &mut Signals,
) -> Result<Call, store::Error> {
    loop {
        let stopper = shift.stopper();
        let tick = tick(desk, shift);
        tokio::pin!(tick);
        let wait = tokio::select! {
            wait = &mut tick => wait?,
            call = signals.next() => {
                stopper.stop();
                let limit = Duration::from_secs(STOP_SECONDS_MAX);
                if let Ok(ended) = tokio::time::timeout(limit, tick).await {
                    ended?;
                }
                return Ok(call);
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            call = signals.next() => return Ok(call),
        }
    }
}

/// One look at the clock; answers with how long to sleep.
async fn tick(desk: &Desk<'_>, shift: &mut Shift<'_>) -> Result<Duration, store::Error> {
    let reminders = firing(desk, Timetable::Reminders).await?;
    let report = firing(desk, Timetable::Report).await?;
    let plans = reminders.is_some() && desk.config.calendar.is_working_day(desk.today());
    if report.is_some() {
        desk.post_report().await?;
    }
    let pass = shift.pass(desk, plans).await?;
    if plans || pass.has_news() {
        telemetry::pass_ended(&pass.to_string());
    }
    for (timetable, wall) in [(Timetable::Reminders, reminders), (Timetable::Report, report)] {
        if let Some(wall) = wall {
            desk.store.record_firing(timetable, wall).await?;
        }
    }
    Ok(sleep(desk, &pass))
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

/// Until the next firing, or the time at which more may be sent, but never longer than a minute.
fn sleep(desk: &Desk<'_>, pass: &PassReport) -> Duration {
    let (now, zone) = (desk.clock.now(), desk.clock.zone());
    let schedules = [&desk.config.reminders, &desk.config.report];
    let firings = schedules.into_iter().flat_map(|one| one.next_runs(now, zone, 1));
    let next = firings.chain(pass.more_at()).min();
    let longest = Duration::from_secs(TICK_SECONDS_MAX);
    let wait = next
        .map_or(longest, |next| (next - now).max(TimeDelta::zero()).to_std().unwrap_or(longest));
    wait.min(longest)
}

#[cfg(test)]
mod tests {
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
