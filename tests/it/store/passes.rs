//! What the worker keeps from pass to pass.

use super::*;

#[tokio::test]
async fn only_what_is_near_is_read_and_whoever_changes_it_brings_it_near() {
    let world = staffed().await;
    for reference in ["A", "B"] {
        world.promise(reference, &[Window::day(day("2020-06-01"))]).await;
    }
    let store = &world.store;
    let today = day("2020-01-02");
    let near = async || world.near(today).await;
    let look = async || {
        committed(store.begin_pass(&stamp("2020-01-02"), NEVER)).await;
        let later = |one: &str| (one.to_owned(), day("2020-05-02"));
        store.plan(&[], &[later("A"), later("B")], stamp("2020-01-02").at).await.unwrap();
    };
    assert_eq!(near().await, ["A", "B"]);
    look().await;
    assert_eq!(near().await, [""; 0]);
    assert_eq!(world.near(day("2020-05-02")).await, ["A", "B"]);

    for (change, brings) in [
        ("UPDATE windows SET due = '2020-06-02' WHERE commitment = 'A'", &["A"][..]),
        ("DELETE FROM responsibilities WHERE commitment = 'B'", &["B"]),
        ("INSERT INTO responsibilities(commitment, leader) VALUES ('B', 'syd')", &["B"]),
        ("UPDATE commitments SET kind = 'status' WHERE reference = 'A'", &["A"]),
        ("UPDATE commitments SET title = 'Ny' WHERE reference = 'A'", &[]),
        ("INSERT INTO snoozes VALUES ('A', 1, 1, 'nord', '2020-02-01', '2020-01-02')", &["A"]),
        ("UPDATE leaders SET manager = NULL WHERE reference = 'syd'", &["A", "B"]),
    ] {
        world.sql(change).await;
        assert_eq!(near().await, brings, "{change}");
        look().await;
    }
    store.clear_look_on().await.unwrap();
    assert_eq!(near().await, ["A", "B"]);
}

#[tokio::test]
async fn what_opens_beyond_the_reach_of_the_rules_is_not_looked_at_until_it_is_within() {
    let world = staffed().await;
    let days = [Window::day(day("2020-06-01")), Window::day(day("2020-03-01"))];
    world.promise("A", &days[..1]).await;
    world.promise("B", &days).await;
    world.sql("INSERT INTO commitments (reference, title, entered_on) VALUES ('none', 'Uden vindue', '2020-01-01')").await;
    let looked_at = async |today: &str, reach: &str| {
        committed(world.store.begin_pass(&stamp(today), day(reach))).await;
        world
            .value(&format!(
                "SELECT group_concat(commitment) FROM agenda WHERE look_on = '{today}'"
            ))
            .await
    };
    assert_eq!(looked_at("2020-01-02", "2020-02-28").await, "NULL");
    assert_eq!(looked_at("2020-01-03", "2020-03-01").await, "B");
    // Another system brings it forward.
    world
        .sql("UPDATE windows SET opens = '2020-02-01', due = '2020-02-01' WHERE commitment = 'A'")
        .await;
    assert_eq!(looked_at("2020-01-04", "2020-03-02").await, "A");
    world.sql("UPDATE commitments SET status = 'done' WHERE reference = 'A'").await;
    world.sql("DELETE FROM responsibilities WHERE commitment = 'B'; DELETE FROM windows WHERE commitment = 'B'; DELETE FROM commitments WHERE reference = 'B'").await;
    assert_eq!(world.value("SELECT group_concat(commitment) FROM agenda").await, "none");
    world.sql("UPDATE commitments SET status = 'open' WHERE reference = 'A'").await;
    assert_eq!(looked_at("2020-01-05", "2020-02-01").await, "A");
}

#[tokio::test]
async fn a_change_made_while_the_planner_thinks_is_looked_at_in_the_next_pass() {
    let world = staffed().await;
    world.promise("A", &[Window::day(day("2020-06-01"))]).await;
    let today = day("2020-01-02");
    committed(world.store.begin_pass(&stamp("2020-01-02"), NEVER)).await;
    assert_eq!(world.near(today).await, ["A"]);
    let sooner = Window::day(day("2020-01-20"));
    committed(world.store.postpone("A", sooner, None, "", &stamp("2020-01-02"))).await;
    let looks = [("A".to_owned(), day("2020-05-02"))];
    world.store.plan(&[], &looks, stamp("2020-01-02").at).await.unwrap();
    assert_eq!(world.near(today).await, ["A"]);
}

#[tokio::test]
async fn rolling_twice_is_rolling_once() {
    let world = staffed().await;
    world.promise("A", &[Window::day(day("2020-01-05"))]).await;
    let made = Occurrence {
        commitment: "A".to_owned(),
        revision: 1,
        window: Window::day(day("2020-07-05")),
        made_on: day("2020-01-06"),
    };
    let stale = Occurrence { revision: 2, ..made.clone() };
    let closed = ClosedWindow {
        commitment: "A".to_owned(),
        revision: 1,
        number: 1,
        on: day("2020-01-06"),
        closed_as: ClosedAs::NotAnswered,
    };
    for _ in 0..2 {
        let now = stamp("2020-01-06");
        world
            .store
            .roll(&[made.clone(), stale.clone()], std::slice::from_ref(&closed), &now)
            .await
            .unwrap();
    }
    let one = world.one("A").await;
    assert_eq!(days_of(&one), ["2020-01-05..2020-01-05", "2020-07-05..2020-07-05"]);
    assert_eq!(open_numbers(&one), [2]);
    assert_eq!(one.windows[1].made_on, Some(day("2020-01-06")));
    assert_eq!(world.value("SELECT closed_as FROM windows WHERE number = 1").await, "not_answered");
    let taken_back = committed(world.store.reopen(&["A"], &stamp("2020-01-07"))).await;
    assert_eq!(taken_back, [""; 0], "nobody said it was done");
}

