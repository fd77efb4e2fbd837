//! From a recurrence as understood to its rule and its first windows.

use chrono::{Datelike, NaiveDate, Weekday};

use crate::domain::recurrence::{Frequency, MonthDay, Recurrence, Rule, Span};
use crate::domain::window::Window;

use super::resolve::windows_of_items;
use super::tree::{Again, Atom, Bound, Item};

const FEBRUARY: u32 = 2;
/// The Monday before the last Saturday in June is one of the 19th to the 25th.
const HOLIDAY_WEEK_FIRST_DAY: u32 = 19;

/// The windows given so far, the rule for those after, and whether the words fit another rule too.
pub(super) type Recurring = (Vec<Window>, Recurrence, bool);

/// Where the windows of one item open.
#[derive(PartialEq)]
enum Opening {
    Week(u32),
    Month(u32, MonthDay),
}

/// Works out a recurrence; `None` when it names days that no year has.
pub(super) fn resolve(again: &Again, reference: NaiveDate) -> Option<Recurring> {
    match again {
        Again::Bare { frequency, interval, fuzzy } => {
            Some((Vec::new(), bare(*frequency, *interval), *fuzzy))
        }
        Again::Rule(rule, span) => {
            let recurrence = Recurrence::new(rule.clone(), *span);
            Some((vec![recurrence.first_window(reference)?], recurrence, false))
        }
        Again::Dates { years, dates } => {
            let found = windows_of_items(dates, reference)?;
            let mut windows: Vec<Window> = found.iter().map(|(_, window)| *window).collect();
            windows.sort_unstable();
            let Some(recurrence) = rule_of(*years, dates.bound, &found) else {
                // "hvert år den 1. marts og 15. maj": no single rule says that.
                return Some((windows, bare(Frequency::Yearly, *years), true));
            };
            let given = !dates.items.iter().all(Item::lacks_year);
            if let (false, [_]) = (given, windows.as_slice()) {
                // The rule clamps: of a yearly 29 February, next year's is the 28th.
                windows = vec![recurrence.first_window(reference)?];
            }
            Some((windows, recurrence, dates.fuzzy || (given && *years > 1)))
        }
    }
}

fn bare(frequency: Frequency, interval: u32) -> Recurrence {
    Recurrence::new(Rule::Bare { frequency, interval }, Span::Days(1))
}

/// One rule for all windows, when they differ in nothing but the month or the week.
fn rule_of(interval: u32, bound: Bound, found: &[(Item, Window)]) -> Option<Recurrence> {
    let openings: Vec<(Opening, Span)> =
        found.iter().map(|(item, window)| opening(item, bound, *window)).collect::<Option<_>>()?;
    let (first, span) = openings.first()?;
    if openings.iter().any(|(_, other)| other != span) {
        return None;
    }
    let mut numbers = openings
        .iter()
        .map(|(other, _)| match (first, other) {
            (Opening::Week(_), Opening::Week(week)) => Some(*week),
            (Opening::Month(_, day), Opening::Month(month, other)) if day == other => Some(*month),
            _ => None,
        })
        .collect::<Option<Vec<u32>>>()?;
    numbers.sort_unstable();
    numbers.dedup();
    let rule = match first {
        Opening::Week(_) => Rule::Weeks { interval, weeks: numbers },
        Opening::Month(_, day) => Rule::MonthDays { interval, months: numbers, days: vec![*day] },
    };
    Some(Recurrence::new(rule, *span))
}

fn opening(item: &Item, bound: Bound, window: Window) -> Option<(Opening, Span)> {
    let due = window.due?;
    let days = Span::Days(u32::try_from((due - window.opens).num_days() + 1).ok()?);
    let opening = match (item.from, item.to, bound) {
        (Atom::Week { number, weekday: None, .. }, _, Bound::Plain) => {
            return Some((Opening::Week(number), days));
        }
        (Atom::Week { weekday: Some(_), .. }, ..) => return None,
        (Atom::Day { day, month, .. }, None, Bound::Plain | Bound::Within) => {
            return Some((Opening::Month(month, day), days));
        }
        (Atom::SummerHoliday { .. }, None, Bound::After) => {
            return Some((Opening::Month(8, MonthDay::Nth(2, Weekday::Mon)), Span::Months(1)));
        }
        (Atom::SummerHoliday { during: false, .. }, None, _) => {
            let monday = MonthDay::WeekdayFrom(Weekday::Mon, HOLIDAY_WEEK_FIRST_DAY);
            return Some((Opening::Month(6, monday), days));
        }
        (Atom::SummerHoliday { .. }, ..) => return None,
        // "før marts" is the last of February, be that the 28th or the 29th.
        (.., Bound::Before | Bound::Within)
            if window.opens == due && due.month() == FEBRUARY && is_last_of_month(due) =>
        {
            MonthDay::Last
        }
        _ => MonthDay::Number(window.opens.day()),
    };
    let months = (due.year() - window.opens.year()) * 12 + i32::try_from(due.month()).ok()?
        - i32::try_from(window.opens.month()).ok()?;
    let span = if window.opens != due && is_last_of_month(due) {
        Span::Months(u32::try_from(months).ok()?)
    } else {
        days
    };
    Some((Opening::Month(window.opens.month(), opening), span))
}

fn is_last_of_month(day: NaiveDate) -> bool {
    day.succ_opt().is_none_or(|next| next.month() != day.month())
}
