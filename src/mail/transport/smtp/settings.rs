//! How to reach the server, as the config says it.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::Command;
pub use crate::config::Tls;
use crate::delivery::state::Stage;

/// Where the server is and what it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpSettings {
    /// Host name or IP address; the server's certificate must be for it.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: Tls,
    /// Certificates to trust besides the machine's own, in PEM.
    pub ca_file: Option<PathBuf>,
    /// Who logs in.
    pub credentials: Credentials,
    /// How we introduce ourselves: a host name, or `None` for our own IP address.
    pub hello_name: Option<String>,
    /// How long to wait.
    pub limits: Limits,
}

/// Who logs in. Holds where a secret is, never a secret; it is read anew for each connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Nobody: the server knows us by our IP address.
    None,
    /// A user with a password: PLAIN (RFC 4616) or LOGIN.
    Password {
        /// User name.
        username: String,
        /// Holds the password and nothing else; a line break at the end is ignored.
        password_file: PathBuf,
    },
    /// A user with an OAuth 2 access token: XOAUTH2.
    Token {
        /// User name, usually the mailbox.
        username: String,
        /// Where the token comes from.
        token: TokenSource,
    },
}

/// Where an access token comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// A file that somebody else keeps fresh.
    File(PathBuf),
    /// A program that prints it.
    Command(Command),
}

/// Time limits. The connection dies with the first that runs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Name look-up with TCP connect, the TLS handshake, and fetching a secret: each.
    pub connect: Duration,
    /// The server's first line.
    pub greeting: Duration,
    /// Writing a command, and its reply.
    pub command: Duration,
    /// The reply to DATA.
    pub data_start: Duration,
    /// Writing the body.
    pub body_write: Duration,
    /// The reply to the body; too short a wait here makes duplicates (RFC 1047).
    pub body_reply: Duration,
    /// Taking leave.
    pub quit: Duration,
}

impl Default for Limits {
    /// RFC 5321 §4.5.3.2 where it has a word.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            greeting: Duration::from_secs(5 * 60),
            command: Duration::from_secs(5 * 60),
            data_start: Duration::from_secs(2 * 60),
            body_write: Duration::from_secs(3 * 60),
            body_reply: Duration::from_secs(10 * 60),
            quit: Duration::from_secs(5),
        }
    }
}

impl Limits {
    /// How long to wait for the server at `stage`.
    pub(super) fn at(&self, stage: Stage) -> Duration {
        match stage {
            Stage::Connect | Stage::Tls => self.connect,
            Stage::Greeting => self.greeting,
            Stage::Ehlo | Stage::StartTls | Stage::Auth | Stage::Mail | Stage::Rcpt => self.command,
            Stage::Data => self.data_start,
            Stage::Body => self.body_reply,
        }
    }
}

/// Settings we do not connect with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSettings {
    /// Mail would cross a network in clear.
    #[error(
        "[smtp] tls = \"none\" is only for a server on this machine, and {0} is another one; set tls to \"starttls\" or \"implicit\""
    )]
    ClearMail(String),
    /// A password or token would be sent in clear.
    #[error(
        "[smtp] tls = \"none\" would send the password or token in clear; set tls to \"starttls\" or \"implicit\", or take the credentials out"
    )]
    ClearCredentials,
    /// No host name and no IP address.
    #[error("[smtp] host {0:?} is neither a host name nor an IP address")]
    Host(String),
    /// A name that EHLO cannot carry.
    #[error("[smtp] hello_name {0:?} is no host name; write one such as advis.kommune.dk")]
    HelloName(String),
    /// A command without a program.
    #[error("[smtp] token_command is empty; name the program that prints the token")]
    TokenCommand,
    /// No usable certificate in `ca_file`.
    #[error("[smtp] ca_file {path} cannot be used: {cause}; it must hold certificates in PEM", path = .path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// Nothing to check the server's certificate against.
    #[error(
        "this machine has no trusted certificates; install its ca-certificates package, or set ca_file under [smtp]"
    )]
    NoTrust,
}

impl BadSettings {
    pub(super) fn ca_file(path: &Path, cause: impl ToString) -> Self {
        Self::CaFile { path: path.to_owned(), cause: cause.to_string() }
    }
}

impl SmtpSettings {
    /// What must hold before any connection is tried.
    pub(super) fn check(&self) -> Result<(), BadSettings> {
        if self.tls == Tls::None && !self.is_loopback() {
            return Err(BadSettings::ClearMail(self.host.clone()));
        }
        if self.tls == Tls::None && self.credentials != Credentials::None {
            return Err(BadSettings::ClearCredentials);
        }
        if let Some(name) = &self.hello_name
            && (name.is_empty()
                || !name.bytes().all(|c| c.is_ascii_alphanumeric() || b".-".contains(&c)))
        {
            return Err(BadSettings::HelloName(name.clone()));
        }
        match &self.credentials {
            Credentials::Token { token: TokenSource::Command(command), .. }
                if command.0.is_empty() =>
            {
                Err(BadSettings::TokenCommand)
            }
            _ => Ok(()),
        }
    }

    /// Whether the server is on this machine, by its name or address alone.
    fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self.host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }
}
