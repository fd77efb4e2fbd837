//! Rows of a sheet with their values.

use chrono::NaiveDate;

use super::cell;
use super::problem::{Flaw, Place, Problem};
use crate::domain::address::EmailAddress;
use crate::domain::commitment::Status;
use crate::domain::leader::{Language, Period};

/// The cells of a row under the columns its sheet has, cleaned.
pub(super) struct Cells(pub(super) Vec<(&'static str, String)>);

impl Cells {
    pub(super) fn get(&self, column: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| *name == column).map(|(_, cell)| cell.as_str())
    }

    /// The text of a filled cell, which is empty from then on: a large sheet has no room for everything twice.
    fn take(&mut self, column: &str) -> Option<String> {
        let (_, cell) = self.0.iter_mut().find(|(name, _)| *name == column)?;
        Some(std::mem::take(cell)).filter(|cell| !cell.is_empty())
    }
}

/// A leader as a sheet has them. `None` and open ends of periods stand for empty or absent cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaderRow {
    /// Where the row begins.
    pub place: Place,
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
    pub(super) fn read(
        place: Place,
        mut cells: Cells,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let mut row = Row { place: &place, cells: &mut cells, problems };
        let reference = row.required("reference", cell::reference);
        let name = row.required_text("name");
        let email = row.required("email", cell::address);
        let role = row.cells.take("role");
        let unit = row.cells.take("unit");
        let manager = row.cells.take("manager");
        let deputy = row.cells.take("deputy");
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
        })
    }
}

impl CommitmentRow {
    /// The row, unless a cell is wrong.
    pub(super) fn read(
        place: Place,
        mut cells: Cells,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let mut row = Row { place: &place, cells: &mut cells, problems };
        let reference = row.required("reference", cell::reference);
        let title = row.required_text("title");
        let kind = row.cells.take("kind");
        let deadline = row.required_text("deadline");
        let responsible = row.required("responsible", cell::references);
        let organisation = row.cells.take("organisation");
        let document = row.cells.take("document");
        let document_date = row.optional("document_date", cell::date);
        let section = row.cells.take("section");
        let quote = row.cells.take("quote");
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
    cells: &'a mut Cells,
    problems: &'a mut Vec<Problem>,
}

impl Row<'_> {
    /// The value of a cell that must be filled. The header has been blamed for an absent column already.
    fn required<T>(
        &mut self,
        column: &str,
        read: impl FnOnce(&str) -> Result<T, Flaw>,
    ) -> Option<T> {
        self.refuse_empty(column);
        self.optional(column, read)
    }

    fn required_text(&mut self, column: &str) -> Option<String> {
        self.refuse_empty(column);
        self.cells.take(column)
    }

    fn refuse_empty(&mut self, column: &str) {
        if self.cells.get(column).is_some_and(str::is_empty) {
            self.refuse(column, empty(column));
        }
    }

    fn optional<T>(
        &mut self,
        column: &str,
        read: impl FnOnce(&str) -> Result<T, Flaw>,
    ) -> Option<T> {
        let text = self.cells.get(column).filter(|text| !text.is_empty())?;
        let read = read(text);
        read.map_err(|flaw| self.refuse(column, flaw)).ok()
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
