//! The operator's verbs, beside a running worker.

use std::fs;

use super::world;
use crate::world::{STORE, World};

const DUE: &str = "2027-02-05";
const GOOD: &str = "G-1,Status på haverne,status,2027-02-05,led";

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
