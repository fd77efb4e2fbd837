//! Dates, spans of days and lists as people write them, in Danish and English. Parts of one date are held together by
//! no-break spaces.

use chrono::{Datelike, NaiveDate};

use crate::domain::leader::Language;
use crate::domain::window::Window;

/// The no-break space (U+00A0).
const NBSP: char = '\u{a0}';

const DANISH_MONTHS: [&str; 12] = [
    "januar",
    "februar",
    "marts",
    "april",
    "maj",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "december",
];

const DANISH_WEEKDAYS: [&str; 7] =
    ["mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag", "søndag"];

/// `26. juni 2020`, `26 June 2020`.
#[must_use]
pub fn day(language: Language, date: NaiveDate) -> String {
    format!("{}{NBSP}{}{NBSP}{}", ordinal(language, date), month(language, date), date.year())
}

/// `fredag den 26. juni 2020`, `Friday 26 June 2020`.
#[must_use]
pub fn weekday_and_day(language: Language, date: NaiveDate) -> String {
    let number = date.weekday().num_days_from_monday() as usize;
    let day = day(language, date);
    match language {
        Language::Danish => format!("{} den {day}", name(&DANISH_WEEKDAYS, number)),
        Language::English => format!("{} {day}", date.format("%A")),
    }
}

/// `26.6.2020`, `26 Jun 2020`: for tables.
#[must_use]
pub fn short(language: Language, date: NaiveDate) -> String {
    match language {
        Language::Danish => format!("{}.{}.{}", date.day(), date.month(), date.year()),
        Language::English => {
            let month: String = month(language, date).chars().take(3).collect();
            format!("{}{NBSP}{month}{NBSP}{}", date.day(), date.year())
        }
    }
}

/// `jun 2020`, `Jun 2020`: for an axis.
#[must_use]
pub fn month_and_year(language: Language, date: NaiveDate) -> String {
    let month: String = month(language, date).chars().take(3).collect();
    format!("{month}{NBSP}{}", date.year())
}

/// The days of a window: `21.–30. juni 2019`, `1. juni – 31. juli 2020`, `den 1. maj 2020 og frem`. What both ends
/// have in common is said once.
#[must_use]
pub fn span(language: Language, window: &Window) -> String {
    let opens = window.opens;
    let Some(due) = window.due else {
        return match language {
            Language::Danish => format!("den {} og frem", day(language, opens)),
            Language::English => format!("{} onwards", day(language, opens)),
        };
    };
    let end = day(language, due);
    if opens == due {
        end
    } else if opens.year() != due.year() {
        format!("{} – {end}", day(language, opens))
    } else if opens.month() != due.month() {
        format!("{}{NBSP}{} – {end}", ordinal(language, opens), month(language, opens))
    } else {
        format!("{}–{end}", ordinal(language, opens))
    }
}

/// `A`, `A og B`, `A, B og C`.
#[must_use]
pub fn list(language: Language, items: &[String]) -> String {
    let and = match language {
        Language::Danish => "og",
        Language::English => "and",
    };
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} {and} {last}", first.join(", ")),
    }
}

/// Whether a phrase is nothing but that one day written out ("1. maj 2020", "D. 15. august 2019", "2020-05-01"), so
/// that there is no reading of ours to explain.
pub(super) fn is_plain_date(phrase: &str, window: &Window) -> bool {
    let phrase = phrase.to_lowercase();
    let words: Vec<&str> = phrase
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !matches!(*word, "" | "d" | "den"))
        .collect();
    let is = |word: &str, number: u32| word.parse() == Ok(number);
    let is_month = |word: &str, date: NaiveDate| {
        let name = month(Language::Danish, date);
        is(word, date.month()) || (word.chars().count() >= 3 && name.starts_with(word))
    };
    let year = window.opens.year().unsigned_abs();
    match words.as_slice() {
        _ if window.is_longer_than_a_day() => false,
        [a, b, c] => {
            let (opens, middle) = (window.opens, is_month(b, window.opens));
            middle && ((is(a, opens.day()) && is(c, year)) || (is(a, year) && is(c, opens.day())))
        }
        _ => false,
    }
}

/// `26.`, `26`.
fn ordinal(language: Language, date: NaiveDate) -> String {
    match language {
        Language::Danish => format!("{}.", date.day()),
        Language::English => date.day().to_string(),
    }
}

fn month(language: Language, date: NaiveDate) -> String {
    match language {
        Language::Danish => name(&DANISH_MONTHS, date.month0() as usize).to_owned(),
        Language::English => date.format("%B").to_string(),
    }
}

/// The calendar has no number beyond the table, so the empty text never shows.
fn name(names: &[&'static str], number: usize) -> &'static str {
    names.get(number).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn plain(text: &str) -> String {
        text.replace(NBSP, " ")
    }

    #[test]
    fn dates_are_written_as_each_language_writes_them() {
        let friday = date("2020-06-26");
        assert_eq!(weekday_and_day(Language::Danish, friday), "fredag den 26.\u{a0}juni\u{a0}2020");
        assert_eq!(weekday_and_day(Language::English, friday), "Friday 26\u{a0}June\u{a0}2020");
        assert_eq!(short(Language::Danish, friday), "26.6.2020");
        assert_eq!(plain(&short(Language::English, friday)), "26 Jun 2020");
    }

    #[test]
    fn a_span_says_once_what_both_ends_share() {
        for (opens, due, danish, english) in [
            ("2019-06-21", "2019-06-30", "21.–30. juni 2019", "21–30 June 2019"),
            ("2020-06-01", "2020-07-31", "1. juni – 31. juli 2020", "1 June – 31 July 2020"),
            (
                "2019-12-01",
                "2020-01-31",
                "1. december 2019 – 31. januar 2020",
                "1 December 2019 – 31 January 2020",
            ),
            ("2020-05-01", "2020-05-01", "1. maj 2020", "1 May 2020"),
        ] {
            let window = Window::span(date(opens), date(due));
            assert_eq!(plain(&span(Language::Danish, &window)), danish);
            assert_eq!(plain(&span(Language::English, &window)), english);
        }
        let open = Window::from(date("2020-05-01"));
        assert_eq!(plain(&span(Language::Danish, &open)), "den 1. maj 2020 og frem");
        assert_eq!(plain(&span(Language::English, &open)), "1 May 2020 onwards");
    }

    #[test]
    fn a_list_ends_with_and() {
        let names = ["A", "B", "C"].map(str::to_owned);
        assert_eq!(list(Language::Danish, &names[..0]), "");
        assert_eq!(list(Language::Danish, &names[..1]), "A");
        assert_eq!(list(Language::Danish, &names[..2]), "A og B");
        assert_eq!(list(Language::English, &names), "A, B and C");
    }

    #[test]
    fn only_a_day_with_its_year_is_a_plain_date() {
        let day = Window::day(date("2020-05-01"));
        for phrase in [
            "1. maj 2020",
            "D. 1. maj 2020",
            "den 01.05.2020",
            "2020-05-01",
            "1/5 2020",
            "1.maj 2020",
        ] {
            assert!(is_plain_date(phrase, &day), "{phrase}");
        }
        for phrase in ["1. maj", "inden 1. maj 2020", "maj 2020", "", "1. juni 2020", "2. maj 2020"]
        {
            assert!(!is_plain_date(phrase, &day), "{phrase}");
        }
        let longer = Window::span(date("2020-05-01"), date("2020-05-10"));
        assert!(!is_plain_date("1. maj 2020", &longer));
    }
}
