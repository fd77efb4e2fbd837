//! How long a mail takes: `cargo bench --bench compose`.
//!
//! `reminder` and `digest` make the bytes of one mail; `freeze` writes a page of them into a store, with its flush to
//! the disk. The rates are mails a second.

use std::cell::Cell;
use std::hint::black_box;

use advis::domain::commitment::Commitment;
use advis::domain::leader::Language;
use advis::domain::rule::Step;
use advis::mail::compose::{Letter, Templates};
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

/// A mail about so many commitments.
fn compose(bencher: Bencher<'_, '_>, items: usize) {
    let templates = Templates::built_in();
    let references: Vec<String> = (0..items).map(|number| format!("NB-{number}")).collect();
    let book: Vec<Commitment> = references.iter().map(|one| scene::commitment(one)).collect();
    let items = references
        .iter()
        .map(|one| scene::item(one, Step::Before(7), "2020-06-21", "2020-06-30"))
        .collect();
    let message = scene::own(Language::Danish, items);
    bencher.counter(ItemsCount::new(1_u8)).bench_local(|| {
        let letter = Letter::Reminders { message: black_box(&message), edition: 0 };
        scene::compose(letter, &book, &templates).map(|mail| mail.mime.len()).ok()
    });
}

#[divan::bench]
fn reminder(bencher: Bencher<'_, '_>) {
    compose(bencher, 1);
}

#[divan::bench]
fn digest(bencher: Bencher<'_, '_>) {
    compose(bencher, 10);
}

/// A page of one mail, each under a Message-ID of its own.
fn page(first: usize) -> Option<Vec<Frozen>> {
    let message = scene::own(
        Language::Danish,
        vec![scene::item("NB-1", Step::Before(7), "2020-06-21", "2020-06-30")],
    );
    let letter = Letter::Reminders { message: &message, edition: 0 };
    let book = [scene::commitment("NB-1")];
    let mail = scene::compose(letter, &book, &Templates::built_in()).ok()?;
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
    Some((first..first + FREEZE_PAGE).map(frozen).collect())
}

#[divan::bench]
fn freeze(bencher: Bencher<'_, '_>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let (Ok(folder), Ok(runtime)) = (tempfile::tempdir(), runtime) else { return };
    let Ok(store) = runtime.block_on(Store::open(&folder.path().join("advis.db"))) else { return };
    let first = Cell::new(0);
    bencher
        .counter(ItemsCount::new(FREEZE_PAGE))
        .with_inputs(|| page(first.replace(first.get() + FREEZE_PAGE)).unwrap_or_default())
        .bench_local_values(|page| runtime.block_on(store.freeze(&page, scene::now())).ok());
}
