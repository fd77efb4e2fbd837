//! Atoms strung together: ranges, joined windows and lists, with the words their members share.
//!
//! "1. og 3. kvartal 2020", "18.-19. februar", "medio/ultimo 2021" and "uge 8, 20 og 40" all leave out in one member
//! what another says. Such a member is a stub until its neighbour is known.

use super::atom::{nth_of_year, with_part};
use super::cursor::Cursor;
use super::share::{
    fill_all, is_pair_of_years, items, repeat_in_other_years, share_end, shares_part_doubtfully,
};
use super::tree::{Atom, Item, Part, Year};
use super::words::Term;

/// More members than any deadline has; the rest of a longer list is left alone.
const MEMBERS_MAX: usize = 24;
/// More words than ever stand before a date and say nothing about it; bounds the time an odd text takes.
const FILLERS_MAX: usize = 6;
const YEARS_A_CENTURY: i32 = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// "-", "til", "eller": one window.
    Span,
    /// "/": one window too, but "2020/21" may be any twelve months of the two years.
    Slash,
    /// "og", ",": one window more.
    List,
}

#[derive(Debug, Clone, Copy)]
enum Member {
    Whole(Atom),
    Stub(Stub),
}

/// "1." of "1. og 3. kvartal", "medio" of "medio/ultimo 2021".
#[derive(Debug, Clone, Copy)]
pub(super) struct Stub {
    pub(super) number: Option<u32>,
    pub(super) part: Option<Part>,
}

/// What a chain says.
#[derive(Debug)]
pub(super) struct Chain {
    /// At least one.
    pub(super) items: Vec<Item>,
    /// The words fit more than one window.
    pub(super) fuzzy: bool,
}

/// The words around a chain that change how its links are read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Setting {
    /// After "mellem", the first "og" makes a range.
    pub(super) between: bool,
    /// After "tidligst", "senest" makes a range.
    pub(super) earliest: bool,
    /// One item only, no list.
    pub(super) alone: bool,
}

