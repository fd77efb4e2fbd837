//! A dated expression: a chain of atoms with the words before and after it that bound it, and finding the one that
//! counts in a sentence.

use super::chain::Setting;
use super::cursor::Cursor;
use super::token::Token;
use super::tree::{Atom, Bound, Dated, Item, Unit, Year};
use super::words::Term;

/// Tokens before an expression among which "senest" or "frist" marks it as the deadline.
const MARK_REACH: usize = 3;
const HALF_YEAR_MONTHS: u32 = 6;

/// A dated expression and where it stands.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) dated: Dated,
    /// Index of its first token.
    pub(super) start: usize,
    /// Index behind its last token.
    pub(super) end: usize,
    /// How much it looks like the deadline among the other dates of a sentence.
    rank: u8,
}

/// The deadline among the tokens.
pub(super) fn find(tokens: &[Token<'_>]) -> Option<Found> {
    let mut all = find_all(tokens);
    let best = all.iter().map(|found| found.rank).max()?;
    let at = all.iter().position(|found| found.rank == best)?;
    let others = all.split_off(at + 1);
    let mut first = all.pop()?;
    for other in others.iter().filter(|found| found.rank == best) {
        let between = tokens.get(first.end..other.start).unwrap_or(&[]);
        let alike = first.dated.bound == other.dated.bound
            && matches!(other.dated.bound, Bound::Plain | Bound::Within | Bound::Before);
        if alike && between.iter().any(|token| token.term == Term::And) {
            first.dated.items.extend(&other.dated.items);
            // "status i maj 2020 og evaluering i juni 2021": two promises, or one and a remark.
            first.dated.fuzzy |= between.len() > 1;
            first.end = other.end;
        }
    }
    first.dated.borrow_year(&all);
    Some(first)
}

fn find_all(tokens: &[Token<'_>]) -> Vec<Found> {
    let mut all = Vec::new();
    let mut at = 0;
    let mut cursor = Cursor::new(tokens, at);
    while at < tokens.len() {
        cursor = cursor.moved_to(at);
        match cursor.term() {
            Some(Term::Document) => at = cursor.end_of_document_name(),
            Some(Term::Since) => {
                cursor.advance(1);
                let _ = cursor.behind_fillers(|cursor| cursor.chain(Setting::default()));
                at = cursor.at();
            }
            Some(term) if may_begin(term) => match cursor.expression() {
                Some(dated) => {
                    let (start, end) = (at, cursor.at());
                    if dated.is_deadline(tokens, start, end) {
                        let rank = rank(tokens, start, end, &dated);
                        all.push(Found { dated, start, end, rank });
                    }
                    at = end.max(start + 1);
                }
                None => at += 1,
            },
            _ => at += 1,
        }
    }
    all
}

fn may_begin(term: Term) -> bool {
    !matches!(
        term,
        Term::Plain
            | Term::Lead
            | Term::Sign(_)
            | Term::And
            | Term::Or
            | Term::Ongoing
            | Term::Soon
    )
}

fn rank(tokens: &[Token<'_>], start: usize, end: usize, dated: &Dated) -> u8 {
    let near = tokens.get(start.saturating_sub(MARK_REACH)..end).unwrap_or(&[]);
    let marked = matches!(dated.bound, Bound::Within | Bound::Before)
        || near.iter().any(|token| matches!(token.term, Term::Latest | Term::Within));
    let exact = dated.items.iter().any(|item| !item.from.is_bare_year());
    4 * u8::from(marked) + 2 * u8::from(dated.is_explicit()) + u8::from(exact)
}

impl Dated {
    /// "I 2020 følges op senest 1. maj": a year named before serves a deadline that has none.
    fn borrow_year(&mut self, before: &[Found]) {
        let lender = before.iter().rev().flat_map(|found| &found.dated.items).find_map(|item| {
            if let Some(Year::Given(year)) = item.year() { Some(year) } else { None }
        });
        if let (Some(year), false) = (lender, self.is_explicit()) {
            for item in self.items.iter_mut().filter(|item| item.lacks_year()) {
                *item = item.in_year(year);
            }
        }
    }

    /// Whether it is no mere number: a bare year needs words that make it a date.
    fn is_deadline(&self, tokens: &[Token<'_>], start: usize, end: usize) -> bool {
        let bare = self.items.iter().all(|item| item.from.is_bare_year());
        if self.bound != Bound::Plain || !bare {
            return true;
        }
        let first = tokens.get(start);
        let before = start.checked_sub(1).and_then(|at| tokens.get(at)).map(|token| token.term);
        let counts = matches!(tokens.get(end).map(|token| token.term), Some(Term::Plain));
        match first.map(|token| token.term) {
            Some(Term::Number { .. }) => {
                let joined =
                    matches!(before, Some(Term::Sign(_))) && first.is_some_and(|token| token.glued);
                let led = match before {
                    None | Some(Term::Lead | Term::Latest | Term::Neutral) => true,
                    Some(Term::Sign(_)) => !joined,
                    _ => first.is_some_and(|token| token.on_new_line),
                };
                led && !counts
            }
            Some(Term::In | Term::Whole | Term::Unit(_) | Term::TheUnit(_) | Term::The) => true,
            Some(Term::Of) => before.is_none(),
            Some(_) => !counts,
            None => false,
        }
    }
}

impl Cursor<'_> {
    /// The expression that begins here.
    fn expression(&mut self) -> Option<Dated> {
        self.attempt(Cursor::shifted)
            .or_else(|| self.attempt(Cursor::later))
            .or_else(|| self.attempt(Cursor::rest))
            .or_else(|| self.attempt(Cursor::bounded))
    }

    fn bounded(&mut self) -> Option<Dated> {
        let mut setting = Setting::default();
        let bound = self.bound(&mut setting);
        let chain = self.behind_fillers(|cursor| cursor.chain(setting))?;
        let alone = matches!(chain.items.as_slice(), [Item { to: None, .. }]);
        let bound = match bound {
            Bound::From | Bound::Plain if alone && self.goes_on() => Bound::From,
            // "fra maj til juni": the range says it all.
            Bound::From if !alone => Bound::Plain,
            bound => bound,
        };
        let fuzzy = chain.fuzzy || is_early_or_end(bound, &chain.items);
        Some(Dated { bound, items: chain.items, fuzzy })
    }

    fn bound(&mut self, setting: &mut Setting) -> Bound {
        let bound = self.eat(|term| match term {
            Term::Within => Some(Bound::Within),
            Term::Before => Some(Bound::Before),
            Term::After => Some(Bound::After),
            Term::From | Term::Earliest => Some(Bound::From),
            Term::Rest => Some(Bound::Rest),
            Term::Between | Term::WithinSpan => Some(Bound::Plain),
            _ => None,
        });
        setting.between = self.term_before(1) == Some(Term::Between);
        setting.earliest = bound == Some(Bound::From);
        match bound {
            Some(Bound::Within) if self.eat_term(Term::For).is_some() => Bound::Plain,
            Some(Bound::From) => {
                self.skip_dot();
                let _ = self.attempt(|cursor| {
                    cursor.eat_term(Term::And)?;
                    cursor.eat_term(Term::With)
                });
                Bound::From
            }
            bound => bound.unwrap_or(Bound::Plain),
        }
    }

    /// "og frem", or a dash with nothing behind it.
    fn goes_on(&mut self) -> bool {
        let onward = self.attempt(|cursor| {
            let _ = cursor.eat_term(Term::And);
            cursor.eat_term(Term::Onward)
        });
        let dash = self.attempt(|cursor| {
            cursor.eat_sign('-')?;
            cursor.skip(|term| matches!(term, Term::Sign('.' | ',' | ':' | '-')));
            cursor.term().is_none().then_some(())
        });
        onward.or(dash).is_some()
    }

    /// "om 3 måneder", "inden for 14 dage", "de næste to uger".
    fn later(&mut self) -> Option<Dated> {
        let opening = self.term()?;
        let within = matches!(opening, Term::Within | Term::WithinSpan);
        let whole = opening != Term::Over;
        if matches!(opening, Term::Over | Term::Within | Term::WithinSpan) {
            self.advance(1);
        } else if self.ahead(0)?.text == "løbet" {
            self.advance(1);
            self.eat_term(Term::Of)?;
        } else if opening != Term::The {
            return None;
        }
        let _ = self.eat_term(Term::For);
        let the = self.eat_term(Term::The).is_some();
        let next = self.eat(|term| matches!(term, Term::Next | Term::Coming).then_some(()));
        if opening == Term::The && next.is_none() {
            return None;
        }
        self.skip(|term| term == Term::Neutral);
        self.skip_dot();
        let (count, unit) = match self.duration() {
            Some(duration) => duration,
            // "inden for det næste år"
            None if within && the && next.is_some() => (1, self.unit()?),
            None => return None,
        };
        if self.is_counted_from_something() {
            return None;
        }
        // Which days are holidays, the phrase does not know.
        let fuzzy = unit == Unit::Workday;
        Some(Dated { fuzzy, ..single(Bound::Plain, Atom::Later { count, unit, whole }) })
    }

    /// "året ud"
    fn rest(&mut self) -> Option<Dated> {
        let unit = self.the_unit()?;
        let out = self.ahead(0)?.text == "ud";
        self.advance(1);
        out.then(|| single(Bound::Rest, Atom::Current { unit, ahead: 0, part: None }))
    }

    /// "3 måneder", "et halvt år", "halvandet år".
    fn duration(&mut self) -> Option<(u32, Unit)> {
        self.attempt(|cursor| {
            let count = match cursor.eat_term(Term::OneAndAHalf) {
                Some(()) => None,
                None => Some(cursor.count()?),
            };
            let half = cursor.eat_term(Term::Half).is_some();
            let unit = cursor.unit().filter(|unit| *unit != Unit::SchoolYear)?;
            match (count, half, unit) {
                (Some(count), false, unit) => Some((count, unit)),
                (Some(1), true, Unit::Year) => Some((HALF_YEAR_MONTHS, Unit::Month)),
                (None, false, Unit::Year) => Some((3 * HALF_YEAR_MONTHS, Unit::Month)),
                _ => None,
            }
        })
    }

    fn is_counted_from_something(&self) -> bool {
        matches!(
            self.term(),
            Some(Term::After | Term::Before | Term::From | Term::Within | Term::Between)
        )
    }

    /// "14 dage før 1. maj 2020", "3 uger efter uge 20".
    fn shifted(&mut self) -> Option<Dated> {
        let (count, unit) = self.duration()?;
        let count = match self.eat(Some)? {
            Term::Before | Term::Within => -i64::from(count),
            Term::After | Term::From => i64::from(count),
            _ => return None,
        };
        let (atom, fuzzy) = self.behind_fillers(Cursor::atom)?;
        let fuzzy = fuzzy || unit == Unit::Workday;
        Some(Dated { fuzzy, ..single(Bound::Shift { count, unit }, atom) })
    }

    /// The place behind a document and the date that belongs to its name: "budget 2021", "planen fra maj 2018".
    fn end_of_document_name(mut self) -> usize {
        self.advance(1);
        let _ = self.attempt(|cursor| {
            // "lov nr. 123 af 8. juni 2018"
            while cursor.ahead(0).is_some_and(Token::is_number_of_document) {
                cursor.advance(1);
            }
            let link = cursor.eat(|term| {
                matches!(term, Term::From | Term::For | Term::To | Term::Of).then_some(term)
            });
            let _ = cursor.eat_term(Term::The);
            cursor.skip_dot();
            let chain = cursor.chain(Setting { alone: true, ..Setting::default() })?;
            let atom = chain.items.first()?.from;
            match link {
                Some(Term::From) => true,
                Some(Term::Of) => matches!(atom, Atom::Day { year: Year::Given(_), .. }),
                _ => atom.is_bare_year(),
            }
            .then_some(())
        });
        self.at()
    }
}

impl Token<'_> {
    fn is_number_of_document(&self) -> bool {
        matches!(self.term, Term::Numbering | Term::Sign('.'))
            || (self.term == Term::Plain && self.text.starts_with(|c: char| c.is_ascii_digit()))
    }
}

fn single(bound: Bound, atom: Atom) -> Dated {
    Dated { bound, items: vec![Item { from: atom, to: None }], fuzzy: false }
}

/// "inden slutningen af maj" may be meant as "inden udgangen af maj".
fn is_early_or_end(bound: Bound, items: &[Item]) -> bool {
    use super::tree::Part;
    matches!(bound, Bound::Within | Bound::Before)
        && items.iter().any(|item| {
            matches!(
                item.from,
                Atom::Months { part: Some(Part::Last), .. }
                    | Atom::Current { part: Some(Part::Last), .. }
            )
        })
}
