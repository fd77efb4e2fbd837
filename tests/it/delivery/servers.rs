//! Mail servers at their worst. Whatever one does at whatever stage, its ledger and the store's tell the same story,
//! and nobody but the message on the wire has to suffer.

use std::collections::BTreeMap;
use std::time::Duration;

use advis::delivery::engine::{Lane, drain};
use advis::delivery::state::{GREYLIST_SECONDS_MIN, LOGIN_STOP_SECONDS, Stage, State};
use advis::domain::rule::Step;
use advis::mail::transport::smtp::{Credentials, Limits, SmtpSettings, Tls};
use advis::store::outbox::{Frozen, LogRow};
use data_encoding::BASE64;
use tokio::task::JoinSet;

use super::{Post, clock, frozen, lanes, later, reminder, smtp};
use crate::smtp_server::{
    Certificate, Reaction, Received, Script, SmtpServer, reply, say, silence,
};

/// To l1 … l6, one each.
const MESSAGES: u32 = 6;

/// When a pass is made, in minutes; a server that stays bad is put right after the third.
const PASSES: [i64; 9] = [0, 0, 16, 32, 48, 64, 80, 96, 112];

const PASSWORD: &str = "kanariefugl-7";

/// How long we wait for a server that has no intention to answer.
const SHORT: Duration = Duration::from_millis(400);

/// A way for a server to be bad, and what is to come of it.
struct Fault {
    name: String,
    script: Script,
    has_login: bool,
    limits: Limits,
    /// Where the messages end that are not accepted.
    left: &'static [State],
    /// Odd, but no reason to give up the connection.
    is_harmless: bool,
    /// The operator must put another server in its place.
    is_lasting: bool,
}

impl Fault {
    /// One that costs no message anything but time.
    fn new(name: impl Into<String>, script: Script) -> Self {
        let long = Duration::from_secs(20);
        let limits = Limits {
            connect: long,
            greeting: long,
            command: long,
            data_start: long,
            body_write: long,
            body_reply: long,
            quit: SHORT,
        };
        Self {
            name: name.into(),
            script,
            has_login: false,
            limits,
            left: &[],
            is_harmless: false,
            is_lasting: false,
        }
    }

    fn with_login(self) -> Self {
        Self { has_login: true, ..self }
    }

    fn leaves(self, left: &'static [State]) -> Self {
        Self { left, ..self }
    }

    fn harmless(self) -> Self {
        Self { is_harmless: true, ..self }
    }

    fn lasting(self) -> Self {
        Self { is_lasting: true, ..self }
    }

    /// With little patience at that stage, and only there.
    fn impatient_at(mut self, stage: Stage) -> Self {
        let limits = &mut self.limits;
        let limit = match stage {
            Stage::Connect | Stage::Tls => &mut limits.connect,
            Stage::Greeting => &mut limits.greeting,
            Stage::Data => &mut limits.data_start,
            Stage::Body => &mut limits.body_reply,
            _ => &mut limits.command,
        };
        *limit = SHORT;
        self
    }
}

/// What is left when all has been tried, on both sides.
struct Ledgers {
    name: String,
    messages: Vec<Frozen>,
    log: Vec<LogRow>,
    received: Vec<Received>,
}

async fn survive(fault: Fault, lane_count: usize) {
    let post = Post::new().await;
    post.ready(1..=MESSAGES).await;
    let password_file = post.dir.path().join("password");
    std::fs::write(&password_file, PASSWORD).unwrap();
    let lanes_to = |server: &SmtpServer| -> Vec<Lane> {
        let mut settings = SmtpSettings { limits: fault.limits, ..server.settings() };
        if fault.has_login {
            let password_file = password_file.clone();
            settings.credentials =
                Credentials::Password { username: "advis".to_owned(), password_file };
        }
        lanes(&smtp(settings), lane_count)
    };
    let outbox = post.outbox(&clock()).await;
    let mut servers = vec![SmtpServer::start(fault.script)];
    let mut lanes = lanes_to(&servers[0]);
    for (pass, minutes) in PASSES.into_iter().enumerate() {
        if fault.is_lasting && pass == 3 {
            servers.push(SmtpServer::start(Script::new(Tls::Implicit)));
            lanes = lanes_to(&servers[1]);
        }
        drain(&outbox, &mut lanes, &later(minutes)).await.unwrap();
    }
    drop((lanes, outbox));
    servers.iter().for_each(SmtpServer::wait_for_the_end);

    let name = fault.name;
    check_lines(&name, &servers, fault.has_login, fault.is_harmless);
    let counts = post.store.counts(clock().today(), clock().now()).await.unwrap();
    assert_eq!((counts.deferred, counts.unknown), (0, 0), "{name}: something waits still");
    let mut states = post.states().await;
    states.retain(|state| state != State::Accepted.name());
    assert_eq!(states, fault.left.iter().map(|left| left.name()).collect::<Vec<_>>(), "{name}");
    let messages =
        (1..=MESSAGES).map(|number| frozen(&[reminder(number, Step::Before(30)).key])).collect();
    let received = servers.iter().flat_map(SmtpServer::ledger).collect();
    Ledgers { name, messages, log: post.log().await, received }.check();
}

