//! The operator's hand on messages, beside a running worker: it notices at T3, which expects the state it claimed.

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::{FromRow, SqliteConnection};

use super::log::{LogRow, read_items};
use super::withdraw::take_back;
use super::{read_instant, read_state};
use crate::delivery::state::{Order, Standing, State, obey};
use crate::store::batch::json_list;
use crate::store::journal::{self, Subject, instant};
use crate::store::{Error, Stamp, Store};

/// A message that was given up takes its reminders back, as far as nothing else has them.
const TAKE_UP: &str = "
    UPDATE reminders SET state = 'attached'
    WHERE state = 'expired' AND message IN (SELECT id FROM messages
        WHERE id IN (SELECT value FROM json_each($1)) AND state = 'expired')";

const STANDING: &str = "
    SELECT m.id, m.state, m.was_in_body, m.attempt, m.recipient,
        EXISTS (SELECT 1 FROM groundless WHERE message = m.id AND state = 'attached') AS is_groundless,
        EXISTS (SELECT 1 FROM reminders AS r JOIN reminders AS n
            ON n.commitment = r.commitment AND n.revision = r.revision AND n.window = r.window
            AND n.leader = r.leader AND (n.step GLOB 'escalate:*') = (r.step GLOB 'escalate:*')
            WHERE r.message = m.id AND r.state = 'attached'
              AND n.state IN ('planned', 'attached') AND n.moved_on > r.moved_on) AS is_overtaken,
        m.purpose IN ('own', 'escalation') AND EXISTS (SELECT 1 FROM json_each(m.items) AS i
            WHERE NOT EXISTS (SELECT 1 FROM reminders AS r
                WHERE r.message = m.id AND r.state = 'attached'
                  AND r.commitment = i.value ->> 0 AND r.step = i.value ->> 1)) AS is_taken_apart
    FROM messages AS m WHERE m.id IN (SELECT value FROM json_each($1)) ORDER BY m.id";

const HOLD: &str = "
    UPDATE messages SET state = 'held', next_at = NULL WHERE id IN (SELECT value FROM json_each($1))";

/// The days until it is given up begin anew, or what was frozen long ago would be given up at its next failure.
const SEND: &str = "
    UPDATE messages SET state = 'ready', next_at = NULL, patience_from = $2
    WHERE id IN (SELECT value FROM json_each($1))";

/// What was frozen before a restored store was noticed, and not known to have been sent; what an operator holds stays.
const UNSENT_AT: &str = "
    SELECT id, state, attempt FROM messages
    WHERE state IN ('ready', 'open', 'body', 'deferred', 'unknown', 'held')
      AND state <> 'held' AND frozen_at <= $1 AND (was_in_body = 0 AND purpose IN ('own', 'escalation') OR $2)
    ORDER BY id";

const WRITE_OFF: &str = "
    UPDATE messages SET state = 'cancelled', next_at = NULL
    WHERE id IN (SELECT value FROM json_each($1))";

const WRITE_OFF_REMINDERS: &str = "
    UPDATE reminders SET state = 'cancelled'
    WHERE state = 'planned' OR state = 'attached' AND message IN (SELECT value FROM json_each($1))";

const ACTS: &str = "
    SELECT e.who, m.id AS message, e.at, m.message_id, m.purpose, m.day, m.name, m.recipient, m.subject, m.items,
        e.detail ->> 'attempt' AS attempt, e.detail ->> 'to' AS state, NULL AS stage, NULL AS code,
        e.what || ' by ' || e.who AS reply
    FROM events AS e JOIN messages AS m ON m.id = e.message
    WHERE e.at >= $1 AND e.detail ->> 'to' IS NOT NULL ORDER BY e.id";

const UNSENT: &str = "
    SELECT id, state, recipient, items, next_at FROM messages
    WHERE state IN ('ready', 'open', 'body', 'deferred', 'unknown', 'held') ORDER BY id";

/// A message that has not left, or is not known to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsent {
    /// Its number.
    pub id: i64,
    /// Where it stands.
    pub state: State,
    /// Its envelope recipient.
    pub to: String,
    /// What it says of which commitments: reference, and step or event.
    pub items: Vec<(String, String)>,
    /// When it is tried again.
    pub next_at: Option<DateTime<Utc>>,
}

/// A message that was given an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    /// Its number.
    pub id: i64,
    /// Its envelope recipient.
    pub to: String,
    /// The state it was in.
    pub from: State,
    /// The state it is in now; the same when there was nothing to change.
    pub state: State,
}

/// What a person did to a message, told as the log tells an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Who.
    pub who: String,
    /// The message, in the state that it was brought to.
    pub row: LogRow,
}

#[derive(FromRow)]
struct Row {
    id: i64,
    state: String,
    was_in_body: bool,
    attempt: u32,
    recipient: String,
    is_groundless: bool,
    is_overtaken: bool,
    is_taken_apart: bool,
}

impl Store {
    /// Carries out an order on messages, by number: on all of them, or on none. Answers in the order of the numbers.
    ///
    /// # Errors
    /// [`Error::UnknownMessages`] and [`Error::Refused`], with each message it makes no sense for; nothing is changed.
    pub async fn order(
        &self,
        order: Order,
        ids: &[i64],
        stamp: &Stamp,
    ) -> Result<Vec<Ordered>, Error> {
        let mut unit = self.write().await?;
        let ordered = carry_out(&mut unit, order, ids, stamp).await?;
        unit.commit().await?;
        Ok(ordered)
    }

    /// Every message that has not left, or is not known to, by number.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unsent(&self) -> Result<Vec<Unsent>, Error> {
        type Row = (i64, String, String, String, Option<String>);

