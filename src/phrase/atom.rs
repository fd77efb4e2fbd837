//! The atoms of a phrase: days, months, quarters, weeks, seasons, years and parts of them.

use chrono::Weekday;

use super::cursor::Cursor;
use super::tree::{Atom, Part, Unit, Year};
use super::words::Term;

const WINTER: u32 = 12;
const SCHOOL_YEAR_MONTH: u32 = 8;

/// An atom, and whether its words fit other windows too.
pub(super) type Sure = (Atom, bool);

impl Cursor<'_> {
    /// The atom that begins here. The flag tells that its words fit more than one window.
    pub(super) fn atom(&mut self) -> Option<Sure> {
        if !may_begin_atom(self.term()?) {
            return None;
        }
        if matches!(self.term(), Some(Term::Number { .. })) {
            return self.atom_in_digits();
        }
        self.day()
            .map(sure)
            .or_else(|| self.attempt(Cursor::part_of_span))
            .or_else(|| self.attempt(Cursor::half_of_span))
            .or_else(|| self.attempt(|cursor| cursor.span(false)))
            .or_else(|| self.attempt(Cursor::week))
            .or_else(|| self.attempt(Cursor::turn))
            .or_else(|| self.attempt(Cursor::summer_holiday))
            .or_else(|| self.attempt(Cursor::units_own_end).map(sure))
            .or_else(|| self.attempt(Cursor::day_from_now).map(sure))
    }

    /// The atoms that begin with a number.
    fn atom_in_digits(&mut self) -> Option<Sure> {
        self.day()
            .map(sure)
            .or_else(|| self.attempt(Cursor::half_of_span))
            .or_else(|| self.attempt(Cursor::ordinal_unit))
            .or_else(|| self.attempt(Cursor::year_then_unit))
            .or_else(|| self.attempt(Cursor::calendar_year))
            .or_else(|| self.attempt(Cursor::month_in_digits).map(sure))
    }

    /// "primo maj 2020", "i slutningen af uge 20".
    fn part_of_span(&mut self) -> Option<Sure> {
        let part = self.part_word()?;
        self.skip_links();
        if let Some((atom, fuzzy)) = self.attempt(|cursor| cursor.span(true)) {
            return Some((with_part(atom, part), fuzzy));
        }
        if let Some(year) = self.attempt(|cursor| cursor.loose_two_digits()) {
            return Some((months(1, 12, Some(part), year), true));
        }
        // A week is too short for its parts to be named days; only its end is clear.
        match self.week()? {
            (Atom::Week { number, weekday: None, year }, _) if part == Part::End => {
                Some(sure(Atom::Week { number, weekday: Some(Weekday::Sun), year }))
            }
            (week, fuzzy) => Some((week, fuzzy || matches!(part, Part::First | Part::Middle))),
        }
    }

    /// "anden halvdel af maj"
    fn half_of_span(&mut self) -> Option<Sure> {
        let nth = self.ordinal_or_final(2)?;
        self.eat_term(Term::HalfOf)?;
        self.skip_links();
        let (atom, fuzzy) = self.span(true)?;
        let part = match nth {
            1 => Part::FirstHalf,
            2 => Part::SecondHalf,
            _ => return Some(sure(Atom::Never)),
        };
        Some((with_part(atom, part), fuzzy))
    }

    /// "i", "af", "på", "den", "hele": what may stand between a part and its span.
    fn skip_links(&mut self) {
        self.skip(|term| matches!(term, Term::In | Term::Of | Term::The | Term::For | Term::Whole));
    }

    /// Whole months: a month, quarter, season, year, … With `the`, also "måneden", which alone means nothing.
    pub(super) fn span(&mut self, the: bool) -> Option<Sure> {
        self.attempt(|cursor| {
            let month = cursor.month_name()?;
            let year = match cursor.year(true) {
                Year::Missing => cursor.short_year_after_sign().unwrap_or(Year::Missing),
                year => year,
            };
            Some(sure(months(month, 1, None, year)))
        })
        .or_else(|| self.attempt(Cursor::ordinal_unit))
        .or_else(|| self.attempt(Cursor::lettered_unit))
        .or_else(|| self.attempt(Cursor::season))
        .or_else(|| self.attempt(Cursor::school_year))
        .or_else(|| self.attempt(Cursor::year_then_unit))
        .or_else(|| self.attempt(Cursor::calendar_year))
        .or_else(|| self.attempt(Cursor::current_unit).map(sure))
        .or_else(|| {
            // "i løbet af året", "hele måneden", "inden for ugen"
            let linked = matches!(self.term_before(1), Some(Term::Of | Term::Whole | Term::For));
            let unit = if the || linked { self.the_unit()? } else { return None };
            Some(sure(Atom::Current { unit, ahead: 0, part: None }))
        })
    }

    /// "2. kvartal 2020", "andet halvår", "sidste kvartal af 2021".
    fn ordinal_unit(&mut self) -> Option<Sure> {
        let last = self.term() == Some(Term::FinalOne);
        let nth = self.ordinal_or_final(0)?;
        let unit = self.eat(|term| match term {
            Term::Unit(unit) | Term::TheUnit(unit) => Some(unit),
            _ => None,
        })?;
        self.skip_dot();
        let count = divisions(unit)?;
        let nth = if last { 12 / count } else { nth };
        Some(self.nth_unit(nth, count))
    }

    /// "første", "2.", "sidste" (given as `last`).
    fn ordinal_or_final(&mut self, last: u32) -> Option<u32> {
        match self.eat_term(Term::FinalOne) {
            Some(()) => Some(last),
            None => self.ordinal(false),
        }
    }

    /// "Q3 2021", "H2", "kvartal 3".
    fn lettered_unit(&mut self) -> Option<Sure> {
        let count = self.eat(|term| match term {
            Term::QuarterLetter => Some(3),
            Term::HalfYearLetter => Some(6),
            Term::Unit(unit) => divisions(unit),
            _ => None,
        })?;
        let nth = self.number(1)?;
        Some(self.nth_unit(nth, count))
    }

    fn nth_unit(&mut self, nth: u32, count: u32) -> Sure {
        let (year, fuzzy) = self.long_year();
        (nth_of_year(nth, count).map_or(Atom::Never, |atom| atom.in_year(year)), fuzzy)
    }

    fn season(&mut self) -> Option<Sure> {
        let first = self.eat(|term| match term {
            Term::Season(first) => Some(first),
            _ => None,
        })?;
        if self.begins_compound() {
            return None;
        }
        if first == WINTER
            && let Some(year) = self.year_pair()
        {
            return Some(sure(months(first, 3, None, Year::Given(year))));
        }
        let (year, fuzzy) = self.long_year();
        // Of two winters in a calendar year, the rule takes the later.
        Some((months(first, 3, None, year), fuzzy || (first == WINTER && year != Year::Missing)))
    }

    fn school_year(&mut self) -> Option<Sure> {
        self.eat(|term| {
            matches!(term, Term::Unit(Unit::SchoolYear) | Term::TheUnit(Unit::SchoolYear))
                .then_some(())
        })?;
        let (year, fuzzy) = match self.year_pair() {
            Some(year) => (Year::Given(year), false),
            None => (self.year(false), true),
        };
        Some((months(SCHOOL_YEAR_MONTH, 12, None, year), fuzzy && year != Year::Missing))
    }

    /// "2020 maj", "2020 Q3", "2020-Q3", "2020 1. kvartal".
    fn year_then_unit(&mut self) -> Option<Sure> {
        let year = self.four_digits()?;
        let _ = self.eat(|term| matches!(term, Term::Sign('-' | '/' | ',')).then_some(()));
        let (atom, _) = match self.month_name() {
            Some(month) => sure(months(month, 1, None, self.year(true))),
            None => self
                .attempt(Cursor::lettered_unit)
                .or_else(|| self.attempt(Cursor::ordinal_unit))
                .or_else(|| self.attempt(Cursor::season))
                .or_else(|| self.attempt(Cursor::week))?,
        };
        // "2020, maj 2021" are two dates.
        (atom.lacks_year() || atom == Atom::Never).then(|| sure(atom.in_year(year)))
    }

    /// "2021", "året 2021", "år 2021".
    fn calendar_year(&mut self) -> Option<Sure> {
        let _ = self.eat(|term| {
            matches!(term, Term::Unit(Unit::Year) | Term::TheUnit(Unit::Year)).then_some(())
        });
        let year =
            self.four_digits().or_else(|| self.attempt(|cursor| cursor.two_digits(false)))?;
        if self.attempt(Cursor::iso_month).is_some() {
            return None;
        }
        Some(sure(months(1, 12, None, year)))
    }

    /// "-05" behind a year; also "/05" and ".05".
    fn iso_month(&mut self) -> Option<u32> {
        self.eat(|term| matches!(term, Term::Sign('-' | '/' | '.')).then_some(()))?;
        if !self.is_glued() || self.ahead(0)?.text.len() != 2 {
            return None;
        }
        let Term::Number { value: year, .. } = self.term_before(2)? else { return None };
        // "2010-12" are three years by the book, "2020-12" can only be a month.
        self.number(2).filter(|month| (1..=12).contains(month) && *month <= year % 100)
    }

    /// "uge 18", "u. 42 2020", "fredag i uge 7".
    fn week(&mut self) -> Option<Sure> {
        let weekday = self.weekday();
        if weekday.is_some() {
            let _ = self.eat_term(Term::In);
        }
        self.eat(|term| {
            matches!(term, Term::Unit(Unit::Week) | Term::TheUnit(Unit::Week)).then_some(())
        })?;
        self.skip_dot();
        if self.eat_term(Term::Numbering).is_some() {
            self.skip_dot();
        }
        let number = self.number(2)?;
        if self.term() == Some(Term::Sign('.')) && self.is_ordinal_of_something() {
            return None;
        }
        Some(sure(Atom::Week { number, weekday, year: self.year(false) }))
    }

    fn is_ordinal_of_something(&self) -> bool {
        matches!(self.term_ahead(1), Some(Term::MonthName(_) | Term::Unit(_)))
    }

    /// "årsskiftet 2020/21"; with one year, the turn at its end.
    fn turn(&mut self) -> Option<Sure> {
        self.eat_term(Term::Turn)?;
        if let Some(year) = self.year_pair() {
            return Some(sure(Atom::Turn { year: Year::Given(year) }));
        }
        let year = self.year(false);
        Some((Atom::Turn { year }, year != Year::Missing))
    }

    fn summer_holiday(&mut self) -> Option<Sure> {
        let during = self.term_before(1) == Some(Term::In);
        self.eat_term(Term::SummerHoliday)?;
        Some((Atom::SummerHoliday { during, year: self.year(true) }, during))
    }

    /// "05.2020", "5/2020", "2020-05".
    fn month_in_digits(&mut self) -> Option<Atom> {
        if let Some(year) = self.four_digits() {
            return Some(months(self.iso_month()?, 1, None, year));
        }
        let month = self.number(2).filter(|month| (1..=12).contains(month))?;
        self.eat(|term| matches!(term, Term::Sign('.' | '/' | '-')).then_some(()))?;
        let year = if self.is_glued() { self.four_digits()? } else { return None };
        Some(months(month, 1, None, year))
    }

    /// The year behind a quarter, half-year or season. Two digits there are a guess: they may count something.
    fn long_year(&mut self) -> (Year, bool) {
        match self.year(false) {
            Year::Missing => match self.attempt(Cursor::loose_two_digits) {
                Some(year) => (year, true),
                None => (Year::Missing, false),
            },
            year => (year, false),
        }
    }

    /// "21" at the end of what is said; also in "Q1/21".
    fn loose_two_digits(&mut self) -> Option<Year> {
        let _ = self.eat(|term| matches!(term, Term::Sign('/' | '-')).then_some(()));
        if self.ahead(0)?.text.len() != 2 {
            return None;
        }
        match (self.term_ahead(1), self.year(true)) {
            (Some(Term::Number { .. }), _) | (_, Year::Missing) => None,
            (_, year) => Some(year),
        }
    }
}