/// What was said to the servers: no secret in clear, and no message where something had gone wrong.
fn check_lines(name: &str, servers: &[SmtpServer], has_login: bool, is_harmless: bool) {
    let lines: Vec<_> = servers.iter().flat_map(SmtpServer::lines).collect();
    let proof = BASE64.encode(format!("\0advis\0{PASSWORD}").as_bytes());
    let secrets = ["AUTH", PASSWORD, &BASE64.encode(PASSWORD.as_bytes()), &proof];
    let tells = |text: &str| secrets.iter().any(|secret| text.contains(secret));
    for line in lines.iter().filter(|line| !line.encrypted) {
        assert!(!tells(&line.text), "{name}: in clear: {}", line.text);
    }
    assert_eq!(lines.iter().any(|line| tells(&line.text)), has_login, "{name}: who logged in?");
    let reused = |line: &&_| -> bool {
        let crate::smtp_server::Line { text, after_fault, .. } = line;
        *after_fault && text.starts_with("MAIL")
    };
    let reused = lines.iter().find(reused);
    assert!(is_harmless || reused.is_none(), "{name}: after a fault: {reused:?}");
}

impl Ledgers {
    fn check(&self) {
        let mut by_message: BTreeMap<&str, Vec<&LogRow>> = BTreeMap::new();
        for row in &self.log {
            by_message.entry(&row.message_id).or_default().push(row);
        }
        assert_eq!(by_message.len(), self.messages.len(), "{}: not all were tried", self.name);
        for message in &self.messages {
            self.check_message(message, &by_message[message.message_id.as_str()]);
        }
        let is_refusal = |row: &&LogRow| {
            row.stage.as_deref() == Some(Stage::Auth.name()) && row.code >= Some(500)
        };
        for refusal in self.log.iter().filter(is_refusal) {
            for row in self.log.iter().filter(|row| row.at > refusal.at) {
                let wait = (row.at - refusal.at).num_seconds();
                assert!(wait >= LOGIN_STOP_SECONDS, "{}: {wait} s after a 535", self.name);
            }
        }
    }

    fn check_message(&self, message: &Frozen, rows: &[&LogRow]) {
        let (name, id) = (&self.name, &message.message_id);
        let copies: Vec<&Received> =
            self.received.iter().filter(|received| received.message_id == *id).collect();
        for copy in &copies {
            assert_eq!(copy.data, message.mime, "{name}: {id} arrived changed");
            assert_eq!(copy.to, message.recipient.as_str(), "{name}: {id} at another's");
        }
        let is_body = |row: &&&LogRow| {
            row.state == State::Accepted || row.stage.as_deref() == Some(Stage::Body.name())
        };
        let bodies = rows.iter().filter(is_body).count();
        assert_eq!(copies.len(), bodies, "{name}: bodies of {id}: {rows:#?}");

        let taken = copies.iter().filter(|copy| copy.taken).count();
        let accepted = rows.iter().filter(|row| row.state == State::Accepted).count();
        let is_doubt = |row: &&&LogRow| matches!(row.state, State::Unknown | State::Held);
        let doubts = rows.iter().filter(is_doubt).count();
        assert!(accepted <= 1, "{name}: {id} was accepted twice");
        assert!(taken >= accepted, "{name}: {id} was never taken");
        assert!(taken <= accepted + doubts, "{name}: {id} was taken, and nobody knows");

        let attempts: Vec<u32> = rows.iter().map(|row| row.attempt).collect();
        assert!(attempts.iter().copied().eq(1..=attempts.len() as u32), "{name}: {attempts:?}");
        for pair in rows.windows(2) {
            let least = match (pair[0].state, pair[0].code) {
                (State::Deferred, Some(450 | 451)) => GREYLIST_SECONDS_MIN,
                (State::Deferred, _) => 60,
                _ => 0,
            };
            let wait = (pair[1].at - pair[0].at).num_seconds();
            assert!(wait >= least, "{name}: {id} again after {wait} s: {pair:?}");
        }
    }
}

