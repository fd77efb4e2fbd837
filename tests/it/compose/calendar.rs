//! The calendar entries beside the mails, read by a parser that is not the one that wrote them.

use advis::domain::leader::Language;
use advis::domain::rule::Step;
use advis::domain::window::Window;
use calcard::icalendar::{ICalendarComponentType, ICalendarProperty, ICalendarValue};
use calcard::{Entry, Parser};
use chrono::NaiveDate;
use mailparse::{ParsedMail, parse_mail};

use super::gallery::{LANGUAGES, letters};
use super::scene::*;

/// An entry as a calendar program takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) uid: String,
    pub(crate) sequence: i64,
    pub(crate) day: NaiveDate,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) is_private: bool,
}

/// The entries beside a mail, in its order.
pub(crate) fn entries(mime: &[u8]) -> Vec<Seen> {
    let message = parse_mail(mime).expect("a mail");
    let files = message.parts().filter(|part| part.ctype.mimetype == "text/calendar");
    files.map(entry).collect()
}

fn entry(part: &ParsedMail<'_>) -> Seen {
    let file = part.get_body().expect("a file");
    let mut parser = Parser::new(&file);
    let Entry::ICalendar(calendar) = parser.entry() else { panic!("no calendar: {file}") };
    assert!(matches!(parser.entry(), Entry::Eof), "{file}");
    let [frame, event] = calendar.components.as_slice() else { panic!("{calendar:?}") };
    assert_eq!(frame.component_type, ICalendarComponentType::VCalendar);
    assert_eq!(event.component_type, ICalendarComponentType::VEvent);
    let text = |name: &ICalendarProperty| match event.property(name).map(|one| &one.values[..]) {
        None => String::new(),
        Some([ICalendarValue::Text(text)]) => text.clone(),
        Some(other) => panic!("{name:?}: {other:?}"),
    };
    let date = |name: &ICalendarProperty| match &event.property(name).expect("a date").values[..] {
        [ICalendarValue::PartialDateTime(date)] => {
            assert!(!date.has_time(), "all day: {file}");
            let part = |part: Option<u8>| u32::from(part.expect("a part of a date"));
            let year = i32::from(date.year.expect("a year"));
            NaiveDate::from_ymd_opt(year, part(date.month), part(date.day)).expect("a date")
        }
        other => panic!("{name:?}: {other:?}"),
    };
    let sequence = match &event.property(&ICalendarProperty::Sequence).expect("one").values[..] {
        [ICalendarValue::Integer(sequence)] => *sequence,
        other => panic!("{other:?}"),
    };
    let method = part.ctype.params["method"].clone();
    assert!(file.contains(&format!("METHOD:{method}\r\n")), "{file}");
    assert_eq!(file.contains("STATUS:CANCELLED\r\n"), method == "CANCEL", "{file}");
    let day = date(&ICalendarProperty::Dtstart);
    assert_eq!(Some(date(&ICalendarProperty::Dtend)), day.succ_opt(), "the day after is the end");
    for absent in ["ATTENDEE", "VALARM", "RRULE"] {
        assert!(!file.contains(&format!("\r\n{absent}")), "{file}");
    }
    for line in file.split("\r\n") {
        // 75 as the RFC asks, and the blank that folding puts in front.
        assert!(line.len() <= 76 && !line.contains(['\r', '\n']), "{line:?}");
    }
    Seen {
        method,
        uid: text(&ICalendarProperty::Uid),
        sequence,
        day,
        title: text(&ICalendarProperty::Summary),
        text: text(&ICalendarProperty::Description),
        is_private: file.contains("CLASS:PRIVATE\r\n"),
    }
}

#[test]
fn every_entry_of_every_mail_is_taken_by_another_parser() {
    let mut count = 0;
    for language in LANGUAGES {
        for (name, mail) in letters(language) {
            for entry in entries(&mail.mime) {
                assert!(entry.uid.ends_with(".advis") && entry.sequence == 17, "{name}: {entry:?}");
                count += 1;
            }
        }
    }
    assert!(count > 40, "{count}");
}

