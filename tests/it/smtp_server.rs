//! The scripted SMTP server: real sockets on 127.0.0.1, real TLS, on a thread of its own, so that it also serves tests
//! that block. A [`Script`] says how it reacts at each stage; without a word it behaves like an ordinary server.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;

use advis::delivery::state::Stage;
use advis::mail::transport::smtp::{Credentials, Limits, SmtpSettings, Tls};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tempfile::TempDir;
use tokio::io::{
    AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, copy, empty,
    sink,
};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;

/// What the server does where it would otherwise simply agree.
#[derive(Clone, Debug)]
pub(crate) enum Reaction {
    /// Agrees.
    Accept,
    /// Says exactly these bytes; goes on as agreed if they begin like an agreement.
    Say(Vec<u8>),
    /// Closes the connection.
    Cut,
    /// Takes the message (at [`Stage::Body`]) and closes the connection before it says so.
    TakeAndCut,
    /// Says exactly these bytes, then nothing more, and stays.
    LastWords(Vec<u8>),
    /// Says exactly these bytes when the client has given up waiting for them: hung up, or said something else.
    TooLate(Vec<u8>),
    /// Says exactly these bytes and closes the connection.
    Parting(Vec<u8>),
    /// Says one line that never ends.
    Endless,
}

/// These bytes, as they stand.
pub(crate) fn say(bytes: impl Into<Vec<u8>>) -> Reaction {
    Reaction::Say(bytes.into())
}

/// Nothing any more; the connection stays.
pub(crate) fn silence() -> Reaction {
    Reaction::LastWords(Vec::new())
}

/// An ordinary reply of one line.
pub(crate) fn reply(code: u16, text: &str) -> Reaction {
    say(format!("{code} {text}\r\n"))
}

/// What the server's certificate is like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certificate {
    /// For `localhost` and 127.0.0.1.
    Good,
    /// As good, twenty years ago.
    Expired,
    /// For another name.
    OtherName,
}

#[derive(Clone)]
struct Rule {
    stage: Stage,
    /// Only for this recipient.
    to: Option<String>,
    reactions: VecDeque<Reaction>,
}

/// How the server behaves.
#[derive(Clone)]
pub(crate) struct Script {
    tls: Tls,
    certificate: Certificate,
    offers: &'static [&'static str],
    rules: Vec<Rule>,
    /// At every QUIT.
    farewell: Reaction,
}

impl Script {
    pub(crate) fn new(tls: Tls) -> Self {
        let offers = &["PIPELINING", "8BITMIME", "AUTH PLAIN LOGIN XOAUTH2"];
        let (certificate, farewell) = (Certificate::Good, Reaction::Accept);
        Self { tls, certificate, offers, rules: Vec::new(), farewell }
    }

    /// What QUIT is answered with, always.
    pub(crate) fn farewell(self, farewell: Reaction) -> Self {
        Self { farewell, ..self }
    }

    pub(crate) fn certificate(self, certificate: Certificate) -> Self {
        Self { certificate, ..self }
    }

    /// What EHLO is answered with, besides STARTTLS.
    pub(crate) fn offers(self, offers: &'static [&'static str]) -> Self {
        Self { offers, ..self }
    }

    /// The first time `stage` is reached, whatever the session, the first of `reactions`, and so on; then it agrees.
    pub(crate) fn on(
        mut self,
        stage: Stage,
        reactions: impl IntoIterator<Item = Reaction>,
    ) -> Self {
        let reactions = reactions.into_iter().collect();
        self.rules.push(Rule { stage, to: None, reactions });
        self
    }

    /// The same, for messages to `recipient` only ([`Stage::Rcpt`] and after).
    pub(crate) fn on_recipient(
        mut self,
        recipient: &str,
        stage: Stage,
        reactions: impl IntoIterator<Item = Reaction>,
    ) -> Self {
        let reactions = reactions.into_iter().collect();
        self.rules.push(Rule { stage, to: Some(recipient.to_owned()), reactions });
        self
    }
}

