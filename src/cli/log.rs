//! `log`: the delivery log.

use std::io::Write;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use super::deadline::write_json;
use super::exit::Exit;
use super::setting::Setting;
use crate::schedule::Schedule;
use crate::store::outbox::LogRow;

#[derive(Serialize)]
struct AttemptJson<'r> {
    id: i64,
    at: String,
    message_id: &'r str,
    to: &'r str,
    commitments: &'r [String],
    steps: &'r [String],
    attempt: u32,
    state: &'static str,
    stage: Option<&'r str>,
    code: Option<u16>,
    reply: &'r str,
}

/// Shows every attempt since the beginning of `since`, in time order.
pub(super) async fn show(
    setting: &Setting,
    since: Option<NaiveDate>,
    json: bool,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let zone = setting.config.timezone;
    let since = since.map(|day| Schedule::resolve(day.and_time(chrono::NaiveTime::MIN), zone));
    let rows = setting.store.log(since).await?;
    for row in &rows {
        if json {
            write_json(out, &attempt(row, zone))?;
        } else {
            line(row, zone, out)?;
        }
    }
    if rows.is_empty() && !json {
        writeln!(out, "no attempt yet")?;
    }
    Ok(Exit::Done)
}

/// An instant as people of the zone write it, with its offset.
pub(super) fn local(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, false)
}

fn attempt(row: &LogRow, zone: Tz) -> AttemptJson<'_> {
    AttemptJson {
        id: row.id,
        at: local(row.at, zone),
        message_id: &row.message_id,
        to: &row.to,
        commitments: &row.commitments,
        steps: &row.steps,
        attempt: row.attempt,
        state: row.state.name(),
        stage: row.stage.as_deref(),
        code: row.code,
        reply: &row.reply,
    }
}

fn line(row: &LogRow, zone: Tz, out: &mut impl Write) -> anyhow::Result<()> {
    let at = row.at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S");
    let items: Vec<String> = row
        .commitments
        .iter()
        .zip(&row.steps)
        .map(|(commitment, step)| format!("{commitment} {step}"))
        .collect();
    let code = row.code.map(|code| format!("{code} ")).unwrap_or_default();
    let (state, items) = (row.state.name(), items.join(", "));
    writeln!(out, "{at}  #{} attempt {}  {state}  {}  {items}", row.id, row.attempt, row.to)?;
    if !row.reply.is_empty() {
        writeln!(out, "    {code}{}", row.reply)?;
    }
    Ok(())
}