fn may_begin_atom(term: Term) -> bool {
    !matches!(
        term,
        Term::Plain
            | Term::And
            | Term::Or
            | Term::Of
            | Term::To
            | Term::UpTo
            | Term::With
            | Term::From
            | Term::Per
            | Term::Latest
            | Term::Neutral
            | Term::Sign('-' | '/' | '.' | ':')
    )
}

/// The n-th quarter, half-year, … of `count` months each, without a year.
pub(super) fn nth_of_year(nth: u32, count: u32) -> Option<Atom> {
    let first = nth.checked_sub(1)?.checked_mul(count)?.checked_add(1)?;
    (first <= 12).then(|| months(first, count, None, Year::Missing))
}

fn divisions(unit: Unit) -> Option<u32> {
    matches!(unit, Unit::Quarter | Unit::HalfYear | Unit::Tertial).then(|| unit.months())
}

pub(super) fn months(first: u32, count: u32, part: Option<Part>, year: Year) -> Atom {
    Atom::Months { first, count, part, year }
}

/// The same span, but only that part of it.
pub(super) fn with_part(atom: Atom, wanted: Part) -> Atom {
    match atom {
        Atom::Months { first, count, year, .. } => months(first, count, Some(wanted), year),
        Atom::Current { unit, ahead, .. } => Atom::Current { unit, ahead, part: Some(wanted) },
        other => other,
    }
}

fn sure(atom: Atom) -> Sure {
    (atom, false)
}
