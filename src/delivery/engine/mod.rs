//! Carries messages from the outbox to the transport, one `step` a message, and records every move before the next.

mod outbox;
mod pace;
mod queue;

use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use self::outbox::Turn;
use super::state::{Next, Outcome, State, next};
use crate::clock::Clock;
use crate::mail::transport::{Connection, Envelope, Transport};
use crate::store;
use crate::store::outbox::{Claimed, Ending};
use crate::telemetry::{self, About};

pub use self::outbox::{CLAIM_PAGE, Debt, Feed, Outbox, Stopper};
pub use self::pace::Limits;

/// One connection and the message on it.
pub struct Lane {
    connection: Connection,
    /// The next message, begun while the one before it was recorded.
    ahead: Option<Ahead>,
    /// Claimed, to come after that.
    next: Option<Claimed>,
}

/// How far a lane came with its next message.
enum Ahead {
    /// Its body may leave (T3).
    Ready(Claimed),
    /// It went no further, and that is recorded.
    Ended(Step),
}

impl Lane {
    /// A lane that connects when its first message comes.
    #[must_use]
    pub fn new(transport: &Transport) -> Self {
        Self { connection: transport.connection(), ahead: None, next: None }
    }
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A message was accepted.
    Sent,
    /// Not this time; it is tried again.
    Deferred,
    /// Refused for good.
    Rejected,
    /// It may have been taken; it is sent again in the next pass.
    Unknown,
    /// The operator must decide.
    Held,
    /// Given up after too many days.
    Expired,
    /// Taken back between claim and body: nothing was sent.
    Withdrawn,
    /// Nothing more to do in this pass.
    Idle,
    /// A limit is reached; more may go at that time.
    Waiting {
        /// When.
        until: DateTime<Utc>,
    },
    /// The server cannot be reached, or does not let us in; try again at that time.
    Stopped {
        /// When.
        until: DateTime<Utc>,
    },
}

/// What a pass came to, in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Accepted.
    pub sent: u32,
    /// To be tried again.
    pub deferred: u32,
    /// Refused for good.
    pub rejected: u32,
    /// Perhaps taken; sent again in the next pass.
    pub unknown: u32,
    /// Waiting for the operator.
    pub held: u32,
    /// Given up after too many days.
    pub expired: u32,
    /// Taken back between claim and body.
    pub withdrawn: u32,
    /// Left waiting, because their readers got as many messages today as are allowed.
    pub capped: u32,
    /// Why the pass ended: [`Step::Idle`], [`Step::Waiting`] or [`Step::Stopped`].
    pub end: Step,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            sent: 0,
            deferred: 0,
            rejected: 0,
            unknown: 0,
            held: 0,
            expired: 0,
            withdrawn: 0,
            capped: 0,
            end: Step::Idle,
        }
    }
}

impl Tally {
    /// Counts a step; whether there may be more.
    fn count(&mut self, step: Step) -> bool {
        let count = match step {
            Step::Sent => &mut self.sent,
            Step::Deferred => &mut self.deferred,
            Step::Rejected => &mut self.rejected,
            Step::Unknown => &mut self.unknown,
            Step::Held => &mut self.held,
            Step::Expired => &mut self.expired,
            Step::Withdrawn => &mut self.withdrawn,
            Step::Idle | Step::Waiting { .. } | Step::Stopped { .. } => {
                self.end = step;
                return false;
            }
        };
        *count += 1;
        true
    }

    fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.deferred += other.deferred;
        self.rejected += other.rejected;
        self.unknown += other.unknown;
        self.held += other.held;
        self.expired += other.expired;
        self.withdrawn += other.withdrawn;
    }
}

/// One pass over all that waits: each message is tried at most once. Drives all lanes on this task until nothing more
/// may go, and takes leave of the server.
///
/// Never drop it halfway; ask with [`Outbox::stop`], and it ends after the messages on the wire.
///
/// # Errors
/// When the store fails. Lanes finish their message first; then begin with a new [`Outbox`], which puts right what
/// could not be recorded.
pub async fn drain(
    outbox: &Outbox<'_>,
    lanes: &mut [Lane],
    clock: &Clock,
) -> Result<Tally, store::Error> {
    outbox.begin_pass(clock).await?;
    let mut tally = Tally::default();
    let Some(first) = lanes.first_mut() else { return Ok(tally) };
    // The first message goes alone: a server that is down or refuses our password is asked once, not by every lane.
    if tally.count(step(first, outbox, clock).await?) {
        let working = lanes.iter_mut().map(|lane| work(lane, outbox, clock));
        // On this task, each to its end; of those that wait, only who is called.
        let worked: Vec<_> = working.collect::<FuturesUnordered<_>>().collect().await;
        for lane in worked {
            tally.add(&lane?);
        }
        tally.end = outbox.end().await;
    } else {
        first.connection.end().await;
    }
    tally.capped = outbox.capped().await;
    Ok(tally)
}

async fn work(lane: &mut Lane, outbox: &Outbox<'_>, clock: &Clock) -> Result<Tally, store::Error> {
    let mut tally = Tally::default();
    loop {
        let step = step(lane, outbox, clock).await;
        if step.is_err() {
            outbox.stop();
        }
        if !tally.count(step?) {
            break;
        }
    }
    lane.connection.end().await;
    Ok(tally)
}

