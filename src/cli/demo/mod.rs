//! `demo`: a rehearsal on sample data, through the very engine that `run` uses.

mod acts;
mod highlights;
mod picture;
mod stage;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use chrono::NaiveDate;
use comfy_table::Table;

use super::Everywhere;
use super::exit::{Exit, Failure};
use super::setting::Setting;
use super::{book, import};
use crate::clock::Clock;
use crate::config::Config;
use crate::delivery::pass::{Desk, Facts};
use crate::delivery::shift::Shift;
use crate::delivery::state::State;
use crate::domain::commitment::Status;
use crate::domain::leader::Capacity;
use crate::domain::rule::Ladder;
use crate::domain::zone::Zone;
use crate::mail::compose::Templates;
use crate::store::outbox::{LogRow, Purpose};
use crate::store::{Stamp, Store, Which};
use acts::{ACTS, Act, FIRST_DAY, LAST_DAY, WORTH_EXPLAINING};
use picture::{SentMail, Story};

/// The leaders of an invented municipality, as `import` takes them.
const LEADERS: &str = include_str!("leaders.csv");

/// What they promised, as `import` takes it.
const COMMITMENTS: &str = include_str!("commitments.csv");

/// What lies in the folder.
const SHEETS: [(&str, &str); 2] = [("leaders.csv", LEADERS), ("commitments.csv", COMMITMENTS)];
const CONFIG: &str = "advis.toml";
const STORE: &str = "advis.db";
const MAIL: &str = "mail";

/// The first line of the config, by which an earlier demo is known.
const CONFIG_MARK: &str = "# The demo's municipality; every other key has its default.";

/// Columns of the summary where there is no terminal, and the most where there is one.
const COLUMNS_DEFAULT: usize = 80;
const COLUMNS_MAX: usize = 100;

/// Who does what the script says.
const PLAYER: &str = "demo";

/// Plays two and a half years in a fresh folder and tells the story.
pub(super) async fn demo(dir: &Path, out: &mut impl Write) -> anyhow::Result<Exit> {
    let watch = Clock::System(Zone::UTC);
    let began = watch.now();
    let stage = Stage::build(dir)?;
    let everywhere = stage.everywhere(FIRST_DAY);
    import::import(&everywhere, &stage.sheets, false, &mut io::sink()).await?;
    let Setting { config, store, templates, .. } = Setting::open(&everywhere).await?;
    let days = play(&store, &config, &templates).await?;

    let clock = Clock::on(LAST_DAY, config.timezone);
    let desk = desk(&store, &config, &templates, &clock);
    let facts = desk.facts(Which::All).await?;
    let count = |status| facts.book.iter().filter(|one| one.status == status).count();
    let is_overdue = |due: Option<NaiveDate>| due.is_some_and(|due| due < LAST_DAY);
    let open = facts.book.iter().filter(|one| one.status == Status::Open);
    let late = open.filter_map(|one| one.earliest_open()).filter(|one| is_overdue(one.window.due));
    let sent = sent(&store.log(None).await?, &facts);
    let (folder, prefix) = (dir.display().to_string(), stage.prefix());
    let story = Story {
        dir: &folder,
        from: FIRST_DAY,
        to: LAST_DAY,
        leaders: facts.people.iter().count(),
        commitments: facts.book.len(),
        days,
        sent: &sent,
        still_open: count(Status::Open),
        overdue: late.count(),
        needs_date: count(Status::NeedsDate),
        seconds: (watch.now() - began).to_std().unwrap_or_default().as_secs_f64(),
        prefix: &prefix,
        explain: WORTH_EXPLAINING,
        open_folder: &format!("xdg-open {}", stage.mail.display()),
    };
    let columns = Table::new().width().map_or(COLUMNS_DEFAULT, usize::from);
    write!(out, "{}", picture::summary(&story, columns.min(COLUMNS_MAX)))?;
    store.close().await?;
    Ok(Exit::Done)
}

/// The fresh folder and what lies in it.
struct Stage {
    config: PathBuf,
    sheets: [PathBuf; 2],
    mail: PathBuf,
}

impl Stage {
    /// Makes the folder; one that holds anything else than an earlier demo is left alone.
    fn build(dir: &Path) -> anyhow::Result<Self> {
        let config = dir.join(CONFIG);
        let unwritable = |error: io::Error| {
            let text = format!("the folder {} cannot be written: {error}", dir.display());
            Failure { exit: Exit::Config, text }
        };
        let is_used = fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
        if is_used && !is_earlier_demo(dir, &config) {
            let text = format!(
                "{} is not empty, and not just an earlier demo; name a fresh folder with --dir",
                dir.display()
            );
            return Err(Failure::usage(text).into());
        }
        if is_used {
            fs::remove_dir_all(dir).map_err(unwritable)?;
        }
        fs::create_dir_all(dir).map_err(unwritable)?;
        let [leaders, commitments] = SHEETS.map(|(name, _)| dir.join(name));
        let sheets = [leaders, commitments];
        let mail = dir.join(MAIL);
        let settings = settings(&dir.join(STORE), &mail);
        for (path, text) in
            sheets.iter().zip(SHEETS.map(|(_, text)| text)).chain([(&config, settings.as_str())])
        {
            fs::write(path, text).map_err(unwritable)?;
        }
        Ok(Self { config, sheets, mail })
    }

