//! The worker as a process: it starts, listens to signals, and ends.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::{FIRST_DAY, sheet, world};
use crate::world::World;

/// Nothing that a worker is asked for takes longer, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A worker and what it says. Killed when dropped, so that a failed test leaves none behind.
pub(crate) struct Worker {
    child: Child,
    lines: Receiver<String>,
    heard: Vec<String>,
}

impl Worker {
    pub(crate) fn start(world: &World) -> Self {
        let mut child = world.start("run");
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            stderr.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        Self { child, lines, heard: Vec::new() }
    }

    /// Waits for a line of the log with this word in it.
    #[track_caller]
    pub(crate) fn hear(&mut self, word: &str) -> String {
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("not a word of {word:?}: {:#?}", self.heard)
            };
            self.heard.push(line.clone());
            if line.contains(word) {
                return line;
            }
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// Its exit code, and all that it said.
    pub(crate) fn end(mut self) -> (Option<i32>, Vec<String>) {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.heard.push(line);
        }
        (self.child.wait().unwrap().code(), std::mem::take(&mut self.heard))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.child.kill().ok();
    }
}

#[test]
fn a_firing_of_many_pages_sends_each_reminder_once() {
    const LEADERS: usize = 20;
    const COMMITMENTS: usize = 1_100;
    let leader = |n: usize| format!("l{n},Leder {n},l{n}@kommune.example\n");
    let leaders: String = (0..LEADERS).map(leader).collect();
    let row = |n: usize| format!("C-{n},Status,status,2027-02-05,l{}", n % LEADERS);
    let rows: Vec<String> = (0..COMMITMENTS).map(row).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let world = World::new();
    world.import(FIRST_DAY, &format!("reference,name,email\n{leaders}"), &sheet(&rows)).ok();

    world.once_on(["2027-01-06", "2027-01-06"]);
    let sent = world.sent();
    assert_eq!(sent.len(), LEADERS);
    let items: BTreeSet<&String> = sent.iter().flat_map(|one| &one.items).collect();
    let all: Vec<String> = (0..COMMITMENTS).map(|n| format!("C-{n} before:30")).collect();
    assert_eq!(items, all.iter().collect());
}

#[test]
fn the_worker_starts_and_ends_cleanly_when_told_to() {
    for signal in ["-TERM", "-INT"] {
        let world = world(&["R-1,Status,status,2027-02-05,led"]);
        let mut worker = Worker::start(&world);
        worker.hear("worker.began");
        worker.signal(signal);
        worker.hear("worker.ended");
        assert_eq!(worker.end().0, Some(0), "{signal}");
    }
}

#[test]
fn while_it_runs_other_verbs_work_and_a_second_sender_is_sent_away() {
    let world = world(&["R-1,Status,status,2027-02-05,led"]);
    let mut worker = Worker::start(&world);
    worker.hear("delivery.began");
    world.run("list").ok();
    world.run("done R-1").ok();
    world.run("once").refused(75, &["another advis is sending"]);
    worker.signal("-TERM");
    assert_eq!(worker.end().0, Some(0));
    world.run("once").ok();
}

#[test]
fn a_broken_config_is_refused_on_reload_and_a_good_one_is_taken() {
    let world = world(&["R-1,Status,status,2027-02-05,led"]);
    world.config("[organisation]\nname = \"Vor By\"\n");
    let mut worker = Worker::start(&world);
    worker.hear("delivery.began");

    world.config("[organisation]\nnmae = \"Vor By\"\n");
    worker.signal("-HUP");
    let refused = worker.hear("config");
    for word in ["ERROR", "config/advis.toml:2", "did you mean organisation.name?"] {
        assert!(refused.contains(word), "{word}: {refused}");
    }
    worker.hear("delivery.began");

    world.config("[organisation]\nname = \"Vores By\"\n");
    worker.signal("-HUP");
    worker.hear("config.reloaded");
    worker.hear("delivery.began");
    worker.signal("-TERM");
    assert_eq!(worker.end().0, Some(0));
}

#[test]
fn a_json_log_is_json_in_every_line() {
    let world = world(&["R-1,Status,status,2027-02-05,led"]);
    world.config("[log]\nformat = \"json\"\n");
    let mut worker = Worker::start(&world);
    worker.hear("delivery.began");
    world.config("[log]\nfromat = \"json\"\n");
    worker.signal("-HUP");
    worker.hear("did you mean log.format?");
    worker.signal("-TERM");
    let (code, lines) = worker.end();
    assert_eq!(code, Some(0));
    assert!(lines.len() >= 4, "{lines:?}");
    for line in lines {
        let event: Value = serde_json::from_str(&line).expect(&line);
        assert!(event["level"].is_string() && event["timestamp"].is_string(), "{event}");
    }
}

#[test]
fn a_store_that_fails_for_a_moment_is_tried_again_after_a_second() {
    let world = world(&["R-1,Status,status,2027-02-05,led"]);
    world.run("postpone R-1 --to 2027-03-05").ok();
    let sick = "CREATE TRIGGER sick BEFORE INSERT ON attempts \
                BEGIN SELECT RAISE(ABORT, 'sick disk'); END";
    if world.sql(sick).is_none() {
        return;
    }
    let mut worker = Worker::start(&world);
    let failed = worker.hear("worker.failed");
    for word in ["sick disk", "again_in_seconds=1"] {
        assert!(failed.contains(word), "{word}: {failed}");
    }
    world.sql("PRAGMA busy_timeout = 5000; DROP TRIGGER sick").unwrap();
    worker.hear("delivery.began");
    worker.signal("-TERM");
    assert_eq!(worker.end().0, Some(0));
    // What was delivered while the disk was sick is told to the store, and not delivered again.
    let log = world.run("log --json").json();
    assert_eq!((log.len(), &log[0]["state"]), (1, &"accepted".into()), "{log:?}");
}
