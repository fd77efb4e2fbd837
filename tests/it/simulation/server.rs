//! The mail server of a simulation: answers by chance, and writes down what it took.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use advis::delivery::state::{Outcome, Stage};
use advis::mail::transport::Transport;
use advis::mail::transport::scripted::{Answer, Ask, ScriptedTransport};
use chrono::{DateTime, Utc};
use fastrand::Rng;
use sha2::{Digest, Sha256};
use tokio::sync::Notify;

/// A message that the server took, be it that the sender never heard of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) at: DateTime<Utc>,
    pub(crate) message_id: String,
    pub(crate) to: String,
    /// SHA-256 of the bytes.
    pub(crate) digest: [u8; 32],
    /// Whether the sender was told so.
    pub(crate) told: bool,
}

#[derive(Debug)]
struct Inside {
    rng: Rng,
    now: DateTime<Utc>,
    /// Of a hundred stages, how many go wrong.
    faults: u32,
    is_down: bool,
    /// Whose messages are at their bodies, by Message-ID.
    to: BTreeMap<String, String>,
    ledger: Vec<Taken>,
}

/// The server; its copies are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    inside: Arc<Mutex<Inside>>,
    kills: Arc<Notify>,
}

impl Server {
    pub(crate) fn new(rng: Rng, faults: u32, now: DateTime<Utc>) -> Self {
        let (ledger, to) = (Vec::new(), BTreeMap::new());
        let inside = Inside { rng, now, faults, is_down: false, to, ledger };
        Self { inside: Arc::new(Mutex::new(inside)), kills: Arc::default() }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap()
    }

    pub(crate) fn transport(&self) -> Transport {
        let server = self.clone();
        Transport::Scripted(ScriptedTransport::new(move |ask| {
            let answer = server.inside().answer(ask);
            if answer == Answer::Never {
                server.kills.notify_one();
            }
            answer
        }))
    }

    pub(crate) fn set(&self, now: DateTime<Utc>, is_down: bool) {
        let mut inside = self.inside();
        (inside.now, inside.is_down) = (now, is_down);
    }

    /// From now on nothing goes wrong.
    pub(crate) fn heal(&self) {
        let mut inside = self.inside();
        (inside.faults, inside.is_down) = (0, false);
    }

    /// Ends when the sender is killed while it waits for an answer.
    pub(crate) async fn killing(&self) {
        self.kills.notified().await;
    }

    pub(crate) fn ledger(&self) -> Vec<Taken> {
        self.inside().ledger.clone()
    }
}

impl Inside {
    fn answer(&mut self, ask: Ask<'_>) -> Answer {
        match ask {
            Ask::Open { envelope, message_id, .. } => {
                self.to.insert(message_id.to_owned(), envelope.to.as_str().to_owned());
                self.open()
            }
            Ask::Body { message_id, mime } => self.body(message_id, mime),
        }
    }

    fn goes_wrong(&mut self) -> bool {
        self.rng.u32(0..100) < self.faults
    }

    fn open(&mut self) -> Answer {
        if self.is_down {
            return broken(Stage::Connect);
        }
        if !self.goes_wrong() {
            return Answer::GoOn;
        }
        match self.rng.u32(0..16) {
            0 => broken(Stage::Connect),
            1 => broken(Stage::Greeting),
            2 => broken(Stage::Tls),
            3 => broken(Stage::Mail),
            4 => broken(Stage::Rcpt),
            5 => broken(Stage::Data),
            6 => refused(Stage::Greeting, 554),
            7 => refused(Stage::Auth, 535),
            8 => refused(Stage::Auth, 454),
            9 => refused(Stage::Mail, 421),
            10 => refused(Stage::Rcpt, 550),
            11 => refused(Stage::Data, 452),
            12 => Answer::Never,
            _ => refused(Stage::Rcpt, 450),
        }
    }

    fn body(&mut self, message_id: &str, mime: &[u8]) -> Answer {
        if !self.goes_wrong() {
            return self.take(message_id, mime, true);
        }
        match self.rng.u32(0..8) {
            0 => broken(Stage::Data),
            1 => broken(Stage::Body),
            2 => {
                self.take(message_id, mime, false);
                broken(Stage::Body)
            }
            3 => refused(Stage::Body, 451),
            4 => refused(Stage::Body, 554),
            5 => Answer::Never,
            6 => {
                self.take(message_id, mime, false);
                Answer::Never
            }
            _ => refused(Stage::Body, 421),
        }
    }

    fn take(&mut self, message_id: &str, mime: &[u8], told: bool) -> Answer {
        self.ledger.push(Taken {
            at: self.now,
            message_id: message_id.to_owned(),
            to: self.to.remove(message_id).unwrap(),
            digest: Sha256::digest(mime).into(),
            told,
        });
        Answer::End(Outcome::Accepted { code: Some(250), reply: "2.0.0 taken".to_owned() })
    }
}

fn broken(stage: Stage) -> Answer {
    Answer::End(Outcome::Broken { stage, cause: "the simulation broke it".to_owned() })
}

fn refused(stage: Stage, code: u16) -> Answer {
    Answer::End(Outcome::Refused { stage, code, reply: "the simulation says no".to_owned() })
}