/// All of them at once: each has its own store and servers.
async fn survive_all(faults: Vec<Fault>) {
    let mut running: JoinSet<()> = faults
        .into_iter()
        .zip([2, 3].into_iter().cycle())
        .map(|(fault, lanes)| survive(fault, lanes))
        .collect();
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
}

/// Every way to fail at a stage; `before` is how often the server agrees first.
fn at(stage: Stage, before: usize, script: impl Fn() -> Script) -> Vec<Fault> {
    let fault = |name: &str, reaction: Reaction| {
        let mut reactions = vec![Reaction::Accept; before];
        // A second time later on: what worked for the first lane fails for another.
        reactions.extend([reaction.clone(), Reaction::Accept, reaction]);
        if before > 0 {
            reactions.truncate(before + 1);
        }
        Fault::new(format!("{stage}: {name}"), script().on(stage, reactions))
    };
    let mut faults = vec![
        fault("cut", Reaction::Cut),
        fault("silence", silence()).impatient_at(stage),
        fault("garbage", say("HTTP/1.1 400 Bad Request\r\n")),
        fault("endless", Reaction::Endless),
    ];
    if stage != Stage::Tls {
        let agreement = match stage {
            Stage::Greeting | Stage::StartTls => "220 ok\r\n",
            Stage::Auth => "235 ok\r\n",
            Stage::Data => "354 ok\r\n",
            _ => "250 ok\r\n",
        };
        let refused: &[State] = if stage >= Stage::Mail { &[State::Rejected] } else { &[] };
        faults.extend([
            fault("421", reply(421, "4.3.2 shutting down")),
            fault("451", reply(451, "4.3.0 later")),
            fault("554", reply(554, "5.0.0 no")).leaves(refused),
            fault("too late", Reaction::TooLate(agreement.into())).impatient_at(stage),
            fault("parting", Reaction::Parting(b"421 bye\r\n".to_vec())),
            fault("lines without end", say("250-more\r\n".repeat(10_000))),
        ]);
    }
    faults
}

fn plain() -> Script {
    Script::new(Tls::None)
}

fn starttls() -> Script {
    Script::new(Tls::StartTls)
}

#[tokio::test]
async fn no_fault_before_a_message_costs_more_than_time() {
    let mut faults = Vec::new();
    for stage in [Stage::Greeting, Stage::Ehlo] {
        faults.extend(at(stage, 0, plain));
    }
    for stage in [Stage::StartTls, Stage::Tls, Stage::Auth] {
        faults.extend(at(stage, 0, starttls).into_iter().map(Fault::with_login));
    }
    survive_all(faults).await;
}

#[tokio::test]
async fn no_fault_in_a_message_costs_more_than_that_message() {
    let mut faults = Vec::new();
    for stage in [Stage::Rcpt, Stage::Data, Stage::Body] {
        faults.extend(at(stage, 1, plain));
    }
    // Behind a body it may be the body that was refused, so MAIL is asked again.
    faults.extend(at(Stage::Mail, 1, plain).into_iter().map(|fault| fault.leaves(&[])));
    survive_all(faults).await;
}

#[tokio::test]
async fn no_fault_in_a_message_costs_more_where_each_command_waits_for_its_answer() {
    let mut faults = Vec::new();
    for stage in [Stage::Mail, Stage::Rcpt, Stage::Data] {
        faults.extend(at(stage, 1, || plain().offers(&[])));
    }
    survive_all(faults).await;
}

/// What the server does at the end of the second message.
fn at_the_end(name: &str, reaction: Reaction) -> Fault {
    Fault::new(name, plain().on(Stage::Body, [Reaction::Accept, reaction]))
}

