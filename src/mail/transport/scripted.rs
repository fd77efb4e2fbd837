//! The simulation's way out: no socket and no waiting; a script answers at once for every stage.

use std::fmt;
use std::future::pending;
use std::sync::Arc;

use super::{Envelope, broken, unopened};
use crate::delivery::state::{Outcome, Stage};

/// What a script is asked, at the two stages between which history is committed.
#[derive(Debug, Clone, Copy)]
pub enum Ask<'a> {
    /// Whether the server lets us in, up to the 354.
    Open {
        /// Who sends and who receives.
        envelope: &'a Envelope,
        /// With its brackets.
        message_id: &'a str,
        /// Whether the connection of the message before is used again.
        reused: bool,
    },
    /// What the server says to the body.
    Body {
        /// With its brackets.
        message_id: &'a str,
        /// The whole message.
        mime: &'a [u8],
    },
}

/// What a script says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Go on: 354 before the body, and nothing that could be said after it.
    GoOn,
    /// This is how the attempt ends.
    End(Outcome),
    /// Nothing, for ever: whoever waits is to be dropped, as by a crash.
    Never,
}

/// A server as a function.
#[derive(Clone)]
pub struct ScriptedTransport {
    script: Arc<dyn Fn(Ask<'_>) -> Answer + Send + Sync>,
}

impl ScriptedTransport {
    /// Takes the script; all connections ask the same one.
    #[must_use]
    pub fn new(script: impl Fn(Ask<'_>) -> Answer + Send + Sync + 'static) -> Self {
        Self { script: Arc::new(script) }
    }

    /// A connection for one lane.
    #[must_use]
    pub fn connection(&self) -> ScriptedConnection {
        ScriptedConnection { transport: self.clone(), is_open: false, message_id: None }
    }
}

impl fmt::Debug for ScriptedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedTransport").finish_non_exhaustive()
    }
}

/// One lane's connection to the function.
#[derive(Debug)]
pub struct ScriptedConnection {
    transport: ScriptedTransport,
    is_open: bool,
    message_id: Option<String>,
}

impl ScriptedConnection {
    pub(super) async fn open(
        &mut self,
        envelope: &Envelope,
        message_id: &str,
    ) -> Result<(), Outcome> {
        let reused = std::mem::take(&mut self.is_open);
        match (self.transport.script)(Ask::Open { envelope, message_id, reused }) {
            Answer::GoOn => {
                self.message_id = Some(message_id.to_owned());
                Ok(())
            }
            Answer::End(outcome) => Err(outcome),
            Answer::Never => pending().await,
        }
    }

    pub(super) async fn body(&mut self, mime: &[u8]) -> Outcome {
        let Some(message_id) = self.message_id.take() else { return unopened() };
        match (self.transport.script)(Ask::Body { message_id: &message_id, mime }) {
            Answer::GoOn => broken(Stage::Body, "the script says nothing to the body"),
            Answer::End(outcome) => {
                self.is_open = matches!(outcome, Outcome::Accepted { .. });
                outcome
            }
            Answer::Never => pending().await,
        }
    }

    pub(super) fn abandon(&mut self) {
        (self.is_open, self.message_id) = (false, None);
    }
}
