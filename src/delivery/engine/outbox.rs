//! The one queue that all lanes draw from, and what holds it back.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use chrono::TimeDelta;
use tokio::sync::{Mutex, Notify};

use super::pace::{HOUR, Limits, Pace};
use super::queue::Queue;
use super::{Step, about};
use crate::clock::Clock;
use crate::delivery::state::{
    DELAY_SECONDS_MAX, DELAY_SECONDS_MIN, LOGIN_STOP_SECONDS, Next, Outcome, Retry, Stage, State,
};
use crate::store::outbox::{Claimed, Ending, Past};
use crate::store::{Error, Store};
use crate::telemetry;

/// Messages claimed ahead of the sockets in one unit of work: each is a flush of the disk that all lanes share. Their bytes
/// are held in memory.
pub const CLAIM_PAGE: usize = 32;

/// Messages left in a page when the next is claimed: some for every lane while that takes.
const CLAIM_AHEAD: usize = 8;

/// Connections lost one after the other, with nothing delivered between them, until the queue waits.
const BREAKS_MAX: u32 = 3;

/// The outbox as one sender sees it: where to record, in which epoch, and under which limits.
pub struct Outbox<'a> {
    store: &'a Store,
    epoch: i64,
    retry: Retry,
    limits: Limits,
    stop: Stopper,
    queue: Mutex<Queue>,
    /// Held by the lane that claims the next page.
    claiming: Mutex<()>,
    feeds: AtomicUsize,
    fed: Notify,
}

/// Asks a sender to stop; its copies ask the same one.
#[derive(Debug, Clone, Default)]
pub struct Stopper(Arc<AtomicBool>);

impl Stopper {
    /// Ends the pass under way after the messages on the wire, and every later one before it begins.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// As long as it is there, more messages come into the outbox: a lane that finds none waits for them.
pub struct Feed<'o, 's>(&'o Outbox<'s>);

impl Feed<'_, '_> {
    /// There are new messages.
    pub fn tell(&self) {
        self.0.fed.notify_waiters();
    }
}

impl Drop for Feed<'_, '_> {
    fn drop(&mut self) {
        self.0.feeds.fetch_sub(1, Ordering::Relaxed);
        self.tell();
    }
}

/// What a server answered and a failing store could not be told: kept, so that a sick disk makes nothing unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Debt {
    epoch: i64,
    id: i64,
    ending: Ending,
}

impl Debt {
    /// Records what it can; what it could not stays in `debts`.
    ///
    /// # Errors
    /// When the store fails still.
    pub async fn settle(debts: &mut Vec<Self>, store: &Store) -> Result<(), Error> {
        while let Some(Self { epoch, id, ending }) = debts.last() {
            store.record(*epoch, *id, ending).await?;
            debts.pop();
        }
        Ok(())
    }
}

/// What a lane gets when it asks for work.
pub(super) enum Turn {
    Message(Claimed),
    Rest(Step),
}

