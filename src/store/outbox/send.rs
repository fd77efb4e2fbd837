//! T2, and what is put right when a sender begins.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row, SqliteConnection};

use super::withdraw::note;
use super::{damaged, instant, read_instant};
use crate::delivery::state::{Attempt, OnUnknown, State};
use crate::store::batch::json_list;
use crate::store::row::Parsed;
use crate::store::{Error, Store};

const NEW_EPOCH: &str = "
    INSERT INTO meta (key, value) VALUES ('epoch', '1')
    ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1
    RETURNING CAST(value AS INTEGER)";

const ORPHANS: &str = "
    SELECT id, state FROM messages
    WHERE state IN ('ready', 'open', 'body', 'deferred', 'unknown', 'held')
      AND (state IN ('open', 'body') AND epoch < $1 OR state = 'unknown' AND $2)
    ORDER BY id";

const RELEASE: &str = "
    UPDATE messages SET state = 'ready', attempt = attempt - 1
    WHERE id IN (SELECT value FROM json_each($1)) AND state = 'open' AND epoch <= $2";

const DOUBT: &str = "
    UPDATE messages SET state = $2 WHERE id IN (SELECT value FROM json_each($1))";

const LOG_INTERRUPTION: &str = "
    INSERT INTO attempts (message, attempt, at, state, stage, reply)
    SELECT id, attempt, $2, state, 'body', $3 FROM messages
    WHERE id IN (SELECT value FROM json_each($1)) ORDER BY id";

const WAITING: &str = "
    SELECT json_group_array(json_array(id, address_key, accepted_today)) FROM (
        SELECT m.id, m.address_key, (SELECT count(*) FROM messages AS a
            WHERE a.accepted_on = $3 AND a.address_key = m.address_key) AS accepted_today
        FROM messages AS m
        WHERE m.state IN ('ready', 'open', 'body', 'deferred', 'unknown', 'held')
          AND m.state IN ('ready', 'deferred', 'unknown') AND m.id > $1
          AND (m.next_at IS NULL OR m.next_at <= $2)
        ORDER BY m.id LIMIT $4)";

const CLAIM: &str = "
    UPDATE messages SET state = 'open', epoch = $2, attempt = attempt + 1, started_at = $3, next_at = NULL
    WHERE id IN (SELECT value FROM json_each($1)) AND state IN ('ready', 'deferred', 'unknown')";

/// The messages, each with its length, and their bytes one after the other.
const CLAIMED: &str = "
    SELECT json_group_array(json_array(id, message_id, sender, recipient, address_key, attempt, resends, since,
            length(mime))),
        CAST(group_concat(mime, '') AS BLOB)
    FROM (
        SELECT m.id, m.message_id, m.sender, m.recipient, m.address_key, m.attempt, m.resends,
            coalesce(m.patience_from, m.frozen_at) AS since, b.mime
        FROM messages AS m JOIN message_bytes AS b ON b.message = m.id
        WHERE m.id IN (SELECT value FROM json_each($1)) AND m.state = 'open' AND m.epoch = $2 ORDER BY m.id)";

static CLAIM_SCRIPT: LazyLock<String> =
    LazyLock::new(|| ["BEGIN IMMEDIATE", CLAIM, CLAIMED, "COMMIT"].join(";"));

const STOP: &str = "
    INSERT INTO meta (key, value) VALUES ('queue_stopped_until', $1)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value";

const STOPPED: &str = "SELECT value FROM meta WHERE key = 'queue_stopped_until'";

const INTERRUPTED: &str = "the worker ended while the message was on its way; \
    whether the server took it is not known";

/// What an earlier sender left behind, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovered {
    /// The new sender's number; every claim carries it.
    pub epoch: i64,
    /// Messages that had been claimed and had provably not left.
    pub released: usize,
    /// Messages that may have arrived, to be sent again.
    pub unknown: usize,
    /// Messages that may have arrived, held for the operator.
    pub held: usize,
}

/// A message whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Number of the message.
    pub id: i64,
    /// The recipient, case-folded.
    pub address_key: String,
    /// How many messages were accepted for that person today.
    pub accepted_today: u32,
}

/// A claimed message: all that its attempt needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// Number of the message.
    pub id: i64,
    /// Envelope sender.
    pub sender: String,
    /// Envelope recipient.
    pub recipient: String,
    /// The recipient, case-folded.
    pub address_key: String,
    /// The attempt that begins.
    pub attempt: Attempt,
    /// The frozen bytes.
    pub mime: Vec<u8>,
}

