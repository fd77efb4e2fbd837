//! The way out that the config names.

use super::smtp::{BadSettings, Credentials, Limits, SmtpSettings, TokenSource};
use super::{FileTransport, SmtpTransport, Transport};
use crate::config::{Config, Smtp, TransportKind};

impl Transport {
    /// The transport of a config. Reads the trust store and `ca_file`, so make it once.
    ///
    /// # Errors
    /// SMTP settings that cannot be used.
    pub fn of(config: &Config) -> Result<Self, BadSettings> {
        match config.mail.transport {
            TransportKind::File => {
                Ok(Self::File(FileTransport { dir: config.mail.file_dir.clone() }))
            }
            TransportKind::Smtp => SmtpTransport::new(settings(&config.smtp)).map(Self::Smtp),
        }
    }
}

fn settings(smtp: &Smtp) -> SmtpSettings {
    SmtpSettings {
        host: smtp.host.clone(),
        port: smtp.port,
        tls: smtp.tls,
        ca_file: smtp.ca_file.clone(),
        credentials: credentials(smtp),
        hello_name: None,
        limits: Limits::default(),
    }
}

fn credentials(smtp: &Smtp) -> Credentials {
    let Some(username) = smtp.username.clone() else { return Credentials::None };
    let file = smtp.token_file.clone().map(TokenSource::File);
    let token = file.or_else(|| smtp.token_command.clone().map(TokenSource::Command));
    match (smtp.password_file.clone(), token) {
        (Some(password_file), _) => Credentials::Password { username, password_file },
        (None, Some(token)) => Credentials::Token { username, token },
        (None, None) => Credentials::None,
    }
}
