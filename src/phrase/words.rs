//! What a word means to the grammar.

use std::collections::HashMap;
use std::sync::LazyLock;

use chrono::Weekday;

use crate::domain::recurrence::Frequency;

use super::tree::{Part, Unit};
use super::vocabulary::{DOCUMENTS, ENDINGS, EXACT, FORGIVEN, ORDINALS};

/// What a token is to the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Term {
    /// Digits; `value` is `u32::MAX` when it does not fit.
    Number { value: u32, digits: u8 },
    /// A sign of one character.
    Sign(char),
    /// 1 to 12.
    MonthName(u32),
    /// First month of the season.
    Season(u32),
    /// "mandag"
    DayName(Weekday),
    /// "mandage"
    DayNames(Weekday),
    /// "måned", "måneder"
    Unit(Unit),
    /// "måneden", which also stands for the present one
    TheUnit(Unit),
    /// "månedens"
    UnitsOwn(Unit),
    /// "q"
    QuarterLetter,
    /// "h"
    HalfYearLetter,
    /// "første"
    Ordinal(u32),
    /// "sidste"
    FinalOne,
    /// "to"
    Cardinal(u32),
    /// "halve"
    Half,
    /// "halvandet"
    OneAndAHalf,
    /// "halvdel"
    HalfOf,
    /// "primo"
    Part(Part),
    /// "udgang", as in "årets udgang"
    Ending,
    /// "årsskiftet"
    Turn,
    /// "sommerferien"
    SummerHoliday,
    /// "i", "på"
    In,
    /// "under": during
    Under,
    /// "af"
    Of,
    /// "den"
    The,
    /// "til"
    To,
    /// "indtil", "t.o.m."
    UpTo,
    /// "med"
    With,
    /// "fra"
    From,
    /// "og"
    And,
    /// "eller"
    Or,
    /// "mellem"
    Between,
    /// "før"
    Before,
    /// "inden"
    Within,
    /// "indenfor"
    WithinSpan,
    /// "efter"
    After,
    /// "siden": what follows is past
    Since,
    /// "tidligst"
    Earliest,
    /// "senest", "frist": what follows is the deadline
    Latest,
    /// "ca.", "forventes": says nothing about the days
    Neutral,
    /// "frem", "fremefter"
    Onward,
    /// "resten"
    Rest,
    /// "hele"
    Whole,
    /// "næste"
    Next,
    /// "kommende"
    Coming,
    /// "denne", "indeværende"
    This,
    /// "for"
    For,
    /// "om"
    Over,
    /// "pr."
    Per,
    /// "gange"
    Times,
    /// "hver"
    Each,
    /// "alle"
    All,
    /// "halvårligt"; `adverb` tells it from "den halvårlige rapport"
    Rate { frequency: Frequency, interval: u32, adverb: bool },
    /// "morgen", "i morgen"
    Morrow,
    /// "d.d.", "dags": so many days from the reference date
    Today(u32),
    /// "kl."
    Clock,
    /// "nr.", "stk.": the number behind it counts something else
    Numbering,
    /// "kr.", "%": the number before it counts something else
    Measure,
    /// "budget", "handleplan": a year behind it names the document
    Document,
    /// "afsluttes": a year behind it may be the deadline
    Lead,
    /// "løbende"
    Ongoing,
    /// "snarest"
    Soon,
    /// Anything else.
    Plain,
}

static VOCABULARY: LazyLock<HashMap<&'static str, Term>> = LazyLock::new(|| {
    let ordinals =
        (1..).map(Term::Ordinal).zip(ORDINALS.split(' ')).map(|(term, word)| (word, term));
    forgiven().chain(words_of(EXACT)).chain(ordinals).collect()
});

static DOCUMENT_STEMS: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| DOCUMENTS.split_whitespace().collect());

/// Reads a word that is written as the vocabulary has it (or with oe, ae for ø, æ), or names a document.
pub(super) fn look_up(word: &str) -> Option<Term> {
    if let Some(term) = VOCABULARY.get(word) {
        return Some(*term);
    }
    if word.contains("oe") || word.contains("ae") {
        let danish = word.replace("oe", "ø").replace("ae", "æ");
        if let Some(term) = VOCABULARY.get(danish.as_str()) {
            return Some(*term);
        }
    }
    is_document(word).then_some(Term::Document)
}

/// What a word that nobody knows is by its ending.
pub(super) fn guess(word: &str) -> Term {
    if word.len() > 4 && (word.ends_with("es") || word.ends_with("eret")) {
        // Passives and participles say what happens by then: "afsluttes 2021", "implementeret 2022".
        Term::Lead
    } else {
        Term::Plain
    }
}

/// The words in which a wrong letter is forgiven.
pub(super) fn forgiven() -> impl Iterator<Item = (&'static str, Term)> {
    words_of(FORGIVEN)
}

fn words_of(table: &'static [(Term, &'static str)]) -> impl Iterator<Item = (&'static str, Term)> {
    table.iter().flat_map(|(term, words)| words.split(' ').map(|word| (word, *term)))
}

fn is_document(word: &str) -> bool {
    ENDINGS
        .iter()
        .filter_map(|ending| word.strip_suffix(ending))
        .any(|stem| DOCUMENT_STEMS.iter().any(|document| stem.ends_with(document)))
}
