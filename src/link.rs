//! The links of the mails: signed, so that a page knows who was sent to which commitment, and for what.
//!
//! A token is `<key>.<claims>.<signature>`: the name of the key that signed it, then what it claims and the HMAC-SHA-256
//! over both, in base64 for URLs. Several keys may be known at once; the first signs, so that links already sent go on
//! to work after a new key was put above the old one.

use std::fmt;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Shortest secret, in bytes: as long as the signature (RFC 2104, 3).
pub const SECRET_BYTES_MIN: usize = 32;

/// Longest name of a key, in characters.
const KEY_NAME_CHARS_MAX: usize = 32;

/// Longest token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 4_096;

/// Where the page about a task is, below the public address; the token follows.
pub const TASK_PATH: &str = "/t/";

/// How claims are written; another number would be another way.
const VERSION: u8 = 1;

/// What a token is good for. One is never taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Looking at a task: the link in a mail. Opening it changes nothing.
    Task,
    /// Posting the form that marks it as done.
    Done,
    /// Posting the form that holds reminders back.
    Snooze,
    /// Posting the form that proposes another deadline.
    Propose,
    /// Posting the form that gives it to a colleague.
    HandOver,
    /// Posting the form that says whose it is not.
    NotMine,
    /// Posting the form that takes the last act back.
    Undo,
}

impl Purpose {
    /// Every purpose; its place is its number in a token, so new ones go to the end.
    const ALL: [Self; 7] = [
        Self::Task,
        Self::Done,
        Self::Snooze,
        Self::Propose,
        Self::HandOver,
        Self::NotMine,
        Self::Undo,
    ];

    fn number(self) -> u8 {
        let place = Self::ALL.iter().position(|one| *one == self).unwrap_or_default();
        u8::try_from(place).unwrap_or_default()
    }
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// What it is good for.
    pub purpose: Purpose,
    /// Reference of the commitment.
    pub commitment: String,
    /// Reference of the leader it was made for.
    pub person: String,
    /// The moment from which it is good for nothing, in whole seconds.
    pub expires: DateTime<Utc>,
    /// How things stood when a form was shown, so that it does nothing once they stand otherwise; empty in a mail.
    pub stand: String,
}

/// Why a token is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not of our making, or changed since.
    #[error("the link is not one of ours, or not whole")]
    Forged,
    /// Signed with a key that is not in the file any more, or never was.
    #[error("the link was signed with a key that is not known here")]
    UnknownKey,
    /// Ours, for something else.
    #[error("the link is for something else")]
    WrongPurpose,
    /// Ours, and too old.
    #[error("the link has expired")]
    Expired(Claims),
}

/// A secret with a name.
#[derive(Clone, PartialEq, Eq)]
struct Key {
    name: String,
    secret: Vec<u8>,
}

/// The keys that sign and check; never empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys(Vec<Key>);

/// Makes the links of mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    /// Where the pages are, without a slash at the end: `https://advis.kommune.example`.
    pub base: String,
    /// Sign and check.
    pub keys: Keys,
    /// Days for which a link is good.
    pub days: u32,
}

impl Links {
    /// The address of the page about a commitment, for one person, in a mail of that day. Always the same for the same
    /// facts, as the bytes of a mail must be.
    #[must_use]
    pub fn task(&self, commitment: &str, person: &str, on: NaiveDate) -> String {
        let last = on.checked_add_days(Days::new(u64::from(self.days))).unwrap_or(on);
        let token = self.keys.sign(&Claims {
            purpose: Purpose::Task,
            commitment: commitment.to_owned(),
            person: person.to_owned(),
            expires: last.and_time(NaiveTime::MIN).and_utc(),
            stand: String::new(),
        });
        format!("{}{TASK_PATH}{token}", self.base)
    }
}

/// What is wrong with a file of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{what}", line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct BadKeys {
    /// Counted from 1; `None` when the file as a whole is meant.
    pub line: Option<usize>,
    /// What, and what to do; never a secret.
    pub what: String,
}

impl Keys {
    /// Reads the text of a file: a line a key, its name and its secret in base64; empty lines and those that begin with
    /// `#` count for nothing. The first key signs.
    ///
    /// # Errors
    /// Everything that is wrong, line by line.
    pub fn parse(text: &str) -> Result<Self, Vec<BadKeys>> {
        let (mut keys, mut problems) = (Vec::<Key>::new(), Vec::new());
        for (line, words) in (1..).zip(text.lines().map(str::trim)) {
            if words.is_empty() || words.starts_with('#') {
                continue;
            }
            match key(words) {
                Ok(key) if keys.iter().any(|other| other.name == key.name) => {
                    let what = format!("there is a key {:?} already; name each once", key.name);
                    problems.push(BadKeys { line: Some(line), what });
                }
                Ok(key) => keys.push(key),
                Err(what) => problems.push(BadKeys { line: Some(line), what }),
            }
        }
        if keys.is_empty() && problems.is_empty() {
            let what = "there is no key in it; write a name and a secret in base64 on one line";
            problems.push(BadKeys { line: None, what: what.to_owned() });
        }
        if problems.is_empty() { Ok(Self(keys)) } else { Err(problems) }
    }

