//! What goes over the wire, and how long it may take.

use std::io;
use std::time::Duration;

use memchr::memchr_iter;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::delivery::state::{Outcome, Stage};
use crate::mail::transport::broken;

/// A TCP connection, or TLS over one.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Runs `work` within `limit`, and says at which stage it failed.
pub(super) async fn within<T>(
    stage: Stage,
    limit: Duration,
    work: impl Future<Output = io::Result<T>>,
) -> Result<T, Outcome> {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let cause = match timeout(limit, work).await {
        Ok(Ok(done)) => return Ok(done),
        Ok(Err(error)) => match error.kind() {
            UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe => {
                "the server hung up".to_owned()
            }
            _ => error.to_string(),
        },
        Err(_) => format!("no answer within {limit:?}"),
    };
    Err(broken(stage, cause))
}

pub(super) async fn write(wire: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    wire.write_all(bytes).await?;
    wire.flush().await
}

/// The message as DATA carries it (RFC 5321 §4.5.2): a dot at the start of a line doubled, a lone dot at the end. A dot
/// after a lone CR or LF is doubled as well, so that no server can read an end of the message into its middle.
pub(super) fn as_data(mime: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(mime.len() + 64);
    let mut taken = 0;
    for dot in memchr_iter(b'.', mime) {
        if matches!(mime[..dot].last(), None | Some(b'\r' | b'\n')) {
            data.extend_from_slice(&mime[taken..dot]);
            data.push(b'.');
            taken = dot;
        }
    }
    data.extend_from_slice(&mime[taken..]);
    if !data.ends_with(b"\r\n") {
        data.extend_from_slice(b"\r\n");
    }
    data.extend_from_slice(b".\r\n");
    data
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn only_the_end_is_a_lone_dot_and_a_server_reads_what_was_written(mime in r"[.a\r\n]{0,12}") {
            let data = String::from_utf8(as_data(mime.as_bytes())).unwrap();
            let body = data.strip_suffix(".\r\n").unwrap();
            prop_assert!(body.ends_with("\r\n"));
            let mut read = String::new();
            for line in body.split_inclusive(['\r', '\n']) {
                prop_assert!(!line.starts_with('.') || line.starts_with(".."));
                read.push_str(line.strip_prefix('.').unwrap_or(line));
            }
            let end = if mime.ends_with("\r\n") { "" } else { "\r\n" };
            prop_assert_eq!(read, mime + end);
        }
    }
}
