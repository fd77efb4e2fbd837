//! Reading the book: commitments and the people who answer for them, as the domain knows them.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use sqlx::{FromRow, SqliteConnection};

use super::batch::json;
use super::row::{RowProblem, readable};
use super::{Error, Store};
use crate::domain::address::{Mailbox, clean_name};
use crate::domain::commitment::{BookWindow, Commitment, Responsible, Snooze, Source, Status};
use crate::domain::leader::{Language, Leader, People, Period};
use crate::domain::recurrence::Recurrence;
use crate::domain::window::{Confidence, Window};

const BOOK: &str = "SELECT * FROM book ORDER BY reference";

const BOOK_OPEN: &str = "SELECT * FROM book WHERE status = 'open' ORDER BY reference";

const BOOK_THESE: &str = "
    SELECT * FROM book WHERE reference IN (SELECT value FROM json_each($1)) ORDER BY reference";

const LEADERS: &str = "SELECT * FROM leaders ORDER BY reference";

const WAITING: &str = "
    SELECT reference, problem, undated, confidence,
           rrule IS NOT NULL AND NOT EXISTS (
               SELECT 1 FROM windows w
                WHERE w.commitment = c.reference AND w.revision = c.revision) AS is_bare
      FROM commitments c
     WHERE status = 'needs_date' AND reference BETWEEN $1 AND $2";

/// Every reference lies between these two.
const ALL_REFERENCES: (&str, &str) = ("", "\u{10FFFF}");

/// Which commitments are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// Every one.
    All,
    /// Those that are open.
    Open,
    /// Those with these references, as far as they are there.
    These(&'a [&'a str]),
}

impl Store {
    /// The commitments that Advis has read, by reference, and those it cannot make sense of.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn book(
        &self,
        which: Which<'_>,
    ) -> Result<(Vec<Commitment>, Vec<RowProblem>), Error> {
        let mut unit = self.read().await?;
        let book = load(&mut unit, which).await?;
        unit.commit().await?;
        Ok(book)
    }

    /// The address book. A leader without an address that mail can reach has none there, and a problem here.
    /// `language` is the organisation's: that of the secretariat, and of leaders who have none of their own.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn people(
        &self,
        secretariat: Mailbox,
        language: Language,
    ) -> Result<(People, Vec<RowProblem>), Error> {
        let mut unit = self.read().await?;
        let rows = sqlx::query_as(LEADERS).fetch_all(&mut *unit).await?;
        unit.commit().await?;
        let (rows, mut problems) = readable::<LeaderRow>(rows);
        let leaders: Vec<Leader> =
            rows.into_iter().map(|row| row.leader(language, &mut problems)).collect();
        Ok((People::new(leaders, secretariat, language), problems))
    }

    /// Why each commitment that needs a date needs it, by reference.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn notes(&self) -> Result<BTreeMap<String, String>, Error> {
        let mut unit = self.read().await?;
        let notes = notes(&mut unit).await?;
        unit.commit().await?;
        Ok(notes)
    }

    /// Why one commitment needs a date; `None` when it does not.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn note(&self, reference: &str) -> Result<Option<String>, Error> {
        let mut unit = self.read().await?;
        let mut notes = notes_between(&mut unit, (reference, reference)).await?;
        unit.commit().await?;
        Ok(notes.remove(reference))
    }
}

/// [`Store::notes`] within a unit of work.
pub(super) async fn notes(unit: &mut SqliteConnection) -> Result<BTreeMap<String, String>, Error> {
    notes_between(unit, ALL_REFERENCES).await
}

async fn notes_between(
    unit: &mut SqliteConnection,
    (first, last): (&str, &str),
) -> Result<BTreeMap<String, String>, Error> {
    let rows = sqlx::query_as(WAITING).bind(first).bind(last).fetch_all(unit).await?;
    let (rows, problems) = readable::<WaitingRow>(rows);
    let problems = problems.into_iter().map(|problem| (problem.reference, problem.what));
    Ok(rows.into_iter().map(WaitingRow::note).chain(problems).collect())
}

/// [`Store::book`] within a unit of work.
pub(super) async fn load(
    unit: &mut SqliteConnection,
    which: Which<'_>,
) -> Result<(Vec<Commitment>, Vec<RowProblem>), Error> {
    let rows = match which {
        Which::All => sqlx::query_as(BOOK).fetch_all(unit).await?,
        Which::Open => sqlx::query_as(BOOK_OPEN).fetch_all(unit).await?,
        Which::These(references) => {
            sqlx::query_as(BOOK_THESE).bind(json(references)?).fetch_all(unit).await?
        }
    };
    let (rows, mut problems) = readable::<CommitmentRow>(rows);
    let mut book = Vec::with_capacity(rows.len());
    for mut row in rows {
        let reference = row.reference.clone();
        let strangers = std::mem::take(&mut row.strangers);
        let read =
            row.commitment().and_then(|one| without_strangers(one, &strangers, &mut problems));
        match read {
            Ok(commitment) => book.push(commitment),
            Err(Unreadable(what)) => problems.push(RowProblem { reference, what }),
        }
    }
    Ok((book, problems))
}

/// Without the responsible whom the address book does not know, each a problem.
fn without_strangers(
    mut commitment: Commitment,
    strangers: &str,
    problems: &mut Vec<RowProblem>,
) -> Result<Commitment, Unreadable> {
    let strangers = cells::<String>(strangers)?;
    commitment.responsible.retain(|one| !strangers.contains(&one.leader));
    problems.extend(strangers.into_iter().map(|leader| RowProblem {
        reference: commitment.reference.clone(),
        what: format!(
            "{leader:?} answers for it and is no leader here; add one, or assign another"
        ),
    }));
    Ok(commitment)
}

