//! Values with their own reading. Nothing coerces: a number is no text, 25.9 is no whole number.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

use super::keys::is_alike;
use crate::domain::leader::Language;
use crate::domain::zone::Zone;

/// A whole number from `MIN` to `MAX`.
pub(super) struct Whole<const MIN: u32, const MAX: u32>(pub u32);

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self(MIN))
    }
}

impl<const MIN: u32, const MAX: u32> Visitor<'_> for Whole<MIN, MAX> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {MIN} to {MAX}")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self, E> {
        let fits = u32::try_from(number).ok().filter(|number| (MIN..=MAX).contains(number));
        fits.map(Self)
            .ok_or_else(|| E::custom(format!("{number} is not a whole number from {MIN} to {MAX}")))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self, E> {
        self.visit_i64(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

/// A text that `T` reads; never empty.
pub(super) struct Parsed<T>(pub T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.trim().is_empty() {
            return Err(D::Error::custom("this is empty; write something, or take the key out"));
        }
        read(&text).map(Self).map_err(D::Error::custom)
    }
}

/// A list of texts that `T` reads.
pub(super) struct List<T>(pub Vec<T>);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for List<T> {
    /// Says what is wrong with any of them.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        let (mut items, mut wrong) = (Vec::new(), Vec::new());
        for text in &texts {
            match read(text) {
                Ok(item) => items.push(item),
                Err(error) => wrong.push(error),
            }
        }
        if wrong.is_empty() { Ok(Self(items)) } else { Err(D::Error::custom(wrong.join("; "))) }
    }
}

/// Some errors name the text, others leave it to us.
fn read<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| {
        let error = error.to_string();
        if error.contains(text) { error } else { format!("{text:?}: {error}") }
    })
}

/// The name of a time zone, such as `Europe/Copenhagen`.
pub(super) struct ZoneName(pub Zone);

impl FromStr for ZoneName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        name.parse().map(Self).map_err(|_| {
            let distance = |known: &&str| strsim::damerau_levenshtein(known, name);
            let near = Zone::names().filter(|known| is_alike(name, known));
            match near.min_by_key(distance) {
                Some(nearest) => format!("{name:?} is no time zone; did you mean {nearest}?"),
                None => format!("{name:?} is no time zone; write one such as Europe/Copenhagen"),
            }
        })
    }
}

/// `da` or `en`.
pub(super) struct Code(pub Language);

impl FromStr for Code {
    type Err = String;

    fn from_str(code: &str) -> Result<Self, String> {
        Language::from_code(code)
            .map(Self)
            .ok_or_else(|| format!("{code:?} is no language that Advis writes; choose da or en"))
    }
}
