//! What people change on the command line shows in the next plan and in the next pass.

use super::{FIRST_DAY, sent, world};
use crate::world::{Sent, World};

/// What the plan says from a day on, a message a line.
fn plan(world: &World, from: &str) -> Vec<String> {
    let plan = world.run(&format!("plan --to 2027-12-31 --json --on {from}")).json();
    plan.iter().map(|message| Sent::planned(message).line()).collect()
}

/// The field of a commitment as `list` shows it.
fn shown(world: &World, reference: &str, field: &str, on: &str) -> String {
    let rows = world.run(&format!("list --all --json --on {on}")).json();
    let row = rows.iter().find(|row| row["reference"] == reference).unwrap();
    row[field].to_string().replace('"', "")
}

#[test]
fn done_ends_the_earliest_window_and_all_ends_the_commitment() {
    let world = world(&["W-1,Spørg brugerne,follow_up,1. og 2. kvartal 2027,led"]);
    let out = world.run("done W-1 --on 2027-01-05").ok();
    assert!(out.contains("W-1: the earliest open window is done"), "{out}");
    assert_eq!(shown(&world, "W-1", "due", "2027-01-05"), "2027-06-30");
    let planned = plan(&world, "2027-01-05");
    assert_eq!(planned[0], "2027-04-01 lise@kommune.example: W-1 opens");
    world.once_on(["2027-01-05", "2027-03-01", "2027-03-31"]);
    assert_eq!(sent(&world), [""; 0], "the first window is over");

    world.run("done W-1 --all --on 2027-04-01").ok();
    assert_eq!(shown(&world, "W-1", "status", "2027-04-01"), "done");
    assert_eq!(plan(&world, "2027-04-01"), [""; 0]);
    assert!(world.run("done W-1 --on 2027-04-01").ok().contains("W-1: nothing to change"));
    assert_eq!(world.run("list --json --on 2027-04-01").json().len(), 0, "only with --all");
}

#[test]
fn reopened_commitments_remind_again_from_that_day_on() {
    let world = world(&["R-1,Status på haverne,status,2027-03-10,led"]);
    world.run("done R-1 --on 2027-01-05").ok();
    assert_eq!(plan(&world, "2027-01-06"), [""; 0]);
    world.run("reopen R-1 --on 2027-02-22").ok();
    let planned = plan(&world, "2027-02-22");
    let first = "2027-02-24 lise@kommune.example: R-1 before:14";
    assert_eq!(planned[0], first, "the step of 8 February is history");
    world.once_on(["2027-02-22", "2027-02-24"]);
    assert_eq!(sent(&world), planned[..1]);
}

#[test]
fn cancelled_commitments_remind_nobody() {
    let world =
        world(&["C-1,Status,status,2027-03-10,led", "C-2,Evaluering,evaluation,2027-03-10,led"]);
    world.run("cancel C-1 --on 2027-01-05").ok();
    assert_eq!(shown(&world, "C-1", "status", "2027-01-05"), "cancelled");
    assert!(plan(&world, "2027-01-05").iter().all(|line| !line.contains("C-1")));
    world.once_on(["2027-02-08", "2027-02-24"]);
    let expected = ["2027-02-08 lise@kommune.example: C-2 before:30"];
    assert_eq!(sent(&world), expected);
}

#[test]
fn an_act_of_a_person_takes_back_what_waits_to_be_sent() {
    let world =
        world(&["T-1,Status,status,2027-03-10,led", "T-2,Evaluering,evaluation,2027-03-10,led"]);
    world.file("data/mail", "in the way");
    world.run("once --on 2027-02-08").ended(75);
    world.run("done T-1 --on 2027-02-08").ok();
    std::fs::remove_file(world.path("data/mail")).unwrap();
    world.once_on(["2027-02-09"]);
    assert_eq!(sent(&world), ["2027-02-09 lise@kommune.example: T-2 before:30"]);
    assert!(!world.mails()[0].text.contains("T-1"), "{}", world.mails()[0].text);
}

#[test]
fn a_deadline_put_into_the_past_is_taken_and_said_to_be_past() {
    let world = world(&["P-1,Status på haverne,status,2027-03-10,led"]);
    let out = world.run(&format!("postpone P-1 --to 2026-12-01 --on {FIRST_DAY}")).ok();
    assert!(out.contains("the deadline is now 2026-12-01..2026-12-01; that day is past"), "{out}");
    let out = world.run(&format!("postpone P-1 --to {FIRST_DAY} --on {FIRST_DAY}")).ok();
    assert!(!out.contains("past"), "{out}");
}

