//! `check`: every problem of config, environment, templates, store, address book and book at once, and the next runs.

use std::io::Write;

use chrono::{DateTime, NaiveDate, Utc};

use super::exit::Exit;
use super::list::plain;
use super::setting::{self, Setting};
use super::{Everywhere, connect, refuse, restored};
use crate::config::{Config, Problems, Smtp};
use crate::delivery::unknown_kind;
use crate::domain::commitment::{Commitment, Status};
use crate::domain::leader::People;
use crate::intake;
use crate::mail::compose::Templates;
use crate::mail::transport::Transport;
use crate::schedule::Schedule;
use crate::store::{Store, Which};

/// Runs of each schedule that are shown.
const RUNS_SHOWN: usize = 5;

/// Says what is wrong everywhere; no problem of one part hides those of another.
pub(super) async fn check(
    everywhere: &Everywhere,
    connects: bool,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let (config, problems) = Setting::look(everywhere)?;
    let is_valid = problems.is_empty();
    let mut wrong = Vec::new();
    if !is_valid {
        wrong.push(Problems(problems).to_string());
    }
    let transport = transport(&config).map_err(|problems| wrong.extend(problems)).ok();
    wrong.extend(setting::template_problems(config.templates_dir.as_deref()));
    for text in &wrong {
        refuse(text, Exit::Config);
    }
    if wrong.is_empty() {
        writeln!(out, "config, environment and templates: all right")?;
    }
    if is_valid {
        show_runs(&config, setting::clock(everywhere, &config).now(), out)?;
    }
    let server = match transport.filter(|_| wrong.is_empty()) {
        _ if !connects => Exit::Done,
        Some(transport) => connect::connect(&config, &transport, out).await?,
        None => refuse("not connected: put right what is wrong above", Exit::Config),
    };
    let book = book(everywhere, config, is_valid, out).await;
    if wrong.is_empty() && server == Exit::Done {
        return book;
    }
    if let Err(error) = book {
        refuse(&format!("{error:#}"), Exit::Config);
    }
    Ok(if wrong.is_empty() { server } else { Exit::Config })
}

fn show_runs(config: &Config, now: DateTime<Utc>, out: &mut impl Write) -> anyhow::Result<()> {
    for (name, schedule) in [("reminders", &config.reminders), ("report", &config.report)] {
        writeln!(out, "next runs of {name} ({}):", schedule.source())?;
        for line in runs(schedule, config, name == "reminders", now) {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}

/// The way out, or the files that `[smtp]` names and that cannot be read, and what else stands in the way of sending.
fn transport(config: &Config) -> Result<Transport, Vec<String>> {
    let Smtp { ca_file, password_file, token_file, .. } = &config.smtp;
    let files =
        [("ca_file", ca_file), ("password_file", password_file), ("token_file", token_file)];
    let named = files.into_iter().filter_map(|(key, file)| Some((key, file.as_ref()?)));
    let problems: Vec<String> = named
        .filter_map(|(key, file)| {
            let error = std::fs::read_to_string(file).err()?;
            let file = file.display();
            Some(format!(
                "smtp.{key}: {file} cannot be read: {error}; check the path and who may read it"
            ))
        })
        .collect();
    if problems.is_empty() {
        Transport::of(config).map_err(|error| vec![error.to_string()])
    } else {
        Err(problems)
    }
}

/// Address book and book. Beside an invalid config they are only read, and kinds are not judged.
async fn book(
    everywhere: &Everywhere,
    config: Config,
    is_valid: bool,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let path = &config.store.path;
    if !path.exists() {
        writeln!(out, "no store at {} yet; `advis import FILE…` makes it", path.display())?;
        return Ok(Exit::Done);
    }
    let store = Store::open_existing(path).await?;
    store.check_file().await?;
    let setting = Setting::with(config, store, Templates::built_in(), everywhere);
    let problems = problems(&setting, is_valid).await;
    setting.close().await;
    let problems = problems?;
    for problem in &problems {
        writeln!(out, "{}", plain(problem))?;
    }
    match problems.len() {
        0 => writeln!(out, "address book and book: all right")?,
        count => writeln!(out, "address book and book: {count} to look at")?,
    }
    Ok(if problems.is_empty() { Exit::Done } else { Exit::Explained })
}

fn runs(
    schedule: &Schedule,
    config: &Config,
    is_reminders: bool,
    now: DateTime<Utc>,
) -> Vec<String> {
    let runs = schedule.next_runs(now, config.timezone, RUNS_SHOWN).into_iter();
    runs.map(|run| {
        let run = run.with_timezone(&config.timezone);
        let day_off = is_reminders && !config.sending_days.is_sending_day(run.date_naive());
        let note = if day_off { "  (no working day: nothing new is sent)" } else { "" };
        format!("{}{note}", run.format("%a %Y-%m-%d %H:%M:%S %Z"))
    })
    .collect()
}

/// What a person should look at in the address book and in the book.
async fn problems(setting: &Setting, is_valid: bool) -> anyhow::Result<Vec<String>> {
    let read = if is_valid { setting.read_new().await? } else { Vec::new() };
    let facts = setting.desk().facts(Which::All).await?;
    let today = setting.clock.today();
    let hold = setting.store.on_hold().await?;
    let mut problems: Vec<String> = read
        .into_iter()
        .chain(facts.problems)
        .map(|problem| format!("{}: {}", problem.reference, problem.what))
        .collect();
    for (reference, note) in setting.store.notes().await? {
        problems.push(format!("{reference}: needs a date: {note}"));
    }
    problems.extend(circles(&facts.people));
    for commitment in facts.book.iter().filter(|one| one.status == Status::Open) {
        if is_valid && setting.config.rules.get(&commitment.kind).is_none() {
            let what = unknown_kind(&commitment.kind, &setting.config.rules);
            problems.push(format!("{}: {what}", commitment.reference));
        }
        problems.extend(unanswered(commitment, &facts.people, today));
    }
    problems.sort();
    problems.dedup();
    Ok(hold.map(|hold| restored::explanation(hold, setting)).into_iter().chain(problems).collect())
}

/// Managers who go round in a circle, so that an escalation would never come to an end.
fn circles(people: &People) -> Vec<String> {
    let managers = people.iter().map(|one| (one.reference.as_str(), one.manager.as_deref()));
    let circles =
        intake::circles(people.iter().map(|one| one.reference.as_str()), &managers.collect());
    let text = |(leader, circle): (&str, Vec<&str>)| {
        let circle = circle.join(" > ");
        format!(
            "{leader}: the managers go round in a circle: {circle}; give one of them another manager"
        )
    };
    circles.into_iter().map(text).collect()
}

/// Who of the responsible is not there.
fn unanswered(commitment: &Commitment, people: &People, today: NaiveDate) -> Vec<String> {
    let reference = &commitment.reference;
    if commitment.responsible.is_empty() {
        return vec![format!(
            "{reference}: nobody is responsible; `advis assign {reference} LEADER`"
        )];
    }
    let leaders = commitment.responsible.iter().map(|one| one.leader.as_str());
    leaders
        .filter(|one| people.get(one).is_none_or(|leader| leader.is_vacant(today)))
        .map(|leader| {
            format!(
                "{reference}: {leader} is a vacancy; `advis assign --from {leader} NEW` hands over"
            )
        })
        .collect()
}
