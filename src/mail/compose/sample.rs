//! Facts as awkward as they come, to try templates on: every sort of letter, every branch, hostile texts.

use chrono::{DateTime, Days, NaiveDate};

use super::{
    ComposeError, Composed, Entry, Facts, Failure, Letter, Notice, NoticeItem, NoticeKind,
    OverdueLine, Report, Sender, Templates, Told, compose,
};
use crate::domain::address::{BadAddress, EmailAddress, Mailbox};
use crate::domain::commitment::{Commitment, Responsible, Source, Status};
use crate::domain::leader::{Capacity, Language, Leader, People, Period};
use crate::domain::reminder::{Announced, Item, Message};
use crate::domain::rule::{Ladder, Step};
use crate::domain::window::Window;
use crate::link::{Keys, Links};

const HOSTILE: &str = "Æøå <script>alert(1)</script> {{ nej }} {% raw %} \u{202e}\r\n\0 👩‍👩‍👧 »«&\"' ";

/// Every letter of the sample, in both languages.
pub(super) fn compose_all(templates: &Templates) -> Vec<Result<Composed, ComposeError>> {
    let languages = [Language::Danish, Language::English];
    let links = Keys::parse(SAMPLE_KEY).ok().map(links);
    let ways =
        languages.into_iter().flat_map(|language| [(language, None), (language, links.as_ref())]);
    let compose_in = |(language, links)| {
        with_letters(language, links, |letters, facts| {
            let composed =
                letters.map(|letter| compose(letter, facts, templates, DateTime::default()));
            composed.collect()
        })
    };
    ways.flat_map(compose_in).collect()
}

/// Signs nothing that anybody could open.
const SAMPLE_KEY: &str = "sample AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

fn links(keys: Keys) -> Links {
    Links { base: "https://advis.kommune.example".to_owned(), keys, days: 90 }
}

/// What `each` makes of the letters of the sample.
pub(super) fn with_letters<T>(
    language: Language,
    links: Option<&Links>,
    each: impl FnOnce(&mut dyn Iterator<Item = Letter<'_>>, &Facts<'_>) -> Vec<T>,
) -> Vec<T> {
    let Ok(mailbox) = mailbox() else { return Vec::new() };
    let sender = sender(&mailbox);
    let people = People::new(leaders(&mailbox), mailbox.clone(), language);
    let commitments = [
        commitment("follow_up", false),
        commitment("follow_up", true),
        commitment("meeting", false),
        commitment("milestone", false),
    ];
    let book = |reference: &str| commitments.iter().find(|found| found.reference == reference);
    let facts = Facts { sender: &sender, people: &people, book: &book, last_event: &|_| 1, links };
    let messages = messages(&commitments, &mailbox, language);
    let notices = notices(&commitments, &mailbox, language);
    let reports = [full_report(&commitments, &mailbox), Report::default()];
    let mut letters = messages
        .iter()
        .map(|message| Letter::Reminders { message, edition: 0 })
        .chain(notices.iter().map(Letter::Notice))
        .chain(reports.iter().map(Letter::Report));
    each(&mut letters, &facts)
}

fn mailbox() -> Result<Mailbox, BadAddress> {
    let address: EmailAddress = "proeve@kommune.example".parse()?;
    Ok(Mailbox { name: HOSTILE.to_owned(), address })
}

fn sender(mailbox: &Mailbox) -> Sender {
    Sender {
        from: mailbox.clone(),
        reply_to: mailbox.clone(),
        envelope_sender: mailbox.address.clone(),
        organisation: HOSTILE.to_owned(),
        department: String::new(),
        contact: String::new(),
        instance: "sample".to_owned(),
    }
}

