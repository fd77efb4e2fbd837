//! Letters at the desk: composed, and sealed for the outbox.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::pass::Desk;
use crate::domain::reminder::Item;
use crate::link::Links;
use crate::mail::compose::{self, ComposeError, Facts, Letter, Sender};
use crate::store;
use crate::store::outbox::{Frozen, Purpose};
use crate::telemetry;

impl Desk<'_> {
    /// Composes a letter into the message that goes over the wire, however often.
    ///
    /// # Errors
    /// When no mail can be made of it; the log has been told.
    pub(super) fn seal(
        &self,
        letter: Letter<'_>,
        facts: &Facts<'_>,
    ) -> Result<Frozen, ComposeError> {
        let to = letter.to(facts);
        let composed = compose::compose(letter, facts, self.templates, self.clock.now())
            .inspect_err(|error| {
                telemetry::not_composed(to.address.as_str(), &error.to_string())
            })?;
        let (purpose, reminders) = match letter {
            Letter::Reminders { message, .. } => {
                (message.ladder.into(), message.items.iter().flat_map(Item::reminders).collect())
            }
            Letter::Notice(_) => (Purpose::Notice, Vec::new()),
            Letter::Report(_) => (Purpose::Report, Vec::new()),
        };
        let item = |(reference, step): (&str, String)| (reference.to_owned(), step);
        Ok(Frozen {
            purpose,
            day: self.today(),
            sender: composed.sender,
            recipient: composed.recipient,
            name: to.name,
            subject: composed.subject,
            message_id: composed.message_id,
            sha256: HEXLOWER.encode(&Sha256::digest(&composed.mime)),
            mime: composed.mime,
            items: letter.subjects().into_iter().map(item).collect(),
            reminders,
            rehearsal: self.rehearsal,
        })
    }

    /// Makes the links to the pages, where there are any.
    pub(super) fn links(&self) -> Option<&Links> {
        self.config.web.as_ref().map(|web| &web.links)
    }

    /// Who writes the mails.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn sender(&self) -> Result<Sender, store::Error> {
        let (mail, organisation) = (&self.config.mail, &self.config.organisation);
        Ok(Sender {
            from: mail.from.clone(),
            reply_to: mail.reply_to.clone(),
            envelope_sender: mail.envelope_sender.clone(),
            organisation: organisation.name.clone(),
            department: organisation.department.clone(),
            contact: organisation.contact.clone(),
            instance: self.store.instance().await?,
        })
    }
}
