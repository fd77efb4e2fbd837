//! What the members of a chain share: the word that one leaves out, a part, a year.

use crate::domain::recurrence::MonthDay;

use super::atom::{nth_of_year, with_part};
use super::chain::{Link, Stub};
use super::tree::{Atom, Item, Part, Year};

/// Moves the stubs over to the atoms, each filled from what stands behind it, and then the whole atom behind them all;
/// false when one does not fit.
pub(super) fn fill_all(
    stubs: &mut Vec<(Link, Stub)>,
    link: Link,
    atom: Atom,
    atoms: &mut Vec<(Link, Atom)>,
) -> bool {
    // In "ultimo 1. og 3. kvartal", both share the part as they share the quarter.
    let shared = stubs.first().and_then(|(_, stub)| stub.part.filter(|_| stub.number.is_some()));
    let atom = match (shared, atom) {
        (Some(part), Atom::Months { part: None, .. }) => with_part(atom, part),
        _ => atom,
    };
    let start = atoms.len();
    atoms.push((link, atom));
    let mut behind = (link, atom);
    for (link, stub) in stubs.drain(..).rev() {
        let stub = Stub { part: stub.part.or(shared), ..stub };
        let Some(atom) = fill(stub, behind.1, behind.0 != Link::List) else {
            atoms.truncate(start);
            return false;
        };
        behind = (link, atom);
        atoms.insert(start, behind);
    }
    true
}

fn fill(stub: Stub, atom: Atom, is_range: bool) -> Option<Atom> {
    let Stub { number, part } = stub;
    let filled = match (number, atom) {
        (None, _) => atom,
        (Some(first), Atom::Day { day: MonthDay::Number(last), month, year }) => {
            let before = is_range && first > last;
            let (month, year) = match (before, month, year) {
                (true, 1, Year::Given(year)) => (12, Year::Given(year - 1)),
                (true, 1, year) => (12, year),
                (true, month, year) => (month - 1, year),
                (false, month, year) => (month, year),
            };
            Atom::Day { day: MonthDay::Number(first), month, year }
        }
        (Some(nth), Atom::Months { count: count @ (3 | 4 | 6), year, .. }) => {
            nth_of_year(nth, count).unwrap_or(Atom::Never).in_year(year)
        }
        _ => return None,
    };
    match part {
        Some(part) if matches!(filled, Atom::Months { .. } | Atom::Current { .. }) => {
            Some(with_part(filled, part))
        }
        Some(_) => None,
        None => Some(filled),
    }
}

/// "juni 2020 og 2021" is June of both years, though it may mean the whole of 2021.
pub(super) fn repeat_in_other_years(atoms: &mut [(Link, Atom)], fuzzy: &mut bool) {
    let mut pattern: Option<Atom> = None;
    for (link, atom) in atoms {
        match (*link, pattern, atom.year()) {
            (Link::List, Some(one), Some(year)) if atom.is_bare_year() && !one.is_bare_year() => {
                *atom = one.in_year(year);
                *fuzzy = true;
            }
            _ => {}
        }
        pattern = matches!(atom.year(), Some(Year::Given(_))).then_some(*atom);
    }
}

/// "udgangen af marts og september" is the end of both.
pub(super) fn share_end(atoms: &mut [(Link, Atom)]) {
    let mut ending: Option<u32> = None;
    for (link, atom) in atoms {
        let Atom::Months { count, part, year, .. } = atom else {
            ending = None;
            continue;
        };
        if *link == Link::List && part.is_none() && ending == Some(*count) {
            *part = Some(Part::End);
        }
        let open = *part == Some(Part::End) && *year == Year::Missing;
        ending = open.then_some(*count);
    }
}

/// In "primo maj og november", "primo" may be meant for both.
pub(super) fn shares_part_doubtfully(atoms: &[(Link, Atom)]) -> bool {
    atoms.windows(2).any(|pair| match pair {
        [
            (_, Atom::Months { part: Some(_), year: Year::Missing, count, .. }),
            (Link::List, Atom::Months { part: None, count: other, .. }),
        ] => count == other,
        _ => false,
    })
}

pub(super) fn is_pair_of_years(atoms: &[(Link, Atom)]) -> bool {
    atoms.windows(2).any(|pair| match pair {
        [(_, from), (Link::Slash, to)] => from.is_bare_year() && to.is_bare_year(),
        _ => false,
    })
}

pub(super) fn items(atoms: &[(Link, Atom)]) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::with_capacity(atoms.len());
    for (link, atom) in atoms {
        match items.last_mut() {
            Some(item) if *link != Link::List => item.to = Some(*atom),
            _ => items.push(Item { from: *atom, to: None }),
        }
    }
    items
}
