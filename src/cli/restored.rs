//! A store that was restored from a backup: what is said about it, and how an operator ends its hold.

use std::io::Write;

use chrono::NaiveDate;

use super::exit::Exit;
use super::log::local;
use super::setting::Setting;
use crate::store::{Amends, OnHold};

/// Says that nothing is sent, and why, and what to do.
pub(super) fn explanation(OnHold { since }: OnHold, setting: &Setting) -> String {
    let noticed = match since {
        Some(since) => format!("on hold since {}", local(since, setting.config.timezone)),
        None => "about to be put on hold".to_owned(),
    };
    format!(
        "the store is {noticed}: it was restored from a backup and does not know what was sent \
         after that was made, so nothing is planned or sent. Bring the book up to date; then \
         `advis release --restored` sends what is due, some of it perhaps again, and \
         `advis release --restored --as-sent` counts it as sent"
    )
}

/// Warns on standard error when the store is on hold.
pub(super) async fn warn(setting: &Setting) -> anyhow::Result<()> {
    if let Some(hold) = setting.store.on_hold().await? {
        writeln!(anstream::stderr(), "advis: {}", explanation(hold, setting))?;
    }
    Ok(())
}

/// Puts the store on hold, where its own file cannot tell: a backup restored on another machine.
pub(super) async fn hold(setting: &Setting, out: &mut impl Write) -> anyhow::Result<Exit> {
    if setting.store.hold_restored(&setting.stamp()).await? {
        writeln!(out, "on hold: nothing is planned or sent until `advis release --restored`")?;
    } else {
        writeln!(out, "on hold already, nothing to change")?;
    }
    Ok(Exit::Done)
}

/// Ends the hold, and says what goes out now.
pub(super) async fn release(
    setting: &Setting,
    as_sent: bool,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    setting.refuse_pretence().await?;
    let store = &setting.store;
    let written_off = if as_sent {
        let day = noticed_on(setting).await?;
        let steps = setting.desk().steps_after(day).await?;
        let count = store.release_restored(Amends::CountAsSent(&steps), &setting.stamp()).await?;
        writeln!(out, "released: all that was due up to {day} counts as sent")?;
        count
    } else {
        store.release_restored(Amends::Send, &setting.stamp()).await?;
        writeln!(
            out,
            "released: the latest step of each window goes out, once, also if it went after the backup"
        )?;
        0
    };
    if written_off > 0 {
        writeln!(out, "{written_off} unsent messages of the backup are written off")?;
    }
    announce(setting, out).await
}

/// The day on which the store was noticed to be restored; today, when no sender has begun since.
async fn noticed_on(setting: &Setting) -> anyhow::Result<NaiveDate> {
    let since = setting.store.on_hold().await?.and_then(|hold| hold.since);
    let day = since.map(|since| since.with_timezone(&setting.config.timezone).date_naive());
    Ok(day.unwrap_or_else(|| setting.clock.today()))
}

/// Says how many messages are due, and when they leave.
async fn announce(setting: &Setting, out: &mut impl Write) -> anyhow::Result<Exit> {
    let messages = setting.desk().rehearse().await?;
    let next = setting.config.sending_days.next_firing(setting.clock.wall());
    let when = next.map_or_else(String::new, |at| format!(" ({})", at.format("%a %Y-%m-%d %H:%M")));
    let most = setting.config.delivery.per_person_per_day_max;
    writeln!(
        out,
        "due: {}{}; at most one digest and one escalation a person, and no more than {most} mails \
         a person a day; they leave at the next firing{when}, or with `advis once` where no worker \
         runs; `advis once --dry-run` shows them",
        messages.len(),
        if messages.len() == 1 { " message" } else { " messages" },
    )?;
    Ok(Exit::Done)
}
