//! The outbox from above, as an operator looks at it: what waits, what is in trouble and why, what did not arrive.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::log::read_items;
use super::{instant, read_instant, read_state};
use crate::delivery::state::State;
use crate::store::{Error, Store};

const STATES: &str = "
    SELECT state, count(*) FROM messages
     WHERE state IN ('ready', 'open', 'body', 'deferred', 'unknown', 'held')
     GROUP BY state ORDER BY state";

/// In trouble is what an attempt went wrong with, or what somebody holds.
const WAITING: &str = "
    SELECT m.id, m.state, m.name, m.recipient, m.subject, m.items, m.next_at,
           (SELECT at FROM attempts WHERE message = m.id ORDER BY attempt DESC LIMIT 1) AS at,
           coalesce((SELECT reply FROM attempts WHERE message = m.id ORDER BY attempt DESC LIMIT 1), '') AS reply
      FROM messages AS m
     WHERE m.state IN ('ready', 'open', 'body', 'deferred', 'unknown', 'held')
       AND (m.state IN ('deferred', 'unknown', 'held')) = $1
     ORDER BY m.id LIMIT $2";

const LOST: &str = "
    SELECT m.id, m.state, m.name, m.recipient, m.subject, m.items, m.next_at, a.at, a.reply
      FROM attempts AS a JOIN messages AS m ON m.id = a.message AND m.state = a.state
     WHERE a.state IN ('rejected', 'expired') AND a.at >= $1
     ORDER BY a.at DESC, a.id DESC LIMIT $2";

/// Those that a cap for their reader holds back are not late.
const OLDEST: &str = "
    SELECT min(coalesce(m.next_at, m.frozen_at))
      FROM messages AS m
     WHERE m.state IN ('ready', 'open', 'body', 'deferred', 'unknown', 'held')
       AND m.state <> 'held'
       AND (SELECT count(*) FROM messages AS a
             WHERE a.accepted_on = $1 AND a.address_key = m.address_key) < $2";

/// A message that waits, or did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Number of the message: what `resend`, `hold` and `release` take.
    pub id: i64,
    /// Where it stands.
    pub state: State,
    /// Name of the recipient; may be empty.
    pub name: String,
    /// Envelope recipient.
    pub to: String,
    /// Subject.
    pub subject: String,
    /// References of the commitments in it, in its order.
    pub commitments: Vec<String>,
    /// When it is tried again, where that is known.
    pub next_at: Option<DateTime<Utc>>,
    /// When the last attempt ended.
    pub at: Option<DateTime<Utc>>,
    /// What that led to, in the words of the server or our own; empty before the first.
    pub reply: String,
}

impl Store {
    /// How many messages of each state are still to be sent, or to be decided about.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn unsent_by_state(&self) -> Result<Vec<(State, u64)>, Error> {
        let mut unit = self.read_once().await?;
        let rows: Vec<(String, i64)> = sqlx::query_as(STATES).fetch_all(&mut *unit).await?;
        unit.keep();
        let count = |(state, count): (String, i64)| {
            Ok((read_state(&state)?, u64::try_from(count).unwrap_or_default()))
        };
        rows.into_iter().map(count).collect()
    }

    /// The messages that wait for their first attempt, or are on their way: the first `most` of them, by number.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn on_the_way(&self, most: u32) -> Result<Vec<Standing>, Error> {
        self.standing(false, most).await
    }

    /// The messages that are deferred, unknown or held: the first `most` of them, by number.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn in_trouble(&self, most: u32) -> Result<Vec<Standing>, Error> {
        self.standing(true, most).await
    }

    async fn standing(&self, in_trouble: bool, most: u32) -> Result<Vec<Standing>, Error> {
        let mut unit = self.read_once().await?;
        let rows = sqlx::query(WAITING).bind(in_trouble).bind(most).fetch_all(&mut *unit).await?;
        unit.keep();
        rows.iter().map(Standing::read).collect()
    }

    /// The messages that were refused for good or given up at `since` or later: the last `most` of them, the last first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn did_not_arrive(
        &self,
        since: DateTime<Utc>,
        most: u32,
    ) -> Result<Vec<Standing>, Error> {
        let mut unit = self.read_once().await?;
        let rows = sqlx::query(LOST).bind(instant(since)).bind(most).fetch_all(&mut *unit).await?;
        unit.keep();
        rows.iter().map(Standing::read).collect()
    }

    /// Since when the oldest message that may go on `today` has been waiting to; `per_person_max` hold for one reader.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn oldest_unsent(
        &self,
        today: NaiveDate,
        per_person_max: u32,
    ) -> Result<Option<DateTime<Utc>>, Error> {
        let mut unit = self.read_once().await?;
        let since: Option<String> = sqlx::query_scalar(OLDEST)
            .bind(today.to_string())
            .bind(per_person_max)
            .fetch_one(&mut *unit)
            .await?;
        unit.keep();
        since.as_deref().map(read_instant).transpose()
    }
}

impl Standing {
    fn read(row: &SqliteRow) -> Result<Self, Error> {
        let (mut commitments, _) = read_items(row.try_get("items")?)?;
        commitments.dedup();
        let moment = |column| -> Result<Option<DateTime<Utc>>, Error> {
            row.try_get::<Option<&str>, _>(column)?.map(read_instant).transpose()
        };
        Ok(Self {
            id: row.try_get("id")?,
            state: read_state(row.try_get("state")?)?,
            name: row.try_get("name")?,
            to: row.try_get("recipient")?,
            subject: row.try_get("subject")?,
            commitments,
            next_at: moment("next_at")?,
            at: moment("at")?,
            reply: row.try_get("reply")?,
        })
    }
}
