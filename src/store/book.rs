//! Reading the book: commitments and the people who answer for them, as the domain knows them.

use std::collections::BTreeMap;

use serde::Deserialize;
use sqlx::{FromRow, SqliteConnection};
use tokio::join;

use super::batch::json_list;
use super::cells::{CommitmentRow, Unreadable, confidence, some_day};
use super::row::{Cell, Parsed, RowProblem, Tried, readable};
use super::{Error, Store};
use crate::domain::address::{Mailbox, clean_name};
use crate::domain::commitment::{Commitment, Status};
use crate::domain::leader::{Language, Leader, People, Period};
use crate::domain::window::Confidence;

/// All rows in one cell, the columns of each in the order of [`CommitmentRow`]: each cell that is fetched costs as much as
/// reading it, and each row wakes the thread that waits for it. Of the rows after `$2` the first `$3`; see [`BookPage`].
const CELLS: &str = "
    SELECT json_group_array(json_array(
               reference, title, kind, phrase, organisation, document, document_date, section,
               quote, confidential, status, adopted_on, entered_on, reference_date, revision,
               confidence, rrule, span, json(windows), json(responsible), json(strangers),
               json(snoozes))), CAST(max(reference) AS BLOB) AS last
      FROM book
     WHERE reference IN (SELECT reference FROM commitments
                          WHERE ($1 IS NULL OR status IN (SELECT value FROM json_each($1)))
                            AND reference > $2 AND entered_on IS NOT NULL
                          ORDER BY reference LIMIT $3)";

pub(super) const CELLS_THESE: &str = "
    SELECT json_group_array(json_array(
               reference, title, kind, phrase, organisation, document, document_date, section,
               quote, confidential, status, adopted_on, entered_on, reference_date, revision,
               confidence, rrule, span, json(windows), json(responsible), json(strangers),
               json(snoozes)))
      FROM book
     WHERE reference IN (SELECT value FROM json_each($1))";

const BOOK: &str = "
    SELECT * FROM book
     WHERE $1 IS NULL OR status IN (SELECT value FROM json_each($1))
     ORDER BY reference";

pub(super) const BOOK_THESE: &str = "
    SELECT * FROM book WHERE reference IN (SELECT value FROM json_each($1)) ORDER BY reference";

/// In the order of [`LeaderRow`].
const LEADER_CELLS: &str = "
    SELECT json_group_array(json_array(reference, name, email, role, unit, manager, deputy, language,
                                       active_from, active_to, absent_from, absent_to))
      FROM leaders";

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

/// Commitments in one cell when all are read.
const BOOK_PAGE: i64 = 512;

/// Which commitments are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// Every one.
    All,
    /// Those that are open.
    Open,
    /// Those that are open or need a date.
    Alive,
    /// Those with these references, as far as they are there.
    These(&'a [&'a str]),
}

impl Which<'_> {
    /// The statuses of which every commitment is read, as a JSON array; `None` for all.
    pub(super) fn statuses(self) -> Result<Option<String>, Error> {
        let statuses: &[Status] = match self {
            Self::All | Self::These(_) => return Ok(None),
            Self::Open => &[Status::Open],
            Self::Alive => &[Status::Open, Status::NeedsDate],
        };
        let names: Vec<&str> = statuses.iter().map(|status| status.name()).collect();
        json_list(&names).map(Some)
    }
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
        let (rows, problems) = match sqlx::query_as(LEADER_CELLS).fetch_one(&mut *unit).await? {
            Parsed(Some(rows)) => (rows, Vec::new()),
            Parsed(None) => readable(sqlx::query_as(LEADERS).fetch_all(&mut *unit).await?),
        };
        unit.commit().await?;
        Ok(people(rows, problems, secretariat, language))
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
    let (rows, problems) = match quick_rows(unit, which).await? {
        Some(rows) => (rows, Vec::new()),
        None => readable(careful_rows(unit, which).await?),
    };
    Ok(book(rows, problems))
}

