//! The operator's verbs: hold, release and resend messages, and copy the store, all beside a running worker.

use std::fs;
use std::process::Child;
use std::time::Duration;

use advis::delivery::state::Stage;
use advis::mail::transport::smtp::Tls;

use super::{FIRST_DAY, world};
use crate::smtp_server::{Reaction, Script, SmtpServer, reply, silence};
use crate::world::{Ran, STORE, World};

const DUE: &str = "2027-02-05";
const GOOD: &str = "G-1,Status på haverne,status,2027-02-05,led";

/// A world whose mail goes to that server.
fn served(server: &SmtpServer) -> World {
    let world = world(&[GOOD]);
    world.config(&format!(
        "[mail]\ntransport = \"smtp\"\n[smtp]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nconnections = 1\n",
        server.addr.port()
    ));
    world
}

fn by_anna(world: &World, line: &str) -> Ran {
    let line = format!("{line} --on {DUE} --rehearsal");
    world.run_with(&line, &[("SUDO_USER", "anna")])
}

/// A process that is ended whatever becomes of the test.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Looks again and again until it is so, as a person would.
fn until(is_so: impl Fn() -> bool) {
    for _ in 0..600 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it never came to be so");
}

#[test]
fn a_rejected_message_is_sent_again_and_the_log_says_who_wanted_it() {
    let script = Script::new(Tls::None).on(Stage::Rcpt, [reply(550, "5.7.1 blocked by mistake")]);
    let server = SmtpServer::start(script);
    let world = served(&server);
    let once = format!("once --on {DUE} --rehearsal");
    world.run(&once).ended(1);
    let refused = by_anna(&world, "resend 7 1");
    refused.refused(66, &["message 7", "advis log", "nothing was changed"]);

    let out = by_anna(&world, "resend #1").ok();
    assert!(out.contains("#1 to lise@kommune.example: ready"), "{out}");
    assert!(out.contains("it was rejected"), "{out}");
    let log = world.run("log").ok();
    assert!(log.contains("to be sent: #1  ready  lise@kommune.example  G-1 due"), "{log}");
    world.run(&once).ok();
    assert_eq!(server.ledger().len(), 2, "and the secretariat was told");

    let states: Vec<_> = world
        .run("log --json")
        .json()
        .into_iter()
        .filter(|line| line["to"] == "lise@kommune.example")
        .map(|line| (line["state"].clone(), line["who"].clone(), line["attempt"].clone()))
        .collect();
    let told = [("rejected", None, 1), ("ready", Some("anna"), 1), ("accepted", None, 2)];
    let told = told.map(|(state, who, attempt)| (state.into(), who.into(), attempt.into()));
    assert_eq!(states, told);
    let explained = world.run(&format!("explain G-1 --on {DUE}")).ok();
    assert!(explained.contains("anna: resent"), "{explained}");
    by_anna(&world, "resend 1").refused(65, &["message 1 is accepted", "nothing was changed"]);
}

#[test]
fn what_makes_no_sense_is_refused_with_the_message_s_state() {
    let world = world(&[GOOD]);
    world.once_on([DUE]);
    let before = world.dump();
    for (line, code, words) in [
        ("hold 1", 65, ["message 1 is accepted", "the server has it"]),
        ("release 1", 65, ["message 1 is accepted", "the server has it"]),
        ("resend 1", 65, ["message 1 is accepted", "Message-ID"]),
        ("hold 1 2", 66, ["message 2", "nothing was changed"]),
        ("hold", 2, ["<ID>", "Usage"]),
        ("hold x", 2, ["a message has a number", "advis log"]),
        ("release 1 --restored", 2, ["cannot be used with", "--restored"]),
        ("release 1 --as-sent", 2, ["--as-sent", "Usage"]),
        ("release --restored", 65, ["the store is not on hold", "nothing was changed"]),
    ] {
        world.run(&format!("{line} --on {DUE}")).refused(code, &words);
        assert_eq!(world.dump(), before, "{line}");
    }
}

