//! Who changed what, and when.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::Value;
use sqlx::SqliteConnection;

use super::batch::{batch, json_list};
use super::{Error, Store};
use crate::clock::Clock;

const RECORD: &str = "
    INSERT INTO events (at, who, what, commitment, leader, message, detail)
    SELECT $2, $3, $4, value ->> 'commitment', value ->> 'leader', value ->> 'message', value -> 'detail'
      FROM jsonb_each($1)";

const LAST_EVENTS: &str = "
    SELECT commitment, max(id) FROM events WHERE commitment IN (SELECT value FROM json_each($1))
     GROUP BY commitment";

/// `$2` is the reference as the items have it: what a message is about is only taken apart where it stands there.
const EVENTS_OF: &str = "
    SELECT at, who, what, leader, message, detail FROM events
     WHERE commitment = $1
        OR message IN (SELECT m.id FROM messages AS m, json_each(m.items) AS i
                        WHERE instr(m.items, $2) > 0 AND i.value ->> 0 = $1)
     ORDER BY id";

const ATTEMPTS_OF: &str = "
    SELECT a.at, a.message, m.recipient, m.items, a.state, a.reply
      FROM attempts AS a JOIN messages AS m ON m.id = a.message
     WHERE a.message IN (SELECT id FROM messages WHERE instr(items, $1) > 0)
     ORDER BY a.at, a.id";

/// Who does something, and when: one moment for a whole unit of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// The moment.
    pub at: DateTime<Utc>,
    /// The day it is where the municipality is.
    pub day: NaiveDate,
    /// The person, or `advis` itself.
    pub who: String,
}

impl Stamp {
    /// `who`, now.
    #[must_use]
    pub fn now(clock: &Clock, who: &str) -> Self {
        Self { at: clock.now(), day: clock.today(), who: who.to_owned() }
    }
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub who: String,
    /// What: `imported`, `done`, `postponed`, …
    pub what: String,
    /// Reference of the leader concerned, if it was about one.
    pub leader: Option<String>,
    /// Number of the message that it happened to, if it was about one.
    pub message: Option<i64>,
    /// More about it, such as the old and the new value of each changed cell; `{}` when there is no more to say.
    pub detail: Value,
}

/// An attempt to deliver a message about a commitment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempted {
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// Number of the message.
    pub message: i64,
    /// Envelope recipient.
    pub to: String,
    /// The steps of the commitment in the message.
    pub steps: Vec<String>,
    /// What it led to: `accepted`, `deferred`, …
    pub state: String,
    /// SMTP reply text, path of the file, or what broke.
    pub reply: String,
}

/// What an event is about.
#[derive(Debug, Serialize)]
pub(super) struct Subject<'a> {
    commitment: Option<&'a str>,
    leader: Option<&'a str>,
    message: Option<i64>,
    detail: Value,
}

impl Subject<'_> {
    /// The store as a whole.
    pub(super) fn store() -> Subject<'static> {
        let detail = Value::Object(Default::default());
        Subject { commitment: None, leader: None, message: None, detail }
    }

    pub(super) fn commitment(reference: &str) -> Subject<'_> {
        Subject { commitment: Some(reference), ..Subject::store() }
    }

    pub(super) fn leader(reference: &str) -> Subject<'_> {
        Subject { leader: Some(reference), ..Subject::store() }
    }

    pub(super) fn message(id: i64) -> Subject<'static> {
        Subject { message: Some(id), ..Subject::store() }
    }
}

impl<'a> Subject<'a> {
    pub(super) fn about(self, leader: &'a str) -> Self {
        Self { leader: Some(leader), ..self }
    }

    pub(super) fn detail(self, detail: Value) -> Self {
        Self { detail, ..self }
    }
}

/// Appends one event for each subject.
pub(super) async fn record(
    unit: &mut SqliteConnection,
    stamp: &Stamp,
    what: &'static str,
    subjects: &[Subject<'_>],
) -> Result<(), Error> {
    let at = instant(stamp.at);
    batch(unit, RECORD, subjects, &[&at, &stamp.who, what]).await
}

/// The number of the last event about each of these commitments.
pub(super) async fn last_events(
    unit: &mut SqliteConnection,
    references: &[&str],
) -> Result<HashMap<String, i64>, Error> {
    let query = sqlx::query_as(LAST_EVENTS).bind(json_list(references)?);
    let rows: Vec<(String, i64)> = query.fetch_all(unit).await?;
    Ok(rows.into_iter().collect())
}

/// An instant as the store keeps it, always as long, so that text sorts as time does.
pub(super) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl Store {
    /// What was done to a commitment, and to the messages about it, in the order of time.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn events(&self, reference: &str) -> Result<Vec<Event>, Error> {
        type Row = (String, String, String, Option<String>, Option<i64>, String);

        let quoted = Value::from(reference).to_string();
        let mut unit = self.read_once().await?;
        let rows: Vec<Row> =
            sqlx::query_as(EVENTS_OF).bind(reference).bind(quoted).fetch_all(&mut *unit).await?;
        unit.keep();
        let event = |(at, who, what, leader, message, detail): Row| {
            let at = at.parse().map_err(undecoded)?;
            let detail = serde_json::from_str(&detail).map_err(undecoded)?;
            Ok(Event { at, who, what, leader, message, detail })
        };
        rows.into_iter().map(event).collect()
    }

    /// The number of the last event about each of these commitments, where there is one: it rises with all that happens
    /// to it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn last_events(&self, references: &[&str]) -> Result<HashMap<String, i64>, Error> {
        let mut unit = self.read().await?;
        let events = last_events(&mut unit, references).await?;
        unit.commit().await?;
        Ok(events)
    }

    /// Every attempt to deliver a message about a commitment, in the order of time.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn attempts_about(&self, reference: &str) -> Result<Vec<Attempted>, Error> {
        type Row = (String, i64, String, String, String, String);

        let quoted = Value::from(reference).to_string();
        let mut unit = self.read_once().await?;
        let rows: Vec<Row> = sqlx::query_as(ATTEMPTS_OF).bind(quoted).fetch_all(&mut *unit).await?;
        unit.keep();
        let mut attempts = Vec::with_capacity(rows.len());
        for (at, message, to, items, state, reply) in rows {
            let items: Vec<(String, String)> = serde_json::from_str(&items).map_err(undecoded)?;
            let about = items.into_iter().filter(|(commitment, _)| commitment == reference);
            let steps: Vec<String> = about.map(|(_, step)| step).collect();
            if !steps.is_empty() {
                let at = at.parse().map_err(undecoded)?;
                attempts.push(Attempted { at, message, to, steps, state, reply });
            }
        }
        Ok(attempts)
    }
}

fn undecoded(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
