//! What was sent before: facts for the planner.

use chrono::NaiveDate;
use serde::Deserialize;

use super::batch::json_list;
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

pub(super) const SENT_THESE: &str = "
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
pub(super) struct SentRow {
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
                sqlx::query_as(SENT_THESE)
                    .bind(json_list(references)?)
                    .fetch_one(&mut *unit)
                    .await?
            }
            (_, Some(statuses)) => {
                sqlx::query_as(SENT_OF).bind(statuses).fetch_one(&mut *unit).await?
            }
            (_, None) => sqlx::query_as(SENT).fetch_one(&mut *unit).await?,
        };
        let written =
            sqlx::query_as(WRITTEN_TODAY).bind(today.to_string()).fetch_one(&mut *unit).await?;
        unit.commit().await?;
        let mut history = self::sent(sent)?;
        add(&mut history, written)?;
        Ok(history)
    }

    /// Adds which of `readers` (address keys) got a message on the day `today`.
    pub(super) async fn add_written(
        &self,
        history: &mut History,
        readers: &[&str],
        today: NaiveDate,
    ) -> Result<(), Error> {
        if readers.is_empty() {
            return Ok(());
        }
        let mut unit = self.read_once().await?;
        let written = sqlx::query_as(WRITTEN_TO).bind(today.to_string()).bind(json_list(readers)?);
        let written = written.fetch_one(&mut *unit).await?;
        unit.keep();
        add(history, written)
    }
}

/// What was sent.
pub(super) fn sent(rows: Parsed<SentRow>) -> Result<History, Error> {
    let mut history = History::default();
    for row in rows.ours("reminders sent")? {
        if let Some(sent) = row.sent() {
            history.record(&row.commitment, sent);
        }
    }
    Ok(history)
}

fn add(history: &mut History, written: Parsed<Written>) -> Result<(), Error> {
    for (purpose, address_key) in written.ours("messages of today")? {
        let ladder = if purpose == "own" { Ladder::Own } else { Ladder::Escalation };
        history.record_message(ladder, &address_key);
    }
    Ok(())
}
