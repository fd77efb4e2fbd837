//! What only shows across rows and the store: who is named where, kinds, days that do not exist.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;

use super::cell::{self, DeadlineCell};
use super::nearest::{hint, nearest};
use super::problem::{Flaw, Problem, shown};
use super::row::{CommitmentRow, LeaderRow};
use super::{Sheets, deadline};
use crate::domain::window::{Deadline, Undated};

/// For how many unknown leaders the nearest name is looked up: a forgotten sheet of leaders is not to take minutes.
const LOOKUPS_MAX: usize = 20;

/// What the store and the config know.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Reference of each leader in the store, with that of the manager.
    pub leaders: &'a BTreeMap<String, Option<String>>,
    /// Every kind that may be written.
    pub kinds: &'a [&'a str],
    /// The day of the import.
    pub today: NaiveDate,
}

/// Every problem across the rows of `sheets` and what is `known`: leaders first, each in the order of the rows.
///
/// `read` reads a phrase ([`crate::phrase::parse`]); only a day that does not exist is a problem, a phrase without a
/// date is not.
pub fn check(
    sheets: &Sheets,
    known: &Known<'_>,
    read: impl Fn(&str, NaiveDate) -> Result<Deadline, Undated>,
) -> Vec<Problem> {
    let mut names = Names::new(sheets, known);
    let leaders = sheets.leaders.iter().map(|row| row.reference.as_str());
    let circles = circles(leaders, &names.managers);
    let mut problems = Vec::new();
    for row in &sheets.leaders {
        for (column, named) in [("manager", &row.manager), ("deputy", &row.deputy)] {
            let flaw = named.as_deref().and_then(|named| names.flaw_of_other(column, named, row));
            problems.extend(flaw.map(|flaw| row.place.problem(column, flaw)));
        }
        let circle = circles.get(row.reference.as_str());
        problems.extend(circle.map(|names| row.place.problem("manager", circle_flaw(names))));
    }
    for row in &sheets.commitments {
        let mut refuse = |column, flaw| problems.push(row.place.problem(column, flaw));
        if let Some(kind) = row.kind.as_deref().filter(|kind| !known.kinds.contains(kind)) {
            refuse("kind", unknown_kind(kind, known.kinds));
        }
        if names_no_day(row, known.today, &read) {
            refuse("deadline", cell::no_such_day(&row.deadline));
        }
        for named in &row.responsible {
            if let Some(flaw) = names.flaw(named) {
                refuse("responsible", flaw);
            }
        }
    }
    problems
}

fn names_no_day(
    row: &CommitmentRow,
    today: NaiveDate,
    read: impl Fn(&str, NaiveDate) -> Result<Deadline, Undated>,
) -> bool {
    match deadline(&row.deadline) {
        DeadlineCell::Day(_) => false,
        DeadlineCell::NoSuchDay => true,
        DeadlineCell::Phrase => {
            read(&row.deadline, row.reference_date(today)) == Err(Undated::NoSuchDate)
        }
    }
}

fn unknown_kind(kind: &str, kinds: &[&str]) -> Flaw {
    let hint = hint(nearest(kind, kinds.iter().copied()), || {
        format!("Known are {}; add rules for a kind of your own.", kinds.join(", "))
    });
    Flaw::new(format!("there is no kind \"{}\"", shown(kind)), hint)
}

/// Every leader after the import, with the manager of each.
struct Names<'a> {
    managers: HashMap<&'a str, Option<&'a str>>,
    meant: HashMap<&'a str, Option<&'a str>>,
}

impl<'a> Names<'a> {
    fn new(sheets: &'a Sheets, known: &Known<'a>) -> Self {
        let mut managers: HashMap<&str, Option<&str>> = known
            .leaders
            .iter()
            .map(|(leader, manager)| (leader.as_str(), manager.as_deref()))
            .collect();
        for row in &sheets.leaders {
            let manager = managers.entry(&row.reference).or_default();
            *manager = row.manager.as_deref().or(*manager);
        }
        Self { managers, meant: HashMap::new() }
    }

    /// What is wrong with naming `named` in a row.
    fn flaw(&mut self, named: &'a str) -> Option<Flaw> {
        if self.managers.contains_key(named) {
            return None;
        }
        if self.meant.len() < LOOKUPS_MAX {
            let search = || nearest(named, self.managers.keys().copied());
            self.meant.entry(named).or_insert_with(search);
        }
        let meant = self.meant.get(named).copied().flatten();
        let hint = hint(meant, || {
            "Add the leader to the sheet of leaders, or correct the reference.".to_owned()
        });
        Some(Flaw::new(format!("there is no leader \"{}\"", shown(named)), hint))
    }

    /// What is wrong with naming `named` as the manager or deputy of the leader in `row`.
    fn flaw_of_other(&mut self, part: &str, named: &'a str, row: &LeaderRow) -> Option<Flaw> {
        if named == row.reference {
            let what = format!("\"{named}\" would be their own {part}");
            return Some(Flaw::new(what, "Name somebody else, or leave it empty."));
        }
        self.flaw(named)
    }
}

fn circle_flaw(names: &[&str]) -> Flaw {
    let what = format!("the managers go round in a circle: {}", names.join(" > "));
    Flaw::new(what, "Give one of them another manager.")
}

/// The circles of managers that these leaders are in, each under that one of them who comes first and with that one at
/// both ends. Leaders who are their own manager are left out.
pub fn circles<'a>(
    leaders: impl IntoIterator<Item = &'a str>,
    managers: &HashMap<&'a str, Option<&'a str>>,
) -> HashMap<&'a str, Vec<&'a str>> {
    let leaders: Vec<&str> = leaders.into_iter().collect();
    let order: HashMap<&str, usize> =
        leaders.iter().enumerate().map(|(index, leader)| (*leader, index)).collect();
    let mut walked: HashSet<&str> = HashSet::new();
    let mut circles = HashMap::new();
    for leader in leaders {
        let mut path: Vec<&str> = Vec::new();
        let mut next = Some(leader);
        while let Some(leader) = next.filter(|leader| !walked.contains(leader)) {
            walked.insert(leader);
            path.push(leader);
            next = managers.get(leader).copied().flatten().filter(|manager| *manager != leader);
        }
        let Some(start) = path.iter().position(|leader| Some(*leader) == next) else { continue };
        let mut circle = path.split_off(start);
        let first = circle.iter().filter_map(|leader| Some((order.get(leader)?, *leader))).min();
        let Some((_, first)) = first else { continue };
        let at = circle.iter().position(|leader| *leader == first).unwrap_or_default();
        circle.rotate_left(at);
        circle.push(first);
        circles.insert(first, circle);
    }
    circles
}
