//! `explain`: one commitment, everything there is to say about it.

use std::io::Write;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use super::deadline::{WindowJson, write_json};
use super::exit::{Exit, Failure};
use super::list::{Next, every_step, next_steps, plain, warn};
use super::log::local;
use super::setting::Setting;
use crate::domain::commitment::{BookWindow, Commitment, Status};
use crate::domain::window::Confidence;
use crate::phrase;
use crate::planner::{Plan, Skipped};
use crate::store::{self, Attempted, Event, Which};

#[derive(Serialize)]
struct Explained<'e> {
    reference: &'e str,
    title: &'e str,
    kind: &'e str,
    status: &'static str,
    phrase: &'e str,
    reading: Option<String>,
    confidence: Option<&'static str>,
    rrule: Option<String>,
    note: Option<&'e str>,
    adopted: NaiveDate,
    revision: u32,
    windows: Vec<WindowShown>,
    responsible: Vec<&'e str>,
    steps: Vec<StepShown<'e>>,
    history: Vec<Happened>,
    next: Option<Next>,
}

#[derive(Serialize)]
struct WindowShown {
    number: u32,
    #[serde(flatten)]
    days: WindowJson,
    closed_on: Option<NaiveDate>,
}

#[derive(Serialize)]
struct StepShown<'e> {
    window: u32,
    leader: &'e str,
    step: String,
    planned_on: NaiveDate,
    moved_on: Option<NaiveDate>,
    due: bool,
    why: String,
}

/// Something in the life of a commitment.
#[derive(Serialize)]
struct Happened {
    at: String,
    who: String,
    what: String,
    detail: Value,
}

/// Explains the commitment `reference`.
pub(super) async fn explain(
    setting: &Setting,
    reference: &str,
    json: bool,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    setting.read_new().await?;
    let today = setting.clock.today();
    let facts = setting.desk().facts(Which::These(&[reference])).await?;
    warn(&facts.problems)?;
    let Some(commitment) = facts.commitment(reference) else {
        if facts.problems.iter().any(|problem| problem.reference == reference) {
            let text = format!("{reference} is in the book, but its row cannot be read; mend it");
            return Err(Failure::bad_input(text).into());
        }
        return Err(store::Error::Unknown { what: vec![reference.to_owned()] }.into());
    };
    let note = setting.store.note(reference).await?;
    let (plan, skipped) = every_step(&facts.book, &facts, today);
    let next = next_steps(&plan, &skipped, &facts, today).remove(reference);
    let history = history(setting, reference).await?;
    let explained = Explained {
        reference: &commitment.reference,
        title: &commitment.title,
        kind: &commitment.kind,
        status: commitment.status.name(),
        phrase: &commitment.phrase,
        reading: reading(commitment),
        confidence: commitment.confidence.map(Confidence::name),
        rrule: commitment.recurrence.as_ref().map(crate::domain::recurrence::Recurrence::rrule),
        note: note.as_deref(),
        adopted: commitment.adoption,
        revision: commitment.revision,
        windows: commitment.windows.iter().map(window).collect(),
        responsible: commitment.responsible.iter().map(|one| one.leader.as_str()).collect(),
        steps: steps(&plan, &skipped),
        history,
        next,
    };
    if json {
        write_json(out, &explained)?
    } else {
        write(&explained, out)?
    }
    Ok(Exit::Done)
}

/// Our reading of the phrase in a sentence, if there is a phrase; without the doubts that somebody has settled.
fn reading(commitment: &Commitment) -> Option<String> {
    let phrase = commitment.phrase.as_str();
    if phrase.is_empty() {
        return None;
    }
    let first = commitment.windows.first();
    // A postponed deadline is read against the day it was postponed on.
    let references = [Some(commitment.reference_date), first.and_then(|first| first.made_on)];
    let reference = first
        .and_then(|first| {
            phrase::read_like(phrase, references.into_iter().flatten(), &first.window)
        })
        .map_or(commitment.reference_date, |(reference, _)| reference);
    let read = phrase::parse(phrase, reference).map(|mut deadline| {
        if commitment.status != Status::NeedsDate {
            deadline.confidence = commitment.confidence.unwrap_or(deadline.confidence);
            if deadline.windows.is_empty() {
                deadline.windows.extend(first.map(|first| first.window));
            }
        }
        deadline
    });
    Some(phrase::explain(phrase, reference, &read))
}

