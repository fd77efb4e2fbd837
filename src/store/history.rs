//! What was sent before: facts for the planner.

use chrono::NaiveDate;
use serde::Deserialize;
use sqlx::SqliteConnection;

use super::batch::json;
use super::row::Parsed;
use super::{Error, Store, Which};
use crate::domain::reminder::{History, Sent};
use crate::domain::rule::Ladder;

/// In one cell, the columns in the order of [`SentRow`].
const SENT: &str = "
    SELECT json_group_array(json_array(commitment, revision, window, leader, step, day, accepted_on))
      FROM sent";

const SENT_OF: &str = "
    SELECT json_group_array(json_array(commitment, revision, window, leader, step, day, accepted_on))
      FROM sent
     WHERE commitment IN (SELECT reference FROM commitments
                           WHERE status IN (SELECT value FROM json_each($1)))";

const SENT_THESE: &str = "
    SELECT json_group_array(json_array(commitment, revision, window, leader, step, day, accepted_on))
      FROM sent
     WHERE commitment IN (SELECT value FROM json_each($1))";

const WRITTEN_TODAY: &str = "
    SELECT json_group_array(json_array(purpose, address_key)) FROM messages
     WHERE day = $1 AND purpose IN ('own', 'escalation') AND state NOT IN ('cancelled', 'superseded')";

const WRITTEN_TO: &str = "
    SELECT json_group_array(json_array(purpose, address_key)) FROM messages
     WHERE day = $1 AND address_key IN (SELECT value FROM json_each($2))
       AND purpose IN ('own', 'escalation') AND state NOT IN ('cancelled', 'superseded')";

type Written = (String, String);

#[derive(Deserialize)]
struct SentRow {
    commitment: String,
    revision: u32,
    window: u32,
    leader: String,
    step: String,
    day: String,
    accepted_on: Option<String>,
}

impl SentRow {
    /// `None` for a step or a day that no Advis writes.
    fn sent(&self) -> Option<Sent> {
        let accepted_on = self.accepted_on.as_deref().map(str::parse).transpose().ok()?;
        Some(Sent {
            revision: self.revision,
            window: self.window,
            leader: self.leader.clone(),
            step: self.step.parse().ok()?,
            on: self.day.parse().ok()?,
            accepted_on,
        })
    }
}

impl Store {
    /// What was sent about those commitments, and who got a message on the day `today`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn history(&self, which: Which<'_>, today: NaiveDate) -> Result<History, Error> {
        let mut unit = self.read().await?;
        let sent = match (which, which.statuses()?) {
            (Which::These(references), _) => {
                sqlx::query_as(SENT_THESE).bind(json(references)?).fetch_one(&mut *unit).await?
            }
            (_, Some(statuses)) => {
                sqlx::query_as(SENT_OF).bind(statuses).fetch_one(&mut *unit).await?
            }
            (_, None) => sqlx::query_as(SENT).fetch_one(&mut *unit).await?,
        };
        let written =
            sqlx::query_as(WRITTEN_TODAY).bind(today.to_string()).fetch_one(&mut *unit).await?;
        unit.commit().await?;
        history(sent, written)
    }
}

/// What was sent about `commitments` (a JSON array), and which of `readers` (address keys) got a message on `today`.
pub(super) async fn load_of(
    unit: &mut SqliteConnection,
    commitments: &str,
    readers: &[&str],
    today: NaiveDate,
) -> Result<History, Error> {
    let sent = sqlx::query_as(SENT_THESE).bind(commitments).fetch_one(&mut *unit).await?;
    if readers.is_empty() {
        return history(sent, Parsed(Some(Vec::new())));
    }
    let written = sqlx::query_as(WRITTEN_TO).bind(today.to_string()).bind(json(readers)?);
    history(sent, written.fetch_one(unit).await?)
}

fn history(sent: Parsed<SentRow>, written: Parsed<Written>) -> Result<History, Error> {
    let mut history = History::default();
    for row in sent.ours("reminders sent")? {
        if let Some(sent) = row.sent() {
            history.record(&row.commitment, sent);
        }
    }
    for (purpose, address_key) in written.ours("messages of today")? {
        let ladder = if purpose == "own" { Ladder::Own } else { Ladder::Escalation };
        history.record_message(ladder, &address_key);
    }
    Ok(history)
}
