//! `check --connect`: how far a server lets us in, what to do, and no secret or address in either.

use std::net::TcpListener;
use std::time::Duration;

use advis::cli::{Exit, connect};
use advis::delivery::state::Stage;
use advis::mail::transport::Transport;
use advis::mail::transport::smtp::{Limits, SmtpSettings, SmtpTransport, Tls};

use super::world;
use crate::smtp_server::{Certificate, Reaction, Script, SmtpServer, reply, silence};
use crate::world::{Ran, World};

const GOOD: &str = "G-1,Status på haverne,status,2027-02-05,led";
const SECRET: &str = "hemmeligt-7";
const USER: &str = "advis@kommune.example";

/// A world that logs in to that server.
fn served(server: &SmtpServer, tls: &str) -> World {
    let world = world(&[GOOD]);
    let port = server.addr.port();
    let mut toml = format!(
        "[mail]\ntransport = \"smtp\"\n[smtp]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"{tls}\"\n"
    );
    if tls != "none" {
        let ca_file = server.ca_file.display();
        toml.push_str(&format!(
            "ca_file = \"{ca_file}\"\nusername = \"{USER}\"\npassword_file = \"password\"\n"
        ));
    }
    world.file("password", SECRET).config(&toml);
    world
}

fn check(world: &World) -> Ran {
    let ran = world.run("check --connect --on 2027-01-04");
    for text in [&ran.out, &ran.err] {
        assert!(!text.contains(SECRET) && !text.contains(USER), "{text}");
    }
    ran
}

/// The server is asked as far as that stage, and nothing of a message is ever said to it.
#[track_caller]
fn check_failure(script: Script, tls: &str, code: i32, words: &[&str]) {
    let server = SmtpServer::start(script);
    let ran = check(&served(&server, tls));
    assert!(ran.out.contains("address book and book: all right"), "{}", ran.out);
    assert!(!ran.out.contains("connected"), "{}", ran.out);
    ran.refused(code, words);
    assert!(server.texts().iter().all(|line| !line.starts_with("MAIL")));
    assert_eq!(server.sessions(), 1, "one connection");
}

#[test]
fn a_server_that_lets_us_in_is_told_and_gets_no_message() {
    for (tls, settings, told) in [
        ("none", Tls::None, "not encrypted, no login asked for"),
        ("starttls", Tls::StartTls, "encrypted (starttls), logged in"),
        ("implicit", Tls::Implicit, "encrypted (implicit), logged in"),
    ] {
        let server = SmtpServer::start(Script::new(settings));
        let out = check(&served(&server, tls)).ok();
        let line = format!("127.0.0.1:{}: connected, {told}; nothing was sent", server.addr.port());
        assert!(out.contains(&line), "{out}");
        server.wait_for_the_end();
        let lines = server.texts();
        assert_eq!(lines.last().map(String::as_str), Some("QUIT"), "{lines:?}");
        assert!(lines.iter().all(|line| !line.starts_with("MAIL")), "{lines:?}");
    }
}

#[test]
fn a_refused_login_is_a_matter_of_the_config() {
    let no = format!("5.7.8 {USER} gave {SECRET}");
    check_failure(
        Script::new(Tls::StartTls).on(Stage::Auth, [reply(535, &no)]),
        "starttls",
        78,
        &["failed at the login (AUTH): 535", "check username and the *_file keys under [smtp]"],
    );
    check_failure(
        Script::new(Tls::StartTls).on(Stage::Auth, [reply(454, "4.7.0 later")]),
        "starttls",
        75,
        &["failed at the login (AUTH): 454 4.7.0 later", "try again in some minutes"],
    );
}

#[test]
fn a_server_that_refuses_or_breaks_off_is_told_by_the_stage() {
    check_failure(
        Script::new(Tls::None).on(Stage::Greeting, [reply(554, "5.3.2 no service")]),
        "none",
        75,
        &["failed at its greeting: 554 5.3.2 no service", "takes mail from this machine"],
    );
    check_failure(
        Script::new(Tls::None).on(Stage::Ehlo, [reply(421, "4.3.2 busy")]),
        "none",
        75,
        &["failed at the introduction (EHLO): 421", "try again in some minutes"],
    );
    check_failure(
        Script::new(Tls::StartTls).on(Stage::StartTls, [Reaction::Cut]),
        "starttls",
        75,
        &["failed at asking for encryption (STARTTLS): the server hung up", "port and tls"],
    );
    check_failure(
        Script::new(Tls::Implicit).certificate(Certificate::Expired),
        "implicit",
        75,
        &["failed at encryption (TLS)", "expired", "its names, its days, who signed it"],
    );
    check_failure(
        Script::new(Tls::StartTls).certificate(Certificate::OtherName),
        "starttls",
        75,
        &["failed at encryption (TLS)", "check the server's certificate"],
    );
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let world = world(&[GOOD]);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    world.config(&format!(
        "[mail]\ntransport = \"smtp\"\n[smtp]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n"
    ));
    let server = format!("mail server 127.0.0.1:{port}: failed at connecting");
    check(&world).refused(75, &[&server, "the network and the firewall"]);
}

#[tokio::test]
async fn a_silent_server_is_left_after_the_time_allowed() {
    for (stage, is_tls) in [(Stage::Greeting, false), (Stage::Ehlo, false), (Stage::Tls, true)] {
        let tls = if is_tls { Tls::Implicit } else { Tls::None };
        let server = SmtpServer::start(Script::new(tls).on(stage, [silence()]));
        let short = Duration::from_millis(200);
        let limits =
            Limits { connect: short, greeting: short, command: short, ..Limits::default() };
        let settings = SmtpSettings { limits, ..server.settings() };
        let transport = Transport::Smtp(SmtpTransport::new(settings).unwrap());
        let (mut config, _) =
            advis::config::look(None, Vec::new(), "2027-01-04".parse().unwrap()).unwrap();
        config.mail.transport = advis::config::TransportKind::Smtp;
        let exit = connect::connect(&config, &transport, &mut Vec::new()).await.unwrap();
        assert_eq!(exit, Exit::TryLater, "{stage}");
    }
}

#[test]
fn a_folder_for_mail_can_be_written_or_not() {
    let world = world(&[GOOD]);
    let out = check(&world).ok();
    assert!(out.contains("mail folder data/mail: can be written"), "{out}");
    assert_eq!(world.mails().len(), 0);
    world.file("plain", "a file").config("[mail]\nfile_dir = \"plain/mail\"\n");
    check(&world).refused(78, &["cannot write into the folder plain/mail", "file_dir"]);
}

#[test]
fn nobody_is_called_with_a_config_that_is_wrong() {
    let server = SmtpServer::start(Script::new(Tls::StartTls));
    let world = served(&server, "starttls");
    std::fs::remove_file(world.path("password")).unwrap();
    check(&world).refused(78, &["smtp.password_file", "not connected"]);
    assert_eq!(server.sessions(), 0);
}
