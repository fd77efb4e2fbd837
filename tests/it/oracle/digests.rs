//! What a message must hold beside its reminders: the person it greets, one item a step, their order, and the escalation
//! that each announces.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use advis::domain::reminder::{Announced, Item, Message};
use chrono::{Days, NaiveDate};

use super::product::{SECRETARIAT, our_key};
use super::who::reader;
use super::{Key, Ladder, Posted, Sent, World, due};

/// A message of the product, frozen when the world was so.
#[track_caller]
pub(super) fn check(world: &World, message: &Message, seed: u64) {
    let keys: Vec<Key> =
        message.items.iter().flat_map(Item::reminders).map(|key| our_key(&key)).collect();
    let about: BTreeSet<_> =
        keys.iter().map(|key| (&key.commitment, key.window, &key.step)).collect();
    let told = || format!("seed {seed}, {message:#?}");
    assert_eq!(message.items.len(), about.len(), "one item a step; {}", told());

    let readers: BTreeSet<_> = keys.iter().map(|key| reader(world, key, message.on)).collect();
    let first = readers.iter().find(|reader| reader.is_some()).copied().flatten();
    assert_eq!(message.leader.as_deref(), first, "the first by reference; {}", told());

    let urgency = |item: &Item| {
        let due = item.span.due;
        let late = due.filter(|due| *due < message.on);
        (late.is_none(), late.map(Reverse), due.is_none(), due, item.commitment.clone())
    };
    assert!(message.items.is_sorted_by_key(urgency), "the most pressing first; {}", told());
}

/// The next escalation that each item of a message announces.
#[track_caller]
pub(super) fn check_announced(world: &World, sent: &Sent, message: &Message, seed: u64) {
    for item in &message.items {
        let ours = next_escalation(world, sent, item, message.on);
        assert_eq!(item.announced, ours, "seed {seed}, {message:#?}\n{world:#?}");
    }
}

/// The next escalation about an item that goes today, found by living on: all that falls due is accepted the same day,
/// and nobody does anything.
fn next_escalation(world: &World, sent: &Sent, item: &Item, today: NaiveDate) -> Option<Announced> {
    let deadline = world.back_to_sending(item.span.due?);
    let key = our_key(&item.reminders().next()?);
    if today < deadline || key.ladder() == Ladder::Escalation {
        return None;
    }
    let mut alone = world.clone();
    alone.commitments.retain(|reference, _| *reference == key.commitment);
    let mut sent = sent.clone();
    sent.retain(|sent, _| sent.commitment == key.commitment);
    for day in today.iter_days().take_while(|day| *day < item.span.due.unwrap() + Days::new(120)) {
        let keys = due(&alone, &sent, day);
        let escalation = keys.iter().find(|other| {
            (other.window, &other.leader, other.ladder())
                == (key.window, &key.leader, Ladder::Escalation)
        });
        if let Some(escalation) = escalation.filter(|_| day > today) {
            let name = match reader(&alone, escalation, day) {
                Some(reader) => alone.leaders[reader].name.clone(),
                None => SECRETARIAT.to_owned(),
            };
            return Some(Announced { on: day, name });
        }
        let posted = Posted { on: day, accepted: Some(day) };
        sent.extend(keys.into_iter().map(|key| (key, posted)));
    }
    None
}