#[test]
fn which_mails_bring_an_entry_and_which_take_one_out() {
    let all = letters(Language::Danish);
    let methods = |wanted: &str| {
        let (_, mail) = all.iter().find(|(name, _)| *name == wanted).expect(wanted);
        entries(&mail.mime).into_iter().map(|entry| entry.method).collect::<Vec<_>>()
    };
    for name in ["coming_up", "due_today", "overdue", "handed_over", "new_deadline", "deputy"] {
        assert_eq!(methods(name), ["PUBLISH"], "{name}");
    }
    for name in ["receipt", "done", "cancelled", "taken_over"] {
        assert_eq!(methods(name), ["CANCEL"], "{name}");
    }
    assert_eq!(methods("several"), ["PUBLISH"; 4], "what has no end has no entry");
    for name in ["escalation", "vacancy_to_secretariat", "report", "window_opens_without_end"] {
        assert_eq!(methods(name), [""; 0], "{name}");
    }
}

#[test]
fn an_entry_says_what_the_mail_says_on_the_day_of_the_deadline() {
    let message = own(Language::Danish, vec![item("NOR-1", Step::Due, "2020-06-21", "2020-06-30")]);
    let [entry] = entries(&mail(&message, &[commitment("NOR-1")]).mime).try_into().expect("one");
    assert_eq!(entry.day, date("2020-06-30"));
    assert_eq!(entry.title, "Frist: Beskrive mål for den nye dagcenterstruktur");
    assert_eq!(
        spaced(&entry.text),
        "Det fremgår af Indstilling om dagcentre af 15. januar 2020, afsnittet Opfølgning: \
         »Målene beskrives ultimo juni 2020 og forelægges chefgruppen.«\n\nReference: NOR-1"
    );
    assert!(!entry.is_private);
}

#[test]
fn a_confidential_entry_carries_its_reference_and_its_date_alone() {
    let mut secret = commitment("SAG-7");
    secret.confidential = true;
    secret.kind = "meeting".to_owned();
    let message = own(Language::Danish, vec![item("SAG-7", Step::Due, TODAY, TODAY)]);
    let [entry] = entries(&mail(&message, &[secret]).mime).try_into().expect("one");
    assert_eq!((entry.title.as_str(), entry.text.as_str()), ("Frist: SAG-7", ""));
    assert!(entry.is_private);
}

#[test]
fn a_digest_brings_five_at_most_those_to_come_first() {
    let days = ["2020-06-10", "2020-06-29", "2020-06-12", "2020-06-21", "2020-06-19", "2020-07-01"];
    let references: Vec<String> = (1..=days.len()).map(|number| format!("NOR-{number}")).collect();
    let book: Vec<_> = references.iter().map(|one| plain(one, "T", "milestone")).collect();
    let both = references.iter().zip(days);
    let mut items: Vec<_> =
        both.map(|(reference, day)| item(reference, Step::Due, day, day)).collect();
    let mut open = item("NOR-1", Step::Opens, TODAY, TODAY);
    open.span = Window::from(date(TODAY));
    items.push(open);
    let days: Vec<String> = entries(&mail(&own(Language::English, items), &book).mime)
        .iter()
        .map(|entry| entry.day.to_string())
        .collect();
    assert_eq!(days, ["2020-06-19", "2020-06-21", "2020-06-29", "2020-07-01", "2020-06-10"]);
}

#[test]
fn hostile_texts_and_references_make_files_that_can_be_read() {
    for text in
        ["a\r\nATTENDEE:mailto:b@c.example", "\u{202e},;\\n\\N:\"", "👩‍👩‍👧‍👦", "nul\0", &"å".repeat(500)]
    {
        let mut odd = commitment(text);
        odd.title = text.to_owned();
        odd.source.quote = text.repeat(3);
        let message = own(Language::Danish, vec![item(text, Step::Due, TODAY, TODAY)]);
        let mail = mail(&message, &[odd]);
        let [entry] = entries(&mail.mime).try_into().expect("one");
        assert!(entry.title.starts_with("Frist: "), "{entry:?}");
        assert!(!entry.title.contains(['\0', '\r', '\u{202e}']), "{entry:?}");
        let message = parse_mail(&mail.mime).expect("a mail");
        let part = &message.subparts[1];
        let name = part.get_content_disposition().params["filename"].clone();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        assert!(name.ends_with(".ics") && name.chars().all(is_plain), "{name}");
    }
}
