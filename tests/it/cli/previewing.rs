//! `preview`: the mail to come, looked at before anybody gets it.

use std::fs;

use super::{FIRST_DAY, world};
use crate::world::World;

const BOOK: [&str; 2] = [
    "P-1,Status på de nye stier,status,2027-01-29,led",
    "P-2,Evaluer ordningen,evaluation,2027-01-29,led;vice",
];

/// The only file with that ending in a folder of the world.
fn only(world: &World, folder: &str, ending: &str) -> Vec<u8> {
    let entries = fs::read_dir(world.path(folder)).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|one| one == ending)).collect();
    let [file] = files.as_slice() else { panic!("{files:?}") };
    fs::read(file).unwrap()
}

#[test]
fn what_is_shown_is_byte_for_byte_what_is_sent_on_that_day() {
    let world = world(&BOOK[..1]);
    let shown = world.run("preview P-1 --form eml --on 2027-01-05").ok();
    assert!(world.mails().is_empty(), "nothing is sent");
    world.once_on(["2027-01-05", "2027-01-15"]);
    let mut sent = fs::read_dir(world.path("data/mail")).unwrap();
    let file = sent.next().expect("a mail").unwrap().path();
    assert_eq!(shown, fs::read_to_string(file).unwrap());
}

#[test]
fn a_person_at_the_keyboard_reads_day_reader_subject_and_text() {
    let world = world(&BOOK[..1]);
    let shown = world.run("preview P-1 --on 2027-01-11").ok().replace('\u{a0}', " ");
    let head = "Goes:    Fri 2027-01-15\nTo:      lise@kommune.example\nSubject: Påmindelse: Status på de nye stier – \
                frist fredag den 29. januar 2027\n\nKære Lise Holm\n\nOpgaven har frist om 14 dage";
    assert!(shown.starts_with(head), "{shown}");
    let html = world.run("preview --to LISE@kommune.example --form html --on 2027-01-11").ok();
    assert!(html.starts_with("<!doctype html>\n"), "{html}");
}

#[test]
fn several_mails_of_a_day_go_into_a_folder_each_in_three_forms() {
    let world = world(&BOOK);
    let one = "preview P-2 --form eml --on 2027-01-11";
    world.run(one).refused(2, &["2 mails go that day", "--dir DIR"]);
    let text = world.run("preview P-2 --on 2027-01-11").ok();
    assert_eq!(text.matches("\n----\n").count(), 1, "{text}");
    let written = world.run("preview P-2 --dir look --on 2027-01-11").ok();
    assert_eq!(written.lines().count(), 6, "{written}");
    for file in written.lines() {
        assert!(world.path(file).exists(), "{file}");
    }
    let alone = world.run("preview --to lise@kommune.example --dir lise --on 2027-01-11").ok();
    assert_eq!(alone.lines().count(), 3);
    let mime = only(&world, "lise", "eml");
    let mail = mailparse::parse_mail(&mime).unwrap();
    assert_eq!(
        crate::world::part(&mail, "text/html").unwrap().as_bytes(),
        only(&world, "lise", "html")
    );
}

#[test]
fn where_nothing_comes_it_says_so_and_what_is_unknown_is_named() {
    let world = world(&BOOK[..1]);
    world.run(&format!("done P-1 --on {FIRST_DAY}")).ok();
    let none = world.run("preview P-1 --on 2027-01-05").ok();
    assert_eq!(none, "no mail about P-1 comes within 366 days\n");
    let nobody = world.run("preview --to ingen@kommune.example --on 2027-01-05").ok();
    assert_eq!(nobody, "no mail to ingen@kommune.example comes within 366 days\n");
    world.run("preview P-9 --on 2027-01-05").refused(66, &["P-9"]);
    world.run("preview --to ingen --on 2027-01-05").refused(2, &["--to ingen"]);
    world.run("preview").refused(2, &["REF"]);
    World::new().run("preview P-1").refused(66, &["import"]);
}
