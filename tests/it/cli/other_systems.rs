//! Other programs write into the store, as README shows, and Advis works with what they wrote.

use super::{sent, world};
use crate::world::World;

const README: &str = include_str!("../../../README.md");

/// The statements of README's example: what stands between the two marks of its shell command.
fn example() -> String {
    let (_, rest) = README.split_once("sqlite3 data/advis.db <<'SQL'\n").unwrap();
    let (block, _) = rest.split_once("    SQL\n").unwrap();
    block.lines().map(|line| line.trim_start().to_owned() + "\n").collect()
}

/// A store without anything in it.
fn empty_store() -> World {
    let world = World::new();
    world.import("2026-11-02", super::LEADERS, super::HEADER).ok();
    world
}

#[test]
fn the_example_of_the_readme_is_read_planned_and_mailed_like_any_other() {
    let world = empty_store();
    if world.sql(&example()).is_none() {
        return;
    }
    let plan = world.run("plan --from 2026-11-03 --to 2027-12-31 --on 2026-11-03").ok();
    assert!(plan.contains("SYS-1") && plan.contains("SYS-2"), "{plan}");
    let book = world.run("list --json --on 2026-11-03").json();
    let spans: Vec<String> = book
        .iter()
        .map(|row| format!("{}..{}", row["opens"], row["due"]).replace('"', ""))
        .collect();
    assert_eq!(spans, ["2027-06-21..2027-06-30", "2027-09-01..2027-09-30"]);

    world.once_on(["2027-05-31", "2027-06-16", "2027-08-31"]);
    assert_eq!(
        sent(&world),
        [
            "2027-05-31 pia.park@kommune.example: SYS-1 before:30",
            "2027-06-16 pia.park@kommune.example: SYS-1 before:14",
            "2027-08-31 pia.park@kommune.example: SYS-1 overdue:3, SYS-2 before:30",
        ]
    );
    let mails = world.mails();
    assert!(mails[0].text.contains("Status på de nye stier"), "{}", mails[0].text);
    assert!(mails[0].text.contains("ultimo juni 2027"), "{}", mails[0].text);
}

#[test]
fn what_another_program_writes_between_two_passes_comes_with_the_next() {
    let world = world(&["W-1,Status,status,2027-03-17,led"]);
    world.once_on(["2027-03-03"]);
    let late = "INSERT INTO commitments (reference, title, kind, phrase) VALUES ('W-2', 'Evaluering', 'evaluation', '2027-03-11');
        INSERT INTO responsibilities (commitment, leader) VALUES ('W-2', 'led')";
    if world.sql(late).is_none() {
        return;
    }
    world.once_on(["2027-03-04"]);
    assert_eq!(sent(&world)[1..], ["2027-03-04 lise@kommune.example: W-2 before:7"]);
}

#[test]
fn rows_that_make_no_sense_are_reported_and_never_fatal() {
    let world = world(&["G-1,Status,status,2027-02-05,led"]);
    let bad = "
        INSERT INTO leaders (reference, name, email) VALUES ('bad', 'Bo Bech', 'bo@@kommune');
        INSERT INTO commitments (reference, title, kind, phrase) VALUES
            ('X-1', 'Ukendt slags', 'statsu', '2027-02-05'),
            ('X-2', 'Ingen ansvarlig', 'status', '2027-02-05'),
            ('X-3', 'Ingen dato', 'status', 'når vi når det'),
            ('X-4', 'Ubrugelig adresse', 'status', '2027-02-05'),
            ('X-5', 'Hverken frase eller vindue', 'status', ''),
            ('X-6', 'Dag der ikke findes', 'status', '31. april 2027');
        INSERT INTO responsibilities (commitment, leader) VALUES
            ('X-1', 'led'), ('X-3', 'led'), ('X-4', 'bad'), ('X-5', 'led'), ('X-6', 'led');";
    if world.sql(bad).is_none() {
        return;
    }
    let out = world.run("once --on 2027-01-06").ok();
    for (reference, what) in [
        ("X-1", "did you mean \"status\"?"),
        ("X-2", "nobody is responsible"),
        ("X-3", ""),
        ("bad", "bo@@kommune"),
        ("X-5", ""),
        ("X-6", ""),
    ] {
        let line = out.lines().find(|line| line.starts_with(&format!("{reference}: ")));
        let line = line.unwrap_or_else(|| panic!("no word of {reference}: {out}"));
        assert!(line.contains(what), "{line}");
    }
    // The good row went; the leader without an address is an empty chair, and nobody stands above it.
    let went = [
        "2027-01-06 lise@kommune.example: G-1 before:30",
        "2027-01-06 sekretariat@kommune.example: X-4 before:30",
    ];
    assert_eq!(sent(&world), went);
    assert!(out.contains("vacancies 1"), "{out}");

    let checked = world.run("check --on 2027-01-06").ended(1);
    for reference in ["X-1", "X-2", "X-3", "X-4", "X-5", "X-6", "bad"] {
        assert!(checked.out.contains(&format!("{reference}: ")), "{reference}: {}", checked.out);
    }
    let waiting = world.run("list --needs-date --json --on 2027-01-06").json();
    let references: Vec<&str> =
        waiting.iter().map(|row| row["reference"].as_str().unwrap()).collect();
    assert_eq!(references, ["X-1", "X-3", "X-5", "X-6"]);
    let vacant = world.run("list --vacant --json --on 2027-01-06").json();
    let references: Vec<&str> =
        vacant.iter().map(|row| row["reference"].as_str().unwrap()).collect();
    assert_eq!(references, ["X-2", "X-4"]);
    for verb in ["list", "plan", "log", "explain X-1", "explain X-2", "explain X-5"] {
        world.run(&format!("{verb} --on 2027-01-06")).ok();
    }
}

#[test]
fn a_bad_row_never_stops_a_pass_and_heals_by_itself() {
    let world = world(&["G-1,Status,status,2027-02-05,led"]);
    let bad = "PRAGMA foreign_keys = OFF;
        INSERT INTO responsibilities (commitment, leader) VALUES ('G-1', 'ghost');
        INSERT INTO commitments (reference, title, kind) VALUES
            ('X-1', 'Uden vindue', 'status'), ('X-2', CAST(x'C66F' AS TEXT), 'status');
        INSERT INTO responsibilities (commitment, leader) VALUES ('X-1', 'led');";
    if world.sql(bad).is_none() {
        return;
    }
    for day in ["2027-01-06", "2027-01-07"] {
        let out = world.run(&format!("once --on {day}")).ok();
        for reference in
            ["G-1", "X-1", "X-2"].iter().filter(|one| day < "2027-01-07" || **one != "G-1")
        {
            assert!(out.contains(&format!("{reference}: ")), "{reference} on {day}: {out}");
        }
    }
    assert_eq!(sent(&world), ["2027-01-06 lise@kommune.example: G-1 before:30"]);
    let waiting = world.run("list --needs-date --json --on 2027-01-07").json();
    assert_eq!(waiting[0]["reference"], "X-1");
    world.sql(
        "INSERT INTO windows (commitment, opens, due) VALUES ('X-1', '2027-02-07', '2027-02-07')",
    );
    world.once_on(["2027-01-08"]);
    assert_eq!(sent(&world)[1..], ["2027-01-08 lise@kommune.example: X-1 before:30"]);
}
