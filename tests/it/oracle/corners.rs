//! Corners of the oracle itself, each by hand from a calendar.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::days::easter;
use super::{
    Commitment, Ladder, Leader, Posted, Responsible, Rules, Sent, Snooze, Status, Window, World,
    due, messages,
};

/// What is different from the plainest world.
type Edit = fn(&mut World);

const EVERY_WEEKDAY: [bool; 7] = [true, true, true, true, true, false, false];

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn leader(reference: &str, manager: Option<&str>) -> (String, Leader) {
    let leader = Leader {
        name: format!("Leder {reference}"),
        address: Some(format!("{reference}@kommune.example")),
        manager: manager.map(str::to_owned),
        deputy: None,
        active: (None, None),
        absent: None,
    };
    (reference.to_owned(), leader)
}

fn rules(before: &[u32], overdue: (u32, u32, u32), escalate: &[u32]) -> Rules {
    Rules {
        before: Some(before.to_vec()),
        opens: Some(true),
        due: Some(true),
        overdue: Some(overdue),
        escalate: Some(escalate.to_vec()),
    }
}

/// A-1 in this window, of lis, whose manager is mads, whose manager is dorte.
fn world(opens: &str, due: &str, rules: Rules) -> World {
    let window = Window {
        number: 1,
        opens: day(opens),
        due: (!due.is_empty()).then(|| day(due)),
        made_on: None,
        closed_on: None,
    };
    let lis =
        Responsible { leader: "lis".to_owned(), since: None, until: None, snoozes: Vec::new() };
    let commitment = Commitment {
        kind: "milestone".to_owned(),
        status: Status::Open,
        revision: 1,
        adoption: day("2019-01-01"),
        windows: vec![window],
        responsible: vec![lis],
    };
    World {
        leaders: BTreeMap::from([
            leader("lis", Some("mads")),
            leader("mads", Some("dorte")),
            leader("dorte", None),
            leader("ida", None),
        ]),
        secretariat: "sek@kommune.example".to_owned(),
        commitments: BTreeMap::from([("A-1".to_owned(), commitment)]),
        rules: BTreeMap::from([("default".to_owned(), rules)]),
        births: BTreeMap::new(),
        days_off: BTreeSet::new(),
        fires: EVERY_WEEKDAY,
    }
}

impl World {
    fn only(&mut self) -> &mut Commitment {
        self.commitments.get_mut("A-1").unwrap()
    }

    fn leader(&mut self, reference: &str) -> &mut Leader {
        self.leaders.get_mut(reference).unwrap()
    }

    /// Away on that day only.
    fn away(&mut self, reference: &str, on: &str) {
        self.leader(reference).absent = Some((Some(day(on)), Some(day(on))));
    }
}

/// Every message from one day to another when each is accepted the same day: day, reader, steps.
fn year(world: &World, from: &str, to: &str) -> Vec<String> {
    lines(world, &mut Sent::new(), from, to, 0)
}

/// The same with messages accepted so many days later, after what was sent.
fn lines(world: &World, sent: &mut Sent, from: &str, to: &str, later: u64) -> Vec<String> {
    let mut lines = Vec::new();
    for today in day(from).iter_days().take_while(|today| *today <= day(to)) {
        for ((address, _), keys) in messages(world, &due(world, sent, today), today) {
            let reader = address.split('@').next().unwrap();
            let steps: Vec<&str> = keys.iter().map(|key| key.step.as_str()).collect();
            lines.push(format!("{} {reader} {}", today.format("%m-%d"), steps.join(" ")));
            let accepted = Some(today + Days::new(later));
            sent.extend(keys.into_iter().map(|key| (key, Posted { on: today, accepted })));
        }
    }
    lines
}

#[test]
fn easter_falls_where_the_almanacs_have_it() {
    let almanac = [
        "1943-04-25", // the latest there is
        "1954-04-18",
        "1981-04-19",
        "2000-04-23",
        "2008-03-23",
        "2018-04-01",
        "2019-04-21",
        "2024-03-31",
        "2027-03-28",
        "2038-04-25",
        "2049-04-18",
        "2076-04-19",
        "2100-03-28",
    ];
    for sunday in almanac.map(day) {
        assert_eq!(easter(sunday.year()), sunday);
        assert_eq!(sunday.weekday(), Weekday::Sun);
    }
}

#[test]
fn the_example_by_hand_of_planning_comes_out_to_the_day() {
    let mut world = world("2019-06-21", "2019-06-30", rules(&[30, 7], (1, 7, 4), &[14, 28]));
    world.only().adoption = day("2019-05-15");
    assert_eq!(
        year(&world, "2019-05-15", "2020-12-31"),
        [
            "05-31 lis before:30",
            "06-21 lis before:7",
            "06-28 lis due",
            "07-01 lis overdue:1",
            "07-08 lis overdue:2",
            "07-15 lis overdue:3",
            "07-15 mads escalate:1",
            "07-22 lis overdue:4",
            "07-29 dorte escalate:2",
        ]
    );
}

