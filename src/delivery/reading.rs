//! Reading what other systems wrote straight into the store.

use chrono::NaiveDate;

use crate::domain::rule::KindTable;
use crate::intake::nearest;
use crate::phrase;
use crate::store::{Entered, EnteredAs, Unread};

/// What an unread commitment is to be taken for. Windows given directly stand; a phrase is read.
pub(super) fn read(unread: Unread, kinds: &KindTable, today: NaiveDate) -> Entered {
    let outcome = if kinds.get(&unread.kind).is_none() {
        EnteredAs::Problem(unknown_kind(&unread.kind, kinds))
    } else if unread.windows > 0 {
        EnteredAs::Windows
    } else if unread.phrase.trim().is_empty() {
        EnteredAs::Problem("it has neither a phrase nor a row in windows".to_owned())
    } else {
        match phrase::parse(&unread.phrase, unread.reference_date(today)) {
            Ok(deadline) => EnteredAs::Deadline(deadline),
            Err(reason) => EnteredAs::Undated(reason),
        }
    };
    Entered { unread, outcome }
}

/// Why a row needs a person's attention, if it does.
pub(super) fn problem(entered: &Entered) -> Option<String> {
    match &entered.outcome {
        EnteredAs::Problem(what) => Some(what.clone()),
        EnteredAs::Undated(reason) => {
            Some(format!("its deadline {:?} has no date: {reason}", entered.unread.phrase))
        }
        EnteredAs::Deadline(deadline) if !deadline.can_be_planned() => {
            Some(format!("the reading of {:?} waits for `advis confirm`", entered.unread.phrase))
        }
        _ if entered.unread.responsible == 0 => {
            Some("nobody is responsible; add a row to responsibilities".to_owned())
        }
        _ => None,
    }
}

/// The text about a kind that has no rules.
#[must_use]
pub fn unknown_kind(kind: &str, kinds: &KindTable) -> String {
    let names = kinds.names();
    let meant = nearest(kind, names.iter().copied());
    let meant = meant.map(|name| format!(" (did you mean {name:?}?)")).unwrap_or_default();
    let names = names.join(", ");
    format!(
        "its kind {kind:?} has no rules{meant}; use one of {names}, or add [rules.{kind}] to the config"
    )
}