#[tokio::test]
async fn history_holds_what_went_out_and_who_got_a_message_today() {
    let world = staffed().await;
    world.promise("A", &[Window::day(day("2020-06-01"))]).await;
    let message = |id: u32, purpose: &str, day: &str, state: &str, accepted: &str| {
        format!(
            "INSERT INTO messages(id, purpose, day, sender, recipient, address_key, name, subject,
                message_id, state, frozen_at, accepted_on)
             VALUES ({id}, '{purpose}', '{day}', 's', 'r', '{purpose}{id}', 'n', 's', 'm{id}',
                '{state}', '2020-05-25T06:00:00.000Z', {accepted});"
        )
    };
    world
        .sql(
            &[
                message(1, "own", "2020-05-25", "accepted", "'2020-05-25'"),
                message(2, "own", "2020-05-26", "cancelled", "NULL"),
                message(3, "own", "2020-05-26", "rejected", "NULL"),
                message(4, "escalation", "2020-05-26", "ready", "NULL"),
                message(5, "notice", "2020-05-26", "ready", "NULL"),
                "INSERT INTO reminders(commitment, revision, window, step, leader, planned_on, moved_on, state,
                    message) VALUES
                    ('A', 1, 1, 'before:7', 'nord', '2020-05-25', '2020-05-25', 'attached', 1),
                    ('A', 1, 1, 'before:3', 'nord', '2020-05-29', '2020-05-29', 'attached', 2),
                    ('A', 1, 1, 'due', 'nord', '2020-06-01', '2020-06-01', 'attached', 3),
                    ('A', 1, 1, 'overdue:1', 'nord', '2020-06-04', '2020-06-04', 'planned', NULL)"
                    .to_owned(),
            ]
            .concat(),
        )
        .await;
    let today = day("2020-05-26");
    for which in [Which::All, Which::Open, Which::These(&["A"])] {
        let history = world.store.history(which, today).await.unwrap();
        let mut sent: Vec<(Step, Option<NaiveDate>)> =
            history.about("A", 1, 1, "nord").map(|one| (one.step, one.accepted_on)).collect();
        sent.sort_by_key(|(step, _)| step.rank());
        let accepted = (Step::Before(7), Some(day("2020-05-25")));
        assert_eq!(sent, [accepted, (Step::Due, None)], "{which:?}");
        assert!(history.has_message(Ladder::Own, "own3"));
        assert!(history.has_message(Ladder::Escalation, "escalation4"));
        assert!(!history.has_message(Ladder::Own, "own1"), "that was yesterday");
        assert!(!history.has_message(Ladder::Own, "own2"), "that was withdrawn");
        assert!(!history.has_message(Ladder::Own, "notice5"));
    }
    let none = world.store.history(Which::These(&["B"]), today).await.unwrap();
    assert_eq!(none.about("A", 1, 1, "nord").count(), 0);
}

#[tokio::test]
async fn birthdays_firings_and_values_are_remembered() {
    let world = world().await;
    let store = &world.store;
    let step = |step, days, since| RuleStep { kind: "status".to_owned(), step, days, since };
    let first =
        [step(Step::Before(30), 30, None), step(Step::Overdue(1), 3, Some(day("2020-02-01")))];
    store.replace_rule_steps(&first).await.unwrap();
    assert_eq!(store.rule_steps().await.unwrap(), first);
    store.replace_rule_steps(&first[1..]).await.unwrap();
    assert_eq!(store.rule_steps().await.unwrap(), first[1..]);

    assert_eq!(store.last_wall(Timetable::Reminders).await.unwrap(), None);
    for hour in [8, 9] {
        let wall = day("2020-01-02").and_hms_opt(hour, 0, 0).unwrap();
        store.record_firing(Timetable::Reminders, wall).await.unwrap();
        assert_eq!(store.last_wall(Timetable::Reminders).await.unwrap(), Some(wall));
    }
    assert_eq!(store.last_wall(Timetable::Report).await.unwrap(), None);

    store.set_meta("epoch", "1").await.unwrap();
    store.set_meta("epoch", "2").await.unwrap();
    assert_eq!(store.meta("epoch").await.unwrap().as_deref(), Some("2"));
    assert_eq!(store.meta("nothing").await.unwrap(), None);
}

#[tokio::test]
async fn two_processes_write_beside_each_other() {
    let world = staffed().await;
    let other = Store::open(&world.path).await.unwrap();
    for number in 0..20 {
        let store = if number % 2 == 0 { &world.store } else { &other };
        store.set_meta(&format!("key {number}"), "x").await.unwrap();
    }
    world.promise("A", &[Window::day(day("2020-06-01"))]).await;
    assert_eq!(other.book(Which::All).await.unwrap().0.len(), 1);

    let mut writing = connect(&world.path).await;
    writing.execute("BEGIN IMMEDIATE; DELETE FROM windows").await.unwrap();
    let third = Store::open(&world.path).await.unwrap();
    let (book, _) = third.book(Which::All).await.unwrap();
    assert_eq!(book[0].windows.len(), 1, "what is not committed is not seen");
}
