//! What the next firing will send, as far as is known now: the worker's own planner over what it will look at then.

use chrono::{NaiveDate, NaiveDateTime};

use super::pass::{Desk, Facts};
use crate::domain::commitment::Commitment;
use crate::domain::reminder::{History, Message, Reminder};
use crate::planner;
use crate::store::{self, Page, Which};

/// Commitments that are looked at in one go, so that memory grows with what is due and not with what is near.
const PAGE_COMMITMENTS: usize = 512;

/// A firing to come.
pub struct Outlook {
    /// When, wall-clock time.
    pub at: NaiveDateTime,
    /// What it sends, in the order of sending.
    pub messages: Vec<Message>,
    /// What is known about the commitments in it.
    pub facts: Facts,
}

impl Desk<'_> {
    /// The next firing on a sending day; `None` when the schedule has none any more. Changes nothing.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn outlook(&self) -> Result<Option<Outlook>, store::Error> {
        let Some(at) = self.config.sending_days.next_firing(self.clock.wall()) else {
            return Ok(None);
        };
        let day = at.date();
        let due = self.due_on(day).await?;
        let mut about: Vec<&str> = due.iter().map(|one| one.key.commitment.as_str()).collect();
        about.dedup();
        let mut facts = self.facts(Which::These(&about)).await?;
        self.go_on_to(day, &mut facts.book, &mut facts.sent);
        let messages = facts.messages(&due, day);
        Ok(Some(Outlook { at, messages, facts }))
    }

    /// What will be due on a day to come, by commitment.
    async fn due_on(&self, day: NaiveDate) -> Result<Vec<Reminder>, store::Error> {
        let (rules, is_known) = self.rules_since_last_pass().await?;
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
            due.extend(planner::plan(&book, &people, &rules, &sent, day).due);
        }
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