impl<'a> Outbox<'a> {
    /// Begins a sender's life and puts right what an earlier one left behind; only under the sender's lock.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn begin(
        store: &'a Store,
        retry: Retry,
        limits: Limits,
        clock: &Clock,
    ) -> Result<Self, Error> {
        let recovered = store.recover(retry.on_unknown, clock.now()).await?;
        telemetry::sender_began(
            recovered.epoch,
            recovered.released,
            recovered.unknown,
            recovered.held,
        );
        Ok(Self {
            store,
            epoch: recovered.epoch,
            retry,
            limits,
            stop: Stopper::default(),
            queue: Mutex::new(Queue { pace: Pace::new(&limits, Vec::new()), ..Queue::default() }),
            claiming: Mutex::default(),
            feeds: AtomicUsize::new(0),
            fed: Notify::new(),
        })
    }

    /// Has the lanes wait for what is still to come.
    pub fn feed(&self) -> Feed<'_, 'a> {
        self.feeds.fetch_add(1, Ordering::Relaxed);
        Feed(self)
    }

    /// What could not be recorded, since the store failed; [`Debt::settle`] it before another sender begins.
    pub async fn into_debts(self) -> Vec<Debt> {
        self.queue.into_inner().debts
    }

    /// Asks the pass under way to end after the messages on the wire, and every later one not to begin.
    pub fn stop(&self) {
        self.stop.stop();
    }

    /// The means to ask for that from beside a pass under way.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stop.clone()
    }

    pub(super) fn retry(&self) -> &Retry {
        &self.retry
    }

    /// Starts over with the oldest message. [`super::drain`] does so itself; it is for those who step lanes one by one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn begin_pass(&self, clock: &Clock) -> Result<(), Error> {
        let now = clock.now();
        let past = self.store.attempts_between(now - HOUR, now).await?;
        let stopped = self.store.queue_stopped_until().await?;
        let mut queue = self.queue.lock().await;
        self.release(&mut queue).await?;
        // A stop that lies further ahead than any we make comes from a clock that has been set back since.
        let latest = now + TimeDelta::seconds(DELAY_SECONDS_MAX);
        let paused_until = stopped
            .max(queue.paused_until)
            .filter(|until| (now..=latest).contains(until) && *until > now);
        *queue = Queue {
            debts: std::mem::take(&mut queue.debts),
            pace: Pace::new(&self.limits, past),
            paused_until,
            end: paused_until.map(|until| Step::Stopped { until }),
            ..Queue::default()
        };
        Ok(())
    }

    /// Why the pass ended.
    pub(super) async fn end(&self) -> Step {
        self.queue.lock().await.end.unwrap_or(Step::Idle)
    }

    /// How many messages were left waiting because of their reader's daily cap.
    pub(super) async fn capped(&self) -> u32 {
        self.queue.lock().await.capped
    }

    /// T2: the message that was [ready](Self::take_ready), else the next one, by number.
    pub(super) async fn take(
        &self,
        mut ready: Option<Claimed>,
        clock: &Clock,
    ) -> Result<Turn, Error> {
        loop {
            let mut fed = pin!(self.fed.notified());
            // From here on no news is missed.
            fed.as_mut().enable();
            let mut queue = self.queue.lock().await;
            if self.is_halted(&mut queue) {
                queue.page.extend(ready.take());
                self.release(&mut queue).await?;
            }
            if let Some(message) = ready.take().or_else(|| queue.page.pop_front()) {
                return Ok(Turn::Message(message));
            }
            if let Some(end) = queue.end {
                return Ok(Turn::Rest(end));
            }
            drop(queue);
            if !self.claim(clock).await? {
                fed.await;
            }
        }
    }

    /// T2: the next message if there is one to be had at once. It counts as taken when [`Self::take`] gets it back.
    pub(super) async fn take_ready(&self) -> Option<Claimed> {
        let mut queue = self.queue.lock().await;
        if self.is_halted(&mut queue) { None } else { queue.page.pop_front() }
    }

    /// T2: claims the next page when this one comes to its end, so that no lane waits for it.
    pub(super) async fn look_ahead(&self, clock: &Clock) -> Result<(), Error> {
        let queue = self.queue.lock().await;
        let is_low = queue.page.len() <= CLAIM_AHEAD && queue.is_plenty;
        if is_low && queue.end.is_none() && !self.stop.is_asked() {
            drop(queue);
            self.claim(clock).await?;
        }
        Ok(())
    }

    /// Whether nothing more may go, claimed or not: somebody asked for it, or the server wants to be left alone.
    fn is_halted(&self, queue: &mut Queue) -> bool {
        if self.stop.is_asked() {
            queue.end.get_or_insert(Step::Idle);
            return true;
        }
        matches!(queue.end, Some(Step::Stopped { .. }))
    }

    /// Fills the page, or says why not; `false` when there is nothing now and more may come, or another lane is at it.
    /// Meanwhile the others go on with what is in the page.
    async fn claim(&self, clock: &Clock) -> Result<bool, Error> {
        let Ok(claiming) = self.claiming.try_lock() else { return Ok(false) };
        let claimed = self.claim_page(clock).await;
        let mut queue = self.queue.lock().await;
        // Whoever is told next may claim.
        drop(claiming);
        if self.is_halted(&mut queue) {
            self.release(&mut queue).await?;
        }
        // Where there is nothing, whoever feeds tells.
        if !matches!(claimed, Ok(false)) {
            self.fed.notify_waiters();
        }
        claimed
    }

    async fn claim_page(&self, clock: &Clock) -> Result<bool, Error> {
        loop {
            let now = clock.now();
            // Asked before the store is: what comes in between is told of, and whose message is recorded meanwhile counts
            // as under way.
            let more_comes = self.feeds.load(Ordering::Relaxed) > 0;
            let place = self.queue.lock().await.place(self.limits.per_hour_max, now);
            let Some(place) = place else { return Ok(true) };
            let waiting = self.store.waiting(place.after, CLAIM_PAGE, now, clock.today()).await?;
            let ids = {
                let mut queue = self.queue.lock().await;
                queue.is_plenty = waiting.len() == CLAIM_PAGE;
                if waiting.is_empty() {
                    if !more_comes {
                        queue.end.get_or_insert(Step::Idle);
                    }
                    return Ok(!more_comes);
                }
                queue.admit(&waiting, &place, self.limits.per_person_per_day_max)
            };
            if !ids.is_empty() {
                let claimed = self.store.claim(self.epoch, &ids, now).await?;
                telemetry::claimed(claimed.len());
                let mut queue = self.queue.lock().await;
                queue.under_way.extend(claimed.iter().map(|message| message.address_key.clone()));
                queue.page.extend(claimed);
                return Ok(true);
            }
        }
    }

    /// Puts back what was claimed ahead.
    async fn release(&self, queue: &mut Queue) -> Result<(), Error> {
        let ids: Vec<i64> = queue.page.drain(..).map(|message| message.id).collect();
        if !ids.is_empty() {
            self.store.release(self.epoch, &ids).await?;
            telemetry::released(ids.len());
        }
        Ok(())
    }

    /// T3: whether the body may leave.
    pub(super) async fn begin_body(&self, message: &Claimed, clock: &Clock) -> Result<bool, Error> {
        let may = self.store.begin_body(self.epoch, message.id, clock.now()).await?;
        if may {
            telemetry::body_begins(about(message));
        } else {
            telemetry::missed(about(message));
            self.queue.lock().await.forget(message);
        }
        Ok(may)
    }

    /// T4, and the step that it makes.
    pub(super) async fn record(&self, message: &Claimed, ending: &Ending) -> Result<Step, Error> {
        let recorded = match self.store.record(self.epoch, message.id, ending).await {
            // A commit that failed may have been made all the same; then this one is a miss, and all is well.
            Err(_) => self.store.record(self.epoch, message.id, ending).await.map(|_| true),
            recorded => recorded,
        };
        let mut queue = self.queue.lock().await;
        if recorded.is_err() {
            let (epoch, id, ending) = (self.epoch, message.id, ending.clone());
            queue.debts.push(Debt { epoch, id, ending });
        }
        queue.forget(message);
        queue.pace.add(Past { at: ending.at, accepted: ending.state == State::Accepted });
        if recorded? {
            return Ok(match ending.state {
                State::Accepted => Step::Sent,
                State::Deferred => Step::Deferred,
                State::Rejected => Step::Rejected,
                State::Expired => Step::Expired,
                State::Unknown => Step::Unknown,
                _ => Step::Held,
            });
        }
        if ending.from == State::Body {
            telemetry::lost(about(message), ending.state.name());
        }
        Ok(Step::Withdrawn)
    }

    /// Lets the queue wait when an outcome is about the server more than about its message.
    pub(super) async fn heed(
        &self,
        message: &Claimed,
        next: &Next,
        outcome: &Outcome,
        clock: &Clock,
    ) -> Result<(), Error> {
        let mut queue = self.queue.lock().await;
        queue.breaks = if next.drop_connection { queue.breaks + 1 } else { 0 };
        let now = clock.now();
        let after = |seconds| (now + TimeDelta::seconds(seconds)).max(next.at.unwrap_or(now));
        let until = if next.stop_queue {
            let until = after(LOGIN_STOP_SECONDS);
            // Kept in the store, or a timer that calls `once` would lock the account.
            self.store.stop_queue(until).await?;
            // Lanes that log in at the same time are all refused; that is one alarm.
            if !std::mem::replace(&mut queue.alarmed, true) {
                telemetry::queue_stopped(until, &message.recipient, outcome.text());
            }
            until
        } else if next.drop_connection
            && (outcome.stage() < Stage::Mail || queue.breaks >= BREAKS_MAX)
        {
            let until = after(DELAY_SECONDS_MIN);
            telemetry::queue_paused(until, outcome.stage().name());
            until
        } else {
            return Ok(());
        };
        queue.paused_until = queue.paused_until.max(Some(until));
        queue.end = queue.paused_until.map(|until| Step::Stopped { until });
        self.release(&mut queue).await
    }
}
