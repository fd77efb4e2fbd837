//! Reading a cron line, and saying what is wrong with it.

use std::ops::RangeInclusive;
use std::str::FromStr;

use chrono::{DateTime, NaiveTime, Weekday};
use cron::TimeUnitSpec;

use super::Schedule;

/// Why a text is no schedule, and how to write it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSchedule {
    /// Not 5 to 7 fields.
    #[error(
        "{line:?} has {found} fields; write minute, hour, day of the month, month and day of the week, \
         such as \"0 8 * * Mon-Fri\""
    )]
    FieldCount {
        /// The line.
        line: String,
        /// How many it has.
        found: usize,
    },
    /// `@daily` and the like.
    #[error("{0:?} does not say at which hour; write the fields, such as \"0 8 * * Mon-Fri\"")]
    Shorthand(String),
    /// Days of the week as numbers: `1-5` is Monday to Friday for one cron and Sunday to Thursday for the next.
    #[error(
        "{line:?} has numbers for the days of the week, which every cron counts in its own way; \
         write names: {example} instead of {days}"
    )]
    NumberedDays {
        /// The line.
        line: String,
        /// The field.
        days: String,
        /// The field with names.
        example: String,
    },
    /// A field that means nothing in its place.
    #[error("{line:?} is not valid: {field:?} is no {name}; {allowed}")]
    Field {
        /// The line.
        line: String,
        /// The field.
        field: String,
        /// What the field is about.
        name: &'static str,
        /// What may stand there.
        allowed: &'static str,
    },
    /// A day that does not exist, such as 30 February.
    #[error("{0:?} never fires: no year has such a day; change the day or the month")]
    NeverFires(String),
}

/// The name of each field, and what may stand there.
const FIELDS: [(&str, &str); 7] = [
    ("second", "seconds are 0-59"),
    ("minute", "minutes are 0-59"),
    ("hour", "hours are 0-23"),
    ("day of the month", "days are 1-31"),
    ("month", "months are 1-12 or Jan-Dec"),
    ("day of the week", "write Mon-Fri, Mon,Wed or Sat-Sun"),
    ("year", "years are 1970-2100"),
];

/// Which of the fields is the day of the week.
const DAY_OF_WEEK: usize = 5;

/// As Unix counts them; 7 is Sunday too.
const DAY_NAMES: [&str; 8] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl FromStr for Schedule {
    type Err = BadSchedule;

    fn from_str(line: &str) -> Result<Self, BadSchedule> {
        parse(line)
    }
}

pub(super) fn parse(line: &str) -> Result<Schedule, BadSchedule> {
    let line = line.trim();
    let owned = || line.to_owned();
    if line.starts_with('@') {
        return Err(BadSchedule::Shorthand(owned()));
    }
    let fields = fields(line).ok_or_else(|| BadSchedule::FieldCount {
        line: owned(),
        found: line.split_whitespace().count(),
    })?;
    if let Some(days) =
        fields.get(DAY_OF_WEEK).filter(|days| days.contains(|c: char| c.is_ascii_digit()))
    {
        let example = with_names(days).unwrap_or_else(|| "Mon-Fri".to_owned());
        return Err(BadSchedule::NumberedDays { line: owned(), days: (*days).to_owned(), example });
    }
    let [second, minute, hour, day, month, weekdays, year] = fields;
    let weekdays = day_by_day(weekdays);
    let spelled_out = [second, minute, hour, day, month, &weekdays, year];
    // Each field is read alone: the reader looks past spaces, and would take "**" for two fields.
    for (place, (field, (name, allowed))) in fields.iter().zip(FIELDS).enumerate() {
        let mut alone = ["*"; 7];
        alone.iter_mut().zip(spelled_out).skip(place).take(1).for_each(|(slot, one)| *slot = one);
        if alone.join(" ").parse::<cron::Schedule>().is_err() {
            return Err(BadSchedule::Field {
                line: owned(),
                field: (*field).to_owned(),
                name,
                allowed,
            });
        }
    }
    let Ok(read) = spelled_out.join(" ").parse::<cron::Schedule>() else {
        return Err(BadSchedule::FieldCount {
            line: owned(),
            found: line.split_whitespace().count(),
        });
    };
    let schedule = evaluate(line, &read);
    schedule
        .firing_day(DateTime::UNIX_EPOCH.date_naive())
        .map(|_| schedule)
        .ok_or_else(|| BadSchedule::NeverFires(owned()))
}

/// All seven fields: second 0 and every year when they are left out.
fn fields(line: &str) -> Option<[&str; 7]> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    match fields[..] {
        [m, h, dom, mon, dow] => Some(["0", m, h, dom, mon, dow, "*"]),
        [s, m, h, dom, mon, dow] => Some([s, m, h, dom, mon, dow, "*"]),
        [s, m, h, dom, mon, dow, y] => Some([s, m, h, dom, mon, dow, y]),
        _ => None,
    }
}

/// Ranges of days as lists: `Fri-Mon` is `Fri,Sat,Sun,Mon` as people mean it, whichever day a week begins with.
fn day_by_day(days: &str) -> String {
    let range = |item: &str| {
        let (first, last) = item.split_once('-')?;
        let (first, last): (Weekday, Weekday) = (first.parse().ok()?, last.parse().ok()?);
        let next = |day: &Weekday| (*day != last).then(|| day.succ());
        let names = std::iter::successors(Some(first), next).map(|day| day.to_string());
        Some(names.collect::<Vec<_>>().join(","))
    };
    let items = days.split(',').map(|item| range(item).unwrap_or_else(|| item.to_owned()));
    items.collect::<Vec<_>>().join(",")
}

/// `1-5` as `Mon-Fri`, the way Unix counts; `None` for what cannot be told.
fn with_names(days: &str) -> Option<String> {
    let name = |number: usize| DAY_NAMES.get(number).copied();
    let number = |text: &str| text.parse::<usize>().ok().filter(|number| *number < DAY_NAMES.len());
    let list =
        |range: RangeInclusive<usize>| Some(range.filter_map(name).collect::<Vec<_>>().join(","));
    let item = |item: &str| match item.split_once('-') {
        None => name(number(item)?).map(str::to_owned),
        Some((first, last)) => match (number(first)?, number(last)?) {
            (first, last) if first > last => None,
            // A range ends on Saturday at the latest.
            (first, 7) => list(first..=7),
            (first, last) => Some(format!("{}-{}", name(first)?, name(last)?)),
        },
    };
    days.split(',').map(item).collect::<Option<Vec<_>>>().map(|items| items.join(","))
}

/// The sets of the fields as bits and as times of day.
fn evaluate(line: &str, read: &cron::Schedule) -> Schedule {
    let (seconds, minutes) = (read.seconds(), read.minutes());
    let times = read.hours().iter().flat_map(|hour| {
        minutes.iter().flat_map(move |minute| {
            seconds.iter().filter_map(move |second| NaiveTime::from_hms_opt(hour, minute, second))
        })
    });
    let years = read.years();
    Schedule {
        source: line.to_owned(),
        times: times.collect(),
        days: read.days_of_month().iter().fold(0, |set, day| set | 1 << day),
        months: read.months().iter().fold(0, |set, month| set | 1 << month),
        // Here Sunday is 1.
        weekdays: read.days_of_week().iter().fold(0, |set, day| set | 1 << (day - 1)),
        years: (!years.is_all())
            .then(|| years.iter().filter_map(|year| year.try_into().ok()).collect()),
    }
}
