//! The rehearsal that README shows first.

use std::fs;
use std::path::Path;

use crate::world::World;

fn mails(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir.join("mail")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".eml")).collect();
    names.sort();
    names
}

#[test]
fn the_demo_draws_its_picture_writes_mails_and_can_be_run_again() {
    let world = World::new();
    fs::create_dir(world.path("stage")).unwrap();
    let out = world.run("demo --dir stage").ok();
    for word in ["stage", ".eml", "NK-MAD-3", "advis --config"] {
        assert!(out.contains(word), "{word}: {out}");
    }
    let dir = world.path("stage");
    let first = mails(&dir);
    assert!(first.len() > 100, "{} mails", first.len());
    let mail = fs::read(dir.join("mail").join(&first[0])).unwrap();
    let mail = mailparse::parse_mail(&mail).unwrap();
    assert!(mail.subparts.len() > 1 && !mail.headers.is_empty());
    assert!(out.lines().all(|line| !line.contains('\u{1b}')), "no colour where nobody sees it");

    // The commands that it names work.
    let named: Vec<&str> = out
        .lines()
        .filter_map(|line| line.split_once("advis --config "))
        .map(|(_, rest)| rest.trim())
        .collect();
    assert!(!named.is_empty(), "{out}");
    for rest in named {
        world.run(&format!("--config {rest}")).ok();
    }
    world.run("demo --dir stage").ok();
    assert_eq!(mails(&dir).len(), first.len(), "the same again, not twice");
}

#[test]
fn a_folder_with_something_of_somebody_elses_is_refused_and_left_alone() {
    let theirs = "[organisation]\nname = \"Vor By\"\n";
    let demos = "# The demo's municipality; every other key has its default.\n";
    for files in [
        &[("letter.txt", "Kære Lise")][..],
        &[("advis.toml", theirs), ("advis.db", "real")],
        &[("advis.toml", demos), ("advis.db", ""), ("letter.txt", "Kære Lise")],
    ] {
        let world = World::new();
        for (name, text) in files {
            world.file(&format!("theirs/{name}"), text);
        }
        world.run("demo --dir theirs").refused(2, &["theirs is not empty", "--dir"]);
        assert_eq!(fs::read_dir(world.path("theirs")).unwrap().count(), files.len());
        for (name, text) in files {
            assert_eq!(fs::read_to_string(world.path("theirs").join(name)).unwrap(), *text);
        }
    }
}

#[test]
fn a_place_that_takes_no_folder_is_named() {
    let world = World::new();
    world.file("plain", "a file");
    world.run("demo --dir plain/demo").refused(78, &["plain/demo cannot be written"]);
}