/// A message whose closing dot the server has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    /// Counted from 0.
    pub(crate) session: usize,
    pub(crate) from: String,
    pub(crate) to: String,
    /// The message, dots taken back.
    pub(crate) data: Vec<u8>,
    /// The bytes on the wire, closing dot included.
    pub(crate) wire: Vec<u8>,
    /// The header `Message-ID`, with its brackets; empty if there is none.
    pub(crate) message_id: String,
    /// Whether the server took the message, be it that the client never heard of it.
    pub(crate) taken: bool,
}

/// A line that a client said, other than a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) session: usize,
    pub(crate) text: String,
    pub(crate) encrypted: bool,
    /// Whether the next line came in the same write.
    pub(crate) more_at_once: bool,
    /// Whether the server has done anything but agree in this session before.
    pub(crate) after_fault: bool,
}

#[derive(Default)]
struct Notes {
    sessions: usize,
    /// How many of them have ended.
    ended: usize,
    lines: Vec<Line>,
    ledger: Vec<Received>,
    unfinished: Vec<Vec<u8>>,
}

struct Shared {
    script: Mutex<Script>,
    notes: Mutex<Notes>,
    ended: Condvar,
    acceptor: TlsAcceptor,
}

/// A running server; it stops when dropped.
pub(crate) struct SmtpServer {
    pub(crate) addr: SocketAddr,
    /// The certificate to trust, as a file.
    pub(crate) ca_file: PathBuf,
    tls: Tls,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _dir: TempDir,
}

impl SmtpServer {
    pub(crate) fn start(script: Script) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ca_file = dir.path().join("ca.pem");
        let (acceptor, ca) = certify(script.certificate);
        std::fs::write(&ca_file, ca).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let tls = script.tls;
        let (script, notes, ended) = (Mutex::new(script), Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { script, notes, ended, acceptor });
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || listen(listener, &shared, stopped)
        });
        let (stop, thread) = (Some(stop), Some(thread));
        Self { addr, ca_file, tls, shared, stop, thread, _dir: dir }
    }

    /// How to reach it, without credentials.
    pub(crate) fn settings(&self) -> SmtpSettings {
        SmtpSettings {
            host: self.addr.ip().to_string(),
            port: self.addr.port(),
            tls: self.tls,
            ca_file: (self.tls != Tls::None).then(|| self.ca_file.clone()),
            credentials: Credentials::None,
            hello_name: Some("advis.kommune.example".to_owned()),
            limits: Limits::default(),
        }
    }

    /// Every message whose closing dot it has seen, in that order.
    pub(crate) fn ledger(&self) -> Vec<Received> {
        self.shared.notes().ledger.clone()
    }

    /// What came of each message that was begun (354) but whose dot never came.
    pub(crate) fn unfinished(&self) -> Vec<Vec<u8>> {
        self.shared.notes().unfinished.clone()
    }

    /// Every line that clients have said, messages left out.
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.shared.notes().lines.clone()
    }

    /// The texts of [`Self::lines`].
    pub(crate) fn texts(&self) -> Vec<String> {
        self.lines().into_iter().map(|line| line.text).collect()
    }

    /// Blocks until every connection that came has ended, so that all that was said is on record.
    pub(crate) fn wait_for_the_end(&self) {
        let running = |notes: &mut Notes| notes.ended < notes.sessions;
        drop(self.shared.ended.wait_while(self.shared.notes(), running).unwrap());
    }

    /// How many connections came.
    pub(crate) fn sessions(&self) -> usize {
        self.shared.notes().sessions
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().unwrap().join();
    }
}

/// A server certificate, and the PEM of the authority that signed it.
fn certify(certificate: Certificate) -> (TlsAcceptor, String) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let names = match certificate {
        Certificate::Good | Certificate::Expired => ["localhost", "127.0.0.1"].as_slice(),
        Certificate::OtherName => ["mail.elsewhere.example"].as_slice(),
    };
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    if certificate == Certificate::Expired {
        params.not_after = date_time_ymd(2006, 1, 1);
    }
    let key = KeyPair::generate().unwrap();
    let leaf = params.signed_by(&key, &ca).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key.serialize_der().try_into().unwrap())
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), ca.pem())
}

