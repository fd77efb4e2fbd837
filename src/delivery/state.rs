//! What an attempt led to, and the state that follows. Total, no I/O.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

mod order;

pub use order::{Order, Standing, obey};

/// Longest reply text kept in the log, in characters.
pub const REPLY_CHARS_MAX: usize = 512;

/// How far an attempt had come on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// Name look-up and TCP connect.
    Connect,
    /// The server's first line (220).
    Greeting,
    /// EHLO, before or after TLS.
    Ehlo,
    /// The STARTTLS command and its reply.
    StartTls,
    /// The TLS handshake, certificate included.
    Tls,
    /// AUTH, and fetching the password or token for it.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA, which must answer 354.
    Data,
    /// The body, the closing dot and the reply to it. From here on nothing proves that the server has nothing.
    Body,
}

impl Stage {
    /// The name in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Greeting => "greeting",
            Self::Ehlo => "ehlo",
            Self::StartTls => "starttls",
            Self::Tls => "tls",
            Self::Auth => "auth",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::Body => "body",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What an attempt led to. Classified by the stage reached, never by the kind of error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiving side answered for the whole message: SMTP 250 after the dot, or a file made durable.
    Accepted {
        /// SMTP reply code; `None` from the file transport.
        code: Option<u16>,
        /// SMTP reply text, or the path of the file.
        reply: String,
    },
    /// The server said no, with a 4xx or 5xx reply.
    Refused {
        /// The command it answered.
        stage: Stage,
        /// 400 to 599.
        code: u16,
        /// The reply text, at most [`REPLY_CHARS_MAX`] characters.
        reply: String,
    },
    /// No answer that can be trusted: refused or lost connection, time-out, a reply that fits nowhere.
    Broken {
        /// Where it broke.
        stage: Stage,
        /// What happened, for people; never a secret or an address.
        cause: String,
    },
}

impl Outcome {
    /// How far the attempt had come; acceptance is the answer to the whole body.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self {
            Self::Accepted { .. } => Stage::Body,
            Self::Refused { stage, .. } | Self::Broken { stage, .. } => *stage,
        }
    }

    /// The SMTP reply code, where there was a reply.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Accepted { code, .. } => *code,
            Self::Refused { code, .. } => Some(*code),
            Self::Broken { .. } => None,
        }
    }

    /// What the server said, the path of the file, or what broke.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Accepted { reply, .. } | Self::Refused { reply, .. } => reply,
            Self::Broken { cause, .. } => cause,
        }
    }
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Frozen, waits for its turn.
    Ready,
    /// Claimed; provably nothing of its body has left.
    Open,
    /// Its body is on the wire; nothing proves any more that the server has nothing.
    Body,
    /// The server answered for it.
    Accepted,
    /// Provably not taken, or refused for now; tried again.
    Deferred,
    /// Refused for good.
    Rejected,
    /// It may have been taken; sent again, the same bytes under the same Message-ID.
    Unknown,
    /// Withdrawn before it left: a commitment in it changed.
    Cancelled,
    /// Withdrawn before it left: a later step replaces a reminder in it.
    Superseded,
    /// Given up after too many days.
    Expired,
    /// Waits for the operator.
    Held,
}

impl State {
    /// Every state, in the order of a message's life.
    pub const ALL: [Self; 11] = [
        Self::Ready,
        Self::Open,
        Self::Body,
        Self::Accepted,
        Self::Deferred,
        Self::Rejected,
        Self::Unknown,
        Self::Cancelled,
        Self::Superseded,
        Self::Expired,
        Self::Held,
    ];

    /// The name in the store and in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Open => "open",
            Self::Body => "body",
            Self::Accepted => "accepted",
            Self::Deferred => "deferred",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
            Self::Expired => "expired",
            Self::Held => "held",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What becomes of a message that may have been taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OnUnknown {
    /// Sent again after each interruption by a crash of ours, and once after one of the network; then held.
    #[default]
    ResendOnce,
    /// Held at once.
    Hold,
}

/// When to try again, and when to stop trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Days until a message is given up, from its freezing, or from the operator's word to send it again.
    pub give_up_after_days: u32,
    /// What becomes of a message that may have been taken.
    pub on_unknown: OnUnknown,
}

/// First delay after a failed attempt; it doubles with each further one.
pub const DELAY_SECONDS_MIN: i64 = 60;
/// Longest delay between two attempts.
pub const DELAY_SECONDS_MAX: i64 = 4 * 60 * 60;
/// Greylisting servers open after some minutes, and few before a quarter of an hour.
pub const GREYLIST_SECONDS_MIN: i64 = 15 * 60;
/// Longest delay for a greylisting server.
pub const GREYLIST_SECONDS_MAX: i64 = 30 * 60;
/// How long the queue stops after a refused login, so that no account is locked by our trying.
pub const LOGIN_STOP_SECONDS: i64 = 15 * 60;