impl Store {
    /// Begins a sender's life: a new epoch. What an older one had claimed is `ready` again; what it had in `body` is
    /// `unknown`, or `held` if that is the policy. Call it under the sender's lock only.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn recover(
        &self,
        on_unknown: OnUnknown,
        now: DateTime<Utc>,
    ) -> Result<Recovered, Error> {
        let mut unit = self.write().await?;
        let recovered = recover(&mut unit, on_unknown, now).await?;
        unit.commit().await?;
        Ok(recovered)
    }

    /// The next messages whose turn it is, by number, after the number `after`: at most `limit` of them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn waiting(
        &self,
        after: i64,
        limit: usize,
        now: DateTime<Utc>,
        today: NaiveDate,
    ) -> Result<Vec<Waiting>, Error> {
        let mut unit = self.read_once().await?;
        let rows: Parsed<(i64, String, u32)> = sqlx::query_as(WAITING)
            .bind(after)
            .bind(instant(now))
            .bind(today.to_string())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_one(&mut *unit)
            .await?;
        unit.keep();
        let waiting =
            |(id, address_key, accepted_today)| Waiting { id, address_key, accepted_today };
        Ok(rows.ours("messages that wait")?.into_iter().map(waiting).collect())
    }

    /// T2: claims those of `ids` that still wait, by number. From now on an attempt is under way; sockets come after.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn claim(
        &self,
        epoch: i64,
        ids: &[i64],
        now: DateTime<Utc>,
    ) -> Result<Vec<Claimed>, Error> {
        let ids = json_list(ids)?;
        let script = sqlx::query_as(CLAIM_SCRIPT.as_str()).bind(ids).bind(epoch).bind(instant(now));
        let unit = self.writer(self.lock_writer().await);
        let found: Vec<ClaimedPage> = self.run(unit, script).await?;
        found.into_iter().next().map_or(Ok(Vec::new()), |page| page.0)
    }

    /// Puts claimed messages back that are on no wire.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn release(&self, epoch: i64, ids: &[i64]) -> Result<(), Error> {
        let ids = json_list(ids)?;
        let mut unit = self.write().await?;
        sqlx::query(RELEASE).bind(ids).bind(epoch).execute(&mut *unit).await?;
        unit.commit().await
    }

    /// Stops the queue for every sender until `until`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn stop_queue(&self, until: DateTime<Utc>) -> Result<(), Error> {
        let mut unit = self.write().await?;
        sqlx::query(STOP).bind(instant(until)).execute(&mut *unit).await?;
        unit.commit().await
    }

    /// Until when the queue was last stopped.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn queue_stopped_until(&self) -> Result<Option<DateTime<Utc>>, Error> {
        let mut unit = self.read_once().await?;
        let until: Option<String> = sqlx::query_scalar(STOPPED).fetch_optional(&mut *unit).await?;
        unit.keep();
        until.map(|until| read_instant(&until)).transpose()
    }
}

async fn recover(
    tx: &mut SqliteConnection,
    on_unknown: OnUnknown,
    now: DateTime<Utc>,
) -> Result<Recovered, Error> {
    let epoch: i64 = sqlx::query_scalar(NEW_EPOCH).fetch_one(&mut *tx).await?;
    let hold = on_unknown == OnUnknown::Hold;
    let orphans: Vec<(i64, String)> =
        sqlx::query_as(ORPHANS).bind(epoch).bind(hold).fetch_all(&mut *tx).await?;
    let of = |state: State| {
        orphans.iter().filter(move |(_, name)| name == state.name()).map(|(id, _)| *id)
    };
    let open = json_list(of(State::Open))?;
    sqlx::query(RELEASE).bind(&open).bind(epoch).execute(&mut *tx).await?;
    note(tx, "released", open, now).await?;

    let doubtful = if hold { State::Held } else { State::Unknown };
    let body = json_list(of(State::Body))?;
    sqlx::query(DOUBT).bind(&body).bind(doubtful.name()).execute(&mut *tx).await?;
    sqlx::query(LOG_INTERRUPTION)
        .bind(&body)
        .bind(instant(now))
        .bind(INTERRUPTED)
        .execute(&mut *tx)
        .await?;

    // Left by a sender with the other policy.
    let unknown = json_list(of(State::Unknown))?;
    sqlx::query(DOUBT).bind(&unknown).bind(State::Held.name()).execute(&mut *tx).await?;
    note(tx, State::Held.name(), unknown, now).await?;

    let (released, in_body) = (of(State::Open).count(), of(State::Body).count());
    let (unknown, held) =
        if hold { (0, in_body + of(State::Unknown).count()) } else { (in_body, 0) };
    Ok(Recovered { epoch, released, unknown, held })
}

/// Claimed messages, which are one row.
struct ClaimedPage(Result<Vec<Claimed>, Error>);

/// In the order of [`CLAIMED`].
#[derive(Deserialize)]
struct ClaimedRow {
    id: i64,
    message_id: String,
    sender: String,
    recipient: String,
    address_key: String,
    attempt: u32,
    resends: u32,
    since: String,
    /// Bytes.
    length: usize,
}

impl<'r> FromRow<'r, SqliteRow> for ClaimedPage {
    fn from_row(row: &'r SqliteRow) -> Result<Self, sqlx::Error> {
        // Not copied as a whole: a page of digests is half a megabyte.
        let mut bytes: &[u8] = row.try_get::<Option<_>, _>(1)?.unwrap_or_default();
        let rows: Parsed<ClaimedRow> = Parsed::from_row(row)?;
        Ok(Self(
            rows.ours("claimed messages").and_then(|rows| {
                rows.into_iter().map(|row| row.with_its_own(&mut bytes)).collect()
            }),
        ))
    }
}

impl ClaimedRow {
    /// Takes the bytes of the message from the front of those of the page.
    fn with_its_own(self, bytes: &mut &[u8]) -> Result<Claimed, Error> {
        let since = read_instant(&self.since)?;
        let mime = bytes.split_off(..self.length);
        let mime = mime.ok_or_else(|| damaged("message", &self.message_id))?;
        let (number, unknowns) = (self.attempt, self.resends);
        Ok(Claimed {
            id: self.id,
            sender: self.sender,
            recipient: self.recipient,
            address_key: self.address_key,
            attempt: Attempt { message_id: self.message_id, number, unknowns, since },
            mime: mime.to_vec(),
        })
    }
}
