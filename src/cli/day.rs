//! Days on the command line: one form, and only years that the book can hold.

use chrono::{Datelike, NaiveDate};

/// The years that are taken.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=9999;

/// Length of `2027-01-31`.
const DAY_BYTES: usize = 10;

/// Reads a day.
pub(super) fn day(text: &str) -> Result<NaiveDate, String> {
    let first_year = YEARS.start();
    let is_a_form = text.len() == DAY_BYTES && looks_like_one(text);
    let read = text.parse::<NaiveDate>().ok().filter(|_| is_a_form);
    match read {
        Some(day) if YEARS.contains(&day.year()) => Ok(day),
        Some(_) => Err(format!("days are from {first_year}-01-01 on")),
        None if is_a_form => Err("the calendar has no such day".to_owned()),
        None => Err("write a day as YYYY-MM-DD, such as 2027-01-31".to_owned()),
    }
}

/// Whether somebody who wrote this meant a day and no phrase.
pub(super) fn looks_like_one(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text.split('-').count() == 3 && text.trim_start_matches(['+', '-']).split('-').all(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_one_form_and_years_that_the_book_can_hold() {
        for text in ["1900-01-01", "2028-02-29", "9999-12-31"] {
            assert_eq!(day(text).map(|day| day.to_string()), Ok(text.to_owned()));
        }
        for (text, what) in [
            ("2027-02-29", "no such day"),
            ("2027-13-01", "no such day"),
            ("1899-12-31", "from 1900-01-01"),
            ("0001-01-01", "from 1900-01-01"),
            ("12027-01-01", "YYYY-MM-DD"),
            ("+12027-01-01", "YYYY-MM-DD"),
            ("2027-1-5", "YYYY-MM-DD"),
            (" 2027-01-05", "YYYY-MM-DD"),
            ("5.1.2027", "YYYY-MM-DD"),
            ("", "YYYY-MM-DD"),
        ] {
            let error = day(text).unwrap_err();
            assert!(error.contains(what), "{text}: {error}");
        }
    }

    #[test]
    fn a_day_is_told_from_a_phrase() {
        for text in ["2027-02-30", "12027-1-5", "+12027-01-01"] {
            assert!(looks_like_one(text), "{text}");
        }
        for text in ["2027", "ultimo 2027", "1.-3. maj 2027", "1-2"] {
            assert!(!looks_like_one(text), "{text}");
        }
    }
}