/// "Service closing the connection" (RFC 5321, 4.2.2): it may answer any command.
const CLOSING: u16 = 421;
/// "Mailbox unavailable" and "local error" for now: what greylisting answers (RFC 6647, 2.1).
const GREYLISTING: [u16; 2] = [450, 451];
/// "Authentication required" (RFC 4954, 6): may answer MAIL, and says nothing about the message.
const LOGIN_REQUIRED: u16 = 530;

/// The attempt that an outcome is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// With its brackets; seeds the jitter, so that retries spread without chance.
    pub message_id: String,
    /// 1, 2, …
    pub number: u32,
    /// How many attempts before this one the network left unknown.
    pub unknowns: u32,
    /// Since when it has been tried: when it was frozen, or an operator said to send it again.
    pub since: DateTime<Utc>,
}

/// What follows from an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Next {
    /// The message's new state.
    pub state: State,
    /// When to try again: set for [`State::Deferred`], and only then.
    pub at: Option<DateTime<Utc>>,
    /// Whether all messages wait, for at least [`LOGIN_STOP_SECONDS`]: the server does not let us in.
    pub stop_queue: bool,
    /// Whether the connection must not carry another message.
    pub drop_connection: bool,
}

/// The state that follows from `outcome`. Total: every stage, code and time has an answer.
#[must_use]
pub fn next(attempt: &Attempt, outcome: &Outcome, retry: &Retry, now: DateTime<Utc>) -> Next {
    let stay = |state| Next { state, at: None, stop_queue: false, drop_connection: false };
    match *outcome {
        Outcome::Accepted { .. } => stay(State::Accepted),
        Outcome::Broken { stage: Stage::Body, .. } => {
            Next { drop_connection: true, ..stay(doubtful(attempt, retry)) }
        }
        Outcome::Broken { .. } => {
            let seconds = backoff_seconds(attempt);
            Next { drop_connection: true, ..defer(attempt, retry, now, seconds) }
        }
        Outcome::Refused { stage, code, .. } if is_about_login(stage, code) => {
            let seconds = backoff_seconds(attempt).max(LOGIN_STOP_SECONDS);
            let next = defer(attempt, retry, now, seconds);
            Next { stop_queue: true, drop_connection: true, ..next }
        }
        Outcome::Refused { stage, code, .. } if code >= 500 && stage >= Stage::Mail => {
            stay(State::Rejected)
        }
        Outcome::Refused { stage, code, .. } => {
            let seconds = if GREYLISTING.contains(&code) {
                spread(attempt, GREYLIST_SECONDS_MIN, GREYLIST_SECONDS_MAX)
            } else {
                backoff_seconds(attempt)
            };
            // Before MAIL the server refuses us, not the message.
            let drop_connection = code == CLOSING || stage < Stage::Mail;
            Next { drop_connection, ..defer(attempt, retry, now, seconds) }
        }
    }
}

fn is_about_login(stage: Stage, code: u16) -> bool {
    (stage == Stage::Auth && code >= 500) || (stage >= Stage::Mail && code == LOGIN_REQUIRED)
}

fn doubtful(attempt: &Attempt, retry: &Retry) -> State {
    match retry.on_unknown {
        OnUnknown::ResendOnce if attempt.unknowns == 0 => State::Unknown,
        OnUnknown::ResendOnce | OnUnknown::Hold => State::Held,
    }
}

/// Deferred, the last time at the very end of the days allowed; expired after it.
fn defer(attempt: &Attempt, retry: &Retry, now: DateTime<Utc>, seconds: i64) -> Next {
    let end = TimeDelta::try_days(i64::from(retry.give_up_after_days))
        .and_then(|days| attempt.since.checked_add_signed(days))
        .unwrap_or(DateTime::<Utc>::MAX_UTC);
    let at = now.checked_add_signed(TimeDelta::seconds(seconds)).unwrap_or(end).min(end);
    let waits = now < end;
    Next {
        state: if waits { State::Deferred } else { State::Expired },
        at: waits.then_some(at),
        stop_queue: false,
        drop_connection: false,
    }
}

