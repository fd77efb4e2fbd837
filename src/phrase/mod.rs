//! Danish deadline phrases: "ultimo juni 2019", "senest hvert 3. år", "når der foreligger en afgørelse".
//!
//! One way through: `normalise` gives one spelling, `token` cuts it into words that `words` and `mend` know, `recur`
//! (with `anchor`) and `expression` (over `chain`, `atom` and `day`) read them into a `tree`, and `resolve` and `again`
//! work out the days against the reference date. Where there is nothing to work out, `undated` says why.

mod again;
mod anchor;
mod atom;
mod chain;
mod cursor;
mod day;
mod explain;
mod expression;
mod mend;
mod normalise;
mod recur;
mod resolve;
mod token;
mod tree;
mod undated;
mod vocabulary;
mod words;

use chrono::NaiveDate;

use crate::domain::window::{Confidence, Deadline, Undated};

pub use explain::explain;

use token::Token;

/// The longest phrase that is read, in bytes; sentences fit, whole documents do not.
pub const PHRASE_BYTES_MAX: usize = 4_000;

/// Reads a phrase. The reference date stands in for what it leaves out; with a year written, it changes nothing.
///
/// # Errors
/// The reason why it has no date.
pub fn parse(phrase: &str, reference: NaiveDate) -> Result<Deadline, Undated> {
    if phrase.len() > PHRASE_BYTES_MAX {
        return Err(Undated::NoDateGiven);
    }
    let text = normalise::normalise(phrase);
    let tokens = token::tokens(&text);
    if let Some(found) = recur::find(&tokens) {
        let (windows, recurrence, fuzzy) =
            again::resolve(&found.again, reference).ok_or(Undated::NoSuchDate)?;
        let confidence = confidence(is_mended(&tokens, found.start, found.end), fuzzy, false);
        return Ok(Deadline { windows, recurrence: Some(recurrence), confidence });
    }
    let found = expression::find(&tokens).ok_or_else(|| undated::reason(&tokens))?;
    let days = resolve::resolve(&found.dated, reference).ok_or(Undated::NoSuchDate)?;
    let mended = is_mended(&tokens, found.start, found.end);
    let confidence = confidence(mended, days.fuzzy, days.assumed_year);
    Ok(Deadline { windows: days.windows, recurrence: None, confidence })
}

fn confidence(mended: bool, fuzzy: bool, assumed_year: bool) -> Confidence {
    match (mended, fuzzy, assumed_year) {
        (true, ..) => Confidence::Corrected,
        (_, true, _) => Confidence::Fuzzy,
        (.., true) => Confidence::AssumedYear,
        _ => Confidence::High,
    }
}

fn is_mended(tokens: &[Token<'_>], start: usize, end: usize) -> bool {
    tokens.iter().take(end).skip(start).any(|token| token.mended.is_some())
}