#[test]
fn days_count_over_the_ends_of_months_and_leap_days() {
    // 2020-02-29 was a Saturday; 30 days before 2020-03-30 is that Saturday.
    let world = world("2020-03-30", "2020-03-30", rules(&[30, 31], (0, 31, 2), &[]));
    assert_eq!(
        year(&world, "2020-02-01", "2020-12-31"),
        ["02-28 lis before:30", "03-30 lis overdue:1", "04-30 lis overdue:2"],
        "31 days before is Friday 28 February too, and the smaller number wins"
    );
}

#[test]
fn steps_moved_onto_one_day_are_one() {
    // A Sunday deadline. Saturday and Sunday go back to Friday, or on to Monday.
    let world = world("2019-06-30", "2019-06-30", rules(&[1, 2, 3], (0, 1, 4), &[0, 1, 2]));
    assert_eq!(
        year(&world, "2019-06-01", "2019-12-31"),
        [
            "06-27 lis before:3",
            "06-28 lis due",
            "07-01 dorte escalate:2",
            "07-01 lis overdue:2",
            "07-02 lis overdue:3",
            "07-03 lis overdue:4",
        ],
        "and a third level has no reader"
    );
}

#[test]
fn opens_goes_only_well_before_the_first_step_before_the_deadline() {
    let first_step = |opens: &str, due: &str, before: &[u32]| {
        let world = world(opens, due, rules(before, (1, 1, 0), &[]));
        year(&world, "2019-01-01", "2019-12-31").remove(0)
    };
    // before:7 of Friday 2019-05-31 is Friday 24 May.
    assert_eq!(first_step("2019-05-15", "2019-05-31", &[7]), "05-15 lis opens");
    assert_eq!(first_step("2019-05-16", "2019-05-31", &[7]), "05-16 lis opens", "8 days before");
    assert_eq!(
        first_step("2019-05-17", "2019-05-31", &[7]),
        "05-24 lis before:7",
        "17 May is a holiday"
    );
    assert_eq!(
        first_step("2019-05-30", "2019-05-31", &[]),
        "05-31 lis due",
        "30 May is a holiday, too"
    );
    assert_eq!(first_step("2019-05-28", "2019-05-29", &[]), "05-28 lis opens");
    assert_eq!(first_step("2019-05-29", "2019-05-29", &[]), "05-29 lis due", "one day only");
    assert_eq!(first_step("2019-05-18", "", &[7]), "05-20 lis opens", "without an end");
}

#[test]
fn what_was_missed_collapses_into_the_latest_step_and_never_looks_ahead_after_the_deadline() {
    let world = world("2019-06-03", "2019-06-12", rules(&[30, 7], (2, 7, 2), &[]));
    let first_on = |from: &str| year(&world, from, "2019-12-31").remove(0);
    assert_eq!(first_on("2019-06-04"), "06-04 lis before:30", "before:7 comes the day after");
    assert_eq!(first_on("2019-06-11"), "06-11 lis before:7");
    assert_eq!(first_on("2019-06-13"), "06-13 lis due");
    assert_eq!(first_on("2019-06-14"), "06-14 lis overdue:1");
    assert_eq!(first_on("2019-09-04"), "09-04 lis overdue:2");

    let mut silent = world.clone();
    silent.rules.get_mut("default").unwrap().due = Some(false);
    let after_it = year(&silent, "2019-06-13", "2019-06-13");
    assert!(after_it.is_empty(), "before:7 has lapsed: {after_it:?}");
}

#[test]
fn steps_before_the_adoption_a_hand_over_the_making_or_the_rule_are_history() {
    let base = world("2019-06-12", "2019-06-12", rules(&[30, 7], (1, 7, 1), &[]));
    let on = |world: &World| year(world, "2019-06-06", "2019-06-06");
    let (on_the_day, day_after) = (day("2019-06-05"), day("2019-06-06"));
    assert_eq!(on(&base), ["06-06 lis before:7"], "of the 5th, and not sent yet");
    let cases: [fn(&mut World, NaiveDate); 4] = [
        |world, day| world.only().adoption = day,
        |world, day| world.only().responsible[0].since = Some(day),
        |world, day| world.only().windows[0].made_on = Some(day),
        |world, day| {
            world.births.insert(("milestone".to_owned(), "before:7".to_owned(), 7), day);
        },
    ];
    for (number, begins) in cases.into_iter().enumerate() {
        let mut world = base.clone();
        begins(&mut world, on_the_day);
        assert_eq!(on(&world), ["06-06 lis before:7"], "case {number}");
        begins(&mut world, day_after);
        let instead: &[&str] = if number == 3 { &["06-06 lis before:30"] } else { &[] };
        assert_eq!(on(&world), instead, "case {number}: only a younger rule leaves the others");
    }
}

