//! T1: the whole message is written down, envelope, headers and bytes, and never changes again.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use sqlx::SqliteConnection;

use super::{KeyCells, instant};
use crate::domain::address::EmailAddress;
use crate::domain::reminder::ReminderKey;
use crate::domain::rule::Ladder;
use crate::store::batch::{Insert, Printed, Row, json_list};
use crate::store::row::Parsed;
use crate::store::{Error, Store};

/// Messages frozen in one unit of work: few enough to build in memory, enough to share one flush.
pub const FREEZE_PAGE: usize = 32;

const INSERT: &str = "
    INSERT INTO messages (purpose, day, sender, recipient, address_key, name, subject, message_id, items,
        book_version, rehearsal, state, frozen_at)
    SELECT m.value ->> 'purpose', m.value ->> 'day', m.value ->> 'sender', m.value ->> 'recipient',
        m.value ->> 'address_key', m.value ->> 'name', m.value ->> 'subject', m.value ->> 'message_id',
        m.value -> 'items', m.value ->> 'book_version', m.value ->> 'rehearsal', 'ready', $2
    FROM jsonb_each($1) AS m
    WHERE NOT EXISTS (
        SELECT 1 FROM json_each(m.value, '$.reminders') AS k LEFT JOIN reminders AS r
            ON r.commitment = k.value ->> 'commitment' AND r.revision = k.value ->> 'revision'
            AND r.window = k.value ->> 'window' AND r.step = k.value ->> 'step'
            AND r.leader = k.value ->> 'leader' AND r.state = 'planned'
        WHERE r.commitment IS NULL)
    ON CONFLICT (day, address_key, message_id) DO NOTHING";

/// Those that the statement before it inserted: they have the highest numbers of all, one after the other.
const INSERTED: &str = "
    SELECT json_group_array(json_array(id, message_id)) FROM messages
    WHERE changes() > 0 AND id > last_insert_rowid() - changes()";

static FREEZE: LazyLock<String> = LazyLock::new(|| [INSERT, INSERTED].join(";"));

/// The state is hidden from the index of all that is planned, which would be walked for every row.
const ATTACH: &str = "
    UPDATE reminders SET state = 'attached', message = k.message
    FROM (SELECT value ->> 'message' AS message, value ->> 'commitment' AS commitment,
            value ->> 'revision' AS revision, value ->> 'window' AS window, value ->> 'step' AS step,
            value ->> 'leader' AS leader
        FROM jsonb_each($1)) AS k
    WHERE reminders.commitment = k.commitment AND reminders.revision = k.revision
      AND reminders.window = k.window AND reminders.step = k.step AND reminders.leader = k.leader
      AND reminders.state || '' = 'planned'";

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A leader's own reminders.
    Own,
    /// What a manager is told.
    Escalation,
    /// A receipt, hand-over, new deadline or delivery failure.
    Notice,
    /// The operator's report.
    Report,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 4] = [Self::Own, Self::Escalation, Self::Notice, Self::Report];

    /// The name in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Escalation => "escalation",
            Self::Notice => "notice",
            Self::Report => "report",
        }
    }
}

impl From<Ladder> for Purpose {
    fn from(ladder: Ladder) -> Self {
        match ladder {
            Ladder::Own => Self::Own,
            Ladder::Escalation => Self::Escalation,
        }
    }
}

/// A message as it will go over the wire, however often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    /// What it is for.
    pub purpose: Purpose,
    /// The day it belongs to.
    pub day: NaiveDate,
    /// Envelope sender.
    pub sender: EmailAddress,
    /// The one envelope recipient.
    pub recipient: EmailAddress,
    /// Name of the recipient.
    pub name: String,
    /// Subject, for lists.
    pub subject: String,
    /// With its brackets; as it stands in `mime`.
    pub message_id: String,
    /// The complete message.
    pub mime: Vec<u8>,
    /// SHA-256 of `mime`, in hex.
    pub sha256: String,
    /// What it says of which commitments, in its order: reference, and step or event. The log tells it.
    pub items: Vec<(String, String)>,
    /// The reminders it carries; none in notices and reports.
    pub reminders: Vec<ReminderKey>,
    /// The book's version in which they were found due, as [`Page::version`](crate::store::Page::version) has it. `None`
    /// where it is not known: T3 looks at the ground of each of them then.
    pub book_version: Option<i64>,
    /// Whether the day is pretended.
    pub rehearsal: bool,
}

