//! T0: the planner's answer is written down, once, and makes room for itself.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use sqlx::SqliteConnection;

use super::freeze::FREEZE_PAGE;
use super::withdraw::take_back;
use super::{KeyCells, damaged};
use crate::delivery::state::State;
use crate::domain::reminder::{Reminder, ReminderKey};
use crate::domain::rule::{Ladder, Step};
use crate::store::batch::{Printed, json_list};
use crate::store::row::Parsed;
use crate::store::{Error, Store};

/// Not about what others than us deleted since the book was read.
const INSERT: &str = "
    INSERT INTO reminders (commitment, revision, window, step, leader, planned_on, moved_on, reader)
    SELECT value ->> 'commitment', value ->> 'revision', value ->> 'window', value ->> 'step',
        value ->> 'leader', value ->> 'planned_on', value ->> 'moved_on', value ->> 'reader'
    FROM jsonb_each($1)
    WHERE value ->> 'leader' IN (SELECT reference FROM leaders)
      AND value ->> 'commitment' IN (SELECT reference FROM commitments)
    ON CONFLICT (commitment, revision, window, step, leader) DO UPDATE SET
        state = 'planned', message = NULL, planned_on = excluded.planned_on, moved_on = excluded.moved_on,
        reader = excluded.reader
        WHERE reminders.state IN ('cancelled', 'superseded', 'expired')
          OR reminders.state = 'planned' AND reminders.reader <> excluded.reader";

/// CROSS JOIN, so that what is asked for is read and not all that is planned.
const PLANNED: &str = "
    SELECT json_group_array(json_array(r.commitment, r.revision, r.window, r.step, r.leader))
    FROM json_each($1) AS k CROSS JOIN reminders AS r ON r.commitment = k.value
    WHERE r.state || '' = 'planned'";

/// Of some readers, all that waits: of those that come next after `$1` at most `$2`, as long as those before them have fewer
/// than `$3` reminders.
const PLANNED_FOR: &str = "
    SELECT json_group_array(json_array(reader, commitment, revision, window, step, leader,
        (SELECT coalesce(max(e.id), 0) FROM events AS e WHERE e.commitment = planned.commitment)))
    FROM (
        SELECT reader, commitment, revision, window, step, leader
        FROM reminders
        WHERE state = 'planned' AND reader IN (
            SELECT reader FROM (
                SELECT reader, sum(number) OVER (ORDER BY reader) - number AS before FROM (
                    SELECT reader, count(*) AS number FROM reminders
                    WHERE state = 'planned' AND reader > $1 GROUP BY reader ORDER BY reader LIMIT $2))
            WHERE before < $3)
        ORDER BY reader, commitment, revision, window, leader, step) AS planned";

/// Unsent messages' reminders about the same window and leader as one of the new ones.
const UNSENT_SIBLINGS: &str = "
    SELECT DISTINCT r.commitment, r.revision, r.window, r.step, r.leader, m.id
    FROM jsonb_each($1) AS k JOIN reminders AS r
        ON r.commitment = k.value ->> 'commitment' AND r.revision = k.value ->> 'revision'
        AND r.window = k.value ->> 'window' AND r.leader = k.value ->> 'leader'
        JOIN messages AS m ON m.id = r.message
    WHERE r.state = 'attached' AND m.state IN ('ready', 'deferred', 'held') AND m.was_in_body = 0";

const END: &str = "
    UPDATE reminders SET state = $2
    FROM (SELECT value ->> 'commitment' AS commitment, value ->> 'revision' AS revision,
            value ->> 'window' AS window, value ->> 'step' AS step, value ->> 'leader' AS leader
        FROM jsonb_each($1)) AS k
    WHERE reminders.commitment = k.commitment AND reminders.revision = k.revision
      AND reminders.window = k.window AND reminders.step = k.step AND reminders.leader = k.leader
      AND reminders.state IN ('planned', 'attached')";

/// What was changed since the pass began has no look day, and keeps none: the next pass looks at it. So it does at what
/// has a reminder without a message: a crash may come before that is frozen.
const LOOK_ON: &str = "
    UPDATE agenda SET look_on = k.day
    FROM (SELECT value ->> 0 AS reference, value ->> 1 AS day FROM jsonb_each($1)) AS k
    WHERE agenda.commitment = k.reference AND agenda.look_on IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM reminders WHERE state = 'planned' AND commitment = k.reference)";

