//! `plan`: the forecast; and the same shape for `once --dry-run`.

use std::io::{BufWriter, Write};
use std::sync::mpsc::sync_channel;
use std::thread;

use chrono::{Datelike, Days, NaiveDate};
use serde::Serialize;

use super::deadline::write_json;
use super::exit::{Exit, Failure};
use super::list::plain;
use super::progress::Progress;
use super::setting::Setting;
use crate::delivery::pass::Facts;
use crate::domain::reminder::{Item, Message};
use crate::planner;
use crate::store::Which;

#[derive(Serialize)]
struct MessageJson<'m> {
    on: NaiveDate,
    to: &'m str,
    name: &'m str,
    ladder: &'static str,
    items: Vec<ItemJson<'m>>,
}

#[derive(Serialize)]
struct ItemJson<'m> {
    commitment: &'m str,
    step: String,
    opens: NaiveDate,
    due: Option<NaiveDate>,
    days_left: Option<i64>,
    #[serde(rename = "for")]
    about: Vec<&'m str>,
    reason: &'m str,
}

impl<'m> From<&'m Message> for MessageJson<'m> {
    fn from(message: &'m Message) -> Self {
        Self {
            on: message.on,
            to: message.to.address.as_str(),
            name: &message.to.name,
            ladder: message.ladder.name(),
            items: message.items.iter().map(ItemJson::from).collect(),
        }
    }
}

impl<'m> From<&'m Item> for ItemJson<'m> {
    fn from(item: &'m Item) -> Self {
        let mut about: Vec<&str> = item.about.iter().map(|(leader, _)| leader.as_str()).collect();
        about.sort_unstable();
        Self {
            commitment: &item.commitment,
            step: item.step.to_string(),
            opens: item.span.opens,
            due: item.span.due,
            days_left: item.days_left,
            about,
            reason: &item.reason,
        }
    }
}

/// Days of a forecast that names no end.
const DAYS_SHOWN: u64 = 90;

/// Days that are planned before they are shown.
const DAYS_AHEAD_MAX: usize = 4;

/// The verb: what will be sent from one day to another.
pub(super) async fn plan(
    setting: &Setting,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    json: bool,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    setting.read_new().await?;
    let today = setting.clock.today();
    let from = from.unwrap_or(today);
    let to = to.unwrap_or_else(|| from.checked_add_days(Days::new(DAYS_SHOWN)).unwrap_or(from));
    if to < from {
        let text = format!("--to {to} is before --from {from}; give a later day");
        return Err(Failure::usage(text).into());
    }
    let Facts { book, people, rules, sent, .. } = setting.desk().facts(Which::Open).await?;
    let days = from.iter_days().take_while(|day| *day <= to);
    let firings = days.filter(|day| rules.sending.is_sending_day(*day)).count();
    let mut progress = Progress::beside_output("planning", firings, book.len());
    let forecast = planner::forecast(book, &people, &rules, sent, today, (from, to));
    let mut out = BufWriter::new(out);
    let mut count = 0_usize;
    thread::scope(|scope| {
        let (planned, days) = sync_channel(DAYS_AHEAD_MAX);
        // The days to come are planned while one is shown, for as long as somebody looks.
        scope
            .spawn(move || forecast.map(|day| planned.send(day)).take_while(Result::is_ok).count());
        for (_, messages) in days {
            count += messages.len();
            messages.iter().try_for_each(|message| show(message, json, &mut out))?;
            progress.step();
        }
        Ok::<_, anyhow::Error>(())
    })?;
    drop(progress);
    if !json {
        let plural = if count == 1 { "message" } else { "messages" };
        writeln!(out, "{count} {plural} from {from} to {to}")?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// Shows one message of a forecast.
pub(super) fn show(message: &Message, json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    if json {
        return write_json(out, &MessageJson::from(message));
    }
    let (on, to, ladder) = (message.on, &message.to, message.ladder.name());
    writeln!(out, "{} {on}  {}  ({ladder})", on.weekday(), plain(&to.to_string()))?;
    for item in &message.items {
        let about: Vec<&str> = item.about.iter().map(|(leader, _)| leader.as_str()).collect();
        let (commitment, about) = (&item.commitment, about.join(", "));
        let line = format!("{commitment}  {} for {about}: {}", item.step, item.reason);
        writeln!(out, "    {}", plain(&line))?;
    }
    Ok(())
}