#[test]
fn a_manager_hears_three_days_after_the_leader_did_and_not_at_all_before() {
    let world = world("2019-06-12", "2019-06-12", rules(&[], (1, 1, 0), &[0, 7]));
    let later = |days: u64| lines(&world, &mut Sent::new(), "2019-06-12", "2019-07-31", days);
    assert_eq!(later(0), ["06-12 lis due", "06-17 mads escalate:1", "06-19 dorte escalate:2"]);
    assert_eq!(later(2), ["06-12 lis due", "06-17 mads escalate:1", "06-19 dorte escalate:2"]);
    assert_eq!(later(3), ["06-12 lis due", "06-18 mads escalate:1", "06-19 dorte escalate:2"]);
    assert_eq!(
        later(20),
        ["06-12 lis due", "07-05 dorte escalate:2"],
        "one escalation, the latest"
    );
    assert_eq!(later(90), ["06-12 lis due"]);
}

#[test]
fn a_snooze_ends_the_day_before_the_next_escalation_at_the_latest() {
    let mut world = world("2019-06-11", "2019-06-11", rules(&[], (1, 1, 30), &[2, 9]));
    let of = |world: &World| year(world, "2019-06-11", "2019-06-21");
    let everyone = of(&world).len();
    let made_on = day("2019-06-11");
    let mut snoozed_until = |until: &str| {
        let snooze = Snooze { window: 1, until: day(until), made_on };
        world.only().responsible[0].snoozes = vec![snooze];
        of(&world)
    };
    assert_eq!(snoozed_until("2019-06-12").len(), everyone - 1, "the deadline alone is held back");
    let first_two = ["06-12 lis overdue:1", "06-13 lis overdue:2"];
    assert_eq!(snoozed_until("2019-12-31")[..2], first_two, "escalate:1 is on the 13th");
}

#[test]
fn levels_without_a_reader_are_not_there() {
    let managers = |edit: Edit| -> Vec<String> {
        let mut world = world("2019-06-12", "2019-06-12", rules(&[], (1, 1, 0), &[7, 8, 9]));
        edit(&mut world);
        let lines = year(&world, "2019-06-12", "2019-12-31").into_iter();
        lines.filter(|line| line.contains("escalate")).collect()
    };
    let chain = ["06-19 mads escalate:1", "06-20 dorte escalate:2"];
    assert_eq!(managers(|_| {}), chain, "a third level has nobody");
    let only_dorte = managers(|world| {
        let mads = Responsible { leader: "mads".to_owned(), ..world.only().responsible[0].clone() };
        world.only().responsible.push(mads);
    });
    assert_eq!(only_dorte, ["06-19 dorte escalate:1 escalate:1"], "mads answers for it himself");
    let nobody = managers(|world| world.leader("lis").manager = None);
    assert_eq!(nobody, ["06-19 sek escalate:1"]);
    let gone = managers(|world| world.leader("mads").address = None);
    assert_eq!(gone, ["06-19 dorte escalate:1", "06-20 dorte escalate:2"], "an empty chair counts");
}

#[test]
fn a_reader_is_found_for_everyone() {
    let due_to = |edit: Edit| -> String {
        let mut world = world("2019-06-12", "2019-06-12", rules(&[], (1, 1, 0), &[]));
        edit(&mut world);
        let today = day("2019-06-12");
        let messages = messages(&world, &due(&world, &Sent::new(), today), today);
        let ((address, ladder), _) = messages.into_iter().next().unwrap();
        assert_eq!(ladder, Ladder::Own);
        address.replace("@kommune.example", "")
    };
    let cases: [(&str, Edit); 11] = [
        ("lis", |_| {}),
        ("lis", |world| world.leader("lis").active.1 = Some(day("2019-06-12"))),
        ("mads", |world| world.leader("lis").active.1 = Some(day("2019-06-11"))),
        ("mads", |world| world.leader("lis").active.0 = Some(day("2019-06-13"))),
        ("lis", |world| world.leader("lis").absent = Some((None, None))),
        ("ida", |world| {
            world.away("lis", "2019-06-12");
            world.leader("lis").deputy = Some("ida".to_owned());
        }),
        ("lis", |world| {
            world.away("lis", "2019-06-11");
            world.leader("lis").deputy = Some("ida".to_owned());
        }),
        ("lis", |world| {
            world.away("lis", "2019-06-12");
            world.away("ida", "2019-06-12");
            world.leader("lis").deputy = Some("ida".to_owned());
            world.leader("ida").deputy = Some("dorte".to_owned());
        }),
        ("lis", |world| {
            world.away("lis", "2019-06-12");
            world.leader("ida").address = None;
            world.leader("lis").deputy = Some("ida".to_owned());
        }),
        ("dorte", |world| {
            world.leader("lis").address = None;
            world.leader("mads").address = None;
        }),
        ("sek", |world| ["lis", "mads", "dorte"].map(|one| world.leader(one).address = None)[0]),
    ];
    for (number, (expected, edit)) in cases.into_iter().enumerate() {
        assert_eq!(due_to(edit), expected, "case {number}");
    }
}

#[test]
fn people_with_one_address_get_one_message() {
    let mut world = world("2019-06-12", "2019-06-12", rules(&[], (1, 1, 0), &[]));
    world.leader("ida").address = Some("LIS@kommune.example".to_owned());
    let ida = Responsible { leader: "ida".to_owned(), ..world.only().responsible[0].clone() };
    world.only().responsible.push(ida);
    assert_eq!(year(&world, "2019-06-12", "2019-06-12"), ["06-12 lis due due"]);
}