/// Reminders of several people that are frozen in one go: what they are about is held in memory, twice over, with the
/// messages that they make. Twice as many would hold 3 MB more for a few percent of speed.
const FREEZE_REMINDERS: i64 = 64;

type KeyRow = (String, u32, u32, String, String);

/// A reminder that waits for its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedReminder {
    /// The address key of whoever was to get it when it was planned.
    pub reader: String,
    /// What makes it unique.
    pub key: ReminderKey,
    /// Number of the last event about its commitment; 0 when there was none.
    pub last_event: i64,
}

/// What writing a plan changed, in numbers of reminders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Planning {
    /// Not planned before.
    pub new: usize,
    /// Replaced by a later step before they left.
    pub superseded: usize,
    /// Planned before, no longer due, and never sent.
    pub expired: usize,
}

impl Store {
    /// Writes down what is due. `looks` names every commitment that the planner looked at and the next day on which it
    /// will have anything to say; kept where nothing is left to be frozen now.
    ///
    /// - A reminder that was cancelled, superseded or expired is planned again; one that is planned or in a message
    ///   stays as it is, so that planning twice is harmless.
    /// - Of the commitments looked at, what was planned before and is not due any more is `superseded` by a later step
    ///   of its ladder, or `expired`.
    /// - An unsent message with an earlier step of the same ladder is `superseded`: whoever hears today that something
    ///   is overdue must not hear tomorrow, from a retry, that it is due in a week. Its other reminders are planned
    ///   again. A message whose body may have arrived stays, for only the same bytes may follow it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn plan(
        &self,
        reminders: &[Reminder],
        looks: &[(String, NaiveDate)],
        now: DateTime<Utc>,
    ) -> Result<Planning, Error> {
        let mut unit = self.write().await?;
        let newest = Newest::of(reminders);
        let new = insert(&mut unit, reminders).await?;
        let (superseded, expired) = clear(&mut unit, reminders, looks, &newest).await?;
        let replaced = replace(&mut unit, reminders, &newest, now).await?;
        look_on(&mut unit, looks).await?;
        unit.commit().await?;
        Ok(Planning { new, superseded: superseded + replaced, expired })
    }

    /// Every reminder that waits for its message and goes to one of the next people after `after`, by reader; all of each
    /// person. [`FREEZE_PAGE`] people at most, and no more than it takes for [`FREEZE_REMINDERS`]. `""` comes before
    /// everybody.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn planned(&self, after: &str) -> Result<Vec<PlannedReminder>, Error> {
        type Row = (String, String, u32, u32, String, String, i64);
        let mut unit = self.read_once().await?;
        let rows: Parsed<Row> = sqlx::query_as(PLANNED_FOR)
            .bind(after)
            .bind(FREEZE_PAGE as i64)
            .bind(FREEZE_REMINDERS)
            .fetch_one(&mut *unit)
            .await?;
        unit.keep();
        rows.ours("planned reminders")?
            .into_iter()
            .map(|(reader, commitment, revision, window, step, leader, last_event)| {
                let key = read_key((commitment, revision, window, step, leader))?;
                Ok(PlannedReminder { reader, key, last_event })
            })
            .collect()
    }
}

/// The latest step that is due now, of each ladder of each window and leader.
struct Newest<'a>(HashMap<(&'a str, u32, u32, &'a str, Ladder), Step>);

impl<'a> Newest<'a> {
    fn of(reminders: &'a [Reminder]) -> Self {
        let mut newest = HashMap::new();
        for Reminder { key, .. } in reminders {
            let latest = newest.entry(Self::ladder(key)).or_insert(key.step);
            if key.step.rank() > latest.rank() {
                *latest = key.step;
            }
        }
        Self(newest)
    }

    fn ladder(key: &ReminderKey) -> (&str, u32, u32, &str, Ladder) {
        (&key.commitment, key.revision, key.window, &key.leader, key.step.ladder())
    }

    fn replaces(&self, key: &ReminderKey) -> bool {
        self.0.get(&Self::ladder(key)).is_some_and(|newest| newest.rank() > key.step.rank())
    }
}

