//! What the planner goes by about some commitments, read in one call.

use std::sync::LazyLock;

use chrono::NaiveDate;
use tokio::task::yield_now;

use super::batch::json_list;
use super::book::{self, BOOK_THESE, LeaderRow};
use super::cells::CommitmentRow;
use super::history::{self, SENT_THESE, SentRow};
use super::row::{Cell, Parsed, RowProblem, exactly, readable};
use super::these::{THESE, These};
use super::{Error, Store};
use crate::domain::address::Mailbox;
use crate::domain::commitment::Commitment;
use crate::domain::leader::{Language, People};
use crate::domain::reminder::History;

/// Those who answer for some commitments, and all who may read in their place.
const LEADER_CELLS_ABOUT: &str = "
    WITH RECURSIVE about (reference) AS (
        SELECT leader FROM responsibilities WHERE commitment IN (SELECT value FROM json_each($1))
         UNION
        SELECT l.manager FROM about JOIN leaders l USING (reference) WHERE l.manager IS NOT NULL
         UNION
        SELECT l.deputy FROM about JOIN leaders l USING (reference) WHERE l.deputy IS NOT NULL)
    SELECT json_group_array(json_array(reference, name, email, role, unit, manager, deputy, language,
                                       active_from, active_to, absent_from, absent_to))
      FROM leaders
     WHERE reference IN about";

const LEADERS_ABOUT: &str = "
    WITH RECURSIVE about (reference) AS (
        SELECT leader FROM responsibilities WHERE commitment IN (SELECT value FROM json_each($1))
         UNION
        SELECT l.manager FROM about JOIN leaders l USING (reference) WHERE l.manager IS NOT NULL
         UNION
        SELECT l.deputy FROM about JOIN leaders l USING (reference) WHERE l.deputy IS NOT NULL)
    SELECT * FROM leaders WHERE reference IN about ORDER BY reference";

const VERSION: &str = "SELECT number FROM book_version";

/// One cell each: the book's version, the four about the commitments, what was sent about them, and the leaders.
static SCRIPT: LazyLock<String> = LazyLock::new(|| {
    ["BEGIN", VERSION, THESE.as_str(), SENT_THESE, LEADER_CELLS_ABOUT, "COMMIT"].join(";")
});

/// What the planner goes by about some commitments.
#[derive(Debug)]
pub struct Page {
    /// The version of the book that was read: as long as it is the same, what is due by this page has not lost its ground.
    pub version: i64,
    /// The commitments, by reference.
    pub book: Vec<Commitment>,
    /// Those who answer for them, and whoever may read in their place.
    pub people: People,
    /// What was sent about them.
    pub sent: History,
    /// Rows that make no sense.
    pub problems: Vec<RowProblem>,
}

/// A page as the store has it.
struct Facts {
    version: i64,
    book: Read<CommitmentRow>,
    sent: Parsed<SentRow>,
    leaders: Read<LeaderRow>,
}

/// Rows, and those that cannot be read.
type Read<R> = (Vec<R>, Vec<RowProblem>);

impl Store {
    /// All that the planner goes by about `commitments`, read at one moment: of people, those who answer for them or may
    /// read in their place, as [`Self::people`] does; of what was sent, as [`Self::history`] does, but of messages on
    /// `today` only those to `readers` (address keys). Those are read after it: no one but a sender writes any.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn page(
        &self,
        commitments: &[&str],
        readers: &[&str],
        today: NaiveDate,
        secretariat: Mailbox,
        language: Language,
    ) -> Result<Page, Error> {
        let Facts { version, book, sent, leaders } = self.facts(&json_list(commitments)?).await?;
        let (book, mut problems) = book::book(book.0, book.1);
        let (people, bad) = book::people(leaders.0, leaders.1, secretariat, language);
        problems.extend(bad);
        let mut sent = history::sent(sent)?;
        self.add_written(&mut sent, readers, today).await?;
        Ok(Page { version, book, people, sent, problems })
    }

    async fn facts(&self, commitments: &str) -> Result<Facts, Error> {
        let script = sqlx::query_as(SCRIPT.as_str()).bind(commitments);
        let cells: Vec<Cell> = self.run(self.reader(), script).await?;
        // SQLite looks for the next page, where somebody waits for one, while this one is parsed.
        yield_now().await;
        let [version, these @ .., sent, leaders] = exactly::<7>(cells)?;
        let (rows, sent, leaders) = (These::new(these).rows(), sent.rows(), leaders.rows());
        if let (Some(rows), Parsed(Some(leaders))) = (rows, leaders) {
            return Ok(Facts {
                version: version.number()?,
                book: (rows, Vec::new()),
                sent,
                leaders: (leaders, Vec::new()),
            });
        }
        // Some of it cannot be read so; row by row, then.
        let mut unit = self.read().await?;
        let version = sqlx::query_scalar(VERSION).fetch_one(&mut *unit).await?;
        let book = sqlx::query_as(BOOK_THESE).bind(commitments).fetch_all(&mut *unit).await?;
        let sent = sqlx::query_as(SENT_THESE).bind(commitments).fetch_one(&mut *unit).await?;
        let leaders = sqlx::query_as(LEADERS_ABOUT).bind(commitments).fetch_all(&mut *unit).await?;
        unit.commit().await?;
        Ok(Facts { version, book: readable(book), sent, leaders: readable(leaders) })
    }
}
