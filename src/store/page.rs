//! What the planner goes by about some commitments, read in one call.

use std::sync::LazyLock;

use chrono::NaiveDate;

use super::batch::json_list;
use super::book::{self, BOOK_THESE, CELLS_THESE, LeaderRow, in_order};
use super::cells::CommitmentRow;
use super::history::{self, SENT_THESE, SentRow};
use super::row::{Cell, Parsed, RowProblem, readable};
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

/// One row each: the commitments, what was sent about them, and the leaders.
static SCRIPT: LazyLock<String> =
    LazyLock::new(|| ["BEGIN", CELLS_THESE, SENT_THESE, LEADER_CELLS_ABOUT, "COMMIT"].join(";"));

/// What the planner goes by about some commitments.
#[derive(Debug)]
pub struct Page {
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
        let Facts { book, sent, leaders } = self.facts(&json_list(commitments)?).await?;
        let (book, mut problems) = book::book(book.0, book.1);
        let (people, bad) = book::people(leaders.0, leaders.1, secretariat, language);
        problems.extend(bad);
        let mut sent = history::sent(sent)?;
        self.add_written(&mut sent, readers, today).await?;
        Ok(Page { book, people, sent, problems })
    }

    async fn facts(&self, commitments: &str) -> Result<Facts, Error> {
        let script = sqlx::query_as(SCRIPT.as_str()).bind(commitments);
        let cells: Vec<Cell> = self.run(self.reader(), script).await?;
        let [rows, sent, leaders] = cells.try_into().map_err(|_| sqlx::Error::RowNotFound)?;
        let (rows, sent, leaders) = (in_order(rows.rows()), sent.rows(), leaders.rows());
        if let (Some(rows), Parsed(Some(leaders))) = (rows, leaders) {
            return Ok(Facts { book: (rows, Vec::new()), sent, leaders: (leaders, Vec::new()) });
        }
        // Some of it cannot be read so; row by row, then.
        let mut unit = self.read().await?;
        let book = sqlx::query_as(BOOK_THESE).bind(commitments).fetch_all(&mut *unit).await?;
        let sent = sqlx::query_as(SENT_THESE).bind(commitments).fetch_one(&mut *unit).await?;
        let leaders = sqlx::query_as(LEADERS_ABOUT).bind(commitments).fetch_all(&mut *unit).await?;
        unit.commit().await?;
        Ok(Facts { book: readable(book), sent, leaders: readable(leaders) })
    }
}
