//! The SMTP client against the scripted server, and the file transport against a folder.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use advis::config::Command;
use advis::delivery::state::{Outcome, REPLY_CHARS_MAX, Stage};
use advis::mail::transport::smtp::{
    BadSettings, Credentials, Limits, SmtpSettings, Tls, TokenSource,
};
use advis::mail::transport::{Connection, Envelope, FileTransport, SmtpTransport, Transport};
use data_encoding::BASE64;
use proptest::prelude::*;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::smtp_server::{Certificate, Reaction, Script, SmtpServer, reply, say, silence};

const MESSAGE_ID: &str = "<abc.advis@kommune.example>";
const MIME: &[u8] = b"Date: Thu, 02 Jan 2020 08:00:01 +0100\r\n\
    Message-ID: <abc.advis@kommune.example>\r\n\
    Subject: Frist\r\n\r\n\
    Husk:\r\n.\r\n..to punktummer\r\n.slut\r\n";
const PASSWORD: &str = "kanariefugl-7";
const GARBAGE: &str = "HTTP/1.1 400 Bad Request\r\n";

fn envelope() -> Envelope {
    envelope_to("leder@aarhus.example")
}

fn envelope_to(to: &str) -> Envelope {
    Envelope { from: "advis@kommune.example".parse().unwrap(), to: to.parse().unwrap() }
}

fn connection(settings: SmtpSettings) -> Connection {
    Transport::Smtp(SmtpTransport::new(settings).unwrap()).connection()
}

async fn send(connection: &mut Connection) -> Outcome {
    send_bytes(connection, MIME).await
}

async fn send_bytes(connection: &mut Connection, mime: &[u8]) -> Outcome {
    match connection.open(&envelope(), MESSAGE_ID).await {
        Ok(()) => connection.body(mime, None).await,
        Err(outcome) => outcome,
    }
}

/// What one message on a fresh connection leads to.
async fn outcome(server: &SmtpServer) -> Outcome {
    send(&mut connection(server.settings())).await
}

fn plain() -> Script {
    Script::new(Tls::None)
}

fn broken_at(outcome: &Outcome) -> Option<Stage> {
    match outcome {
        Outcome::Broken { stage, .. } => Some(*stage),
        _ => None,
    }
}

fn cause(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Broken { cause, .. } => cause,
        _ => panic!("not broken: {outcome:?}"),
    }
}

fn is_accepted(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Accepted { code: Some(250), .. })
}

/// A folder with a secret in it, and the credentials that name it.
fn password_credentials() -> (TempDir, Credentials) {
    let (dir, password_file) = secret_file(&format!("{PASSWORD}\n"));
    (dir, Credentials::Password { username: "advis".to_owned(), password_file })
}

fn secret_file(text: &str) -> (TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    std::fs::write(&path, text).unwrap();
    (dir, path)
}

fn token(source: TokenSource) -> Credentials {
    Credentials::Token { username: "advis@kommune.example".to_owned(), token: source }
}

// Every stage, every way to fail.

struct Case {
    name: String,
    script: Script,
    expected: Expected,
    silent: bool,
}

enum Expected {
    Refused(Stage, u16),
    Broken(Stage),
}

fn cases(stage: Stage, script: impl Fn() -> Script) -> Vec<Case> {
    let case = |name: &str, reaction: Reaction, expected| Case {
        name: format!("{stage}: {name}"),
        silent: matches!(reaction, Reaction::LastWords(_)),
        script: script().on(stage, [reaction]),
        expected,
    };
    let mut cases = vec![
        case("cut", Reaction::Cut, Expected::Broken(stage)),
        case("silence", silence(), Expected::Broken(stage)),
        case("garbage", say(GARBAGE), Expected::Broken(stage)),
        case("endless", Reaction::Endless, Expected::Broken(stage)),
    ];
    if stage != Stage::Tls {
        let refused = [421, 451, 554].map(|code| {
            case(&code.to_string(), reply(code, "4.0.0 no"), Expected::Refused(stage, code))
        });
        cases.extend(refused);
        cases.push(case("388", reply(388, "what is this"), Expected::Broken(stage)));
    }
    cases
}