/// The commitments in `rows`, and more problems.
pub(super) fn book(
    rows: Vec<CommitmentRow>,
    mut problems: Vec<RowProblem>,
) -> (Vec<Commitment>, Vec<RowProblem>) {
    let mut book = Vec::with_capacity(rows.len());
    for mut row in rows {
        let reference = std::mem::take(&mut row.reference);
        let strangers = std::mem::take(&mut row.strangers);
        match row.commitment(&reference).and_then(|one| Ok((one, strangers.0?))) {
            Ok((commitment, strangers)) => {
                book.push(without_strangers(commitment, strangers, &mut problems));
            }
            Err(Unreadable(what)) => problems.push(RowProblem { reference, what }),
        }
    }
    (book, problems)
}

/// The rows, unless one of them cannot be read so.
async fn quick_rows(
    unit: &mut SqliteConnection,
    which: Which<'_>,
) -> Result<Option<Vec<CommitmentRow>>, Error> {
    if let Which::These(references) = which {
        let these = sqlx::query_as(CELLS_THESE).bind(json_list(references)?);
        return Ok(in_order(these.fetch_one(unit).await?));
    }
    let statuses = which.statuses()?;
    let page = async |unit: &mut SqliteConnection, after: &str| {
        let page = sqlx::query_as(CELLS).bind(&statuses).bind(after).bind(BOOK_PAGE);
        page.fetch_one(unit).await
    };
    let mut rows: Vec<CommitmentRow> = Vec::new();
    let mut ready: Option<BookPage> = Some(page(unit, ALL_REFERENCES.0).await?);
    while let Some(BookPage { cell, last }) = ready {
        let Ok(last) = last.map(String::from_utf8).transpose() else { return Ok(None) };
        let next = async {
            match last {
                Some(last) => page(unit, &last).await.map(Some),
                None => Ok(None),
            }
        };
        // SQLite finds the next page in its own thread.
        let (next, read) = join!(biased; next, async { in_order(cell.rows()) });
        let Some(read) = read else { return Ok(None) };
        rows.extend(read);
        ready = next?;
    }
    Ok(Some(rows))
}

/// Some rows of the book in one cell, and the last of their references; none when there are no rows.
#[derive(FromRow)]
struct BookPage {
    #[sqlx(flatten)]
    cell: Cell,
    last: Option<Vec<u8>>,
}

/// By reference: what is put into one cell comes in no order that SQLite promises.
pub(super) fn in_order(Parsed(mut rows): Parsed<CommitmentRow>) -> Option<Vec<CommitmentRow>> {
    if let Some(rows) = &mut rows {
        rows.sort_by(|one, other| one.reference.cmp(&other.reference));
    }
    rows
}

/// The rows, cell by cell.
async fn careful_rows(
    unit: &mut SqliteConnection,
    which: Which<'_>,
) -> Result<Vec<Tried<CommitmentRow>>, Error> {
    Ok(match which {
        Which::These(references) => {
            sqlx::query_as(BOOK_THESE).bind(json_list(references)?).fetch_all(unit).await?
        }
        _ => sqlx::query_as(BOOK).bind(which.statuses()?).fetch_all(unit).await?,
    })
}

/// Without the responsible whom the address book does not know, each a problem.
fn without_strangers(
    mut commitment: Commitment,
    strangers: Vec<String>,
    problems: &mut Vec<RowProblem>,
) -> Commitment {
    commitment.responsible.retain(|one| !strangers.contains(&one.leader));
    problems.extend(strangers.into_iter().map(|leader| RowProblem {
        reference: commitment.reference.clone(),
        what: format!(
            "{leader:?} answers for it and is no leader here; add one, or assign another"
        ),
    }));
    commitment
}

pub(super) fn people(
    rows: Vec<LeaderRow>,
    mut problems: Vec<RowProblem>,
    secretariat: Mailbox,
    language: Language,
) -> (People, Vec<RowProblem>) {
    let leaders: Vec<Leader> =
        rows.into_iter().map(|row| row.leader(language, &mut problems)).collect();
    (People::new(leaders, secretariat, language), problems)
}

#[derive(FromRow, Deserialize)]
pub(super) struct LeaderRow {
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
