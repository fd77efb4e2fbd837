//! Letters: what is to be said, made into the bytes of a mail. Pure: the date and the templates come in as values.

mod calendar;
mod forms;
mod identity;
mod letter;
mod mime;
mod notice;
mod report;
mod said;
mod sample;
mod scribe;
mod shown;
mod templates;
mod text;
mod told;
pub mod words;

use chrono::{DateTime, NaiveDate, Utc};
use minijinja::Value;
use minijinja::value::Serde;

use crate::domain::address::{EmailAddress, Mailbox};
use crate::domain::commitment::Commitment;
use crate::domain::leader::{Language, People};
use crate::domain::reminder::Message;
use crate::link::Links;

use calendar::{EntryView, Place};
use letter::RemindersView;

pub use calendar::Entry;
pub use notice::{Notice, NoticeItem, NoticeKind};
pub use report::{Failure, OverdueLine, Report};
pub use scribe::vacancy;
pub use shown::{office, task};
pub use templates::{TemplateError, Templates};
pub use told::Told;

/// Largest HTML part we write, in bytes: some mail programs cut what is longer (Gmail at 102 KB).
pub const HTML_BYTES_MAX: usize = 100_000;

/// Longest subject, in characters.
pub const SUBJECT_CHARS_MAX: usize = 250;

/// Who writes: the municipality, its addresses, and the seed of its Message-IDs.
#[derive(Debug, Clone)]
pub struct Sender {
    /// Shown as the author; its domain ends the Message-IDs.
    pub from: Mailbox,
    /// Where answers go: the secretariat.
    pub reply_to: Mailbox,
    /// Where bounces go (SMTP `MAIL FROM`).
    pub envelope_sender: EmailAddress,
    /// Such as "Nordby Kommune"; may be empty.
    pub organisation: String,
    /// Such as "Direktionssekretariatet"; may be empty.
    pub department: String,
    /// Where questions go, as text: an address or a telephone number; empty for the address of `reply_to`.
    pub contact: String,
    /// Tells this store from every other one, so that two never make the same Message-ID.
    pub instance: String,
}

/// What a letter may draw on.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// Who writes.
    pub sender: &'a Sender,
    /// The address book.
    pub people: &'a People,
    /// The commitment with that reference.
    pub book: &'a dyn Fn(&str) -> Option<&'a Commitment>,
    /// The number of the last event about the commitment with that reference: it rises with all that happens to it.
    pub last_event: &'a dyn Fn(&str) -> i64,
    /// Makes the links to the pages; `None` where there are none, and leaders answer by mail.
    pub links: Option<&'a Links>,
}

/// What is to be said.
#[derive(Debug, Clone, Copy)]
pub enum Letter<'a> {
    /// A day's reminders or escalations for one person.
    Reminders {
        /// Who, and about what.
        message: &'a Message,
        /// 0 at first; one higher each time a message of the same reminders was cancelled and they are frozen again,
        /// since a Message-ID never names two texts.
        edition: u32,
    },
    /// One thing that happened to commitments.
    Notice(&'a Notice),
    /// The secretariat's report.
    Report(&'a Report),
}

/// A mail, ready to be stored and sent as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Composed {
    /// With its angle brackets.
    pub message_id: String,
    /// As people read it.
    pub subject: String,
    /// SMTP `MAIL FROM`.
    pub sender: EmailAddress,
    /// SMTP `RCPT TO`; the only one.
    pub recipient: EmailAddress,
    /// The whole message (RFC 5322), 7-bit clean, lines ended by CRLF.
    pub mime: Vec<u8>,
    /// The plain part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// Why there is no mail.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// A letter about a commitment that is not in the book.
    #[error("there is no commitment {0:?} in the book, though a message is about it")]
    UnknownCommitment(String),
    /// Nothing to say.
    #[error("a message to {0} has no items, so it says nothing")]
    Empty(EmailAddress),
    /// A template that cannot be used.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// Facts that no mail can carry. The message is to be held until a person has looked at it.
    #[error(
        "no mail can be made of this message: {0}; look at the names, addresses and titles in it"
    )]
    Poisonous(String),
}

/// Room for texts from the store, in characters.
#[derive(Debug, Clone, Copy)]
struct Room {
    title: usize,
    quote: usize,
    /// Names of documents and sections, phrases, reasons.
    other: usize,
}

/// Everything but what is beyond reason.
const AMPLE: Room = Room { title: 500, quote: 1500, other: 250 };

/// Down to the bare necessities. No item is ever left out, so a long digest shortens its texts instead.
const TIGHTER: [Room; 3] = [
    Room { title: 250, quote: 300, other: 120 },
    Room { title: 120, quote: 0, other: 60 },
    Room { title: 60, quote: 0, other: 30 },
];

/// Makes a mail of a letter. The same input always makes the same bytes.
///
/// # Errors
/// When a commitment is missing from the book, a template is wrong, or the facts fit into no mail.
pub fn compose(
    letter: Letter<'_>,
    facts: &Facts<'_>,
    templates: &Templates,
    now: DateTime<Utc>,
) -> Result<Composed, ComposeError> {
    let page = write(AMPLE, letter, facts, templates)?;
    finish(page, letter, facts, templates, now)
}

