//! What the pages say of a commitment: the same words as the mails.

use chrono::NaiveDate;
use serde::Serialize;

use super::letter::{ItemView, OfficeView};
use super::scribe::Scribe;
use super::{AMPLE, Facts, Sender};
use crate::domain::commitment::Commitment;
use crate::domain::leader::Language;

/// A commitment and its earliest open window (the last one, when none is open), as the templates of mails get it. Whom a
/// confidential one concerns no more sees its reference and dates alone.
#[must_use]
pub fn task(
    commitment: &Commitment,
    facts: &Facts<'_>,
    language: Language,
    on: NaiveDate,
    is_theirs: bool,
) -> impl Serialize + use<> {
    let scribe = Scribe { facts: *facts, room: AMPLE, language, on };
    let window = commitment.earliest_open();
    let window = window.or_else(|| commitment.windows.iter().max_by_key(|one| one.window));
    let days_left = window.and_then(|one| one.window.due).map(|due| (due - on).num_days());
    let view: ItemView = scribe.about(commitment, window.map(|one| &one.window), days_left);
    if commitment.confidential && !is_theirs { view.discreet() } else { view }
}

/// The municipality, as the templates of mails get it.
#[must_use]
pub fn office(sender: &Sender) -> impl Serialize + use<> {
    OfficeView::new(sender)
}
