//! `once`: one pass now.

use std::io::Write;

use super::Everywhere;
use super::exit::Exit;
use super::log::local;
use super::plan;
use super::restored;
use super::setting::Setting;
use crate::delivery::engine::Step;
use crate::delivery::shift::{PassReport, Shift};
use crate::domain::zone::Zone;

/// Plans, enqueues, delivers what is due, and says what it came to.
pub(super) async fn once(
    everywhere: &Everywhere,
    dry_run: bool,
    now: bool,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let setting = Setting::open_existing(everywhere).await?;
    let ended =
        if dry_run { rehearse(&setting, out).await } else { pass(&setting, now, out).await };
    setting.close().await;
    ended
}

async fn pass(setting: &Setting, now: bool, out: &mut impl Write) -> anyhow::Result<Exit> {
    setting.refuse_pretence().await?;
    setting.log();
    let lock = setting.store.lock_sender()?;
    let desk = setting.desk();
    let mut shift = Shift::begin(&desk, &lock).await?;
    let today = desk.today();
    let plans = now || setting.config.sending_days.is_sending_day(today);
    if !plans {
        writeln!(
            out,
            "{today} is no sending day: only what waits is delivered (--now sends anyway)"
        )?;
    }
    let report = shift.whole_pass(&desk, plans).await?;
    if let Some(hold) = report.on_hold {
        writeln!(out, "{}", restored::explanation(hold, setting))?;
    }
    explain(&report, setting.config.timezone, out)?;
    writeln!(out, "{report}")?;
    Ok(exit(&report))
}

/// What would go today.
async fn rehearse(setting: &Setting, out: &mut impl Write) -> anyhow::Result<Exit> {
    setting.read_new().await?;
    let messages = setting.desk().rehearse().await?;
    messages.iter().try_for_each(|message| plan::show(message, false, out))?;
    writeln!(out, "a dry run: {} would be sent, nothing was", messages.len())?;
    restored::warn(setting).await?;
    Ok(Exit::Done)
}

/// Says what needs a person's attention.
fn explain(report: &PassReport, zone: Zone, out: &mut impl Write) -> anyhow::Result<()> {
    if let Some(posted) = &report.posted {
        for problem in &posted.problems {
            writeln!(out, "{}: {}", problem.reference, problem.what)?;
        }
        if posted.unsendable > 0 {
            writeln!(out, "{} messages cannot be written; the log says why", posted.unsendable)?;
        }
    }
    let (tally, undelivered) = (&report.tally, failed(report) + report.standing.deferred);
    if undelivered > 0 {
        writeln!(out, "{undelivered} not delivered: see `advis log`")?;
    }
    if tally.capped > 0 {
        let text =
            "wait for another day: their readers got all the mail that [delivery] allows today";
        writeln!(out, "{} {text}", tally.capped)?;
    }
    match tally.end {
        Step::Stopped { until } => {
            writeln!(out, "the mail server is left alone until {}", local(until, zone))?;
        }
        Step::Waiting { until } => {
            writeln!(out, "more may be sent from {} on", local(until, zone))?;
        }
        _ => {}
    }
    Ok(())
}

/// Messages that will not go without a person, or whose fate is unknown.
fn failed(report: &PassReport) -> u32 {
    let (tally, standing) = (&report.tally, &report.standing);
    tally.rejected + tally.expired + standing.held + standing.unknown
}

/// 1 when something failed for good, 75 when something will be tried again.
fn exit(report: &PassReport) -> Exit {
    let tally = &report.tally;
    let unsendable = report.posted.as_ref().is_some_and(|posted| posted.unsendable > 0);
    let waits = matches!(tally.end, Step::Stopped { .. } | Step::Waiting { .. });
    if failed(report) > 0 || unsendable || report.on_hold.is_some() {
        Exit::Explained
    } else if report.standing.deferred > 0 || tally.capped > 0 || waits {
        Exit::TryLater
    } else {
        Exit::Done
    }
}