#[tokio::test]
async fn whatever_answers_a_body_the_ledgers_agree() {
    use Reaction::TakeAndCut;
    let ok = "250 2.0.0 Ok\r\n";
    let to_one = |reactions: Vec<Reaction>| {
        plain().on_recipient("l2@kommune.example", Stage::Body, reactions)
    };
    let mut faults = vec![
        at_the_end("dies before it says so", TakeAndCut),
        Fault::new("dies twice before it says so", to_one(vec![TakeAndCut; 2]))
            .leaves(&[State::Held]),
        Fault::new("dies three times", plain().on(Stage::Body, vec![TakeAndCut; 3])),
        Fault::new(
            "dies after every message",
            plain().on(Stage::Body, vec![Reaction::Parting(ok.into()); 9]),
        ),
        Fault::new(
            "leaves with 421 between messages",
            plain().on(
                Stage::Mail,
                [Reaction::Accept, reply(421, "idle"), Reaction::Accept, reply(421, "idle")],
            ),
        ),
        at_the_end("two answers", say(ok.repeat(2))),
        at_the_end("an answer and a refusal", say(format!("{ok}554 5.0.0 no\r\n"))),
        at_the_end("an answer and a farewell", say(format!("{ok}421 4.4.2 bye\r\n"))),
        at_the_end("half an answer", Reaction::Parting(b"250 2.0.".to_vec())),
        at_the_end("lines that contradict", say("250-one\r\n550 two\r\n")),
        at_the_end("251", reply(251, "will forward")),
        at_the_end("354", reply(354, "go on")),
        at_the_end("552", reply(552, "5.2.2 mailbox full")).leaves(&[State::Rejected]),
        at_the_end("452", reply(452, "4.2.2 mailbox full")),
        at_the_end("a refusal that is no UTF-8", say(b"550 5.7.1 k\xf8 er fuld \xff\r\n".to_vec()))
            .leaves(&[State::Rejected]),
    ];
    let odd: [(&str, &[u8]); 5] = [
        ("no text", b"250\r\n"),
        ("a blank for a text", b"250 \r\n"),
        ("no CR", b"250 ok\n"),
        ("no UTF-8", b"250 k\xf8et \xff\xfe\r\n"),
        ("many lines", b"250-2.0.0 Ok\r\n250-queued\r\n250\r\n"),
    ];
    for (name, bytes) in odd {
        let odd = |stage| plain().on(stage, vec![say(bytes); 4]);
        faults.push(Fault::new(format!("body: {name}"), odd(Stage::Body)).harmless());
        faults.push(Fault::new(format!("rcpt: {name}"), odd(Stage::Rcpt)).harmless());
    }
    survive_all(faults).await;
}

#[tokio::test]
async fn replies_out_of_step_carry_no_body_to_the_wrong_place() {
    let one = "l3@kommune.example";
    let data = |reaction| plain().on(Stage::Data, [Reaction::Accept, reaction]);
    let recipient = |code, text: &str| plain().on_recipient(one, Stage::Rcpt, [reply(code, text)]);
    survive_all(vec![
        Fault::new("354 although RCPT was refused", recipient(550, "5.1.1 unknown"))
            .leaves(&[State::Rejected]),
        Fault::new("354 although RCPT was deferred", recipient(452, "4.2.2 full")),
        Fault::new(
            "354 although MAIL was refused",
            plain().on(Stage::Mail, [Reaction::Accept, reply(550, "5.7.1"), reply(550, "5.7.1")]),
        )
        .leaves(&[State::Rejected]),
        Fault::new("RCPT 251", plain().on(Stage::Rcpt, vec![reply(251, "will forward"); 3]))
            .harmless(),
        Fault::new("RCPT 252", recipient(252, "cannot verify")),
        Fault::new("RCPT twice", plain().on(Stage::Rcpt, [say("250 ok\r\n250 ok\r\n")])),
        Fault::new("250 in place of 354", data(reply(250, "Ok"))),
        Fault::new("354 without text", data(say("354\r\n"))).harmless(),
        Fault::new("354 and an answer at once", data(say("354 go\r\n250 Ok\r\n"))),
        Fault::new("354 and a refusal at once", data(say("354 go\r\n554 no\r\n"))),
        Fault::new(
            "354 and a farewell",
            data(Reaction::Parting(b"354 go\r\n421 bye\r\n".to_vec())),
        ),
        Fault::new(
            "a greeting that is no UTF-8",
            plain().on(Stage::Greeting, [say(b"220 K\xf8benhavn\r\n".to_vec())]),
        )
        .harmless(),
        Fault::new("a greeting without text", plain().on(Stage::Greeting, [say("220\r\n")]))
            .harmless(),
        Fault::new(
            "a greeting and more",
            plain().on(Stage::Greeting, [say("220 hi\r\n250 hi\r\n")]),
        ),
        Fault::new("an offer without text", plain().on(Stage::Ehlo, [say("250\r\n")])).harmless(),
        Fault::new(
            "530 in place of a login",
            plain().on(Stage::Mail, [reply(530, "5.7.0 log in first")]),
        ),
    ])
    .await;
}

