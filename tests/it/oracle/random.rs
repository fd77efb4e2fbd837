//! Awkward but valid books, the same from the same seed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use chrono::{NaiveDate, TimeDelta};
use fastrand::Rng;

use super::world::{Commitment, Leader, Period, Responsible, Rules, Snooze, Status, Window, World};

/// The standard kinds, and one that lives by rules of its own.
const KINDS: [&str; 8] = [
    "status",
    "effect_goals",
    "evaluation",
    "milestone",
    "follow_up",
    "decision",
    "meeting",
    "inspection",
];

/// Schedules by the weekdays on which they fire.
const FIRES: [[bool; 7]; 5] = [
    [true, true, true, true, true, false, false],
    [false, true, false, true, false, false, false],
    [true, false, false, false, false, false, false],
    [true, true, true, true, true, true, true],
    [false, false, false, false, true, false, true],
];

const BEFORE: [u32; 11] = [1, 2, 3, 5, 7, 8, 14, 29, 30, 31, 90];
const ESCALATE: [&[u32]; 8] =
    [&[], &[21], &[0, 3, 40], &[14, 28], &[1, 2, 3], &[3], &[5, 6, 7], &[0]];

pub(super) fn chance(rng: &mut Rng, percent: u32) -> bool {
    rng.u32(0..100) < percent
}

/// A day so many days after another.
pub(super) fn after(rng: &mut Rng, day: NaiveDate, days: RangeInclusive<i64>) -> NaiveDate {
    day + TimeDelta::days(rng.i64(days))
}

fn maybe<T>(rng: &mut Rng, percent: u32, value: impl FnOnce(&mut Rng) -> T) -> Option<T> {
    chance(rng, percent).then(|| value(rng))
}

impl World {
    /// A book of so many commitments around the year that begins on `first`.
    pub(crate) fn random(rng: &mut Rng, first: NaiveDate, size: usize) -> Self {
        let leaders = leaders(rng, first);
        let people: Vec<String> = leaders.keys().cloned().collect();
        let mut commitments = BTreeMap::new();
        for number in 1..=size {
            commitments.insert(format!("C-{number:02}"), commitment(rng, first, &people));
        }
        let mut world = Self {
            leaders,
            secretariat: "sekretariat@kommune.example".to_owned(),
            commitments,
            rules: rules(rng),
            births: BTreeMap::new(),
            days_off: days_off(rng, first),
            fires: *rng.choice(&FIRES).unwrap(),
        };
        world.births = births(rng, &world, first);
        world
    }
}

fn period(rng: &mut Rng, first: NaiveDate) -> Period {
    let from = after(rng, first, -60..=330);
    let to = after(rng, from, 0..=60);
    match rng.u32(0..5) {
        0 => (Some(from), None),
        1 => (None, Some(to)),
        _ => (Some(from), Some(to)),
    }
}

/// Each under one of those before, so that nobody is under themselves.
fn leaders(rng: &mut Rng, first: NaiveDate) -> BTreeMap<String, Leader> {
    let count = rng.usize(2..=7);
    let mut leaders: BTreeMap<String, Leader> = BTreeMap::new();
    for number in 0..count {
        let reference = format!("leader-{number}");
        let above: Vec<String> = leaders.keys().cloned().collect();
        let shared = rng
            .choice(&above)
            .and_then(|other| leaders[other].address.clone())
            .filter(|_| chance(rng, 15));
        let address = match shared {
            Some(address) if rng.bool() => Some(address.to_uppercase()),
            Some(address) => Some(address),
            None => maybe(rng, 90, |_| format!("{reference}@kommune.example")),
        };
        let deputy = rng.usize(0..count);
        let leader = Leader {
            name: format!("Leder {number}"),
            address,
            manager: rng.choice(&above).cloned().filter(|_| chance(rng, 85)),
            deputy: (deputy != number && rng.bool()).then(|| format!("leader-{deputy}")),
            active: maybe(rng, 30, |rng| period(rng, first)).unwrap_or_default(),
            absent: maybe(rng, 40, |rng| period(rng, first)),
        };
        leaders.insert(reference, leader);
    }
    leaders
}

