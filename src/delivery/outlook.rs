//! What the next firing will send, as far as is known now: the worker's own planner over what it will look at then.

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveDateTime};

use super::pass::{Desk, find};
use crate::domain::commitment::Commitment;
use crate::domain::leader::People;
use crate::domain::reminder::{History, Message, Reminder};
use crate::planner::{self, Rules};
use crate::store::{self, Page, Which};

/// Commitments that are looked at in one go, so that memory grows with what is due and not with what is near.
const PAGE_COMMITMENTS: usize = 512;

/// A firing to come.
pub struct Outlook {
    /// When, wall-clock time.
    pub at: NaiveDateTime,
    /// How many messages it sends.
    pub count: usize,
    /// How many commitments they are about.
    pub commitments: usize,
    /// The first of them, in the order of sending.
    pub messages: Vec<Message>,
    /// The commitments in those, by reference.
    pub book: Vec<Commitment>,
    /// Those who answer for them, and whoever may read in their place.
    pub people: People,
}

impl Outlook {
    /// The commitment with that reference.
    #[must_use]
    pub fn commitment(&self, reference: &str) -> Option<&Commitment> {
        find(&self.book, reference)
    }
}

impl Desk<'_> {
    /// The next firing on a sending day, and the first `most` of its messages; `None` when the schedule has none any more.
    /// Changes nothing.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn outlook(&self, most: usize) -> Result<Option<Outlook>, store::Error> {
        let Some(at) = self.config.sending_days.next_firing(self.clock.wall()) else {
            return Ok(None);
        };
        let day = at.date();
        let (rules, is_known) = self.rules_since_last_pass().await?;
        let mut due = self.due_on(day, &rules, is_known).await?;
        let commitments = about(&due).len();
        // Each reader gets one message a ladder, in the order of their addresses.
        let place = |one: &Reminder| (one.reader.clone(), one.key.step.ladder());
        let places: BTreeSet<_> = due.iter().map(place).collect();
        if let Some(after) = places.iter().nth(most) {
            due.retain(|one| place(one) < *after);
        }
        let Page { mut book, people, mut sent, .. } = self.page(&about(&due), &[]).await?;
        self.go_on_to(day, &mut book, &mut sent);
        let find = |reference: &str| find(&book, reference);
        let messages = planner::messages(&due, find, &people, &rules, &sent, day);
        Ok(Some(Outlook { at, count: places.len(), commitments, messages, book, people }))
    }

    /// What will be due on a day to come, by commitment, under rules that the last pass went by, or not.
    async fn due_on(
        &self,
        day: NaiveDate,
        rules: &Rules,
        is_known: bool,
    ) -> Result<Vec<Reminder>, store::Error> {
        let reach = rules.reach(day);
        let mut near = match is_known {
            true => self.store.nearby(day, reach).await?,
            // The agenda knows what is near by what the last pass went by.
            false => self.store.within_reach(reach).await?,
        };
        near.sort_unstable();
        let mut due = Vec::new();
        for references in near.chunks(PAGE_COMMITMENTS) {
            let references: Vec<&str> = references.iter().map(String::as_str).collect();
            let Page { mut book, people, mut sent, .. } = self.page(&references, &[]).await?;
            self.go_on_to(day, &mut book, &mut sent);
            due.extend(planner::plan(&book, &people, rules, &sent, day).due);
        }
        // Whoever has had the message of that day gets no other.
        let mut written = self.store.history(Which::These(&[]), self.today()).await?;
        self.go_on_to(day, &mut [], &mut written);
        due.retain(|one| !written.has_message(one.key.step.ladder(), &one.reader));
        Ok(due)
    }

    /// Makes of the facts of today those of a day to come, if nobody does anything.
    fn go_on_to(&self, day: NaiveDate, book: &mut [Commitment], sent: &mut History) {
        if day != self.today() {
            sent.begin_day();
        }
        for commitment in book {
            planner::roll(commitment, day);
        }
    }
}

/// References of the commitments that these are about; those about one of them stand together.
fn about(due: &[Reminder]) -> Vec<&str> {
    let mut about: Vec<&str> = due.iter().map(|one| one.key.commitment.as_str()).collect();
    about.dedup();
    about
}
