//! The cells of a commitment, and what they say.

use chrono::NaiveDate;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use sqlx::FromRow;

use crate::domain::commitment::{BookWindow, Commitment, Responsible, Snooze, Source, Status};
use crate::domain::recurrence::Recurrence;
use crate::domain::window::{Confidence, Window};

/// What in a row cannot be read.
pub(super) struct Unreadable(pub(super) String);

/// A row of the view `book`, but for what the planner does not read. As JSON it comes without the lists, which are added.
#[derive(FromRow, Deserialize)]
pub(super) struct CommitmentRow {
    pub(super) reference: String,
    title: String,
    kind: String,
    phrase: String,
    organisation: String,
    document: String,
    document_date: Option<String>,
    section: String,
    quote: String,
    #[serde(deserialize_with = "flag")]
    confidential: bool,
    status: String,
    adopted_on: Option<String>,
    entered_on: String,
    reference_date: Option<String>,
    pub(super) revision: u32,
    confidence: Option<String>,
    rrule: Option<String>,
    span: Option<String>,
    #[sqlx(try_from = "String")]
    #[serde(skip)]
    pub(super) windows: Listed<WindowCells>,
    #[sqlx(try_from = "String")]
    #[serde(skip)]
    pub(super) responsible: Listed<ResponsibleCells>,
    /// References of the responsible whom the address book does not know.
    #[sqlx(try_from = "String")]
    #[serde(skip)]
    pub(super) strangers: Listed<String>,
    #[sqlx(try_from = "String")]
    #[serde(skip)]
    pub(super) snoozes: Listed<SnoozeCells>,
}

/// Number, opens, due, made on, closed on.
type WindowCells = (u32, String, Option<String>, Option<String>, Option<String>);
/// Position, leader, since, until.
type ResponsibleCells = (i64, String, Option<String>, Option<String>);
/// Leader, window, until, made on.
type SnoozeCells = (String, u32, String, String);

/// A cell that holds a list.
pub(super) struct Listed<T>(pub(super) Result<Vec<T>, Unreadable>);

impl<T> Listed<T> {
    pub(super) fn push(&mut self, one: T) {
        if let Ok(all) = &mut self.0 {
            all.push(one);
        }
    }
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self(Ok(Vec::new()))
    }
}

impl<T: DeserializeOwned> From<String> for Listed<T> {
    fn from(text: String) -> Self {
        Self(serde_json::from_str(&text).map_err(|error| Unreadable(error.to_string())))
    }
}

/// SQLite has numbers for yes and no.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    u8::deserialize(deserializer).map(|flag| flag != 0)
}

impl CommitmentRow {
    /// What the row says; its own reference may have been taken out of it.
    pub(super) fn commitment(self, reference: &str) -> Result<Commitment, Unreadable> {
        let entered_on = day(&self.entered_on)?;
        let adopted_on = some_day(self.adopted_on.as_deref())?;
        let recurrence = match (&self.rrule, &self.span) {
            (Some(rrule), Some(span)) => {
                Some(Recurrence::from_stored(rrule, span).map_err(|bad| Unreadable(bad.0))?)
            }
            _ => None,
        };
        let status = Status::from_name(&self.status)
            .ok_or_else(|| Unreadable(format!("{:?} is no status", self.status)))?;
        Ok(Commitment {
            windows: windows(self.windows)?,
            responsible: responsible(self.responsible, self.snoozes)?,
            reference: reference.to_owned(),
            title: self.title,
            kind: self.kind,
            phrase: self.phrase,
            confidence: self.confidence.as_deref().and_then(confidence),
            organisation: self.organisation,
            source: Source {
                document: self.document,
                document_date: some_day(self.document_date.as_deref())?,
                section: self.section,
                quote: self.quote,
            },
            confidential: self.confidential,
            status,
            adoption: adopted_on.map_or(entered_on, |adopted| adopted.max(entered_on)),
            revision: self.revision,
            recurrence,
            reference_date: some_day(self.reference_date.as_deref())?.unwrap_or(entered_on),
        })
    }
}

/// The windows, in the order of time.
fn windows(cells: Listed<WindowCells>) -> Result<Vec<BookWindow>, Unreadable> {
    let window = |(number, opens, due, made_on, closed_on): WindowCells| {
        let (opens, due) = (day(&opens)?, some_day(due.as_deref())?);
        if due.is_some_and(|due| due < opens) {
            return Err(Unreadable(format!("window {number} is due before it opens")));
        }
        Ok(BookWindow {
            number,
            window: Window { opens, due },
            made_on: some_day(made_on.as_deref())?,
            closed_on: some_day(closed_on.as_deref())?,
        })
    };
    let mut windows = cells.0?.into_iter().map(window).collect::<Result<Vec<_>, _>>()?;
    windows.sort_by_key(in_time);
    Ok(windows)
}

/// The order of windows in time; one that is open-ended comes after one that is due.
fn in_time(window: &BookWindow) -> (NaiveDate, NaiveDate, u32) {
    let due = window.window.due.unwrap_or(NaiveDate::MAX);
    (window.window.opens, due, window.number)
}

/// The responsible, in the order given.
fn responsible(
    cells: Listed<ResponsibleCells>,
    snoozes: Listed<SnoozeCells>,
) -> Result<Vec<Responsible>, Unreadable> {
    let mut all = cells.0?;
    all.sort();
    let mut responsible = all
        .into_iter()
        .map(|(_, leader, since, until)| {
            let (since, until) = (some_day(since.as_deref())?, some_day(until.as_deref())?);
            Ok(Responsible { leader, since, until, snoozes: Vec::new() })
        })
        .collect::<Result<Vec<_>, Unreadable>>()?;
    for (leader, window, until, made_on) in snoozes.0? {
        let snooze = Snooze { window, until: day(&until)?, made_on: day(&made_on)? };
        if let Some(one) = responsible.iter_mut().find(|one| one.leader == leader) {
            one.snoozes.push(snooze);
        }
    }
    Ok(responsible)
}

fn day(text: &str) -> Result<NaiveDate, Unreadable> {
    text.parse().map_err(|_| Unreadable(format!("{text:?} is no day; write it as 2020-01-31")))
}

pub(super) fn some_day(text: Option<&str>) -> Result<Option<NaiveDate>, Unreadable> {
    text.map(day).transpose()
}

pub(super) fn confidence(name: &str) -> Option<Confidence> {
    Confidence::ALL.into_iter().find(|confidence| confidence.name() == name)
}
