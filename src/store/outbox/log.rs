//! What became of the messages: the log, and the numbers in it.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};

use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Purpose, damaged, instant, read_instant, read_state};
use crate::delivery::state::State;
use crate::store::{Error, Store};

const LOG: &str = "
    SELECT a.message, a.at, m.message_id, m.purpose, m.day, m.name, m.recipient, m.subject, m.items,
        a.attempt, a.state, a.stage, a.code, a.reply
    FROM attempts AS a JOIN messages AS m ON m.id = a.message
    WHERE a.at >= $1 ORDER BY a.at, a.id";

const STANDING: &str = "
    SELECT (SELECT count(*) FROM messages WHERE accepted_on = $1),
        coalesce(sum(state = 'deferred'), 0), coalesce(sum(state = 'held'), 0), coalesce(sum(state = 'unknown'), 0),
        (SELECT count(DISTINCT message) FROM attempts WHERE at >= $2 AND state IN ('rejected', 'expired'))
    FROM messages WHERE state IN ('ready', 'open', 'body', 'deferred', 'unknown', 'held')";

const PAST: &str = "
    SELECT at, state = 'accepted' FROM attempts WHERE at > $1 AND at <= $2 ORDER BY at, id";

const TAKEN_BACK: &str = "
    SELECT purpose, address_key, count(*) FROM messages
    WHERE day = $1 AND state IN ('cancelled', 'superseded') GROUP BY purpose, address_key";

/// A report that never arrived has told nobody anything.
const REPORTED: &str = "
    SELECT frozen_at, items FROM messages
    WHERE purpose = 'report' AND state NOT IN ('cancelled', 'superseded', 'rejected', 'expired')";

const REAL: &str = "
    SELECT EXISTS (SELECT 1 FROM messages WHERE accepted_on IS NOT NULL AND rehearsal = 0)";

/// One attempt, as the log tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    /// Number of the message: what `resend`, `hold` and `release` take.
    pub id: i64,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// With its brackets.
    pub message_id: String,
    /// What the message was for.
    pub purpose: Purpose,
    /// The day it belongs to.
    pub day: NaiveDate,
    /// Name of the recipient.
    pub name: String,
    /// Envelope recipient.
    pub to: String,
    /// Subject.
    pub subject: String,
    /// References of the commitments in the message.
    pub commitments: Vec<String>,
    /// Their steps, in the same order.
    pub steps: Vec<String>,
    /// 1, 2, …
    pub attempt: u32,
    /// What it led to.
    pub state: State,
    /// The stage that failed; empty when none did.
    pub stage: Option<String>,
    /// SMTP reply code; `None` from the file transport, and when there was no reply.
    pub code: Option<u16>,
    /// SMTP reply text, path of the file, or what broke.
    pub reply: String,
}

/// How many messages stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Accepted today.
    pub sent: u32,
    /// Waiting for another attempt.
    pub deferred: u32,
    /// Waiting for the operator.
    pub held: u32,
    /// Perhaps taken, to be sent again.
    pub unknown: u32,
    /// Refused for good, or given up, today.
    pub rejected: u32,
}

/// An attempt of the past, as far as limits are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// When it ended.
    pub at: DateTime<Utc>,
    /// Whether its message was accepted.
    pub accepted: bool,
}

/// What the reports so far have told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reported {
    /// When the last one was frozen.
    pub at: Option<DateTime<Utc>>,
    /// The items of them all.
    pub items: HashSet<(String, String)>,
}

