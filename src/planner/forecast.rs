//! What will be sent, supposing that the worker fires on schedule, every message is accepted, and nobody acts.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;

use super::{NEVER, Rules, after, messages, plan, roll};
use crate::domain::commitment::Commitment;
use crate::domain::leader::People;
use crate::domain::reminder::{History, Message, Sent};

/// A forecast under way: an iterator over sending days, each with its messages (often none).
pub struct Forecast<'f> {
    book: HashMap<String, Commitment>,
    /// Commitments by the day on which there may be something to say.
    agenda: BTreeMap<NaiveDate, Vec<String>>,
    people: &'f People,
    rules: &'f Rules,
    sent: History,
    day: NaiveDate,
    last: NaiveDate,
}

/// The messages from `first` to `last`, both included.
///
/// `sent` is the real history, read on `today`: who got a message today gets no second one. What is due but unsent at
/// `first` stands on the first sending day.
#[must_use]
pub fn forecast<'f>(
    book: Vec<Commitment>,
    people: &'f People,
    rules: &'f Rules,
    mut sent: History,
    today: NaiveDate,
    (first, last): (NaiveDate, NaiveDate),
) -> Forecast<'f> {
    if first != today {
        sent.begin_day();
    }
    let references = book.iter().map(|commitment| commitment.reference.clone()).collect();
    let agenda = BTreeMap::from([(first, references)]);
    let by_reference = |commitment: Commitment| (commitment.reference.clone(), commitment);
    let book = book.into_iter().map(by_reference).collect();
    Forecast { book, agenda, people, rules, sent, day: first, last }
}

impl Iterator for Forecast<'_> {
    type Item = (NaiveDate, Vec<Message>);

    fn next(&mut self) -> Option<Self::Item> {
        let on = self.rules.sending.on_or_after(self.day).filter(|on| *on <= self.last)?;
        if on != self.day {
            self.sent.begin_day();
        }
        let messages = self.fire(on);
        self.sent.begin_day();
        self.day = after(on, 1);
        Some((on, messages))
    }
}

impl Forecast<'_> {
    /// One firing: what it sends becomes history, and every commitment looked at gets its next day.
    fn fire(&mut self, today: NaiveDate) -> Vec<Message> {
        let mut near = self.take_near(today);
        for commitment in &mut near {
            roll(commitment, today);
        }
        let plan = plan(&near, self.people, self.rules, &self.sent, today);
        let find = |reference: &str| {
            let place = near.binary_search_by(|one| one.reference.as_str().cmp(reference)).ok()?;
            near.get(place)
        };
        let messages = messages(&plan.due, find, self.people, self.rules, &self.sent, today);
        for (reference, look_on) in plan.look_on.into_iter().filter(|(_, look_on)| *look_on < NEVER)
        {
            self.agenda.entry(look_on).or_default().push(reference.to_owned());
        }
        self.book.extend(near.into_iter().map(|one| (one.reference.clone(), one)));
        messages.iter().for_each(|message| self.record(message));
        messages
    }

    /// The commitments whose day has come, by reference.
    fn take_near(&mut self, today: NaiveDate) -> Vec<Commitment> {
        let later = self.agenda.split_off(&after(today, 1));
        let mut references: Vec<String> =
            std::mem::replace(&mut self.agenda, later).into_values().flatten().collect();
        references.sort_unstable();
        references.iter().filter_map(|reference| self.book.remove(reference)).collect()
    }

    fn record(&mut self, message: &Message) {
        self.sent.record_message(message.ladder, &message.to.address.key());
        for item in &message.items {
            for (leader, _) in &item.about {
                let sent = Sent {
                    revision: item.revision,
                    window: item.window,
                    leader: leader.clone(),
                    step: item.step,
                    on: message.on,
                    accepted_on: Some(message.on),
                };
                self.sent.record(&item.commitment, sent);
            }
        }
    }
}
