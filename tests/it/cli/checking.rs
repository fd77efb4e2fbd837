//! `check` says everything that is wrong at once; what is wrong with the book is said by the other verbs, too.

use std::os::unix::ffi::OsStrExt;

use super::{FIRST_DAY, LEADERS, sheet, world};
use crate::world::{Ran, World};

const GOOD: &str = "G-1,Status på haverne,status,2027-02-05,led";

fn check(world: &World) -> Ran {
    world.run(&format!("check --on {FIRST_DAY}"))
}

#[test]
fn config_templates_and_book_are_all_looked_at_whatever_is_wrong_with_the_others() {
    let world = world(&[GOOD, "V-1,Uden leder,status,2027-03-10,gone"]);
    world.file("our/own.txt", "{% if %}").file("our/subject.txt", "{{ nobody }}");
    world.config("[mail]\nfrm = 1\n[smtp]\nconnections = 65\n[templates]\ndir = \"our\"\n");
    let ran = world.run_with("check --on 2027-02-02", &[("ADVIS__MAIL__FORM", "x")]);
    let out = ran.out.clone();
    ran.refused(
        78,
        &["mail.frm", "smtp.connections", "ADVIS__MAIL__FORM", "own.txt", "subject.txt"],
    );
    assert!(out.contains("V-1: gone is a vacancy"), "{out}");
    assert!(!out.contains("all right") && !out.contains("no rules"), "{out}");

    world.config("[templates]\ndir = \"our\"\n");
    let ran = world.run("check --on 2027-02-02");
    let out = ran.out.clone();
    ran.refused(78, &["own.txt", "subject.txt"]);
    assert!(out.contains("V-1: gone is a vacancy") && out.contains("next runs"), "{out}");
    assert!(!out.contains("templates: all right"), "{out}");

    world.config("");
    world.run("check --on 2027-02-02").ended(1);
}

#[test]
fn files_that_the_config_names_must_be_there() {
    let world = world(&[GOOD]);
    let smtp = "[smtp]\ntls = \"starttls\"\nusername = \"a\"\nca_file = \"no.pem\"\n";
    for secret in ["password_file", "token_file"] {
        for transport in ["", "[mail]\ntransport = \"smtp\"\n"] {
            world.config(&format!("{smtp}{secret} = \"no.secret\"\n{transport}"));
            let words = ["smtp.ca_file: no.pem cannot be read", secret, "no.secret cannot be read"];
            check(&world).refused(78, &words);
        }
    }
    world.file("a.secret", "x").config(
        "[smtp]\ntls = \"starttls\"\nusername = \"a\"\npassword_file = \"a.secret\"\n[mail]\ntransport = \"smtp\"\n",
    );
    check(&world).ok();
}

#[test]
fn a_circle_of_managers_is_named() {
    let world = world(&[GOOD]);
    if world.sql("UPDATE leaders SET manager = 'led' WHERE reference = 'dir'").is_none() {
        return;
    }
    let out = check(&world).ended(1).out;
    let circle = "chef: the managers go round in a circle: chef > dir > led > chef";
    assert!(out.contains(circle), "{out}");
    assert!(out.contains("1 to look at"), "{out}");
}

#[test]
fn a_variable_that_is_no_text_is_refused() {
    let world = world(&[GOOD]);
    for verb in ["check", "list"] {
        let mut command = world.advis([verb]);
        command.env("ADVIS__MAIL__FROM", std::ffi::OsStr::from_bytes(b"\xc5rhus"));
        let ran = Ran::of(command.output().unwrap());
        ran.refused(78, &["ADVIS__MAIL__FROM", "no text in UTF-8"]);
    }
}

#[test]
fn a_row_that_cannot_be_read_is_named_by_list_and_explain() {
    let world = world(&[GOOD, "B-1,Ødelagt,status,2027-02-05,led"]);
    let broken = "PRAGMA ignore_check_constraints = 1; \
                  UPDATE commitments SET document_date = 'i går' WHERE reference = 'B-1'";
    if world.sql(broken).is_none() {
        return;
    }
    let ran = world.run(&format!("list --on {FIRST_DAY}")).ended(0);
    assert!(ran.err.contains("B-1") && ran.err.contains("i går"), "{}", ran.err);
    assert!(!ran.out.contains("B-1"), "{}", ran.out);
    let ran = world.run(&format!("explain B-1 --on {FIRST_DAY}"));
    ran.refused(65, &["i går", "B-1 is in the book, but its row cannot be read"]);
    let out = check(&world).ended(1).out;
    assert!(out.contains("B-1: \"i går\" is no day"), "{out}");
}

#[test]
fn what_steers_or_reorders_a_terminal_is_left_out_of_lines_for_people() {
    let world = World::new();
    world.import(FIRST_DAY, LEADERS, &sheet(&[GOOD])).ok();
    let bad = "UPDATE commitments SET title = 'Rød' || char(10) || 'B' || char(27) || '[31ml' || char(8238) || 'å';
        UPDATE leaders SET name = 'Li' || char(27) || 'se' WHERE reference = 'led'";
    if world.sql(bad).is_none() {
        return;
    }
    for verb in ["list", "explain G-1", "plan", "once --dry-run", "check"] {
        let out = world.run(&format!("{verb} --on {FIRST_DAY}")).out;
        let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!out.contains(bad), "{verb}: {out:?}");
    }
    let out = world.run(&format!("explain G-1 --on {FIRST_DAY}")).ok();
    assert!(out.starts_with("G-1  Rød B[31mlå\n"), "{out}");
    let stored = &world.run(&format!("list --json --on {FIRST_DAY}")).json()[0];
    assert_eq!(stored["title"], "Rød\nB\u{1b}[31ml\u{202e}å");
}
