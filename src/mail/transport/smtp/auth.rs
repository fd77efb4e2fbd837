//! Logging in (RFC 4954). The secret lives as long as the connection, to be taken out of what the server says; it is in
//! no error, no log and no `Debug`.

use std::io;
use std::path::Path;
use std::process::Stdio;

use data_encoding::BASE64;
use lettre::transport::smtp::authentication::{Credentials as Login, Mechanism};
use lettre::transport::smtp::commands::Auth;
use tokio::process::Command;

use super::reply::CONTINUE;
use super::session::Session;
use super::wire::within;
use super::{Credentials, TokenSource};
use crate::delivery::state::{Outcome, Stage};
use crate::mail::transport::broken;

/// The answer to a server that explains its refusal of XOAUTH2 in a 334: nothing, after which it refuses properly.
const EMPTY_LINE: &str = "\r\n";

impl Session {
    /// Logs in by the best mechanism that the server offers and the credentials fit; does nothing without credentials.
    pub(super) async fn log_in(&mut self, credentials: &Credentials) -> Result<(), Outcome> {
        let (username, fitting) = match credentials {
            Credentials::None => return Ok(()),
            Credentials::Password { username, .. } => {
                (username, [Mechanism::Plain, Mechanism::Login].as_slice())
            }
            Credentials::Token { username, .. } => (username, [Mechanism::Xoauth2].as_slice()),
        };
        let offered = |mechanism: &&Mechanism| self.offer.mechanisms.contains(mechanism);
        let mechanism = *fitting.iter().find(offered).ok_or_else(|| {
            let names: Vec<_> = fitting.iter().map(Mechanism::to_string).collect();
            let names = names.join(" or ");
            broken(Stage::Auth, format!("the server offers no login by {names}; check username and the *_file keys under [smtp]"))
        })?;
        let secret = within(Stage::Auth, self.limits.connect, credentials.secret()).await?;
        let lines = dialogue(mechanism, username, &secret)?;
        self.prove(&lines, &secret).await
    }

    async fn prove(&mut self, lines: &[String], secret: &Secret) -> Result<(), Outcome> {
        let proof = lines.last().and_then(|line| line.trim_end().rsplit(' ').next());
        let encoded = BASE64.encode(secret.0.as_bytes());
        self.secrets =
            proof.map(str::to_owned).into_iter().chain([secret.0.clone(), encoded]).collect();
        let mut replies = 1;
        for line in lines.iter().map(String::as_str).chain([EMPTY_LINE]) {
            self.send(Stage::Auth, line, replies).await?;
            replies = 0;
            let reply = self.reply(Stage::Auth).await?;
            if reply.code() != CONTINUE {
                return reply.expect(Stage::Auth, &[235]).map(drop);
            }
        }
        Err(broken(Stage::Auth, "the server asks for more than a name and a secret"))
    }
}

/// What we say, line by line. LOGIN asks for the name and then the secret, whatever words it asks in.
fn dialogue(mechanism: Mechanism, username: &str, secret: &Secret) -> Result<Vec<String>, Outcome> {
    let challenges: &[Option<&str>] = match mechanism {
        Mechanism::Login => &[None, Some("Username:"), Some("Password:")],
        Mechanism::Plain | Mechanism::Xoauth2 => &[None],
    };
    let login = Login::new(username.to_owned(), secret.0.clone());
    let line = |challenge: &Option<&str>| {
        Auth::new(mechanism, login.clone(), challenge.map(str::to_owned))
            .map(|auth| auth.to_string())
            .map_err(|_| broken(Stage::Auth, format!("no login by {mechanism} can be written")))
    };
    challenges.iter().map(line).collect()
}

/// A password or token. No `Debug`, so that it cannot be printed by accident.
struct Secret(String);

impl Credentials {
    async fn secret(&self) -> io::Result<Secret> {
        match self {
            Self::None => Err(io::Error::other("there is nothing to log in with")),
            Self::Password { password_file, .. } => {
                let text = read(password_file).await?;
                Secret::new(
                    text.trim_end_matches(['\r', '\n']),
                    &password_file.display().to_string(),
                )
            }
            Self::Token { token: TokenSource::File(path), .. } => {
                Secret::new(read(path).await?.trim(), &path.display().to_string())
            }
            Self::Token { token: TokenSource::Command(command), .. } => {
                Secret::new(run(&command.0).await?.trim(), "token_command")
            }
        }
    }
}

impl Secret {
    fn new(text: &str, source: &str) -> io::Result<Self> {
        if text.is_empty() {
            return Err(io::Error::other(format!("{source} gives an empty password or token")));
        }
        Ok(Self(text.to_owned()))
    }
}

async fn read(path: &Path) -> io::Result<String> {
    let file = path.to_owned();
    let text = tokio::task::spawn_blocking(move || std::fs::read_to_string(file)).await;
    text.unwrap_or_else(|lost| Err(io::Error::other(lost)))
        .map_err(|error| io::Error::other(format!("cannot read {}: {error}", path.display())))
}

/// Runs a command to its end and takes what it prints. Its own error output might hold secrets, so nobody sees it.
async fn run(command: &[String]) -> io::Result<String> {
    let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| io::Error::other(format!("token_command {program}: {error}")))?;
    if !output.status.success() {
        let cause = format!("token_command {program} failed ({}); run it by hand", output.status);
        return Err(io::Error::other(cause));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| io::Error::other(format!("token_command {program} prints no text")))
}