impl Store {
    /// Every attempt that ended at `since` or later, in the order of time; all of them for `None`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn log(&self, since: Option<DateTime<Utc>>) -> Result<Vec<LogRow>, Error> {
        let since = since.map(instant).unwrap_or_default();
        let mut unit = self.read_once().await?;
        let rows = sqlx::query(LOG).bind(since).fetch_all(&mut *unit).await?;
        unit.keep();
        rows.iter().map(LogRow::read).collect()
    }

    /// How many messages stand where. `today` began at `midnight`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn counts(&self, today: NaiveDate, midnight: DateTime<Utc>) -> Result<Counts, Error> {
        let mut unit = self.read_once().await?;
        let (sent, deferred, held, unknown, rejected) = sqlx::query_as(STANDING)
            .bind(today.to_string())
            .bind(instant(midnight))
            .fetch_one(&mut *unit)
            .await?;
        unit.keep();
        Ok(Counts { sent, deferred, held, unknown, rejected })
    }

    /// The attempts that ended after `since`, and not after `now`, in the order of time.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn attempts_between(
        &self,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Past>, Error> {
        let mut unit = self.read_once().await?;
        let rows: Vec<(String, bool)> = sqlx::query_as(PAST)
            .bind(instant(since))
            .bind(instant(now))
            .fetch_all(&mut *unit)
            .await?;
        unit.keep();
        rows.into_iter()
            .map(|(at, accepted)| Ok(Past { at: read_instant(&at)?, accepted }))
            .collect()
    }

    /// How many messages of `day` each address had that were taken back, by purpose and address key: what is frozen in
    /// their place needs another Message-ID.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn taken_back(
        &self,
        day: NaiveDate,
    ) -> Result<HashMap<(Purpose, String), u32>, Error> {
        let mut unit = self.read_once().await?;
        let rows: Vec<(String, String, u32)> =
            sqlx::query_as(TAKEN_BACK).bind(day.to_string()).fetch_all(&mut *unit).await?;
        unit.keep();
        rows.into_iter()
            .map(|(purpose, key, count)| Ok(((read_purpose(&purpose)?, key), count)))
            .collect()
    }

    /// What the reports so far have told.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn reported(&self) -> Result<Reported, Error> {
        let mut unit = self.read_once().await?;
        let rows: Vec<(String, String)> = sqlx::query_as(REPORTED).fetch_all(&mut *unit).await?;
        unit.keep();
        let mut reported = Reported::default();
        for (frozen_at, items) in rows {
            reported.at = reported.at.max(Some(read_instant(&frozen_at)?));
            let (commitments, steps) = read_items(&items)?;
            reported.items.extend(commitments.into_iter().zip(steps));
        }
        Ok(reported)
    }

    /// Whether anything was ever delivered on a day that was not pretended.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has_real_deliveries(&self) -> Result<bool, Error> {
        let mut unit = self.read_once().await?;
        let real = sqlx::query_scalar(REAL).fetch_one(&mut *unit).await?;
        unit.keep();
        Ok(real)
    }
}

impl LogRow {
    pub(super) fn read(row: &SqliteRow) -> Result<Self, Error> {
        let (commitments, steps) = read_items(row.try_get("items")?)?;
        Ok(Self {
            id: row.try_get("message")?,
            at: read_instant(row.try_get("at")?)?,
            message_id: row.try_get("message_id")?,
            purpose: read_purpose(row.try_get("purpose")?)?,
            day: read_day(row.try_get("day")?)?,
            name: row.try_get("name")?,
            to: row.try_get("recipient")?,
            subject: row.try_get("subject")?,
            commitments,
            steps,
            attempt: row.try_get("attempt")?,
            state: read_state(row.try_get("state")?)?,
            stage: row.try_get("stage")?,
            code: row.try_get("code")?,
            reply: row.try_get("reply")?,
        })
    }
}

fn read_purpose(name: &str) -> Result<Purpose, Error> {
    Purpose::ALL
        .into_iter()
        .find(|purpose| purpose.name() == name)
        .ok_or_else(|| damaged("purpose of a message", name))
}

fn read_day(text: &str) -> Result<NaiveDate, Error> {
    text.parse().map_err(|_| damaged("day", text))
}

pub(super) fn read_items(items: &str) -> Result<(Vec<String>, Vec<String>), Error> {
    let pairs: Vec<(String, String)> =
        serde_json::from_str(items).map_err(|_| damaged("list of items", items))?;
    Ok(pairs.into_iter().unzip())
}
