//! What the server offers in its answer to EHLO.

use lettre::transport::smtp::authentication::Mechanism;

use super::reply::Reply;

/// The extensions we use; the others do not matter to messages that are small and pure ASCII.
#[derive(Debug, Default)]
pub(super) struct Offer {
    /// RFC 3207.
    pub(super) starttls: bool,
    /// RFC 2920.
    pub(super) pipelining: bool,
    /// RFC 4954, as far as we know them.
    pub(super) mechanisms: Vec<Mechanism>,
}

impl Offer {
    /// Reads every line but the first, which is the server's name.
    pub(super) fn read(ehlo: &Reply) -> Self {
        let mut offer = Self::default();
        for line in ehlo.lines().iter().skip(1) {
            // "AUTH=" is how servers offered it before RFC 2554, and some still do beside the standard way.
            let line = line.to_ascii_uppercase().replace("AUTH=", "AUTH ");
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("STARTTLS") => offer.starttls = true,
                Some("PIPELINING") => offer.pipelining = true,
                Some("AUTH") => offer.mechanisms.extend(words.filter_map(mechanism)),
                _ => {}
            }
        }
        offer
    }
}

fn mechanism(word: &str) -> Option<Mechanism> {
    match word {
        "PLAIN" => Some(Mechanism::Plain),
        "LOGIN" => Some(Mechanism::Login),
        "XOAUTH2" => Some(Mechanism::Xoauth2),
        _ => None,
    }
}
