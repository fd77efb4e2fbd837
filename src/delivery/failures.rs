//! Mails that did not arrive: the secretariat is told at once, and once of an address, since the leader knows nothing.

use super::pass::{Desk, find};
use crate::domain::address::{EmailAddress, Mailbox};
use crate::domain::commitment::Commitment;
use crate::domain::leader::Receiver;
use crate::mail::compose::{Facts, Letter, Notice, NoticeItem, NoticeKind};
use crate::store::outbox::{Frozen, Undelivered};
use crate::store::{self, Page};

impl Desk<'_> {
    /// Freezes a notice for each address that refused a mail since the last time; answers whether there is any.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn tell_of_failures(&self) -> Result<bool, store::Error> {
        let now = self.clock.now();
        let failures = self.store.undelivered(now).await?;
        if failures.is_empty() {
            return Ok(false);
        }
        let references: Vec<&str> =
            failures.iter().flat_map(|one| &one.commitments).map(String::as_str).collect();
        let Page { book, people, .. } = self.page(&references, &[]).await?;
        let sender = self.sender().await?;
        let find = |reference: &str| find(&book, reference);
        let facts = Facts {
            sender: &sender,
            people: &people,
            book: &find,
            last_event: &|_| 0,
            links: self.links(),
        };
        let mut notices: Vec<Frozen> = Vec::new();
        let mut told: Vec<&str> = Vec::new();
        for failure in failures.iter().filter(|one| !one.is_told) {
            let Ok(to) = failure.to.parse::<EmailAddress>() else { continue };
            if told.contains(&failure.address_key.as_str()) {
                continue;
            }
            told.push(&failure.address_key);
            let notice = self.undelivered(failure, to, &book, people.secretariat());
            // What cannot be written stands in the log and in the report.
            notices
                .extend(notice.and_then(|notice| self.seal(Letter::Notice(&notice), &facts).ok()));
        }
        self.store.tell_undelivered(&failures, &notices, now).await?;
        Ok(!notices.is_empty())
    }

    /// What the secretariat is told of a mail; nothing of one to itself, which would not arrive either.
    fn undelivered(
        &self,
        failure: &Undelivered,
        to: EmailAddress,
        book: &[Commitment],
        secretariat: Receiver,
    ) -> Option<Notice> {
        let Receiver { mailbox, language, .. } = secretariat;
        let known = failure.commitments.iter().filter_map(|reference| find(book, reference));
        let item = |commitment: &Commitment| NoticeItem {
            commitment: commitment.reference.clone(),
            span: commitment.earliest_open().map(|open| open.window),
            entries: Vec::new(),
        };
        let items: Vec<NoticeItem> = known.map(item).collect();
        if items.is_empty() || failure.address_key == mailbox.address.key() {
            return None;
        }
        Some(Notice {
            kind: NoticeKind::Undelivered {
                to: Mailbox { name: failure.name.clone(), address: to },
                message: failure.message,
                cause: failure.cause.clone(),
            },
            event: failure.message,
            on: self.today(),
            to: mailbox,
            language,
            by: Vec::new(),
            about: Vec::new(),
            items,
        })
    }
}
