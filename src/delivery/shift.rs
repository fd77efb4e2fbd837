//! One sender at work: the lock that makes it the only one, the outbox, its connections, and a whole pass over them.

use std::fmt;
use std::io;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};

use super::engine::{Debt, Lane, Limits, Outbox, Step, Stopper, Tally, drain};
use super::pass::Desk;
use super::posting::Posted;
use super::state::Retry;
use crate::clock::Clock;
use crate::config::{Config, TransportKind};
use crate::mail::transport::Transport;
use crate::mail::transport::smtp::BadSettings;
use crate::store::outbox::Counts;
use crate::store::{self, OnHold, SenderLock};
use crate::telemetry;

/// A pass of `once` waits for the rate limit up to this long at a time; a cap an hour long it leaves to the next pass.
const PATIENCE_SECONDS_MAX: i64 = 60;

/// The only sender of a store, from start to stop.
pub struct Shift<'s> {
    outbox: Outbox<'s>,
    lanes: Vec<Lane>,
    lock: &'s SenderLock,
}

/// Why nobody can send.
#[derive(Debug, thiserror::Error)]
pub enum ShiftError {
    /// The store fails.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The SMTP settings cannot be used.
    #[error(transparent)]
    Settings(#[from] BadSettings),
    /// The system does not let us hear of its signals, or of the end of a sleep.
    #[error("signals to stop and reload cannot be received, or no thread begun: {0}")]
    Signals(io::Error),
}

/// What a pass came to.
#[derive(Debug, Clone, Default)]
pub struct PassReport {
    /// What was planned and frozen; `None` on a day without sending, which delivers only what waits.
    pub posted: Option<Posted>,
    /// What was delivered.
    pub tally: Tally,
    /// What waits for another attempt or for the operator, from earlier passes too.
    pub standing: Counts,
    /// The next firing on a sending day, wall-clock time; `None` when there is none.
    pub next_firing: Option<NaiveDateTime>,
    /// Why nothing was planned or sent.
    pub on_hold: Option<OnHold>,
}

impl<'s> Shift<'s> {
    /// Begins: puts right what an earlier sender left behind, and puts a store on hold that was restored. What a shift of
    /// this very process could not record must be settled before ([`Debt::settle`]).
    ///
    /// # Errors
    /// When the store fails or the SMTP settings cannot be used.
    pub async fn begin(desk: &Desk<'s>, lock: &'s SenderLock) -> Result<Self, ShiftError> {
        let config = desk.config;
        let transport = Transport::of(config)?;
        if let Some(OnHold { since }) = desk.store.look_back(&desk.stamp()).await? {
            telemetry::on_hold(since);
        }
        desk.store.begin_generation(lock).await?;
        let limits = limits(config, desk.clock);
        let outbox = Outbox::begin(desk.store, retry(config), limits, desk.clock).await?;
        let lanes = (0..config.smtp.connections).map(|_| Lane::new(&transport)).collect();
        Ok(Self { outbox, lanes, lock })
    }

    /// The means to ask for a stop from beside a pass under way.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.outbox.stopper()
    }

    /// Ends; answers with what a failing store could not be told, for the next shift.
    pub async fn end(self) -> Vec<Debt> {
        self.outbox.into_debts().await
    }

    /// One pass: plans and freezes what is due if `plans`, and delivers whatever waits. Where the rate limit lets no more
    /// go, it ends, and says when more may ([`PassReport::more_at`]). While the store is on hold it does nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn pass(&mut self, desk: &Desk<'_>, plans: bool) -> Result<PassReport, store::Error> {
        let on_hold = desk.store.on_hold().await?;
        let (posted, tally) = match on_hold {
            None => self.post_and_deliver(desk, plans).await?,
            Some(_) => (None, Tally::default()),
        };
        let standing = desk.counts().await?;
        let next_firing = desk.config.sending_days.next_firing(desk.clock.wall());
        Ok(PassReport { posted, tally, standing, next_firing, on_hold })
    }

    async fn post_and_deliver(
        &mut self,
        desk: &Desk<'_>,
        plans: bool,
    ) -> Result<(Option<Posted>, Tally), store::Error> {
        desk.tell_of_failures().await?;
        let (mut posted, mut tally) = match plans {
            true => {
                let (posted, tally) = self.post(desk).await?;
                (Some(posted), tally)
            }
            false => (None, deliver(&self.outbox, &mut self.lanes, self.lock, desk, false).await?),
        };
        if let Some(posted) = &mut posted
            && tally.withdrawn > 0
            && desk.store.has_freed().await?
        {
            // Somebody changed what was on its way; what else was in those messages goes in others.
            let (more, now) = self.post(desk).await?;
            posted.add(more);
            tally = later(tally, now);
        }
        if tally.rejected + tally.expired > 0 && desk.tell_of_failures().await? {
            let now = deliver(&self.outbox, &mut self.lanes, self.lock, desk, false).await?;
            tally = later(tally, now);
        }
        Ok((posted, tally))
    }

    /// Plans, and freezes what is due while the first of it is on its way.
    async fn post(&mut self, desk: &Desk<'_>) -> Result<(Posted, Tally), store::Error> {
        let posting = desk.plan_today().await?;
        let is_due = posting.is_due();
        let feed = self.outbox.feed();
        let freeze = async {
            let posted = posting.freeze(|| feed.tell()).await;
            drop(feed);
            posted
        };
        let deliver = deliver(&self.outbox, &mut self.lanes, self.lock, desk, is_due);
        let (posted, tally) = tokio::join!(freeze, deliver);
        Ok((posted?, tally?))
    }

    /// As [`Self::pass`], but waits for the rate limit where that is a matter of seconds, never under a pretended clock.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn whole_pass(
        &mut self,
        desk: &Desk<'_>,
        plans: bool,
    ) -> Result<PassReport, store::Error> {
        let mut report = self.pass(desk, plans).await?;
        while let Step::Waiting { until } = report.tally.end {
            let wait = until - desk.clock.now();
            if desk.clock.is_fixed() || wait.num_seconds() > PATIENCE_SECONDS_MAX {
                break;
            }
            tokio::time::sleep(wait.to_std().unwrap_or(Duration::ZERO)).await;
            let more = self.pass(desk, false).await?;
            report = PassReport {
                posted: report.posted,
                tally: later(report.tally, more.tally),
                ..more
            };
        }
        Ok(report)
    }
}

