//! Headers and bytes, read back by a parser that is not lettre's.

use advis::domain::leader::{Capacity, Language};
use advis::domain::reminder::Message;
use advis::domain::rule::{Ladder, Step};
use advis::mail::compose::{Composed, Letter, Notice, NoticeItem, NoticeKind, Templates};
use mailparse::{MailHeaderMap, ParsedMail, parse_mail};

use super::scene::*;

/// Well below what SMTP allows (998), and near the 78 it asks for: encoded words run a little over.
const LINE_BYTES_MAX: usize = 90;

fn message(references: &[&str]) -> Message {
    let of = |reference: &&str| item(reference, Step::Due, TODAY, TODAY);
    own(Language::Danish, references.iter().map(of).collect())
}

fn sent(message: &Message, edition: u32) -> Composed {
    let names: Vec<&str> = message.items.iter().map(|item| item.commitment.as_str()).collect();
    let book: Vec<_> = names.iter().map(|name| plain(name, "Mål på Ærø", "milestone")).collect();
    compose(Letter::Reminders { message, edition }, &book, &Templates::built_in()).expect("a mail")
}

fn header(parsed: &ParsedMail<'_>, name: &str) -> Option<String> {
    let values = parsed.headers.get_all_values(name);
    assert!(values.len() < 2, "{name} stands twice");
    values.into_iter().next()
}

#[test]
fn other_eyes_read_the_headers_and_both_parts() {
    let mail = sent(&message(&["NOR-1"]), 0);
    let parsed = parse_mail(&mail.mime).expect("a mail");
    for (name, value) in [
        ("From", "Nordby Kommune, Påmindelser <advis@nordby.example>"),
        ("To", "Åse Ærøbo <aase@nordby.example>"),
        ("Reply-To", "Direktionssekretariatet <sekretariat@nordby.example>"),
        ("Date", "Fri, 19 Jun 2020 06:00:00 +0000"),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "OOF, AutoReply"),
        ("Content-Language", "da"),
        ("X-Advis-Items", "NOR-1 due"),
        ("MIME-Version", "1.0"),
        ("Subject", &mail.subject),
        ("Message-ID", &mail.message_id),
    ] {
        assert_eq!(header(&parsed, name).as_deref(), Some(value), "{name}");
    }
    for name in ["Cc", "Bcc", "Sender", "List-Unsubscribe"] {
        assert_eq!(header(&parsed, name), None);
    }
    assert_eq!(mail.subject, "Frist i dag: Mål på Ærø");
    assert_eq!(parsed.ctype.mimetype, "multipart/mixed");
    let [letter, entry] = parsed.subparts.as_slice() else { panic!("{:?}", parsed.subparts) };
    assert_eq!(letter.ctype.mimetype, "multipart/alternative");
    assert_eq!(entry.ctype.mimetype, "text/calendar");
    assert_eq!(entry.ctype.params["method"], "PUBLISH");
    let named = &entry.get_content_disposition().params["filename"];
    assert_eq!(named, "NOR-1.ics");
    let bodies: Vec<(String, String)> = letter
        .subparts
        .iter()
        .map(|part| (part.ctype.mimetype.clone(), part.get_body().expect("a body")))
        .map(|(mimetype, body)| (mimetype, body.replace("\r\n", "\n").trim_end().to_owned()))
        .collect();
    let expected = |kind: &str, body: &str| (kind.to_owned(), body.trim_end().to_owned());
    assert_eq!(bodies, [expected("text/plain", &mail.text), expected("text/html", &mail.html)]);
    assert_eq!(mail.sender.as_str(), "advis-retur@nordby.example");
    assert_eq!(mail.recipient.as_str(), "aase@nordby.example");
}

