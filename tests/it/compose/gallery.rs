//! Every kind of mail there is, in every situation that reads differently: for golden files, for the eye, and for
//! whatever must hold of all of them.

use advis::domain::commitment::Commitment;
use advis::domain::leader::{Capacity, Language};
use advis::domain::reminder::{Item, Message};
use advis::domain::rule::Step;
use advis::domain::window::Window;
use advis::link::Links;
use advis::mail::compose::{
    Composed, Entry, Failure, Letter, Notice, NoticeItem, NoticeKind, OverdueLine, Report,
    Templates, Told,
};

use super::scene::*;

/// Both that we write.
pub(crate) const LANGUAGES: [Language; 2] = [Language::Danish, Language::English];

/// Every mail by the name of its kind; those that leaders answer have links to the pages.
pub(crate) fn letters(language: Language) -> Vec<(&'static str, Composed)> {
    letters_about(language, &book(), "Det er Søren.")
}

/// The same about other commitments of these references, where people say `said` whenever they say something.
pub(super) fn letters_about(
    language: Language,
    book: &[Commitment],
    said: &str,
) -> Vec<(&'static str, Composed)> {
    let (links, templates) = (links(), Templates::built_in());
    let compose = |links: Option<&Links>, letter: Letter<'_>| {
        compose_with(links, language, letter, book, &templates).expect("a mail")
    };
    let mut letters = Vec::new();
    for (name, message) in messages(language) {
        letters.push((
            name,
            compose(Some(&links), Letter::Reminders { message: &message, edition: 0 }),
        ));
    }
    for (name, message) in without_pages(language) {
        letters.push((name, compose(None, Letter::Reminders { message: &message, edition: 0 })));
    }
    for notice in notices(language, said) {
        let name = match notice.items.len() {
            1 => notice.kind.name(),
            _ if notice.kind == NoticeKind::HandedOver => "several_handed_over",
            _ => "several_taken_over",
        };
        letters.push((name, compose(Some(&links), Letter::Notice(&notice))));
    }
    letters.push(("report", compose(None, Letter::Report(&report(said)))));
    letters
}

/// What they are about.
pub(super) fn book() -> Vec<Commitment> {
    vec![
        commitment("NOR-1"),
        plain("NOR-2", "Ny visitationsprocedure er taget i brug", "milestone"),
        plain("NOR-3", "Status på ombygningen af hus 11", "status"),
        plain("NOR-4", "Tredje møde i styregruppen", "meeting"),
        plain("NOR-5", "Fælles ledelse af de to centre", "milestone"),
        Commitment { confidential: true, ..plain("NOR-6", "Sag om opsigelse", "decision") },
    ]
}

fn near() -> Item {
    let mut item = item("NOR-1", Step::Before(7), "2020-06-21", "2020-06-30");
    item.announced = announced("2020-07-21", "Bodil Vang");
    item
}

fn late(reference: &str, due: &str) -> Item {
    let mut item = item(reference, Step::Overdue(1), due, due);
    item.announced = announced("2020-07-06", "Bodil Vang");
    item
}

fn open_ended(reference: &str) -> Item {
    let mut item = item(reference, Step::Opens, TODAY, TODAY);
    item.span = Window::from(date(TODAY));
    item.days_left = None;
    item
}

fn about(item: Item, leader: &str, capacity: fn(String) -> Capacity) -> Item {
    Item { about: vec![(leader.to_owned(), capacity(leader.to_owned()))], ..item }
}

fn escalated(reference: &str) -> Item {
    let mut item = item(reference, Step::Escalate(1), "2020-06-05", "2020-06-05");
    item.reminded_on = ["2020-05-29", "2020-06-05", "2020-06-08"].map(date).to_vec();
    item
}

pub(super) fn messages(language: Language) -> Vec<(&'static str, Message)> {
    let day = |reference, step, due| item(reference, step, due, due);
    let own = |items| own(language, items);
    let vacant = about(day("NOR-2", Step::Before(30), "2020-07-20"), "kaj", Capacity::ForVacancy);
    let deputy = about(near(), "ida", Capacity::DeputyOf);
    let digest = vec![
        late("NOR-3", "2020-06-14"),
        about(day("NOR-4", Step::Due, TODAY), "ida", Capacity::DeputyOf),
        near(),
        vacant.clone(),
        open_ended("NOR-5"),
    ];
    let to_secretariat = Message {
        to: mailbox("Direktionssekretariatet", "sekretariat@nordby.example"),
        leader: None,
        ..own(vec![vacant.clone()])
    };
    vec![
        ("coming_up", own(vec![near()])),
        ("window_opens", own(vec![item("NOR-3", Step::Opens, TODAY, "2020-06-30")])),
        ("window_opens_without_end", own(vec![open_ended("NOR-5")])),
        ("due_today", own(vec![day("NOR-2", Step::Due, TODAY)])),
        ("overdue", own(vec![item("NOR-3", Step::Overdue(1), "2020-06-14", "2020-06-14")])),
        ("escalation_announced", own(vec![late("NOR-3", "2020-06-14")])),
        ("meeting", own(vec![day("NOR-4", Step::Before(7), "2020-06-26")])),
        ("meeting_overdue", own(vec![day("NOR-4", Step::Overdue(1), "2020-06-16")])),
        ("confidential", own(vec![day("NOR-6", Step::Before(7), "2020-06-26")])),
        ("several", own(digest)),
        ("deputy", own(vec![deputy])),
        ("vacancy_to_manager", own(vec![vacant])),
        ("vacancy_to_secretariat", to_secretariat),
        ("escalation", escalation(language, vec![escalated("NOR-3")])),
        ("escalation_confidential", escalation(language, vec![escalated("NOR-6")])),
        (
            "escalation_of_several",
            escalation(language, vec![escalated("NOR-3"), escalated("NOR-6")]),
        ),
    ]
}

