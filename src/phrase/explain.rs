//! A reading in one sentence, for the person who has to trust it.

use chrono::{Datelike, Month, NaiveDate, Weekday};

use crate::domain::recurrence::{Frequency, MonthDay, Recurrence, Rule};
use crate::domain::window::{Confidence, Deadline, Undated, Window};

use super::PHRASE_BYTES_MAX;
use super::normalise::normalise;
use super::token::tokens;

/// More of a phrase than this is not repeated to the reader.
const QUOTE_CHARS_MAX: usize = 120;
const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Tells in one English sentence how [`super::parse`] read the phrase against the reference date, or why it has no
/// date: `"ultimo juni 2019" is read as the days 21 June to 30 June 2019.`
#[must_use]
pub fn explain(phrase: &str, reference: NaiveDate, reading: &Result<Deadline, Undated>) -> String {
    let quote = quote(phrase);
    match reading {
        Ok(deadline) => {
            let days = deadline_in_words(deadline);
            let doubts = doubts(phrase, reference, deadline);
            format!("\"{quote}\" is read as {days}{doubts}.")
        }
        Err(_) if phrase.len() > PHRASE_BYTES_MAX => {
            format!(
                "\"{quote}\" is longer than {PHRASE_BYTES_MAX} bytes, so no date is looked for."
            )
        }
        Err(reason) => format!("\"{quote}\" has no date: {}.", reason_in_words(*reason)),
    }
}

fn quote(phrase: &str) -> String {
    let words = phrase.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut quote: String = words.chars().take(QUOTE_CHARS_MAX).collect();
    if quote.len() < words.len() {
        quote.push('…');
    }
    quote
}

fn reason_in_words(reason: Undated) -> &'static str {
    match reason {
        Undated::RelativeToEvent => "it hangs on an event, whose day someone must give",
        Undated::Ongoing => "it is promised for all the time, not for a day",
        Undated::AsSoonAsPossible => "it says as soon as possible, which is no day",
        Undated::NoDateGiven => "none is given in it",
        Undated::NoSuchDate => "it names one that the calendar does not have",
    }
}

/// What a person should know before trusting the reading.
fn doubts(phrase: &str, reference: NaiveDate, deadline: &Deadline) -> String {
    let mut doubts = Vec::new();
    if deadline.windows.is_empty() {
        doubts.push("it names no day to count from".to_owned());
    }
    match deadline.confidence {
        Confidence::High => {}
        Confidence::AssumedYear => {
            let from = day(reference);
            return format!("; it names no year, so the next one seen from {from} is taken");
        }
        Confidence::Fuzzy => doubts.push("its words fit other days too".to_owned()),
        Confidence::Corrected => doubts.push(format!("it takes {}", mended(phrase))),
    }
    if doubts.is_empty() {
        return String::new();
    }
    format!("; {}, so someone must confirm it", list(&doubts))
}

/// `"janaur" for "januar"`
fn mended(phrase: &str) -> String {
    let text = normalise(phrase);
    let mended: Vec<String> = tokens(&text)
        .iter()
        .filter_map(|token| Some(format!("\"{}\" for \"{}\"", token.text, token.mended?)))
        .collect();
    list(&mended)
}

fn deadline_in_words(deadline: &Deadline) -> String {
    let windows: Vec<String> = deadline.windows.iter().map(window).collect();
    match (&deadline.recurrence, deadline.windows.as_slice()) {
        (Some(rule), []) => format!("a deadline that comes again {}", pace(rule, false)),
        (Some(rule), [first, ..]) => {
            let pace = pace(rule, !first.is_longer_than_a_day());
            format!("a deadline that comes again {pace}, first {}", list(&windows))
        }
        (None, [one]) if one.due.is_none() => format!("open-ended, {}", window(one)),
        (None, [one]) if one.is_longer_than_a_day() => format!("the days {}", window(one)),
        (None, [one]) => format!("the day {}", window(one)),
        (None, _) => format!("{} windows: {}", windows.len(), list(&windows)),
    }
}

