//! Easter, Danish public holidays, the municipality's own days off, working days.

use std::str::FromStr;

use chrono::{Datelike, NaiveDate, Weekday};

/// Which days are worked: not Saturday or Sunday, not a public holiday, not a day off.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Calendar {
    days_off: Vec<DayOff>,
}

/// A day off of the municipality's own: `MM-DD`, `YYYY-MM-DD`, or a range of either with `..`
/// (both ends included; an `MM-DD` range may cross New Year: `12-24..01-02`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayOff(Span);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Span {
    /// The same days every year, as (month, day).
    Yearly { first: (u32, u32), last: (u32, u32) },
    /// These days only.
    Once { first: NaiveDate, last: NaiveDate },
}

/// A text that is no day off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadDayOff(pub String);

/// A leap year, so that 02-29 is a day of every year that has one.
const LEAP_YEAR: i32 = 2000;

impl FromStr for DayOff {
    type Err = BadDayOff;

    fn from_str(text: &str) -> Result<Self, BadDayOff> {
        let text = text.trim();
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let span = match (yearly(first), yearly(last), once(first), once(last)) {
            (Some(first), Some(last), ..) => Span::Yearly { first, last },
            (.., Some(first), Some(last)) if last < first => {
                return Err(BadDayOff(format!("{text:?} ends before it begins")));
            }
            (.., Some(first), Some(last)) => Span::Once { first, last },
            _ => {
                return Err(BadDayOff(format!(
                    "{text:?} is no day off; write 06-05, 2026-05-15 or 12-24..01-02"
                )));
            }
        };
        Ok(Self(span))
    }
}

/// The numbers of `06-05` or `2026-05-15`, whose parts must have these widths.
fn numbers<const N: usize>(text: &str, widths: [usize; N]) -> Option<[u32; N]> {
    let mut numbers = [0; N];
    let mut parts = text.trim().split('-');
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part = parts.next().filter(|part| part.len() == width)?;
        *number = part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())??;
    }
    parts.next().is_none().then_some(numbers)
}

fn yearly(text: &str) -> Option<(u32, u32)> {
    let [month, day] = numbers(text, [2, 2])?;
    NaiveDate::from_ymd_opt(LEAP_YEAR, month, day).map(|_| (month, day))
}

fn once(text: &str) -> Option<NaiveDate> {
    let [year, month, day] = numbers(text, [4, 2, 2])?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

impl DayOff {
    /// Whether `day` is off.
    #[must_use]
    pub fn contains(&self, day: NaiveDate) -> bool {
        match self.0 {
            Span::Once { first, last } => (first..=last).contains(&day),
            Span::Yearly { first, last } => {
                let day = (day.month(), day.day());
                if first <= last {
                    first <= day && day <= last
                } else {
                    first <= day || day <= last
                }
            }
        }
    }
}

impl Calendar {
    /// A calendar with these days off beside the public holidays.
    #[must_use]
    pub fn new(days_off: Vec<DayOff>) -> Self {
        Self { days_off }
    }

    /// Whether people work on `day`.
    #[must_use]
    pub fn is_working_day(&self, day: NaiveDate) -> bool {
        !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
            && public_holiday(day).is_none()
            && !self.days_off.iter().any(|off| off.contains(day))
    }
}

/// The last year with a store bededag; the Folketing abolished it from 2024 on.
const STORE_BEDEDAG_LAST_YEAR: i32 = 2023;

/// The Danish name of the public holiday on `day`, if it is one.
#[must_use]
pub fn public_holiday(day: NaiveDate) -> Option<&'static str> {
    match (day.month(), day.day()) {
        (1, 1) => Some("Nytårsdag"),
        (12, 25) => Some("Juledag"),
        (12, 26) => Some("2. juledag"),
        // Easter -3 is never before 19 March, Easter +50 never after 14 June.
        (3..=6, _) => match day.signed_duration_since(easter(day.year())?).num_days() {
            -3 => Some("Skærtorsdag"),
            -2 => Some("Langfredag"),
            0 => Some("Påskedag"),
            1 => Some("2. påskedag"),
            26 if day.year() <= STORE_BEDEDAG_LAST_YEAR => Some("Store bededag"),
            39 => Some("Kristi himmelfartsdag"),
            49 => Some("Pinsedag"),
            50 => Some("2. pinsedag"),
            _ => None,
        },
        _ => None,
    }
}

/// Easter Sunday, by the "anonymous Gregorian" algorithm (Nature, 20 April 1876; Jean Meeus, Astronomical Algorithms,
/// 2nd edition, chapter 8), whose letters these are. Good for every year of the Gregorian calendar.
fn easter(year: i32) -> Option<NaiveDate> {
    let a = year.rem_euclid(19);
    let (b, c) = (year.div_euclid(100), year.rem_euclid(100));
    let (d, e) = (b.div_euclid(4), b.rem_euclid(4));
    let f = (b + 8).div_euclid(25);
    let g = (b - f + 1).div_euclid(3);
    let h = (19 * a + b - d - g + 15).rem_euclid(30);
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k).rem_euclid(7);
    let m = (a + 11 * h + 22 * l) / 451;
    let days_from_22_march = h + l - 7 * m;
    NaiveDate::from_ymd_opt(year, 3, 22)?
        .checked_add_days(chrono::Days::new(u64::try_from(days_from_22_march).ok()?))
}
