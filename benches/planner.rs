//! How long planning takes: `cargo bench --bench planner`.
//!
//! `plan` is one day, and decides about every step of every commitment; the rate is commitments a second on one core.
//! `year` is what `advis plan` shows for a year. The book of a million takes about a gigabyte of memory.

use std::collections::BTreeMap;
use std::hint::black_box;

use advis::domain::address::{EmailAddress, Mailbox};
use advis::domain::calendar::Calendar;
use advis::domain::commitment::{BookWindow, Commitment, Responsible, Source, Status};
use advis::domain::leader::{Language, Leader, People, Period};
use advis::domain::reminder::History;
use advis::domain::rule::{KindRules, KindTable, Overdue};
use advis::domain::window::Window;
use advis::planner::{self, Rules};
use advis::schedule::{Schedule, SendingDays};
use chrono::{Days, NaiveDate};
use divan::Bencher;
use divan::counter::ItemsCount;

/// Commitments that one leader answers for.
const COMMITMENTS_EACH: u64 = 10;

/// Leaders under one manager.
const LEADERS_EACH: u64 = 20;

/// Days before and after today between which deadlines lie.
const DAYS_AROUND: u64 = 400;

/// A step between deadlines that has no factor in common with the days: they are spread evenly, in no order.
const STRIDE: u64 = 37;

fn main() {
    divan::main();
}

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 23).unwrap_or_default()
}

fn after(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(day)
}

fn address(name: &str) -> Option<EmailAddress> {
    format!("{name}@kommune.example").parse().ok()
}

fn rules() -> Option<Rules> {
    let kind = KindRules {
        before: vec![30, 7],
        opens: true,
        due: true,
        overdue: Overdue { first: 3, every: 14, at_most: 3 },
        escalate: vec![21],
    };
    let schedule = Schedule::parse("0 8 * * Mon-Fri").ok()?;
    let sending = SendingDays::new(Calendar::default(), schedule);
    Some(Rules::new(KindTable::new(kind, BTreeMap::new()), sending, &[], today()))
}

fn people(commitments: u64) -> Option<People> {
    let leader = |number: u64| Leader {
        reference: format!("L{number}"),
        name: format!("Leder {number}"),
        email: address(&format!("leder{number}")),
        role: String::new(),
        unit: String::new(),
        manager: number
            .checked_div(LEADERS_EACH)
            .filter(|above| *above > 0)
            .map(|above| format!("L{above}")),
        deputy: None,
        language: Language::Danish,
        active: Period::default(),
        absent: Period::default(),
    };
    let leaders = (0..=commitments / COMMITMENTS_EACH).map(leader);
    let secretariat =
        Mailbox { name: "Sekretariatet".to_owned(), address: address("sekretariat")? };
    Some(People::new(leaders, secretariat, Language::Danish))
}

/// Open commitments, their deadlines spread around today.
fn book(commitments: u64) -> Vec<Commitment> {
    let first = today() - Days::new(DAYS_AROUND);
    let adopted = first - Days::new(DAYS_AROUND);
    let commitment = |number: u64| {
        let due = after(first, number * STRIDE % (2 * DAYS_AROUND));
        Commitment {
            reference: format!("C{number:07}"),
            title: "Status på dagcentrenes målgrupper".to_owned(),
            kind: "status".to_owned(),
            phrase: String::new(),
            confidence: None,
            organisation: String::new(),
            source: Source::default(),
            confidential: false,
            status: Status::Open,
            adoption: adopted,
            revision: 1,
            windows: vec![BookWindow {
                number: 1,
                window: Window::span(due - Days::new(30), due),
                made_on: None,
                closed_on: None,
            }],
            recurrence: None,
            reference_date: adopted,
            responsible: vec![Responsible {
                leader: format!("L{}", number / COMMITMENTS_EACH),
                since: None,
                until: None,
                snoozes: Vec::new(),
            }],
        }
    };
    (0..commitments).map(commitment).collect()
}

#[divan::bench(args = [1_000, 10_000, 100_000, 1_000_000], sample_count = 5, sample_size = 1)]
fn plan(bencher: Bencher<'_, '_>, commitments: u64) {
    let (Some(people), Some(rules)) = (people(commitments), rules()) else { return };
    let (book, sent) = (book(commitments), History::default());
    bencher
        .counter(ItemsCount::new(commitments))
        .bench_local(|| planner::plan(black_box(&book), &people, &rules, &sent, today()).due.len());
}

#[divan::bench(args = [10_000], sample_count = 5, sample_size = 1)]
fn year(bencher: Bencher<'_, '_>, commitments: u64) {
    let (Some(people), Some(rules)) = (people(commitments), rules()) else { return };
    let days = (today(), after(today(), 365));
    bencher
        .counter(ItemsCount::new(commitments))
        .with_inputs(|| book(commitments))
        .bench_local_values(|book| {
            let sent = History::default();
            let forecast = planner::forecast(book, &people, &rules, sent, today(), days);
            forecast.map(|(_, messages)| messages.len()).sum::<usize>()
        });
}