fn window(window: &BookWindow) -> WindowShown {
    WindowShown {
        number: window.number,
        days: WindowJson::from(&window.window),
        closed_on: window.closed_on,
    }
}

/// Every step, in the order of windows, leaders and days.
fn steps<'e>(plan: &'e Plan<'_>, skipped: &[Skipped<'e>]) -> Vec<StepShown<'e>> {
    let due = plan.due.iter().map(|one| StepShown {
        window: one.key.window,
        leader: &one.key.leader,
        step: one.key.step.to_string(),
        planned_on: one.planned_on,
        moved_on: Some(one.moved_on),
        due: true,
        why: "due: goes at the next firing".to_owned(),
    });
    let skipped = skipped.iter().map(|one| StepShown {
        window: one.window,
        leader: one.leader,
        step: one.step.to_string(),
        planned_on: one.planned_on,
        moved_on: one.moved_on,
        due: false,
        why: one.why.to_string(),
    });
    let mut steps: Vec<StepShown<'_>> = due.chain(skipped).collect();
    steps.sort_by_key(|one| (one.window, one.leader, one.moved_on, one.planned_on));
    steps
}

/// What people and the worker did to it, and every attempt to deliver a message about it.
async fn history(setting: &Setting, reference: &str) -> anyhow::Result<Vec<Happened>> {
    let zone = setting.config.timezone;
    let events = setting.store.events(reference).await?;
    let attempts = setting.store.attempts_about(reference).await?;
    let mut history: Vec<(DateTime<Utc>, Happened)> = events
        .into_iter()
        .map(|Event { at, who, what, message, mut detail, .. }| {
            if let Some(message) = message {
                detail["message"] = message.into();
            }
            (at, Happened { at: local(at, zone), who, what, detail })
        })
        .collect();
    for Attempted { at, message, to, steps, state, reply } in attempts {
        let what = format!("{} to {to}: {state}", steps.join(", "));
        let (who, detail) = ("advis".to_owned(), json!({ "message": message, "reply": reply }));
        history.push((at, Happened { at: local(at, zone), who, what, detail }));
    }
    history.sort_by_key(|(at, _)| *at);
    Ok(history.into_iter().map(|(_, happened)| happened).collect())
}

fn write(explained: &Explained<'_>, out: &mut impl Write) -> anyhow::Result<()> {
    let Explained { reference, title, kind, status, revision, adopted, .. } = explained;
    writeln!(out, "{}  {}", plain(reference), plain(title))?;
    writeln!(out, "  {}, {status}, revision {revision}, adopted {adopted}", plain(kind))?;
    writeln!(out, "  responsible: {}", plain(&explained.responsible.join(", ")))?;
    for sentence in explained.reading.iter().map(String::as_str).chain(explained.note) {
        writeln!(out, "  {}", plain(sentence))?;
    }
    if let Some(rrule) = &explained.rrule {
        writeln!(out, "  comes again: {rrule}")?;
    }
    for window in &explained.windows {
        let WindowShown { number, days, closed_on } = window;
        let closed = closed_on.map(|on| format!(", closed on {on}")).unwrap_or_default();
        writeln!(out, "  window {number}: {days}{closed}")?;
    }
    if !explained.steps.is_empty() {
        writeln!(out, "\nSteps")?;
    }
    for step in &explained.steps {
        let moved = step.moved_on.unwrap_or(step.planned_on);
        let mark = if step.due { ">" } else { " " };
        let (window, leader, name, why) = (step.window, step.leader, &step.step, &step.why);
        let moved = moved.format("%a %Y-%m-%d");
        let line = format!("{mark} {moved} {name:<11} window {window}, {leader}: {why}");
        writeln!(out, "{}", plain(&line))?;
    }
    if !explained.history.is_empty() {
        writeln!(out, "\nHistory")?;
    }
    for Happened { at, who, what, detail } in &explained.history {
        let detail = if detail == &json!({}) { String::new() } else { format!("  {detail}") };
        writeln!(out, "  {at}  {}", plain(&format!("{who}: {what}{detail}")))?;
    }
    match &explained.next {
        Some(next) => writeln!(out, "\nNext: {next}")?,
        None => writeln!(out, "\nNext: nothing; no step is left")?,
    }
    Ok(())
}