    /// A token that says `claims`.
    #[must_use]
    pub fn sign(&self, claims: &Claims) -> String {
        let Some(key) = self.0.first() else { return String::new() };
        let body = format!("{}.{}", key.name, BASE64URL_NOPAD.encode(&write(claims)));
        let signature = key.mac(&body).finalize().into_bytes();
        format!("{body}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    /// What a token says, if it is ours, for that purpose, and not too old at `now`.
    ///
    /// # Errors
    /// The first that holds of: forged, unknown key, wrong purpose, expired.
    pub fn check(
        &self,
        token: &str,
        purpose: Purpose,
        now: DateTime<Utc>,
    ) -> Result<Claims, Refusal> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Refusal::Forged);
        }
        let (body, signature) = token.rsplit_once('.').ok_or(Refusal::Forged)?;
        let (name, claims) = body.split_once('.').ok_or(Refusal::Forged)?;
        let decode = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok();
        let (claims, signature) = decode(claims).zip(decode(signature)).ok_or(Refusal::Forged)?;
        let key = self.0.iter().find(|key| key.name == name).ok_or(Refusal::UnknownKey)?;
        // Compares in constant time.
        key.mac(body).verify_slice(&signature).map_err(|_| Refusal::Forged)?;
        let claims = read(&claims).ok_or(Refusal::Forged)?;
        if claims.purpose != purpose {
            return Err(Refusal::WrongPurpose);
        }
        if now >= claims.expires {
            return Err(Refusal::Expired(claims));
        }
        Ok(claims)
    }
}

impl fmt::Debug for Keys {
    /// Names, never secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.name)).finish()
    }
}

impl Key {
    fn mac(&self, body: &str) -> Hmac<Sha256> {
        // HMAC takes secrets of any length, so the other arm is never reached.
        let mac = Hmac::<Sha256>::new_from_slice(&self.secret);
        mac.unwrap_or_else(|_| Hmac::new(&Default::default())).chain_update(body)
    }
}