/// A new reminder.
#[derive(Serialize)]
struct ReminderCells<'a> {
    #[serde(flatten)]
    key: KeyCells<'a>,
    planned_on: Printed<NaiveDate>,
    moved_on: Printed<NaiveDate>,
    reader: &'a str,
}

impl<'a> From<&'a Reminder> for ReminderCells<'a> {
    fn from(reminder: &'a Reminder) -> Self {
        Self {
            key: KeyCells::from(&reminder.key),
            planned_on: Printed(reminder.planned_on),
            moved_on: Printed(reminder.moved_on),
            reader: &reminder.reader,
        }
    }
}

fn keys_json<'a>(keys: impl IntoIterator<Item = &'a ReminderKey>) -> Result<String, Error> {
    json_list(keys.into_iter().map(KeyCells::from))
}

fn read_key((commitment, revision, window, step, leader): KeyRow) -> Result<ReminderKey, Error> {
    let step = step.parse().map_err(|_| damaged("step", &step))?;
    Ok(ReminderKey { commitment, revision, window, step, leader })
}

async fn insert(tx: &mut SqliteConnection, reminders: &[Reminder]) -> Result<usize, Error> {
    let rows = json_list(reminders.iter().map(ReminderCells::from))?;
    let inserted = sqlx::query(INSERT).bind(rows).execute(tx).await?;
    Ok(inserted.rows_affected() as usize)
}

/// Ends what is planned and not due any more; gives how many were superseded and how many expired.
async fn clear(
    tx: &mut SqliteConnection,
    reminders: &[Reminder],
    looks: &[(String, NaiveDate)],
    newest: &Newest<'_>,
) -> Result<(usize, usize), Error> {
    let due: HashSet<_> = reminders.iter().map(|one| &one.key).collect();
    let seen = json_list(looks.iter().map(|(one, _)| one))?;
    let planned: Parsed<KeyRow> = sqlx::query_as(PLANNED).bind(seen).fetch_one(&mut *tx).await?;
    let planned = planned.ours("planned reminders")?.into_iter().map(read_key);
    let planned: Vec<ReminderKey> = planned.collect::<Result<_, _>>()?;
    let (superseded, expired): (Vec<_>, Vec<_>) =
        planned.into_iter().filter(|key| !due.contains(key)).partition(|key| newest.replaces(key));
    end(tx, &superseded, State::Superseded).await?;
    end(tx, &expired, State::Expired).await?;
    Ok((superseded.len(), expired.len()))
}

/// Takes back unsent messages that carry an earlier step; gives how many reminders that ended.
async fn replace(
    tx: &mut SqliteConnection,
    reminders: &[Reminder],
    newest: &Newest<'_>,
    now: DateTime<Utc>,
) -> Result<usize, Error> {
    type Row = (String, u32, u32, String, String, i64);
    let rows: Vec<Row> = sqlx::query_as(UNSENT_SIBLINGS)
        .bind(keys_json(reminders.iter().map(|reminder| &reminder.key))?)
        .fetch_all(&mut *tx)
        .await?;
    let (mut keys, mut messages) = (Vec::new(), Vec::new());
    for (commitment, revision, window, step, leader, message) in rows {
        let key = read_key((commitment, revision, window, step, leader))?;
        if newest.replaces(&key) {
            keys.push(key);
            messages.push(message);
        }
    }
    messages.sort_unstable();
    messages.dedup();
    end(tx, &keys, State::Superseded).await?;
    take_back(tx, &messages, State::Superseded, now).await?;
    Ok(keys.len())
}

async fn end(tx: &mut SqliteConnection, keys: &[ReminderKey], state: State) -> Result<(), Error> {
    if !keys.is_empty() {
        sqlx::query(END).bind(keys_json(keys)?).bind(state.name()).execute(tx).await?;
    }
    Ok(())
}

async fn look_on(tx: &mut SqliteConnection, looks: &[(String, NaiveDate)]) -> Result<(), Error> {
    let looks = json_list(looks.iter().map(|(reference, day)| (reference, Printed(day))))?;
    sqlx::query(LOOK_ON).bind(looks).execute(tx).await?;
    Ok(())
}
