//! The mails to come, as they would be sent: the forecast, composed, and kept nowhere.

use chrono::{Days, NaiveDate};

use super::pass::{Desk, Facts};
use crate::clock::Clock;
use crate::domain::reminder::Message;
use crate::mail::compose::{self, ComposeError, Composed, Facts as LetterFacts, Letter};
use crate::planner;
use crate::store::{self, Which};

/// How far ahead is looked, in days.
pub const DAYS_AHEAD: u64 = 366;

/// Whose mail is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'w> {
    /// The next about the commitment with that reference.
    About(&'w str),
    /// The next to that address, in its form for comparing.
    To(&'w str),
}

/// A mail to come.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The day it would be sent.
    pub on: NaiveDate,
    /// As it would be sent.
    pub mail: Composed,
}

/// Why there is nothing to see.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// No mail can be made of it.
    #[error(transparent)]
    Compose(#[from] ComposeError),
}

impl Wanted<'_> {
    fn is_in(self, message: &Message) -> bool {
        match self {
            Self::About(reference) => message.items.iter().any(|item| item.commitment == reference),
            Self::To(address) => message.to.address.key() == address,
        }
    }
}

impl Desk<'_> {
    /// The mails of the first sending day on which such a one goes, from today on and within [`DAYS_AHEAD`]; none when
    /// there is no such day. Changes nothing.
    ///
    /// # Errors
    /// When the store cannot be read, or no mail can be made of a message.
    pub async fn preview(&self, wanted: Wanted<'_>) -> Result<Vec<Preview>, PreviewError> {
        let Facts { book, people, rules, sent, .. } = self.facts(Which::Open).await?;
        let today = self.today();
        let last = today.checked_add_days(Days::new(DAYS_AHEAD)).unwrap_or(today);
        let mut forecast = planner::forecast(book, &people, &rules, sent, today, (today, last));
        let found = forecast.by_ref().find_map(|(_, mut messages)| {
            messages.retain(|message| wanted.is_in(message));
            Some(messages).filter(|messages| !messages.is_empty())
        });
        let messages = found.unwrap_or_default();
        let items = messages.iter().flat_map(|message| &message.items);
        let references: Vec<&str> = items.map(|item| item.commitment.as_str()).collect();
        let last_events = self.store.last_events(&references).await?;
        let sender = self.sender().await?;
        let facts = LetterFacts {
            sender: &sender,
            people: &people,
            book: &|reference| forecast.commitment(reference),
            last_event: &|reference| last_events.get(reference).copied().unwrap_or(0),
            links: self.links(),
        };
        let preview = |message: &Message| {
            let letter = Letter::Reminders { message, edition: 0 };
            let at = Clock::on(message.on, self.clock.zone()).now();
            let mail = compose::compose(letter, &facts, self.templates, at)?;
            Ok(Preview { on: message.on, mail })
        };
        messages.iter().map(preview).collect()
    }
}