#[test]
fn a_postponed_deadline_is_the_one_that_counts() {
    let world = world(&["P-1,Status på haverne,status,2027-03-10,led"]);
    world.once_on(["2027-02-08"]);
    let words =
        ["postpone", "P-1", "--to", "ultimo maj 2027", "--reason", "Frost", "--on", "2027-02-09"];
    let out = world.run_words(words).ok();
    assert!(out.starts_with("P-1: the deadline is now 2027-05-21..2027-05-31"), "{out}");
    assert_eq!(shown(&world, "P-1", "due", "2027-02-09"), "2027-05-31");
    let planned = plan(&world, "2027-02-09");
    let coming = [
        "2027-03-10 lise@kommune.example: P-1 opens",
        "2027-04-30 lise@kommune.example: P-1 before:30",
    ];
    assert_eq!(planned[..2], coming, "the window opens as before");
    world.once_on(["2027-02-24", "2027-03-10", "2027-04-30"]);
    assert_eq!(sent(&world)[1], "2027-02-24 lise@kommune.example: P-1 new_deadline");
    assert_eq!(sent(&world)[2..], coming);
    let explained = world.run("explain P-1 --on 2027-04-30").ok();
    assert!(explained.contains("revision 2") && explained.contains("Frost"), "{explained}");
    assert!(explained.contains("is read as the days 21 May to 31 May 2027."), "{explained}");
    world.run("postpone P-1 --to 2027-06-16 --on 2027-05-03").ok();
    assert_eq!(shown(&world, "P-1", "due", "2027-05-03"), "2027-06-16");
}

#[test]
fn a_deadline_postponed_by_a_phrase_is_explained_from_the_day_it_was_postponed_on() {
    let world = world(&["P-1,Status på haverne,status,2027-03-10,led"]);
    world.run_words(["postpone", "P-1", "--to", "ultimo næste år", "--on", "2028-02-09"]).ok();
    let explained = world.run("explain P-1 --on 2028-02-10").ok();
    let days = "is read as the days 1 December to 31 December 2029.";
    assert!(explained.contains(days), "{explained}");
}

#[test]
fn a_confirmed_reading_is_explained_without_the_doubts_it_had() {
    let rows = ["C-1,Plan,milestone,janaur 2027,led", "C-2,Tilsyn,status,halvårligt,led"];
    let world = world(&rows);
    for reference in ["C-1", "C-2"] {
        let explain = format!("explain {reference} --on 2026-06-01");
        let before = world.run(&explain).ok();
        assert!(before.contains("so someone must confirm it"), "{before}");
        world.run(&format!("confirm {reference} --on 2026-06-01")).ok();
        let after = world.run(&explain).ok();
        assert!(!after.contains("confirm it") && after.contains(" is read as "), "{after}");
    }
}

#[test]
fn a_snooze_holds_back_one_person_until_its_day_when_the_latest_step_goes() {
    let world = world(&["S-1,Status på haverne,status,2027-03-10,led;vice"]);
    world.run("snooze S-1 led --to 2027-03-08 --on 2027-02-01").ok();
    let planned = plan(&world, "2027-02-01");
    let first = [
        "2027-02-08 vibe@kommune.example: S-1 before:30",
        "2027-02-24 vibe@kommune.example: S-1 before:14",
        "2027-03-05 vibe@kommune.example: S-1 before:3",
        "2027-03-08 lise@kommune.example: S-1 before:3",
    ];
    assert_eq!(planned[..4], first);
    world.once_on(["2027-02-08", "2027-02-24", "2027-03-05", "2027-03-08"]);
    assert_eq!(sent(&world), first);
}

#[test]
fn the_new_responsible_starts_on_the_day_of_the_hand_over() {
    let world = world(&[
        "A-1,Status på haverne,status,2027-03-10,led",
        "A-2,Evaluering,evaluation,2027-04-14,led;vice",
        "A-3,Hold mødet,meeting,2027-04-21,led",
    ]);
    world.once_on(["2027-02-08"]);
    world.run("assign A-1 vice --on 2027-02-09").ok();
    assert_eq!(shown(&world, "A-1", "responsible", "2027-02-09"), "[vice]");
    world.once_on(["2027-02-09", "2027-02-24"]);
    let told = [
        "2027-02-09 lise@kommune.example: A-1 taken_over",
        "2027-02-09 vibe@kommune.example: A-1 handed_over",
        "2027-02-24 vibe@kommune.example: A-1 before:14",
    ];
    assert_eq!(sent(&world)[1..], told);

    let out = world.run("assign --from led dir --on 2027-02-25").ok();
    assert!(out.starts_with("A-2: dir answers for it\nA-3: dir answers for it\n"), "{out}");
    assert_eq!(shown(&world, "A-2", "responsible", "2027-02-25"), "[dir,vice]");
    assert!(plan(&world, "2027-02-25").iter().all(|line| !line.contains("lise")));
    world.run("assign --from dir led --on-day 2027-03-01 --on 2027-02-25").ok();
    let planned = plan(&world, "2027-03-01");
    assert!(
        planned.iter().any(|line| line.contains("lise") && line.contains("A-3")),
        "{planned:?}"
    );
}