fn listen(listener: TcpListener, shared: &Arc<Shared>, mut stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    runtime.block_on(async {
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        loop {
            tokio::select! {
                _ = &mut stopped => return,
                accepted = listener.accept() => {
                    let (tcp, _) = accepted.unwrap();
                    let (session, shared) = (Session::new(tcp, Arc::clone(shared)), Arc::clone(shared));
                    tokio::spawn(async move {
                        let _ = session.serve().await;
                        shared.notes().ended += 1;
                        shared.ended.notify_all();
                    });
                }
            }
        }
    });
}

impl Shared {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap()
    }

    fn reaction(&self, stage: Stage, recipient: &str) -> Reaction {
        let mut script = self.script.lock().unwrap();
        let meant = |rule: &&mut Rule| {
            rule.stage == stage && rule.to.as_deref().is_none_or(|to| to == recipient)
        };
        let mut rules = script.rules.iter_mut().filter(meant);
        rules.find_map(|rule| rule.reactions.pop_front()).unwrap_or(Reaction::Accept)
    }
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

struct Session {
    number: usize,
    wire: BufReader<Box<dyn Duplex>>,
    encrypted: bool,
    faulted: bool,
    /// Bytes that had come when it faulted and are not read yet: said before the fault, behind a body.
    said_before: usize,
    from: String,
    to: String,
    shared: Arc<Shared>,
}

impl Session {
    fn new(tcp: TcpStream, shared: Arc<Shared>) -> Self {
        tcp.set_nodelay(true).unwrap();
        let number = shared.notes().sessions;
        shared.notes().sessions += 1;
        let wire = BufReader::new(Box::new(tcp) as Box<dyn Duplex>);
        let (from, to) = (String::new(), String::new());
        Self { number, wire, encrypted: false, faulted: false, said_before: 0, from, to, shared }
    }

    /// Ends with an error whenever the connection ends, however it does.
    async fn serve(mut self) -> io::Result<()> {
        let (tls, offers) = {
            let script = self.shared.script.lock().unwrap();
            (script.tls, script.offers)
        };
        if tls == Tls::Implicit {
            self.encrypt().await?;
        }
        self.react(Stage::Greeting, "220 mx.example ready\r\n").await?;
        loop {
            let line = self.line().await?;
            let (verb, rest) = line.split_once([' ', ':']).unwrap_or((&line, ""));
            match verb {
                "EHLO" => {
                    let starttls = (tls == Tls::StartTls && !self.encrypted).then_some("STARTTLS");
                    let lines =
                        starttls.iter().chain(offers).map(|offer| format!("250-{offer}\r\n"));
                    let lines: String = lines.collect();
                    let answer = format!("250-mx.example\r\n{lines}250 HELP\r\n");
                    self.react(Stage::Ehlo, &answer).await?;
                }
                "STARTTLS" => {
                    if self.react(Stage::StartTls, "220 go ahead\r\n").await? {
                        self.encrypt().await?;
                    }
                }
                "AUTH" => self.auth(rest).await?,
                // What a client says to a 334 that explains a refusal (XOAUTH2).
                "" => drop(self.react(Stage::Auth, "535 5.7.8 No\r\n").await?),
                "MAIL" => {
                    self.from = path(rest);
                    self.react(Stage::Mail, "250 2.1.0 Ok\r\n").await?;
                }
                "RCPT" => {
                    self.to = path(rest);
                    self.react(Stage::Rcpt, "250 2.1.5 Ok\r\n").await?;
                }
                "DATA" => {
                    if self.react(Stage::Data, "354 End with a dot\r\n").await? {
                        self.message().await?;
                    }
                }
                "QUIT" => {
                    let farewell = self.shared.script.lock().unwrap().farewell.clone();
                    self.perform(farewell, "221 2.0.0 Bye\r\n").await?;
                    return Ok(());
                }
                _ => self.write(b"500 5.5.1 What?\r\n").await?,
            }
        }
    }