/// Delivers whatever waits, in a generation of its own: a copy of the store made before or meanwhile is known for old.
async fn deliver(
    outbox: &Outbox<'_>,
    lanes: &mut [Lane],
    lock: &SenderLock,
    desk: &Desk<'_>,
    more_comes: bool,
) -> Result<Tally, store::Error> {
    let (store, clock) = (desk.store, desk.clock);
    let is_idle = !more_comes && store.waiting(0, 1, clock.now(), desk.today()).await?.is_empty();
    if is_idle {
        return drain(outbox, lanes, clock).await;
    }
    store.begin_generation(lock).await?;
    let tally = match drain(outbox, lanes, clock).await? {
        // What the network left unknown is sent again at once, the same bytes; the later answer is the one that counts.
        tally @ Tally { unknown: 1.., end: Step::Idle, .. } => {
            later(tally, drain(outbox, lanes, clock).await?)
        }
        tally => tally,
    };
    store.begin_generation(lock).await?;
    Ok(tally)
}

/// Two tallies of one pass: what was unknown before has another outcome now.
fn later(before: Tally, now: Tally) -> Tally {
    Tally {
        sent: before.sent + now.sent,
        deferred: before.deferred + now.deferred,
        rejected: before.rejected + now.rejected,
        held: before.held + now.held,
        expired: before.expired + now.expired,
        withdrawn: before.withdrawn + now.withdrawn,
        ..now
    }
}

fn retry(config: &Config) -> Retry {
    Retry {
        give_up_after_days: config.delivery.give_up_after_days,
        on_unknown: config.delivery.on_unknown,
    }
}

fn limits(config: &Config, clock: &Clock) -> Limits {
    // Pretended time does not pass: a rate would end every rehearsal.
    let is_rated = config.mail.transport == TransportKind::Smtp && !clock.is_fixed();
    Limits {
        rate_per_minute: if is_rated { config.smtp.rate_per_minute } else { 0 },
        per_person_per_day_max: config.delivery.per_person_per_day_max,
        per_hour_max: config.delivery.per_hour_max,
    }
}

impl PassReport {
    /// Whether anything happened to any message.
    #[must_use]
    pub fn has_news(&self) -> bool {
        let end = self.tally.end;
        self.tally != Tally { end, capped: self.tally.capped, ..Tally::default() }
    }

    /// When more may be sent, where a limit or an unreachable server ended the pass.
    #[must_use]
    pub fn more_at(&self) -> Option<DateTime<Utc>> {
        match self.tally.end {
            Step::Waiting { until } | Step::Stopped { until } => Some(until),
            _ => None,
        }
    }
}

impl fmt::Display for PassReport {
    /// The one line that ends every pass.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let posted = self.posted.clone().unwrap_or_default();
        let (tally, standing) = (&self.tally, &self.standing);
        let held = standing.held + standing.unknown + tally.rejected + tally.expired;
        write!(f, "due {}, sent {}, deferred {}", posted.due, tally.sent, standing.deferred)?;
        write!(f, ", held {held}, vacancies {}", posted.vacancies)?;
        match self.next_firing {
            Some(at) => write!(f, ", next firing {}", at.format("%a %Y-%m-%d %H:%M"))?,
            None => f.write_str(", no next firing")?,
        }
        match self.on_hold {
            Some(_) => f.write_str(", on hold: the store was restored"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    #[test]
    fn a_rate_holds_in_real_time_only() {
        let environment = vec![("ADVIS__MAIL__TRANSPORT".into(), "smtp".into())];
        let config = crate::config::load(None, environment, NaiveDate::default()).unwrap();
        let zone = config.timezone;
        assert_eq!(limits(&config, &Clock::System(zone)).rate_per_minute, 30);
        let pretended = Clock::Fixed(DateTime::UNIX_EPOCH, zone);
        assert_eq!(limits(&config, &pretended).rate_per_minute, 0);
    }
}
