//! What will be sent, supposing that the worker fires on schedule, every message is accepted, and nobody acts.

use std::cell::Cell;
use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{NEVER, Rules, after, messages, plan, roll};
use crate::domain::commitment::Commitment;
use crate::domain::leader::People;
use crate::domain::reminder::{History, Message, Sent};

/// A forecast under way: an iterator over sending days, each with its messages (often none).
pub struct Forecast<'f> {
    /// By reference.
    book: Vec<Commitment>,
    /// Places in the book by the day on which there may be something to say.
    agenda: BTreeMap<NaiveDate, Vec<usize>>,
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
    mut book: Vec<Commitment>,
    people: &'f People,
    rules: &'f Rules,
    mut sent: History,
    today: NaiveDate,
    (first, last): (NaiveDate, NaiveDate),
) -> Forecast<'f> {
    if first != today {
        sent.begin_day();
    }
    book.sort_by(|one, other| one.reference.cmp(&other.reference));
    let agenda = BTreeMap::from([(first, (0..book.len()).collect())]);
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
        let places = self.take_near(today);
        for place in &places {
            self.book.get_mut(*place).map(|commitment| roll(commitment, today));
        }
        let near: Vec<&Commitment> =
            places.iter().filter_map(|place| self.book.get(*place)).collect();
        let plan = plan(near.iter().copied(), self.people, self.rules, &self.sent, today);
        // What is due is in the order of the book: each is found at the last one's place, or after it.
        let rest = Cell::new(near.as_slice());
        let find = |reference: &str| {
            let before = rest.get().iter().take_while(|one| one.reference.as_str() < reference);
            let at = before.count();
            rest.set(rest.get().get(at..)?);
            rest.get().first().copied().filter(|one| one.reference == reference)
        };
        let messages = messages(&plan.due, find, self.people, self.rules, &self.sent, today);
        for (place, (_, look_on)) in places.iter().zip(plan.look_on) {
            if look_on < NEVER {
                self.agenda.entry(look_on).or_default().push(*place);
            }
        }
        messages.iter().for_each(|message| self.record(message));
        messages
    }

    /// The commitment with that reference, as it is on the last day that was asked for.
    #[must_use]
    pub fn commitment(&self, reference: &str) -> Option<&Commitment> {
        let place = self.book.binary_search_by(|one| one.reference.as_str().cmp(reference)).ok()?;
        self.book.get(place)
    }

    /// The places of the commitments whose day has come, by reference.
    fn take_near(&mut self, today: NaiveDate) -> Vec<usize> {
        let later = self.agenda.split_off(&after(today, 1));
        let mut places: Vec<usize> =
            std::mem::replace(&mut self.agenda, later).into_values().flatten().collect();
        places.sort_unstable();
        places
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