/// A message without its bytes, as [`INSERT`] reads it.
#[derive(Serialize)]
struct MessageCells<'a> {
    purpose: &'static str,
    day: Printed<NaiveDate>,
    sender: &'a str,
    recipient: &'a str,
    address_key: String,
    name: &'a str,
    subject: &'a str,
    message_id: &'a str,
    items: &'a [(String, String)],
    book_version: Option<i64>,
    rehearsal: u8,
    reminders: Vec<KeyCells<'a>>,
}

impl<'a> From<&'a Frozen> for MessageCells<'a> {
    fn from(message: &'a Frozen) -> Self {
        Self {
            purpose: message.purpose.name(),
            day: Printed(message.day),
            sender: message.sender.as_str(),
            recipient: message.recipient.as_str(),
            address_key: message.recipient.key(),
            name: &message.name,
            subject: &message.subject,
            message_id: &message.message_id,
            items: &message.items,
            book_version: message.book_version,
            rehearsal: u8::from(message.rehearsal),
            reminders: message.reminders.iter().map(KeyCells::from).collect(),
        }
    }
}

/// A reminder and the message that carries it.
#[derive(Serialize)]
struct AttachedCells<'a> {
    message: i64,
    #[serde(flatten)]
    key: KeyCells<'a>,
}

impl Store {
    /// Freezes messages and attaches their reminders, [`FREEZE_PAGE`] at a time; gives how many were frozen.
    ///
    /// Left out are messages frozen before, and those with a reminder that is not planned any more.
    ///
    /// # Errors
    /// When the store fails; pages before the failing one are frozen.
    pub async fn freeze(&self, messages: &[Frozen], now: DateTime<Utc>) -> Result<usize, Error> {
        let mut count = 0;
        for page in messages.chunks(FREEZE_PAGE) {
            let mut unit = self.write().await?;
            count += freeze(&mut unit, page, now).await?;
            unit.commit().await?;
        }
        Ok(count)
    }
}

/// As [`Store::freeze`], within another unit of work: a notice is frozen with the action that causes it.
pub(crate) async fn freeze(
    tx: &mut SqliteConnection,
    messages: &[Frozen],
    now: DateTime<Utc>,
) -> Result<usize, Error> {
    let frozen: Parsed<(i64, String)> = sqlx::query_as(FREEZE.as_str())
        .bind(json_list(messages.iter().map(MessageCells::from))?)
        .bind(instant(now))
        .fetch_one(&mut *tx)
        .await?;
    let frozen: Vec<(i64, &Frozen)> = frozen
        .ours("messages just written")?
        .iter()
        .filter_map(|(id, message_id)| {
            let message = messages.iter().find(|message| message.message_id == *message_id)?;
            Some((*id, message))
        })
        .collect();
    if frozen.is_empty() {
        return Ok(0);
    }
    keep_bytes(tx, &frozen).await?;
    let attached = frozen.iter().flat_map(|(id, message)| {
        let keys = message.reminders.iter().map(KeyCells::from);
        keys.map(|key| AttachedCells { message: *id, key })
    });
    sqlx::query(ATTACH).bind(json_list(attached)?).execute(tx).await?;
    Ok(frozen.len())
}

/// The bytes are bound as they are: through JSON they would cost more than all the rest.
async fn keep_bytes(tx: &mut SqliteConnection, frozen: &[(i64, &Frozen)]) -> Result<(), Error> {
    let head = "INSERT INTO message_bytes (message, mime, sha256) ";
    let bind = |cells: &mut Row<'_>, (id, message): &(i64, &Frozen)| {
        cells.push_bind(*id).push_bind(&message.mime).push_bind(&message.sha256);
    };
    Insert::new(head, frozen, bind, "").run(tx).await
}
