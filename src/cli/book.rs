//! The verbs that change the book. Each is recorded with who and when; an unknown reference changes nothing at all.

use std::io::Write;

use chrono::NaiveDate;

use super::day;
use super::exit::{Exit, Failure};
use super::setting::Setting;
use crate::delivery::notices::Concluded;
use crate::domain::window::Window;
use crate::phrase;
use crate::store::{Edited, Which};

/// A change of the book that names commitments.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    Done { all: bool },
    Reopen,
    Cancel,
    Confirm,
}

impl Change {
    /// What is said of each commitment that it touched.
    fn said(self) -> &'static str {
        match self {
            Self::Done { all: false } => "the earliest open window is done",
            Self::Done { all: true } => "done",
            Self::Reopen => "open again",
            Self::Cancel => "cancelled",
            Self::Confirm => "confirmed",
        }
    }

    /// Whether anybody may be told by mail.
    fn sends(self) -> bool {
        matches!(self, Self::Done { .. } | Self::Cancel)
    }
}

/// Changes each of `references`.
pub(super) async fn change(
    setting: &Setting,
    change: Change,
    references: &[String],
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    if change.sends() {
        setting.refuse_pretence().await?;
    }
    setting.read_new().await?;
    let (store, stamp) = (&setting.store, setting.stamp());
    let references: Vec<&str> = references.iter().map(String::as_str).collect();
    setting.desk().roll_on(Which::These(&references)).await?;
    let edited = match change {
        Change::Done { all } => store.done(&references, all, &stamp).await?,
        Change::Reopen => store.reopen(&references, &stamp).await?,
        Change::Cancel => store.cancel(&references, &stamp).await?,
        Change::Confirm => store.confirm(&references, &stamp).await?,
    };
    let touched = conclude(setting, edited, change.said(), out).await?;
    for same in references.iter().filter(|one| !touched.iter().any(|touched| touched == *one)) {
        writeln!(out, "{same}: nothing to change")?;
    }
    Ok(Exit::Done)
}

/// A new deadline for the earliest open window.
pub(super) async fn postpone(
    setting: &Setting,
    reference: &str,
    to: &str,
    reason: Option<&str>,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    setting.refuse_pretence().await?;
    setting.read_new().await?;
    let (window, phrase) = new_deadline(to, setting.clock.today())?;
    setting.desk().roll_on(Which::These(&[reference])).await?;
    let stamp = setting.stamp();
    let reason = reason.unwrap_or_default();
    let edited =
        setting.store.postpone(reference, window, phrase.as_deref(), reason, &stamp).await?;
    let is_past = window.due.is_some_and(|due| due < setting.clock.today());
    let note = if is_past { "; that day is past" } else { "" };
    conclude(setting, edited, &format!("the deadline is now {window}{note}"), out).await?;
    Ok(Exit::Done)
}

/// The window that `to` names: a day, or a phrase read against today; with the phrase when it was one.
pub(super) fn new_deadline(to: &str, today: NaiveDate) -> anyhow::Result<(Window, Option<String>)> {
    if day::looks_like_one(to) {
        let refusal = |why| Failure::bad_input(format!("{to:?} is no new deadline: {why}"));
        return Ok((Window::day(day::day(to).map_err(refusal)?), None));
    }
    let unclear = |why: String| {
        Failure::bad_input(format!("{to:?} is no new deadline: {why}; write a day as YYYY-MM-DD"))
    };
    let deadline = phrase::parse(to, today).map_err(|reason| unclear(reason.to_string()))?;
    match deadline.windows.as_slice() {
        [window] if deadline.recurrence.is_none() && deadline.confidence.is_certain() => {
            Ok((*window, Some(to.to_owned())))
        }
        [_] => Err(unclear("its reading is not certain".to_owned()).into()),
        windows => Err(unclear(format!("it names {} windows, not one", windows.len())).into()),
    }
}

/// Peace for one leader.
pub(super) async fn snooze(
    setting: &Setting,
    reference: &str,
    leader: &str,
    to: NaiveDate,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    setting.read_new().await?;
    setting.desk().roll_on(Which::These(&[reference])).await?;
    let edited = setting.store.snooze(reference, leader, to, &setting.stamp()).await?;
    conclude(setting, edited, &format!("no reminders to {leader} before {to}"), out).await?;
    Ok(Exit::Done)
}

/// Somebody else answers: for one commitment, or for all that one leader has.
pub(super) async fn assign(
    setting: &Setting,
    words: &[String],
    from: Option<&str>,
    on_day: Option<NaiveDate>,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    setting.refuse_pretence().await?;
    setting.read_new().await?;
    let (store, stamp) = (&setting.store, setting.stamp());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (edited, heirs) = match (from, words.as_slice()) {
        (Some(old), heirs) => {
            let day = on_day.unwrap_or(stamp.day);
            (store.assign_all(old, heirs, day, &stamp).await?, heirs)
        }
        (None, [reference, heirs @ ..]) if !heirs.is_empty() => {
            (store.assign(reference, heirs, &stamp).await?, heirs)
        }
        (None, _) => {
            let text = "name the commitment and at least one leader: advis assign REF LEADER...";
            return Err(Failure::usage(text).into());
        }
    };
    let said = match on_day.filter(|day| *day > stamp.day) {
        Some(day) => format!("from {day} on {} for it, and will be told that day", answer(heirs)),
        None => format!("{} for it", answer(heirs)),
    };
    if conclude(setting, edited, &said, out).await?.is_empty() {
        writeln!(out, "nothing to change")?;
    }
    Ok(Exit::Done)
}

fn answer(leaders: &[&str]) -> String {
    format!("{} {}", list(leaders), if leaders.len() == 1 { "answers" } else { "answer" })
}

/// Makes an edit final, and says what happened to each commitment and who is told; answers with their references.
pub(super) async fn conclude(
    setting: &Setting,
    edited: Edited<'_>,
    said: &str,
    out: &mut impl Write,
) -> anyhow::Result<Vec<String>> {
    let Concluded { touched, told, untold } = setting.desk().conclude(edited).await?;
    for reference in &touched {
        writeln!(out, "{reference}: {said}")?;
    }
    if !told.is_empty() {
        let are = if told.len() == 1 { "is" } else { "are" };
        writeln!(out, "{} {are} told by mail", list(&told))?;
    }
    for (name, why) in &untold {
        writeln!(out, "{name} is not told: {why}")?;
    }
    Ok(touched)
}

/// `a, b and c`.
fn list(names: &[impl AsRef<str>]) -> String {
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    match names.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        names => names.concat(),
    }
}
