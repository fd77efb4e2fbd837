//! Why a phrase without a date has none.

use crate::domain::window::Undated;

use super::token::Token;
use super::words::Term;

/// Words behind which an event follows, whatever it is.
const CUES: &[&str] = &[
    "når",
    "hvis",
    "såfremt",
    "afventer",
    "afhænger",
    "afhængig",
    "forbindelse",
    "forlængelse",
    "takt",
    "samtidig",
    "umiddelbart",
    "herefter",
    "derefter",
    "forudsætning",
];
/// "efter behov", "ved lejlighed": no event, though it is said like one.
const NO_EVENTS: &[&str] = &[
    "behov",
    "lejlighed",
    "aftale",
    "nærmere",
    "ønske",
    "siden",
    "hjælp",
    "brug",
    "gældende",
    "planen",
    "reglerne",
    "loven",
];
/// What people gather for, as the endings of compounds.
const GATHERINGS: &[&str] =
    &["møde", "mødet", "møder", "møderne", "seminar", "seminaret", "konferencen", "temadagen"];
/// Words between a preposition and the gathering: "på et af de næste chefmøder".
const GATHERING_REACH: usize = 4;

/// The reason, by the words that stand there.
pub(super) fn reason(tokens: &[Token<'_>]) -> Undated {
    let has = |wanted: Term| tokens.iter().any(|token| token.term == wanted);
    let says = |first: &str, second: &str| {
        tokens.windows(2).any(|pair| match pair {
            [left, right] => left.text == first && right.text == second,
            _ => false,
        })
    };
    let possible = says("som", "muligt") || says("først", "muligt") || says("som", "mulig");
    if has(Term::Ongoing) || says("hele", "tiden") || says("indtil", "videre") {
        Undated::Ongoing
    } else if names_event(tokens) || (says("så", "snart") && !possible) {
        Undated::RelativeToEvent
    } else if has(Term::Soon) || possible || says("det", "samme") || says_soon(tokens) {
        Undated::AsSoonAsPossible
    } else {
        Undated::NoDateGiven
    }
}

fn says_soon(tokens: &[Token<'_>]) -> bool {
    tokens.iter().any(|token| matches!(token.text, "snart" | "nu"))
}

fn names_event(tokens: &[Token<'_>]) -> bool {
    (0..tokens.len()).any(|at| {
        let Some(token) = tokens.get(at) else { return false };
        let next = tokens.get(at + 1);
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        match token.term {
            Term::Within if next.is_some_and(|next| next.term == Term::For) => false,
            Term::After | Term::Before | Term::Within | Term::UpTo => is_event(next),
            Term::To if before.is_some_and(|before| before.text == "frem") => is_event(next),
            Term::From => before.is_some_and(|before| matches!(before.term, Term::Unit(_))),
            Term::In | Term::To => {
                let next_one =
                    next.is_some_and(|next| matches!(next.term, Term::Next | Term::Coming));
                let what = tokens.get(at + 2).map(|token| token.term);
                (next_one && matches!(what, Some(Term::Plain | Term::Document)))
                    || tokens.iter().skip(at + 1).take(GATHERING_REACH).any(is_gathering)
            }
            Term::Times => before.is_some_and(|before| before.term == Term::Each),
            Term::Neutral if token.text == "ved" => is_event(next),
            _ => CUES.contains(&token.text),
        }
    })
}

fn is_event(next: Option<&Token<'_>>) -> bool {
    next.is_some_and(|next| {
        !matches!(next.term, Term::Sign(_) | Term::Onward) && !NO_EVENTS.contains(&next.text)
    })
}

fn is_gathering(token: &Token<'_>) -> bool {
    token.term == Term::Plain && GATHERINGS.iter().any(|word| token.text.ends_with(word))
}
