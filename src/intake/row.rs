//! Rows of a sheet with their values.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::cell;
use super::problem::{Flaw, Place, Problem};
use crate::domain::address::EmailAddress;
use crate::domain::commitment::Status;
use crate::domain::leader::{Language, Period};

/// The cells of a row under the columns its sheet has, cleaned; an empty one changes nothing. The next import compares
/// its cells with these.
pub type Cells = BTreeMap<&'static str, String>;

/// A leader as a sheet has them. `None` and open ends of periods stand for empty or absent cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaderRow {
    /// Where the row begins.
    pub place: Place,
    /// Every cell.
    pub cells: Cells,
    /// Unique within all sheets of leaders.
    pub reference: String,
    /// Cleaned by [`crate::domain::address::clean_name`].
    pub name: String,
    /// Two leaders may share one.
    pub email: EmailAddress,
    /// Such as "Områdechef".
    pub role: Option<String>,
    /// Such as "Område Nord".
    pub unit: Option<String>,
    /// Reference of the manager.
    pub manager: Option<String>,
    /// Reference of the deputy.
    pub deputy: Option<String>,
    /// Language of the mails.
    pub language: Option<Language>,
    /// In office.
    pub active: Period,
    /// Away.
    pub absent: Period,
}

/// A commitment as a sheet has it. `None` stands for empty or absent cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitmentRow {
    /// Where the row begins.
    pub place: Place,
    /// Every cell.
    pub cells: Cells,
    /// Unique within all sheets of commitments.
    pub reference: String,
    /// What was promised.
    pub title: String,
    /// Name of the kind, as written.
    pub kind: Option<String>,
    /// A phrase or a date, as written; see [`super::deadline`].
    pub deadline: String,
    /// References of leaders, at least one, each once, in the order given.
    pub responsible: Vec<String>,
    /// Such as "Aarhus Kommune".
    pub organisation: Option<String>,
    /// Title of the document it stands in.
    pub document: Option<String>,
    /// Date of that document.
    pub document_date: Option<NaiveDate>,
    /// Section within it.
    pub section: Option<String>,
    /// The sentence, word for word.
    pub quote: Option<String>,
    /// "Lukket indstilling".
    pub confidential: Option<bool>,
    /// Where it stands.
    pub status: Option<Status>,
    /// The day it was adopted.
    pub adopted_on: Option<NaiveDate>,
}

impl LeaderRow {
    /// The row, unless a cell is wrong.
    pub(super) fn read(place: Place, cells: Cells, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut row = Row { place: &place, cells: &cells, problems };
        let reference = row.required("reference", cell::reference);
        let name = row.required("name", cell::text);
        let email = row.required("email", cell::address);
        let role = row.optional("role", cell::text);
        let unit = row.optional("unit", cell::text);
        let manager = row.optional("manager", cell::text);
        let deputy = row.optional("deputy", cell::text);
        let language = row.optional("language", cell::language);
        let active = row.period("active_from", "active_to");
        let absent = row.period("absent_from", "absent_to");
        Some(Self {
            reference: reference?,
            name: name?,
            email: email?,
            role,
            unit,
            manager,
            deputy,
            language,
            active,
            absent,
            place,
            cells,
        })
    }
}

impl CommitmentRow {
    /// The row, unless a cell is wrong.
    pub(super) fn read(place: Place, cells: Cells, problems: &mut Vec<Problem>) -> Option<Self> {
        let mut row = Row { place: &place, cells: &cells, problems };
        let reference = row.required("reference", cell::reference);
        let title = row.required("title", cell::text);
        let kind = row.optional("kind", cell::text);
        let deadline = row.required("deadline", cell::text);
        let responsible = row.required("responsible", cell::references);
        let organisation = row.optional("organisation", cell::text);
        let document = row.optional("document", cell::text);
        let document_date = row.optional("document_date", cell::date);
        let section = row.optional("section", cell::text);
        let quote = row.optional("quote", cell::text);
        let confidential = row.optional("confidential", cell::yes_or_no);
        let status = row.optional("status", cell::status);
        let adopted_on = row.optional("adopted_on", cell::date);
        Some(Self {
            reference: reference?,
            title: title?,
            kind,
            deadline: deadline?,
            responsible: responsible?,
            organisation,
            document,
            document_date,
            section,
            quote,
            confidential,
            status,
            adopted_on,
            place,
            cells,
        })
    }

    /// The day its phrase is read against: the document's date, else the day of adoption, else `today`.
    #[must_use]
    pub fn reference_date(&self, today: NaiveDate) -> NaiveDate {
        self.document_date.or(self.adopted_on).unwrap_or(today)
    }
}

/// A row whose cells are being read.
struct Row<'a> {
    place: &'a Place,
    cells: &'a Cells,
    problems: &'a mut Vec<Problem>,
}

impl Row<'_> {
    /// The value of a cell that must be filled. The header has been blamed for an absent column already.
    fn required<T>(
        &mut self,
        column: &str,
        read: impl FnOnce(&str) -> Result<T, Flaw>,
    ) -> Option<T> {
        if self.cells.get(column).is_some_and(String::is_empty) {
            self.refuse(column, empty(column));
        }
        self.optional(column, read)
    }

    fn optional<T>(
        &mut self,
        column: &str,
        read: impl FnOnce(&str) -> Result<T, Flaw>,
    ) -> Option<T> {
        let text = self.cells.get(column).filter(|text| !text.is_empty())?;
        read(text).map_err(|flaw| self.refuse(column, flaw)).ok()
    }

    fn period(&mut self, from_column: &str, to_column: &str) -> Period {
        let from = self.optional(from_column, cell::date);
        let to = self.optional(to_column, cell::date);
        if let Some((from, to)) = from.zip(to).filter(|(from, to)| from > to) {
            let what = format!("the period ends on {to}, before it begins on {from}");
            self.refuse(to_column, Flaw::new(what, "Exchange the two days, or correct one."));
        }
        Period { from, to }
    }

    fn refuse(&mut self, column: &str, flaw: Flaw) {
        self.problems.push(self.place.problem(column, flaw));
    }
}

fn empty(column: &str) -> Flaw {
    let hint = match column {
        "deadline" => "Write a date or a phrase, or - when there is no date yet.",
        "responsible" => "Write the reference of at least one leader.",
        _ => "Fill it in; every row needs it.",
    };
    Flaw::new("the cell is empty", hint)
}