#[tokio::test]
async fn greylisting_lets_everyone_in_when_their_time_has_come() {
    let grey = |code, stage| {
        let script = (1..=MESSAGES).fold(plain(), |script, number| {
            let one = format!("l{number}@kommune.example");
            script.on_recipient(&one, stage, [reply(code, "4.2.0 greylisted, come back later")])
        });
        Fault::new(format!("{stage}: {code}"), script)
    };
    let stages = [Stage::Rcpt, Stage::Data, Stage::Body];
    survive_all(
        stages.into_iter().flat_map(|stage| [grey(450, stage), grey(451, stage)]).collect(),
    )
    .await;
}

#[tokio::test]
async fn nobody_who_is_not_the_server_gets_a_password_or_a_message() {
    let implicit = || Script::new(Tls::Implicit);
    let mut faults = vec![
        Fault::new(
            "STARTTLS stripped",
            starttls().on(Stage::Ehlo, [say("250-mx.example\r\n250 AUTH PLAIN LOGIN\r\n")]),
        ),
        Fault::new(
            "STARTTLS refused",
            starttls().on(Stage::StartTls, [reply(454, "4.7.0 TLS not available")]),
        ),
        Fault::new(
            "STARTTLS injected",
            starttls()
                .on(Stage::StartTls, [say("220 go ahead\r\n250-mx.example\r\n250 AUTH PLAIN\r\n")]),
        ),
        Fault::new(
            "TLS in place of which 220",
            starttls().on(Stage::Tls, [say("220 mx.example\r\n")]),
        ),
        Fault::new(
            "login taken back under TLS",
            starttls().on(Stage::Ehlo, [Reaction::Accept, say("250 mx.example\r\n")]),
        ),
        Fault::new("AUTH 535", implicit().on(Stage::Auth, [reply(535, "5.7.8 no")])),
        Fault::new(
            "AUTH 535 for the second lane",
            implicit().on(Stage::Auth, [Reaction::Accept, reply(535, "5.7.8 no")]),
        ),
        Fault::new("AUTH 454", implicit().on(Stage::Auth, [reply(454, "4.7.0 later")])),
        Fault::new("AUTH asks on", implicit().on(Stage::Auth, [reply(334, "bWVyZQ==")])),
        Fault::new(
            "AUTH LOGIN",
            implicit().offers(&["AUTH LOGIN"]).on(Stage::Auth, [Reaction::Cut]),
        ),
        Fault::new(
            "no login under TLS",
            starttls().offers(&["AUTH PLAIN"]).on(Stage::Tls, [Reaction::Cut]),
        ),
    ];
    for certificate in [Certificate::Expired, Certificate::OtherName] {
        let name = if certificate == Certificate::Expired { "expired" } else { "for another name" };
        faults.push(
            Fault::new(format!("a certificate {name}"), implicit().certificate(certificate))
                .lasting(),
        );
        faults.push(
            Fault::new(
                format!("a certificate {name} after STARTTLS"),
                starttls().certificate(certificate),
            )
            .lasting(),
        );
    }
    survive_all(faults.into_iter().map(Fault::with_login).collect()).await;
}

#[tokio::test]
async fn how_a_server_takes_leave_is_of_no_consequence() {
    let quit =
        |name: &str, reaction| Fault::new(format!("QUIT: {name}"), plain().farewell(reaction));
    survive_all(vec![
        quit("silence", silence()),
        quit("cut", Reaction::Cut),
        quit("garbage", say("what?\r\n")),
        quit("421", reply(421, "bye")),
        quit("554", reply(554, "no")),
        quit("endless", Reaction::Endless),
        quit("too late", Reaction::TooLate(b"221 bye\r\n".to_vec())),
    ])
    .await;
}