/// One message on one connection: claim, body, record. The envelope of the next one goes right behind the body, and while
/// the one is recorded (T4) the connection goes on to where the body of the other may leave (T3), so that both moves
/// share a flush; the next step begins there.
///
/// # Errors
/// When the store fails. The connection is dropped; what cannot be recorded stands as it was claimed.
pub async fn step(
    lane: &mut Lane,
    outbox: &Outbox<'_>,
    clock: &Clock,
) -> Result<Step, store::Error> {
    let begun = match lane.ahead.take() {
        Some(begun) => begun,
        None => begin(lane, outbox, clock).await?,
    };
    let message = match begun {
        Ahead::Ready(message) => message,
        Ahead::Ended(step) => return Ok(step),
    };
    let next = lane.next.as_ref().and_then(envelope);
    let body = lane.connection.body(&message.mime, next.as_ref());
    let (outcome, looked_ahead) = tokio::join!(biased; body, outbox.look_ahead(clock));
    let recorded = conclude(outbox, clock, &message, State::Body, &outcome);
    if !matches!(outcome, Outcome::Accepted { .. }) || looked_ahead.is_err() {
        lane.connection.abandon();
        let step = recorded.await?;
        return looked_ahead.map(|()| step);
    }
    let (recorded, begun) = tokio::join!(biased; recorded, begin(lane, outbox, clock));
    let step = recorded?;
    lane.ahead = Some(begun?);
    Ok(step)
}

/// T2 and T3: the next message, up to where its body may leave, and T2 of the one after it.
async fn begin(
    Lane { connection, next, .. }: &mut Lane,
    outbox: &Outbox<'_>,
    clock: &Clock,
) -> Result<Ahead, store::Error> {
    let message = match outbox.take(next.take(), clock).await? {
        Turn::Message(message) => message,
        Turn::Rest(step) => return Ok(Ahead::Ended(step)),
    };
    let Some(envelope) = envelope(&message) else {
        telemetry::unsendable(about(&message), UNSENDABLE);
        let ending = ending(State::Open, State::Held, clock, UNSENDABLE.to_owned());
        return outbox.record(&message, &ending).await.map(Ahead::Ended);
    };
    if let Err(outcome) = connection.open(&envelope, &message.attempt.message_id).await {
        connection.abandon();
        return conclude(outbox, clock, &message, State::Open, &outcome).await.map(Ahead::Ended);
    }
    *next = outbox.take_ready().await;
    match outbox.begin_body(&message, clock).await {
        Ok(true) => Ok(Ahead::Ready(message)),
        missed_or_failed => {
            // After 354 nothing else is clean.
            connection.abandon();
            missed_or_failed.map(|_| Ahead::Ended(Step::Withdrawn))
        }
    }
}

/// T4, and what the outcome means for the queue.
async fn conclude(
    outbox: &Outbox<'_>,
    clock: &Clock,
    message: &Claimed,
    from: State,
    outcome: &Outcome,
) -> Result<Step, store::Error> {
    let retry = outbox.retry();
    let next = next(&message.attempt, outcome, retry, clock.now());
    let reply = match next.state {
        State::Expired => {
            let days = retry.give_up_after_days;
            format!("given up after {days} days; the last answer: {}", outcome.text())
        }
        _ => outcome.text().to_owned(),
    };
    let failed = !matches!(outcome, Outcome::Accepted { .. });
    let ending = Ending {
        next_at: next.at,
        stage: failed.then(|| outcome.stage()),
        code: outcome.code(),
        in_doubt: matches!(next.state, State::Unknown | State::Held),
        ..ending(from, next.state, clock, reply)
    };
    tell(message, &next, &ending);
    let step = outbox.record(message, &ending).await?;
    outbox.heed(message, &next, outcome, clock).await?;
    Ok(step)
}

/// An ending without details.
fn ending(from: State, state: State, clock: &Clock, reply: String) -> Ending {
    let (at, today) = (clock.now(), clock.today());
    Ending {
        from,
        state,
        next_at: None,
        stage: None,
        code: None,
        reply,
        in_doubt: false,
        at,
        today,
    }
}

fn tell(message: &Claimed, next: &Next, ending: &Ending) {
    let stage = ending.stage.map_or("", |stage| stage.name());
    match next.state {
        State::Accepted => telemetry::accepted(about(message), ending.code, &ending.reply),
        State::Deferred => telemetry::deferred(about(message), stage, &ending.reply, next.at),
        state => telemetry::failed(about(message), state.name(), stage, &ending.reply),
    }
}

const UNSENDABLE: &str = "sender or recipient is no address that mail can go to";

fn envelope(message: &Claimed) -> Option<Envelope> {
    Some(Envelope { from: message.sender.parse().ok()?, to: message.recipient.parse().ok()? })
}

fn about(message: &Claimed) -> About<'_> {
    About {
        id: message.id,
        message_id: &message.attempt.message_id,
        to: &message.recipient,
        attempt: message.attempt.number,
    }
}
