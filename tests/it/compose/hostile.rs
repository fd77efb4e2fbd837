//! Texts that would break a mail, run in it, or write headers of their own.

use advis::domain::address::Mailbox;
use advis::domain::commitment::{Commitment, Source};
use advis::domain::leader::Language;
use advis::domain::reminder::Item;
use advis::domain::rule::Step;
use advis::mail::compose::{ComposeError, Composed, HTML_BYTES_MAX, Letter, Templates};
use mailparse::{MailHeaderMap, parse_mail};
use proptest::prelude::*;

use super::calendar::entries;
use super::gallery;
use super::scene::*;

pub(super) const NASTY: [&str; 9] = [
    "Bcc: alle@nordby.example",
    "linje\r\nBcc: alle@nordby.example\r\n\r\nindhold",
    "nul\0tegn",
    "\u{202e}dnelæsgab\u{202c} \u{200f}",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "{{ letter }} {% include 'base.html' %} {# skjult #}",
    "=?utf-8?b?QmNjOiBhbGxlQG5vcmRieS5leGFtcGxl?=",
    "👩‍👩‍👧‍👦🧯 \"anført\" <vinkler> & 'plinger'",
    "",
];

fn named(text: &str) -> (Composed, Commitment) {
    let mut commitment = commitment("NOR-1");
    commitment.title = text.to_owned();
    commitment.phrase = text.to_owned();
    commitment.source.document = text.to_owned();
    commitment.source.section = text.to_owned();
    commitment.source.quote = text.to_owned();
    let mut item = item("NOR-1", Step::Due, TODAY, TODAY);
    item.announced = announced("2020-07-01", text);
    let mut message = own(Language::Danish, vec![item]);
    message.to.name = text.to_owned();
    (mail(&message, std::slice::from_ref(&commitment)), commitment)
}

#[test]
fn nothing_hostile_reaches_the_headers_or_runs_in_the_page() {
    for text in NASTY {
        let (mail, _) = named(text);
        assert!(mail.mime.is_ascii());
        let parsed = parse_mail(&mail.mime).expect("a mail");
        assert_eq!(parsed.headers.get_first_value("Bcc"), None, "{text:?}");
        assert_eq!(parsed.headers.get_all_values("To").len(), 1);
        assert_eq!(parsed.subparts.len(), 2);
        let addresses =
            mailparse::addrparse_header(parsed.headers.get_first_header("To").expect("a reader"));
        assert_eq!(addresses.expect("addresses").count_addrs(), 1, "{text:?}");
        let subject = parsed.headers.get_first_value("Subject").expect("a subject");
        assert!(!subject.contains("Bcc: alle") || !text.starts_with("=?"), "{subject}");
        for part in [&mail.subject, &mail.text, &mail.html] {
            assert!(!part.contains(['\0', '\r', '\u{202e}', '\u{202c}', '\u{200f}']), "{part:?}");
        }
        for tag in ["<script", "<img", "<vinkler"] {
            assert!(!mail.html.contains(tag), "{tag}");
        }
    }
}

/// The book of the gallery, with `text` wherever a commitment has one.
pub(super) fn hostile_book(text: &str) -> Vec<Commitment> {
    let hostile = |commitment: Commitment| Commitment {
        title: text.to_owned(),
        phrase: text.to_owned(),
        source: Source {
            document: text.to_owned(),
            section: text.to_owned(),
            quote: text.to_owned(),
            ..commitment.source
        },
        ..commitment
    };
    gallery::book().into_iter().map(hostile).collect()
}

#[test]
fn every_kind_of_mail_takes_hostile_texts_and_reads_back() {
    for text in [NASTY.join(" "), NASTY[6].to_owned(), String::new(), "Å".repeat(500)] {
        for language in gallery::LANGUAGES {
            for (name, mail) in gallery::letters_about(language, &hostile_book(&text), &text) {
                let message = parse_mail(&mail.mime).expect("a mail");
                assert_eq!(message.headers.get_first_value("Bcc"), None, "{name}: {text:?}");
                assert_eq!(message.headers.get_all_values("To").len(), 1, "{name}: {text:?}");
                assert!(mail.html.len() <= HTML_BYTES_MAX, "{name}: {} bytes", mail.html.len());
                for part in [&mail.subject, &mail.text, &mail.html] {
                    let acts = ['\0', '\r', '\u{202e}', '\u{202c}', '\u{200f}'];
                    assert!(!part.contains(acts), "{name}: {part:?}");
                }
                for tag in ["<script", "<img", "<vinkler"] {
                    assert!(!mail.html.contains(tag), "{name}: {tag}");
                }
                assert!(entries(&mail.mime).len() <= 5, "{name}");
            }
        }
    }
}

