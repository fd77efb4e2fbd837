//! What is seen from the reference date: "denne måned", "næste år", "årets udgang", "i morgen".

use super::atom::months;
use super::cursor::Cursor;
use super::tree::{Atom, Part, Unit, Year};
use super::words::Term;

impl Cursor<'_> {
    /// "denne måned", "næste kvartal", "det kommende år", "i år".
    pub(super) fn current_unit(&mut self) -> Option<Atom> {
        let here = self.term_before(1) == Some(Term::In) || self.eat_term(Term::In).is_some();
        self.the();
        // "de kommende år" are nobody knows how many.
        if self.before(1).is_some_and(|token| token.text == "de") {
            return None;
        }
        let word =
            self.eat(|term| matches!(term, Term::Next | Term::Coming | Term::This).then_some(term));
        let unit = self.eat(|term| match term {
            Term::Unit(unit) | Term::TheUnit(unit) if unit != Unit::Workday => Some(unit),
            _ => None,
        })?;
        let (unit, ahead) = match (word, unit) {
            (Some(Term::Coming), Unit::Year) => (Unit::NearestYear, 0),
            (Some(Term::Next | Term::Coming), _) => (unit, 1),
            (Some(_), _) => (unit, 0),
            (None, Unit::Year | Unit::Day) if here && !self.at_four_digits() => (unit, 0),
            (None, _) => return None,
        };
        Some(Atom::Current { unit, ahead, part: None })
    }

    /// "årets udgang", "månedens start", "årets udgang 2021".
    pub(super) fn units_own_end(&mut self) -> Option<Atom> {
        let unit = self.eat(|term| match term {
            Term::UnitsOwn(unit) => Some(unit),
            _ => None,
        })?;
        let part = self.eat(|term| match term {
            Term::Ending => Some(Part::End),
            Term::Part(part) => Some(part),
            _ => None,
        })?;
        Some(match (unit, self.year(false)) {
            (Unit::Year, year @ Year::Given(_)) => months(1, 12, Some(part), year),
            _ => Atom::Current { unit, ahead: 0, part: Some(part) },
        })
    }

    /// "i dag", "i morgen", "dags dato", "på mandag".
    pub(super) fn day_from_now(&mut self) -> Option<Atom> {
        let _ = self.eat_term(Term::In);
        let here = self.term_before(1) == Some(Term::In);
        let ahead = match self.term()? {
            Term::Today(ahead) => ahead,
            Term::Morrow if here => 1,
            Term::DayName(weekday) if here && self.ahead_is_not_week() => {
                self.advance(1);
                return Some(Atom::Coming(weekday));
            }
            Term::Next | Term::Coming => {
                self.advance(1);
                return self.weekday().map(Atom::Coming);
            }
            _ => return None,
        };
        self.advance(1);
        self.skip_dot();
        let _ = self.attempt(|cursor| (cursor.ahead(0)?.text == "dato").then(|| cursor.advance(1)));
        Some(Atom::Current { unit: Unit::Day, ahead, part: None })
    }

    fn ahead_is_not_week(&self) -> bool {
        !matches!(self.term_ahead(1), Some(Term::In | Term::Unit(_)))
    }
}
