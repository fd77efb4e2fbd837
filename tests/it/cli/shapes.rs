//! The JSON Lines that scripts read: every key is always there.

use std::collections::BTreeSet;
use std::io::Write;

use serde_json::{Value, json};

use super::{FIRST_DAY, world};
use crate::world::{Ran, World, json_lines};

/// Checks that an object has exactly these keys.
#[track_caller]
fn check_keys(object: &Value, keys: &str) {
    let found: BTreeSet<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(found, keys.split_whitespace().collect(), "{object}");
}

const PLAN: &str = "on to name ladder items";
const ITEM: &str = "commitment step opens due days_left for reason";
const LIST: &str = "reference title kind opens due status responsible days_left next note";
const LOG: &str = "id at message_id to commitments steps attempt state stage code reply who";
const DEADLINE: &str = "phrase reference kind windows rrule reason confidence";
const EXPLAIN: &str = "reference title kind status phrase reading confidence rrule note adopted revision windows \
                       responsible steps history next";

/// A book with every sort of deadline.
fn varied() -> World {
    world(&[
        "V-1,Status,status,2027-02-03,led;chef",
        "V-2,Uden slutning,follow_up,fra 2. februar 2027,led",
        "V-3,Uden dato,follow_up,løbende,led",
        "V-4,Hvert år,follow_up,hvert år i marts,led",
    ])
}

#[test]
fn plan_tells_a_message_a_line_in_the_order_of_days_and_people() {
    let world = varied();
    let plan = world.run(&format!("plan --to 2027-03-31 --json --on {FIRST_DAY}")).json();
    for message in &plan {
        check_keys(message, PLAN);
        message["items"].as_array().unwrap().iter().for_each(|item| check_keys(item, ITEM));
    }
    let order: Vec<(&str, &str, bool)> = plan
        .iter()
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap();
            (text("on"), text("to"), text("ladder") == "escalation")
        })
        .collect();
    assert!(order.is_sorted() && order.iter().any(|(_, _, escalation)| *escalation), "{order:?}");

    let open_ended = plan
        .iter()
        .flat_map(|one| one["items"].as_array().unwrap())
        .find(|item| item["commitment"] == "V-2")
        .unwrap();
    assert_eq!(open_ended["opens"], "2027-02-02");
    assert!(open_ended["due"].is_null() && open_ended["days_left"].is_null());
    let late = plan.iter().find(|one| one["ladder"] == "escalation").unwrap();
    let expected = json!({ "commitment": "V-1", "step": "escalate:1", "opens": "2027-02-03", "due": "2027-02-03",
        "days_left": -21, "for": ["chef", "led"] });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&late["items"][0][key], value, "{late}");
    }
}

#[test]
fn list_log_and_explain_have_every_key_for_every_commitment() {
    let world = varied();
    let list = || world.run(&format!("list --all --json --on {FIRST_DAY}")).json();
    let before = list();
    assert_eq!(before.len(), 4);
    before.iter().for_each(|row| check_keys(row, LIST));
    assert_eq!(before[0]["next"], json!({ "on": FIRST_DAY, "step": "before:30" }));
    assert_eq!(before[0]["responsible"], json!(["led", "chef"]));
    assert_eq!((&before[0]["days_left"], &before[1]["due"]), (&json!(30), &Value::Null));
    assert_eq!((&before[2]["status"], &before[2]["opens"]), (&json!("needs_date"), &Value::Null));

    assert_eq!(world.run("log --json").ok(), "");
    world.once_on([FIRST_DAY]);
    let log = world.run("log --json").json();
    assert_eq!(log.len(), 2);
    log.iter().for_each(|attempt| check_keys(attempt, LOG));
    assert_eq!(log[0]["at"], "2027-01-04T08:00:00+01:00");
    assert_eq!(
        (&log[0]["commitments"], &log[0]["steps"]),
        (&json!(["V-1"]), &json!(["before:30"]))
    );
    assert_eq!((&log[0]["state"], &log[0]["code"]), (&json!("accepted"), &Value::Null));
    assert!(world.path(log[0]["reply"].as_str().unwrap()).exists(), "the reply names the file");
    assert_eq!(world.run("log --json --since 2027-01-05").ok(), "");
    assert_eq!(world.run("log --json --since 2027-01-04").json(), log);

    world.run(&format!("done V-2 --on {FIRST_DAY}")).ok();
    list().iter().for_each(|row| check_keys(row, LIST));
    for reference in ["V-1", "V-2", "V-3", "V-4"] {
        let explained = world.run(&format!("explain {reference} --json --on {FIRST_DAY}")).json();
        let [explained] = &explained[..] else { panic!("one object: {explained:?}") };
        check_keys(explained, EXPLAIN);
        for window in explained["windows"].as_array().unwrap() {
            check_keys(window, "number opens due closed_on");
        }
        for step in explained["steps"].as_array().unwrap() {
            check_keys(step, "window leader step planned_on moved_on due why");
        }
        for event in explained["history"].as_array().unwrap() {
            check_keys(event, "at who what detail");
        }
    }
}