/// What in a row cannot be read.
struct Unreadable(String);

#[derive(FromRow)]
struct CommitmentRow {
    reference: String,
    title: String,
    kind: String,
    phrase: String,
    organisation: String,
    document: String,
    document_date: Option<String>,
    section: String,
    quote: String,
    confidential: bool,
    status: String,
    adopted_on: Option<String>,
    entered_on: String,
    reference_date: Option<String>,
    revision: u32,
    confidence: Option<String>,
    rrule: Option<String>,
    span: Option<String>,
    windows: String,
    responsible: String,
    strangers: String,
    snoozes: String,
}

/// Number, opens, due, made on, closed on.
type WindowCells = (u32, String, Option<String>, Option<String>, Option<String>);
/// Position, leader, since, until.
type ResponsibleCells = (i64, String, Option<String>, Option<String>);
/// Leader, window, until, made on.
type SnoozeCells = (String, u32, String, String);

impl CommitmentRow {
    fn commitment(self) -> Result<Commitment, Unreadable> {
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
            windows: windows(&self.windows)?,
            responsible: responsible(&self.responsible, &self.snoozes)?,
            reference: self.reference,
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
fn windows(text: &str) -> Result<Vec<BookWindow>, Unreadable> {
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
    let mut windows =
        cells::<WindowCells>(text)?.into_iter().map(window).collect::<Result<Vec<_>, _>>()?;
    windows.sort_by_key(in_time);
    Ok(windows)
}

/// The order of windows in time; one that is open-ended comes after one that is due.
pub(super) fn in_time(window: &BookWindow) -> (NaiveDate, NaiveDate, u32) {
    let due = window.window.due.unwrap_or(NaiveDate::MAX);
    (window.window.opens, due, window.number)
}

/// The responsible, in the order given.
fn responsible(text: &str, snoozes: &str) -> Result<Vec<Responsible>, Unreadable> {
    let mut all = cells::<ResponsibleCells>(text)?;
    all.sort();
    let mut responsible = all
        .into_iter()
        .map(|(_, leader, since, until)| {
            let (since, until) = (some_day(since.as_deref())?, some_day(until.as_deref())?);
            Ok(Responsible { leader, since, until, snoozes: Vec::new() })
        })
        .collect::<Result<Vec<_>, Unreadable>>()?;
    for (leader, window, until, made_on) in cells::<SnoozeCells>(snoozes)? {
        let snooze = Snooze { window, until: day(&until)?, made_on: day(&made_on)? };
        if let Some(one) = responsible.iter_mut().find(|one| one.leader == leader) {
            one.snoozes.push(snooze);
        }
    }
    Ok(responsible)
}

fn cells<T: serde::de::DeserializeOwned>(text: &str) -> Result<Vec<T>, Unreadable> {
    serde_json::from_str(text).map_err(|error| Unreadable(error.to_string()))
}

fn day(text: &str) -> Result<NaiveDate, Unreadable> {
    text.parse().map_err(|_| Unreadable(format!("{text:?} is no day; write it as 2020-01-31")))
}

fn some_day(text: Option<&str>) -> Result<Option<NaiveDate>, Unreadable> {
    text.map(day).transpose()
}

fn confidence(name: &str) -> Option<Confidence> {
    Confidence::ALL.into_iter().find(|confidence| confidence.name() == name)
}

#[derive(FromRow)]
struct LeaderRow {
    reference: String,
    name: String,
    email: String,
    role: String,
    unit: String,
    manager: Option<String>,
    deputy: Option<String>,
    language: Option<String>,
    active_from: Option<String>,
    active_to: Option<String>,
    absent_from: Option<String>,
    absent_to: Option<String>,
}

impl LeaderRow {
    fn leader(self, language: Language, problems: &mut Vec<RowProblem>) -> Leader {
        let mut note = |what: String| {
            problems.push(RowProblem { reference: self.reference.clone(), what });
        };
        let email = self.email.parse().map_err(|bad| note(format!("{}: {bad}", self.email))).ok();
        let mut read = |text: Option<&str>| {
            some_day(text).unwrap_or_else(|Unreadable(what)| {
                note(what);
                None
            })
        };
        let active =
            Period { from: read(self.active_from.as_deref()), to: read(self.active_to.as_deref()) };
        let absent =
            Period { from: read(self.absent_from.as_deref()), to: read(self.absent_to.as_deref()) };
        let name = clean_name(&self.name);
        Leader {
            name: if name.is_empty() { self.reference.clone() } else { name },
            email,
            role: self.role,
            unit: self.unit,
            manager: self.manager,
            deputy: self.deputy,
            language: self.language.as_deref().and_then(Language::from_code).unwrap_or(language),
            active,
            absent,
            reference: self.reference,
        }
    }
}

#[derive(FromRow)]
struct WaitingRow {
    reference: String,
    problem: Option<String>,
    undated: Option<String>,
    confidence: Option<String>,
    is_bare: bool,
}

impl WaitingRow {
    fn note(self) -> (String, String) {
        let uncertain = || match self.confidence.as_deref().and_then(confidence) {
            Some(Confidence::Fuzzy) => "the words fit more than one window",
            Some(Confidence::Corrected) => "a spelling mistake was mended",
            _ => "waits to be confirmed",
        };
        let note = self.problem.clone().or_else(|| self.undated.clone()).unwrap_or_else(|| {
            if self.is_bare { "only an interval is given" } else { uncertain() }.to_owned()
        });
        (self.reference, note)
    }
}
