//! The book of a simulation: a model that the oracle reads, the same in the product's store, and what people do to both.

use std::collections::BTreeMap;

use advis::delivery::pass::Desk;
use advis::domain::window::Window as Days;
use advis::store::{self, Edited, Stamp};
use chrono::{Datelike, NaiveDate, TimeDelta};
use fastrand::Rng;

use crate::oracle::{Commitment, Leader, Responsible, Rules, Snooze, Status, Window, World};

pub(super) const SECRETARIAT: &str = "sekretariat@kommune.example";

/// Days before its deadline and after it at which a window can have anything to do with any day.
const REACH_DAYS: i64 = 120;

/// A model of `size` commitments, whose deadlines lie in the days from `first` to `last`.
pub(super) fn model(rng: &mut Rng, size: usize, first: NaiveDate, last: NaiveDate) -> World {
    let leaders = leaders(rng, 4 + size / 25, first, last);
    let people: Vec<String> = leaders.keys().cloned().collect();
    let commitments = (1..=size)
        .map(|number| (format!("C-{number:04}"), commitment(rng, &people, first, last)))
        .collect();
    let years = first.year()..=last.year() + 1;
    let days_off = years.flat_map(|year| {
        [(6, 5), (12, 24), (12, 31)].map(|(m, d)| NaiveDate::from_ymd_opt(year, m, d).unwrap())
    });
    World {
        leaders,
        secretariat: SECRETARIAT.to_owned(),
        commitments,
        rules: rules(),
        births: BTreeMap::new(),
        days_off: days_off.collect(),
        fires: [true, true, true, true, true, false, false],
    }
}

/// The rules that hold while the config says nothing.
fn rules() -> BTreeMap<String, Rules> {
    let default = Rules {
        before: Some(vec![30, 7]),
        opens: Some(true),
        due: Some(true),
        overdue: Some((3, 14, 3)),
        escalate: Some(vec![21]),
    };
    let status = Rules { before: Some(vec![30, 14, 3]), ..Rules::default() };
    BTreeMap::from([("default".to_owned(), default), ("status".to_owned(), status)])
}

fn day(rng: &mut Rng, first: NaiveDate, last: NaiveDate) -> NaiveDate {
    first + TimeDelta::days(rng.i64(0..=(last - first).num_days()))
}

fn leaders(
    rng: &mut Rng,
    count: usize,
    first: NaiveDate,
    last: NaiveDate,
) -> BTreeMap<String, Leader> {
    let name = |number: usize| format!("leader-{number:02}");
    let mut leaders = BTreeMap::new();
    for number in 0..count {
        let manager = (number > 0).then(|| name(rng.usize(0..number)));
        let deputy = rng.usize(0..count);
        let away = day(rng, first, last);
        let leaves = day(rng, first, last);
        leaders.insert(
            name(number),
            Leader {
                name: format!("Leder {number}"),
                address: Some(format!("{}@kommune.example", name(number))),
                manager,
                deputy: (deputy != number && rng.bool()).then(|| name(deputy)),
                active: (None, (rng.u32(0..10) == 0).then_some(leaves)),
                absent: (rng.u32(0..3) == 0)
                    .then(|| (Some(away), Some(away + TimeDelta::days(rng.i64(0..60))))),
            },
        );
    }
    leaders
}

fn commitment(rng: &mut Rng, people: &[String], first: NaiveDate, last: NaiveDate) -> Commitment {
    let opens = day(rng, first, last);
    let length = *rng.choice(&[0, 0, 9, 29, 89]).unwrap();
    let due = (rng.u32(0..12) > 0).then(|| opens + TimeDelta::days(length));
    let count = if rng.u32(0..5) == 0 { 2 } else { 1 };
    let mut answering = rng.choose_multiple(people, count);
    rng.shuffle(&mut answering);
    let responsible = answering.into_iter().map(|leader| answers(leader, None));
    Commitment {
        kind: (*rng.choice(&["status", "evaluation", "follow_up"]).unwrap()).to_owned(),
        status: Status::Open,
        revision: 1,
        adoption: first,
        windows: vec![Window { number: 1, opens, due, made_on: None, closed_on: None }],
        responsible: responsible.collect(),
    }
}

fn answers(leader: &str, since: Option<NaiveDate>) -> Responsible {
    Responsible { leader: leader.to_owned(), since, until: None, snoozes: Vec::new() }
}

/// The model as another system would write it into the store on `first`.
pub(super) fn sql(world: &World, first: NaiveDate) -> String {
    let text = |value: &Option<String>| match value {
        Some(value) => format!("'{value}'"),
        None => "NULL".to_owned(),
    };
    let date = |value: Option<NaiveDate>| text(&value.map(|day| day.to_string()));
    let mut lines = vec!["PRAGMA foreign_keys = ON; BEGIN".to_owned()];
    for (reference, one) in &world.leaders {
        let absent = one.absent.unwrap_or_default();
        lines.push(format!(
            "INSERT INTO leaders (reference, name, email, manager, deputy, active_from, active_to, \
             absent_from, absent_to) VALUES ('{reference}', '{}', {}, {}, {}, {}, {}, {}, {})",
            one.name,
            text(&one.address),
            text(&one.manager),
            text(&one.deputy),
            date(one.active.0),
            date(one.active.1),
            date(absent.0),
            date(absent.1)
        ));
    }
    for (reference, one) in &world.commitments {
        let window = &one.windows[0];
        lines.push(format!(
            "INSERT INTO commitments (reference, title, kind, adopted_on, written_on) \
             VALUES ('{reference}', 'Opgave {reference}', '{}', '{first}', '{first}')",
            one.kind
        ));
        lines.push(format!(
            "INSERT INTO windows (commitment, opens, due) VALUES ('{reference}', '{}', {})",
            window.opens,
            date(window.due)
        ));
        for (position, responsible) in (1..).zip(&one.responsible) {
            lines.push(format!(
                "INSERT INTO responsibilities (commitment, leader, position) \
                 VALUES ('{reference}', '{}', {position})",
                responsible.leader
            ));
        }
    }
    lines.push("COMMIT".to_owned());
    lines.join(";\n")
}