async fn check_case(case: Case) {
    let (_dir, credentials) = password_credentials();
    let encrypted = !matches!(
        case.expected,
        Expected::Broken(stage) | Expected::Refused(stage, _)
            if !matches!(stage, Stage::StartTls | Stage::Tls | Stage::Auth)
    );
    let server = SmtpServer::start(case.script);
    let mut settings = server.settings();
    if encrypted {
        settings.credentials = credentials;
    }
    if case.silent {
        let short = Duration::from_secs(2);
        settings.limits = Limits {
            connect: short,
            greeting: short,
            command: short,
            data_start: short,
            body_write: short,
            body_reply: short,
            quit: short,
        };
    }
    let mut connection = connection(settings);
    let outcome = send(&mut connection).await;
    match (case.expected, &outcome) {
        (Expected::Refused(stage, code), Outcome::Refused { stage: s, code: c, reply }) => {
            assert_eq!((stage, code, "4.0.0 no"), (*s, *c, reply.as_str()), "{}", case.name);
        }
        (Expected::Broken(stage), Outcome::Broken { stage: s, cause }) => {
            assert_eq!(stage, *s, "{}", case.name);
            assert_eq!(case.silent, cause.contains("no answer within"), "{}: {cause}", case.name);
        }
        _ => panic!("{}: {outcome:?}", case.name),
    }
    assert!(server.ledger().iter().all(|message| !message.taken), "{}", case.name);
    let again = send(&mut connection).await;
    assert!(is_accepted(&again), "{}: the next message: {again:?}", case.name);
    assert_eq!(server.sessions(), 2, "{}: a failed connection was used again", case.name);
}

