//! An invented municipality and what its letters are about.

use advis::domain::address::{EmailAddress, Mailbox};
use advis::domain::commitment::{BookWindow, Commitment, Responsible, Source, Status};
use advis::domain::leader::{Capacity, Language, Leader, People, Period};
use advis::domain::reminder::{Announced, Item, Message};
use advis::domain::rule::{Ladder, Step};
use advis::domain::window::{Confidence, Window};
use advis::link::{Keys, Links};
use advis::mail::compose::{
    ComposeError, Composed, Facts, Letter, Sender, Templates, compose as compose_letter,
};
use chrono::{DateTime, NaiveDate, Utc};

pub(super) const TODAY: &str = "2020-06-19";

pub(super) fn date(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

pub(super) fn now() -> DateTime<Utc> {
    "2020-06-19T06:00:00Z".parse().expect("an instant")
}

pub(super) fn mailbox(name: &str, address: &str) -> Mailbox {
    Mailbox { name: name.to_owned(), address: address.parse().expect("an address") }
}

pub(super) fn sender() -> Sender {
    let bounces: EmailAddress = "advis-retur@nordby.example".parse().expect("an address");
    Sender {
        from: mailbox("Nordby Kommune, Påmindelser", "advis@nordby.example"),
        reply_to: mailbox("Direktionssekretariatet", "sekretariat@nordby.example"),
        envelope_sender: bounces,
        organisation: "Nordby Kommune".to_owned(),
        department: "Direktionssekretariatet".to_owned(),
        contact: "sekretariat@nordby.example".to_owned(),
        instance: "5f0c2b9e".to_owned(),
    }
}

fn leader(reference: &str, name: &str) -> Leader {
    Leader {
        reference: reference.to_owned(),
        name: name.to_owned(),
        email: format!("{reference}@nordby.example").parse().ok(),
        role: "Centerchef".to_owned(),
        unit: String::new(),
        manager: Some("bodil".to_owned()),
        deputy: None,
        language: Language::Danish,
        active: Period::default(),
        absent: Period::default(),
    }
}

/// Åse answers for most, Søren shares, Ida is away until 3 July, Kaj left in May, Bodil leads them all.
pub(super) fn people(language: Language) -> People {
    let away = Period { from: Some(date("2020-06-15")), to: Some(date("2020-07-03")) };
    let gone = Period { from: None, to: Some(date("2020-05-31")) };
    let leaders = [
        leader("aase", "Åse Ærøbo"),
        leader("soeren", "Søren Ågård"),
        Leader { absent: away, deputy: Some("aase".to_owned()), ..leader("ida", "Ida Lund") },
        Leader { active: gone, ..leader("kaj", "Kaj Mølle") },
        Leader { manager: None, ..leader("bodil", "Bodil Vang") },
    ];
    People::new(leaders, mailbox("Direktionssekretariatet", "sekretariat@nordby.example"), language)
}

/// The commitment most letters are about.
pub(super) fn commitment(reference: &str) -> Commitment {
    Commitment {
        reference: reference.to_owned(),
        title: "Beskrive mål for den nye dagcenterstruktur".to_owned(),
        kind: "effect_goals".to_owned(),
        phrase: "ultimo juni 2020".to_owned(),
        confidence: Some(Confidence::High),
        organisation: "Nordby Kommune".to_owned(),
        source: Source {
            document: "Indstilling om dagcentre".to_owned(),
            document_date: Some(date("2020-01-15")),
            section: "Opfølgning".to_owned(),
            quote: "Målene beskrives ultimo juni 2020 og forelægges chefgruppen.".to_owned(),
        },
        confidential: false,
        status: Status::Open,
        adoption: date("2020-01-15"),
        revision: 1,
        windows: vec![BookWindow {
            number: 1,
            window: Window::span(date("2020-06-21"), date("2020-06-30")),
            made_on: None,
            closed_on: None,
        }],
        recurrence: None,
        reference_date: date("2020-01-15"),
        responsible: vec![Responsible {
            leader: "aase".to_owned(),
            since: None,
            until: None,
            snoozes: Vec::new(),
        }],
    }
}

/// A commitment of one day, without source or phrase.
pub(super) fn plain(reference: &str, title: &str, kind: &str) -> Commitment {
    Commitment {
        title: title.to_owned(),
        kind: kind.to_owned(),
        phrase: String::new(),
        source: Source::default(),
        ..commitment(reference)
    }
}

/// An item about the window `opens..due`, sent on [`TODAY`].
pub(super) fn item(reference: &str, step: Step, opens: &str, due: &str) -> Item {
    let span = Window::span(date(opens), date(due));
    Item {
        commitment: reference.to_owned(),
        revision: 1,
        window: 1,
        span,
        step,
        days_left: Some((date(due) - date(TODAY)).num_days()),
        about: vec![("aase".to_owned(), Capacity::Self_)],
        reason: String::new(),
        announced: None,
        reminded_on: Vec::new(),
    }
}

pub(super) fn announced(on: &str, name: &str) -> Option<Announced> {
    Some(Announced { on: date(on), name: name.to_owned() })
}

/// To Åse.
pub(super) fn own(language: Language, items: Vec<Item>) -> Message {
    Message {
        on: date(TODAY),
        ladder: Ladder::Own,
        to: mailbox("Åse Ærøbo", "aase@nordby.example"),
        leader: Some("aase".to_owned()),
        language,
        items,
    }
}

/// To Bodil.
pub(super) fn escalation(language: Language, items: Vec<Item>) -> Message {
    Message {
        ladder: Ladder::Escalation,
        to: mailbox("Bodil Vang", "bodil@nordby.example"),
        leader: Some("bodil".to_owned()),
        ..own(language, items)
    }
}

pub(super) fn compose(
    letter: Letter<'_>,
    commitments: &[Commitment],
    templates: &Templates,
) -> Result<Composed, ComposeError> {
    let language = match letter {
        Letter::Reminders { message, .. } => message.language,
        Letter::Notice(notice) => notice.language,
        Letter::Report(_) => Language::Danish,
    };
    compose_with(None, language, letter, commitments, templates)
}

/// With links to the pages, and the secretariat reading that language.
pub(super) fn compose_with(
    links: Option<&Links>,
    language: Language,
    letter: Letter<'_>,
    commitments: &[Commitment],
    templates: &Templates,
) -> Result<Composed, ComposeError> {
    let (sender, people) = (sender(), people(language));
    let book = |reference: &str| commitments.iter().find(|found| found.reference == reference);
    let facts = Facts { sender: &sender, people: &people, book: &book, last_event: &|_| 17, links };
    compose_letter(letter, &facts, templates, now())
}

/// Makes links that no site of ours ever takes.
pub(super) fn links() -> Links {
    let keys = Keys::parse("2020 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").expect("a key");
    Links { base: "https://advis.nordby.example".to_owned(), keys, days: 90 }
}

/// The mail of a message, with the built-in templates.
pub(super) fn mail(message: &Message, commitments: &[Commitment]) -> Composed {
    let letter = Letter::Reminders { message, edition: 0 };
    compose(letter, commitments, &Templates::built_in()).expect("a mail")
}

/// With plain spaces, so that tests can be read.
pub(super) fn spaced(text: &str) -> String {
    text.replace('\u{a0}', " ")
}
