//! T3 and T4: the moves of a message on the wire. What all lanes wait for goes into one transaction, so that they share
//! one flush of the disk.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use tokio::sync::oneshot;
use tokio::task::yield_now;

use super::instant;
use super::withdraw::{take_back, withdraw};
use crate::delivery::state::{Stage, State};
use crate::store::batch::{Printed, to_json};
use crate::store::{Error, Store};

/// A move that no longer fits its message is a miss; about it nothing is written, in any of these statements.
const LOG: &str = "
    INSERT INTO attempts (message, attempt, at, state, stage, code, reply)
    SELECT m.id, m.attempt, k.value ->> 'at', k.value ->> 'to', k.value ->> 'stage', k.value ->> 'code',
        k.value ->> 'reply'
    FROM jsonb_each($1) AS k CROSS JOIN messages AS m ON m.id = k.value ->> 'id'
    WHERE m.epoch = k.value ->> 'epoch' AND m.state = k.value ->> 'from' AND k.value ->> 'to' <> 'body'
    ORDER BY k.key";

/// What was given up may be planned again, in new words.
const EXPIRE: &str = "
    UPDATE reminders SET state = 'expired'
    WHERE state = 'attached' AND message IN (
        SELECT m.id FROM jsonb_each($1) AS k CROSS JOIN messages AS m ON m.id = k.value ->> 'id'
        WHERE m.epoch = k.value ->> 'epoch' AND m.state = k.value ->> 'from' AND k.value ->> 'to' = 'expired')";

const LOOK_AGAIN: &str = "
    UPDATE agenda SET look_on = NULL
    WHERE commitment IN (
        SELECT r.commitment FROM jsonb_each($1) AS k CROSS JOIN reminders AS r ON r.message = k.value ->> 'id'
        WHERE k.value ->> 'to' = 'expired')";

/// Others than us may have changed a commitment before the body leaves; but what may have arrived goes on unchanged. Only
/// if the book has changed since its reminders were found due is it looked at whether each still has its ground, and none
/// was deleted with its commitment: that is as dear as all the rest.
const MOVE: &str = "
    UPDATE messages SET state = k.state, next_at = k.next_at, accepted_on = k.accepted_on,
        resends = resends + k.in_doubt, was_in_body = max(was_in_body, k.state = 'body')
    FROM (SELECT value ->> 'id' AS id, value ->> 'epoch' AS epoch, value ->> 'from' AS was, value ->> 'to' AS state,
            value ->> 'next_at' AS next_at, value ->> 'accepted_on' AS accepted_on, value ->> 'in_doubt' AS in_doubt
        FROM jsonb_each($1)) AS k
    WHERE messages.id = k.id AND messages.epoch = k.epoch AND messages.state = k.was
      AND (k.state <> 'body' OR was_in_body = 1
        OR messages.book_version = (SELECT number FROM book_version)
        OR NOT EXISTS (SELECT 1 FROM groundless WHERE message = messages.id AND groundless.state = 'attached')
          AND NOT EXISTS (SELECT 1 FROM gone WHERE message = messages.id))
    RETURNING id";

const CHANGED: &str = "
    SELECT DISTINCT commitment FROM groundless WHERE message = $1 AND state = 'attached'";

const GONE: &str = "
    SELECT EXISTS (SELECT 1 FROM messages AS m JOIN gone ON gone.message = m.id WHERE m.id = $1 AND m.state = 'open')";

static SCRIPT: LazyLock<String> =
    LazyLock::new(|| ["BEGIN IMMEDIATE", LOG, MOVE, "COMMIT"].join(";"));

/// The same when something is given up, which is rare.
static SCRIPT_WITH_EXPIRED: LazyLock<String> =
    LazyLock::new(|| ["BEGIN IMMEDIATE", LOG, EXPIRE, LOOK_AGAIN, MOVE, "COMMIT"].join(";"));

/// What an attempt led to, ready to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// [`State::Open`] or [`State::Body`]: how far the message had come.
    pub from: State,
    /// Its new state.
    pub state: State,
    /// When to try again.
    pub next_at: Option<DateTime<Utc>>,
    /// The stage that failed.
    pub stage: Option<Stage>,
    /// SMTP reply code.
    pub code: Option<u16>,
    /// SMTP reply text, path of the file, or what broke.
    pub reply: String,
    /// Whether the network left it unknown; counted, for it is sent again but once.
    pub in_doubt: bool,
    /// When.
    pub at: DateTime<Utc>,
    /// The local day.
    pub today: NaiveDate,
}

/// A move, as the statements read it; what is not in it is NULL to them.
#[derive(Serialize)]
struct MoveCells<'a> {
    id: i64,
    epoch: i64,
    from: &'static str,
    to: &'static str,
    in_doubt: u8,
    #[serde(flatten)]
    ending: Option<EndingCells<'a>>,
}