/// Leaders in office and away, gone, not begun, and without an address.
fn leaders(mailbox: &Mailbox) -> Vec<Leader> {
    let leader = |reference: &str| Leader {
        reference: reference.to_owned(),
        name: format!("{HOSTILE} {reference}"),
        email: Some(mailbox.address.clone()),
        role: HOSTILE.to_owned(),
        unit: String::new(),
        manager: None,
        deputy: None,
        language: Language::Danish,
        active: Period::default(),
        absent: Period::default(),
    };
    let today = NaiveDate::default();
    vec![
        Leader { absent: Period { from: None, to: Some(today) }, ..leader("away") },
        Leader { absent: Period { from: Some(today), to: None }, ..leader("away-for-good") },
        Leader { active: Period { from: None, to: today.pred_opt() }, ..leader("gone") },
        Leader { active: Period { from: today.succ_opt(), to: None }, ..leader("not-begun") },
        Leader { email: None, ..leader("no-address") },
    ]
}

/// A full one, or a bare one that is confidential.
fn commitment(kind: &str, bare: bool) -> Commitment {
    Commitment {
        reference: format!("{kind}-{bare}"),
        title: if bare { String::new() } else { HOSTILE.repeat(2) },
        kind: kind.to_owned(),
        phrase: if bare { String::new() } else { HOSTILE.to_owned() },
        confidence: None,
        organisation: String::new(),
        source: if bare { Source::default() } else { source() },
        confidential: bare,
        status: Status::Open,
        adoption: NaiveDate::default(),
        revision: 1,
        windows: Vec::new(),
        recurrence: None,
        reference_date: NaiveDate::default(),
        responsible: vec![Responsible {
            leader: "away".to_owned(),
            since: None,
            until: None,
            snoozes: Vec::new(),
        }],
    }
}

fn source() -> Source {
    Source {
        document: HOSTILE.to_owned(),
        document_date: Some(NaiveDate::default()),
        section: HOSTILE.to_owned(),
        quote: HOSTILE.to_owned(),
    }
}

/// One single message for each commitment and distance to the deadline, and digests of them all.
fn messages(commitments: &[Commitment], to: &Mailbox, language: Language) -> Vec<Message> {
    let message = |ladder, leader: Option<&str>, items| Message {
        on: NaiveDate::default(),
        ladder,
        to: to.clone(),
        leader: leader.map(str::to_owned),
        language,
        items,
    };
    let mut messages = Vec::new();
    for (ladder, leader) in
        [(Ladder::Own, Some("away")), (Ladder::Own, None), (Ladder::Escalation, Some("away"))]
    {
        let items: Vec<Vec<Item>> =
            commitments.iter().map(|commitment| items(commitment, ladder).collect()).collect();
        let singles = items.iter().flatten();
        messages.extend(singles.map(|item| message(ladder, leader, vec![item.clone()])));
        // Every section once, and every commitment.
        let several =
            items.iter().zip(0..).flat_map(|(items, place)| items.iter().skip(place).step_by(4));
        messages.push(message(ladder, leader, several.cloned().collect()));
    }
    messages
}

fn items(commitment: &Commitment, ladder: Ladder) -> impl Iterator<Item = Item> {
    let today = NaiveDate::default();
    let later = |days| today.checked_add_days(Days::new(days));
    let ends = [today.pred_opt(), Some(today), later(1), later(2), later(9), later(40), None];
    ends.into_iter().map(move |due| Item {
        commitment: commitment.reference.clone(),
        revision: 1,
        window: 1,
        span: Window { opens: due.map_or(today, |due| due.min(today)), due },
        step: if ladder == Ladder::Own { Step::Opens } else { Step::Escalate(1) },
        days_left: due.map(|due| (due - today).num_days()),
        about: about(),
        reason: String::new(),
        announced: Some(Announced { on: today, name: HOSTILE.to_owned() }),
        reminded_on: vec![today; 2],
    })
}

