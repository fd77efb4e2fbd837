//! The program's own forecast of a year, from a store and a config, held against the oracle.

use std::collections::BTreeSet;

use advis::store::{Store, Which};
use chrono::{Days, NaiveDate};
use fastrand::Rng;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::{Posted, Sent, World, due, messages};
use crate::world::{self, STORE};

/// What goes from one day on, when every message is accepted the same day: as `plan` tells it.
fn forecast(world: &World, first: NaiveDate, last: NaiveDate) -> BTreeSet<world::Sent> {
    let mut sent = Sent::new();
    let mut forecast = BTreeSet::new();
    for today in first.iter_days().take_while(|today| *today <= last) {
        for ((to, _), keys) in messages(world, &due(world, &sent, today), today) {
            let items = keys.iter().map(|key| format!("{} {}", key.commitment, key.step));
            forecast.insert(world::Sent { on: today.to_string(), to, items: items.collect() });
            let posted = Posted { on: today, accepted: Some(today) };
            sent.extend(keys.into_iter().map(|key| (key, posted)));
        }
    }
    forecast
}

/// The program's folder with the book in its store.
async fn folder(world: &World) -> world::World {
    let folder = world::World::new();
    folder.config(&world.toml()).file(STORE, "");
    let store = Store::open(&folder.path(STORE)).await.unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path(STORE));
    let mut connection = options.connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(world.sql())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let (book, problems) = store.book(Which::All).await.unwrap();
    assert_eq!(problems, []);
    assert_eq!(book, world.their_book());
    store.close().await.unwrap();
    folder
}

fn planned(folder: &world::World, first: NaiveDate, last: NaiveDate) -> BTreeSet<world::Sent> {
    let line = format!("plan --from {first} --to {last} --on {first} --json");
    let planned = folder.run(&line).json();
    let lower = |sent: world::Sent| world::Sent { to: sent.to.to_lowercase(), ..sent };
    planned.iter().map(world::Sent::planned).map(lower).collect()
}

#[track_caller]
fn agree(world: &World, folder: &world::World, first: NaiveDate, seed: u64) -> usize {
    let last = first + Days::new(365);
    let (ours, theirs) = (forecast(world, first, last), planned(folder, first, last));
    let only_ours: Vec<_> = ours.difference(&theirs).map(world::Sent::line).collect();
    let only_theirs: Vec<_> = theirs.difference(&ours).map(world::Sent::line).collect();
    assert!(
        only_ours.is_empty() && only_theirs.is_empty(),
        "seed {seed}: only the oracle {only_ours:#?}, only the program {only_theirs:#?}\n{}{}{}",
        world.toml(),
        world.leaders_csv(),
        world.sql(),
    );
    ours.len()
}

#[tokio::test]
async fn the_program_plans_a_year_from_its_store_as_the_oracle_does() {
    let mut messages = 0;
    for seed in 0..12 {
        let mut rng = Rng::with_seed(seed);
        let first = NaiveDate::from_ymd_opt(2027, 1, 1).unwrap();
        let world = World::random(&mut rng, first, 8);
        let folder = folder(&world).await;
        messages += agree(&world, &folder, first, seed);
    }
    assert!(messages > 300, "the books have something to say: {messages}");
}

/// The part of a book that sheets can tell, imported on `first` by a store that sees its first rules.
fn as_in_sheets(world: &mut World, first: NaiveDate) {
    world.births.clear();
    for (reference, leader) in &mut world.leaders {
        // Everyone in a sheet has an address; an empty chair is one whose last day has been.
        if leader.address.is_none() {
            leader.address = Some(format!("{reference}@kommune.example"));
            leader.active = (None, first.pred_opt());
        }
    }
    for commitment in world.commitments.values_mut() {
        commitment.adoption = commitment.adoption.max(first);
        commitment.revision = 1;
        // A phrase names several windows with ends, or one without.
        let one = commitment.windows[0].due.is_none();
        commitment.windows.retain(|window| one || window.due.is_some());
        commitment.windows.truncate(if one { 1 } else { 3 });
        for (number, window) in (1..).zip(&mut commitment.windows) {
            (window.number, window.made_on, window.closed_on) = (number, None, None);
        }
        for one in &mut commitment.responsible {
            (one.since, one.until) = (None, None);
            one.snoozes.clear();
        }
    }
}

#[test]
fn the_program_plans_a_year_from_imported_sheets_as_the_oracle_does() {
    let mut messages = 0;
    for seed in 100..112 {
        let mut rng = Rng::with_seed(seed);
        let first = NaiveDate::from_ymd_opt(2027, 1, 1).unwrap();
        let mut world = World::random(&mut rng, first, 8);
        as_in_sheets(&mut world, first);
        let folder = world::World::new();
        folder.config(&world.toml());
        let imported =
            folder.import(&first.to_string(), &world.leaders_csv(), &world.commitments_csv());
        imported.ok();
        messages += agree(&world, &folder, first, seed);
    }
    assert!(messages > 300, "the books have something to say: {messages}");
}
