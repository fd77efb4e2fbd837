//! Days and years: "d. 16. juni", "31/12-20", "2020-10-01", "mandag i uge 20".

use chrono::Weekday;

use crate::domain::recurrence::MonthDay;

use super::cursor::Cursor;
use super::tree::{Atom, Unit, Year};
use super::words::Term;

const CENTURY: u32 = 2000;
/// Four digits outside these are more likely to count people or kroner.
const YEARS: std::ops::RangeInclusive<u32> = 1900..=2199;
/// Numbers up to here may be meant as a day or a month, even when no month has so many days.
const DAY_MAX: u32 = 39;
const MONTH_MAX: u32 = 19;

impl Cursor<'_> {
    /// A day of a month, with or without weekday and year.
    pub(super) fn day(&mut self) -> Option<Atom> {
        self.attempt(|cursor| {
            cursor.weekday();
            let _ = cursor.eat_sign(',');
            cursor.the();
            cursor.day_and_month_name().or_else(|| cursor.numeric_day())
        })
    }

    /// "den", "d."
    pub(super) fn the(&mut self) {
        if self.eat_term(Term::The).is_some() {
            self.skip_dot();
        }
    }

    pub(super) fn weekday(&mut self) -> Option<Weekday> {
        self.eat(|term| match term {
            Term::DayName(weekday) => Some(weekday),
            _ => None,
        })
    }

    /// "januar", "jan.", "januar måned"; not the first half of a compound such as "maj-mødet".
    pub(super) fn month_name(&mut self) -> Option<u32> {
        self.attempt(|cursor| {
            let is_name = cursor.stands_for_no_month();
            let month = cursor.eat(|term| match term {
                Term::MonthName(month) => Some(month),
                _ => None,
            })?;
            if is_name || cursor.begins_compound() {
                return None;
            }
            cursor.skip_dot();
            let _ = cursor.attempt(|cursor| {
                let _ = cursor.eat_sign('-').filter(|()| cursor.is_glued());
                cursor.eat_term(Term::Unit(Unit::Month))?;
                cursor.skip_dot();
                Some(())
            });
            let _ = cursor.eat_term(Term::UnitsOwn(Unit::Month));
            Some(month)
        })
    }

    /// "Jan" is a man and "jul" is Christmas, unless a dot, a day or a year says otherwise.
    fn stands_for_no_month(&self) -> bool {
        let marks = |term: Option<Term>| {
            matches!(term, Some(Term::Number { .. } | Term::Sign('.' | '-' | '/') | Term::Part(_)))
        };
        let (before, after) = (self.term_before(1), self.term_ahead(1));
        // A dot at the very end closes the sentence.
        let dotted = after == Some(Term::Sign('.')) && self.term_ahead(2).is_some();
        match self.ahead(0).map_or("", |token| token.text) {
            "jan" => after == Some(Term::Plain) && !marks(before),
            "jul" => {
                let bound = matches!(before, Some(Term::Within | Term::Before | Term::After));
                let dated = marks(after) && after != Some(Term::Sign('.'));
                !dotted && !marks(before) && (bound || !dated)
            }
            _ => false,
        }
    }

    /// Whether a hyphen and an ordinary word are glued to the token before this place.
    pub(super) fn begins_compound(&self) -> bool {
        let hyphen = self.ahead(0).is_some_and(|token| token.glued && token.text.starts_with('-'));
        let word = self.ahead(1).is_some_and(|token| {
            token.glued && matches!(token.term, Term::Plain | Term::Document | Term::Lead)
        });
        hyphen && word
    }

    fn day_and_month_name(&mut self) -> Option<Atom> {
        self.attempt(|cursor| {
            let day = cursor.month_day()?;
            let month = cursor.month_name()?;
            Some(Atom::Day { day, month, year: cursor.year(true) })
        })
    }

    /// "16.", "første", "sidste", "sidste dag i", "første mandag i", "sidste hverdag i".
    fn month_day(&mut self) -> Option<MonthDay> {
        if let Some(day) = self.attempt(|cursor| {
            let day = cursor.weekday_or_last_day()?;
            cursor.eat(|term| matches!(term, Term::In | Term::Of).then_some(()))?;
            Some(day)
        }) {
            return Some(day);
        }
        let last = self.term() == Some(Term::FinalOne) && self.term_before(1) == Some(Term::The);
        if last && matches!(self.term_ahead(1), Some(Term::MonthName(_))) {
            self.advance(1);
            return Some(MonthDay::Last);
        }
        self.attempt(|cursor| {
            let undotted = cursor.term_ahead(1) != Some(Term::Sign('.'));
            let day = cursor.ordinal(false)?;
            // "20 maj" is a day; "45 maj" is no mistyped one.
            (day <= DAY_MAX || !undotted).then_some(MonthDay::Number(day))
        })
    }

    /// "første mandag", "sidste dag", "sidste hverdag".
    pub(super) fn weekday_or_last_day(&mut self) -> Option<MonthDay> {
        self.attempt(|cursor| {
            let last = cursor.eat_term(Term::FinalOne).is_some();
            let nth = if last { -1 } else { i32::try_from(cursor.ordinal(true)?).ok()? };
            if let Some(weekday) = cursor.weekday() {
                return (nth <= 5).then_some(MonthDay::Nth(nth, weekday));
            }
            match (cursor.unit()?, nth) {
                (Unit::Day, -1) => Some(MonthDay::Last),
                (Unit::Day, 1) => Some(MonthDay::Number(1)),
                (Unit::Workday, -1 | 1) => Some(MonthDay::Workday(nth)),
                _ => None,
            }
        })
    }

    /// D.M.Y, D.M, D/M-Y, D-M-Y, YYYY-MM-DD.
    fn numeric_day(&mut self) -> Option<Atom> {
        self.attempt(|cursor| {
            if cursor.at_four_digits() {
                return cursor.iso_day();
            }
            let introduced = cursor.is_introduced();
            let day = cursor.number(2)?;
            let sign = cursor.eat(|term| match term {
                Term::Sign(sign @ ('.' | '/' | '-')) => Some(sign),
                _ => None,
            })?;
            let spaced = !cursor.is_glued();
            let month = cursor.number(2)?;
            if spaced && sign != '.' {
                return None;
            }
            let year = cursor.year_of_numeric_day(sign);
            let counts = !introduced && cursor.term() == Some(Term::Plain);
            let mut is_day = || !counts && cursor.may_end_day_and_month(day, month, sign, spaced);
            if year == Year::Missing && !is_day() {
                return None;
            }
            Some(numbered(day, month, year))
        })
    }

    /// Whether a word here makes a day of "1/5" and not a half of something.
    fn is_introduced(&self) -> bool {
        let before = match self.term_before(1) {
            Some(Term::Sign('.')) => self.term_before(2),
            before => before,
        };
        matches!(
            before,
            Some(
                Term::The
                    | Term::DayName(_)
                    | Term::In
                    | Term::Latest
                    | Term::Earliest
                    | Term::Within
                    | Term::Before
                    | Term::After
                    | Term::From
                    | Term::UpTo
            )
        )
    }

    fn iso_day(&mut self) -> Option<Atom> {
        let year = self.number(4)?;
        let sign = self.eat(|term| matches!(term, Term::Sign('.' | '/' | '-')).then_some(term))?;
        let month = if self.is_glued() { self.number(2)? } else { return None };
        self.eat_term(sign)?;
        let day = if self.is_glued() { self.number(2)? } else { return None };
        Some(numbered(day, month, given(year)))
    }

    fn year_of_numeric_day(&mut self, sign: char) -> Year {
        self.attempt(|cursor| {
            let joined = match cursor.term() {
                Some(Term::Sign('.')) => cursor.eat_sign('.').is_some(),
                Some(Term::Sign('-')) if cursor.is_glued() => cursor.eat_sign('-').is_some(),
                Some(Term::Sign('/')) if sign == '/' => cursor.eat_sign('/').is_some(),
                _ => false,
            };
            if sign == '-' && !joined {
                return None;
            }
            match cursor.year(!joined || cursor.is_glued()) {
                Year::Missing => None,
                year => Some(year),
            }
        })
        .unwrap_or(Year::Missing)
    }

    /// Whether "1.5" or "1/5" may be a day without a year: no version, sum or fraction.
    fn may_end_day_and_month(&mut self, day: u32, month: u32, sign: char, spaced: bool) -> bool {
        let plausible = (1..=DAY_MAX).contains(&day) && (1..=MONTH_MAX).contains(&month);
        let glued_number = |places: usize| {
            self.ahead(places)
                .is_some_and(|token| token.glued && matches!(token.term, Term::Number { .. }))
        };
        let dot = usize::from(self.term() == Some(Term::Sign('.')));
        let counts = match self.term_ahead(dot) {
            Some(Term::Of) => sign == '/',
            Some(Term::Plain | Term::Document) => spaced,
            Some(Term::MonthName(_) | Term::Unit(_) | Term::HalfOf) => dot == 1 || spaced,
            _ => false,
        };
        let fine = plausible && sign != '-' && !counts && !(dot == 1 && glued_number(1));
        if fine {
            self.skip_dot();
        }
        fine
    }

    /// The year behind a month or another atom: "2020", "af 2020", "'20", "næste år"; with `short` also "20".
    pub(super) fn year(&mut self, short: bool) -> Year {
        self.attempt(|cursor| {
            let _ = cursor.eat_sign(',');
            let joined = matches!(cursor.term(), Some(Term::Of | Term::In));
            if joined {
                cursor.advance(1);
            }
            if let Some(year) = cursor.year_in_words(joined) {
                return Some(year);
            }
            let _ = cursor.eat_term(Term::Unit(Unit::Year));
            cursor.four_digits()
        })
        .or_else(|| self.attempt(Cursor::year_after_sign))
        .or_else(|| self.attempt(|cursor| cursor.two_digits(short)))
        .unwrap_or(Year::Missing)
    }

    /// "maj/2020", "uge 7/2021", "8-2021"; "uge 7 - 2021" too, when nothing more is said.
    pub(super) fn year_after_sign(&mut self) -> Option<Year> {
        let sign = self.eat(|term| matches!(term, Term::Sign('/' | '-')).then_some(term))?;
        let glued = self.is_glued();
        let year = self.four_digits()?;
        let alone = sign == Term::Sign('-')
            && matches!(self.term(), None | Some(Term::Sign('.' | ',' | ':') | Term::Plain));
        (glued || alone).then_some(year)
    }

    /// "maj-22", "maj/22": no day, since a day stands before its month.
    pub(super) fn short_year_after_sign(&mut self) -> Option<Year> {
        self.attempt(|cursor| {
            cursor.eat(|term| matches!(term, Term::Sign('/' | '-')).then_some(()))?;
            let glued = cursor.is_glued();
            let year = cursor.eat(|term| match term {
                Term::Number { value: value @ 13.., digits: 2 } => Some(CENTURY + value),
                _ => None,
            })?;
            let ends = cursor.term() == Some(Term::Sign('.')) && cursor.term_ahead(1).is_none();
            let alone = ends || matches!(cursor.term(), None | Some(Term::Sign(',' | ':')));
            (glued && alone).then(|| given(year))
        })
    }

    fn year_in_words(&mut self, joined: bool) -> Option<Year> {
        self.attempt(|cursor| {
            let ahead = cursor.eat(|term| match term {
                Term::Next => Some(1),
                Term::This => Some(0),
                _ => None,
            });
            let i_aar = ahead.is_none() && joined && cursor.term_before(1) == Some(Term::In);
            cursor.eat_term(Term::Unit(Unit::Year))?;
            if i_aar && cursor.at_four_digits() {
                return None;
            }
            ahead.or_else(|| i_aar.then_some(0)).map(Year::Ahead)
        })
    }

    pub(super) fn four_digits(&mut self) -> Option<Year> {
        self.eat(|term| match term {
            Term::Number { value, digits: 4 } if YEARS.contains(&value) => Some(given(value)),
            _ => None,
        })
    }

    pub(super) fn at_four_digits(&self) -> bool {
        matches!(self.term(), Some(Term::Number { digits: 4, .. }))
    }

    /// "'20", or, when `bare`, "20" unless a word it would count, or a month it would be a day of, follows.
    pub(super) fn two_digits(&mut self, bare: bool) -> Option<Year> {
        let marked = self.eat_sign('\'').is_some();
        let year = self.eat(|term| match term {
            Term::Number { value, digits: 2 } => Some(CENTURY + value),
            _ => None,
        })?;
        let behind = usize::from(self.term() == Some(Term::Sign('.')));
        let counts = match self.term_ahead(behind) {
            Some(Term::Plain | Term::Document) => behind == 0,
            Some(Term::MonthName(_) | Term::Unit(_) | Term::HalfOf) => true,
            Some(Term::Number { digits: 1..=2, .. }) => behind == 1,
            _ => false,
        };
        let begins_day = self.term() == Some(Term::Sign('/'))
            || matches!(
                (self.term(), self.term_ahead(1), self.term_ahead(2)),
                (Some(Term::Sign('.')), Some(Term::Sign('-')), Some(Term::Number { .. }))
            );
        (marked || (bare && !counts && !begins_day)).then_some(given(year))
    }

    /// "2020/21", "2020-2021", "20/21": two years of which the second follows the first. Gives the first.
    pub(super) fn year_pair(&mut self) -> Option<i32> {
        self.attempt(|cursor| {
            let year = |cursor: &mut Self| {
                cursor.eat(|term| match term {
                    Term::Number { value, digits: 4 } if YEARS.contains(&value) => Some(value),
                    Term::Number { value, digits: 2 } => Some(CENTURY + value),
                    _ => None,
                })
            };
            let _ = cursor.eat_term(Term::Between);
            let first = year(cursor)?;
            cursor.eat(|term| {
                matches!(term, Term::Sign('/' | '-') | Term::And | Term::To).then_some(())
            })?;
            let second = year(cursor)?;
            (second == first + 1 || (second % 100 == (first + 1) % 100 && second < first))
                .then(|| i32::try_from(first).ok())?
        })
    }
}

fn given(year: u32) -> Year {
    Year::Given(i32::try_from(year).unwrap_or(i32::MAX))
}

fn numbered(day: u32, month: u32, year: Year) -> Atom {
    if (1..=12).contains(&month) {
        Atom::Day { day: MonthDay::Number(day), month, year }
    } else {
        Atom::Never
    }
}