/// The part of the model that can have anything to do with `today`: the oracle is slow, and proud of it.
pub(super) fn near(world: &World, today: NaiveDate) -> World {
    let is_near = |window: &Window| {
        let last = window.due.unwrap_or(window.opens);
        (window.opens - today).num_days() <= REACH_DAYS && (today - last).num_days() <= REACH_DAYS
    };
    let commitments = world.commitments.iter();
    let commitments = commitments
        .filter(|(_, one)| one.status == Status::Open && one.windows.iter().any(is_near));
    World {
        commitments: commitments.map(|(name, one)| (name.clone(), one.clone())).collect(),
        ..world.clone()
    }
}

/// Does one thing to a commitment near `today`, in the store and, if the store takes it, in the model.
pub(super) async fn edit(world: &mut World, desk: &Desk<'_>, rng: &mut Rng) {
    let today = desk.today();
    let near: Vec<String> = near(world, today).commitments.into_keys().collect();
    let all: Vec<String> = world.commitments.keys().cloned().collect();
    let any = if rng.u32(0..8) == 0 { &all } else { &near };
    let Some(reference) = rng.choice(any).cloned() else { return };
    let leaders: Vec<String> = world.leaders.keys().cloned().collect();
    let Some(commitment) = world.commitments.get_mut(&reference) else { return };
    let stamp = Stamp::now(desk.clock, "simulation");
    let names = [reference.as_str()];
    let is_open = commitment.status == Status::Open;
    let mut after = commitment.clone();
    let (store, later) = (desk.store, today + TimeDelta::days(rng.i64(1..60)));
    let edited = match rng.u32(0..9) {
        0..=2 if is_open => {
            after.status = Status::Done;
            after.windows[0].closed_on = Some(today);
            store.done(&names, false, &stamp).await
        }
        3 if is_open => {
            after.status = Status::Cancelled;
            store.cancel(&names, &stamp).await
        }
        4 | 5 if is_open => {
            postpone(&mut after, later, today);
            store.postpone(&reference, Days::day(later), None, "", &stamp).await
        }
        6 if is_open => {
            let leader = rng.choice(&after.responsible).unwrap().leader.clone();
            snooze(&mut after, &leader, later, today);
            store.snooze(&reference, &leader, later, &stamp).await
        }
        7 if is_open => {
            let leader = rng.choice(&leaders).unwrap();
            if after.responsible.iter().any(|one| one.leader == *leader) {
                return;
            }
            after.responsible = vec![answers(leader, Some(today))];
            store.assign(&reference, &[leader], &stamp).await
        }
        _ if !is_open => {
            after.status = Status::Open;
            after.adoption = today;
            after.windows[0].closed_on = None;
            store.reopen(&names, &stamp).await
        }
        _ => return,
    };
    if conclude(desk, edited).await {
        *commitment = after;
    }
}

/// Whether the store took it.
async fn conclude(desk: &Desk<'_>, edited: Result<Edited<'_>, store::Error>) -> bool {
    match edited {
        Ok(edited) => desk.conclude(edited).await.is_ok(),
        Err(store::Error::Refused(text)) => panic!("the store refused what makes sense: {text}"),
        Err(_) => false,
    }
}

/// A new revision, of which all that was before today is history.
fn postpone(commitment: &mut Commitment, to: NaiveDate, today: NaiveDate) {
    commitment.revision += 1;
    commitment.adoption = today;
    let window = &mut commitment.windows[0];
    window.opens = window.opens.min(to);
    window.due = Some(to);
    window.made_on = Some(today);
    commitment.responsible.iter_mut().for_each(|one| one.snoozes.clear());
}

/// Of several snoozes the newest counts.
fn snooze(commitment: &mut Commitment, leader: &str, until: NaiveDate, today: NaiveDate) {
    for one in commitment.responsible.iter_mut().filter(|one| one.leader == leader) {
        one.snoozes = vec![Snooze { window: 1, until, made_on: today }];
    }
}

/// What was dated while the clock was ahead is dated today; answers with the book as it was.
pub(super) fn set_back(model: &mut World, today: NaiveDate) -> World {
    let as_it_was = model.clone();
    for commitment in model.commitments.values_mut() {
        commitment.adoption = commitment.adoption.min(today);
        for window in &mut commitment.windows {
            window.made_on = window.made_on.map(|made_on| made_on.min(today));
        }
        for snooze in commitment.responsible.iter_mut().flat_map(|one| &mut one.snoozes) {
            snooze.made_on = snooze.made_on.min(today);
        }
    }
    as_it_was
}
