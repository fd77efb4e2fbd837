//! Letters that are filled into the form of an earlier one: word for word what they would be by themselves.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use advis::domain::commitment::{Commitment, Source};
use advis::domain::leader::Language;
use advis::domain::reminder::Message;
use advis::domain::rule::Step;
use advis::link::Links;
use advis::mail::compose::{Facts, Letter, Templates, compose, compose_all};
use proptest::prelude::*;

use super::gallery::{self, LANGUAGES};
use super::hostile::{NASTY, hostile_book};
use super::scene::*;

/// Checks that letters made together are those made each alone.
fn check(
    letters: &[Letter<'_>],
    links: Option<&Links>,
    book: &[Commitment],
    templates: &Templates,
) {
    let (sender, people) = (sender(), people(Language::Danish));
    let book = |reference: &str| book.iter().find(|found| found.reference == reference);
    let facts = Facts { sender: &sender, people: &people, book: &book, last_event: &|_| 17, links };
    let together = compose_all(letters, &facts, templates, now());
    assert_eq!(together.len(), letters.len());
    for (letter, filled) in letters.iter().zip(together) {
        let alone = compose(*letter, &facts, templates, now()).expect("a mail");
        assert_eq!(filled.expect("a mail"), alone);
    }
}

fn reminders(message: &Message) -> Letter<'_> {
    Letter::Reminders { message, edition: 0 }
}

#[test]
fn every_letter_is_the_same_whatever_letter_gave_it_its_form() {
    let templates = Templates::built_in();
    let links = links();
    let texts = NASTY.into_iter().chain(["NOR-3", "Å", "\u{a0}kant\u{a0}", "fredag"]);
    for text in texts {
        let named = |message: &Message| {
            let to = mailbox(text, message.to.address.as_str());
            Message { to, ..message.clone() }
        };
        for language in LANGUAGES {
            let messages = gallery::messages(language).into_iter();
            let messages = messages.chain(gallery::without_pages(language));
            let messages: Vec<Message> = messages.map(|(_, message)| message).collect();
            let named: Vec<Message> = messages.iter().map(named).collect();
            let (notices, report) = (gallery::notices(language, text), gallery::report(text));
            let letters = messages.iter().zip(&named).zip(notices.iter().cycle());
            let letters = letters.flat_map(|((one, other), notice)| {
                [reminders(one), Letter::Notice(notice), reminders(other)]
            });
            let letters: Vec<Letter<'_>> = letters.chain([Letter::Report(&report)]).collect();
            check(&letters, Some(&links), &gallery::book(), &templates);
            check(&letters, Some(&links), &hostile_book(text), &templates);
            check(&letters, None, &hostile_book(text), &templates);
        }
    }
}

#[test]
fn own_templates_may_ask_anything_of_a_text() {
    let own_template =
        "{{ letter.reader | length }} {{ letter.sections[0].items[0].title | upper }}
        {{ 'kort' if letter.sections[0].items[0].title == 'Kort' else 'ellers' }}";
    let texts = BTreeMap::from([("own.txt".to_owned(), own_template.to_owned())]);
    let templates = Templates::with(texts).expect("templates");
    let message = own(Language::Danish, vec![item("NOR-1", Step::Due, TODAY, TODAY)]);
    for title in ["Lang titel", "Kort", "Titel"] {
        check(&[reminders(&message)], None, &[plain("NOR-1", title, "milestone")], &templates);
    }
}

/// Kept from case to case, with all the forms.
static TEMPLATES: LazyLock<Templates> = LazyLock::new(Templates::built_in);

/// Any, or one that others may be too.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ a-zæ<&\u{a0}]{0,6}",
        Just("NB-1".to_owned()),
        Just("fredag den 26. juni 2020".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_filled_in_as_it_would_be_written(
        texts in prop::collection::vec((text(), text(), text(), text()), 1..4),
        name in text(),
        is_told in any::<bool>(),
    ) {
        let reference = |number: usize| format!("NB-{number}");
        let book = texts.iter().enumerate().map(|(number, (title, phrase, document, quote))| {
            let commitment = commitment(&reference(number));
            let source = Source {
                document: document.clone(),
                quote: quote.clone(),
                ..commitment.source
            };
            let (title, phrase) = (title.clone(), phrase.clone());
            Commitment { title, phrase, source, ..commitment }
        });
        let book: Vec<Commitment> = book.collect();
        let item = |number| {
            let item = item(&reference(number), Step::Before(7), "2020-06-21", "2020-06-30");
            let announced = if is_told { announced("2020-07-01", &name) } else { None };
            advis::domain::reminder::Item { announced, ..item }
        };
        let mut message = own(Language::Danish, (0..texts.len()).map(item).collect());
        message.to.name.clone_from(&name);
        check(&[reminders(&message)], None, &book, &TEMPLATES);
    }
}
