//! A place among the tokens, and the small steps from there that every part of the grammar takes.

use super::token::Token;
use super::tree::{Part, Unit};
use super::words::Term;

/// A place among the tokens. Grammar functions return `None` and leave the place as it was when their part of the
/// grammar does not stand here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'t> {
    tokens: &'t [Token<'t>],
    at: usize,
    /// Index before which no chain begins: those tokens were read as members that lack the one they belong to.
    barren: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(tokens: &'t [Token<'t>], at: usize) -> Self {
        Self { tokens, at, barren: 0 }
    }

    /// Index of the token here.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The same tokens from another place.
    pub(super) fn moved_to(&self, at: usize) -> Self {
        Self { at, ..*self }
    }

    /// Whether a chain was looked for here before, in vain.
    pub(super) fn is_barren(&self) -> bool {
        self.at < self.barren
    }

    /// Remembers that no chain begins before here.
    pub(super) fn mark_barren(&mut self) {
        self.barren = self.barren.max(self.at);
    }

    /// The token so many places ahead (0: here).
    pub(super) fn ahead(&self, places: usize) -> Option<&'t Token<'t>> {
        self.tokens.get(self.at + places)
    }

    /// What stands here.
    pub(super) fn term(&self) -> Option<Term> {
        self.term_ahead(0)
    }

    pub(super) fn term_ahead(&self, places: usize) -> Option<Term> {
        self.ahead(places).map(|token| token.term)
    }

    /// What stands so many places before here (1: just before).
    pub(super) fn term_before(&self, places: usize) -> Option<Term> {
        self.before(places).map(|token| token.term)
    }

    /// The token so many places before here (1: just before).
    pub(super) fn before(&self, places: usize) -> Option<&'t Token<'t>> {
        self.tokens.get(self.at.checked_sub(places)?)
    }

    pub(super) fn advance(&mut self, places: usize) {
        self.at = (self.at + places).min(self.tokens.len());
    }

    /// Runs a part of the grammar; goes back when it does not stand here.
    pub(super) fn attempt<T>(&mut self, part: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let start = self.at;
        let found = part(self);
        if found.is_none() {
            self.at = start;
        }
        found
    }

    /// Steps over the token here when `wanted` knows it.
    pub(super) fn eat<T>(&mut self, wanted: impl FnOnce(Term) -> Option<T>) -> Option<T> {
        let found = wanted(self.term()?)?;
        self.at += 1;
        Some(found)
    }

    pub(super) fn eat_term(&mut self, wanted: Term) -> Option<()> {
        self.eat(|term| (term == wanted).then_some(()))
    }

    pub(super) fn eat_sign(&mut self, wanted: char) -> Option<()> {
        self.eat_term(Term::Sign(wanted))
    }

    /// Steps over every token in front that `skipped` knows.
    pub(super) fn skip(&mut self, skipped: impl Fn(Term) -> bool) {
        while self.term().is_some_and(&skipped) {
            self.at += 1;
        }
    }

    /// The dot of an abbreviation or an ordinal.
    pub(super) fn skip_dot(&mut self) {
        let _ = self.eat_sign('.');
    }

    /// A number of at most `digits_max` digits.
    pub(super) fn number(&mut self, digits_max: u8) -> Option<u32> {
        self.eat(|term| match term {
            Term::Number { value, digits } if digits <= digits_max => Some(value),
            _ => None,
        })
    }

    /// "første", "1." or "1"; `dotted` demands the dot.
    pub(super) fn ordinal(&mut self, dotted: bool) -> Option<u32> {
        self.attempt(|cursor| {
            if let Some(nth) = cursor.eat(|term| match term {
                Term::Ordinal(nth) => Some(nth),
                _ => None,
            }) {
                return Some(nth);
            }
            let nth = cursor.number(2)?;
            let dot = cursor.eat_sign('.');
            (dot.is_some() || !dotted).then_some(nth)
        })
    }

    /// "2", "to": how many.
    pub(super) fn count(&mut self) -> Option<u32> {
        self.eat(|term| match term {
            Term::Number { value, .. } => Some(value),
            Term::Cardinal(count) => Some(count),
            _ => None,
        })
    }

    pub(super) fn unit(&mut self) -> Option<Unit> {
        self.eat(|term| match term {
            Term::Unit(unit) => Some(unit),
            _ => None,
        })
    }

    /// "måneden"
    pub(super) fn the_unit(&mut self) -> Option<Unit> {
        self.eat(|term| match term {
            Term::TheUnit(unit) => Some(unit),
            _ => None,
        })
    }

    /// "primo", "slutningen", with its dot.
    pub(super) fn part_word(&mut self) -> Option<Part> {
        let part = self.eat(|term| match term {
            Term::Part(part) => Some(part),
            _ => None,
        })?;
        self.skip_dot();
        Some(part)
    }

    /// Whether the token here stands close to the one before it.
    pub(super) fn is_glued(&self) -> bool {
        self.ahead(0).is_some_and(|token| token.glued)
    }
}