/// What is said of an ending only.
#[derive(Serialize)]
struct EndingCells<'a> {
    next_at: Option<String>,
    accepted_on: Option<Printed<NaiveDate>>,
    at: String,
    stage: Option<&'static str>,
    code: Option<u16>,
    reply: &'a str,
}

impl<'a> From<&'a Ending> for EndingCells<'a> {
    fn from(ending: &'a Ending) -> Self {
        Self {
            next_at: ending.next_at.map(instant),
            accepted_on: (ending.state == State::Accepted).then_some(Printed(ending.today)),
            at: instant(ending.at),
            stage: ending.stage.map(Stage::name),
            code: ending.code,
            reply: &ending.reply,
        }
    }
}

/// Moves that wait to be written, those of other lanes among them.
#[derive(Debug, Default)]
pub(crate) struct Moves(Mutex<Vec<Move>>);

#[derive(Debug)]
struct Move {
    /// [`MoveCells`] as JSON.
    row: String,
    id: i64,
    expires: bool,
    /// Tells the lane whether the move hit.
    done: oneshot::Sender<Result<bool, Error>>,
}

impl Moves {
    fn add(&self, one: Move) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(one);
    }

    fn take(&self) -> Vec<Move> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store {
    /// T3: whether the body may leave. `false` when the message was withdrawn meanwhile: send nothing.
    ///
    /// # Errors
    /// When the store fails; then, too, send nothing.
    pub async fn begin_body(&self, epoch: i64, id: i64, now: DateTime<Utc>) -> Result<bool, Error> {
        let (from, to) = (State::Open.name(), State::Body.name());
        let cells = MoveCells { id, epoch, from, to, in_doubt: 0, ending: None };
        let hit = self.make(&cells, false).await?;
        if !hit {
            let mut unit = self.write().await?;
            let changed: Vec<String> =
                sqlx::query_scalar(CHANGED).bind(id).fetch_all(&mut *unit).await?;
            let gone: bool = sqlx::query_scalar(GONE).bind(id).fetch_one(&mut *unit).await?;
            if gone {
                take_back(&mut unit, &[id], State::Cancelled, now).await?;
            }
            withdraw(&mut unit, &changed, now).await?;
            unit.commit().await?;
        }
        Ok(hit)
    }

    /// T4: records what the attempt led to, in the message and in the log. `false` when the message is no longer as
    /// `ending.from` says; nothing is written then.
    ///
    /// # Errors
    /// When the store fails; whether it was recorded is not known then, and recording it again is harmless.
    pub async fn record(&self, epoch: i64, id: i64, ending: &Ending) -> Result<bool, Error> {
        let (from, to) = (ending.from.name(), ending.state.name());
        let in_doubt = u8::from(ending.in_doubt);
        let cells = MoveCells { id, epoch, from, to, in_doubt, ending: Some(ending.into()) };
        self.make(&cells, ending.state == State::Expired).await
    }

    /// Makes a move durable; whether it hit. Whoever gets the connection first writes for all who wait for it.
    async fn make(&self, cells: &MoveCells<'_>, expires: bool) -> Result<bool, Error> {
        let (done, mut answer) = oneshot::channel();
        self.moves.add(Move { row: to_json(cells)?, id: cells.id, expires, done });
        let place = self.lock_writer().await;
        // All who can move now do so in the same transaction.
        yield_now().await;
        if let Ok(answer) = answer.try_recv() {
            return answer;
        }
        let moves = self.moves.take();
        let rows: Vec<&str> = moves.iter().map(|one| one.row.as_str()).collect();
        let rows = format!("[{}]", rows.join(","));
        let script: &'static str = match moves.iter().any(|one| one.expires) {
            true => &SCRIPT_WITH_EXPIRED,
            false => &SCRIPT,
        };
        tell(moves, self.run(self.writer(place), sqlx::query_as(script).bind(rows)).await);
        // Without an answer, whoever wrote for us was stopped halfway.
        answer.try_recv().unwrap_or_else(|_| Err(sqlx::Error::WorkerCrashed.into()))
    }
}

/// After an error nobody is told that a move was made.
fn tell(moves: Vec<Move>, hits: Result<Vec<(i64,)>, Error>) {
    let hits = hits.map_err(Arc::new);
    for Move { id, done, .. } in moves {
        let answer = match &hits {
            Ok(hits) => Ok(hits.contains(&(id,))),
            Err(error) => Err(Error::Together(Arc::clone(error))),
        };
        // A lane that is gone wants no answer.
        done.send(answer).ok();
    }
}
