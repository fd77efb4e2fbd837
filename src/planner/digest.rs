//! From reminders to messages: who gets each, and one digest a person a day (planning.md, "Who" and "Messages").

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::standing::Question;
use super::{Desk, Rules, ladder, tellable};
use crate::domain::commitment::Commitment;
use crate::domain::leader::{People, Reader};
use crate::domain::reminder::{Announced, History, Item, Message, Reminder};
use crate::domain::rule::{Ladder, Step};

/// Gathers reminders into messages: at most one a person, ladder and day, ordered by address, own before escalation.
///
/// `due` is what [`plan`](super::plan) says of the same day, in the order of the book, and `find` looks up a commitment
/// of it, asked for in that order. Reminders for a person who has had today's message already are left out: they stay
/// due and come with the next firing.
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
    let mut drafts: BTreeMap<(&str, Ladder), Draft<'_>> = BTreeMap::new();
    for reminder in due {
        let Some(commitment) = find(&reminder.key.commitment) else { continue };
        let ladder = reminder.key.step.ladder();
        if !sent.has_message(ladder, &reminder.reader) {
            let reader = desk.reader(reminder.key.step, &reminder.key.leader, commitment);
            let draft = drafts.entry((&reminder.reader, ladder)).or_default();
            draft.add(reminder, reader, || desk.item(reminder, commitment));
        }
    }
    drafts.into_iter().filter_map(|((_, ladder), draft)| draft.message(ladder, today)).collect()
}

/// What a message is made from, before its items are in order.
#[derive(Default)]
struct Draft<'p> {
    /// The first by reference of everyone at the address: gives the name.
    reader: Option<Reader<'p>>,
    items: Vec<Item>,
}

impl<'p> Draft<'p> {
    /// Adds a reminder; one about the same commitment, window and step joins the item that is there.
    fn add(&mut self, reminder: &Reminder, reader: Reader<'p>, item: impl FnOnce() -> Item) {
        let key = &reminder.key;
        let about = (key.leader.clone(), reader.capacity.clone());
        let place = |reader: &Reader<'p>| (reader.leader().is_none(), reader.leader());
        if self.reader.as_ref().is_none_or(|first| place(&reader) < place(first)) {
            self.reader = Some(reader);
        }
        // In the order of the book, those of one commitment stand together: a secretariat may have thousands of others.
        let mut of_it =
            self.items.iter_mut().rev().take_while(|item| item.commitment == key.commitment);
        match of_it.find(|item| (item.window, item.step) == (key.window, key.step)) {
            Some(item) => item.about.push(about),
            None => self.items.push(Item { about: vec![about], ..item() }),
        }
    }

    fn message(mut self, ladder: Ladder, on: NaiveDate) -> Option<Message> {
        self.items.sort_by(|one, other| urgency(one).cmp(&urgency(other)));
        let reader = self.reader?.receiver();
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
fn urgency(item: &Item) -> impl Ord {
    let due = item.span.due;
    let late = item.days_left.is_some_and(|days| days < 0);
    let late_by = if late { due.map(Reverse) } else { None };
    let tie = (item.commitment.as_str(), item.span.opens, item.window, item.step.rank());
    (!late, late_by, due.is_none(), due, tie)
}

/// Who gets a step about a responsible leader on `day`.
fn reader<'p>(
    step: Step,
    leader: &str,
    commitment: &Commitment,
    people: &'p People,
    day: NaiveDate,
) -> Reader<'p> {
    let Step::Escalate(level) = step else { return people.reader(leader, day) };
    let chain = tellable(commitment, leader, people, day);
    match chain.get(level.saturating_sub(1) as usize) {
        Some(manager) => people.reader(&manager.reference, day),
        None => people.secretariat_reads(),
    }
}

impl<'d> Desk<'d> {
    /// Who gets a step about a responsible leader today.
    pub(super) fn reader(self, step: Step, leader: &str, commitment: &Commitment) -> Reader<'d> {
        reader(step, leader, commitment, self.people, self.today)
    }

    /// The item of a reminder, but for whom it is about.
    fn item(self, reminder: &Reminder, commitment: &Commitment) -> Item {
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
    fn announced(self, reminder: &Reminder, commitment: &Commitment) -> Option<Announced> {
        let key = &reminder.key;
        if key.step.ladder() == Ladder::Escalation {
            return None;
        }
        // It is told of from the sending day of the deadline on.
        if ladder::moved_due(&reminder.span, &self.rules.sending)? > self.today {
            return None;
        }
        let kind = self.rules.kinds.get(&commitment.kind)?;
        let window = commitment.windows.iter().find(|window| window.number == key.window)?;
        let responsible = commitment.responsible.iter().find(|one| one.leader == key.leader)?;
        let mut escalation = Vec::new();
        self.escalation(&mut escalation, (commitment, window, responsible), kind, self.today);
        let sent = self.sent.of(&commitment.reference);
        let question = Question {
            desk: self,
            commitment,
            kind,
            window,
            responsible,
            escalation: &escalation,
            sent,
        };
        let (step, on) = question.next_escalation()?;
        let reader = reader(step, &key.leader, commitment, self.people, on);
        Some(Announced { on, name: reader.receiver().mailbox.name })
    }
}