#[test]
fn a_phrase_is_read_against_the_pretended_day() {
    let world = World::new();
    let read = |phrase: &str| {
        let words = ["deadline", phrase, "--json", "--on", "2019-05-15"];
        let [object] = &world.run_words(words).json()[..] else { panic!("one object") };
        check_keys(object, DEADLINE);
        object.clone()
    };
    let expected = json!({ "phrase": "primo 2020", "reference": "2019-05-15", "kind": "window",
        "windows": [{ "opens": "2020-01-01", "due": "2020-01-31" }], "rrule": null, "reason": null, "confidence": "high" });
    assert_eq!(read("primo 2020"), expected);
    let undated = read("løbende");
    assert_eq!((&undated["kind"], &undated["windows"]), (&json!("undated"), &json!([])));
    assert!(undated["confidence"].is_null() && undated["reason"].is_string());
    let open = read("fra 1. juni 2019");
    assert_eq!(open["windows"], json!([{ "opens": "2019-06-01", "due": null }]));
    let again = read("hvert år i maj");
    assert_eq!(again["kind"], "recurring");
    assert!(
        again["rrule"].is_string() && again["windows"].as_array().unwrap().len() == 1,
        "{again}"
    );
    assert!(!world.path("data").exists(), "reading a phrase makes no store");
    let people = world.run_words(["deadline", "primo 2020", "--on", "2019-05-15"]).ok();
    assert!(people.contains("2020"), "{people}");
}

/// What `deadline --json -` answers to these lines.
fn answers(lines: &[u8]) -> Ran {
    let mut child = World::new().start("deadline --json - --on 2019-05-15");
    child.stdin.take().unwrap().write_all(lines).unwrap();
    Ran::of(child.wait_with_output().unwrap())
}

#[test]
fn many_phrases_are_answered_line_by_line_and_a_bad_date_stops_none_of_them() {
    let lines =
        "primo 2020\t2019-05-15\nultimo juni\t2019-13-45\nuge 46 2019\nløbende\t2020-01-01\r\n";
    let ran = answers(lines.as_bytes()).ended(65);
    let answers = json_lines(&ran.out);
    assert_eq!(answers.len(), 4);
    check_keys(&answers[1], "phrase error");
    let phrases: Vec<&str> = answers.iter().map(|one| one["phrase"].as_str().unwrap()).collect();
    assert_eq!(phrases, ["primo 2020", "ultimo juni", "uge 46 2019", "løbende"]);
    assert_eq!(answers[2]["reference"], "2019-05-15", "without a date, today's");
    assert_eq!(answers[3]["reference"], "2020-01-01");
    for index in [0, 2, 3] {
        check_keys(&answers[index], DEADLINE);
    }
}

#[test]
fn no_phrases_are_no_error() {
    assert_eq!(answers(b"").ok(), "");
    assert_eq!(json_lines(&answers(b"primo 2020\t2019-05-15").ok()).len(), 1);
}
