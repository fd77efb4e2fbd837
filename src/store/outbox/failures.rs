//! What did not arrive, until the secretariat has been told.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::FromRow;

use super::log::read_items;
use super::{FREEZE_PAGE, Frozen, freeze, instant};
use crate::store::{Error, Store};

/// The name under which the store keeps the last attempt that was looked at.
const TOLD: &str = "failures_told";

/// Days after which the secretariat hears again of an address that still fails; the weekly report names it anyhow.
const TELL_AGAIN_DAYS: i64 = 30;

const FAILURES: &str = "
    SELECT a.id AS attempt, a.message, m.recipient, m.address_key, m.name, m.items, a.reply,
           u.told_at IS NOT NULL AND u.told_at > $1 AS is_told
      FROM attempts AS a
      JOIN messages AS m ON m.id = a.message
      LEFT JOIN undelivered AS u ON u.address_key = m.address_key
     WHERE a.id > (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'failures_told')
       AND a.state IN ('rejected', 'expired') AND m.state = a.state
     ORDER BY a.message, a.id";

const REMEMBER: &str = "
    INSERT INTO undelivered (address_key, told_at) VALUES ($1, $2)
    ON CONFLICT (address_key) DO UPDATE SET told_at = excluded.told_at";

const LOOKED_AT: &str = "UPDATE meta SET value = $2 WHERE key = $1";

/// A message that did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    /// Number of the attempt.
    pub attempt: i64,
    /// Number of the message: what `resend` takes.
    pub message: i64,
    /// Envelope recipient.
    pub to: String,
    /// Its form for comparing.
    pub address_key: String,
    /// Name of the recipient; may be empty.
    pub name: String,
    /// References of the commitments in it, in its order.
    pub commitments: Vec<String>,
    /// Why, in the words of the server or our own.
    pub cause: String,
    /// Whether the secretariat knows of that address.
    pub is_told: bool,
}

#[derive(FromRow)]
struct Row {
    attempt: i64,
    message: i64,
    recipient: String,
    address_key: String,
    name: String,
    items: String,
    reply: String,
    is_told: bool,
}

impl Store {
    /// What failed for good since the last time, by message.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn undelivered(&self, now: DateTime<Utc>) -> Result<Vec<Undelivered>, Error> {
        let since = instant(now - TimeDelta::days(TELL_AGAIN_DAYS));
        let mut unit = self.read_once().await?;
        let rows: Vec<Row> = sqlx::query_as(FAILURES).bind(since).fetch_all(&mut *unit).await?;
        unit.keep();
        rows.into_iter().map(Undelivered::read).collect()
    }

    /// Freezes what the secretariat is told of them, and looks at none of these `failures` again.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn tell_undelivered(
        &self,
        failures: &[Undelivered],
        notices: &[Frozen],
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        let Some(last) = failures.iter().map(|one| one.attempt).max() else { return Ok(()) };
        let mut unit = self.write().await?;
        for page in notices.chunks(FREEZE_PAGE) {
            freeze(&mut unit, page, now).await?;
        }
        let new = failures.iter().filter(|one| !one.is_told);
        let addresses: BTreeSet<&str> = new.map(|one| one.address_key.as_str()).collect();
        for address in addresses {
            sqlx::query(REMEMBER).bind(address).bind(instant(now)).execute(&mut *unit).await?;
        }
        sqlx::query(LOOKED_AT).bind(TOLD).bind(last.to_string()).execute(&mut *unit).await?;
        unit.commit().await
    }
}

impl Undelivered {
    fn read(row: Row) -> Result<Self, Error> {
        let (mut commitments, _) = read_items(&row.items)?;
        commitments.dedup();
        Ok(Self {
            attempt: row.attempt,
            message: row.message,
            to: row.recipient,
            address_key: row.address_key,
            name: row.name,
            commitments,
            cause: row.reply,
            is_told: row.is_told,
        })
    }
}
