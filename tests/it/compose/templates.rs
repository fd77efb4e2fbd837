//! An administrator's own templates: used where they are right, refused with a place where they are not.

use std::collections::BTreeMap;

use advis::domain::leader::Language;
use advis::domain::rule::Step;
use advis::mail::compose::{Letter, TemplateError, Templates};

use super::scene::*;

fn own_texts(texts: &[(&str, &str)]) -> BTreeMap<String, String> {
    texts.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn problems(name: &str, text: &str) -> Vec<TemplateError> {
    match Templates::with(own_texts(&[(name, text)])) {
        Ok(templates) => templates.check().expect_err("a problem"),
        Err(problems) => problems,
    }
}

#[test]
fn the_built_in_templates_stand_every_awkward_letter() {
    Templates::built_in().check().expect("no problem");
}

#[test]
fn an_own_template_takes_the_place_of_the_built_in_one() {
    let texts = own_texts(&[(
        "own.txt",
        "Hej {{ letter.reader }}: {{ letter.sections[0].items[0].title }}",
    )]);
    let templates = Templates::with(texts).expect("templates");
    templates.check().expect("no problem");
    let message = own(Language::Danish, vec![item("NOR-1", Step::Due, TODAY, TODAY)]);
    let letter = Letter::Reminders { message: &message, edition: 0 };
    let mail = compose(letter, &[plain("NOR-1", "Titel & <mere>", "milestone")], &templates);
    let mail = mail.expect("a mail");
    assert_eq!(mail.text, "Hej Åse Ærøbo: Titel & <mere>\n");
    assert!(mail.html.contains("Titel &amp; &lt;mere&gt;"), "HTML is escaped on its own");
}

#[test]
fn an_own_sentence_is_plain_text_in_both_parts() {
    let words = include_str!("../../../src/mail/templates/words.da.txt");
    let own_words = words.replace("Venlig hilsen", "Hilsen <R&D>, {{ \"1 < 2\" }}");
    assert_ne!(words, own_words);
    let templates = Templates::with(own_texts(&[("words.da.txt", &own_words)])).expect("templates");
    let message = own(Language::Danish, vec![item("NOR-1", Step::Due, TODAY, TODAY)]);
    let letter = Letter::Reminders { message: &message, edition: 0 };
    let mail = compose(letter, &[plain("NOR-1", "Titel", "milestone")], &templates);
    let mail = mail.expect("a mail");
    assert!(mail.text.contains("\nHilsen <R&D>, 1 < 2\n"), "{}", mail.text);
    assert!(mail.html.contains(">Hilsen &lt;R&amp;D&gt;, 1 &lt; 2<"), "{}", mail.html);
}

#[test]
fn a_problem_names_the_file_the_line_and_what_to_do() {
    for (name, text, file, line, words) in [
        ("own.txt", "Hej\n\n{{ letter.raeder }}", "own.txt", Some(3), "letter.raeder"),
        ("own.html", "{% if letter.count %}", "own.html", Some(1), "{{ and {%"),
        ("notice.txt", "{{ office.kommune | upper }}", "notice.txt", Some(1), "office.kommune"),
        ("item.txt", "x\n{{ item.titel }}", "item.txt", Some(2), "item.titel"),
        ("own.txt", "{{ letter.reader | stort }}", "own.txt", Some(1), "stort"),
        (
            "words.da.txt",
            "{% macro subject(letter) %}Emne{% endmacro %}",
            "base.txt",
            None,
            "words.da.txt",
        ),
        ("subject.txt", "{# later #}", "subject.txt", None, "needs a subject"),
        ("own.tx", "", "own.tx", None, "own.txt"),
        ("brev", "", "brev", None, "words.da.txt"),
    ] {
        let problems = problems(name, text);
        let found = problems.iter().any(|problem| {
            problem.to_string().contains(words)
                && problem.file.contains(file)
                && (line.is_none() || problem.line == line)
        });
        assert!(found, "{name} {text:?}: {problems:#?}");
        assert!(problems[0].to_string().starts_with("template "));
    }
}

#[test]
fn all_texts_that_are_no_templates_are_named_at_once() {
    let texts = own_texts(&[("own.txt", "{% for"), ("item.html", "{{"), ("andet.txt", "")]);
    assert_eq!(Templates::with(texts).expect_err("three problems").len(), 3);
}
