//! What must hold of a simulation, whatever went wrong in it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use sqlx::SqliteConnection;

use super::Outcome;
use super::server::Taken;
use crate::oracle::{Key, Ladder, Posted, Sent, World, due, messages};

/// How soon to look again while something waits that has no time of its own.
const LOOK_MINUTES: i64 = 15;

/// What the store says was written about a book, before or after a firing.
pub(super) struct Written {
    sent: Sent,
    /// Who has a message of today, by address.
    today: BTreeSet<(String, Ladder)>,
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn list(values: impl IntoIterator<Item = impl Into<serde_json::Value>>) -> String {
    serde_json::Value::Array(values.into_iter().map(Into::into).collect()).to_string()
}

/// Whether the clock has been set back since the last firing.
pub(super) async fn is_ahead(connection: &mut SqliteConnection, today: NaiveDate) -> bool {
    let planned_on = "SELECT value > $1 FROM meta WHERE key = 'planned_on'";
    let ahead = sqlx::query_scalar(planned_on).bind(today.to_string());
    ahead.fetch_optional(connection).await.unwrap().unwrap_or(false)
}

pub(super) async fn written(
    connection: &mut SqliteConnection,
    model: &World,
    today: NaiveDate,
) -> Written {
    type Row = (String, u32, u32, String, String, String, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT commitment, revision, window, step, leader, day, accepted_on FROM sent
         WHERE commitment IN (SELECT value FROM json_each($1))",
    )
    .bind(list(model.commitments.keys().map(String::as_str)))
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    let sent =
        rows.into_iter().map(|(commitment, revision, window, step, leader, on, accepted)| {
            let posted = Posted { on: day(&on), accepted: accepted.map(|on| day(&on)) };
            (Key { commitment, revision, window, step, leader }, posted)
        });
    let today: Vec<(String, String)> = sqlx::query_as(
        "SELECT address_key, purpose FROM messages WHERE day = $1
         AND purpose IN ('own', 'escalation') AND state NOT IN ('cancelled', 'superseded')",
    )
    .bind(today.to_string())
    .fetch_all(connection)
    .await
    .unwrap();
    let ladder = |purpose: &str| match purpose {
        "own" => Ladder::Own,
        _ => Ladder::Escalation,
    };
    let today = today.iter().map(|(address, purpose)| (address.clone(), ladder(purpose)));
    Written { sent: sent.collect(), today: today.collect() }
}

/// A firing wrote what the oracle says, and nothing else.
pub(super) fn posted(model: &World, before: &Written, after: &Written, today: NaiveDate) {
    let due = due(model, &before.sent, today);
    let expected: BTreeSet<Key> = messages(model, &due, today)
        .into_iter()
        .filter(|(to, _)| !before.today.contains(to))
        .flat_map(|(_, keys)| keys)
        .collect();
    let new: BTreeSet<Key> =
        after.sent.keys().filter(|key| !before.sent.contains_key(key)).cloned().collect();
    let only = |left: &BTreeSet<Key>, right: &BTreeSet<Key>| -> Vec<Key> {
        left.difference(right).cloned().collect()
    };
    let (missing, surplus) = (only(&expected, &new), only(&new, &expected));
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "on {today}: missing {missing:#?}, surplus {surplus:#?}"
    );
}

/// When the next message may be tried; soon, if one waits for nothing that is known.
pub(super) async fn next_attempt(
    connection: &mut SqliteConnection,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let (next, waits): (Option<String>, i64) = sqlx::query_as(
        "SELECT min(next_at), coalesce(sum(state IN ('ready', 'unknown')), 0)
            + (SELECT count(*) FROM meta WHERE key = 'freed') FROM messages
         WHERE state IN ('ready', 'open', 'body', 'deferred', 'unknown', 'held')",
    )
    .fetch_one(connection)
    .await
    .unwrap();
    let soon = (waits > 0).then(|| now + TimeDelta::minutes(LOOK_MINUTES));
    let next = next.map(|at| at.parse::<DateTime<Utc>>().unwrap().max(now + TimeDelta::seconds(1)));
    next.into_iter().chain(soon).min()
}

