//! The command line: one small file per group of verbs; a verb is a few calls into the library.

use std::io::{ErrorKind, Write};

mod book;
mod check;
mod command;
pub mod connect;
mod day;
mod deadline;
mod demo;
mod exit;
mod explain;
mod import;
mod list;
mod log;
mod once;
mod outbox;
mod plan;
pub mod preview;
mod progress;
mod proposals;
mod restored;
mod setting;
mod worker;

pub use command::{Cli, Command, Everywhere, ListArgs, PreviewArgs, References};
pub use exit::{Exit, Failure};

use crate::delivery::state::Order;
use setting::Setting;

/// Runs a command to its end, errors told; answers with the exit code.
pub async fn run(cli: Cli) -> Exit {
    match dispatch(cli).await {
        Ok(exit) => exit,
        Err(error) if is_broken_pipe(&error) => Exit::Done,
        Err(error) => refuse(&told(&error), exit::of(&error)),
    }
}

/// An error with its causes. Most of our texts hold what they were caused by: that is not said again.
fn told(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |said, cause| match &*said {
        "" => cause,
        _ if said.contains(&cause) => said,
        _ => format!("{said}: {cause}"),
    })
}

/// Says on standard error why a command ends, and ends it with that code.
pub fn refuse(text: &str, exit: Exit) -> Exit {
    // Nothing more can be done when standard error is gone too.
    writeln!(anstream::stderr(), "advis: {text}").ok();
    exit
}

/// Whoever reads our output has seen enough (`advis log | head`).
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = |cause: &(dyn std::error::Error + 'static)| {
        let io = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        io.or_else(|| cause.downcast_ref::<serde_json::Error>()?.io_error_kind())
    };
    error.chain().any(|cause| io(cause) == Some(ErrorKind::BrokenPipe))
}

async fn dispatch(cli: Cli) -> anyhow::Result<Exit> {
    let everywhere = &cli.everywhere;
    let out = &mut anstream::stdout();
    match cli.command {
        Command::Run => return worker::run(everywhere).await,
        Command::Demo { dir } => return demo::demo(&dir, out).await,
        Command::Check { connect } => return check::check(everywhere, connect, out).await,
        Command::Deadline { phrase, json } => {
            return deadline::deadline(everywhere, &phrase, json, out);
        }
        Command::Import { files, dry_run } => {
            return import::import(everywhere, &files, dry_run, out).await;
        }
        Command::Once { dry_run, now } => return once::once(everywhere, dry_run, now, out).await,
        _ => {}
    }
    let setting = Setting::open_existing(everywhere).await?;
    let ended = act(&setting, cli.command, out).await;
    setting.close().await;
    ended
}

/// The verbs that read the book, and those that change it.
async fn act(setting: &Setting, command: Command, out: &mut impl Write) -> anyhow::Result<Exit> {
    match command {
        Command::Plan { from, to, json } => plan::plan(setting, from, to, json, out).await,
        Command::List(args) => list::list(setting, &args, out).await,
        Command::Explain { reference, json } => {
            explain::explain(setting, &reference, json, out).await
        }
        Command::Preview(args) => preview::preview(setting, &args, out).await,
        Command::Log { since, json } => log::show(setting, since, json, out).await,
        Command::Done { references, all } => {
            book::change(setting, book::Change::Done { all }, &references, out).await
        }
        Command::Reopen(which) => {
            book::change(setting, book::Change::Reopen, &which.references, out).await
        }
        Command::Cancel(which) => {
            book::change(setting, book::Change::Cancel, &which.references, out).await
        }
        Command::Confirm(which) => {
            book::change(setting, book::Change::Confirm, &which.references, out).await
        }
        Command::Postpone { reference, to, reason } => {
            book::postpone(setting, &reference, &to, reason.as_deref(), out).await
        }
        Command::Snooze { reference, leader, to } => {
            book::snooze(setting, &reference, &leader, to, out).await
        }
        Command::Assign { words, from, on_day } => {
            book::assign(setting, &words, from.as_deref(), on_day, out).await
        }
        other => operate(setting, other, out).await,
    }
}

/// The verbs of those who run the program.
async fn operate(
    setting: &Setting,
    command: Command,
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    match command {
        Command::Proposals => proposals::show(setting, out).await,
        Command::Accept { reference } => proposals::accept(setting, &reference, out).await,
        Command::Refuse { reference, reason } => {
            proposals::refuse(setting, &reference, &reason, out).await
        }
        Command::Hold { restored: true, .. } => restored::hold(setting, out).await,
        Command::Release { restored: true, as_sent, .. } => {
            restored::release(setting, as_sent, out).await
        }
        Command::Hold { ids, .. } => outbox::order(setting, Order::Hold, &ids, out).await,
        Command::Release { ids, .. } => outbox::order(setting, Order::Release, &ids, out).await,
        Command::Resend { ids } => outbox::order(setting, Order::Resend, &ids, out).await,
        Command::Backup { file } => {
            setting.store.back_up(&file).await?;
            writeln!(out, "the whole store was copied to {}", file.display())?;
            Ok(Exit::Done)
        }
        _ => Ok(Exit::Done),
    }
}