    async fn encrypt(&mut self) -> io::Result<()> {
        if !self.react(Stage::Tls, "").await? {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        let nowhere: Box<dyn Duplex> = Box::new(empty());
        let clear = std::mem::replace(&mut self.wire, BufReader::new(nowhere)).into_inner();
        self.wire = BufReader::new(Box::new(self.shared.acceptor.accept(clear).await?));
        self.encrypted = true;
        Ok(())
    }

    async fn auth(&mut self, rest: &str) -> io::Result<()> {
        if rest == "LOGIN" {
            for challenge in ["334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n"] {
                self.write(challenge.as_bytes()).await?;
                self.line().await?;
            }
        }
        self.react(Stage::Auth, "235 2.7.0 Welcome\r\n").await.map(drop)
    }

    async fn message(&mut self) -> io::Result<()> {
        let (mut data, mut wire) = (Vec::new(), Vec::new());
        loop {
            let start = wire.len();
            if !matches!(self.wire.read_until(b'\n', &mut wire).await, Ok(1..)) {
                self.shared.notes().unfinished.push(wire);
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = &wire[start..];
            let at_line_start = start == 0 || wire[..start].ends_with(b"\r\n");
            match line {
                b".\r\n" if at_line_start => break,
                [b'.', rest @ ..] if at_line_start => data.extend_from_slice(rest),
                _ => data.extend_from_slice(line),
            }
        }
        let reaction = self.shared.reaction(Stage::Body, &self.to);
        let taken = match &reaction {
            Reaction::Accept | Reaction::TakeAndCut => true,
            Reaction::Say(bytes)
            | Reaction::LastWords(bytes)
            | Reaction::TooLate(bytes)
            | Reaction::Parting(bytes) => bytes.starts_with(b"2"),
            Reaction::Cut | Reaction::Endless => false,
        };
        let message_id = message_id(&data);
        let received = Received {
            session: self.number,
            from: self.from.clone(),
            to: self.to.clone(),
            data,
            wire,
            message_id,
            taken,
        };
        self.shared.notes().ledger.push(received);
        self.perform(reaction, "250 2.0.0 Ok: queued\r\n").await.map(drop)
    }

    async fn react(&mut self, stage: Stage, agreement: &str) -> io::Result<bool> {
        let reaction = self.shared.reaction(stage, &self.to);
        self.perform(reaction, agreement).await
    }

    /// Whether things go on as agreed.
    async fn perform(&mut self, reaction: Reaction, agreement: &str) -> io::Result<bool> {
        if !matches!(reaction, Reaction::Accept) {
            self.faulted = true;
            self.said_before = self.wire.buffer().len();
        }
        match reaction {
            Reaction::Accept => self.write(agreement.as_bytes()).await.map(|()| true),
            Reaction::Say(bytes) => {
                self.write(&bytes).await?;
                Ok(bytes.first() == agreement.as_bytes().first())
            }
            Reaction::Cut | Reaction::TakeAndCut => Err(io::ErrorKind::ConnectionAborted.into()),
            Reaction::LastWords(bytes) => {
                self.write(&bytes).await?;
                copy(&mut self.wire, &mut sink()).await?;
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            Reaction::TooLate(bytes) => {
                // Beyond what it said at once, so not from the buffer.
                if self.wire.get_mut().read(&mut [0; 512]).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                self.write(&bytes).await?;
                Ok(bytes.first() == agreement.as_bytes().first())
            }
            Reaction::Parting(bytes) => {
                self.write(&bytes).await?;
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            Reaction::Endless => loop {
                self.write(&[b'2'; 4096]).await?;
            },
        }
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut text = String::new();
        let read = self.wire.read_line(&mut text).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let text = text.trim_end().to_owned();
        let more_at_once = !self.wire.buffer().is_empty();
        let after_fault = self.faulted && self.said_before < read;
        self.said_before = self.said_before.saturating_sub(read);
        let (session, encrypted) = (self.number, self.encrypted);
        let line = Line { session, text: text.clone(), encrypted, more_at_once, after_fault };
        self.shared.notes().lines.push(line);
        Ok(text)
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.wire.write_all(bytes).await?;
        self.wire.flush().await
    }
}

/// `a@b` of `FROM:<a@b> …`.
fn path(argument: &str) -> String {
    let inner = argument.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or_else(String::new, |(address, _)| address.to_owned())
}

fn message_id(data: &[u8]) -> String {
    let text = String::from_utf8_lossy(data);
    let headers = text.lines().take_while(|line| !line.is_empty());
    let fields = headers.filter_map(|line| line.split_once(':'));
    let mut ids = fields.filter(|(name, _)| name.eq_ignore_ascii_case("Message-ID"));
    ids.next().map_or_else(String::new, |(_, id)| id.trim().to_owned())
}
