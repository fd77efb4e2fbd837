//! How fast deadline phrases are read: `cargo bench --bench phrase`.
//!
//! The rate of `table` is phrases a second on one core; 200,000 is the least that is good enough.

use std::hint::black_box;
use std::path::PathBuf;

use advis::phrase::{PHRASE_BYTES_MAX, parse};
use chrono::NaiveDate;
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};

const TABLE: &str = include_str!("../tests/it/data/phrases.tsv");

/// What takes longest by the byte: numbers, signs and letters that might begin a date and do not.
const ODD_TEXTS: [&str; 12] = [
    "Q1 ",
    "1.",
    "1-",
    "og ",
    "uge ",
    "hver ",
    "(",
    "første ",
    "i måneden ",
    "medio/",
    "1/1, ",
    "a ",
];

fn main() {
    divan::main();
}

/// The phrases of our own table, and of the shared one where there is one, with their reference dates.
fn phrases() -> Vec<(String, NaiveDate)> {
    let shared = std::env::var_os("ADVIS_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared")),
        PathBuf::from,
    );
    let shared = std::fs::read_to_string(shared.join("data/deadline-phrases.tsv"));
    [TABLE, &shared.unwrap_or_default()]
        .iter()
        .flat_map(|table| table.lines().filter(|line| !line.starts_with("# ")).skip(1))
        .filter_map(|line| {
            let (phrase, rest) = line.split_once('\t')?;
            let (reference, _) = rest.split_once('\t')?;
            Some((phrase.replace("\\n", "\n"), reference.parse().ok()?))
        })
        .collect()
}

fn reference() -> NaiveDate {
    NaiveDate::default()
}

#[divan::bench]
fn table(bencher: Bencher<'_, '_>) {
    let phrases = phrases();
    bencher.counter(ItemsCount::new(phrases.len())).bench(|| {
        for (phrase, reference) in &phrases {
            let _ = black_box(parse(black_box(phrase), *reference));
        }
    });
}

#[divan::bench(args = ODD_TEXTS)]
fn longest_phrase(bencher: Bencher<'_, '_>, text: &str) {
    let phrase = text.repeat(PHRASE_BYTES_MAX / text.len());
    bencher.counter(BytesCount::of_str(&phrase)).bench(|| parse(black_box(&phrase), reference()));
}

#[divan::bench]
fn refusal_of_a_megabyte(bencher: Bencher<'_, '_>) {
    let document = "senest 1. maj 2020 ".repeat(1_000_000 / 19);
    bencher.bench(|| parse(black_box(&document), reference()));
}
