//! `[web]`: the pages, or none.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::str::FromStr;

use super::check::Check;
use super::raw::RawWeb;
use crate::link::{Keys, Links};

/// Where the pages listen unless set: for a web server on the same machine.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8321);

/// Days for which a link is good unless set: longer than from one reminder to the next.
const LINK_DAYS: u32 = 90;

/// Beyond this a file of keys is another file.
const KEY_FILE_BYTES_MAX: u64 = 64 * 1024;

/// The pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Web {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// Where people find the pages.
    pub public_url: PublicUrl,
    /// Makes and checks the links.
    pub links: Links,
}

/// `https://host[:port][/path]`, without a slash at the end; plain `http` on this very machine only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    text: String,
    /// Where the host begins.
    host_at: usize,
    /// Where the path begins.
    path_at: usize,
}

impl PublicUrl {
    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port, as browsers name where a form came from.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.text.get(..self.path_at).unwrap_or_default()
    }

    /// The path, such as `/advis`; empty when there is none.
    #[must_use]
    pub fn path(&self) -> &str {
        self.text.get(self.path_at..).unwrap_or_default()
    }

    /// The host without its port.
    #[must_use]
    pub fn host(&self) -> &str {
        let host = self.text.get(self.host_at..self.path_at).unwrap_or_default();
        host.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(host, |(host, _)| host)
    }
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim().trim_end_matches('/').to_owned();
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err("this is no address of pages; begin it with https://".to_owned());
        };
        let host_at = scheme.len() + "://".len();
        let path_at = host_at + rest.find('/').unwrap_or(rest.len());
        let (host, path) = rest.split_at(path_at - host_at);
        let in_host = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:[]".contains(&b);
        let in_path = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
        if host.is_empty() || !host.bytes().all(in_host) {
            let what = format!("{host:?} is no host; write it in small letters, without a login");
            return Err(what);
        }
        let is_plain = path.bytes().all(in_path) && !path.contains("//");
        if !is_plain || path.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(format!("{path:?} is no plain path; leave out what follows it"));
        }
        let url = Self { text: text.clone(), host_at, path_at };
        let is_here = matches!(url.host(), "localhost" | "127.0.0.1" | "[::1]");
        match scheme {
            "https" => Ok(url),
            "http" if is_here => Ok(url),
            "http" => Err("whoever listens in could use the links; write https://".to_owned()),
            other => Err(format!("{other}:// is no address of pages; begin it with https://")),
        }
    }
}

impl Check<'_> {
    /// The pages, if anything is said about them.
    pub(super) fn web(&mut self, raw: RawWeb) -> Option<Web> {
        let RawWeb { listen, public_url, key_file, link_days } = raw;
        let is_off = listen.is_none() && link_days.is_none();
        if is_off && public_url.is_none() && key_file.is_none() {
            return None;
        }
        if public_url.is_none() {
            let what = "the pages have no address that a mail could name";
            self.refuse("web.public_url", what, "set it, or take all of [web] out");
        }
        let keys = match key_file {
            Some(file) => self.keys(&file.0),
            None => {
                let what = "there is no key to sign the links with";
                self.refuse("web.key_file", what, "set it, or take all of [web] out");
                None
            }
        };
        let (public_url, keys) = (public_url?.0, keys?);
        let days = link_days.map_or(LINK_DAYS, |days| days.0);
        let links = Links { base: public_url.as_str().to_owned(), keys, days };
        Some(Web { listen: listen.map_or(LISTEN, |listen| listen.0), public_url, links })
    }

    /// The keys in a file, or what is wrong with it.
    fn keys(&mut self, file: &Path) -> Option<Keys> {
        let hint = "echo \"2027 $(openssl rand -base64 32)\" writes a line of it";
        let name = file.display();
        let text = match std::fs::metadata(file) {
            Ok(known) if known.len() > KEY_FILE_BYTES_MAX => {
                self.refuse("web.key_file", format!("{name} is too large for keys"), hint);
                return None;
            }
            _ => std::fs::read_to_string(file),
        };
        let text = match text {
            Ok(text) => text,
            Err(error) => {
                let what = match error.kind() {
                    ErrorKind::NotFound => format!("{name} is not there"),
                    ErrorKind::InvalidData => format!("{name} is no text"),
                    _ => format!("{name} cannot be read: {error}"),
                };
                self.refuse("web.key_file", what, hint);
                return None;
            }
        };
        let problems = match Keys::parse(&text) {
            Ok(keys) => return Some(keys),
            Err(problems) => problems,
        };
        for problem in problems {
            self.refuse("web.key_file", format!("{name}: {problem}"), hint);
        }
        None
    }
}
