//! The product's planner held against the oracle, day by day, over books at random.

use std::collections::{BTreeMap, BTreeSet};

use advis::domain::commitment;
use advis::domain::leader::People;
use advis::domain::reminder::Message;
use advis::planner::{self, Plan};
use chrono::NaiveDate;
use fastrand::Rng;

use super::digests;
use super::product::{our_key, our_messages, their_history};
use super::random::{after, chance};
use super::{Key, Posted, Sent, World, due, messages};

/// The product beside the oracle's world, looking only at commitments whose look day has come, as the worker does.
struct Theirs {
    book: BTreeMap<String, commitment::Commitment>,
    look_on: BTreeMap<String, NaiveDate>,
    people: People,
    rules: planner::Rules,
}

impl Theirs {
    fn of(world: &World, today: NaiveDate) -> Self {
        let book = world.their_book().into_iter().map(|one| (one.reference.clone(), one)).collect();
        let rules = world.their_rules(world.sending_days(), today);
        Self { book, look_on: BTreeMap::new(), people: world.their_people(), rules }
    }

    /// What people did becomes known; the look days of what it concerns are forgotten.
    fn learn(&mut self, world: &World, edited: Option<String>, today: NaiveDate) {
        self.book =
            world.their_book().into_iter().map(|one| (one.reference.clone(), one)).collect();
        self.people = world.their_people();
        self.rules = world.their_rules(self.rules.sending.clone(), today);
        match edited {
            Some(reference) => drop(self.look_on.remove(&reference)),
            None => self.look_on.clear(),
        }
    }

    fn near(&self, today: NaiveDate) -> Vec<commitment::Commitment> {
        let is_near = |reference: &str| self.look_on.get(reference).is_none_or(|on| *on <= today);
        let near = self.book.values().filter(|one| is_near(&one.reference));
        near.cloned().collect()
    }

    fn look_again(&mut self, plan: &Plan<'_>) {
        for (reference, look_on) in &plan.look_on {
            self.look_on.insert((*reference).to_owned(), *look_on);
        }
    }

    /// One firing; answers with what is due and the messages.
    fn fire(&mut self, sent: &Sent, today: NaiveDate) -> (BTreeSet<Key>, Vec<Message>) {
        if !self.rules.sending.is_sending_day(today) {
            return Default::default();
        }
        let near = self.near(today);
        let history = their_history(sent, today);
        let plan = planner::plan(&near, &self.people, &self.rules, &history, today);
        self.look_again(&plan);
        let find = |reference: &str| near.iter().find(|one| one.reference == reference);
        let messages =
            planner::messages(&plan.due, find, &self.people, &self.rules, &history, today);
        let keys = plan.due.iter().map(|one| our_key(&one.key)).collect();
        (keys, messages)
    }
}

/// What a server does with the messages of a day: most it takes at once, some later, some never.
fn post(rng: &mut Rng, posted: Vec<BTreeSet<Key>>, sent: &mut Sent, today: NaiveDate) {
    for keys in posted {
        let accepted = match rng.u32(0..20) {
            0..3 => None,
            3..6 => Some(after(rng, today, 1..=5)),
            _ => Some(today),
        };
        sent.extend(keys.into_iter().map(|key| (key, Posted { on: today, accepted })));
    }
}

/// Answers with the number of reminders.
fn compare(seed: u64, edits: bool) -> usize {
    let mut rng = Rng::with_seed(seed);
    let first = NaiveDate::from_ymd_opt(2018, 1, 1).unwrap();
    let first = after(&mut rng, first, 0..=3_650);
    let size = rng.usize(1..=6);
    let mut world = World::random(&mut rng, first, size);
    let mut theirs = Theirs::of(&world, first);
    let mut sent = Sent::new();
    for today in first.iter_days().take(366) {
        if edits && chance(&mut rng, 8) {
            let edited = world.edit(&mut rng, today);
            theirs.learn(&world, edited, today);
        }
        // A worker that is down now and then.
        if chance(&mut rng, 10) {
            continue;
        }
        let ours = due(&world, &sent, today);
        let (keys, letters) = theirs.fire(&sent, today);
        let only_ours: Vec<&Key> = ours.difference(&keys).collect();
        let only_theirs: Vec<&Key> = keys.difference(&ours).collect();
        assert!(
            only_ours.is_empty() && only_theirs.is_empty(),
            "seed {seed}, {today}: only the oracle {only_ours:#?}, only the planner {only_theirs:#?}\n{}",
            told(&world, &sent, only_ours.iter().chain(&only_theirs)),
        );
        let grouped = messages(&world, &ours, today);
        assert_eq!(our_messages(&letters), grouped, "seed {seed}, {today}\n{world:#?}");
        for letter in &letters {
            digests::check(&world, letter, seed);
            // Finding out takes living on for months.
            if seed.is_multiple_of(8) {
                digests::check_announced(&world, &sent, letter, seed);
            }
        }
        post(&mut rng, grouped.into_values().collect(), &mut sent, today);
    }
    sent.len()
}

/// The commitments of these keys, and what was sent about them.
fn told<'k>(world: &World, sent: &Sent, keys: impl Iterator<Item = &'k &'k Key>) -> String {
    let about: BTreeSet<&String> = keys.map(|key| &key.commitment).collect();
    let mut told = format!("fires {:?}, off {:?}\n", world.cron(), world.days_off());
    for reference in about {
        let commitment = &world.commitments[reference];
        let kind = world.rules_of(&commitment.kind);
        let sent: Vec<_> = sent.iter().filter(|(key, _)| key.commitment == *reference).collect();
        told += &format!("{reference}: {commitment:#?}\n{kind:?}\n{sent:#?}\n");
    }
    told + &format!("{:#?}\n{:?}", world.leaders, world.births)
}

/// How many books; the environment may ask for more.
fn books() -> u64 {
    std::env::var("ORACLE_BOOKS").map_or(60, |books| books.parse().unwrap())
}

#[test]
fn oracle_and_planner_agree_day_by_day_on_books_that_nobody_touches() {
    let reminders: usize = (0..books()).map(|seed| compare(seed, false)).sum();
    assert!(reminders > 1_000, "the books have something to say: {reminders}");
}

#[test]
fn oracle_and_planner_agree_day_by_day_on_books_that_people_change() {
    let reminders: usize = (1_000..1_000 + books()).map(|seed| compare(seed, true)).sum();
    assert!(reminders > 1_000, "the books have something to say: {reminders}");
}
