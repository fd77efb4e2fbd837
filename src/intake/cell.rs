//! One cell to one value.

use chrono::{Datelike, NaiveDate};

use super::problem::{Flaw, shown};
use crate::domain::address::EmailAddress;
use crate::domain::commitment::Status;
use crate::domain::leader::Language;

/// What a deadline's cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadlineCell {
    /// A plain date that exists: `2020-04-30` or `30.4.2020`.
    Day(NaiveDate),
    /// A plain date that does not exist: `31.04.2020`.
    NoSuchDay,
    /// Anything else: a phrase, for [`crate::phrase`] to read.
    Phrase,
}

/// Tells a plain date in a deadline's cell from a phrase.
#[must_use]
pub fn deadline(cell: &str) -> DeadlineCell {
    match year_month_day(cell.trim()) {
        None => DeadlineCell::Phrase,
        Some((year, month, day)) => NaiveDate::from_ymd_opt(year, month, day)
            .map_or(DeadlineCell::NoSuchDay, DeadlineCell::Day),
    }
}

/// A date written YYYY-MM-DD or D.M.YYYY.
pub(super) fn date(cell: &str) -> Result<NaiveDate, Flaw> {
    let (year, month, day) = year_month_day(cell).ok_or_else(|| {
        Flaw::new(format!("\"{}\" is no date", shown(cell)), "Write it as YYYY-MM-DD or D.M.YYYY.")
    })?;
    NaiveDate::from_ymd_opt(year, month, day).ok_or_else(|| no_such_day(cell))
}

/// Why the plain date in `cell` does not exist, or just that it does not, for a phrase.
pub(super) fn no_such_day(cell: &str) -> Flaw {
    let why = year_month_day(cell).map_or_else(String::new, |(year, month, _)| {
        match NaiveDate::from_ymd_opt(year, month, 1) {
            Some(first) => {
                format!(": {} has {} days", first.format("%B %Y"), first.num_days_in_month())
            }
            None => format!(": there is no month {month}"),
        }
    });
    Flaw::new(format!("{} does not exist{why}", shown(cell)), "Write a day that exists.")
}

/// The numbers of a text YYYY-MM-DD or D.M.YYYY, whether or not there is such a day.
fn year_month_day(text: &str) -> Option<(i32, u32, u32)> {
    let (year, month, day, short) = match text.split_once('-') {
        Some((year, rest)) => rest.split_once('-').map(|(month, day)| (year, month, day, 2)),
        None => text.split_once('.').and_then(|(day, rest)| {
            rest.split_once('.').map(|(month, year)| (year, month, day, 1))
        }),
    }?;
    let number = |digits: &str, least: usize, most: usize| {
        let fits = (least..=most).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| digits.parse::<u32>().ok()).flatten()
    };
    let year = i32::try_from(number(year, 4, 4)?).ok()?;
    Some((year, number(month, short, 2)?, number(day, short, 2)?))
}

/// Ja or nej, in the spellings that spreadsheets and people use.
pub(super) fn yes_or_no(cell: &str) -> Result<bool, Flaw> {
    match cell.to_lowercase().as_str() {
        "ja" | "yes" | "true" | "1" => Ok(true),
        "nej" | "no" | "false" | "0" => Ok(false),
        _ => {
            let what = format!("\"{}\" is neither yes nor no", shown(cell));
            Err(Flaw::new(what, "Write ja or nej (yes, no, true, false, 1 and 0 are read too)."))
        }
    }
}

/// A status, by its name or in Danish.
pub(super) fn status(cell: &str) -> Result<Status, Flaw> {
    let name = cell.to_lowercase();
    let danish = match name.as_str() {
        "åben" => Some(Status::Open),
        "mangler dato" => Some(Status::NeedsDate),
        "udført" => Some(Status::Done),
        "annulleret" => Some(Status::Cancelled),
        _ => None,
    };
    danish.or_else(|| Status::from_name(&name)).ok_or_else(|| {
        let hint = "Write open, needs_date, done or cancelled (åben, mangler dato, udført, \
             annulleret), or leave it empty for open.";
        Flaw::new(format!("\"{}\" is no status", shown(cell)), hint)
    })
}

/// A language of mails.
pub(super) fn language(cell: &str) -> Result<Language, Flaw> {
    Language::from_code(&cell.to_lowercase()).ok_or_else(|| {
        Flaw::new(format!("\"{}\" is no language of the mails", shown(cell)), "Write da or en.")
    })
}

/// An address that mail can be sent to.
pub(super) fn address(cell: &str) -> Result<EmailAddress, Flaw> {
    cell.parse().map_err(|why| {
        Flaw::new(
            format!("\"{}\" cannot be used: {why}", shown(cell)),
            "Correct the address, or ask the leader for another.",
        )
    })
}

/// A reference: it is typed on command lines, listed between semicolons and shown in addresses of pages.
pub(super) fn reference(cell: &str) -> Result<String, Flaw> {
    let is_sane = cell.starts_with(char::is_alphanumeric)
        && cell.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':'));
    is_sane.then(|| cell.to_owned()).ok_or_else(|| {
        Flaw::new(
            format!("\"{}\" cannot be a reference", shown(cell)),
            "Use letters, digits and - _ . / : without spaces, beginning with a letter or digit.",
        )
    })
}

/// One or more references between semicolons, each once.
pub(super) fn references(cell: &str) -> Result<Vec<String>, Flaw> {
    let mut names: Vec<String> = Vec::new();
    for name in cell.split(';').map(str::trim).filter(|name| !name.is_empty()) {
        if names.iter().any(|seen| seen == name) {
            let what = format!("\"{}\" is named twice", shown(name));
            return Err(Flaw::new(what, "Name each leader once."));
        }
        names.push(name.to_owned());
    }
    if names.is_empty() {
        return Err(Flaw::new("no leader is named", "Write the reference of at least one leader."));
    }
    Ok(names)
}
