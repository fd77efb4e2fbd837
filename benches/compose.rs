//! How long a mail takes: `cargo bench --bench compose`.
//!
//! `reminder` and `digest` make the bytes of one mail, `reminders` those of a page of them together, as a firing does;
//! `freeze` writes such a page into a store, with its flush to the disk. The rates are mails a second.

use std::cell::Cell;
use std::hint::black_box;

use advis::domain::commitment::Commitment;
use advis::domain::leader::Language;
use advis::domain::reminder::Item;
use advis::domain::rule::Step;
use advis::mail::compose::{Facts, Letter, Templates, compose_all};
use advis::store::Store;
use advis::store::outbox::{FREEZE_PAGE, Frozen, Purpose};
use divan::Bencher;
use divan::counter::ItemsCount;

#[allow(dead_code, clippy::expect_used, reason = "shared with the tests, which use all of it")]
#[path = "../tests/it/compose/scene.rs"]
mod scene;

fn main() {
    divan::main();
}

/// One item for each of the commitments, with those.
fn items(count: usize) -> (Vec<Item>, Vec<Commitment>) {
    let one = |number| {
        let reference = format!("NB-{number}");
        let item = scene::item(&reference, Step::Before(7), "2020-06-21", "2020-06-30");
        (item, scene::commitment(&reference))
    };
    (1..=count).map(one).unzip()
}

/// So many mails, each about so many commitments.
fn compose(bencher: Bencher<'_, '_>, mails: usize, about: usize) {
    let (items, book) = items(about);
    let message = scene::own(Language::Danish, items);
    let letters = vec![Letter::Reminders { message: &message, edition: 0 }; mails];
    let facts = Facts {
        sender: &scene::sender(),
        people: &scene::people(Language::Danish),
        book: &|reference| book.iter().find(|one| one.reference == reference),
        last_event: &|_| 17,
        links: None,
    };
    let templates = Templates::built_in();
    bencher
        .counter(ItemsCount::new(mails))
        .bench_local(|| compose_all(black_box(&letters), &facts, &templates, scene::now()));
}

#[divan::bench]
fn reminder(bencher: Bencher<'_, '_>) {
    compose(bencher, 1, 1);
}

#[divan::bench]
fn digest(bencher: Bencher<'_, '_>) {
    compose(bencher, 1, 10);
}

#[divan::bench]
fn reminders(bencher: Bencher<'_, '_>) {
    compose(bencher, FREEZE_PAGE, 1);
}

/// A page of one mail, each under a Message-ID of its own.
fn page(first: usize) -> Vec<Frozen> {
    let (items, book) = items(1);
    let message = scene::own(Language::Danish, items);
    let mail = scene::mail(&message, &book);
    let frozen = |number| Frozen {
        purpose: Purpose::Own,
        day: message.on,
        sender: mail.sender.clone(),
        recipient: mail.recipient.clone(),
        name: message.to.name.clone(),
        subject: mail.subject.clone(),
        message_id: format!("<{number}@nordby.example>"),
        mime: mail.mime.clone(),
        sha256: "0".repeat(64),
        items: vec![("NB-1".to_owned(), "before:7".to_owned())],
        reminders: Vec::new(),
        book_version: None,
        rehearsal: true,
    };
    (first..first + FREEZE_PAGE).map(frozen).collect()
}

#[divan::bench]
fn freeze(bencher: Bencher<'_, '_>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (Ok(folder), Ok(runtime)) = (tempfile::tempdir(), runtime) else { return };
    let Ok(store) = runtime.block_on(Store::open(&folder.path().join("advis.db"))) else { return };
    let first = Cell::new(0);
    bencher
        .counter(ItemsCount::new(FREEZE_PAGE))
        .with_inputs(|| page(first.replace(first.get() + FREEZE_PAGE)))
        .bench_local_values(|page| runtime.block_on(store.freeze(&page, scene::now())).ok());
}