impl Cursor<'_> {
    /// One or more windows, as many as stand here side by side.
    pub(super) fn chain(&mut self, setting: Setting) -> Option<Chain> {
        if self.is_barren() {
            return None;
        }
        self.attempt(|cursor| {
            let mut fuzzy = false;
            let mut atoms: Vec<(Link, Atom)> = Vec::new();
            let mut stubs: Vec<(Link, Stub)> = Vec::new();
            // Where the chain ends if no whole atom comes after the stubs read last.
            let mut end = cursor.at();
            let mut next = cursor.member(None, &mut fuzzy).map(|member| (Link::List, member));
            while let Some((link, member)) = next {
                match member {
                    Member::Stub(stub) => stubs.push((link, stub)),
                    Member::Whole(atom) if fill_all(&mut stubs, link, atom, &mut atoms) => {
                        end = cursor.at();
                    }
                    // Its own stubs may still serve it: a chain begins there.
                    Member::Whole(_) if atoms.is_empty() => return None,
                    Member::Whole(_) => break,
                }
                let is_first = atoms.len() + stubs.len() == 1;
                if atoms.len() + stubs.len() >= MEMBERS_MAX {
                    break;
                }
                next = cursor.next_member(member, is_first, setting, &mut fuzzy);
            }
            if atoms.is_empty() {
                if !setting.alone {
                    cursor.mark_barren();
                }
                return None;
            }
            *cursor = cursor.moved_to(end);
            repeat_in_other_years(&mut atoms, &mut fuzzy);
            share_end(&mut atoms);
            let fuzzy = fuzzy || shares_part_doubtfully(&atoms) || is_pair_of_years(&atoms);
            Some(Chain { items: items(&atoms), fuzzy })
        })
    }

    fn next_member(
        &mut self,
        last: Member,
        is_first: bool,
        setting: Setting,
        fuzzy: &mut bool,
    ) -> Option<(Link, Member)> {
        self.attempt(|cursor| {
            let link = cursor.link(setting, is_first)?;
            if setting.alone && link == Link::List {
                return None;
            }
            let member = cursor.member_behind_fillers(last, fuzzy)?;
            Some((link, if link == Link::List { member } else { cursor.in_second_year(member) }))
        })
        .or_else(|| {
            if setting.alone {
                return None;
            }
            // Two dated atoms side by side, as a table cell of two lines is flattened to.
            let Member::Whole(
                Atom::Day { year: Year::Given(_), .. }
                | Atom::Months { year: Year::Given(_), .. }
                | Atom::Week { year: Year::Given(_), .. },
            ) = last
            else {
                return None;
            };
            self.attempt(|cursor| match cursor.atom()? {
                (atom, doubtful) if matches!(atom.year(), Some(Year::Given(_))) => {
                    *fuzzy |= doubtful;
                    Some((Link::List, Member::Whole(atom)))
                }
                _ => None,
            })
        })
    }

    /// "/21" behind the end of a range: "december-januar 2020/21" ends in the second of the years.
    fn in_second_year(&mut self, member: Member) -> Member {
        let Member::Whole(atom) = member else { return member };
        let Some(Year::Given(year)) = atom.year().filter(|_| !atom.is_bare_year()) else {
            return member;
        };
        let second = self.attempt(|cursor| {
            cursor.eat(|term| matches!(term, Term::Sign('/' | '-')).then_some(()))?;
            let number = cursor.number(4).and_then(|number| i32::try_from(number).ok())?;
            (number == year + 1 || number == (year + 1) % YEARS_A_CENTURY).then_some(year + 1)
        });
        second.map_or(member, |year| Member::Whole(atom.in_year(Year::Given(year))))
    }

    /// A member, with what may stand before it: "og igen i oktober", "til den 24. januar".
    fn member_behind_fillers(&mut self, last: Member, fuzzy: &mut bool) -> Option<Member> {
        self.behind_fillers(|cursor| cursor.member(Some(last), fuzzy))
    }

    /// A part of the grammar, with words before it that say nothing about which days it is.
    pub(super) fn behind_fillers<T>(
        &mut self,
        mut part: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<T> {
        for _ in 0..FILLERS_MAX {
            if let Some(found) = self.attempt(&mut part) {
                return Some(found);
            }
            self.eat(|term| is_filler(term).then_some(()))?;
            self.skip_dot();
        }
        None
    }

    fn member(&mut self, last: Option<Member>, fuzzy: &mut bool) -> Option<Member> {
        if let Some(Member::Whole(atom)) = last
            && let Some(atom) = self.attempt(|cursor| cursor.like_with_year(atom))
        {
            return Some(Member::Whole(atom));
        }
        if let Some((atom, doubtful)) = self.atom() {
            *fuzzy |= doubtful;
            return Some(Member::Whole(atom));
        }
        if let Some(Member::Whole(atom)) = last
            && let Some(atom) = self.attempt(|cursor| cursor.like(atom))
        {
            return Some(Member::Whole(atom));
        }
        self.attempt(Cursor::stub)
    }

    /// A year that means what the year of the atom before it means: "2022/23" of "skoleåret 2021/22 og 2022/23",
    /// "8/2021" of "uge 7-8/2021".
    fn like_with_year(&mut self, atom: Atom) -> Option<Atom> {
        match atom {
            Atom::Week { year: Year::Missing, .. } => {
                let number = self.number(2)?;
                let year = self.year_after_sign()?;
                Some(Atom::Week { number, weekday: None, year })
            }
            // Winters and school years lie in two years.
            Atom::Months { first, count, .. } if first + count <= 13 => None,
            Atom::Months { .. } | Atom::Turn { .. } => {
                Some(atom.in_year(Year::Given(self.year_pair()?)))
            }
            _ => None,
        }
    }

    /// A number that means what the number of the atom before it means: "20" of "uge 10 og 20".
    fn like(&mut self, atom: Atom) -> Option<Atom> {
        if let (true, Some(Year::Given(year))) = (atom.is_bare_year(), atom.year()) {
            let short = self.ahead(0).filter(|token| token.text.len() == 2);
            let last = i32::try_from(short.and_then(|_| self.number(2))?).ok()?;
            let last = year - year.rem_euclid(YEARS_A_CENTURY) + last;
            return (last > year).then(|| atom.in_year(Year::Given(last)));
        }
        let number = self.number(2)?;
        if matches!(self.term(), Some(Term::Plain | Term::Document | Term::Unit(_))) {
            return None;
        }
        let year = self.year(false);
        match atom {
            Atom::Week { .. } => Some(Atom::Week { number, weekday: None, year }),
            // Quarters begin in January, April, …; the seasons of three months do not.
            Atom::Months { first, count: count @ (3 | 4 | 6), part, .. } if first % count == 1 => {
                let atom = nth_of_year(number, count).unwrap_or(Atom::Never).in_year(year);
                Some(part.map_or(atom, |part| with_part(atom, part)))
            }
            _ => None,
        }
    }

    /// A member that leaves out what a later one says; something must link it to that.
    fn stub(&mut self) -> Option<Member> {
        self.the();
        let part = self.part_word();
        if part.is_some() {
            self.skip(|term| matches!(term, Term::In | Term::Of));
        }
        let number = self.ordinal(false);
        let linked = matches!(
            self.term(),
            Some(Term::Sign('-' | '/' | ',') | Term::And | Term::Or | Term::To | Term::UpTo)
        );
        (linked && (part.is_some() || number.is_some()))
            .then_some(Member::Stub(Stub { number, part }))
    }

    fn link(&mut self, setting: Setting, is_first: bool) -> Option<Link> {
        if setting.earliest && is_first {
            let latest = self.attempt(|cursor| {
                cursor.skip(|term| matches!(term, Term::Sign(',') | Term::And));
                cursor.eat_term(Term::Latest)
            });
            if latest.is_some() {
                return Some(Link::Span);
            }
        }
        if let Some(link) = self.attempt(Cursor::until) {
            return Some(link);
        }
        // "i efteråret, senest 1. november" narrows the autumn down.
        if self.term() == Some(Term::Sign(',')) && self.term_ahead(1) == Some(Term::Latest) {
            return None;
        }
        let on_new_line = self.ahead(0)?.on_new_line;
        let link = self.eat(|term| match term {
            Term::Sign('-') | Term::Or => Some(Link::Span),
            Term::Sign('/') => Some(Link::Slash),
            Term::And if setting.between && is_first => Some(Link::Span),
            Term::And | Term::Sign(',') => Some(Link::List),
            _ => None,
        });
        match link {
            // ", og" and "og/eller"
            Some(link) => {
                let more = self.eat(|term| match term {
                    Term::And if link == Link::List => Some(Link::List),
                    Term::Or => Some(Link::Span),
                    _ => None,
                });
                if self.eat_sign('/').is_some() {
                    return self.eat_term(Term::Or).map(|()| Link::Span);
                }
                Some(more.unwrap_or(link))
            }
            None => on_new_line.then_some(Link::List),
        }
    }

    /// "til", "til og med", "t.o.m.", "og frem til", "indtil".
    fn until(&mut self) -> Option<Link> {
        let _ = self.eat_term(Term::And);
        let onward = self.eat_term(Term::Onward);
        self.eat(|term| match term {
            Term::To => Some(()),
            Term::UpTo if onward.is_none() => Some(()),
            _ => None,
        })?;
        self.skip_dot();
        let _ = self.attempt(|cursor| {
            cursor.eat_term(Term::And)?;
            cursor.eat_term(Term::With)
        });
        Some(Link::Span)
    }
}

fn is_filler(term: Term) -> bool {
    matches!(
        term,
        Term::In
            | Term::Of
            | Term::The
            | Term::To
            | Term::UpTo
            | Term::With
            | Term::Per
            | Term::Latest
            | Term::Neutral
            | Term::Whole
    )
}
