//! Reading the book: commitments and the people who answer for them, as the domain knows them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use sqlx::{FromRow, SqliteConnection};
use tokio::join;

use super::batch::json_list;
use super::cells::{CommitmentRow, Unreadable, confidence, some_day};
use super::row::{Parsed, RowProblem, Tried, exactly, readable};
use super::these::{THESE, These};
use super::{Error, Store};
use crate::domain::address::{Mailbox, clean_name};
use crate::domain::commitment::{Commitment, Status};
use crate::domain::leader::{Language, Leader, People, Period};
use crate::domain::window::Confidence;

/// As a JSON array: the first `$3` of those after the ones in the JSON array `$1`.
const REFERENCES: &str = "
    SELECT json_group_array(reference)
      FROM (SELECT reference FROM commitments
             WHERE reference > (SELECT coalesce(max(value), '') FROM json_each($1))
               AND ($2 IS NULL OR status IN (SELECT value FROM json_each($2)))
               AND entered_on IS NOT NULL
             ORDER BY reference LIMIT $3)";

/// Of the commitments whose references are in `$1` all cells, and the references of those that come next.
static PAGE: LazyLock<String> = LazyLock::new(|| [THESE.as_str(), REFERENCES].join(";"));

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

/// Commitments read at a time when all are.
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
        return Ok(These::read(unit, &json_list(references)?).await?.rows());
    }
    let statuses = which.statuses()?;
    let page = async |unit: &mut SqliteConnection, references: &[String]| {
        let page = sqlx::query_as(PAGE.as_str()).bind(json_list(references)?);
        let page = page.bind(&statuses).bind(BOOK_PAGE).fetch_all(unit).await?;
        let [these @ .., next] = exactly::<5>(page)?;
        let Parsed(next) = next.rows::<String>();
        Ok::<_, Error>(next.map(|next| (These::new(these), next)))
    };
    let mut rows: Vec<CommitmentRow> = Vec::new();
    let Some((mut these, mut next)) = page(unit, &[]).await? else { return Ok(None) };
    while !next.is_empty() {
        // SQLite finds the next page in its own thread.
        let (found, read) = join!(biased; page(unit, &next), async { these.rows() });
        let (Some(found), Some(read)) = (found?, read) else { return Ok(None) };
        rows.extend(read);
        (these, next) = found;
    }
    let Some(last) = these.rows() else { return Ok(None) };
    rows.extend(last);
    Ok(Some(rows))
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

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{ConnectOptions, Connection};

    use super::{Which, book, careful_rows, quick_rows, readable};
    use crate::store::Store;

    /// More than two pages of the book, as programs may write it that do not enforce references: deadlines of two
    /// revisions, several windows and snoozes, a stranger among those who answer, references with signs that JSON escapes.
    const FILL: &str = "
        WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1300)
        INSERT INTO commitments (reference, title, phrase, status, revision, entered_on)
        SELECT CASE n % 100 WHEN 7 THEN 'Q\"\\' WHEN 8 THEN 'Z' || char(0) WHEN 9 THEN 'Ø' ELSE 'C' END || n, 'Løfte ' || n, 'marts',
            CASE n % 3 WHEN 0 THEN 'done' WHEN 1 THEN 'open' ELSE 'needs_date' END, 1 + n % 2,
            iif(n % 11, '2026-11-01', NULL) FROM n;
        INSERT INTO leaders (reference, name, email) VALUES ('nord', 'Nora', 'nora@kommune.example'), ('syd', 'Sune', '');
        INSERT INTO windows (commitment, revision, number, opens, due)
        SELECT reference, r.value, w.value, '2026-12-0' || w.value, iif(w.value = 2, NULL, '2026-12-24')
          FROM commitments, json_each('[1, 2]') AS r, json_each('[2, 1, 3]') AS w WHERE length(reference) % 4;
        INSERT INTO responsibilities (commitment, leader, position, since)
        SELECT reference, l.value, 3 - l.key, iif(l.key, '2026-11-02', NULL)
          FROM commitments, json_each('[\"syd\", \"fremmed\", \"nord\"]') AS l WHERE length(reference) % 5;
        INSERT INTO snoozes (commitment, revision, window, leader, until, made_on)
        SELECT reference, r.value, 1, 'nord', '2026-12-10', '2026-11-03'
          FROM commitments, json_each('[1, 2]') AS r WHERE length(reference) % 3";

    #[tokio::test]
    async fn the_book_is_the_same_read_in_pages_and_row_by_row() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("advis.db");
        let store = Store::open(&path).await.unwrap();
        let stranger = SqliteConnectOptions::new().filename(&path).foreign_keys(false);
        let mut stranger = stranger.connect().await.unwrap();
        sqlx::raw_sql(FILL).execute(&mut stranger).await.unwrap();
        stranger.close().await.unwrap();

        let these = ["Q\"\\7", "C10", "Z\u{0}8", "C0", "C12", "C2"];
        let (all, open) = (Which::All, Which::Open);
        for (which, count) in [(all, 1182), (open, 395), (Which::These(&these), 5)] {
            let mut unit = store.read().await.unwrap();
            let quick = quick_rows(&mut unit, which).await.unwrap().unwrap();
            let careful = readable(careful_rows(&mut unit, which).await.unwrap());
            unit.commit().await.unwrap();
            let quick = book(quick, Vec::new());
            assert_eq!(quick, book(careful.0, careful.1));
            assert_eq!(quick.0.len(), count);
            assert!(quick.1.iter().any(|one| one.what.contains("fremmed")));
        }
    }
}