#[test]
fn every_change_is_recorded_with_who_and_when() {
    let world = world(&["H-1,Status på haverne,status,2027-03-10,led"]);
    let mut command = world.advis(["done", "H-1", "--on", "2027-01-05"]);
    command.env_remove("SUDO_USER").env("USER", "kirsten");
    assert!(command.output().unwrap().status.success());
    let explained = world.run(&format!("explain H-1 --json --on {FIRST_DAY}")).json();
    let history = explained[0]["history"].as_array().unwrap();
    let done = history.iter().find(|event| event["what"] == "done").unwrap();
    assert_eq!(
        (&done["who"], &done["at"]),
        (&"kirsten".into(), &"2027-01-05T08:00:00+01:00".into())
    );
}

#[test]
fn the_next_occurrence_of_a_recurrence_follows_when_one_is_done() {
    let world = world(&["Y-1,Gennemgå regnskabet,follow_up,hvert år i marts,led"]);
    assert_eq!(shown(&world, "Y-1", "due", FIRST_DAY), "2027-03-31");
    world.run("done Y-1 --on 2027-02-10").ok();
    assert_eq!(shown(&world, "Y-1", "due", "2027-02-11"), "2028-03-31");
    assert_eq!(shown(&world, "Y-1", "status", "2027-02-11"), "open");
    world.once_on(["2027-03-01", "2027-03-31", "2027-04-05"]);
    assert_eq!(sent(&world), [""; 0]);
}

#[test]
fn a_phrase_changed_by_another_program_is_read_again_the_way_the_readme_says() {
    let readme = include_str!("../../../README.md");
    let (_, update) = readme.split_once("    UPDATE commitments SET phrase").unwrap();
    let (update, _) = update.split_once(';').unwrap();
    let update = format!("UPDATE commitments SET phrase{update}");
    for before in ["ultimo juni 2027", "løbende"] {
        let world = world(&[&format!("SYS-1,Status,status,{before},led")]);
        if world.sql(&update).is_none() {
            return;
        }
        assert_eq!(shown(&world, "SYS-1", "due", "2027-01-05"), "2027-08-10");
        let explained = world.run("explain SYS-1 --on 2027-01-05").ok();
        assert!(explained.contains("revision 2"), "{explained}");
    }
}

#[test]
fn done_ends_the_occurrence_that_list_shows_also_before_the_next_pass() {
    let world = world(&["R-1,Gennemgå regnskabet,evaluation,hvert år i maj,led"]);
    world.run("plan --on 2028-05-06").ok();
    assert_eq!(shown(&world, "R-1", "due", "2028-05-06"), "2028-05-31");
    world.run("done R-1 --on 2028-05-06").ok();
    assert_eq!(shown(&world, "R-1", "due", "2028-05-08"), "2029-05-31");
}

#[test]
fn a_hand_over_on_a_day_to_come_is_in_the_plan_from_that_day_on() {
    let world = world(&["N-1,Status på haverne,status,2027-03-10,led;vice"]);
    world.run("assign --from led dir --on-day 2027-02-24 --on 2027-02-01").ok();
    let planned = plan(&world, "2027-02-01");
    let first = [
        "2027-02-08 lise@kommune.example: N-1 before:30",
        "2027-02-08 vibe@kommune.example: N-1 before:30",
        "2027-02-24 dorthe@kommune.example: N-1 before:14",
        "2027-02-24 vibe@kommune.example: N-1 before:14",
    ];
    assert_eq!(planned[..4], first);
    assert!(planned[4..].iter().all(|line| !line.contains("lise")), "{planned:#?}");

    // Somebody else's hand-over does not undo it.
    world.run("assign --from vice chef --on 2027-02-02").ok();
    world.once_on(["2027-02-08", "2027-02-24", "2027-03-05", "2027-03-10"]);
    let sent = sent(&world);
    let to_lise: Vec<&String> = sent.iter().filter(|line| line.contains("lise")).collect();
    let told = "2027-02-24 lise@kommune.example: N-1 taken_over";
    assert_eq!(to_lise, [first[0], told], "reminded until then, and told on the day");
}
