//! A dialogue with the server, from its greeting to our farewell.

use std::fmt::Display;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::commands::{Data, Ehlo, Mail, Quit, Rcpt, Starttls};
use lettre::transport::smtp::extension::ClientId;
use tokio::io::{AsyncBufRead, AsyncWriteExt, BufReader, empty};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::offer::Offer;
use super::reply::Reply;
use super::tls::{Encryption, Trust};
use super::wire::{Duplex, as_data, within, write};
use super::{Limits, SmtpTransport};
use crate::delivery::state::{Outcome, Stage};
use crate::domain::address::EmailAddress;
use crate::mail::transport::{Envelope, broken};
use crate::telemetry;

/// A connected session. Whoever gets an error from it must drop it.
pub(super) struct Session {
    wire: BufReader<Box<dyn Duplex>>,
    /// Commands not yet answered in full. Only at zero does the server read what we write as a command.
    pending: usize,
    /// The envelope whose MAIL, RCPT and DATA went out behind the last body; the replies to them are still to be read.
    offered: Option<Envelope>,
    pub(super) offer: Offer,
    pub(super) limits: Limits,
    /// What the server got to know at the login; whatever it says from then on, these are never repeated.
    pub(super) secrets: Vec<String>,
}

impl Session {
    /// Connects, greets, encrypts and logs in.
    pub(super) async fn connect(transport: &SmtpTransport) -> Result<Self, Outcome> {
        let settings = &*transport.settings;
        let (host, port) = (settings.host.as_str(), settings.port);
        let dialled = async {
            let tcp = TcpStream::connect((host, port)).await?;
            // Else the kernel holds back each small write until the one before is acknowledged, some 40 ms.
            tcp.set_nodelay(true)?;
            Ok((tcp.local_addr()?.ip().to_canonical(), tcp))
        };
        let (address, tcp) = within(Stage::Connect, settings.limits.connect, dialled)
            .await
            .map_err(|outcome| explain(outcome, &format!("; is {host}:{port} right?")))?;
        let hello = Ehlo::new(match (&settings.hello_name, address) {
            (Some(name), _) => ClientId::Domain(name.clone()),
            (None, IpAddr::V4(address)) => ClientId::Ipv4(address),
            (None, IpAddr::V6(address)) => ClientId::Ipv6(address),
        });
        let mut session = Self {
            wire: BufReader::new(Box::new(tcp)),
            pending: 1,
            offered: None,
            offer: Offer::default(),
            limits: settings.limits,
            secrets: Vec::new(),
        };
        match session.introduce(transport, &hello).await {
            Ok(()) => Ok(session),
            Err(outcome) => Err(session.give_up(outcome).await),
        }
    }

    async fn introduce(&mut self, transport: &SmtpTransport, hello: &Ehlo) -> Result<(), Outcome> {
        match &transport.encryption {
            Encryption::None => self.greet(hello).await?,
            Encryption::Implicit(trust) => {
                self.encrypt(trust).await?;
                self.greet(hello).await?;
            }
            Encryption::StartTls(trust) => {
                self.greet(hello).await?;
                self.start_tls().await?;
                self.encrypt(trust).await?;
                self.hello(hello).await?;
            }
        }
        self.log_in(&transport.settings.credentials).await
    }

    async fn greet(&mut self, hello: &Ehlo) -> Result<(), Outcome> {
        self.expect(Stage::Greeting, &[220]).await?;
        self.hello(hello).await
    }

    /// Introduces us; what the server offered before, without encryption, is forgotten (RFC 3207 §4.2).
    async fn hello(&mut self, hello: &Ehlo) -> Result<(), Outcome> {
        self.offer = Offer::read(&self.command(Stage::Ehlo, hello, &[250]).await?);
        Ok(())
    }