/// "every 2 years in May and November"; with `to_the_day`, "every month on the 1st Monday".
fn pace(recurrence: &Recurrence, to_the_day: bool) -> String {
    let every = |interval: u32, unit: &str| match interval {
        0 | 1 => format!("every {unit}"),
        _ => format!("every {interval} {unit}s"),
    };
    match recurrence.rule() {
        Rule::Bare { frequency, interval } => {
            let unit = match frequency {
                Frequency::Daily => "day",
                Frequency::Weekly => "week",
                Frequency::Monthly => "month",
                Frequency::Yearly => "year",
            };
            every(*interval, unit)
        }
        Rule::Weekdays { interval, days } => {
            let days: Vec<String> =
                days.iter().map(|day| nth_name(day.num_days_from_monday(), &WEEKDAYS)).collect();
            format!("{} on {}", every(*interval, "week"), list(&days))
        }
        Rule::MonthDays { interval, months, days } => {
            let days: Vec<String> = days.iter().map(|day| month_day(*day)).collect();
            let names: Vec<String> = months.iter().map(|month| month_name(*month)).collect();
            let names = list(&names);
            match (months.is_empty(), to_the_day) {
                (true, false) => every(*interval, "month"),
                (true, true) => format!("{} on {}", every(*interval, "month"), list(&days)),
                (false, false) => format!("{} in {names}", every(*interval, "year")),
                (false, true) => {
                    format!("{} on {} of {names}", every(*interval, "year"), list(&days))
                }
            }
        }
        Rule::Weeks { interval, weeks } => {
            let word = if weeks.len() == 1 { "week" } else { "weeks" };
            let weeks: Vec<String> = weeks.iter().map(ToString::to_string).collect();
            format!("{} in {word} {}", every(*interval, "year"), list(&weeks))
        }
    }
}

/// "the 31st (or the last day)", "the 1st Monday".
fn month_day(day: MonthDay) -> String {
    let weekday = |day: Weekday| nth_name(day.num_days_from_monday(), &WEEKDAYS);
    match day {
        MonthDay::Number(day @ ..=28) => format!("the {}", ordinal(day)),
        MonthDay::Number(day) => format!("the {} (or the last day)", ordinal(day)),
        MonthDay::Last => "the last day".to_owned(),
        MonthDay::Nth(-1, day) => format!("the last {}", weekday(day)),
        MonthDay::Nth(nth, day) => {
            format!("the {} {}", ordinal(nth.unsigned_abs()), weekday(day))
        }
        MonthDay::Workday(-1) => "the last working day".to_owned(),
        MonthDay::Workday(_) => "the first working day".to_owned(),
        MonthDay::WeekdayFrom(day, from) => {
            format!("the 1st {} from the {} on", weekday(day), ordinal(from))
        }
    }
}

/// "1st", "22nd", "13th"
fn ordinal(number: u32) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

fn window(window: &Window) -> String {
    match window.due {
        None => format!("from {} on", day(window.opens)),
        Some(due) if due == window.opens => day(due),
        Some(due) if due.year() == window.opens.year() => {
            format!("{} to {}", window.opens.format("%-d %B"), day(due))
        }
        Some(due) => format!("{} to {}", day(window.opens), day(due)),
    }
}

fn day(date: NaiveDate) -> String {
    date.format("%-d %B %Y").to_string()
}

fn month_name(month: u32) -> String {
    let month = u8::try_from(month).ok().and_then(|month| Month::try_from(month).ok());
    month.map_or_else(String::new, |month| month.name().to_owned())
}

fn nth_name(nth: u32, names: &[&str]) -> String {
    let name = usize::try_from(nth).ok().and_then(|nth| names.get(nth));
    name.map_or_else(String::new, |name| (*name).to_owned())
}

/// "a, b and c"
fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}
