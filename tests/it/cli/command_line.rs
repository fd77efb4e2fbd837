//! The command line itself: flags, help, pipes.

use std::io::{BufRead, BufReader};

use super::{FIRST_DAY, LEADERS, sheet, world};
use crate::world::{Ran, World};

/// Every verb that README names.
fn verbs() -> Vec<&'static str> {
    let readme = include_str!("../../../README.md");
    let (_, table) = readme.split_once("## Commands").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let cells = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(" |"));
    let quoted = cells.flat_map(|(cell, _)| cell.split('`'));
    let words = quoted.filter_map(|code| code.split_whitespace().next());
    words.filter(|word| word.chars().all(|c| c.is_ascii_lowercase())).collect()
}

#[test]
fn the_help_names_every_verb_and_every_verb_has_help() {
    let world = World::new();
    let help = world.run("--help").ok();
    let verbs = verbs();
    assert!(verbs.len() > 15, "{verbs:?}");
    for verb in verbs {
        assert!(help.contains(&format!("  {verb}")), "{verb}: {help}");
        let of_verb = world.run(&format!("{verb} --help")).ok();
        for word in ["Usage:", verb, "--config", "--on"] {
            assert!(of_verb.contains(word), "{verb}: {of_verb}");
        }
    }
    let version = world.run("--version").ok();
    assert_eq!(version.trim(), concat!("advis ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn flags_stand_before_and_after_the_verb() {
    let world = world(&["F-1,Status,status,2027-02-05,led"]);
    world.file("other.toml", "[organisation]\nname = \"Vor By\"\n");
    let before = world.run("--config other.toml --on 2027-01-05 list --json").ok();
    let after = world.run("list --json --on 2027-01-05 --config other.toml").ok();
    let between = world.run("--on 2027-01-05 list --config other.toml --json").ok();
    assert!(before.contains("\"days_left\":31"), "{before}");
    assert_eq!((&after, &between), (&before, &before));
}

#[test]
fn a_command_line_that_makes_no_sense_says_so() {
    let world = world(&["F-1,Status,status,2027-02-05,led"]);
    for (line, words) in [
        ("", ["Usage:"]),
        ("lst", ["'list'"]),
        ("list --overdu", ["'--overdue'"]),
        ("list --on 5.2.2027", ["write a day as YYYY-MM-DD"]),
        ("list --on 0001-01-01", ["days are from 1900-01-01 on"]),
        ("plan --from 12027-01-01", ["write a day as YYYY-MM-DD"]),
        ("plan --to 2027-02-30", ["no such day"]),
        ("log --since 2027-1-5", ["write a day as YYYY-MM-DD"]),
        ("assign --from led vice --on-day 1800-01-01", ["days are from 1900-01-01 on"]),
        ("snooze F-1 led --to 202-01-01", ["write a day as YYYY-MM-DD"]),
        ("done", ["<REF>"]),
        ("import", ["<FILE>"]),
        ("postpone F-1", ["--to"]),
        ("assign F-1", ["at least one leader"]),
        ("plan --from 2027-02-05 --to 2027-01-05", ["is before --from"]),
        ("deadline -", ["--json"]),
    ] {
        world.run(line).refused(2, &words);
    }
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let rows: Vec<String> = (0..3_000)
        .map(|n| format!("L-{n},{},status,2027-02-05,led", "Løfte ".repeat(20)))
        .collect();
    let world = World::new();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    world.import(FIRST_DAY, LEADERS, &sheet(&rows)).ok();
    for line in ["list --json", "list", "plan --json", "plan"] {
        let mut child = world.start(&format!("{line} --on {FIRST_DAY}"));
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        assert!(!first.is_empty(), "{line}");
        let ran = Ran::of(child.wait_with_output().unwrap()).ended(0);
        assert_eq!(ran.err, "", "{line}");
    }
}

#[test]
fn a_fresh_folder_needs_no_config() {
    let world = World::new();
    let out = world.run("check").ok();
    for word in [
        "config, environment and templates: all right",
        "next runs of reminders",
        "no store at data/advis.db yet",
    ] {
        assert!(out.contains(word), "{out}");
    }
    world.import(FIRST_DAY, LEADERS, &sheet(&["F-1,Status,status,2027-02-03,led"])).ok();
    world.once_on([FIRST_DAY]);
    assert_eq!(world.mails().len(), 1);
    let checked = world.run(&format!("check --on {FIRST_DAY}")).ok();
    assert!(checked.contains("address book and book: all right"), "{checked}");
}