fn commitment(rng: &mut Rng, first: NaiveDate, people: &[String]) -> Commitment {
    let status = match rng.u32(0..20) {
        0 => Status::NeedsDate,
        1 => Status::Done,
        2 => Status::Cancelled,
        _ => Status::Open,
    };
    let adopted = if rng.bool() { -400..=-100 } else { -60..=250 };
    let windows = windows(rng, first);
    let answering = rng.usize(1..=3).min(people.len());
    let mut answering = rng.choose_multiple(people, answering);
    rng.shuffle(&mut answering);
    let responsible =
        answering.into_iter().map(|leader| responsible(rng, leader.clone(), &windows)).collect();
    Commitment {
        kind: (*rng.choice(&KINDS).unwrap()).to_owned(),
        status,
        revision: rng.u32(1..=3),
        adoption: after(rng, first, adopted),
        windows,
        responsible,
    }
}

fn windows(rng: &mut Rng, first: NaiveDate) -> Vec<Window> {
    let mut days: Vec<NaiveDate> =
        (0..rng.u32(1..=3)).map(|_| after(rng, first, -60..=300)).collect();
    days.sort_unstable();
    days.dedup();
    let mut windows = Vec::new();
    for (number, opens) in (1..).zip(days) {
        let length = *rng.choice(&[0, 0, 1, 2, 6, 9, 20, 30, 89]).unwrap();
        windows.push(Window {
            number,
            opens,
            due: maybe(rng, 88, |_| opens + TimeDelta::days(length)),
            made_on: maybe(rng, 15, |rng| after(rng, opens, -40..=20)),
            closed_on: maybe(rng, 8, |rng| after(rng, opens, 0..=20)),
        });
    }
    windows
}

fn responsible(rng: &mut Rng, leader: String, windows: &[Window]) -> Responsible {
    let about = windows[0].opens;
    let mut snoozes = Vec::new();
    for window in windows {
        snoozes.extend(maybe(rng, 25, |rng| {
            let about = window.due.unwrap_or(window.opens);
            // Often on the very day of an escalation.
            let days = *rng.choice(&[-30, -7, 0, 0, 1, 3, 5, 14, 21, 30]).unwrap();
            let made_on = about + TimeDelta::days(days);
            Snooze { window: window.number, until: after(rng, made_on, 1..=60), made_on }
        }));
    }
    Responsible {
        leader,
        since: maybe(rng, 15, |rng| after(rng, about, -60..=60)),
        until: maybe(rng, 10, |rng| after(rng, about, -30..=90)),
        snoozes,
    }
}

pub(super) fn before(rng: &mut Rng) -> Vec<u32> {
    let count = rng.usize(0..=4);
    rng.choose_multiple(BEFORE, count)
}

pub(super) fn overdue(rng: &mut Rng) -> (u32, u32, u32) {
    let first = *rng.choice(&[0, 1, 2, 3, 7]).unwrap();
    let every = *rng.choice(&[1, 2, 7, 14]).unwrap();
    (first, every, *rng.choice(&[0, 1, 3, 4, 8]).unwrap())
}

pub(super) fn escalate(rng: &mut Rng) -> Vec<u32> {
    rng.choice(&ESCALATE).unwrap().to_vec()
}

/// Rules of which each key is there with that chance.
pub(super) fn kind_rules(rng: &mut Rng, percent: u32) -> Rules {
    Rules {
        before: maybe(rng, percent, before),
        opens: maybe(rng, percent, |rng| chance(rng, 80)),
        due: maybe(rng, percent, |rng| chance(rng, 70)),
        overdue: maybe(rng, percent, overdue),
        escalate: maybe(rng, percent, escalate),
    }
}

fn rules(rng: &mut Rng) -> BTreeMap<String, Rules> {
    let mut rules = BTreeMap::from([("default".to_owned(), kind_rules(rng, 100))]);
    rules.insert("inspection".to_owned(), kind_rules(rng, 50));
    for kind in KINDS {
        if chance(rng, 25) {
            rules.insert(kind.to_owned(), kind_rules(rng, 50));
        }
    }
    rules
}

/// Some steps are younger than the book.
fn births(
    rng: &mut Rng,
    world: &World,
    first: NaiveDate,
) -> BTreeMap<(String, String, u32), NaiveDate> {
    let mut births = BTreeMap::new();
    for kind in KINDS {
        for (step, days) in world.rules_of(kind).steps() {
            if chance(rng, 5) {
                births.insert((kind.to_owned(), step, days), after(rng, first, -60..=250));
            }
        }
    }
    births
}

fn days_off(rng: &mut Rng, first: NaiveDate) -> BTreeSet<NaiveDate> {
    let mut off = BTreeSet::new();
    for _ in 0..rng.u32(0..=4) {
        let begin = after(rng, first, -30..=360);
        let length = *rng.choice(&[1, 1, 2, 5, 21]).unwrap();
        off.extend(begin.iter_days().take(length));
    }
    off
}