#[test]
fn the_wire_carries_short_seven_bit_lines() {
    let many: Vec<String> = (1..=40).map(|number| format!("LANG-REFERENCE-{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for references in [&["NOR-1"][..], &many] {
        let mime = String::from_utf8(sent(&message(references), 0).mime).expect("ASCII");
        assert!(mime.is_ascii());
        assert!(mime.ends_with("\r\n"));
        for line in mime.split("\r\n") {
            assert!(line.len() <= LINE_BYTES_MAX, "{line}");
            assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
        }
    }
}

#[test]
fn the_same_letter_is_the_same_bytes_for_ever() {
    assert_eq!(sent(&message(&["NOR-1", "NOR-2"]), 0), sent(&message(&["NOR-1", "NOR-2"]), 0));
}

#[test]
fn another_letter_has_another_message_id() {
    let first = message(&["NOR-1"]);
    let mut tomorrow = first.clone();
    tomorrow.on = date("2020-06-20");
    let mut other_step = first.clone();
    other_step.items[0].step = Step::Before(7);
    let mut other_revision = first.clone();
    other_revision.items[0].revision = 2;
    let mut other_ladder = first.clone();
    other_ladder.ladder = Ladder::Escalation;
    let mut other_reader = first.clone();
    other_reader.to = mailbox("Åse Ærøbo", "aase@soelund.example");
    let more = message(&["NOR-1", "NOR-2"]);
    let letters =
        [first.clone(), tomorrow, other_step, other_revision, other_ladder, other_reader, more];
    let mut ids: Vec<String> = letters.iter().map(|message| sent(message, 0).message_id).collect();
    ids.push(sent(&first, 1).message_id);
    for id in &ids {
        let local = id.strip_prefix('<').and_then(|id| id.strip_suffix(".advis@nordby.example>"));
        let local = local.unwrap_or_else(|| panic!("{id}"));
        assert_eq!(local.len(), 26);
        assert!(local.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()), "{id}");
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[test]
fn an_address_in_capitals_is_the_same_reader() {
    let mut capitals = message(&["NOR-1"]);
    capitals.to = mailbox("Åse Ærøbo", "Aase@nordby.example");
    assert_eq!(sent(&capitals, 0).message_id, sent(&message(&["NOR-1"]), 0).message_id);
}

#[test]
fn every_letter_about_a_commitment_joins_one_conversation() {
    let single = sent(&message(&["NOR-1"]), 0);
    let parsed = parse_mail(&single.mime).expect("a mail");
    let root = header(&parsed, "In-Reply-To").expect("a conversation");
    assert_eq!(header(&parsed, "References").as_ref(), Some(&root));
    assert_ne!(root, single.message_id);

    let digest = sent(&message(&["NOR-2", "NOR-1", "NOR-1"]), 0);
    let parsed = parse_mail(&digest.mime).expect("a mail");
    let references = header(&parsed, "References").expect("conversations");
    assert_eq!(references.split(' ').count(), 2);
    assert!(references.ends_with(&root));
    assert_eq!(header(&parsed, "In-Reply-To"), None);

    let notice = Notice {
        kind: NoticeKind::Done,
        event: 17,
        on: date(TODAY),
        to: mailbox("", "soeren@nordby.example"),
        language: Language::Danish,
        by: vec!["Åse Ærøbo".to_owned()],
        about: vec![("soeren".to_owned(), Capacity::Self_)],
        items: vec![NoticeItem { commitment: "NOR-1".to_owned(), span: None, entries: Vec::new() }],
    };
    let letter = Letter::Notice(&notice);
    let notice = compose(letter, &[commitment("NOR-1")], &Templates::built_in()).expect("a mail");
    let parsed = parse_mail(&notice.mime).expect("a mail");
    assert_eq!(header(&parsed, "In-Reply-To"), Some(root));
    assert_eq!(header(&parsed, "X-Advis-Items").as_deref(), Some("NOR-1 done"));
    assert_eq!(header(&parsed, "To").as_deref(), Some("soeren@nordby.example"));
}

#[test]
fn a_long_digest_names_ten_conversations_and_every_item() {
    let names: Vec<String> = (1..=30).map(|number| format!("NOR-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let digest = sent(&message(&names), 0);
    let parsed = parse_mail(&digest.mime).expect("a mail");
    let references = header(&parsed, "References").expect("conversations");
    assert_eq!(references.split(' ').count(), 10);
    let items = header(&parsed, "X-Advis-Items").expect("items");
    let expected: Vec<String> = names.iter().map(|name| format!("{name} due")).collect();
    assert_eq!(items, expected.join("; "));
}
