//! The book from above, as an operator looks at it: how much is open, what is late, who answers for how much.

use chrono::NaiveDate;
use serde::Deserialize;

use super::batch::json_list;
use super::row::Parsed;
use super::{Error, Store};

/// A commitment is late when any of its windows is: the earliest deadline is the one that counts.
const LATE: &str = "
    SELECT json_group_array(json_array(reference, late)) FROM (
        SELECT reference, count(*) OVER () AS late FROM (
            SELECT c.reference, min(w.due) AS due
              FROM windows w
              JOIN commitments c ON c.reference = w.commitment AND c.revision = w.revision
             WHERE w.due < $1 AND w.closed_on IS NULL AND c.status = 'open' AND c.entered_on IS NOT NULL
             GROUP BY w.commitment)
         ORDER BY due, reference LIMIT $2)";

/// The agenda has the open ones, and far smaller rows.
const ALIVE: &str = "
    SELECT (SELECT count(*) FROM agenda), (SELECT count(*) FROM commitments WHERE status = 'needs_date')";

const OPEN_DUTIES: &str = "
    SELECT json_group_array(json_array(leader, duties)) FROM (
        SELECT r.leader, count(*) AS duties
          FROM responsibilities r JOIN agenda a ON a.commitment = r.commitment
         WHERE r.leader IN (SELECT value FROM json_each($1))
         GROUP BY r.leader ORDER BY r.leader)";

/// What is late.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Late {
    /// How many commitments.
    pub count: u64,
    /// References of the latest of these, the latest first.
    pub first: Vec<String>,
}

/// How much is alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Alive {
    /// Commitments that are open.
    pub open: u64,
    /// Commitments that need a date.
    pub needs_date: u64,
}

#[derive(Deserialize)]
struct LateRow(String, u64);

#[derive(Deserialize)]
struct DutyRow(String, u64);

impl Store {
    /// The open commitments past their deadline on `today`, of which at most `most` are named.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn late(&self, today: NaiveDate, most: usize) -> Result<Late, Error> {
        let mut unit = self.read_once().await?;
        let late: Parsed<LateRow> = sqlx::query_as(LATE)
            .bind(today.to_string())
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .fetch_one(&mut *unit)
            .await?;
        unit.keep();
        let rows = late.ours("deadlines")?;
        let count = rows.first().map_or(0, |LateRow(_, count)| *count);
        let first = rows.into_iter().map(|LateRow(reference, _)| reference).collect();
        Ok(Late { count, first })
    }

    /// How many commitments are open, and how many need a date.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn alive(&self) -> Result<Alive, Error> {
        let mut unit = self.read_once().await?;
        let (open, needs_date): (i64, i64) = sqlx::query_as(ALIVE).fetch_one(&mut *unit).await?;
        unit.keep();
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        Ok(Alive { open: count(open), needs_date: count(needs_date) })
    }

    /// How many open commitments each of these leaders answers for, by reference; those who answer for none are left out.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn open_duties(&self, leaders: &[&str]) -> Result<Vec<(String, u64)>, Error> {
        let mut unit = self.read_once().await?;
        let duties: Parsed<DutyRow> =
            sqlx::query_as(OPEN_DUTIES).bind(json_list(leaders)?).fetch_one(&mut *unit).await?;
        unit.keep();
        let rows = duties.ours("duties")?;
        Ok(rows.into_iter().map(|DutyRow(leader, duties)| (leader, duties)).collect())
    }
}