#[test]
fn a_message_is_held_beside_a_worker_that_waits_for_the_server() {
    let script = Script::new(Tls::None).on(Stage::Rcpt, [silence()]).offers(&[]);
    let server = SmtpServer::start(script);
    let world = served(&server);
    let line = format!("once --on {DUE} --rehearsal");
    let worker = Started(world.start(&line));
    until(|| server.texts().iter().any(|line| line.starts_with("RCPT")));
    let held = by_anna(&world, "hold 1").ok();
    assert!(held.contains("#1 to lise@kommune.example: held") && held.contains("it was open"));
    drop(worker);
    // Whoever comes next leaves it held.
    world.run(&line).ended(1);
    assert_eq!(server.ledger(), []);
    by_anna(&world, "release 1").ok();
    world.run(&line).ok();
    assert_eq!(server.ledger().len(), 1);
}

#[test]
fn a_second_sender_in_the_middle_of_a_body_is_sent_away_at_once_and_changes_nothing() {
    let server = SmtpServer::start(Script::new(Tls::None).on(Stage::Body, [silence()]));
    let world = served(&server);
    let line = format!("once --on {DUE} --rehearsal");
    let worker = Started(world.start(&line));
    until(|| server.ledger().len() == 1);
    let before = world.dump();
    world.run(&line).refused(75, &["another advis is sending from data/advis.db"]);
    by_anna(&world, "hold 1").refused(65, &["message 1 is body", "on its way right now"]);
    // The other verbs go on, and a copy is whole.
    world.run("backup copy.db").ok();
    assert_eq!(world.dump(), before);
    drop(worker);
    let copy = [("ADVIS__STORE__PATH", "copy.db")];
    let log = world.run_with("log", &copy).ok();
    assert!(log.contains("to be sent: #1  body"), "{log}");
    assert_eq!(server.sessions(), 1);
}

#[test]
fn a_copy_is_complete_or_not_there_and_never_over_another_file() {
    let world = world(&[GOOD]);
    world.once_on([DUE]);
    let out = world.run("backup copies.db").ok();
    assert!(out.contains("copied to copies.db"), "{out}");
    let copy = [("ADVIS__STORE__PATH", "copies.db")];
    assert_eq!(world.run_with("log", &copy).ok(), world.run("log").ok());
    assert_eq!(world.run_with("check", &copy).ok(), world.run("check").ok());

    let before = fs::read(world.path("leaders.csv")).unwrap();
    world.run("backup leaders.csv").refused(65, &["leaders.csv is there already", "no copy"]);
    assert_eq!(fs::read(world.path("leaders.csv")).unwrap(), before);
    world.run("backup nowhere/copy.db").refused(1, &["nowhere/copy.db cannot be written"]);
    world.run("backup leaders.csv/copy.db").refused(1, &["no copy was made"]);
    World::new().run("backup copy.db").refused(66, &["there is no store"]);

    // What a crash left of a copy is in nobody's way.
    world.file("second.db.part", "half a copy");
    world.run("backup second.db").ok();
    let names: Vec<_> = fs::read_dir(world.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".part"))
        .collect();
    assert!(names.is_empty(), "{names:?}");
    assert!(world.path(STORE).exists());
}

#[test]
fn pretending_a_day_releases_no_message_of_a_real_history() {
    let world = world(&[GOOD]);
    world.once_on([DUE]);
    if world.sql("UPDATE messages SET rehearsal = 0").is_none() {
        return;
    }
    for line in ["release 1", "resend 1", "release --restored"] {
        let ran = world.run(&format!("{line} --on {FIRST_DAY}"));
        ran.refused(2, &["real deliveries", "--rehearsal"]);
    }
}

#[test]
fn a_mail_left_unknown_twice_waits_for_a_person_and_goes_when_released() {
    let cuts = [Reaction::TakeAndCut, Reaction::TakeAndCut];
    let server = SmtpServer::start(Script::new(Tls::None).on(Stage::Body, cuts));
    let world = served(&server);
    let line = format!("once --on {DUE} --rehearsal");
    world.run(&line).ended(1);
    by_anna(&world, "resend 1").ok();
    world.run(&line).ok();
    let ledger = server.ledger();
    assert_eq!(ledger.len(), 3);
    assert!(ledger.iter().all(|copy| copy.data == ledger[0].data));
}
