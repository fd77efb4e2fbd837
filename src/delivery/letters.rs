//! Letters at the desk: composed, and sealed for the outbox.

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::pass::Desk;
use crate::domain::address::EmailAddress;
use crate::domain::reminder::Item;
use crate::link::Links;
use crate::mail::compose::{self, ComposeError, Composed, Facts, Letter, Sender, Templates};
use crate::store;
use crate::store::outbox::{Frozen, Purpose};
use crate::telemetry;

/// Composes letters into the messages that go over the wire, however often. It holds all it needs but the facts, so that it
/// can work beside the desk.
pub(super) struct Sealer {
    templates: Templates,
    now: DateTime<Utc>,
    rehearsal: bool,
}

/// A letter that no mail can be made of.
pub(super) struct Unsealed {
    to: EmailAddress,
    error: ComposeError,
}

impl Sealer {
    /// Seals each letter, or says why not.
    pub(super) fn seal(
        &self,
        letters: &[Letter<'_>],
        facts: &Facts<'_>,
    ) -> Vec<Result<Frozen, Unsealed>> {
        let mails = compose::compose_all(letters, facts, &self.templates, self.now);
        let seal = |(letter, mail): (&Letter<'_>, Result<Composed, ComposeError>)| {
            let to = letter.to(facts);
            match mail {
                Ok(mail) => Ok(self.frozen(letter, mail, to.name)),
                Err(error) => Err(Unsealed { to: to.address, error }),
            }
        };
        letters.iter().zip(mails).map(seal).collect()
    }

    fn frozen(&self, letter: &Letter<'_>, mail: Composed, name: String) -> Frozen {
        let (purpose, reminders) = match letter {
            Letter::Reminders { message, .. } => {
                (message.ladder.into(), message.items.iter().flat_map(Item::reminders).collect())
            }
            Letter::Notice(_) => (Purpose::Notice, Vec::new()),
            Letter::Report(_) => (Purpose::Report, Vec::new()),
        };
        let item = |(reference, step): (&str, String)| (reference.to_owned(), step);
        Frozen {
            purpose,
            day: letter.on(),
            sender: mail.sender,
            recipient: mail.recipient,
            name,
            subject: mail.subject,
            message_id: mail.message_id,
            sha256: HEXLOWER.encode(&Sha256::digest(&mail.mime)),
            mime: mail.mime,
            items: letter.subjects().into_iter().map(item).collect(),
            reminders,
            book_version: None,
            rehearsal: self.rehearsal,
        }
    }
}

impl Unsealed {
    /// Tells the log.
    pub(super) fn tell(self) -> ComposeError {
        telemetry::not_composed(self.to.as_str(), &self.error.to_string());
        self.error
    }
}

impl Desk<'_> {
    pub(super) fn sealer(&self) -> Sealer {
        Sealer {
            templates: self.templates.clone(),
            now: self.clock.now(),
            rehearsal: self.rehearsal,
        }
    }

    /// Composes a letter into the message that goes over the wire, however often.
    ///
    /// # Errors
    /// When no mail can be made of it; the log has been told.
    pub(super) fn seal(
        &self,
        letter: Letter<'_>,
        facts: &Facts<'_>,
    ) -> Result<Frozen, ComposeError> {
        let mut sealed = self.sealer().seal(&[letter], facts);
        sealed.swap_remove(0).map_err(Unsealed::tell)
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