    fn everywhere(&self, day: NaiveDate) -> Everywhere {
        Everywhere { config: Some(self.config.clone()), on: Some(day), rehearsal: false }
    }

    fn prefix(&self) -> String {
        format!("advis --config {} --on {LAST_DAY}", self.config.display())
    }
}

/// Whether a folder holds an earlier demo and nothing else, so that nobody loses a file, or a config of their own.
fn is_earlier_demo(dir: &Path, config: &Path) -> bool {
    let is_ours = |name: &str| {
        name == CONFIG
            || name == MAIL
            || name.starts_with(STORE)
            || SHEETS.iter().any(|(sheet, _)| name == *sheet)
    };
    let entry_is_ours = |entry: io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| entry.file_name().to_str().is_some_and(is_ours))
    };
    fs::read_to_string(config).is_ok_and(|text| text.starts_with(CONFIG_MARK))
        && fs::read_dir(dir).is_ok_and(|mut entries| entries.all(entry_is_ours))
}

/// The config of the demo: an invented municipality, everything in one folder.
fn settings(store: &Path, mail: &Path) -> String {
    let quoted = |path: &Path| toml::Value::from(path.display().to_string()).to_string();
    format!(
        r#"{CONFIG_MARK}
[store]
path = {}

[mail]
from = "Advis <advis@nordkaer.example>"
reply_to = "Sekretariatet <sekretariat@nordkaer.example>"
envelope_sender = "advis-retur@nordkaer.example"
secretariat = "Sekretariatet <sekretariat@nordkaer.example>"
file_dir = {}

[organisation]
name = "Nordkær Kommune"
department = "Byrådssekretariatet"
contact = "sekretariat@nordkaer.example"

[rules.default]
escalate = [21, 42]

[rules.status]
before = [30, 14, 3]
"#,
        quoted(store),
        quoted(mail)
    )
}

fn desk<'d>(
    store: &'d Store,
    config: &'d Config,
    templates: &'d Templates,
    clock: &'d Clock,
) -> Desk<'d> {
    Desk { store, config, clock, templates, rehearsal: true }
}

/// One firing a sending day, and what people do that day after it; gives the number of firings.
async fn play(store: &Store, config: &Config, templates: &Templates) -> anyhow::Result<usize> {
    let lock = store.lock_sender()?;
    let first = Clock::on(FIRST_DAY, config.timezone);
    let mut shift = Shift::begin(&desk(store, config, templates, &first), &lock).await?;
    let mut firings = 0;
    for day in FIRST_DAY.iter_days().take_while(|day| *day <= LAST_DAY) {
        let clock = Clock::on(day, config.timezone);
        let desk = desk(store, config, templates, &clock);
        if config.sending_days.is_sending_day(day) {
            shift.pass(&desk, true).await?;
            firings += 1;
        }
        for (_, act) in ACTS.iter().filter(|(on, _)| *on == day) {
            perform(&desk, act).await.with_context(|| format!("{day}: {act:?}"))?;
        }
    }
    Ok(firings)
}

async fn perform(desk: &Desk<'_>, act: &Act) -> anyhow::Result<()> {
    let (store, stamp) = (desk.store, Stamp::now(desk.clock, PLAYER));
    let edited = match *act {
        Act::Done { reference } => store.done(&[reference], false, &stamp).await,
        Act::Postpone { reference, to, reason } => {
            let (window, phrase) = book::new_deadline(to, stamp.day)?;
            store.postpone(reference, window, phrase.as_deref(), reason, &stamp).await
        }
        Act::Snooze { reference, leader, to } => store.snooze(reference, leader, to, &stamp).await,
        Act::Assign { reference, leaders } => store.assign(reference, leaders, &stamp).await,
        Act::Confirm { reference } => store.confirm(&[reference], &stamp).await,
        Act::Cancel { reference } => store.cancel(&[reference], &stamp).await,
    };
    desk.conclude(edited?).await?;
    Ok(())
}

/// The accepted messages of the log, in the order of sending. What a notice says has no steps.
fn sent(log: &[LogRow], facts: &Facts) -> Vec<SentMail> {
    let accepted = log.iter().filter(|row| row.state == State::Accepted);
    accepted
        .filter(|row| row.purpose != Purpose::Report)
        .map(|row| SentMail {
            on: row.day,
            ladder: match row.purpose {
                Purpose::Escalation => Ladder::Escalation,
                Purpose::Own | Purpose::Notice | Purpose::Report => Ladder::Own,
            },
            name: row.name.clone(),
            to: row.to.clone(),
            subject: row.subject.clone(),
            steps: row.steps.iter().filter_map(|step| step.parse().ok()).collect(),
            capacities: if row.purpose == Purpose::Own {
                capacities(row, facts)
            } else {
                Vec::new()
            },
            file: row.reply.clone(),
        })
        .collect()
}

/// Why the reader got a message: for each of its responsible leaders whose mail went to that address.
fn capacities(row: &LogRow, facts: &Facts) -> Vec<Capacity> {
    row.commitments
        .iter()
        .filter_map(|reference| facts.commitment(reference))
        .flat_map(|commitment| &commitment.responsible)
        .map(|responsible| facts.people.receiver(&responsible.leader, row.day))
        .filter(|receiver| receiver.mailbox.address.as_str() == row.to)
        .map(|receiver| receiver.capacity)
        .collect()
}
