//! The day or part of a month that a recurrence hangs on: "ultimo hver måned", "den 15. i hvert kvartal".

use crate::domain::recurrence::{MonthDay, Rule, Span};

use super::cursor::Cursor;
use super::token::Token;
use super::tree::Part;
use super::words::Term;

const MONTHS_A_YEAR: u32 = 12;
/// The farthest an anchor begins before its marker, in tokens: "den 1., 10. og 20. dag i".
const REACH: usize = 12;

/// An anchor and where it stands.
pub(super) struct Anchor {
    sort: Sort,
    pub(super) start: usize,
    pub(super) end: usize,
}

enum Sort {
    Days(Vec<MonthDay>),
    Part(Part),
}

/// The anchor just before the marker at `start..end`, or just behind it.
pub(super) fn find(
    tokens: &[Token<'_>],
    start: usize,
    end: usize,
    days_only: bool,
) -> Option<Anchor> {
    let in_front = (start.saturating_sub(REACH)..start).find_map(|at| {
        let mut cursor = Cursor::new(tokens, at);
        let sort = cursor.anchor(days_only)?;
        cursor.skip(|term| matches!(term, Term::In | Term::Of | Term::For | Term::Sign(',')));
        (cursor.at() == start).then_some(Anchor { sort, start: at, end: start })
    });
    in_front.or_else(|| {
        let mut cursor = Cursor::new(tokens, end);
        cursor.skip(|term| {
            let filler =
                matches!(term, Term::In | Term::To | Term::With | Term::Per | Term::Neutral);
            filler || matches!(term, Term::Latest | Term::Within | Term::Sign(','))
        });
        let sort = if days_only { None } else { cursor.anchor(days_only) }?;
        Some(Anchor { sort, start: end, end: cursor.at() })
    })
}

impl Cursor<'_> {
    fn anchor(&mut self, days_only: bool) -> Option<Sort> {
        if !days_only && let Some(part) = self.part_word().or_else(|| self.attempt(Cursor::half)) {
            return Some(Sort::Part(part));
        }
        self.attempt(Cursor::month_days).map(Sort::Days)
    }

    /// "første halvdel"
    fn half(&mut self) -> Option<Part> {
        let second = self.eat_term(Term::FinalOne).is_some() || self.ordinal(false)? == 2;
        self.eat_term(Term::HalfOf)?;
        Some(if second { Part::SecondHalf } else { Part::FirstHalf })
    }

    /// "den 1. og 15.", "første mandag", "den sidste dag".
    fn month_days(&mut self) -> Option<Vec<MonthDay>> {
        let article = self.term() == Some(Term::The);
        let mut days = Vec::new();
        loop {
            self.the();
            if let Some(day) = self.weekday_or_last_day() {
                days.push(day);
            } else if self.eat_term(Term::FinalOne).is_some() {
                days.push(MonthDay::Last);
            } else {
                let day = self.ordinal(!article).filter(|day| (1..=31).contains(day))?;
                days.push(MonthDay::Number(day));
            }
            if self.eat(|term| matches!(term, Term::And | Term::Sign(',')).then_some(())).is_none()
                || !matches!(self.term(), Some(Term::Number { .. } | Term::The | Term::Ordinal(_)))
            {
                break;
            }
        }
        let plain = |day: &MonthDay| matches!(day, MonthDay::Number(_));
        let weekday = |day: &MonthDay| matches!(day, MonthDay::Nth(..));
        let of_one_sort = days.len() == 1 || days.iter().all(plain) || days.iter().all(weekday);
        of_one_sort.then_some(days)
    }
}

impl Anchor {
    /// The rule for windows that come every so many months.
    pub(super) fn rule(&self, interval: u32) -> Option<(Rule, Span)> {
        match &self.sort {
            Sort::Days(days) => {
                let at_end = days.iter().any(|day| {
                    matches!(day, MonthDay::Last | MonthDay::Nth(-1, _) | MonthDay::Workday(-1))
                });
                let month = if at_end { interval.min(MONTHS_A_YEAR) } else { 1 };
                Some((in_months(interval, month, days.clone())?, Span::Days(1)))
            }
            Sort::Part(part) if interval <= 2 => {
                let (day, span) = match part {
                    Part::First => (1, Span::Days(10)),
                    Part::Middle => (11, Span::Days(10)),
                    Part::Last | Part::End => (21, Span::Months(0)),
                    Part::FirstHalf => (1, Span::Days(15)),
                    Part::SecondHalf => (16, Span::Months(0)),
                };
                Some((in_months(interval, 1, vec![MonthDay::Number(day)])?, span))
            }
            Sort::Part(part) => {
                let length = interval.min(MONTHS_A_YEAR);
                let month = match part {
                    Part::First => 1,
                    Part::Middle => length.div_ceil(2),
                    Part::Last | Part::End => length,
                    Part::FirstHalf | Part::SecondHalf => return None,
                };
                Some((in_months(interval, month, vec![MonthDay::Number(1)])?, Span::Months(0)))
            }
        }
    }
}

/// Those days in the `month`-th month of every span of `interval` months. Quarters, tertials and half-years begin in
/// January; "hver anden måned" begins anywhere.
fn in_months(interval: u32, month: u32, days: Vec<MonthDay>) -> Option<Rule> {
    match interval {
        1 | 2 => Some(Rule::MonthDays { interval, months: Vec::new(), days }),
        3 | 4 | 6 => {
            let months = (0..MONTHS_A_YEAR / interval).map(|nth| nth * interval + month).collect();
            Some(Rule::MonthDays { interval: 1, months, days })
        }
        _ if interval.is_multiple_of(MONTHS_A_YEAR) => {
            Some(Rule::MonthDays { interval: interval / MONTHS_A_YEAR, months: vec![month], days })
        }
        _ => None,
    }
}
