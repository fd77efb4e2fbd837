//! A store that was put back from a backup must not send again what it does not know was sent.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use super::{sent, world};
use crate::world::{Ran, STORE, World};

/// Steps of kind `status` in the built-in rules: before 30, 7; due; overdue.
const PLANTS: &str = "P-1,Plantning,status,2027-02-05,led";
const SIGNS: &str = "S-1,Skilte,status,2027-04-05,led";

const LOCK: &str = "data/advis.db.lock";

fn copy(world: &World, from: &str, to: &str) {
    fs::copy(world.path(from), world.path(to)).unwrap();
}

/// Puts a backup in the place of the store, the way the README says.
fn put_back(world: &World) {
    for rest in ["-wal", "-shm"] {
        fs::remove_file(world.path(&format!("{STORE}{rest}"))).ok();
    }
    copy(world, "backup.db", STORE);
}

/// A store that sent on two days and was then put back as it was after the first.
fn restored() -> World {
    let world = world(&[PLANTS, SIGNS]);
    world.once_on(["2027-01-06"]);
    world.run("backup backup.db").ok();
    world.once_on(["2027-01-29", "2027-02-05"]);
    put_back(&world);
    world
}

fn once(world: &World, day: &str) -> Ran {
    world.run(&format!("once --on {day}"))
}

#[test]
fn a_restored_store_plans_and_sends_nothing_and_says_so_until_it_is_released() {
    let world = restored();
    let before = world.mails().len();
    // Before any sender begins, looking is enough to know it, and changes nothing.
    let dump = world.dump();
    let checked = world.run("check --on 2027-02-08").ended(1).out;
    assert!(checked.contains("about to be put on hold"), "{checked}");
    assert_eq!(world.dump(), dump);

    for day in ["2027-02-08", "2027-02-09"] {
        let ran = once(&world, day).ended(1);
        for word in
            ["restored from a backup", "advis release --restored", "due 0, sent 0", "on hold"]
        {
            assert!(ran.out.contains(word), "{word}: {}", ran.out);
        }
        assert!(ran.err.contains("delivery.on_hold"), "{}", ran.err);
    }
    assert_eq!(world.mails().len(), before);
    for line in ["list", "list --json"] {
        let ran = world.run(&format!("{line} --on 2027-02-09")).ended(0);
        assert!(ran.err.contains("on hold since 2027-02-08"), "{}", ran.err);
    }
    let checked = world.run("check --on 2027-02-09").ended(1).out;
    assert!(checked.contains("on hold since 2027-02-08T08:00:00+01:00"), "{checked}");
    let rehearsed = world.run("once --dry-run --on 2027-02-09").ended(0);
    assert!(rehearsed.err.contains("on hold"), "{}", rehearsed.err);
}

#[test]
fn released_the_latest_step_of_each_window_goes_once() {
    let world = restored();
    once(&world, "2027-02-08").ended(1);
    let out = world.run("release --restored --on 2027-02-08").ok();
    assert!(out.contains("the latest step of each window goes out, once"), "{out}");
    assert!(out.contains("due: 1 message;"), "{out}");
    once(&world, "2027-02-09").ok();
    once(&world, "2027-02-09").ok();
    let lines = sent(&world);
    assert_eq!(
        lines[1..],
        ["2027-02-09 lise@kommune.example: P-1 overdue:1"],
        "one digest, with the latest steps only: {lines:?}"
    );
    // It is as healthy as any other from now on.
    assert!(!world.run("list --on 2027-02-10").ended(0).err.contains("hold"));
    world.run("release --restored --on 2027-02-10").refused(65, &["not on hold"]);
}

#[test]
fn counted_as_sent_nothing_is_repeated_and_what_comes_later_goes() {
    let world = restored();
    let before = world.mails().len();
    once(&world, "2027-02-08").ended(1);
    let out = world.run("release --restored --as-sent --on 2027-02-09").ok();
    assert!(out.contains("all that was due up to 2027-02-08 counts as sent"), "{out}");
    once(&world, "2027-02-09").ok();
    assert_eq!(world.mails().len(), before);
    once(&world, "2027-03-08").ok();
    let lines = sent(&world);
    assert!(lines.last().unwrap().contains("S-1 before:30"), "{lines:?}");
}

#[test]
fn it_may_be_released_before_any_sender_began() {
    for flag in ["", "--as-sent"] {
        let world = restored();
        world.run(&format!("release --restored {flag} --on 2027-02-09")).ok();
        once(&world, "2027-02-09").ok();
        assert!(!world.run("check --on 2027-02-09").out.contains("hold"));
    }
}

#[test]
fn the_same_backup_restored_again_is_noticed_again() {
    let world = restored();
    once(&world, "2027-02-08").ended(1);
    world.run("release --restored --on 2027-02-08").ok();
    once(&world, "2027-02-09").ok();
    put_back(&world);
    once(&world, "2027-02-10").ended(1);
    let checked = world.run("check --on 2027-02-10").out;
    assert!(checked.contains("on hold since 2027-02-10"), "{checked}");
}

