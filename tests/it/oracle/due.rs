//! What is due on a day, and in which messages it goes.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};

use super::steps::{Step, merged};
use super::who::{answers, receiver};
use super::world::{Commitment, Key, Ladder, Responsible, Sent, Status, Window, World};

/// One window of one commitment as one of its responsible has it today.
struct Duty<'w> {
    world: &'w World,
    reference: &'w str,
    commitment: &'w Commitment,
    window: &'w Window,
    responsible: &'w Responsible,
    sent: &'w Sent,
    today: NaiveDate,
}

/// The reminders that must be written into the outbox on `today`; none on a day that is no sending day.
pub(crate) fn due(world: &World, sent: &Sent, today: NaiveDate) -> BTreeSet<Key> {
    if !world.is_sending_day(today) {
        return BTreeSet::new();
    }
    let mut keys = BTreeSet::new();
    for (reference, commitment) in &world.commitments {
        for window in &commitment.windows {
            for responsible in &commitment.responsible {
                let duty = Duty { world, reference, commitment, window, responsible, sent, today };
                keys.extend(duty.due());
            }
        }
    }
    keys
}

/// The messages of a day: one to an address for its own items, and one for escalations.
pub(crate) fn messages(
    world: &World,
    keys: &BTreeSet<Key>,
    today: NaiveDate,
) -> BTreeMap<(String, Ladder), BTreeSet<Key>> {
    let mut messages: BTreeMap<_, BTreeSet<Key>> = BTreeMap::new();
    for key in keys {
        let address = receiver(world, key, today).to_lowercase();
        messages.entry((address, key.ladder())).or_default().insert(key.clone());
    }
    messages
}

impl Duty<'_> {
    fn due(&self) -> Vec<Key> {
        if !self.is_planned() {
            return Vec::new();
        }
        let own = self.due_of(&self.own()).filter(|_| !self.is_held_back());
        let escalation = self.due_of(&self.escalations()).filter(|_| self.leader_was_told());
        own.into_iter().chain(escalation).collect()
    }

    fn is_planned(&self) -> bool {
        self.commitment.status == Status::Open
            && self.window.closed_on.is_none()
            && answers(self.responsible, self.today)
    }

    fn own(&self) -> Vec<Step> {
        self.world.own_steps(&self.commitment.kind, self.window)
    }

    fn escalations(&self) -> Vec<Step> {
        let leader = &self.responsible.leader;
        let levels = self.world.levels(self.commitment, leader, self.today);
        self.world.escalations(&self.commitment.kind, self.window, levels)
    }

    /// The latest step whose day has come, unless it or a later one was sent.
    fn due_of(&self, steps: &[Step]) -> Option<Key> {
        let step = merged(steps)
            .into_iter()
            .filter(|step| !self.is_history(step) && !self.has_lapsed(step))
            .rfind(|step| step.moved <= self.today)?;
        let key = self.key(&step.name);
        let sent = self.sent.keys().any(|sent| {
            self.is_mine(sent)
                && sent.ladder() == key.ladder()
                && self.place(&sent.step) >= self.place(&step.name)
        });
        (!sent).then_some(key)
    }

    /// The moved day of a step, and of those on one day its row in the table. Steps that the rules no longer have keep
    /// their place; those that only the old rules could count to come after all.
    fn place(&self, step: &str) -> (NaiveDate, (u32, i64)) {
        let moved = self.world.moved(&self.commitment.kind, self.window, step);
        (moved.unwrap_or(NaiveDate::MAX), row(step))
    }

    fn key(&self, step: &str) -> Key {
        Key {
            commitment: self.reference.to_owned(),
            revision: self.commitment.revision,
            window: self.window.number,
            step: step.to_owned(),
            leader: self.responsible.leader.clone(),
        }
    }

    fn is_mine(&self, key: &Key) -> bool {
        key.commitment == self.reference
            && key.revision == self.commitment.revision
            && key.window == self.window.number
            && key.leader == self.responsible.leader
    }

    fn is_history(&self, step: &Step) -> bool {
        let birth = (self.commitment.kind.clone(), step.name.clone(), step.days);
        let begins = [
            Some(self.commitment.adoption),
            self.responsible.since,
            self.window.made_on,
            self.world.births.get(&birth).copied(),
        ];
        begins.into_iter().flatten().any(|begin| step.moved < begin)
    }

    fn has_lapsed(&self, step: &Step) -> bool {
        let looks_ahead = step.name == "opens" || step.name.starts_with("before:");
        looks_ahead && self.window.due.is_some_and(|due| self.today > due)
    }

    fn is_held_back(&self) -> bool {
        let escalations = merged(&self.escalations());
        self.responsible.snoozes.iter().filter(|snooze| snooze.window == self.window.number).any(
            |snooze| {
                let next = escalations.iter().find(|step| step.moved > snooze.made_on);
                let end = next.map(|next| next.moved - Days::new(1));
                self.today < end.map_or(snooze.until, |end| end.min(snooze.until))
            },
        )
    }

    /// Whether a message on or after the deadline was accepted at least three days ago.
    fn leader_was_told(&self) -> bool {
        let Some(due) = self.window.due else { return false };
        let deadline = self.world.back_to_sending(due);
        self.sent.iter().any(|(key, posted)| {
            self.is_mine(key)
                && key.ladder() == Ladder::Own
                && posted.on >= deadline
                && posted.accepted.is_some_and(|on| (self.today - on).num_days() >= 3)
        })
    }
}

/// Where a step stands in the table.
fn row(step: &str) -> (u32, i64) {
    let (name, number) = step.split_once(':').unwrap_or((step, "0"));
    let number: i64 = number.parse().unwrap();
    match name {
        "before" => (0, -number),
        "opens" => (1, 0),
        "due" => (2, 0),
        _ => (3, number),
    }
}
