//! From facts to words: what is known about an item, in one language, on one day, within some room.

use chrono::{Datelike, NaiveDate, Weekday};

use super::letter::{Announcement, ItemView, Reading, Reminded, SHORT_CHARS_MAX, SourceView, Why};
use super::{ComposeError, Facts, Room, text, words};
use crate::domain::commitment::{Commitment, Source};
use crate::domain::leader::{Capacity, Language, Leader};
use crate::domain::reminder::Item;
use crate::domain::rule::Step;
use crate::domain::window::Window;
use crate::phrase;

/// Kinds whose windows open with "Tid til opfølgning".
const FOLLOW_UP_KINDS: [&str; 4] = ["status", "effect_goals", "evaluation", "follow_up"];

/// A meeting is held, never "done".
const MEETING: &str = "meeting";

/// Days ahead in which a weekday alone is clear: "på søndag".
const WEEKDAY_DAYS_MAX: i64 = 6;

/// Longest title within a subject, in characters: the deadline that follows it should not be pushed out of sight.
const SUBJECT_TITLE_CHARS_MAX: usize = 100;

/// Turns facts into words: in one language, on one day, within some room.
pub(super) struct Scribe<'a> {
    pub(super) facts: Facts<'a>,
    pub(super) room: Room,
    pub(super) language: Language,
    pub(super) on: NaiveDate,
}

