//! Rows of sheets in the form the store keeps.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;

use crate::domain::window::{Deadline, Undated};
use crate::intake::{CommitmentRow, LeaderRow};
use crate::phrase;
use crate::store::{Cells, ImportedCommitment, ImportedLeader, KeptDates};

/// What phrases were read as: each once against each day, however often it stands in the sheets and is asked for.
#[derive(Default)]
pub(super) struct Phrases(RefCell<HashMap<NaiveDate, HashMap<String, Read>>>);

type Read = Result<Deadline, Undated>;

impl Phrases {
    /// [`phrase::parse`].
    pub(super) fn read(&self, phrase: &str, reference: NaiveDate) -> Read {
        let mut days = self.0.borrow_mut();
        let known = days.entry(reference).or_default();
        if let Some(read) = known.get(phrase) {
            return read.clone();
        }
        let read = phrase::parse(phrase, reference);
        known.insert(phrase.to_owned(), read.clone());
        read
    }
}

/// The cells of a leader.
pub(super) fn leader(row: LeaderRow) -> ImportedLeader {
    let cells = [
        ("name", Some(row.name)),
        ("email", Some(row.email.to_string())),
        ("role", row.role),
        ("unit", row.unit),
        ("manager", row.manager),
        ("deputy", row.deputy),
        ("language", row.language.map(|language| language.code().to_owned())),
        ("active_from", day(row.active.from)),
        ("active_to", day(row.active.to)),
        ("absent_from", day(row.absent.from)),
        ("absent_to", day(row.absent.to)),
    ];
    ImportedLeader { reference: row.reference, cells: filled(cells) }
}

/// The cells of a commitment, and its deadline as read.
pub(super) fn commitment(
    row: CommitmentRow,
    phrases: &Phrases,
    kept: &BTreeMap<String, KeptDates>,
    today: NaiveDate,
) -> ImportedCommitment {
    let kept = kept.get(&row.reference);
    let reference_date = row
        .document_date
        .or(kept.and_then(|kept| kept.document_date))
        .or(row.adopted_on)
        .or(kept.and_then(|kept| kept.adopted_on))
        .unwrap_or(today);
    let deadline = phrases.read(&row.deadline, reference_date);
    let is_reread = kept
        .and_then(|kept| kept.reference_date)
        .is_some_and(|before| phrases.read(&row.deadline, before) != deadline);
    let cells = [
        ("title", Some(row.title)),
        ("kind", row.kind),
        ("deadline", Some(row.deadline)),
        ("responsible", Some(row.responsible.join(";"))),
        ("organisation", row.organisation),
        ("document", row.document),
        ("document_date", day(row.document_date)),
        ("section", row.section),
        ("quote", row.quote),
        ("confidential", row.confidential.map(|yes| u8::from(yes).to_string())),
        ("status", row.status.map(|status| status.name().to_owned())),
        ("adopted_on", day(row.adopted_on)),
    ];
    ImportedCommitment { reference: row.reference, cells: filled(cells), deadline, is_reread }
}

fn day(day: Option<NaiveDate>) -> Option<String> {
    day.map(|day| day.to_string())
}

fn filled<const N: usize>(cells: [(&'static str, Option<String>); N]) -> Cells {
    cells.into_iter().filter_map(|(column, cell)| Some((column, cell?))).collect()
}
