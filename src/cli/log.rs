//! `log`: the delivery log.

use std::io::Write;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::Serialize;

use super::deadline::write_json;
use super::exit::Exit;
use super::setting::Setting;
use crate::domain::zone::Zone;
use crate::schedule::Schedule;
use crate::store::outbox::{LogRow, Unsent};

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
    who: Option<&'r str>,
}

/// Shows every attempt since the beginning of `since`, and what operators did to messages, in time order.
pub(super) async fn show(
    setting: &Setting,
    since: Option<NaiveDate>,
    json: bool,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let zone = setting.config.timezone;
    let since = since.map(|day| Schedule::resolve(day.and_time(chrono::NaiveTime::MIN), zone));
    let attempts = setting.store.log(since).await?.into_iter().map(|row| (row, None));
    let acts = setting.store.acts(since).await?.into_iter().map(|act| (act.row, Some(act.who)));
    let mut rows: Vec<(LogRow, Option<String>)> = attempts.chain(acts).collect();
    // Within one moment, what was done to a message comes after the attempt that it followed.
    rows.sort_by_key(|(row, who)| (row.at, row.attempt, who.is_some()));
    for (row, who) in &rows {
        if json {
            write_json(out, &shown(row, who.as_deref(), zone))?;
        } else {
            line(row, zone, out)?;
        }
    }
    if !json {
        if rows.is_empty() {
            writeln!(out, "no attempt yet")?;
        }
        for unsent in setting.store.unsent().await? {
            waiting(&unsent, zone, out)?;
        }
    }
    Ok(Exit::Done)
}

/// A message that is still to leave, so that its number is known to whoever wants to hold or release it.
fn waiting(unsent: &Unsent, zone: Zone, out: &mut impl Write) -> anyhow::Result<()> {
    let Unsent { id, state, to, items, next_at } = unsent;
    let items: Vec<String> = items.iter().map(|(one, step)| format!("{one} {step}")).collect();
    let again = next_at.map(|at| format!(", again at {}", local(at, zone))).unwrap_or_default();
    writeln!(out, "to be sent: #{id}  {state}{again}  {to}  {}", items.join(", "))?;
    Ok(())
}

/// An instant as people of the zone write it, with its offset.
pub(super) fn local(at: DateTime<Utc>, zone: Zone) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, false)
}

fn shown<'r>(row: &'r LogRow, who: Option<&'r str>, zone: Zone) -> AttemptJson<'r> {
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
        who,
    }
}

fn line(row: &LogRow, zone: Zone, out: &mut impl Write) -> anyhow::Result<()> {
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