#[test]
fn what_the_backup_had_frozen_and_not_sent_is_planned_anew_or_written_off() {
    for (flag, mails) in [("", 1), ("--as-sent", 0)] {
        let world = world(&[PLANTS]);
        // Nobody takes the mail on that day.
        let nobody = [("ADVIS__MAIL__TRANSPORT", "smtp"), ("ADVIS__SMTP__PORT", "1")];
        world.run_with("once --on 2027-01-06 --rehearsal", &nobody).ended(75);
        world.run("backup backup.db").ok();
        world.once_on(["2027-01-07"]);
        let before = world.mails().len();
        assert_eq!(before, 1);
        put_back(&world);
        once(&world, "2027-01-08").ended(1);
        world.run(&format!("release --restored {flag} --on 2027-01-08")).ok();
        once(&world, "2027-01-08").ok();
        once(&world, "2027-01-11").ok();
        assert_eq!(world.mails().len() - before, mails, "{flag:?}");
        let log = world.run("log").ok();
        assert!(!log.contains("to be sent"), "{log}");
    }
}

#[test]
fn a_healthy_store_is_never_put_on_hold() {
    let world = world(&[PLANTS]);
    world.once_on(["2027-01-06"]);
    let mark = fs::read_to_string(world.path(LOCK)).unwrap();
    let (instance, generation) = mark.trim_end().split_once(' ').unwrap();
    let generation: u64 = generation.parse().unwrap();
    assert!(generation >= 3, "at the start, before and after a pass: {mark}");
    for left in [
        // Killed between the store and the file.
        format!("{instance} {:019}\n", generation - 1),
        // Made by an older Advis, or damaged.
        String::new(),
        mark[..20].to_owned(),
        "hvad er det?\n".repeat(9),
        // Left by a store that was here before.
        format!("{} {:019}\n", "0".repeat(32), generation + 9),
    ] {
        world.file(LOCK, &left);
        world.run("once --on 2027-01-07").ok();
        let checked = world.run("check --on 2027-01-07").ok();
        assert!(!checked.contains("hold"), "{left:?}: {checked}");
    }
    // A backup put back before anything else was sent has lost nothing.
    world.run("backup backup.db").ok();
    put_back(&world);
    world.run("once --on 2027-01-07").ok();
}

#[test]
fn a_restored_store_never_takes_back_what_was_left_beside_it() {
    let world = restored();
    let mark = || {
        let mark = fs::read_to_string(world.path(LOCK)).unwrap();
        mark.trim_end().rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()
    };
    let before = mark();
    once(&world, "2027-02-08").ended(1);
    assert!(mark() > before);
}

#[test]
fn an_operator_may_say_that_a_store_was_restored() {
    let world = world(&[PLANTS]);
    let out = world.run("hold --restored --on 2027-01-05").ok();
    assert!(out.contains("nothing is planned or sent"), "{out}");
    assert!(world.run("hold --restored --on 2027-01-06").ok().contains("already"));
    once(&world, "2027-01-06").ended(1);
    assert_eq!(world.mails().len(), 0);
    world.run("release --restored --on 2027-01-06").ok();
    once(&world, "2027-01-06").ok();
    assert_eq!(world.mails().len(), 1);
}

#[test]
fn a_store_that_lost_the_end_of_its_wal_is_put_on_hold_or_has_lost_nothing() {
    // While it is being read, nobody moves the WAL into the file.
    let world = world(&[PLANTS]);
    world.once_on(["2027-01-06"]);
    let Some(mut reader) = Reader::open(&world) else { return };
    world.once_on(["2027-01-29"]);
    let (store, wal) = (world.path(STORE), world.path(&format!("{STORE}-wal")));
    let (store_bytes, wal_bytes) = (fs::read(&store).unwrap(), fs::read(&wal).unwrap());
    let mark = fs::read(world.path(LOCK)).unwrap();
    reader.close();
    let mut codes = std::collections::BTreeMap::new();
    for kept in [0, 20, 4_000, wal_bytes.len() / 2, wal_bytes.len() - 1, wal_bytes.len()] {
        fs::remove_file(world.path(&format!("{STORE}-shm"))).ok();
        fs::write(&store, &store_bytes).unwrap();
        fs::write(&wal, &wal_bytes[..kept]).unwrap();
        world.file(LOCK, &mark);
        let code = world.run("once --on 2027-02-01").code();
        codes.insert(kept, code);
        assert_eq!(world.mails().len(), 2, "{kept} of {} bytes", wal_bytes.len());
    }
    let codes: Vec<_> = codes.into_values().map(Option::unwrap).collect();
    assert_eq!(codes, [1, 1, 1, 1, 1, 0]);
}

/// Another program that reads the store for a while.
struct Reader(Child);

impl Reader {
    /// `None`, and a line about it, without `sqlite3`.
    fn open(world: &World) -> Option<Self> {
        let mut command = Command::new("sqlite3");
        command.arg(world.path(STORE)).stdin(Stdio::piped()).stdout(Stdio::piped());
        let Ok(mut child) = command.spawn() else {
            eprintln!("skipped: the program sqlite3 is not installed");
            return None;
        };
        let stdin = child.stdin.as_mut().unwrap();
        stdin.write_all(b"BEGIN; SELECT count(*) FROM meta;\n").unwrap();
        let mut answer = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut answer).unwrap();
        Some(Self(child))
    }

    fn close(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.close();
    }
}