#[test]
fn what_looks_like_a_template_is_shown_as_written() {
    let (mail, commitment) = named("{{ letter }} {% if %}");
    assert!(mail.text.contains(&commitment.title));
    assert!(mail.subject.contains(&commitment.title));
}

#[test]
fn a_title_of_five_hundred_characters_is_whole_in_the_mail_and_short_in_the_subject() {
    let title: String = "Åben dør ".repeat(60).chars().take(500).collect();
    let (mail, commitment) = named(&title);
    assert!(mail.text.contains(commitment.title.trim()));
    assert!(mail.subject.chars().count() < 130, "{}", mail.subject);
    assert!(mail.subject.contains('…'));
}

#[test]
fn sixty_items_of_long_titles_are_all_in_a_page_that_no_program_cuts() {
    let long = "Udarbejde en samlet plan for æøå & <b>borgernes</b> forløb ".repeat(9);
    let references: Vec<String> = (1..=60).map(|number| format!("NOR-{number:02}")).collect();
    let of = |reference: &String| {
        let mut commitment = commitment(reference);
        commitment.title = long.clone();
        commitment.source.quote = long.repeat(3);
        commitment
    };
    let book: Vec<Commitment> = references.iter().map(of).collect();
    let items: Vec<Item> = references
        .iter()
        .map(|reference| {
            let mut item = item(reference, Step::Overdue(1), "2020-06-10", "2020-06-15");
            item.announced = announced("2020-07-06", "Bodil Vang");
            item
        })
        .collect();
    let message = own(Language::Danish, items);
    let letter = Letter::Reminders { message: &message, edition: 0 };
    let (links, templates) = (links(), Templates::built_in());
    let mail = compose_with(Some(&links), message.language, letter, &book, &templates);
    let mail = mail.expect("a mail");
    assert!(mail.html.len() <= HTML_BYTES_MAX, "{} bytes", mail.html.len());
    for reference in &references {
        assert!(mail.html.contains(reference) && mail.text.contains(reference), "{reference}");
    }
    let buttons = mail.html.matches("/done\"").count();
    assert_eq!(buttons, 60, "each with its button");
    for part in [&mail.text, &mail.html] {
        assert!(part.contains("https://advis.nordby.example/t/"), "links are never cut");
    }
}

#[test]
fn a_message_about_nothing_or_an_unknown_commitment_is_an_error() {
    let templates = Templates::built_in();
    let empty = own(Language::Danish, Vec::new());
    let unknown = own(Language::Danish, vec![item("NOR-9", Step::Due, TODAY, TODAY)]);
    let error = |message| {
        compose(Letter::Reminders { message, edition: 0 }, &[], &templates).expect_err("no mail")
    };
    assert!(matches!(error(&empty), ComposeError::Empty(_)));
    assert!(matches!(error(&unknown), ComposeError::UnknownCommitment(name) if name == "NOR-9"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_text_makes_a_mail_that_reads_back(text in any::<String>(), name in any::<String>()) {
        let commitment = Commitment { title: text, ..commitment("NOR-1") };
        let mut message = own(Language::English, vec![item("NOR-1", Step::Due, TODAY, TODAY)]);
        message.to = Mailbox { name, ..message.to };
        let mail = mail(&message, std::slice::from_ref(&commitment));
        prop_assert!(mail.mime.is_ascii());
        let parsed = parse_mail(&mail.mime).expect("a mail");
        let to = mailparse::addrparse_header(parsed.headers.get_first_header("To").expect("To"));
        prop_assert_eq!(to.expect("an address").extract_single_info().expect("one").addr, "aase@nordby.example");
        prop_assert_eq!(parsed.subparts.len(), 2);
        prop_assert_eq!(parsed.headers.len(), 14);
    }
}