/// Doubles from [`DELAY_SECONDS_MIN`] with each attempt, up to [`DELAY_SECONDS_MAX`], a quarter of it jitter.
fn backoff_seconds(attempt: &Attempt) -> i64 {
    let doublings = attempt.number.saturating_sub(1).min(16);
    let delay = (DELAY_SECONDS_MIN << doublings).min(DELAY_SECONDS_MAX * 4 / 5);
    spread(attempt, delay, delay + delay / 4)
}

/// A number of seconds in `least..=most` that this attempt of this message always gets.
fn spread(attempt: &Attempt, least: i64, most: i64) -> i64 {
    let seed = Sha256::new()
        .chain_update(&attempt.message_id)
        .chain_update(attempt.number.to_be_bytes())
        .finalize();
    let seed = seed.iter().take(4).fold(0, |seed, byte| seed << 8 | i64::from(*byte));
    least + seed % (most - least + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STAGES: [Stage; 10] = [
        Stage::Connect,
        Stage::Greeting,
        Stage::Ehlo,
        Stage::StartTls,
        Stage::Tls,
        Stage::Auth,
        Stage::Mail,
        Stage::Rcpt,
        Stage::Data,
        Stage::Body,
    ];
    const RETRY: Retry = Retry { give_up_after_days: 5, on_unknown: OnUnknown::ResendOnce };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_577_952_000 + seconds, 0).unwrap()
    }

    fn attempt(number: u32, unknowns: u32) -> Attempt {
        let message_id = "<a.advis@kommune.example>".to_owned();
        Attempt { message_id, number, unknowns, since: at(0) }
    }

    fn refused(stage: Stage, code: u16) -> Outcome {
        Outcome::Refused { stage, code, reply: "no".to_owned() }
    }

    fn broken(stage: Stage) -> Outcome {
        Outcome::Broken { stage, cause: "connection lost".to_owned() }
    }

    /// State, whether the queue stops, whether the connection is dropped.
    type Follows = (State, bool, bool);

    const GOES_ON: bool = false;
    const STOPS: bool = true;
    const KEPT: bool = false;
    const DROPPED: bool = true;

    fn follows(outcome: &Outcome) -> Follows {
        let next = next(&attempt(1, 0), outcome, &RETRY, at(0));
        assert_eq!(next.at.is_some(), next.state == State::Deferred, "{outcome:?}");
        (next.state, next.stop_queue, next.drop_connection)
    }

    #[test]
    fn a_refusal_of_the_message_is_for_good_or_for_now() {
        for stage in [Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Body] {
            for code in [500, 501, 550, 552, 553, 554] {
                let refused = refused(stage, code);
                assert_eq!(follows(&refused), (State::Rejected, GOES_ON, KEPT), "{refused:?}");
            }
            for code in [450, 451, 452, 455] {
                let refused = refused(stage, code);
                assert_eq!(follows(&refused), (State::Deferred, GOES_ON, KEPT), "{refused:?}");
            }
            let required = refused(stage, 530);
            assert_eq!(follows(&required), (State::Deferred, STOPS, DROPPED), "{required:?}");
        }
    }

    #[test]
    fn a_refusal_before_mail_is_about_us_and_only_a_refused_login_stops_the_queue() {
        for stage in [Stage::Connect, Stage::Greeting, Stage::Ehlo, Stage::StartTls, Stage::Tls] {
            for code in [421, 450, 454, 500, 530, 550, 554] {
                let refused = refused(stage, code);
                assert_eq!(follows(&refused), (State::Deferred, GOES_ON, DROPPED), "{refused:?}");
            }
        }
        for (code, stops) in
            [(421, GOES_ON), (454, GOES_ON), (504, STOPS), (534, STOPS), (535, STOPS)]
        {
            let refused = refused(Stage::Auth, code);
            assert_eq!(follows(&refused), (State::Deferred, stops, DROPPED), "{refused:?}");
        }
    }

    #[test]
    fn a_server_that_closes_is_left_and_tried_again() {
        for stage in STAGES {
            assert_eq!(follows(&refused(stage, 421)), (State::Deferred, GOES_ON, DROPPED));
        }
    }

    #[test]
    fn what_breaks_before_the_body_was_not_taken() {
        for stage in STAGES.into_iter().filter(|stage| *stage < Stage::Body) {
            assert_eq!(follows(&broken(stage)), (State::Deferred, GOES_ON, DROPPED), "{stage}");
        }
    }

    #[test]
    fn what_breaks_in_the_body_is_sent_once_more_or_held() {
        use OnUnknown::{Hold, ResendOnce};
        for (on_unknown, unknowns, state) in [
            (ResendOnce, 0, State::Unknown),
            (ResendOnce, 1, State::Held),
            (ResendOnce, 2, State::Held),
            (Hold, 0, State::Held),
            (Hold, 1, State::Held),
        ] {
            let retry = Retry { on_unknown, ..RETRY };
            let next = next(&attempt(1, unknowns), &broken(Stage::Body), &retry, at(0));
            let held = Next { state, at: None, stop_queue: false, drop_connection: true };
            assert_eq!(next, held, "{on_unknown:?} after {unknowns}");
        }
    }

    #[test]
    fn acceptance_ends_it() {
        let accepted = Outcome::Accepted { code: Some(250), reply: "Ok".to_owned() };
        assert_eq!(follows(&accepted), (State::Accepted, GOES_ON, KEPT));
    }

    #[test]
    fn delays_double_from_a_minute_to_four_hours() {
        for (number, least) in [
            (0, 60),
            (1, 60),
            (2, 120),
            (3, 240),
            (8, 7_680),
            (9, 11_520),
            (10, 11_520),
            (u32::MAX, 11_520),
        ] {
            let next = next(&attempt(number, 0), &broken(Stage::Connect), &RETRY, at(0));
            let delay = (next.at.unwrap() - at(0)).num_seconds();
            assert!((least..=least + least / 4).contains(&delay), "{number}: {delay}");
        }
    }

    #[test]
    fn greylisting_and_a_refused_login_wait_a_quarter_of_an_hour() {
        for (outcome, least, most) in [
            (refused(Stage::Rcpt, 450), 900, 1_800),
            (refused(Stage::Body, 451), 900, 1_800),
            (refused(Stage::Auth, 535), 900, 900),
        ] {
            let next = next(&attempt(1, 0), &outcome, &RETRY, at(0));
            let delay = (next.at.unwrap() - at(0)).num_seconds();
            assert!((least..=most).contains(&delay), "{outcome:?}: {delay}");
        }
    }

    #[test]
    fn the_last_attempt_is_made_at_the_end_of_the_days_allowed() {
        const DAYS: i64 = 5 * 24 * 3_600;
        for (now, state, again) in [
            (DAYS - 10_000_000, State::Deferred, None),
            (DAYS - 30, State::Deferred, Some(DAYS)),
            (DAYS, State::Expired, None),
            (DAYS + 30, State::Expired, None),
        ] {
            let next = next(&attempt(1, 0), &broken(Stage::Connect), &RETRY, at(now));
            assert_eq!(next.state, state, "at {now}");
            if let Some(again) = again {
                assert_eq!(next.at, Some(at(again)));
            }
        }
    }

    #[test]
    fn every_state_is_found_by_its_name() {
        for state in State::ALL {
            assert_eq!(State::from_name(state.name()), Some(state));
        }
        assert_eq!(State::from_name("planned"), None);
    }

    fn outcomes() -> impl Strategy<Value = Outcome> {
        let stage = prop::sample::select(STAGES.to_vec());
        prop_oneof![
            Just(Outcome::Accepted { code: None, reply: String::new() }),
            (stage.clone(), any::<u16>()).prop_map(|(stage, code)| refused(stage, code)),
            stage.prop_map(broken),
        ]
    }

    proptest! {
        #[test]
        fn every_attempt_leads_somewhere_and_never_back_in_time(
            outcome in outcomes(),
            message_id in ".{0,40}",
            (number, unknowns, give_up_after_days) in any::<(u32, u32, u32)>(),
            (frozen, now) in (-9_000_000_000i64..9_000_000_000, -9_000_000_000i64..9_000_000_000),
            hold in any::<bool>(),
        ) {
            let attempt = Attempt { message_id, number, unknowns, since: at(frozen) };
            let on_unknown = if hold { OnUnknown::Hold } else { OnUnknown::ResendOnce };
            let retry = Retry { give_up_after_days, on_unknown };
            let next = super::next(&attempt, &outcome, &retry, at(now));
            prop_assert_eq!(next, super::next(&attempt, &outcome, &retry, at(now)));
            prop_assert_eq!(next.at.is_some(), next.state == State::Deferred);
            if let Some(again) = next.at {
                prop_assert!(again > at(now));
                prop_assert!(again <= at(now + DELAY_SECONDS_MAX));
            }
            let accepted = matches!(outcome, Outcome::Accepted { .. });
            prop_assert_eq!(next.state == State::Accepted, accepted);
            let doubtful = matches!(outcome, Outcome::Broken { stage: Stage::Body, .. });
            prop_assert_eq!(matches!(next.state, State::Unknown | State::Held), doubtful);
        }
    }
}
