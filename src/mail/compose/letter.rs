//! What the templates of reminders and escalations get. Dates come as text, numbers as numbers: sentences, plurals and
//! order are the templates' own.

use serde::Serialize;

use super::calendar::{self, Planned};
use super::scribe::Scribe;
use super::{ComposeError, Sender, text};
use crate::domain::reminder::Message;
use crate::domain::rule::Ladder;

/// The parts of a digest, in the order to be read.
const SECTIONS: [&str; 4] = ["over", "today", "near", "later"];

/// Days ahead that a digest lists as near.
const NEAR_DAYS: u64 = 14;

/// Longest reference and longest name shown, in characters.
pub(super) const SHORT_CHARS_MAX: usize = 128;

/// The municipality, as a letter ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub(super) struct OfficeView {
    organisation: String,
    department: String,
    contact: String,
}

/// A digest, or a single reminder or escalation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub(super) struct RemindersView {
    /// `own` or `escalation`.
    kind: &'static str,
    language: &'static str,
    reader: String,
    count: usize,
    overdue: usize,
    today: usize,
    /// The weekday and date of the first item that is not yet due.
    next: Option<String>,
    /// The secretariat reads it, standing in for nobody it could answer to.
    to_secretariat: bool,
    /// Whether every item has the same `why`, so that saying it once is enough.
    same_why: bool,
    /// Whether the reader answers for every item, standing in for nobody.
    is_own: bool,
    /// Whether nobody answers for any item any more.
    is_vacant: bool,
    /// Whether its items have links.
    linked: bool,
    /// In the order of [`SECTIONS`]; never empty ones.
    sections: Vec<Section>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
struct Section {
    name: &'static str,
    items: Vec<ItemView>,
}

/// One commitment in a letter. What is not there is empty or none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub(super) struct ItemView {
    pub(super) reference: String,
    /// The reference alone where the reader may see no more.
    pub(super) title: String,
    /// The title as the subject may carry it.
    pub(super) subject: String,
    /// `meeting`, `follow_up`, `task`; in a confidential one's subject it would tell too much.
    pub(super) kind: &'static str,
    pub(super) confidential: bool,
    /// `over`, `today`, `ahead`, `open` (no last day), `undated`.
    pub(super) state: &'static str,
    /// Days to the deadline, or since it.
    pub(super) days: u64,
    /// `26. juni 2020`.
    pub(super) due: Option<String>,
    /// `fredag den 26. juni 2020`.
    pub(super) due_weekday: Option<String>,
    pub(super) opens: String,
    /// All the days, when there are several.
    pub(super) period: Option<String>,
    /// On a Saturday or Sunday of these days.
    pub(super) weekend: bool,
    /// The window has just opened.
    pub(super) opening: bool,
    pub(super) source: SourceView,
    pub(super) reading: Option<Reading>,
    pub(super) why: Vec<Why>,
    /// Names of those it is about.
    pub(super) responsible: String,
    /// Whether the first of them is gone.
    pub(super) vacant: bool,
    pub(super) announced: Option<Announcement>,
    pub(super) reminded: Option<Reminded>,
    /// The reader's own page about it.
    pub(super) link: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize)]
pub(super) struct SourceView {
    pub(super) document: String,
    pub(super) date: Option<String>,
    pub(super) section: String,
    pub(super) quote: String,
}

/// What we took the phrase to mean.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Reading {
    pub(super) phrase: String,
    pub(super) days: String,
    /// `days` is one occurrence of several.
    pub(super) recurring: bool,
}

