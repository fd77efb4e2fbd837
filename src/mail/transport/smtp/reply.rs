//! The one reader of replies (RFC 5321 §4.2): lenient about what means nothing (case, missing text, strange bytes, a
//! lone LF), strict about what does (codes, ends, lengths).

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

use crate::delivery::state::{Outcome, REPLY_CHARS_MAX, Stage};
use crate::domain::address::is_unsafe;
use crate::mail::transport::broken;

/// Longest line of a reply, its end included, in bytes. RFC 5321 §4.5.3.1.5 allows 512; real servers go beyond it.
const LINE_BYTES_MAX: u64 = 1_000;
/// Longest reply, in bytes.
const REPLY_BYTES_MAX: usize = 64 * 1024;

/// The server is about to hang up; may come in answer to anything.
pub(super) const CLOSING: u16 = 421;
/// The server awaits the next line of a login.
pub(super) const CONTINUE: u16 = 334;

/// A whole reply of the server.
#[derive(Debug)]
pub(super) struct Reply {
    code: u16,
    lines: Vec<String>,
}

impl Reply {
    /// Reads one reply and not a byte more. Errors are worded for people.
    pub(super) async fn read(wire: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Self> {
        let mut lines = Vec::new();
        let mut bytes = 0;
        let mut first_code = None;
        loop {
            let line = read_line(wire).await?;
            bytes += line.len();
            if bytes > REPLY_BYTES_MAX {
                return Err(garbage("the server's answer does not end"));
            }
            let (code, more, text) =
                split(&line).ok_or_else(|| garbage("the answer is no SMTP reply"))?;
            lines.push(String::from_utf8_lossy(text).into_owned());
            if *first_code.get_or_insert(code) != code {
                return Err(garbage("the lines of the answer contradict each other"));
            }
            if !more {
                return Ok(Self { code, lines });
            }
        }
    }

    pub(super) fn code(&self) -> u16 {
        self.code
    }

    pub(super) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// A 3xx: the server has not done its part yet but waits for more.
    pub(super) fn is_intermediate(&self) -> bool {
        self.code / 100 == 3
    }

    /// The text on one line, without what could disturb a log or a terminal; at most [`REPLY_CHARS_MAX`] characters.
    pub(super) fn text(&self) -> String {
        let joined = self.lines.join(" ");
        let shown = joined.trim().chars().map(|c| match c {
            c if c.is_whitespace() => ' ',
            c if is_unsafe(c) => char::REPLACEMENT_CHARACTER,
            c => c,
        });
        shown.take(REPLY_CHARS_MAX).collect()
    }

    /// Takes out the text if it repeats any of `secrets`.
    pub(super) fn without(mut self, secrets: &[String]) -> Self {
        let repeats = |line: &String| secrets.iter().any(|secret| line.contains(secret.as_str()));
        if self.lines.iter().any(repeats) {
            self.lines = vec!["(the server repeated the credentials)".to_owned()];
        }
        self
    }

    /// The reply, if its code is one of `wanted`: a success of another kind is no success (354 in place of 250 says
    /// that nothing was accepted).
    pub(super) fn expect(self, stage: Stage, wanted: &[u16]) -> Result<Self, Outcome> {
        match self.code {
            code if wanted.contains(&code) => Ok(self),
            code @ 400.. => Err(Outcome::Refused { stage, code, reply: self.text() }),
            code => {
                let wanted: Vec<_> = wanted.iter().map(u16::to_string).collect();
                let wanted = wanted.join(" or ");
                Err(broken(stage, format!("the server answered {code} where only {wanted} fits")))
            }
        }
    }
}

/// A line without its end.
async fn read_line(wire: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    wire.take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await?;
    match line.strip_suffix(b"\n") {
        Some(text) => Ok(text.strip_suffix(b"\r").unwrap_or(text).to_vec()),
        None if line.len() as u64 == LINE_BYTES_MAX => {
            Err(garbage("the server's answer has a line that does not end"))
        }
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Code, whether more lines follow, text.
fn split(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (code, rest) = line.split_at_checked(3)?;
    let code = str::from_utf8(code).ok()?.parse().ok().filter(|code| (200..600).contains(code))?;
    match rest {
        [] => Some((code, false, rest)),
        [b' ', text @ ..] => Some((code, false, text)),
        [b'-', text @ ..] => Some((code, true, text)),
        _ => None,
    }
}

fn garbage(cause: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause)
}