fn key(words: &str) -> Result<Key, String> {
    let mut words = words.split_whitespace();
    let (Some(name), Some(secret), None) = (words.next(), words.next(), words.next()) else {
        return Err("write a name, a blank, and a secret in base64".to_owned());
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !name.chars().all(fits) || name.len() > KEY_NAME_CHARS_MAX {
        return Err(format!(
            "the name of a key has at most {KEY_NAME_CHARS_MAX} letters, digits, - and _, such as 2027-1"
        ));
    }
    let decoded = BASE64.decode(secret.as_bytes());
    let secret = decoded
        .or_else(|_| BASE64_NOPAD.decode(secret.as_bytes()))
        .map_err(|_| format!("the secret of {name} is not base64; `openssl rand -base64 32`"))?;
    if secret.len() < SECRET_BYTES_MIN {
        return Err(format!(
            "the secret of {name} has {} bytes, and needs {SECRET_BYTES_MIN}; `openssl rand -base64 32`",
            secret.len()
        ));
    }
    Ok(Key { name: name.to_owned(), secret })
}

/// Version, purpose, expiry, then each text behind its length.
fn write(claims: &Claims) -> Vec<u8> {
    let mut bytes = vec![VERSION, claims.purpose.number()];
    bytes.extend(claims.expires.timestamp().to_be_bytes());
    for text in [&claims.commitment, &claims.person, &claims.stand] {
        // What is longer is longer than any token that is looked at.
        let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
        bytes.extend(length.to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes
}

fn read(bytes: &[u8]) -> Option<Claims> {
    let ([VERSION, purpose], bytes) = bytes.split_first_chunk()? else { return None };
    let purpose = *Purpose::ALL.get(usize::from(*purpose))?;
    let (expires, bytes) = bytes.split_first_chunk()?;
    let expires = DateTime::from_timestamp(i64::from_be_bytes(*expires), 0)?;
    let (commitment, bytes) = text(bytes)?;
    let (person, bytes) = text(bytes)?;
    let (stand, bytes) = text(bytes)?;
    bytes.is_empty().then_some(Claims { purpose, commitment, person, expires, stand })
}

fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (length, bytes) = bytes.split_first_chunk()?;
    let (text, rest) = bytes.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    Some((String::from_utf8(text.to_vec()).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    const OLD: &str = "2026 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const NEW: &str = "2027-1 ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8";

    fn keys(lines: &[&str]) -> Keys {
        Keys::parse(&lines.join("\n")).unwrap()
    }

    fn now() -> DateTime<Utc> {
        "2026-11-18T07:00:00Z".parse().unwrap()
    }

    fn claims(purpose: Purpose) -> Claims {
        Claims {
            purpose,
            commitment: "ÅR-1".to_owned(),
            person: "nora".to_owned(),
            expires: now() + TimeDelta::days(90),
            stand: "1.1".to_owned(),
        }
    }

    #[test]
    fn a_token_says_what_was_signed_and_fits_into_an_address() {
        for purpose in Purpose::ALL {
            let token = keys(&[OLD]).sign(&claims(purpose));
            assert_eq!(keys(&[OLD]).check(&token, purpose, now()), Ok(claims(purpose)));
            assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)));
            assert!(token.len() < 120, "{token}");
        }
    }

    #[test]
    fn a_token_is_good_for_its_purpose_only_and_until_it_expires() {
        let (keys, claims) = (keys(&[OLD]), claims(Purpose::Task));
        let token = keys.sign(&claims);
        for purpose in Purpose::ALL.into_iter().skip(1) {
            assert_eq!(keys.check(&token, purpose, now()), Err(Refusal::WrongPurpose));
        }
        let last = claims.expires - TimeDelta::seconds(1);
        assert!(keys.check(&token, Purpose::Task, last).is_ok());
        let expired = keys.check(&token, Purpose::Task, claims.expires);
        assert_eq!(expired, Err(Refusal::Expired(claims)));
    }

    #[test]
    fn a_new_key_above_the_old_one_signs_and_the_old_one_still_checks() {
        let token = keys(&[OLD]).sign(&claims(Purpose::Task));
        let both = keys(&[NEW, OLD]);
        assert!(both.check(&token, Purpose::Task, now()).is_ok());
        assert!(both.sign(&claims(Purpose::Task)).starts_with("2027-1."));
        let gone = keys(&[NEW]).check(&token, Purpose::Task, now());
        assert_eq!(gone, Err(Refusal::UnknownKey));
        // The name of a key is signed too.
        let renamed = token.replacen("2026.", "2027-1.", 1);
        assert_eq!(both.check(&renamed, Purpose::Task, now()), Err(Refusal::Forged));
    }

    #[test]
    fn no_changed_byte_and_no_lost_end_goes_unnoticed() {
        let (keys, claims) = (keys(&[OLD]), claims(Purpose::Task));
        let token = keys.sign(&claims);
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(keys.check(&changed, Purpose::Task, now()).is_err(), "{changed}");
            assert!(keys.check(&token[..at], Purpose::Task, now()).is_err());
        }
        for text in ["", ".", "2026..", "2026.AA.AA", &"A".repeat(100_000)] {
            assert_eq!(keys.check(text, Purpose::Task, now()), Err(Refusal::Forged), "{text:.9}");
        }
    }

    #[test]
    fn every_problem_of_a_file_of_keys_is_said_with_its_line_and_without_its_secrets() {
        let text = format!("# keys\n\n{OLD}\n{OLD}\nshort c2VjcmV0\nbad ----\nalone\nå {OLD}\n");
        let problems = Keys::parse(&text).unwrap_err();
        let lines: Vec<_> = problems.iter().map(|problem| problem.line.unwrap()).collect();
        assert_eq!(lines, [4, 5, 6, 7, 8]);
        let said: String = problems.iter().map(ToString::to_string).collect();
        for secret in ["c2VjcmV0", "secret\"", "AAECAw", "----"] {
            assert!(!said.contains(secret), "{said}");
        }
        assert_eq!(Keys::parse("# none\n").unwrap_err()[0].line, None);
        assert_eq!(format!("{:?}", keys(&[NEW, OLD])), r#"["2027-1", "2026"]"#);
    }

    proptest! {
        #[test]
        fn any_claims_come_back_and_any_text_is_refused(
            commitment in ".{0,40}", person in ".{0,40}", stand in ".{0,20}", text in ".{0,200}",
        ) {
            let keys = keys(&[OLD]);
            let claims = Claims { commitment, person, stand, ..claims(Purpose::Undo) };
            prop_assert_eq!(keys.check(&keys.sign(&claims), Purpose::Undo, now()), Ok(claims));
            prop_assert!(keys.check(&text, Purpose::Undo, now()).is_err());
        }
    }
}