/// One message as the store remembers it.
#[derive(sqlx::FromRow)]
struct Message {
    message_id: String,
    recipient: String,
    state: String,
    sha256: String,
    /// How many attempts may or may not have reached the server.
    unknown: i64,
    accepted: i64,
}

/// In the end: nothing lost, nothing repeated but what was in doubt, and every copy the same; the sum of it all.
pub(super) async fn all_is_told(
    connection: &mut SqliteConnection,
    ledger: &[Taken],
    outcome: Outcome,
) -> Outcome {
    let mut copies: BTreeMap<&str, Vec<&Taken>> = BTreeMap::new();
    for taken in ledger {
        copies.entry(&taken.message_id).or_default().push(taken);
    }
    let rows: Vec<Message> = sqlx::query_as(
        "SELECT m.message_id, m.recipient, m.state, b.sha256,
            (SELECT count(*) FROM attempts AS a WHERE a.message = m.id AND a.stage = 'body'
                AND a.state IN ('unknown', 'held') AND a.code IS NULL) AS unknown,
            (SELECT count(*) FROM attempts AS a WHERE a.message = m.id AND a.state = 'accepted') AS accepted
         FROM messages AS m JOIN message_bytes AS b ON b.message = m.id",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    let mut repeated = 0;
    for message in &rows {
        let copies = copies.remove(message.message_id.as_str()).unwrap_or_default();
        about_one(message, &copies);
        repeated += copies.len().saturating_sub(1);
    }
    assert!(copies.is_empty(), "the server took what the store never had: {copies:?}");
    nothing_is_left(connection).await;
    one_message_a_day(connection).await;
    Outcome { messages: rows.len(), taken: ledger.len(), repeated, hash: hash(ledger), ..outcome }
}

fn about_one(message: &Message, copies: &[&Taken]) {
    let Message { message_id, recipient, state, sha256, unknown, accepted } = message;
    let count = i64::try_from(copies.len()).unwrap();
    let told = copies.iter().filter(|copy| copy.told).count();
    for copy in copies {
        assert_eq!(HEXLOWER.encode(&copy.digest), *sha256, "{message_id} has changed");
        assert_eq!(copy.to, *recipient, "{message_id} went to somebody else");
    }
    match state.as_str() {
        "accepted" => {
            assert_eq!((told > 0, *accepted), (true, 1), "{message_id} is accepted");
            assert!(count <= 1 + unknown, "{message_id}: {count} copies, {unknown} in doubt");
        }
        "rejected" | "expired" | "held" | "cancelled" | "superseded" => {
            assert_eq!(*accepted, 0, "{message_id} is {state}");
            assert!(count <= *unknown, "{message_id} is {state}, but the server took {count}");
        }
        _ => panic!("{message_id} is {state} in the end"),
    }
}

async fn nothing_is_left(connection: &mut SqliteConnection) {
    let planned: Vec<String> = sqlx::query_scalar(
        "SELECT commitment || ' ' || step || ' of ' || leader FROM reminders WHERE state = 'planned'",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    assert!(planned.is_empty(), "planned and never sent: {planned:#?}");
    let integrity: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(connection).await.unwrap();
    assert_eq!(integrity, "ok");
}

async fn one_message_a_day(connection: &mut SqliteConnection) {
    let twice: Vec<String> = sqlx::query_scalar(
        "SELECT day || ' ' || purpose || ' ' || address_key FROM messages
         WHERE purpose IN ('own', 'escalation') AND state NOT IN ('cancelled', 'superseded')
         GROUP BY day, purpose, address_key HAVING count(*) > 1",
    )
    .fetch_all(connection)
    .await
    .unwrap();
    assert!(twice.is_empty(), "more than one message a day: {twice:#?}");
}

fn hash(ledger: &[Taken]) -> String {
    let mut hash = Sha256::new();
    for Taken { at, message_id, to, digest, told } in ledger {
        hash.update(format!("{at} {message_id} {to} {told} "));
        hash.update(digest);
    }
    HEXLOWER.encode(&hash.finalize())
}