    async fn start_tls(&mut self) -> Result<(), Outcome> {
        if !self.offer.starttls {
            let cause = "the server offers no STARTTLS, so nothing was sent; use its port for implicit TLS, or ask who runs it";
            return Err(broken(Stage::StartTls, cause));
        }
        self.command(Stage::StartTls, Starttls, &[220]).await?;
        if !self.wire.buffer().is_empty() {
            // Else they would count as said under encryption (CVE-2011-0411).
            let cause = "somebody put words in the server's mouth before encryption began";
            return Err(broken(Stage::StartTls, cause));
        }
        Ok(())
    }

    async fn encrypt(&mut self, trust: &Trust) -> Result<(), Outcome> {
        // While the handshake runs, and for good if it fails, there is no wire to write to in clear.
        let nowhere: Box<dyn Duplex> = Box::new(empty());
        let clear = std::mem::replace(&mut self.wire, BufReader::new(nowhere)).into_inner();
        let handshake = trust.connector.connect(trust.server.clone(), clear);
        let tls =
            within(Stage::Tls, self.limits.at(Stage::Tls), handshake).await.map_err(|outcome| {
                explain(outcome, "; check host, port, tls and ca_file under [smtp]")
            })?;
        self.wire = BufReader::new(Box::new(tls));
        Ok(())
    }

    /// MAIL, RCPT and DATA, in one write if the server takes it so (RFC 2920); afterwards it waits for the body.
    pub(super) async fn begin(mut self, envelope: &Envelope) -> Result<Self, Outcome> {
        match self.offer_message(envelope).await {
            Ok(()) => Ok(self),
            Err(outcome) => Err(self.give_up(outcome).await),
        }
    }

    async fn offer_message(&mut self, envelope: &Envelope) -> Result<(), Outcome> {
        let offered = self.offered.take();
        if offered.as_ref().is_some_and(|offered| offered != envelope) {
            return Err(broken(Stage::Mail, "another message was offered to the server"));
        }
        if self.offer.pipelining {
            if offered.is_none() {
                let group = group(envelope)?;
                self.send(Stage::Mail, group, GROUP.len()).await?;
            }
            self.expect_all(&GROUP).await?;
        } else {
            let (mail, rcpt) = commands(envelope)?;
            self.command(Stage::Mail, mail, &[250]).await?;
            self.command(Stage::Rcpt, rcpt, &[250, 251]).await?;
            self.command(Stage::Data, Data, &[354]).await?;
        }
        if !self.wire.buffer().is_empty() {
            return Err(broken(Stage::Data, SPOKE_EARLY));
        }
        Ok(())
    }

    /// Reads the reply to each command of a group. The first refusal counts; the replies after it are read all the
    /// same, since only they tell whether the server now waits for a body.
    async fn expect_all(&mut self, group: &[(Stage, &[u16])]) -> Result<(), Outcome> {
        let mut verdict = Ok(());
        for (stage, wanted) in group {
            let answer = self.expect(*stage, wanted).await.map(drop);
            let lost = matches!(answer, Err(Outcome::Broken { .. }));
            verdict = verdict.and(answer);
            if lost {
                break;
            }
        }
        verdict
    }

    /// Body and dot in one write, and the final reply. Where the server takes commands in groups, those of the `next`
    /// message go along, since a body may begin a group (RFC 2920, 3.1).
    pub(super) async fn body(
        &mut self,
        mime: &[u8],
        message_id: &str,
        next: Option<&Envelope>,
    ) -> Result<Reply, Outcome> {
        if !self.is_quiet().await {
            return Err(broken(Stage::Data, SPOKE_EARLY));
        }
        let mut bytes = as_data(mime);
        if let Some(next) = next.filter(|_| self.offer.pipelining)
            && let Ok(group) = group(next)
        {
            bytes.extend_from_slice(group.as_bytes());
            self.pending += GROUP.len();
            self.offered = Some(next.clone());
        }
        within(Stage::Body, self.limits.body_write, write(&mut self.wire, &bytes)).await?;
        let reply = self.reply(Stage::Body).await?;
        telemetry::final_reply(message_id, reply.code());
        reply.expect(Stage::Body, &[250])
    }

