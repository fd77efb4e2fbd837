//! The worker: looks at the clock at least once a minute, fires schedules, delivers what waits, until it is told to stop.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::alarm::Alarm;
use super::engine::Debt;
use super::firings::Firings;
use super::pass::Desk;
use super::shift::{PassReport, Shift, ShiftError};
use crate::clock::Clock;
use crate::config::Config;
use crate::mail::compose::Templates;
use crate::store::{self, SenderLock, Store};
use crate::telemetry;

/// Longest sleep: timers do not count the time that a machine is suspended, so the wall clock is asked this often.
const TICK_SECONDS_MAX: u64 = 60;

/// Wait after a failure of the store; it doubles with each further one, up to [`TICK_SECONDS_MAX`]. Most are over at once:
/// a lock held by a backup, a disk that was full for a moment.
const FAILURE_SECONDS_MIN: u64 = 1;

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
    let mut health = Health::default();
    loop {
        let call = match turn(store, &settings, &lock, &mut signals, &mut health).await {
            Ok(call) => Some(call),
            // A new shift puts right what could not be recorded.
            Err(error) if health.has_begun => {
                let wait = health.wait_after_failure();
                telemetry::worker_failed(&error.to_string(), wait.as_secs());
                signals.within(wait).await
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
    health: &mut Health,
) -> Result<Call, ShiftError> {
    let clock = Clock::System(settings.config.timezone);
    let (config, templates) = (&settings.config, &settings.templates);
    let desk = Desk { store, config, clock: &clock, templates, rehearsal: false };
    Debt::settle(&mut health.debts, store).await?;
    let mut shift = Shift::begin(&desk, lock).await?;
    health.has_begun = true;
    let call = watch(&desk, &mut shift, signals, health).await;
    health.debts.append(&mut shift.end().await);
    Ok(call?)
}

/// How the store has served the worker.
#[derive(Debug, Default)]
struct Health {
    /// Whether it ever did: a store that cannot be used at the start ends the program.
    has_begun: bool,
    /// Failures since the last tick that ended well.
    failures: u32,
    /// What it could not be told.
    debts: Vec<Debt>,
}

impl Health {
    fn tick_ended_well(&mut self) {
        self.failures = 0;
    }

    fn wait_after_failure(&mut self) -> Duration {
        let factor = 2_u64.saturating_pow(self.failures);
        self.failures = self.failures.saturating_add(1);
        Duration::from_secs(FAILURE_SECONDS_MIN.saturating_mul(factor).min(TICK_SECONDS_MAX))
    }
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
    alarm: Alarm,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            alarm: Alarm::new()?,
        })
    }

    async fn next(&mut self) -> Call {
        tokio::select! {
            _ = self.terminate.recv() => Call::Stop,
            _ = self.interrupt.recv() => Call::Stop,
            _ = self.hang_up.recv() => Call::Reload,
        }
    }

    /// Sleeps, unless a signal comes before the wait is over.
    async fn within(&mut self, wait: Duration) -> Option<Call> {
        tokio::select! {
            () = self.alarm.after(wait) => None,
            call = self.next() => Some(call),
        }
    }
}

/// Ticks until a signal comes. A tick is never dropped halfway, but at the very end of a stop that takes too long: that
/// is a crash like any other, and the next start puts it right.
async fn watch(
    desk: &Desk<'_>,
    shift: &mut Shift<'_>,
    signals: &mut Signals,
    health: &mut Health,
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
                if let Ok(Err(error)) = tokio::time::timeout(limit, tick).await {
                    // The call counts all the same; the next shift puts right what could not be recorded.
                    telemetry::worker_failed(&error.to_string(), 0);
                }
                return Ok(call);
            }
        };
        health.tick_ended_well();
        if let Some(call) = signals.within(wait).await {
            return Ok(call);
        }
    }
}

/// One look at the clock; answers with how long to sleep.
async fn tick(desk: &Desk<'_>, shift: &mut Shift<'_>) -> Result<Duration, store::Error> {
    let firings = Firings::due(desk).await?;
    firings.post_report(desk).await?;
    let plans = firings.plans(desk);
    let pass = shift.pass(desk, plans).await?;
    let is_on_hold = pass.on_hold.is_some();
    if plans && !is_on_hold || pass.has_news() {
        telemetry::pass_ended(&pass.to_string());
    }
    // While the store is on hold the firing stands, to be made up for when somebody releases it.
    if !is_on_hold {
        firings.record(desk).await?;
    }
    Ok(sleep(desk, &pass))
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

    #[test]
    fn a_failing_store_is_tried_again_after_a_second_then_ever_later_up_to_a_minute() {
        let mut health = Health::default();
        let waits = |health: &mut Health, count| -> Vec<u64> {
            (0..count).map(|_| health.wait_after_failure().as_secs()).collect()
        };
        assert_eq!(waits(&mut health, 9), [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        health.failures = u32::MAX;
        assert_eq!(waits(&mut health, 2), [60, 60]);
        health.tick_ended_well();
        assert_eq!(waits(&mut health, 2), [1, 2]);
    }
}