        let mut unit = self.read_once().await?;
        let rows: Vec<Row> = sqlx::query_as(UNSENT).fetch_all(&mut *unit).await?;
        unit.keep();
        let unsent = |(id, state, to, items, next_at): Row| {
            let (commitments, steps) = read_items(&items)?;
            let items = commitments.into_iter().zip(steps).collect();
            let next_at = next_at.as_deref().map(read_instant).transpose()?;
            Ok(Unsent { id, state: read_state(&state)?, to, items, next_at })
        };
        rows.into_iter().map(unsent).collect()
    }

    /// What people did to messages at `since` or later, in the order of time; all of it for `None`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn acts(&self, since: Option<DateTime<Utc>>) -> Result<Vec<Act>, Error> {
        let since = since.map(instant).unwrap_or_default();
        let mut unit = self.read_once().await?;
        let rows = sqlx::query(ACTS).bind(since).fetch_all(&mut *unit).await?;
        unit.keep();
        let act = |row| Ok(Act { who: sqlx::Row::try_get(row, "who")?, row: LogRow::read(row)? });
        rows.iter().map(act).collect()
    }
}

/// Has what a restored store had not sent at `since` planned anew, as far as it has provably not left; answers with how
/// many messages that were.
pub(crate) async fn give_back(
    tx: &mut SqliteConnection,
    since: DateTime<Utc>,
    stamp: &Stamp,
) -> Result<usize, Error> {
    let ids: Vec<i64> = unsent_at(tx, since, false).await?.into_iter().map(|one| one.0).collect();
    take_back(tx, &ids, State::Cancelled, stamp.at).await?;
    Ok(ids.len())
}

/// Counts what a restored store had not sent at `since` as sent: it is never sent; answers with how many messages that
/// were.
pub(crate) async fn write_off(
    tx: &mut SqliteConnection,
    since: DateTime<Utc>,
    stamp: &Stamp,
) -> Result<usize, Error> {
    let unsent = unsent_at(tx, since, true).await?;
    let ids = json_list(unsent.iter().map(|one| one.0))?;
    sqlx::query(WRITE_OFF).bind(&ids).execute(&mut *tx).await?;
    sqlx::query(WRITE_OFF_REMINDERS).bind(ids).execute(&mut *tx).await?;
    let subjects = unsent.iter().map(|(id, from, attempt)| {
        let to = State::Cancelled.name();
        Subject::message(*id).detail(json!({ "from": from, "to": to, "attempt": attempt }))
    });
    journal::record(tx, stamp, "written off", &subjects.collect::<Vec<_>>()).await?;
    Ok(unsent.len())
}

async fn unsent_at(
    tx: &mut SqliteConnection,
    since: DateTime<Utc>,
    all: bool,
) -> Result<Vec<(i64, String, u32)>, Error> {
    let since = super::instant(since);
    Ok(sqlx::query_as(UNSENT_AT).bind(since).bind(all).fetch_all(tx).await?)
}

async fn carry_out(
    tx: &mut SqliteConnection,
    order: Order,
    ids: &[i64],
    stamp: &Stamp,
) -> Result<Vec<Ordered>, Error> {
    let wanted = json_list(ids)?;
    if order == Order::Resend {
        sqlx::query(TAKE_UP).bind(&wanted).execute(&mut *tx).await?;
    }
    let rows: Vec<Row> = sqlx::query_as(STANDING).bind(&wanted).fetch_all(&mut *tx).await?;
    let is_known = |id: &i64| rows.iter().any(|row| row.id == *id);
    let unknown: Vec<i64> = ids.iter().copied().filter(|id| !is_known(id)).collect();
    if !unknown.is_empty() {
        return Err(Error::UnknownMessages { ids: unknown });
    }
    let (ordered, refusals) = judge(order, &rows)?;
    if !refusals.is_empty() {
        return Err(Error::Refused(refusals.join("; ")));
    }
    let moved = || ordered.iter().filter(|one| one.from != one.state);
    let ids = json_list(moved().map(|one| one.id))?;
    match order {
        Order::Hold => sqlx::query(HOLD).bind(ids).execute(&mut *tx).await?,
        Order::Release | Order::Resend => {
            sqlx::query(SEND).bind(ids).bind(super::instant(stamp.at)).execute(&mut *tx).await?
        }
    };
    let attempt = |id: i64| rows.iter().find(|row| row.id == id).map(|row| row.attempt);
    let subjects: Vec<Subject<'_>> = moved()
        .map(|Ordered { id, from, state, .. }| {
            let (from, to) = (from.name(), state.name());
            let detail = json!({ "from": from, "to": to, "attempt": attempt(*id) });
            Subject::message(*id).detail(detail)
        })
        .collect();
    journal::record(tx, stamp, order.done(), &subjects).await?;
    Ok(ordered)
}

/// What becomes of each message, and the sentences about those the order makes no sense for.
fn judge(order: Order, rows: &[Row]) -> Result<(Vec<Ordered>, Vec<String>), Error> {
    let (mut ordered, mut refusals) = (Vec::new(), Vec::new());
    for row in rows {
        let (id, from) = (row.id, read_state(&row.state)?);
        let standing = Standing {
            state: from,
            was_in_body: row.was_in_body,
            is_groundless: row.is_groundless,
            is_overtaken: row.is_overtaken,
            is_taken_apart: row.is_taken_apart,
        };
        match obey(order, &standing) {
            Ok(state) => {
                let to = row.recipient.clone();
                ordered.push(Ordered { id, to, from, state: state.unwrap_or(from) });
            }
            Err(why) => refusals.push(format!("message {id} is {from}: {why}")),
        }
    }
    Ok((ordered, refusals))
}
