//! Taking back messages that have not left.

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use super::{WORKER, instant};
use crate::delivery::state::State;
use crate::store::batch::json_list;
use crate::store::{Error, Store};
use crate::telemetry;

/// Commitments that were changed by others than us, who withdraw nothing. CROSS JOIN, so that what is unsent is read
/// and not all of history.
const CHANGED: &str = "
    SELECT commitment FROM groundless WHERE state = 'planned'
    UNION
    SELECT g.commitment FROM messages AS m CROSS JOIN groundless AS g
    WHERE g.message = m.id AND m.state IN ('ready', 'open', 'body', 'deferred', 'unknown', 'held') AND m.was_in_body = 0
      AND g.state = 'attached'";

const CARRYING: &str = "
    SELECT DISTINCT m.id FROM reminders AS r JOIN messages AS m ON m.id = r.message
    WHERE r.commitment IN (SELECT value FROM json_each($1)) AND r.state = 'attached'
      AND m.state IN ('ready', 'open', 'deferred', 'held') AND m.was_in_body = 0";

const CANCEL_REMINDERS: &str = "
    UPDATE reminders SET state = 'cancelled'
    WHERE commitment IN (SELECT value FROM json_each($1))
      AND (state = 'planned'
        OR state = 'attached' AND message IN (SELECT value FROM json_each($2)))";

const TAKE_BACK_MESSAGES: &str = "
    UPDATE messages SET state = $2, next_at = NULL
    WHERE id IN (SELECT value FROM json_each($1))
      AND state IN ('ready', 'open', 'deferred', 'held') AND was_in_body = 0";

const FREE_REMINDERS: &str = "
    UPDATE reminders SET state = 'planned', message = NULL
    WHERE state = 'attached' AND message IN (SELECT value FROM json_each($1))";

/// Their look day lies ahead, since they counted as sent.
const LOOK_AGAIN: &str = "
    UPDATE agenda SET look_on = NULL
    WHERE commitment IN (SELECT commitment FROM reminders
                        WHERE message IN (SELECT value FROM json_each($1)))";

/// That there are reminders to plan again before the next firing.
const FREED: &str = "
    INSERT INTO meta (key, value) VALUES ('freed', '1') ON CONFLICT (key) DO NOTHING";

const NOTE: &str = "
    INSERT INTO events (at, who, what, message)
    SELECT $1, $2, $3, value FROM json_each($4)";

impl Store {
    /// Withdraws what is unsent about `commitments`, because they changed; gives how many messages were taken back.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn withdraw(
        &self,
        commitments: &[String],
        now: DateTime<Utc>,
    ) -> Result<usize, Error> {
        let mut unit = self.write().await?;
        let messages = withdraw(&mut unit, commitments, now).await?;
        unit.commit().await?;
        telemetry::withdrawn(messages);
        Ok(messages)
    }
}

/// As [`Store::withdraw`], within the unit of work that changes the commitments.
///
/// Messages that carry one of them and whose body never left are `cancelled`, claimed ones too: the engine notices just
/// before the body. Their other reminders are planned again, and the planner looks anew at the commitments. A message
/// whose body may have arrived stays as it is, for only the same bytes may follow it.
pub(crate) async fn withdraw(
    tx: &mut SqliteConnection,
    commitments: &[String],
    now: DateTime<Utc>,
) -> Result<usize, Error> {
    if commitments.is_empty() {
        return Ok(0);
    }
    let references = json_list(commitments)?;
    let messages: Vec<i64> =
        sqlx::query_scalar(CARRYING).bind(&references).fetch_all(&mut *tx).await?;
    sqlx::query(CANCEL_REMINDERS)
        .bind(references)
        .bind(json_list(&messages)?)
        .execute(&mut *tx)
        .await?;
    take_back(tx, &messages, State::Cancelled, now).await?;
    Ok(messages.len())
}

/// Takes back what is unsent about commitments that others than us changed; gives how many messages those were.
pub(crate) async fn withdraw_changed(
    tx: &mut SqliteConnection,
    now: DateTime<Utc>,
) -> Result<usize, Error> {
    let changed: Vec<String> = sqlx::query_scalar(CHANGED).fetch_all(&mut *tx).await?;
    withdraw(tx, &changed, now).await
}

/// Has the planner look in its next pass at what these messages are about, a JSON list of their numbers.
pub(super) async fn look_again(tx: &mut SqliteConnection, messages: &str) -> Result<(), Error> {
    sqlx::query(LOOK_AGAIN).bind(messages).execute(tx).await?;
    Ok(())
}

/// Ends `messages`, none of which has left, in `state`; reminders still attached to them are planned again.
pub(super) async fn take_back(
    tx: &mut SqliteConnection,
    messages: &[i64],
    state: State,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    if messages.is_empty() {
        return Ok(());
    }
    let messages = json_list(messages)?;
    sqlx::query(TAKE_BACK_MESSAGES).bind(&messages).bind(state.name()).execute(&mut *tx).await?;
    look_again(tx, &messages).await?;
    let freed = sqlx::query(FREE_REMINDERS).bind(&messages).execute(&mut *tx).await?;
    if freed.rows_affected() > 0 {
        sqlx::query(FREED).execute(&mut *tx).await?;
    }
    note(tx, state.name(), messages, now).await
}

/// Writes one journal line about each of `messages`, a JSON list of their numbers.
pub(super) async fn note(
    tx: &mut SqliteConnection,
    what: &str,
    messages: String,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    sqlx::query(NOTE).bind(instant(now)).bind(WORKER).bind(what).bind(messages).execute(tx).await?;
    Ok(())
}
