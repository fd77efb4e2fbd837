//! Whole mails, as they stand in `snapshots/`. Read those first.

use advis::domain::commitment::Commitment;
use advis::domain::leader::{Capacity, Language};
use advis::domain::reminder::Message;
use advis::domain::rule::Step;
use advis::domain::window::Window;
use advis::mail::compose::{
    Composed, Failure, Letter, Notice, NoticeItem, NoticeKind, OverdueLine, Report, Templates, Told,
};

use super::scene::*;

const LANGUAGES: [Language; 2] = [Language::Danish, Language::English];

/// The headers as they travel, then both parts as they are read.
fn readable(mail: &Composed) -> String {
    let bytes = String::from_utf8(mail.mime.clone()).expect("ASCII");
    let (headers, _) = bytes.split_once("\r\n\r\n").expect("headers end");
    let headers = headers.replace("\r\n", "\n");
    format!("{headers}\n\n==== text\n{}\n==== html\n{}", mail.text, mail.html)
}

fn single(language: Language) -> Message {
    let mut item = item("NOR-1", Step::Before(7), "2020-06-21", "2020-06-30");
    item.announced = announced("2020-07-21", "Bodil Vang");
    own(language, vec![item])
}

fn digest(language: Language) -> Message {
    let mut late = item("NOR-3", Step::Overdue(1), "2020-06-14", "2020-06-14");
    late.announced = announced("2020-07-06", "Bodil Vang");
    let mut deputy = item("NOR-4", Step::Due, "2020-06-19", "2020-06-19");
    deputy.about = vec![("ida".to_owned(), Capacity::DeputyOf("ida".to_owned()))];
    let near = item("NOR-1", Step::Before(7), "2020-06-21", "2020-06-30");
    let mut vacant = item("NOR-2", Step::Before(30), "2020-07-20", "2020-07-20");
    vacant.about = vec![("kaj".to_owned(), Capacity::ForVacancy("kaj".to_owned()))];
    let mut open = item("NOR-5", Step::Opens, "2020-06-19", "2020-06-19");
    open.span = Window::from(date("2020-06-19"));
    open.days_left = None;
    own(language, vec![late, deputy, near, vacant, open])
}

fn book() -> Vec<Commitment> {
    vec![
        commitment("NOR-1"),
        plain("NOR-2", "Ny visitationsprocedure er taget i brug", "milestone"),
        plain("NOR-3", "Status på ombygningen af hus 11", "status"),
        plain("NOR-4", "Tredje møde i styregruppen", "meeting"),
        plain("NOR-5", "Fælles ledelse af de to centre", "milestone"),
        Commitment { confidential: true, ..plain("NOR-6", "Sag om opsigelse", "decision") },
    ]
}

#[test]
fn one_reminder_reads_as_in_its_golden_file() {
    for language in LANGUAGES {
        let mail = mail(&single(language), &book());
        insta::assert_snapshot!(format!("single_{}", language.code()), readable(&mail));
    }
}

#[test]
fn a_digest_reads_as_in_its_golden_file() {
    for language in LANGUAGES {
        let mail = mail(&digest(language), &book());
        insta::assert_snapshot!(format!("digest_{}", language.code()), readable(&mail));
    }
}

#[test]
fn an_escalation_reads_as_in_its_golden_file() {
    for language in LANGUAGES {
        let mut late = item("NOR-3", Step::Escalate(1), "2020-06-05", "2020-06-05");
        late.reminded_on = ["2020-05-29", "2020-06-05", "2020-06-08"].map(date).to_vec();
        let open = mail(&escalation(language, vec![late.clone()]), &book());
        late.commitment = "NOR-6".to_owned();
        let confidential = mail(&escalation(language, vec![late]), &book());
        let both = format!("{}\n\n{}", readable(&open), readable(&confidential));
        insta::assert_snapshot!(format!("escalation_{}", language.code()), both);
    }
}

fn check_notice(name: &str, notice: Notice) {
    for language in LANGUAGES {
        let notice = Notice { language, ..notice.clone() };
        let mail = compose(Letter::Notice(&notice), &book(), &Templates::built_in());
        let name = format!("notice_{name}_{}", language.code());
        insta::assert_snapshot!(name, readable(&mail.expect("a mail")));
    }
}

/// To Åse, about her own.
fn notice(kind: NoticeKind, event: i64, commitments: &[&str], span: Option<Window>) -> Notice {
    let item = |commitment: &&str| NoticeItem { commitment: (*commitment).to_owned(), span };
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

#[test]
fn notices_read_as_in_their_golden_files() {
    let june = Some(Window::span(date("2020-06-21"), date("2020-06-30")));
    let moved = NoticeKind::NewDeadline {
        from: Some(Window::day(date("2020-05-29"))),
        reason: "Data fra første kvartal mangler.".to_owned(),
    };
    for (event, kind, span) in [
        (1, NoticeKind::HandedOver, june),
        (2, NoticeKind::TakenOver, None),
        (3, NoticeKind::Done, None),
        (4, NoticeKind::Cancelled, None),
        (5, moved, june),
    ] {
        check_notice(kind.name(), notice(kind.clone(), event, &["NOR-1"], span));
    }
    check_notice("done_in_part", notice(NoticeKind::Done, 6, &["NOR-1"], june));
}

#[test]
fn what_the_secretariat_is_told_reads_as_in_its_golden_files() {
    let text = || "Det er Søren.".to_owned();
    let june = Some(Window::span(date("2020-06-21"), date("2020-06-30")));
    for told in [
        Told::Remarked { text: text() },
        Told::GivenOn { to: "Ida Lund".to_owned() },
        Told::TakenBack,
        Told::NotMine { text: text() },
        Told::MineAfterAll,
        Told::Proposed { wanted: Window::day(date("2020-08-31")), text: text() },
        Told::ProposalWithdrawn,
        Told::ProposalRefused { wanted: Window::day(date("2020-08-31")), text: text() },
    ] {
        let name = told.name();
        check_notice(name, notice(NoticeKind::Told(told), 9, &["NOR-1"], june));
    }
}

#[test]
fn a_notice_of_several_commitments_to_who_stands_in_reads_as_in_its_golden_file() {
    let for_ida = |kind, event, span| Notice {
        about: vec![("ida".to_owned(), Capacity::DeputyOf("ida".to_owned()))],
        by: vec!["Søren Ågård".to_owned(), "Bodil Vang".to_owned()],
        ..notice(kind, event, &["NOR-1", "NOR-2"], span)
    };
    let day = Some(Window::day(date("2020-06-30")));
    let coming = Notice { by: Vec::new(), ..for_ida(NoticeKind::HandedOver, 7, day) };
    check_notice("several_handed_over", coming);
    check_notice("several_taken_over", for_ida(NoticeKind::TakenOver, 8, None));
}

#[test]
fn the_report_reads_as_in_its_golden_file() {
    let report = Report {
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
            cause: "550 5.1.1 mailbox unknown".to_owned(),
        }],
    };
    for language in LANGUAGES {
        let mail = compose_for(
            &people(language),
            Letter::Report(&report),
            &book(),
            &Templates::built_in(),
        );
        let name = format!("report_{}", language.code());
        insta::assert_snapshot!(name, readable(&mail.expect("a mail")));
    }
}

#[test]
fn a_whole_mail_travels_as_in_its_golden_file() {
    let mail = mail(&single(Language::Danish), &book());
    insta::assert_snapshot!("wire", String::from_utf8(mail.mime).expect("ASCII"));
}
