//! A rule as RFC 5545 text, and back.

use chrono::Weekday;

use super::{Frequency, MonthDay, Rule};

/// The two-letter names of RFC 5545, section 3.3.10, Monday first.
const WEEKDAYS: [(Weekday, &str); 7] = [
    (Weekday::Mon, "MO"),
    (Weekday::Tue, "TU"),
    (Weekday::Wed, "WE"),
    (Weekday::Thu, "TH"),
    (Weekday::Fri, "FR"),
    (Weekday::Sat, "SA"),
    (Weekday::Sun, "SU"),
];
const FREQUENCIES: [(Frequency, &str); 4] = [
    (Frequency::Daily, "DAILY"),
    (Frequency::Weekly, "WEEKLY"),
    (Frequency::Monthly, "MONTHLY"),
    (Frequency::Yearly, "YEARLY"),
];
const WORKING_WEEK: &str = "MO,TU,WE,TH,FR";
const DAYS_A_WEEK: u32 = 7;
const DAYS_A_MONTH_MAX: i32 = 31;
const MONTHS_A_YEAR: u32 = 12;
const WEEKS_A_YEAR_MAX: u32 = 53;

impl Rule {
    /// The rule as text, without `RRULE:`.
    pub(super) fn to_text(&self) -> String {
        let mut parts = vec![format!("FREQ={}", name(self.frequency(), &FREQUENCIES))];
        if self.interval() > 1 {
            parts.push(format!("INTERVAL={}", self.interval()));
        }
        match self {
            Self::Bare { .. } => {}
            Self::Weekdays { days, .. } => {
                parts.push(format!("BYDAY={}", list(days, |day| name(*day, &WEEKDAYS).to_owned())));
            }
            Self::MonthDays { months, days, .. } => {
                if !months.is_empty() {
                    parts.push(format!("BYMONTH={}", list(months, u32::to_string)));
                }
                parts.push(days_text(days));
            }
            Self::Weeks { weeks, .. } => {
                parts.push(format!("BYWEEKNO={}", list(weeks, u32::to_string)));
                parts.push("BYDAY=MO".to_owned());
            }
        }
        parts.join(";")
    }

    /// Reads what [`Self::to_text`] wrote; other spellings of the same rule may be read too.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let field = |wanted: &str| {
            text.split(';').find_map(|part| part.strip_prefix(wanted)?.strip_prefix('='))
        };
        let frequency = value(field("FREQ")?, &FREQUENCIES)?;
        let interval = match field("INTERVAL") {
            Some(number) => number.parse().ok().filter(|number| *number > 0)?,
            None => 1,
        };
        if let Some(weeks) = field("BYWEEKNO") {
            return Some(Self::Weeks { interval, weeks: numbers(weeks, WEEKS_A_YEAR_MAX)? });
        }
        let days = match (field("BYMONTHDAY"), field("BYDAY")) {
            (None, None) => return Some(Self::Bare { frequency, interval }),
            (None, Some(days)) if frequency == Frequency::Weekly => {
                let days =
                    days.split(',').map(|day| value(day, &WEEKDAYS)).collect::<Option<_>>()?;
                return Some(Self::Weekdays { interval, days });
            }
            (numbers, weekdays) => days_from_text(numbers, weekdays, field("BYSETPOS"))?,
        };
        let months = match (frequency, field("BYMONTH")) {
            (Frequency::Yearly, Some(months)) => numbers(months, MONTHS_A_YEAR)?,
            (Frequency::Monthly, None) => Vec::new(),
            _ => return None,
        };
        Some(Self::MonthDays { interval, months, days })
    }
}

fn days_text(days: &[MonthDay]) -> String {
    match days {
        [MonthDay::Workday(nth)] => format!("BYDAY={WORKING_WEEK};BYSETPOS={nth}"),
        [MonthDay::WeekdayFrom(weekday, first)] => {
            let numbers: Vec<u32> = (*first..first.saturating_add(DAYS_A_WEEK)).collect();
            let numbers = list(&numbers, u32::to_string);
            format!("BYDAY={};BYMONTHDAY={numbers}", name(*weekday, &WEEKDAYS))
        }
        [MonthDay::Nth(..), ..] => format!("BYDAY={}", list(days, day_text)),
        _ => format!("BYMONTHDAY={}", list(days, day_text)),
    }
}

fn day_text(day: &MonthDay) -> String {
    match day {
        MonthDay::Number(number) => number.to_string(),
        MonthDay::Nth(nth, weekday) => format!("{nth}{}", name(*weekday, &WEEKDAYS)),
        MonthDay::Last | MonthDay::Workday(_) | MonthDay::WeekdayFrom(..) => "-1".to_owned(),
    }
}

fn days_from_text(
    numbers: Option<&str>,
    weekdays: Option<&str>,
    position: Option<&str>,
) -> Option<Vec<MonthDay>> {
    match (numbers, weekdays, position) {
        (None, Some(WORKING_WEEK), Some(nth)) => Some(vec![MonthDay::Workday(nth.parse().ok()?)]),
        (Some(numbers), Some(weekday), None) => {
            let first = numbers.split(',').next()?.parse().ok()?;
            Some(vec![MonthDay::WeekdayFrom(value(weekday, &WEEKDAYS)?, first)])
        }
        (None, Some(weekdays), None) => weekdays.split(',').map(nth_weekday).collect(),
        (Some(numbers), None, None) => numbers
            .split(',')
            .map(|number| match number.parse().ok()? {
                -1 => Some(MonthDay::Last),
                day @ 1..=DAYS_A_MONTH_MAX => Some(MonthDay::Number(day.unsigned_abs())),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

fn nth_weekday(text: &str) -> Option<MonthDay> {
    let (nth, weekday) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let nth = nth.parse().ok().filter(|nth| matches!(nth, -1 | 1..=5))?;
    Some(MonthDay::Nth(nth, value(weekday, &WEEKDAYS)?))
}

fn numbers(text: &str, max: u32) -> Option<Vec<u32>> {
    text.split(',')
        .map(|number| number.parse().ok().filter(|number| (1..=max).contains(number)))
        .collect()
}

fn list<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    items.iter().map(text).collect::<Vec<_>>().join(",")
}

fn name<T: PartialEq>(wanted: T, names: &[(T, &'static str)]) -> &'static str {
    names.iter().find(|(one, _)| *one == wanted).map_or("", |(_, name)| name)
}

fn value<T: Copy>(wanted: &str, names: &[(T, &'static str)]) -> Option<T> {
    names.iter().find(|(_, name)| *name == wanted).map(|(one, _)| *one)
}
