//! The entry in the reader's calendar: an all-day event on the deadline of a window, put in, moved or taken out by a
//! file beside the letter (iCalendar, RFC 5545; PUBLISH and CANCEL, RFC 5546). Nobody is invited to anything.

use chrono::{DateTime, NaiveDate, Utc};
use icalendar::{Calendar, Class, Component, Event, EventLike, EventStatus, Property};
use serde::Serialize;

use super::identity;
use super::letter::{ItemView, SourceView, reference_and_title};
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

/// What the templates get of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub(super) struct EntryView {
    /// The title as a subject may carry it.
    title: String,
    reference: String,
    kind: &'static str,
    /// A meeting may be on any day of a period.
    in_period: bool,
    confidential: bool,
    source: SourceView,
}

/// Where an entry stands in the reader's calendar.
pub(super) struct Place {
    uid: String,
    sequence: u32,
    /// Without its ending.
    file_name: String,
    is_private: bool,
    entry: Entry,
}

/// An entry with its texts, ready to go beside a letter.
pub(super) struct Attached {
    pub(super) place: Place,
    pub(super) title: String,
    pub(super) text: String,
}

/// What the templates get of an entry, and where it stands.
pub(super) type Planned = (EntryView, Place);

/// The entry for one window of a commitment.
pub(super) fn entry(facts: &Facts<'_>, commitment: &str, item: &ItemView, entry: Entry) -> Planned {
    let view = EntryView {
        title: item.subject.clone(),
        reference: item.reference.clone(),
        kind: item.kind,
        in_period: item.period.is_some(),
        confidential: item.confidential,
        source: if item.confidential { SourceView::default() } else { item.source.clone() },
    };
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let place = Place {
        uid: identity::entry(facts.sender, commitment, entry.window),
        // RFC 5545, 3.8.7.4: it only ever rises.
        sequence: u32::try_from((facts.last_event)(commitment)).unwrap_or_default(),
        file_name: item.reference.chars().filter(is_plain).take(FILE_NAME_CHARS_MAX).collect(),
        is_private: item.confidential,
        entry,
    };
    (view, place)
}

impl EntryView {
    /// See [`RemindersView::each_text`](super::letter::RemindersView::each_text).
    pub(super) fn each_text(&mut self, each: &mut impl FnMut(&mut String)) {
        let Self { title, reference, source, .. } = self;
        reference_and_title(reference, title, each);
        source.each_text(each);
    }
}

/// The entries of a reader's own items: those to come first, since an entry in the past helps least. A manager who is
/// only told, and the secretariat, get none.
pub(super) fn of_message(facts: &Facts<'_>, message: &Message, items: &[ItemView]) -> Vec<Planned> {
    if message.ladder != Ladder::Own || message.leader.is_none() {
        return Vec::new();
    }
    let both = message.items.iter().zip(items);
    let mut dated: Vec<(NaiveDate, &Item, &ItemView)> =
        both.filter_map(|(item, view)| Some((item.span.due?, item, view))).collect();
    dated.sort_by_key(|(due, ..)| (*due < message.on, *due));
    few(dated.into_iter().map(|(due, item, view)| {
        let on = Entry { window: item.window, due, is_off: false };
        entry(facts, &item.commitment, view, on)
    }))
}

/// As many as may go beside one letter, each once; no more are made.
pub(super) fn few(entries: impl Iterator<Item = Planned>) -> Vec<Planned> {
    let mut few: Vec<Planned> = Vec::new();
    for entry in entries {
        if few.iter().all(|other| other.1.uid != entry.1.uid) {
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
        if self.place.entry.is_off { "CANCEL" } else { "PUBLISH" }
    }

    /// Such as `NOR-1.ics`.
    pub(super) fn file_name(&self) -> String {
        let name = self.place.file_name.as_str();
        format!("{}.ics", if name.is_empty() { "advis" } else { name })
    }

    /// The file: one calendar with one event, lines ended by CRLF.
    pub(super) fn file(&self, sender: &Sender, now: DateTime<Utc>) -> String {
        let Place { uid, sequence, is_private, entry, .. } = &self.place;
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
        if *is_private {
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