/// Makes a mail of each letter, as [`compose`] does of one. Together they cost much less: the words are read once, and of
/// letters that differ in their texts only, one is written and the others are filled in (see [`forms`]).
#[must_use]
pub fn compose_all(
    letters: &[Letter<'_>],
    facts: &Facts<'_>,
    templates: &Templates,
    now: DateTime<Utc>,
) -> Vec<Result<Composed, ComposeError>> {
    let mut sheets = Vec::with_capacity(letters.len());
    let places = letters.iter().map(|letter| {
        let (sheet, places) = sheet(AMPLE, *letter, facts)?;
        sheets.push(sheet);
        Ok(places)
    });
    let places: Vec<Result<Vec<Place>, ComposeError>> = places.collect();
    let office = letter::OfficeView::new(facts.sender);
    let mut drafts = templates.render_all(&office, sheets).into_iter();
    let finished = letters.iter().zip(places).map(|(letter, places)| {
        let places = places?;
        let page = match drafts.next().flatten() {
            Some(draft) => draft.page(places)?,
            None => write(AMPLE, *letter, facts, templates)?,
        };
        finish(page, *letter, facts, templates, now)
    });
    finished.collect()
}

/// What the templates get of a letter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Sheet {
    /// The file name of its templates, without its ending.
    kind: &'static str,
    language: Language,
    view: View,
    entries: Vec<EntryView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum View {
    Reminders(RemindersView),
    Other(Value),
}

/// What a mail says, and what goes beside it.
struct Page {
    subject: String,
    text: String,
    html: String,
    entries: Vec<calendar::Attached>,
}

/// Writes a page that is longer than [`HTML_BYTES_MAX`] anew, with less room, and puts it into its envelope.
fn finish(
    mut page: Page,
    letter: Letter<'_>,
    facts: &Facts<'_>,
    templates: &Templates,
    now: DateTime<Utc>,
) -> Result<Composed, ComposeError> {
    for room in TIGHTER {
        if page.html.len() <= HTML_BYTES_MAX {
            break;
        }
        page = write(room, letter, facts, templates)?;
    }
    mime::build(page, letter, facts, now)
}

fn write(
    room: Room,
    letter: Letter<'_>,
    facts: &Facts<'_>,
    templates: &Templates,
) -> Result<Page, ComposeError> {
    let office = letter::OfficeView::new(facts.sender);
    let (sheet, places) = sheet(room, letter, facts)?;
    Ok(templates.render(&office, &sheet)?.page(places)?)
}

/// What the templates get, and where the calendar entries beside it stand.
fn sheet(
    room: Room,
    letter: Letter<'_>,
    facts: &Facts<'_>,
) -> Result<(Sheet, Vec<Place>), ComposeError> {
    let language = letter.language(facts);
    let scribe = scribe::Scribe { facts: *facts, room, language, on: letter.on() };
    let (kind, view, calendar) = match letter {
        Letter::Reminders { message, .. } => {
            let (view, calendar) = RemindersView::new(&scribe, message)?;
            (message.ladder.name(), View::Reminders(view), calendar)
        }
        Letter::Notice(notice) => {
            let (view, calendar) = notice::NoticeView::new(&scribe, notice)?;
            (notice.kind.template(), View::Other(Value::from(Serde(&view))), calendar)
        }
        Letter::Report(report) => {
            let view = report::ReportView::new(&scribe, report);
            ("report", View::Other(Value::from(Serde(&view))), Vec::new())
        }
    };
    let (entries, places) = calendar.into_iter().unzip();
    Ok((Sheet { kind, language, view, entries }, places))
}

impl Sheet {
    /// Goes through the texts of reminders and escalations (see [`RemindersView::each_text`]).
    fn each_text(&mut self, each: &mut impl FnMut(&mut String)) {
        if let View::Reminders(view) = &mut self.view {
            view.each_text(each);
            self.entries.iter_mut().for_each(|entry| entry.each_text(each));
        }
    }
}

impl Letter<'_> {
    /// The day it is written.
    #[must_use]
    pub fn on(&self) -> NaiveDate {
        match self {
            Self::Reminders { message, .. } => message.on,
            Self::Notice(notice) => notice.on,
            Self::Report(report) => report.on,
        }
    }

    /// Who reads it.
    #[must_use]
    pub fn to(&self, facts: &Facts<'_>) -> Mailbox {
        match self {
            Self::Reminders { message, .. } => message.to.clone(),
            Self::Notice(notice) => notice.to.clone(),
            Self::Report(_) => facts.people.secretariat().mailbox,
        }
    }

    fn language(&self, facts: &Facts<'_>) -> Language {
        match self {
            Self::Reminders { message, .. } => message.language,
            Self::Notice(notice) => notice.language,
            Self::Report(_) => facts.people.secretariat().language,
        }
    }

    /// References of the commitments it is about, each with the step or event, in the order of the letter. A report
    /// is about none in particular.
    #[must_use]
    pub fn subjects(&self) -> Vec<(&str, String)> {
        match self {
            Self::Reminders { message, .. } => message
                .items
                .iter()
                .map(|item| (item.commitment.as_str(), item.step.to_string()))
                .collect(),
            Self::Notice(notice) => notice
                .items
                .iter()
                .map(|item| (item.commitment.as_str(), notice.kind.name().to_owned()))
                .collect(),
            Self::Report(_) => Vec::new(),
        }
    }
}
