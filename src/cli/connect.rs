//! `check --connect`: as far as a server lets us in, without a message.

use std::io::Write;

use super::exit::Exit;
use super::list::plain;
use super::refuse;
use crate::config::{Config, TransportKind};
use crate::delivery::state::{Outcome, Stage};
use crate::mail::transport::Transport;
use crate::mail::transport::smtp::Tls;
use crate::telemetry::mask_all;

/// Connects once, up to the login, and says how far it came; sends nothing.
///
/// # Errors
/// When `out` cannot be written.
pub async fn connect(
    config: &Config,
    transport: &Transport,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let mut connection = transport.connection();
    match connection.connect().await {
        Ok(()) => {
            connection.end().await;
            writeln!(out, "{}", reached(config))?;
            Ok(Exit::Done)
        }
        Err(outcome) => {
            let (text, exit) = verdict(config, &outcome);
            Ok(refuse(&text, exit))
        }
    }
}

fn reached(config: &Config) -> String {
    if config.mail.transport == TransportKind::File {
        return format!("mail folder {}: can be written", config.mail.file_dir.display());
    }
    let tls = match config.smtp.tls {
        Tls::Implicit => "encrypted (implicit)",
        Tls::StartTls => "encrypted (starttls)",
        Tls::None => "not encrypted",
    };
    let login = if config.smtp.username.is_some() { "logged in" } else { "no login asked for" };
    let (host, port) = (&config.smtp.host, config.smtp.port);
    format!("mail server {host}:{port}: connected, {tls}, {login}; nothing was sent")
}

/// What failed and what to do about it, without a secret or an address.
fn verdict(config: &Config, outcome: &Outcome) -> (String, Exit) {
    if config.mail.transport == TransportKind::File {
        return (outcome.text().to_owned(), Exit::Config);
    }
    let code = outcome.code();
    let is_login = outcome.stage() == Stage::Auth && code.is_some_and(|code| code >= 500);
    let (host, port) = (&config.smtp.host, config.smtp.port);
    let said = plain(&mask_all(outcome.text())).into_owned();
    let said = code.map_or_else(|| said.clone(), |code| format!("{code} {said}"));
    let text = format!(
        "mail server {host}:{port}: failed at {}: {said}; {}",
        what(outcome.stage()),
        advice(outcome.stage(), code)
    );
    (text, if is_login { Exit::Config } else { Exit::TryLater })
}

fn what(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "connecting",
        Stage::Greeting => "its greeting",
        Stage::Ehlo => "the introduction (EHLO)",
        Stage::StartTls => "asking for encryption (STARTTLS)",
        Stage::Tls => "encryption (TLS)",
        Stage::Auth => "the login (AUTH)",
        Stage::Mail | Stage::Rcpt | Stage::Data | Stage::Body => "the message",
    }
}

fn advice(stage: Stage, code: Option<u16>) -> &'static str {
    match (stage, code) {
        (Stage::Auth, Some(500..)) => {
            "check username and the *_file keys under [smtp], and whether this account may send by SMTP"
        }
        (_, Some(400..500)) => "the server refuses for now; try again in some minutes",
        (Stage::Connect, _) => "check host and port under [smtp], the network and the firewall",
        (Stage::Greeting | Stage::Ehlo, Some(_)) => {
            "ask who runs the server whether it takes mail from this machine"
        }
        (Stage::Greeting | Stage::Ehlo, None) => {
            "a silent server may want tls = \"implicit\", or none of our mail: check port and tls under [smtp]"
        }
        (Stage::StartTls, _) => "check port and tls under [smtp]",
        (Stage::Tls, _) => "check the server's certificate: its names, its days, who signed it",
        (Stage::Auth, _) => "check username and the *_file keys under [smtp]",
        (Stage::Mail | Stage::Rcpt | Stage::Data | Stage::Body, _) => "try again",
    }
}