pub(super) fn without_pages(language: Language) -> Vec<(&'static str, Message)> {
    let late = late("NOR-3", "2020-06-14");
    vec![
        ("coming_up_without_pages", own(language, vec![near()])),
        ("overdue_without_pages", own(language, vec![late.clone()])),
        ("several_without_pages", own(language, vec![late, near()])),
    ]
}

/// To Åse, about her own.
fn notice(kind: NoticeKind, event: i64, commitments: &[&str], span: Option<Window>) -> Notice {
    let due = date("2020-06-30");
    let entry = |is_off| vec![Entry { window: 1, due, is_off }];
    let entries = match kind {
        NoticeKind::Told(_) | NoticeKind::Undelivered { .. } | NoticeKind::NewLink => Vec::new(),
        NoticeKind::HandedOver | NoticeKind::NewDeadline { .. } => entry(false),
        _ => entry(true),
    };
    let item = |commitment: &&str| NoticeItem {
        commitment: (*commitment).to_owned(),
        span,
        entries: entries.clone(),
    };
    Notice {
        kind,
        event,
        on: date(TODAY),
        to: mailbox("Åse Ærøbo", "aase@nordby.example"),
        language: Language::Danish,
        by: vec!["Søren Ågård".to_owned()],
        about: vec![("aase".to_owned(), Capacity::Self_)],
        items: commitments.iter().map(item).collect(),
    }
}

pub(super) fn notices(language: Language, said: &str) -> Vec<Notice> {
    let june = Some(Window::span(date("2020-06-21"), date("2020-06-30")));
    let day = Some(Window::day(date("2020-06-30")));
    let text = || said.to_owned();
    let wanted = Window::day(date("2020-08-31"));
    let moved =
        NoticeKind::NewDeadline { from: Some(Window::day(date("2020-05-29"))), reason: text() };
    let undelivered = NoticeKind::Undelivered {
        to: mailbox("Søren Ågård", "soeren@nordby.example"),
        message: 17,
        cause: text(),
    };
    let one = |(event, (kind, span))| notice(kind, event, &["NOR-1"], span);
    let told = |told| (NoticeKind::Told(told), june);
    let singles = [
        (NoticeKind::HandedOver, june),
        (NoticeKind::TakenOver, None),
        (NoticeKind::Done, june),
        (NoticeKind::Receipt, None),
        (NoticeKind::Cancelled, None),
        (moved, june),
        told(Told::Remarked { text: text() }),
        told(Told::GivenOn { to: "Ida Lund".to_owned() }),
        told(Told::TakenBack),
        told(Told::NotMine { text: text() }),
        told(Told::MineAfterAll),
        told(Told::Proposed { wanted, text: text() }),
        told(Told::ProposalWithdrawn),
        told(Told::ProposalRefused { wanted, text: text() }),
        (undelivered, june),
        (NoticeKind::NewLink, june),
    ];
    let for_ida = |notice| Notice {
        about: vec![("ida".to_owned(), Capacity::DeputyOf("ida".to_owned()))],
        ..notice
    };
    let several = ["NOR-1", "NOR-2"];
    let coming = Notice { by: Vec::new(), ..notice(NoticeKind::HandedOver, 21, &several, day) };
    let going = Notice {
        by: vec!["Søren Ågård".to_owned(), "Bodil Vang".to_owned()],
        ..notice(NoticeKind::TakenOver, 22, &several, None)
    };
    let all = (1..).zip(singles).map(one).chain([for_ida(coming), for_ida(going)]);
    all.map(|notice| Notice { language, ..notice }).collect()
}

pub(super) fn report(said: &str) -> Report {
    Report {
        on: date(TODAY),
        overdue: vec![
            OverdueLine { commitment: "NOR-3".to_owned(), due: date("2020-06-14") },
            OverdueLine { commitment: "NOR-6".to_owned(), due: date("2020-06-18") },
        ],
        needs_date: vec!["NOR-1".to_owned(), "NOR-2".to_owned()],
        vacancies: vec!["kaj".to_owned()],
        failed: vec![Failure {
            to: mailbox("Søren Ågård", "soeren@nordby.example"),
            commitments: vec!["NOR-2".to_owned(), "NOR-3".to_owned()],
            cause: said.to_owned(),
        }],
    }
}
