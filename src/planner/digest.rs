//! From reminders to messages: who gets each, and one digest a person a day (planning.md, "Who" and "Messages").

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::standing::Question;
use super::{Rules, tellable};
use crate::domain::commitment::Commitment;
use crate::domain::leader::{People, Receiver};
use crate::domain::reminder::{Announced, History, Item, Message, Reminder};
use crate::domain::rule::{Ladder, Step};

/// Gathers reminders into messages: at most one a person, ladder and day, ordered by address, own before escalation.
///
/// `due` is in the order of the book; `find` looks up a commitment of it. Reminders for a person who has had today's message already are left out:
/// they stay due and come with the next firing.
#[must_use]
pub fn messages<'b>(
    due: &[Reminder],
    find: impl Fn(&str) -> Option<&'b Commitment>,
    people: &People,
    rules: &Rules,
    sent: &History,
    today: NaiveDate,
) -> Vec<Message> {
    let desk = Desk { people, rules, sent, today };
    let mut drafts: BTreeMap<(String, Ladder), Draft> = BTreeMap::new();
    for reminder in due {
        let Some(commitment) = find(&reminder.key.commitment) else { continue };
        let ladder = reminder.key.step.ladder();
        let key = &reminder.key;
        let receiver = receiver(key.step, &key.leader, commitment, people, today);
        let address_key = receiver.mailbox.address.key();
        if !sent.has_message(ladder, &address_key) {
            let draft = drafts.entry((address_key, ladder)).or_default();
            draft.add(reminder, receiver, || desk.item(reminder, commitment));
        }
    }
    drafts.into_iter().filter_map(|((_, ladder), draft)| draft.message(ladder, today)).collect()
}

/// What a message is made from, before its items are in order.
#[derive(Default)]
struct Draft {
    /// Everyone at the address.
    readers: Vec<Receiver>,
    items: Vec<Item>,
}

impl Draft {
    /// Adds a reminder; one about the same commitment, window and step joins the item that is there.
    fn add(&mut self, reminder: &Reminder, receiver: Receiver, item: impl FnOnce() -> Item) {
        let key = &reminder.key;
        let about = (key.leader.clone(), receiver.capacity.clone());
        self.readers.push(receiver);
        // In the order of the book, those of one commitment stand together: a secretariat may have thousands of others.
        let mut of_it =
            self.items.iter_mut().rev().take_while(|item| item.commitment == key.commitment);
        match of_it.find(|item| (item.window, item.step) == (key.window, key.step)) {
            Some(item) => item.about.push(about),
            None => self.items.push(Item { about: vec![about], ..item() }),
        }
    }

    /// The message; the first reader by reference gives the name.
    fn message(mut self, ladder: Ladder, on: NaiveDate) -> Option<Message> {
        self.items.sort_by_cached_key(urgency);
        let first = |reader: &Receiver| (reader.leader.is_none(), reader.leader.clone());
        let reader = self.readers.into_iter().min_by_key(first)?;
        Some(Message {
            on,
            ladder,
            to: reader.mailbox,
            leader: reader.leader,
            language: reader.language,
            items: self.items,
        })
    }
}

/// The overdue first, the latest of them first; then by deadline, the open-ended last; then by reference.
fn urgency(item: &Item) -> impl Ord + use<> {
    let due = item.span.due;
    let late = item.days_left.is_some_and(|days| days < 0);
    let late_by = if late { due.map(Reverse) } else { None };
    let tie = (item.commitment.clone(), item.span.opens, item.window, item.step.rank());
    (!late, late_by, due.is_none(), due, tie)
}

/// Who gets a step about a responsible leader on `day`.
pub(super) fn receiver(
    step: Step,
    leader: &str,
    commitment: &Commitment,
    people: &People,
    day: NaiveDate,
) -> Receiver {
    let Step::Escalate(level) = step else { return people.receiver(leader, day) };
    let chain = tellable(commitment, leader, people, day);
    match chain.get(level.saturating_sub(1) as usize) {
        Some(manager) => people.receiver(&manager.reference, day),
        None => people.secretariat(),
    }
}

/// What the items of a day are made from.
struct Desk<'d> {
    people: &'d People,
    rules: &'d Rules,
    sent: &'d History,
    today: NaiveDate,
}

impl Desk<'_> {
    /// The item of a reminder, but for whom it is about.
    fn item(&self, reminder: &Reminder, commitment: &Commitment) -> Item {
        let key = &reminder.key;
        let about = self.sent.about(&key.commitment, key.revision, key.window, &key.leader);
        let mut reminded_on: Vec<NaiveDate> = about
            .filter(|sent| sent.step.ladder() == Ladder::Own)
            .filter_map(|sent| sent.accepted_on)
            .collect();
        reminded_on.sort_unstable();
        Item {
            commitment: key.commitment.clone(),
            revision: key.revision,
            window: key.window,
            span: reminder.span,
            step: key.step,
            days_left: reminder.span.due.map(|due| (due - self.today).num_days()),
            about: Vec::new(),
            reason: reminder.reason(),
            announced: self.announced(reminder, commitment),
            reminded_on,
        }
    }

    /// The next escalation, for an own message that the escalations wait for.
    fn announced(&self, reminder: &Reminder, commitment: &Commitment) -> Option<Announced> {
        let key = &reminder.key;
        let kind = self.rules.kinds.get(&commitment.kind)?;
        let window = commitment.windows.iter().find(|window| window.number == key.window)?;
        let responsible = commitment.responsible.iter().find(|one| one.leader == key.leader)?;
        if key.step.ladder() == Ladder::Escalation {
            return None;
        }
        let question = Question::new(
            commitment,
            window,
            responsible,
            &[],
            self.people,
            self.rules,
            kind,
            self.sent,
            self.today,
        );
        let (step, on) = question.next_escalation(self.people)?;
        let name = receiver(step, &key.leader, commitment, self.people, on).mailbox.name;
        Some(Announced { on, name })
    }
}