impl Scribe<'_> {
    pub(super) fn commitment(&self, reference: &str) -> Result<&Commitment, ComposeError> {
        (self.facts.book)(reference)
            .ok_or_else(|| ComposeError::UnknownCommitment(reference.to_owned()))
    }

    /// One item of a message; `is_theirs` where its reader answers for it, if only standing in.
    pub(super) fn item(&self, item: &Item, is_theirs: bool) -> Result<ItemView, ComposeError> {
        let commitment = self.commitment(&item.commitment)?;
        let view = self.about(commitment, Some(&item.span), item.days_left);
        let names: Vec<String> = item.about.iter().map(|(leader, _)| self.name(leader)).collect();
        let first = item.about.first().and_then(|(leader, _)| self.facts.people.get(leader));
        let view = ItemView {
            opening: item.step == Step::Opens && item.days_left.is_none_or(|days| days > 0),
            why: self.why(&item.about),
            responsible: words::list(self.language, &names),
            vacant: first.is_none_or(|leader| leader.is_vacant(self.on)),
            announced: item.announced.as_ref().map(|announced| Announcement {
                on: words::weekday_and_day(self.language, announced.on),
                name: self.short(&announced.name),
            }),
            reminded: item.reminded_on.last().map(|last| Reminded {
                name: names.first().cloned().unwrap_or_default(),
                count: item.reminded_on.len(),
                last: words::day(self.language, *last),
            }),
            ..view
        };
        Ok(if commitment.confidential && !is_theirs { view.discreet() } else { view })
    }

    /// A commitment and one of its windows, as far as they speak for themselves.
    pub(super) fn about(
        &self,
        commitment: &Commitment,
        span: Option<&Window>,
        days_left: Option<i64>,
    ) -> ItemView {
        let (language, due) = (self.language, span.and_then(|span| span.due));
        let reference = self.short(&commitment.reference);
        let title = match text::fit(&commitment.title, self.room.title) {
            none if none.is_empty() => reference.clone(),
            title => title,
        };
        let near = days_left.is_some_and(|days| (2..=WEEKDAY_DAYS_MAX).contains(&days));
        let is_weekend = |day: NaiveDate| matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        let closed = span.filter(|span| span.due.is_some() && span.is_longer_than_a_day());
        ItemView {
            subject: match commitment.confidential {
                true => reference.clone(),
                false => text::fit(&title, SUBJECT_TITLE_CHARS_MAX),
            },
            reference,
            title,
            kind: kind(&commitment.kind),
            confidential: commitment.confidential,
            state: match (span, days_left) {
                (None, _) => "undated",
                (_, None) => "open",
                (_, Some(..0)) => "over",
                (_, Some(0)) => "today",
                (_, Some(1..)) => "ahead",
            },
            days: days_left.unwrap_or_default().unsigned_abs(),
            due: due.map(|due| words::day(language, due)),
            due_weekday: due.map(|due| words::weekday_and_day(language, due)),
            opens: span.map(|span| words::day(language, span.opens)).unwrap_or_default(),
            period: closed.map(|span| words::span(language, span)),
            weekend: near && due.is_some_and(is_weekend),
            opening: false,
            source: self.source(&commitment.source),
            reading: span.and_then(|span| self.reading(commitment, span)),
            why: Vec::new(),
            responsible: String::new(),
            vacant: false,
            announced: None,
            reminded: None,
            link: None,
        }
    }

    /// The page about a commitment of a reader who is a leader.
    pub(super) fn link(&self, commitment: &str, reader: Option<&str>) -> Option<String> {
        Some(self.facts.links?.task(commitment, reader?, self.on))
    }

    fn source(&self, source: &Source) -> SourceView {
        SourceView {
            document: text::fit(&source.document, self.room.other),
            date: source.document_date.map(|date| words::day(self.language, date)),
            section: text::fit(&source.section, self.room.other),
            quote: text::fit(&source.quote, self.room.quote),
        }
    }

    fn reading(&self, commitment: &Commitment, span: &Window) -> Option<Reading> {
        let phrase = text::fit(&commitment.phrase, self.room.other);
        let read = as_read(commitment, span);
        if phrase.is_empty() || words::is_plain_date(&phrase, &read) {
            return None;
        }
        let recurring = commitment.recurrence.is_some() || commitment.windows.len() > 1;
        Some(Reading { phrase, days: words::span(self.language, &read), recurring })
    }

    /// One reason for each capacity, in the order given.
    pub(super) fn why(&self, about: &[(String, Capacity)]) -> Vec<Why> {
        let mut capacities: Vec<&Capacity> = Vec::new();
        for (_, capacity) in about {
            if !capacities.contains(&capacity) {
                capacities.push(capacity);
            }
        }
        let reason = |capacity: &Capacity| {
            let same = about.iter().filter(|(_, other)| other == capacity);
            let names: Vec<String> = same.map(|(leader, _)| self.name(leader)).collect();
            self.reason(capacity, words::list(self.language, &names))
        };
        capacities.into_iter().map(reason).collect()
    }

    fn reason(&self, capacity: &Capacity, about: String) -> Why {
        let (capacity, other) = match capacity {
            Capacity::Self_ => ("self", None),
            Capacity::DeputyOf(absent) => ("deputy", Some(absent)),
            Capacity::ForVacancy(gone) => ("vacancy", Some(gone)),
            Capacity::Secretariat => ("secretariat", None),
        };
        let person = other.and_then(|other| self.facts.people.get(other));
        let until = person.and_then(|person| person.absent.to);
        Why {
            capacity,
            about,
            other: other.map(|other| self.name(other)).unwrap_or_default(),
            until: until
                .filter(|_| capacity == "deputy")
                .map(|until| words::day(self.language, until)),
            vacancy: (capacity == "vacancy").then(|| vacancy(person, self.on)),
        }
    }

    /// The name of a leader; the reference when nobody knows it.
    pub(super) fn name(&self, reference: &str) -> String {
        let leader = self.facts.people.get(reference).filter(|leader| !leader.name.is_empty());
        self.short(leader.map_or(reference, |leader| &leader.name))
    }

    /// A reference or a name.
    pub(super) fn short(&self, text: &str) -> String {
        text::fit(text, SHORT_CHARS_MAX.min(self.room.title))
    }
}

/// What the phrase says about the window that ends like `span`: a postponed one may open before that.
fn as_read(commitment: &Commitment, span: &Window) -> Window {
    let made_on = commitment.windows.iter().find(|one| one.window == *span);
    let references = [Some(commitment.reference_date), made_on.and_then(|one| one.made_on)];
    phrase::read_like(&commitment.phrase, references.into_iter().flatten(), span)
        .map_or(*span, |(_, window)| window)
}

/// How an empty chair came to be empty: `unknown`, `not_begun`, `left`, `no_address`.
#[must_use]
pub fn vacancy(leader: Option<&Leader>, on: NaiveDate) -> &'static str {
    match leader {
        None => "unknown",
        Some(leader) if leader.active.from.is_some_and(|from| on < from) => "not_begun",
        Some(leader) if !leader.active.contains(on) => "left",
        Some(_) => "no_address",
    }
}

fn kind(kind: &str) -> &'static str {
    match kind {
        MEETING => "meeting",
        kind if FOLLOW_UP_KINDS.contains(&kind) => "follow_up",
        _ => "task",
    }
}
