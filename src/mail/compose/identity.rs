//! Message-IDs: derived, so that the same letter has the same one for ever, and nothing personal can be read in them.

use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};

use super::{Facts, Letter, NoticeKind, Sender};
use crate::domain::reminder::Item;

/// Length of the part that tells Message-IDs apart, in base32 characters: 130 bits.
const ID_CHARS: usize = 26;

/// Most threads that one digest names; older programs read no longer headers.
const THREADS_MAX: usize = 10;

/// The Message-ID of a letter, with its angle brackets.
pub(super) fn message_id(letter: Letter<'_>, facts: &Facts<'_>) -> String {
    let (purpose, edition, keys) = match letter {
        Letter::Reminders { message, edition } => {
            let reminders = message.items.iter().flat_map(Item::reminders);
            (message.ladder.name(), edition, reminders.map(|key| key.to_string()).collect())
        }
        Letter::Notice(notice) => {
            let what = match notice.kind {
                NoticeKind::Undelivered { .. } => "message",
                _ => "event",
            };
            ("notice", 0, vec![format!("{what} {}", notice.event)])
        }
        Letter::Report(_) => ("report", 0, Vec::new()),
    };
    let day = letter.on().to_string();
    let address = letter.to(facts).address.key();
    let edition = edition.to_string();
    let parts = [purpose, &day, &address, &edition].into_iter();
    derive(facts.sender, parts.chain(keys.iter().map(String::as_str)))
}

/// The threads a letter belongs to, one a commitment. No mail has such an id: mail programs take it as the lost first
/// message of a conversation, and show every letter about the commitment in it.
pub(super) fn threads(letter: Letter<'_>, facts: &Facts<'_>) -> Vec<String> {
    let mut roots: Vec<String> = Vec::new();
    for (reference, _) in letter.subjects() {
        let root = derive(facts.sender, ["thread", reference].into_iter());
        if roots.len() < THREADS_MAX && !roots.contains(&root) {
            roots.push(root);
        }
    }
    roots
}

/// The UID of the calendar entry for one window of a commitment: the same in every letter to everyone, whatever
/// becomes of the window, and whatever address Advis writes from.
pub(super) fn entry(sender: &Sender, commitment: &str, window: u32) -> String {
    let parts = ["calendar", commitment, &window.to_string()];
    format!("{}.advis", digest(sender, parts.into_iter()))
}

fn derive<'a>(sender: &'a Sender, parts: impl Iterator<Item = &'a str>) -> String {
    format!("<{}.advis@{}>", digest(sender, parts), sender.from.address.domain())
}

/// What tells these parts from all others, in [`ID_CHARS`] characters.
fn digest<'a>(sender: &'a Sender, parts: impl Iterator<Item = &'a str>) -> String {
    let mut digest = Sha256::new();
    for part in std::iter::once(sender.instance.as_str()).chain(parts) {
        // The length goes first, so that no two lists of parts run together into the same bytes.
        digest.update(part.len().to_be_bytes());
        digest.update(part);
    }
    let mut id = BASE32_NOPAD.encode(&digest.finalize()).to_lowercase();
    id.truncate(ID_CHARS);
    id
}