fn about() -> Vec<(String, Capacity)> {
    let named = |capacity: fn(String) -> Capacity, name: &str| capacity(name.to_owned());
    [
        Capacity::Self_,
        named(Capacity::DeputyOf, "away"),
        named(Capacity::DeputyOf, "away-for-good"),
        named(Capacity::ForVacancy, "gone"),
        named(Capacity::ForVacancy, "not-begun"),
        named(Capacity::ForVacancy, "no-address"),
        named(Capacity::ForVacancy, "nobody knows"),
        Capacity::Secretariat,
    ]
    .into_iter()
    .map(|capacity| ("away".to_owned(), capacity))
    .collect()
}

fn notices(commitments: &[Commitment], to: &Mailbox, language: Language) -> Vec<Notice> {
    let wanted = Window::day(NaiveDate::default());
    let day = Some(wanted);
    let open = Some(Window::from(NaiveDate::default()));
    let moved = |from, reason: &str| NoticeKind::NewDeadline { from, reason: reason.to_owned() };
    let kinds = [
        (NoticeKind::HandedOver, day),
        (NoticeKind::TakenOver, None),
        (NoticeKind::Done, day),
        (NoticeKind::Receipt, None),
        (NoticeKind::Receipt, day),
        (NoticeKind::NewLink, day),
        (undelivered(to, HOSTILE), day),
        (undelivered(to, ""), None),
        (NoticeKind::Cancelled, None),
        (moved(day, HOSTILE), day),
        (moved(None, ""), day),
        (moved(day, ""), open),
        (moved(day, ""), None),
        (NoticeKind::Told(Told::Remarked { text: HOSTILE.to_owned() }), day),
        (NoticeKind::Told(Told::GivenOn { to: HOSTILE.to_owned() }), day),
        (NoticeKind::Told(Told::TakenBack), open),
        (NoticeKind::Told(Told::NotMine { text: String::new() }), None),
        (NoticeKind::Told(Told::MineAfterAll), day),
        (NoticeKind::Told(Told::Proposed { wanted, text: HOSTILE.to_owned() }), day),
        (NoticeKind::Told(Told::ProposalWithdrawn), None),
        (NoticeKind::Told(Told::ProposalRefused { wanted, text: String::new() }), open),
    ];
    let item = |commitment: &Commitment, span: Option<Window>| NoticeItem {
        commitment: commitment.reference.clone(),
        span,
        entries: vec![Entry { window: 1, due: NaiveDate::default(), is_off: span.is_none() }],
    };
    let notice = |kind, about, items| Notice {
        kind,
        event: 1,
        on: NaiveDate::default(),
        to: to.clone(),
        language,
        by: Vec::new(),
        about,
        items,
    };
    let one = |(kind, span), commitment| notice(kind, about(), vec![item(commitment, span)]);
    let of = |commitment| kinds.clone().map(|kind| one(kind, commitment));
    let all = |(kind, span)| {
        let items = commitments.iter().map(|commitment| item(commitment, span)).collect();
        let others = about().into_iter().filter(|(_, capacity)| *capacity != Capacity::Self_);
        notice(kind, others.collect(), items)
    };
    commitments.iter().flat_map(of).chain(kinds.clone().map(all)).collect()
}

fn undelivered(to: &Mailbox, cause: &str) -> NoticeKind {
    NoticeKind::Undelivered { to: to.clone(), message: 1, cause: cause.to_owned() }
}

fn full_report(commitments: &[Commitment], to: &Mailbox) -> Report {
    let references: Vec<String> =
        commitments.iter().map(|commitment| commitment.reference.clone()).collect();
    let overdue = |reference: &String| OverdueLine {
        commitment: reference.clone(),
        due: NaiveDate::default(),
    };
    Report {
        on: NaiveDate::default(),
        overdue: references.iter().map(overdue).collect(),
        needs_date: references.clone(),
        vacancies: ["gone", "not-begun", "no-address", "nobody"].map(str::to_owned).to_vec(),
        failed: vec![Failure {
            to: to.clone(),
            commitments: references,
            cause: HOSTILE.to_owned(),
        }],
    }
}