/// Why this reader gets it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Why {
    /// `self`, `deputy`, `vacancy`, `secretariat`.
    pub(super) capacity: &'static str,
    /// Names of the responsible it concerns.
    pub(super) about: String,
    /// Name of the one stood in for.
    pub(super) other: String,
    /// The last day of the absence.
    pub(super) until: Option<String>,
    /// `left`, `not_begun`, `no_address`, `unknown`: how the chair came to be empty.
    pub(super) vacancy: Option<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Announcement {
    pub(super) on: String,
    pub(super) name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Reminded {
    /// Name of the first responsible.
    pub(super) name: String,
    pub(super) count: usize,
    pub(super) last: String,
}

impl SourceView {
    pub(super) fn each_text(&mut self, each: &mut impl FnMut(&mut String)) {
        let Self { document, date, section, quote } = self;
        [document, section, quote].into_iter().chain(date).for_each(each);
    }
}

impl OfficeView {
    pub(super) fn each_text(&mut self, each: &mut impl FnMut(&mut String)) {
        let Self { organisation, department, contact } = self;
        [organisation, department, contact].into_iter().for_each(each);
    }

    pub(super) fn new(sender: &Sender) -> Self {
        let contact = match text::one_line(&sender.contact) {
            none if none.is_empty() => sender.reply_to.address.to_string(),
            contact => contact,
        };
        Self {
            organisation: text::fit(&sender.organisation, SHORT_CHARS_MAX),
            department: text::fit(&sender.department, SHORT_CHARS_MAX),
            contact: text::fit(&contact, SHORT_CHARS_MAX),
        }
    }
}

impl RemindersView {
    /// With what goes beside it.
    pub(super) fn new(
        scribe: &Scribe<'_>,
        message: &Message,
    ) -> Result<(Self, Vec<Planned>), ComposeError> {
        // Managers are told, and asked for nothing; the secretariat finds somebody who answers for it.
        let answers = message.leader.as_deref().filter(|_| message.ladder == Ladder::Own);
        let items = message.items.iter().map(|item| {
            let link = scribe.link(&item.commitment, answers);
            scribe.item(item, answers.is_some()).map(|view| ItemView { link, ..view })
        });
        let mut items: Vec<ItemView> = items.collect::<Result<_, _>>()?;
        let first = items.first().ok_or_else(|| ComposeError::Empty(message.to.address.clone()))?;
        let next = items.iter().find(|item| item.state == "ahead");
        let count = |state| items.iter().filter(|item| item.state == state).count();
        let view = Self {
            kind: message.ladder.name(),
            language: message.language.code(),
            reader: scribe.short(&message.to.name),
            count: items.len(),
            overdue: count("over"),
            today: count("today"),
            next: next.and_then(|item| item.due_weekday.clone()),
            to_secretariat: message.leader.is_none(),
            linked: items.iter().any(|item| item.link.is_some()),
            same_why: items.iter().all(|item| item.why == first.why),
            is_own: all_why(&items, "self"),
            is_vacant: all_why(&items, "vacancy"),
            sections: Vec::new(),
        };
        let calendar = calendar::of_message(&scribe.facts, message, &items);
        let sections = SECTIONS.map(|name| {
            let items = items.extract_if(.., |item| item.section() == name).collect();
            Section { name, items }
        });
        let sections = sections.into_iter().filter(|section| !section.items.is_empty()).collect();
        Ok((Self { sections, ..view }, calendar))
    }

    /// Goes through the texts: names, titles, quotes, dates in words. No template of ours asks more of one than whether it
    /// is empty.
    pub(super) fn each_text(&mut self, each: &mut impl FnMut(&mut String)) {
        let Self { reader, next, sections, .. } = self;
        each(reader);
        next.iter_mut().for_each(&mut *each);
        let items = sections.iter_mut().flat_map(|section| &mut section.items);
        items.for_each(|item| item.each_text(each));
    }
}

/// Goes through the texts of something that may have no title but its reference, which templates ask.
pub(super) fn reference_and_title(
    reference: &mut String,
    title: &mut String,
    each: &mut impl FnMut(&mut String),
) {
    let has_title = title != reference;
    each(reference);
    if has_title { each(title) } else { title.clone_from(reference) }
}

/// Whether the reader gets all of it in that capacity.
fn all_why(items: &[ItemView], capacity: &str) -> bool {
    items.iter().flat_map(|item| &item.why).all(|why| why.capacity == capacity)
}

impl ItemView {
    fn each_text(&mut self, each: &mut impl FnMut(&mut String)) {
        let Self { reference, title, subject, due, due_weekday, opens, period, .. } = self;
        reference_and_title(reference, title, each);
        [subject, opens].into_iter().for_each(&mut *each);
        let Self { source, reading, why, responsible, announced, reminded, link, .. } = self;
        [due, due_weekday, period, link].into_iter().flatten().for_each(&mut *each);
        source.each_text(each);
        if let Some(Reading { phrase, days, .. }) = reading {
            [phrase, days].into_iter().for_each(&mut *each);
        }
        for Why { about, other, until, .. } in why {
            [about, other].into_iter().chain(until).for_each(&mut *each);
        }
        each(responsible);
        if let Some(Announcement { on, name }) = announced {
            [on, name].into_iter().for_each(&mut *each);
        }
        if let Some(Reminded { name, last, .. }) = reminded {
            [name, last].into_iter().for_each(&mut *each);
        }
    }

    /// One of [`SECTIONS`].
    fn section(&self) -> &'static str {
        match (self.state, self.days) {
            ("over", _) => "over",
            ("today", _) => "today",
            ("ahead", ..=NEAR_DAYS) => "near",
            _ => "later",
        }
    }

    /// What may leave the circle of those responsible: the reference and its dates.
    pub(super) fn discreet(self) -> Self {
        Self {
            title: self.reference.clone(),
            kind: "task",
            source: SourceView::default(),
            reading: None,
            ..self
        }
    }
}
