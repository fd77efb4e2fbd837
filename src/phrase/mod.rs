//! Danish deadline phrases: "ultimo juni 2019", "senest hvert 3. år", "når der foreligger en afgørelse".
//!
//! One way through: `normalise` gives one spelling, `token` cuts it into words that `words` and `mend` know, `recur`
//! (with `anchor`) and `expression` (over `chain` and `share`, `atom`, `present` and `day`) read them into a `tree`, and
//! `resolve` and `again` work out the days against the reference date. Where there is nothing to work out, `undated`
//! says why.

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
mod present;
mod recur;
mod resolve;
mod share;
mod token;
mod tree;
mod undated;
mod vocabulary;
mod words;

use chrono::NaiveDate;

use crate::domain::window::{Confidence, Deadline, Undated, Window};

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

/// The first of the reference dates against which the phrase has a window that ends like `window`, and that window. So
/// a deadline that was moved, and opens on the day it always did, is told apart from what its new phrase says.
pub fn read_like(
    phrase: &str,
    references: impl IntoIterator<Item = NaiveDate>,
    window: &Window,
) -> Option<(NaiveDate, Window)> {
    references.into_iter().find_map(|reference| {
        let windows = parse(phrase, reference).ok()?.windows;
        let same = windows.into_iter().find(|other| match window.due {
            None => other == window,
            due => other.due == due,
        })?;
        Some((reference, same))
    })
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