    /// Whether the commands of the next message are with the server already.
    pub(super) fn has_offered(&self) -> bool {
        self.offered.is_some()
    }

    /// Whether the server has neither said anything nor hung up since its last reply.
    pub(super) async fn is_quiet(&mut self) -> bool {
        poll_fn(|cx| Poll::Ready(Pin::new(&mut self.wire).poll_fill_buf(cx).is_pending())).await
    }

    /// Says QUIT if the server would take it for a command, and waits for the answer within `limit`.
    pub(super) async fn quit(mut self, limit: Duration) {
        if self.pending > 0 {
            return;
        }
        let farewell = async {
            write(&mut self.wire, Quit.to_string().as_bytes()).await?;
            Reply::read(&mut self.wire).await?;
            self.wire.shutdown().await
        };
        // Whatever goes wrong here: the message before it is accepted, and the connection ends anyway.
        let _ = timeout(limit, farewell).await;
    }

    /// Leaves after a failure, without waiting for anything: a refused client says QUIT too (RFC 5321 §4.1.1.10).
    pub(super) async fn give_up(self, outcome: Outcome) -> Outcome {
        if matches!(outcome, Outcome::Refused { .. }) {
            self.quit(Duration::ZERO).await;
        }
        outcome
    }

    async fn command(
        &mut self,
        stage: Stage,
        line: impl Display,
        wanted: &[u16],
    ) -> Result<Reply, Outcome> {
        self.send(stage, line, 1).await?;
        self.expect(stage, wanted).await
    }

    /// Writes command lines that will get as many `replies`.
    pub(super) async fn send(
        &mut self,
        stage: Stage,
        lines: impl Display,
        replies: usize,
    ) -> Result<(), Outcome> {
        if self.pending == 0 && !self.wire.buffer().is_empty() {
            // Else every answer from here on would be taken for that to the next command.
            return Err(broken(stage, SPOKE_EARLY));
        }
        self.pending += replies;
        let lines = lines.to_string();
        within(stage, self.limits.command, write(&mut self.wire, lines.as_bytes())).await
    }

    async fn expect(&mut self, stage: Stage, wanted: &[u16]) -> Result<Reply, Outcome> {
        self.reply(stage).await?.expect(stage, wanted)
    }

    pub(super) async fn reply(&mut self, stage: Stage) -> Result<Reply, Outcome> {
        let reply = within(stage, self.limits.at(stage), Reply::read(&mut self.wire)).await?;
        if !reply.is_intermediate() {
            self.pending = self.pending.saturating_sub(1);
        }
        Ok(reply.without(&self.secrets))
    }
}

/// MAIL, RCPT and DATA in one write: their stages, and what the server is to say.
const GROUP: [(Stage, &[u16]); 3] =
    [(Stage::Mail, &[250]), (Stage::Rcpt, &[250, 251]), (Stage::Data, &[354])];

fn group(envelope: &Envelope) -> Result<String, Outcome> {
    let (mail, rcpt) = commands(envelope)?;
    Ok(format!("{mail}{rcpt}{Data}"))
}

fn commands(envelope: &Envelope) -> Result<(Mail, Rcpt), Outcome> {
    let mail = Mail::new(Some(address(Stage::Mail, &envelope.from)?), Vec::new());
    let rcpt = Rcpt::new(address(Stage::Rcpt, &envelope.to)?, Vec::new());
    Ok((mail, rcpt))
}

const SPOKE_EARLY: &str = "the server spoke out of turn, or hung up, before the message was sent";

/// Adds what to do to a broken outcome.
fn explain(outcome: Outcome, hint: &str) -> Outcome {
    match outcome {
        Outcome::Broken { stage, cause } => Outcome::Broken { stage, cause: cause + hint },
        other => other,
    }
}

fn address(stage: Stage, address: &EmailAddress) -> Result<Address, Outcome> {
    let unfit = |_| broken(stage, "the address is not one that SMTP can carry");
    address.as_str().parse().map_err(unfit)
}
