//! Our own small SMTP client (RFC 5321): one message a time, in stages, each with a time limit, and nothing taken for
//! granted that the server did not say. `lettre` writes the command lines.

mod auth;
mod offer;
mod reply;
mod session;
mod settings;
mod tls;
mod wire;

pub use settings::{BadSettings, Credentials, Limits, SmtpSettings, Tls, TokenSource};

use std::fmt;
use std::sync::Arc;

use super::{Envelope, unopened};
use crate::delivery::state::{Outcome, Stage};
use session::Session;
use tls::Encryption;

/// An SMTP server and how to talk to it.
#[derive(Clone)]
pub struct SmtpTransport {
    settings: Arc<SmtpSettings>,
    encryption: Encryption,
}

impl SmtpTransport {
    /// Takes settings that are safe to use. Reads the machine's trusted certificates and `ca_file`, so call it once,
    /// not for each connection.
    ///
    /// # Errors
    /// Settings that would send mail or credentials in clear over a network, or that no connection could work with.
    pub fn new(settings: SmtpSettings) -> Result<Self, BadSettings> {
        settings.check()?;
        let encryption = Encryption::new(&settings)?;
        Ok(Self { settings: Arc::new(settings), encryption })
    }

    /// A connection for one lane, not yet connected.
    #[must_use]
    pub fn connection(&self) -> SmtpConnection {
        SmtpConnection { transport: self.clone(), state: State::Closed, is_eager: true }
    }
}

impl fmt::Debug for SmtpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpTransport").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// One lane's connection to the server.
pub struct SmtpConnection {
    transport: SmtpTransport,
    state: State,
    /// Whether the next envelope goes right behind a body; not any more once a server lost it there.
    is_eager: bool,
}

/// Every stage takes the session out and puts it back only when all went well.
#[derive(Default)]
enum State {
    #[default]
    Closed,
    /// Logged in; the server waits for a command.
    Idle(Box<Session>),
    /// The server waits for the body of the message of this Message-ID.
    Opened(Box<Session>, String),
}

impl SmtpConnection {
    pub(super) async fn connect(&mut self) -> Result<(), Outcome> {
        self.abandon();
        self.state = State::Idle(Box::new(Session::connect(&self.transport).await?));
        Ok(())
    }

    pub(super) async fn open(
        &mut self,
        envelope: &Envelope,
        message_id: &str,
    ) -> Result<(), Outcome> {
        let session = match self.reopen(envelope).await {
            Some(reopened) => reopened?,
            None => Session::connect(&self.transport).await?.begin(envelope).await?,
        };
        self.state = State::Opened(Box::new(session), message_id.to_owned());
        Ok(())
    }

    /// Begins the next message on the session of the last one. `None` if there is none, or if the server gave it up in
    /// the meantime, as it may; nothing of this message was handed over then. Whatever comes in the place of the answer to
    /// a MAIL behind a body may belong to that body: it is asked again where nothing can be mistaken.
    async fn reopen(&mut self, envelope: &Envelope) -> Option<Result<Session, Outcome>> {
        let State::Idle(mut session) = std::mem::take(&mut self.state) else { return None };
        let was_offered = session.has_offered();
        if !was_offered && !session.is_quiet().await {
            return None;
        }
        match session.begin(envelope).await {
            Err(
                Outcome::Broken { stage: Stage::Mail, .. }
                | Outcome::Refused { stage: Stage::Mail, code: reply::CLOSING, .. },
            ) if !was_offered => None,
            Err(outcome) if was_offered && outcome.stage() == Stage::Mail => {
                self.is_eager = false;
                None
            }
            begun => Some(begun),
        }
    }

    pub(super) async fn body(&mut self, mime: &[u8], next: Option<&Envelope>) -> Outcome {
        let State::Opened(mut session, message_id) = std::mem::take(&mut self.state) else {
            return unopened();
        };
        let next = next.filter(|_| self.is_eager);
        match session.body(mime, &message_id, next).await {
            Ok(reply) => {
                self.state = State::Idle(session);
                Outcome::Accepted { code: Some(reply.code()), reply: reply.text() }
            }
            Err(outcome) => session.give_up(outcome).await,
        }
    }

    pub(super) async fn end(&mut self) {
        if let State::Idle(session) = std::mem::take(&mut self.state) {
            session.quit(self.transport.settings.limits.quit).await;
        }
    }

    pub(super) fn abandon(&mut self) {
        self.state = State::Closed;
    }
}
