//! The entry in the reader's calendar: an all-day event on the deadline of a window, put in, moved or taken out by a
//! file beside the letter (iCalendar, RFC 5545; PUBLISH and CANCEL, RFC 5546). Nobody is invited to anything.

use chrono::{DateTime, NaiveDate, Utc};
use icalendar::{Calendar, Class, Component, Event, EventLike, EventStatus, Property};
use serde::Serialize;

use super::identity;
use super::letter::{ItemView, SourceView};
use super::{Facts, Sender};
use crate::domain::reminder::{Item, Message};
use crate::domain::rule::Ladder;

/// Most entries beside one letter.
const ENTRIES_MAX: usize = 5;

/// Longest file name without its ending, in characters.
const FILE_NAME_CHARS_MAX: usize = 40;

/// What becomes of the entry for one window of a commitment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Number of the window.
    pub window: u32,
    /// The deadline: the day it stands on.
    pub due: NaiveDate,
    /// It is taken out.
    pub is_off: bool,
}

/// An entry and what the templates get of it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct EntryView {
    /// The title as a subject may carry it.
    title: String,
    reference: String,
    kind: &'static str,
    /// A meeting may be on any day of a period.
    in_period: bool,
    confidential: bool,
    source: SourceView,
    #[serde(skip)]
    uid: String,
    #[serde(skip)]
    sequence: u32,
    #[serde(skip)]
    entry: Entry,
}

/// An entry with its texts, ready to go beside a letter.
pub(super) struct Attached {
    pub(super) view: EntryView,
    pub(super) title: String,
    pub(super) text: String,
}

impl EntryView {
    pub(super) fn new(facts: &Facts<'_>, commitment: &str, item: &ItemView, entry: Entry) -> Self {
        Self {
            title: item.subject.clone(),
            reference: item.reference.clone(),
            kind: item.kind,
            in_period: item.period.is_some(),
            confidential: item.confidential,
            source: if item.confidential { SourceView::default() } else { item.source.clone() },
            uid: identity::entry(facts.sender, commitment, entry.window),
            // RFC 5545, 3.8.7.4: it only ever rises.
            sequence: u32::try_from((facts.last_event)(commitment)).unwrap_or_default(),
            entry,
        }
    }
}

/// The entries of a reader's own items: those to come first, since an entry in the past helps least. A manager who is
/// only told, and the secretariat, get none.
pub(super) fn of_message(
    facts: &Facts<'_>,
    message: &Message,
    items: &[ItemView],
) -> Vec<EntryView> {
    if message.ladder != Ladder::Own || message.leader.is_none() {
        return Vec::new();
    }
    let both = message.items.iter().zip(items);
    let mut dated: Vec<(NaiveDate, &Item, &ItemView)> =
        both.filter_map(|(item, view)| Some((item.span.due?, item, view))).collect();
    dated.sort_by_key(|(due, ..)| (*due < message.on, *due));
    few(dated.into_iter().map(|(due, item, view)| {
        let entry = Entry { window: item.window, due, is_off: false };
        EntryView::new(facts, &item.commitment, view, entry)
    }))
}

/// As many as may go beside one letter, each once; no more are made.
pub(super) fn few(entries: impl Iterator<Item = EntryView>) -> Vec<EntryView> {
    let mut few: Vec<EntryView> = Vec::new();
    for entry in entries {
        if few.iter().all(|other| other.uid != entry.uid) {
            few.push(entry);
        }
        if few.len() == ENTRIES_MAX {
            break;
        }
    }
    few
}

impl Attached {
    /// `PUBLISH` or `CANCEL`, as the type of the part must say too (RFC 6047, 2.4).
    pub(super) fn method(&self) -> &'static str {
        if self.view.entry.is_off { "CANCEL" } else { "PUBLISH" }
    }

    /// Such as `NOR-1.ics`.
    pub(super) fn file_name(&self) -> String {
        let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let name: String =
            self.view.reference.chars().filter(is_plain).take(FILE_NAME_CHARS_MAX).collect();
        format!("{}.ics", if name.is_empty() { "advis" } else { &name })
    }

    /// The file: one calendar with one event, lines ended by CRLF.
    pub(super) fn file(&self, sender: &Sender, now: DateTime<Utc>) -> String {
        let EntryView { uid, sequence, confidential, entry, .. } = &self.view;
        let after = entry.due.succ_opt().unwrap_or(entry.due);
        let mut event = Event::with_uid(uid);
        event
            .sequence(*sequence)
            .timestamp(now)
            .starts(entry.due)
            .ends(after)
            .summary(&self.title)
            .add_property("ORGANIZER", format!("mailto:{}", sender.reply_to.address))
            // It is a deadline; the day stays free for other things.
            .add_property("TRANSP", "TRANSPARENT");
        if !self.text.is_empty() {
            event.description(&self.text);
        }
        if *confidential {
            event.class(Class::Private);
        }
        if entry.is_off {
            event.status(EventStatus::Cancelled);
        }
        let mut calendar = Calendar::empty();
        for (key, value) in [
            ("VERSION", "2.0"),
            ("PRODID", "-//Advis//Advis//DA"),
            ("CALSCALE", "GREGORIAN"),
            ("METHOD", self.method()),
        ] {
            calendar.append_property(Property::new(key, value));
        }
        calendar.push(event.done());
        calendar.to_string()
    }
}
