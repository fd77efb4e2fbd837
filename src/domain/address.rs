//! Addresses and names as mail can carry them.

use std::fmt;
use std::str::FromStr;

/// Longest name of a person or office that a mail header carries, in characters.
pub const NAME_CHARS_MAX: usize = 128;

/// Shows nowhere, and is no part of a name.
const BYTE_ORDER_MARK: char = '\u{FEFF}';

/// A mail address that any SMTP server can take: ASCII local part, dotted domain in ASCII (punycode where needed).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailAddress(String);

/// Why a text is no address we can send to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// Not of the form `name@domain`.
    #[error("this is no mail address; write it as name@domain")]
    Syntax,
    /// The part before the `@` has letters such as æ, which few servers take (RFC 6531).
    #[error(
        "the part before @ has letters outside a-z; many mail servers refuse it, so ask for an address without them"
    )]
    LocalPart,
    /// The domain has no dot.
    #[error("the domain after @ has no dot; write the whole domain, such as kommune.dk")]
    Dotless,
    /// The domain cannot be written in ASCII (RFC 5891).
    #[error("the domain after @ is not a valid one")]
    Domain,
}

impl EmailAddress {
    /// The address as an SMTP envelope carries it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address for telling persons apart: two people with one mailbox get one mail.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The part after the `@`, in ASCII.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl FromStr for EmailAddress {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(BadAddress::Syntax)?;
        if local.is_empty() || domain.is_empty() || text.contains(char::is_whitespace) {
            return Err(BadAddress::Syntax);
        }
        if !local.is_ascii() {
            return Err(BadAddress::LocalPart);
        }
        if !domain.contains('.') {
            return Err(BadAddress::Dotless);
        }
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| BadAddress::Domain)?;
        let address = format!("{local}@{domain}");
        if !email_address::EmailAddress::is_valid(&address) || local.starts_with('"') {
            return Err(BadAddress::Syntax);
        }
        Ok(Self(address))
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name and an address, as in `Sekretariatet <sekretariat@kommune.example>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mailbox {
    /// Shown to people; cleaned by [`clean_name`]; may be empty.
    pub name: String,
    /// Where mail goes.
    pub address: EmailAddress,
}

impl FromStr for Mailbox {
    type Err = BadAddress;

    /// Reads `address` or `Name <address>`.
    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
            Some((name, address)) => (name.trim().trim_matches('"'), address),
            None => ("", text),
        };
        Ok(Self { name: clean_name(name), address: address.parse()? })
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() {
            self.address.fmt(f)
        } else {
            write!(f, "{} <{}>", self.name, self.address)
        }
    }
}

/// Takes out what must not stand in a header or a table: control and bidirectional characters, doubled spaces, and
/// whatever goes beyond [`NAME_CHARS_MAX`]. CR or LF in a name would otherwise let it write headers of its own.
#[must_use]
pub fn clean_name(text: &str) -> String {
    let visible: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !is_unsafe(*c))
        .collect();
    visible
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(NAME_CHARS_MAX)
        .collect()
}

/// Control characters, and those that reorder text (Unicode Bidirectional Algorithm, UAX #9).
#[must_use]
pub fn is_unsafe(c: char) -> bool {
    let reorders = matches!(c,
        '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    c.is_control() || reorders || c == BYTE_ORDER_MARK
}
