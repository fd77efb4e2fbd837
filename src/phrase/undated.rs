//! Why a phrase without a date has none.

use crate::domain::window::Undated;

use super::token::Token;
use super::words::Term;

/// Words behind which an event follows, whatever it is.
const CUES: &[&str] = &[
    "når",
    "hvis",
    "såfremt",
    "forud",
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
    "forudsætter",
    "tilknytning",
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
    "ikke",
    "længe",
];
/// What lasts as long as anyone looks ahead, as the endings of compounds.
const STRETCHES: &[&str] = &["tiden", "perioden", "forløbet", "vejen"];
/// What people gather for, as the endings of compounds.
const GATHERINGS: &[&str] =
    &["møde", "mødet", "møder", "møderne", "seminar", "seminaret", "konferencen", "temadagen"];
/// Words between a preposition and the gathering: "på et af de næste chefmøder".
const GATHERING_REACH: usize = 6;

/// The reason, by the words that stand there.
pub(super) fn reason(tokens: &[Token<'_>]) -> Undated {
    let has = |wanted: Term| tokens.iter().any(|token| token.term == wanted);
    let says = |first: &str, second: &str| {
        tokens.windows(2).any(|pair| match pair {
            [left, right] => left.text == first && right.text == second,
            _ => false,
        })
    };
    let possible = tokens.iter().any(|token| matches!(token.text, "muligt" | "mulig"))
        && tokens.iter().any(|token| matches!(token.text, "som" | "først" | "hurtigt" | "snart"));
    if has(Term::Ongoing) || says("indtil", "videre") || says_all_along(tokens) {
        Undated::Ongoing
    } else if names_event(tokens) || (says("så", "snart") && !possible) {
        Undated::RelativeToEvent
    } else if has(Term::Soon) || possible || says("det", "samme") || says_soon(tokens) {
        Undated::AsSoonAsPossible
    } else if says("i", "gang") {
        Undated::Ongoing
    } else {
        Undated::NoDateGiven
    }
}

fn says_soon(tokens: &[Token<'_>]) -> bool {
    tokens.iter().any(|token| matches!(token.text, "snart" | "nu" | "ophold" | "længe"))
}

/// "hele tiden", "i hele valgperioden".
fn says_all_along(tokens: &[Token<'_>]) -> bool {
    tokens.windows(2).any(|pair| match pair {
        [whole, what] => {
            whole.term == Term::Whole
                && STRETCHES.iter().any(|stretch| what.text.ends_with(stretch))
        }
        _ => false,
    })
}

fn names_event(tokens: &[Token<'_>]) -> bool {
    (0..tokens.len()).any(|at| {
        let Some(token) = tokens.get(at) else { return false };
        let next = tokens.get(at + 1);
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        match token.term {
            Term::Within if next.is_some_and(|next| next.term == Term::For) => false,
            Term::After | Term::Before | Term::Within | Term::UpTo => is_event(next),
            Term::To
                if before.is_some_and(|before| matches!(before.text, "frem" | "op" | "hen")) =>
            {
                is_event(next)
            }
            Term::From => before.is_some_and(|before| matches!(before.term, Term::Unit(_))),
            Term::In | Term::To | Term::Under => {
                let the = usize::from(next.is_some_and(|next| next.term == Term::The));
                let term = |places: usize| tokens.get(at + the + places).map(|token| token.term);
                let next_one = matches!(term(1), Some(Term::Next | Term::Coming));
                let what = term(2);
                (next_one && matches!(what, Some(Term::Plain | Term::Document)))
                    || tokens.iter().skip(at + 1).take(GATHERING_REACH).any(is_gathering)
            }
            Term::Times => before.is_some_and(|before| before.term == Term::Each),
            Term::Neutral if token.text == "ved" => is_event(next),
            Term::Plain if token.text == "afventer" => is_event(next),
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