#[tokio::test]
async fn every_failure_is_told_by_its_stage_and_ends_the_connection() {
    let mut all = Vec::new();
    for offers in [&["PIPELINING"], [].as_slice()] {
        for stage in
            [Stage::Greeting, Stage::Ehlo, Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Body]
        {
            all.extend(cases(stage, || plain().offers(offers)));
        }
    }
    for stage in [Stage::StartTls, Stage::Auth] {
        all.extend(cases(stage, || Script::new(Tls::StartTls)));
    }
    for stage in [Stage::Tls, Stage::Greeting, Stage::Auth] {
        all.extend(cases(stage, || Script::new(Tls::Implicit)));
    }
    let mut running: JoinSet<()> = all.into_iter().map(check_case).collect();
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_broken_at_connect_and_named() {
    let server = SmtpServer::start(plain());
    let mut connection = connection(server.settings());
    let addr = server.addr;
    drop(server);
    let outcome = send(&mut connection).await;
    assert_eq!(broken_at(&outcome), Some(Stage::Connect));
    assert!(cause(&outcome).contains(&addr.to_string()), "{outcome:?}");
}

// When all goes well.

#[tokio::test]
async fn the_bytes_arrive_as_they_were_with_and_without_encryption() {
    for tls in [Tls::None, Tls::Implicit, Tls::StartTls] {
        let server = SmtpServer::start(Script::new(tls));
        let outcome = outcome(&server).await;
        let reply = "2.0.0 Ok: queued".to_owned();
        assert_eq!(outcome, Outcome::Accepted { code: Some(250), reply });
        let [received] = server.ledger().try_into().unwrap();
        assert_eq!(received.data, MIME);
        assert_eq!(
            (received.from.as_str(), received.to.as_str()),
            ("advis@kommune.example", "leder@aarhus.example")
        );
        assert_eq!((received.message_id.as_str(), received.taken), (MESSAGE_ID, true));
        let lines = server.lines();
        let mail = lines.iter().find(|line| line.text.starts_with("MAIL")).unwrap();
        assert_eq!(mail.encrypted, tls != Tls::None);
    }
}

#[tokio::test]
async fn one_connection_carries_many_messages_and_ends_with_quit() {
    for tls in [Tls::None, Tls::Implicit] {
        let server = SmtpServer::start(Script::new(tls));
        let mut connection = connection(server.settings());
        for _ in 0..3 {
            assert!(is_accepted(&send(&mut connection).await));
        }
        connection.end().await;
        server.wait_for_the_end();
        assert_eq!((server.sessions(), server.ledger().len()), (1, 3));
        let said = server.texts();
        assert_eq!(said.last().unwrap(), "QUIT");
        assert!(!said.contains(&"RSET".to_owned()));
    }
}

#[tokio::test]
async fn commands_go_in_one_write_only_where_the_server_takes_it_so() {
    for (offers, at_once) in [(&["pipelining"], true), (&["8BITMIME"], false)] {
        let server = SmtpServer::start(plain().offers(offers));
        assert!(is_accepted(&outcome(&server).await));
        for verb in ["MAIL", "RCPT"] {
            let lines = server.lines();
            let line = lines.iter().find(|line| line.text.starts_with(verb)).unwrap();
            assert_eq!(line.more_at_once, at_once, "{line:?}");
        }
    }
}

#[tokio::test]
async fn the_next_envelope_goes_right_behind_a_body_only_where_the_server_takes_it_so() {
    let is_mail = |text: &&String| text.starts_with("MAIL");
    for (offers, behind) in [(&["pipelining"], 1), (&["8BITMIME"], 0)] {
        let server = SmtpServer::start(plain().offers(offers));
        let mut connection = connection(server.settings());
        for _ in 0..2 {
            connection.open(&envelope(), MESSAGE_ID).await.unwrap();
            assert!(is_accepted(&connection.body(MIME, Some(&envelope())).await));
        }
        connection.abandon();
        server.wait_for_the_end();
        assert_eq!((server.sessions(), server.ledger().len()), (1, 2));
        assert_eq!(server.texts().iter().filter(is_mail).count(), 2 + behind);
    }
}

#[tokio::test]
async fn a_server_that_loses_what_comes_behind_a_body_costs_one_time_limit_and_no_message() {
    let server = SmtpServer::start(plain().on(Stage::Mail, [Reaction::Accept, silence()]));
    let mut settings = server.settings();
    settings.limits.command = Duration::from_millis(100);
    let mut connection = connection(settings);
    for _ in 0..4 {
        connection.open(&envelope(), MESSAGE_ID).await.unwrap();
        assert!(is_accepted(&connection.body(MIME, Some(&envelope())).await));
    }
    connection.end().await;
    server.wait_for_the_end();
    assert_eq!((server.sessions(), server.ledger().len()), (2, 4));
    assert_eq!(server.texts().last().unwrap(), "QUIT");
}

#[tokio::test]
async fn a_message_that_was_not_announced_does_not_go_in_the_place_of_one_that_was() {
    let server = SmtpServer::start(plain());
    let mut connection = connection(server.settings());
    connection.open(&envelope(), MESSAGE_ID).await.unwrap();
    let other = envelope_to("en.anden@aarhus.example");
    assert!(is_accepted(&connection.body(MIME, Some(&other)).await));
    assert!(is_accepted(&send(&mut connection).await));
    drop(connection);
    server.wait_for_the_end();
    let to: Vec<String> = server.ledger().into_iter().map(|received| received.to).collect();
    assert_eq!(to, [envelope().to.as_str(), envelope().to.as_str()]);
    assert_eq!(server.sessions(), 2);
}

#[tokio::test]
async fn we_introduce_ourselves_by_name_or_by_address() {
    for (hello_name, said) in [
        (Some("advis.kommune.example".to_owned()), "EHLO advis.kommune.example"),
        (None, "EHLO [127.0.0.1]"),
    ] {
        let server = SmtpServer::start(plain());
        let mut connection = connection(SmtpSettings { hello_name, ..server.settings() });
        connection.connect().await.unwrap();
        connection.end().await;
        server.wait_for_the_end();
        assert_eq!(server.texts(), [said, "QUIT"]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_message_arrives_whole_and_only_its_end_ends_it(
        lines in prop::collection::vec("(\\.{0,2}[a-z]{0,3}){0,2}", 0..6),
        odd in "[.\\r\\na]{0,12}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let server = SmtpServer::start(plain());
        let mut connection = connection(server.settings());
        let clean: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        runtime.block_on(async {
            assert!(is_accepted(&send_bytes(&mut connection, clean.as_bytes()).await));
            assert!(is_accepted(&send_bytes(&mut connection, odd.as_bytes()).await));
        });
        let [first, second] = server.ledger().try_into().unwrap();
        let whole = if clean.is_empty() { "\r\n" } else { &clean };
        prop_assert_eq!(String::from_utf8_lossy(&first.data), whole);
        for message in [first, second] {
            let wire = [b"\n", message.wire.as_slice()].concat();
            let is_end = |bytes: &&[u8]| matches!(bytes, [b'\r' | b'\n', b'.', b'\r' | b'\n']);
            prop_assert_eq!(wire.windows(3).filter(is_end).count(), 1);
        }
    }
}

// The final reply, in all its forms.

#[tokio::test]
async fn only_a_whole_250_accepts_a_message() {
    let long = format!("250 {}\r\n", "x".repeat(1_000));
    let endless = "250-more\r\n".repeat(10_000);
    let cut = |text: &str| text.to_owned().into_bytes();
    for (bytes, expected) in [
        (cut("250\r\n"), Some("")),
        (cut("250 \r\n"), Some("")),
        (cut("250 ok\n"), Some("ok")),
        (cut("250-2.0.0 Ok\r\n250-queued\r\n250 as 7\r\n"), Some("2.0.0 Ok queued as 7")),
        (b"250 k\xf8et\r\n".to_vec(), Some("k\u{fffd}et")),
        (cut("250 a\u{1b}[31m\tb\r\n"), Some("a\u{fffd}[31m b")),
        (cut("250-one\r\n251 other\r\n"), None),
        (cut("251 will forward\r\n"), None),
        (cut("354 go on\r\n"), None),
        (cut("220 hello\r\n"), None),
        (cut("2500 ok\r\n"), None),
        (cut("+50 ok\r\n"), None),
        (cut("25\r\n"), None),
        (cut("\r\n"), None),
        (cut(&long), None),
        (cut(&endless), None),
    ] {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
        let server = SmtpServer::start(plain().on(Stage::Body, [say(bytes)]));
        let outcome = outcome(&server).await;
        match expected {
            Some(reply) => {
                let reply = reply.to_owned();
                assert_eq!(outcome, Outcome::Accepted { code: Some(250), reply }, "{shown:?}");
            }
            None => assert_eq!(broken_at(&outcome), Some(Stage::Body), "{shown:?}: {outcome:?}"),
        }
    }
}

#[tokio::test]
async fn a_reply_without_its_end_accepts_nothing() {
    let script = plain().on(Stage::Body, [say("250 ok")]);
    let server = SmtpServer::start(script);
    let limits = Limits { body_reply: Duration::from_millis(200), ..Limits::default() };
    let mut connection = connection(SmtpSettings { limits, ..server.settings() });
    assert_eq!(broken_at(&send(&mut connection).await), Some(Stage::Body));
}

#[tokio::test]
async fn a_long_reply_is_kept_up_to_its_limit() {
    let text = format!("550-{}\r\n550 {}\r\n", "a".repeat(900), "b".repeat(900));
    let server = SmtpServer::start(plain().on(Stage::Rcpt, [say(text)]));
    let Outcome::Refused { reply, .. } = outcome(&server).await else { panic!("not refused") };
    assert_eq!(reply.chars().count(), REPLY_CHARS_MAX);
}

#[tokio::test]
async fn an_acceptance_that_gets_lost_is_unknown_and_the_server_has_the_message() {
    let server = SmtpServer::start(plain().on(Stage::Body, [Reaction::TakeAndCut]));
    assert_eq!(broken_at(&outcome(&server).await), Some(Stage::Body));
    assert!(server.ledger()[0].taken);
}

// Replies out of step.

#[tokio::test]
async fn a_success_that_is_not_354_starts_no_body() {
    for offers in [&["PIPELINING"], [].as_slice()] {
        let script = plain().offers(offers).on(Stage::Data, [reply(250, "Ok")]);
        let server = SmtpServer::start(script);
        assert_eq!(broken_at(&outcome(&server).await), Some(Stage::Data));
        server.wait_for_the_end();
        assert_eq!(server.texts().last().unwrap(), "DATA");
        assert!(server.ledger().is_empty());
    }
}

#[tokio::test]
async fn a_message_is_not_sent_to_a_server_that_has_answered_it_already() {
    let script = plain().on(Stage::Data, [say("354 go\r\n250 Ok\r\n")]);
    let server = SmtpServer::start(script);
    assert_eq!(broken_at(&outcome(&server).await), Some(Stage::Data));
    assert!(server.ledger().is_empty());
}

#[tokio::test]
async fn a_second_answer_to_one_message_is_not_taken_for_the_next() {
    for extra in ["250 Ok\r\n250 Ok\r\n", "250 Ok\r\n554 no\r\n", "250 Ok\r\n421 bye\r\n"] {
        let server = SmtpServer::start(plain().on(Stage::Body, [say(extra)]));
        let mut connection = connection(server.settings());
        assert!(is_accepted(&send(&mut connection).await));
        assert!(is_accepted(&send(&mut connection).await));
        assert_eq!((server.sessions(), server.ledger().len()), (2, 2));
    }
}

#[tokio::test]
async fn a_server_that_left_between_two_messages_is_called_again_once() {
    for left in [Reaction::Cut, reply(421, "4.4.2 idle too long")] {
        let script = plain().on(Stage::Mail, [Reaction::Accept, left.clone(), left]);
        let server = SmtpServer::start(script);
        let mut connection = connection(server.settings());
        assert!(is_accepted(&send(&mut connection).await));
        let failed = send(&mut connection).await;
        assert!(!is_accepted(&failed), "{failed:?}");
        assert_eq!(server.sessions(), 2);
        assert!(is_accepted(&send(&mut connection).await));
        assert_eq!((server.sessions(), server.ledger().len()), (3, 2));
    }
}

#[tokio::test]
async fn nothing_is_said_after_354_when_the_recipient_was_refused() {
    let refusal = [reply(550, "5.1.1 unknown")];
    let server = SmtpServer::start(plain().on(Stage::Rcpt, refusal));
    let refused = outcome(&server).await;
    assert!(matches!(refused, Outcome::Refused { stage: Stage::Rcpt, code: 550, .. }));
    server.wait_for_the_end();
    assert_eq!(server.texts().last().unwrap(), "DATA");
    assert_eq!(server.unfinished(), [b""]);
    assert!(server.ledger().is_empty());
}

#[tokio::test]
async fn a_refused_client_says_quit_where_the_server_listens() {
    let no = || [reply(550, "5.1.1 unknown")];
    let on_its_own = plain().offers(&[]).on(Stage::Rcpt, no());
    let in_a_group = plain().on(Stage::Rcpt, no()).on(Stage::Data, [reply(554, "no recipients")]);
    for script in [on_its_own, in_a_group, plain().on(Stage::Body, no())] {
        let server = SmtpServer::start(script);
        assert!(matches!(outcome(&server).await, Outcome::Refused { code: 550, .. }));
        server.wait_for_the_end();
        assert_eq!(server.texts().last().unwrap(), "QUIT");
    }
}

#[tokio::test]
async fn the_refusal_of_one_recipient_touches_no_other() {
    let nobody = "ingen@aarhus.example";
    let refusal = [reply(550, "5.1.1 unknown")];
    let server = SmtpServer::start(plain().on_recipient(nobody, Stage::Rcpt, refusal));
    let mut connection = connection(server.settings());
    assert!(is_accepted(&send(&mut connection).await));
    let refused = connection.open(&envelope_to(nobody), MESSAGE_ID).await;
    assert!(matches!(refused, Err(Outcome::Refused { stage: Stage::Rcpt, .. })));
    assert!(is_accepted(&send(&mut connection).await));
}

#[tokio::test]
async fn an_abandoned_message_reaches_nobody() {
    let server = SmtpServer::start(plain());
    let mut connection = connection(server.settings());
    connection.open(&envelope(), MESSAGE_ID).await.unwrap();
    connection.abandon();
    server.wait_for_the_end();
    assert_eq!(server.unfinished(), [b""]);
    assert!(server.ledger().is_empty());
    assert_eq!(server.texts().last().unwrap(), "DATA");
    assert!(broken_at(&connection.body(MIME, None).await).is_some());
    assert!(is_accepted(&send(&mut connection).await));
}

#[tokio::test]
async fn a_stage_dropped_halfway_takes_its_connection_with_it() {
    let script = plain().offers(&[]).on(Stage::Rcpt, [Reaction::Accept, silence()]);
    let server = SmtpServer::start(script);
    let mut connection = connection(server.settings());
    assert!(is_accepted(&send(&mut connection).await));
    let patience = Duration::from_millis(200);
    let dropped = tokio::time::timeout(patience, send(&mut connection)).await;
    assert!(dropped.is_err());
    assert!(is_accepted(&send(&mut connection).await));
    assert_eq!(server.sessions(), 2);
}

#[tokio::test]
async fn an_unanswered_quit_delays_nobody_for_long() {
    let last = Reaction::LastWords(b"250 Ok\r\n".to_vec());
    let server = SmtpServer::start(plain().on(Stage::Body, [last]));
    let limits = Limits { quit: Duration::from_millis(100), ..Limits::default() };
    let mut connection = connection(SmtpSettings { limits, ..server.settings() });
    assert!(is_accepted(&send(&mut connection).await));
    let patience = Duration::from_secs(20);
    tokio::time::timeout(patience, connection.end()).await.expect("QUIT is still waiting");
}

// Encryption that cannot be talked out of.

#[tokio::test]
async fn a_stripped_starttls_ends_the_connection_before_anything_is_said() {
    let (_dir, credentials) = password_credentials();
    let stripped = say("250-mx.example\r\n250 AUTH PLAIN LOGIN\r\n");
    let server = SmtpServer::start(Script::new(Tls::StartTls).on(Stage::Ehlo, [stripped]));
    let mut connection = connection(SmtpSettings { credentials, ..server.settings() });
    assert_eq!(broken_at(&send(&mut connection).await), Some(Stage::StartTls));
    server.wait_for_the_end();
    assert_eq!(server.texts(), ["EHLO advis.kommune.example"]);
}

#[tokio::test]
async fn words_injected_before_encryption_are_not_believed() {
    let injected = say("220 go ahead\r\n250-mx.example\r\n250 AUTH PLAIN\r\n");
    let server = SmtpServer::start(Script::new(Tls::StartTls).on(Stage::StartTls, [injected]));
    assert_eq!(broken_at(&outcome(&server).await), Some(Stage::StartTls));
}

#[tokio::test]
async fn what_was_offered_before_encryption_is_forgotten() {
    let (_dir, credentials) = password_credentials();
    let before = say("250-mx.example\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n");
    let after = say("250 mx.example\r\n");
    let script = Script::new(Tls::StartTls).on(Stage::Ehlo, [before, after]);
    let server = SmtpServer::start(script);
    let mut connection = connection(SmtpSettings { credentials, ..server.settings() });
    let outcome = send(&mut connection).await;
    assert_eq!(broken_at(&outcome), Some(Stage::Auth));
    assert!(cause(&outcome).contains("PLAIN or LOGIN"), "{outcome:?}");
}

#[tokio::test]
async fn a_certificate_that_is_expired_foreign_or_for_another_name_ends_the_connection() {
    let stranger = SmtpServer::start(plain());
    for tls in [Tls::Implicit, Tls::StartTls] {
        for certificate in [Certificate::Good, Certificate::Expired, Certificate::OtherName] {
            let server = SmtpServer::start(Script::new(tls).certificate(certificate));
            let mut settings = server.settings();
            if certificate == Certificate::Good {
                settings.ca_file = Some(stranger.ca_file.clone());
            }
            let outcome = send(&mut connection(settings)).await;
            assert_eq!(broken_at(&outcome), Some(Stage::Tls));
            assert!(cause(&outcome).contains("ca_file"), "{outcome:?}");
            server.wait_for_the_end();
            assert!(server.lines().iter().all(|line| !line.encrypted));
        }
    }
}

#[test]
fn settings_that_would_send_in_clear_or_cannot_work_are_refused() {
    let server = SmtpServer::start(plain());
    let refused = |settings| SmtpTransport::new(settings).unwrap_err();
    let clear = |host: &str| SmtpSettings { host: host.to_owned(), ..server.settings() };
    for host in ["mail.kommune.example", "10.0.0.7", "localhost.kommune.example", "0.0.0.0"] {
        assert_eq!(refused(clear(host)), BadSettings::ClearMail(host.to_owned()));
    }
    for host in ["localhost", "LOCALHOST", "127.8.9.1", "::1"] {
        SmtpTransport::new(clear(host)).unwrap();
    }
    let (_dir, credentials) = password_credentials();
    let with_password = SmtpSettings { credentials, ..server.settings() };
    assert_eq!(refused(with_password.clone()), BadSettings::ClearCredentials);

    let encrypted = SmtpSettings { tls: Tls::Implicit, ..with_password };
    let host = "ikke et navn".to_owned();
    assert_eq!(
        refused(SmtpSettings { host: host.clone(), ..encrypted.clone() }),
        BadSettings::Host(host)
    );
    let name = "advis\r\nMAIL FROM:<x@y.example>".to_owned();
    let hello_name = Some(name.clone());
    assert_eq!(
        refused(SmtpSettings { hello_name, ..encrypted.clone() }),
        BadSettings::HelloName(name)
    );
    let credentials = token(TokenSource::Command(Command(Vec::new())));
    assert_eq!(
        refused(SmtpSettings { credentials, ..encrypted.clone() }),
        BadSettings::TokenCommand
    );
    let (_dir, no_certificate) = secret_file("not PEM");
    for path in [no_certificate.as_path(), Path::new("/nowhere/ca.pem")] {
        let error = refused(SmtpSettings { ca_file: Some(path.to_owned()), ..encrypted.clone() });
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}

// Logging in.

#[tokio::test]
async fn the_login_uses_what_the_server_offers_and_only_under_encryption() {
    let (_dir, password) = password_credentials();
    let (_dir, file) = secret_file(&format!("{PASSWORD}\r\n"));
    let command = ["printf", "%s\n", PASSWORD].map(str::to_owned).to_vec();
    let plain = vec![format!("AUTH PLAIN {}", encoded(&format!("\0advis\0{PASSWORD}")))];
    let login = vec!["AUTH LOGIN".to_owned(), encoded("advis"), encoded(PASSWORD)];
    let xoauth2 = vec![format!("AUTH XOAUTH2 {}", encoded(&bearer(PASSWORD)))];
    let all: &[&str] = &["AUTH LOGIN XOAUTH2 PLAIN"];
    for (credentials, offers, expected) in [
        (password.clone(), all, &plain),
        (password.clone(), &["auth login"], &login),
        (password.clone(), &["AUTH=LOGIN PLAIN"], &plain),
        (token(TokenSource::File(file)), all, &xoauth2),
        (token(TokenSource::Command(Command(command))), all, &xoauth2),
    ] {
        for tls in [Tls::Implicit, Tls::StartTls] {
            let server = SmtpServer::start(Script::new(tls).offers(offers));
            let credentials = credentials.clone();
            let settings = SmtpSettings { credentials, ..server.settings() };
            assert!(is_accepted(&send(&mut connection(settings)).await));
            let lines = server.lines();
            let first = lines.iter().position(|line| line.text.starts_with("AUTH")).unwrap();
            let said = &lines[first..first + expected.len()];
            assert!(said.iter().map(|line| &line.text).eq(expected), "{said:?}");
            assert!(said.iter().all(|line| line.encrypted), "{said:?}");
        }
    }
}

fn bearer(token: &str) -> String {
    format!("user=advis@kommune.example\u{1}auth=Bearer {token}\u{1}\u{1}")
}

fn encoded(text: &str) -> String {
    BASE64.encode(text.as_bytes())
}

#[tokio::test]
async fn a_refused_token_is_refused_after_its_explanation_is_heard() {
    let (_dir, file) = secret_file(PASSWORD);
    let explanation = [reply(334, "eyJzdGF0dXMiOiI0MDEifQ=="), reply(535, "5.7.8 expired")];
    let server = SmtpServer::start(Script::new(Tls::Implicit).on(Stage::Auth, explanation));
    let credentials = token(TokenSource::File(file));
    let outcome = send(&mut connection(SmtpSettings { credentials, ..server.settings() })).await;
    assert!(
        matches!(outcome, Outcome::Refused { stage: Stage::Auth, code: 535, .. }),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_secret_that_cannot_be_had_says_where_it_was_sought() {
    let (_dir, empty) = secret_file("\n");
    let server = SmtpServer::start(Script::new(Tls::Implicit));
    let command = |words: &[&str]| {
        token(TokenSource::Command(Command(words.iter().map(ToString::to_string).collect())))
    };
    let password_file = Path::new("/nowhere/secret").to_owned();
    for (credentials, named) in [
        (token(TokenSource::File(empty.clone())), empty.to_str().unwrap()),
        (Credentials::Password { username: "advis".to_owned(), password_file }, "/nowhere/secret"),
        (command(&["false"]), "token_command false failed"),
        (command(&["no-such-program-here"]), "no-such-program-here"),
        (command(&["true"]), "token_command"),
    ] {
        let settings = SmtpSettings { credentials, ..server.settings() };
        let outcome = send(&mut connection(settings)).await;
        assert_eq!(broken_at(&outcome), Some(Stage::Auth));
        assert!(cause(&outcome).contains(named), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_secret_is_read_anew_for_each_connection() {
    let (_dir, file) = secret_file("old");
    let server = SmtpServer::start(Script::new(Tls::Implicit));
    let credentials = token(TokenSource::File(file.clone()));
    let mut connection = connection(SmtpSettings { credentials, ..server.settings() });
    for secret in ["old", "new"] {
        std::fs::write(&file, secret).unwrap();
        assert!(is_accepted(&send(&mut connection).await));
        connection.abandon();
        let login = encoded(&bearer(secret));
        assert!(server.texts().contains(&format!("AUTH XOAUTH2 {login}")));
    }
}

// What is logged, and what never.

#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Everything that this thread logs from now on, down to the finest detail.
    pub(crate) fn capture() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[tokio::test]
async fn the_final_reply_is_logged_without_addresses_or_text() {
    let script = plain().on(Stage::Body, [Reaction::Accept, reply(451, "leder@aarhus.example")]);
    let server = SmtpServer::start(script);
    let (log, _guard) = Log::capture();
    let mut connection = connection(server.settings());
    for _ in 0..2 {
        send(&mut connection).await;
    }
    let text = log.text();
    let events: Vec<_> = text.lines().filter(|line| line.contains("smtp.final_reply")).collect();
    assert_eq!(events.len(), 2);
    for (event, code) in events.iter().zip(["code=250", "code=451"]) {
        assert!(event.contains(MESSAGE_ID) && event.contains(code), "{event}");
    }
    for private in ["leder@", "aarhus", "Husk"] {
        assert!(!text.contains(private), "{private} in {text}");
    }
}

#[tokio::test]
async fn a_secret_is_in_no_log_no_error_and_no_debug_text() {
    let (_dir, password) = password_credentials();
    let (_dir, file) = secret_file(PASSWORD);
    let plain = encoded(&format!("\0advis\0{PASSWORD}"));
    let bearer = encoded(&bearer(PASSWORD));
    let (log, _guard) = Log::capture();
    let command = ["curl", "--data", PASSWORD].map(str::to_owned).to_vec();
    let mut seen = format!("{:?}\n", TokenSource::Command(Command(command)));
    for (credentials, offers, sent) in [
        (password.clone(), &["AUTH PLAIN"], &plain),
        (password, &["AUTH LOGIN"], &encoded(PASSWORD)),
        (token(TokenSource::File(file)), &["AUTH XOAUTH2"], &bearer),
    ] {
        for echo in [PASSWORD, sent] {
            let echoes = [
                reply(535, &format!("cannot take {echo}")),
                say(format!("{echo}\r\n")),
                Reaction::Cut,
            ];
            let script = Script::new(Tls::StartTls).offers(offers).on(Stage::Auth, echoes);
            let server = SmtpServer::start(script);
            let credentials = credentials.clone();
            let settings = SmtpSettings { credentials, ..server.settings() };
            let transport = SmtpTransport::new(settings).unwrap();
            let mut connection = Transport::Smtp(transport.clone()).connection();
            for _ in 0..4 {
                seen += &format!("{:?} {transport:?}\n", send(&mut connection).await);
            }
        }
    }
    seen += &log.text();
    for outcome in ["Accepted", "Refused", "Broken", "smtp.final_reply"] {
        assert!(seen.contains(outcome), "no {outcome} in {seen}");
    }
    for secret in [PASSWORD, &plain, &encoded(PASSWORD), &bearer] {
        assert!(!seen.contains(secret), "{secret} in {seen}");
    }
}

// Into a folder.

fn files(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn folder(dir: &Path) -> Connection {
    Transport::File(FileTransport { dir: dir.to_owned() }).connection()
}

#[tokio::test]
async fn a_message_becomes_one_file_named_by_its_date_and_id_however_often_it_is_sent() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("new").join("outbox");
    let mut connection = folder(&dir);
    let path = dir.join("2020-01-02-080001-abc.advis.eml");
    for _ in 0..2 {
        let reply = path.display().to_string();
        assert_eq!(send(&mut connection).await, Outcome::Accepted { code: None, reply });
    }
    connection.end().await;
    assert_eq!(files(&dir), ["2020-01-02-080001-abc.advis.eml"]);
    assert_eq!(std::fs::read(path).unwrap(), MIME);
}

#[tokio::test]
async fn an_abandoned_or_probed_folder_holds_nothing_and_strange_ids_stay_in_it() {
    let home = tempfile::tempdir().unwrap();
    let mut connection = folder(home.path());
    connection.connect().await.unwrap();
    connection.open(&envelope(), MESSAGE_ID).await.unwrap();
    connection.abandon();
    assert!(files(home.path()).is_empty());
    assert!(broken_at(&connection.body(MIME, None).await).is_some());
    connection.open(&envelope(), "<../../etc/æ x@kommune.example>").await.unwrap();
    connection.body(b"Subject: no date\r\n\r\nDate: no header\r\n", None).await;
    assert_eq!(files(home.path()), [".._.._etc___x.eml"]);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named_with_what_to_do() {
    let (_dir, file) = secret_file("a file where the folder should be");
    let outcome = send(&mut folder(&file)).await;
    assert_eq!(broken_at(&outcome), Some(Stage::Connect));
    for part in [file.to_str().unwrap(), "file_dir"] {
        assert!(cause(&outcome).contains(part), "{outcome:?}");
    }
}
