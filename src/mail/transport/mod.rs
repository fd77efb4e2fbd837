//! Where a frozen message goes: into a folder, to an SMTP server, or in a simulation to a script.
//!
//! One message is driven in stages, because its history is committed between them: [`Connection::open`] brings it to
//! the point where only the body is missing, [`Connection::body`] hands it over.

mod configured;
pub mod file;
pub mod scripted;
pub mod smtp;

pub use file::FileTransport;
pub use scripted::ScriptedTransport;
pub use smtp::SmtpTransport;

use crate::delivery::state::{Outcome, Stage};
use crate::domain::address::EmailAddress;

/// Who sends and who receives, as the wire sees it. Exactly one recipient a message, so that one bad address spoils
/// nobody else's mail and nobody learns who else was written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Where bounces go.
    pub from: EmailAddress,
    /// The recipient.
    pub to: EmailAddress,
}

/// A way out, with its settings; cheap to clone.
#[derive(Debug, Clone)]
pub enum Transport {
    /// One `.eml` file a message.
    File(FileTransport),
    /// An SMTP server.
    Smtp(SmtpTransport),
    /// A function, for simulations.
    Scripted(ScriptedTransport),
}

impl Transport {
    /// A connection for one lane, not yet connected.
    #[must_use]
    pub fn connection(&self) -> Connection {
        match self {
            Self::File(transport) => Connection::File(transport.connection()),
            Self::Smtp(transport) => Connection::Smtp(transport.connection()),
            Self::Scripted(transport) => Connection::Scripted(transport.connection()),
        }
    }
}

/// One lane's connection: at most one message is on it. A future dropped halfway takes the connection with it, so
/// that no half-finished dialogue is ever used again.
pub enum Connection {
    /// Into a folder.
    File(file::FileConnection),
    /// To an SMTP server.
    Smtp(smtp::SmtpConnection),
    /// To a function.
    Scripted(scripted::ScriptedConnection),
}

impl Connection {
    /// Connects, up to and including the login, without a message: to see whether the server lets us in.
    ///
    /// # Errors
    /// The stage that failed; the connection is dropped.
    pub async fn connect(&mut self) -> Result<(), Outcome> {
        match self {
            Self::File(connection) => connection.connect().await,
            Self::Smtp(connection) => connection.connect().await,
            Self::Scripted(_) => Ok(()),
        }
    }

    /// Connects, or takes up the connection of the last message if that one ended cleanly, and goes as far as a server
    /// lets us before the body: DATA answered by 354. Nothing of the message has been handed over yet.
    ///
    /// # Errors
    /// The stage that failed; the connection is dropped.
    pub async fn open(&mut self, envelope: &Envelope, message_id: &str) -> Result<(), Outcome> {
        match self {
            Self::File(connection) => connection.open(message_id).await,
            Self::Smtp(connection) => connection.open(envelope, message_id).await,
            Self::Scripted(connection) => connection.open(envelope, message_id).await,
        }
    }

    /// Hands over the message opened last and waits for the answer. Only [`Outcome::Accepted`] keeps the connection.
    /// [`Outcome::Broken`] before [`Stage::Body`] proves that nothing was handed over.
    ///
    /// `next` is the envelope that [`Self::open`] will be asked for then: a server that takes commands in groups gets its
    /// own right behind the body, which saves it and us a turn.
    pub async fn body(&mut self, mime: &[u8], next: Option<&Envelope>) -> Outcome {
        match self {
            Self::File(connection) => connection.body(mime).await,
            Self::Smtp(connection) => connection.body(mime, next).await,
            Self::Scripted(connection) => connection.body(mime).await,
        }
    }

    /// Takes leave of the server: best effort, bounded, and of no consequence for what was accepted.
    pub async fn end(&mut self) {
        match self {
            Self::File(connection) => connection.abandon(),
            Self::Smtp(connection) => connection.end().await,
            Self::Scripted(connection) => connection.abandon(),
        }
    }

    /// Drops the connection without a word: after 354 any word would be part of the message.
    pub fn abandon(&mut self) {
        match self {
            Self::File(connection) => connection.abandon(),
            Self::Smtp(connection) => connection.abandon(),
            Self::Scripted(connection) => connection.abandon(),
        }
    }
}

fn broken(stage: Stage, cause: impl Into<String>) -> Outcome {
    Outcome::Broken { stage, cause: cause.into() }
}

/// What `body` says when no message was opened before it.
fn unopened() -> Outcome {
    broken(Stage::Connect, "no message was opened on this connection")
}
