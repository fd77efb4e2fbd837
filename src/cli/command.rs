//! What can be asked for on the command line: the verbs and their flags, as `--help` shows them.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand};

use super::{day, outbox, preview};

/// Makes sure nobody forgets a promise: reminds responsible leaders of commitments before, on and after the deadline.
#[derive(Debug, Parser)]
#[command(name = "advis", version, max_term_width = 100, disable_help_subcommand = true)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub everywhere: Everywhere,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that stand before or after the command.
#[derive(Debug, Clone, Args)]
pub struct Everywhere {
    /// Configuration file [default: config/advis.toml if it is there, else built-in defaults]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Pretend that it is 08:00 on that day in the configured zone
    #[arg(long, global = true, value_name = "YYYY-MM-DD", value_parser = day::day)]
    pub on: Option<NaiveDate>,
    /// With --on: send for real all the same, or write into a store that holds real deliveries
    #[arg(long, global = true)]
    pub rehearsal: bool,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The worker: remind on schedule until it is told to stop
    Run,
    /// One pass now: plan, enqueue, deliver what is due, exit
    Once {
        /// Show what would be sent, and send nothing
        #[arg(long)]
        dry_run: bool,
        /// Send even if today is no sending day
        #[arg(long)]
        now: bool,
    },
    /// Forecast: who gets what on which day, and why
    Plan {
        /// First day [default: today]
        #[arg(long, value_name = "DAY", value_parser = day::day)]
        from: Option<NaiveDate>,
        /// Last day [default: 90 days after the first]
        #[arg(long, value_name = "DAY", value_parser = day::day)]
        to: Option<NaiveDate>,
        /// One JSON object a message
        #[arg(long)]
        json: bool,
    },
    /// Take leaders and commitments from CSV files: all or nothing
    Import {
        /// Files, known by their header; any order
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Show what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// The book: commitments with their deadline and what comes next
    List(ListArgs),
    /// One commitment: phrase and reading, every step with its day and why, history, what comes next
    Explain {
        /// Reference of the commitment
        #[arg(value_name = "REF")]
        reference: String,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Mark the earliest open window as done
    Done {
        /// References of commitments
        #[arg(required = true, value_name = "REF")]
        references: Vec<String>,
        /// Every window, not only the earliest
        #[arg(long)]
        all: bool,
    },
    /// Open commitments again that were done or cancelled
    Reopen(References),
    /// Cancel commitments: nobody is reminded of them any more
    Cancel(References),
    /// Confirm the reading of phrases that wait for a person
    Confirm(References),
    /// Give the earliest open window a new deadline
    Postpone {
        /// Reference of the commitment
        #[arg(value_name = "REF")]
        reference: String,
        /// The new deadline: a day or a phrase
        #[arg(long, value_name = "DAY|PHRASE")]
        to: String,
        /// Why, for those who are told
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Hold back one leader's own reminders of a commitment until a day
    Snooze {
        /// Reference of the commitment
        #[arg(value_name = "REF")]
        reference: String,
        /// Reference of the leader
        leader: String,
        /// The day on which reminders go again
        #[arg(long, value_name = "DAY", value_parser = day::day)]
        to: NaiveDate,
    },
    /// Make leaders responsible: of one commitment, or of all that another leader has
    #[command(
        override_usage = "advis assign REF LEADER...\n       advis assign --from OLD NEW... [--on-day DAY]"
    )]
    Assign {
        /// REF LEADER..., or with --from the new leaders
        #[arg(required = true, value_name = "REF LEADER")]
        words: Vec<String>,
        /// Reference of the leader who hands over everything
        #[arg(long, value_name = "OLD")]
        from: Option<String>,
        /// The day of the hand-over [default: today]
        #[arg(long, value_name = "DAY", requires = "from", value_parser = day::day)]
        on_day: Option<NaiveDate>,
    },
    /// Deadlines that leaders proposed on the pages and that wait for an answer
    Proposals,
    /// Make a proposed deadline the deadline
    Accept {
        /// Reference of the commitment
        #[arg(value_name = "REF")]
        reference: String,
    },
    /// Turn a proposed deadline down; the leader is told
    Refuse {
        /// Reference of the commitment
        #[arg(value_name = "REF")]
        reference: String,
        /// Why, for the leader
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// The next mail about a commitment, or to a person, as it would be sent; sends nothing
    Preview(PreviewArgs),
    /// The delivery log, one line an attempt
    Log {
        /// First day
        #[arg(long, value_name = "DAY", value_parser = day::day)]
        since: Option<NaiveDate>,
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Send messages again that were rejected, given up, held or put off: the same bytes, to the same address
    Resend {
        /// Numbers of messages, as `log` shows them
        #[arg(required = true, value_name = "ID", value_parser = outbox::number)]
        ids: Vec<i64>,
    },
    /// Hold messages back until they are released
    Hold {
        /// Numbers of messages, as `log` shows them
        #[arg(required_unless_present = "restored", value_name = "ID", value_parser = outbox::number)]
        ids: Vec<i64>,
        /// The whole store: it was restored from a backup, on a machine that cannot know it
        #[arg(long, conflicts_with = "ids")]
        restored: bool,
    },
    /// Let held messages go
    Release {
        /// Numbers of messages, as `log` shows them
        #[arg(required_unless_present = "restored", value_name = "ID", value_parser = outbox::number)]
        ids: Vec<i64>,
        /// The whole store, which was restored from a backup: what is due goes out, some of it perhaps again
        #[arg(long, conflicts_with = "ids")]
        restored: bool,
        /// With --restored: what was due up to the day the restoring was noticed counts as sent
        #[arg(long, requires = "restored", conflicts_with = "ids")]
        as_sent: bool,
    },
    /// Copy the whole store, also beside a running worker
    Backup {
        /// The copy; never over another file
        file: PathBuf,
    },
    /// Read a Danish deadline phrase
    Deadline {
        /// The phrase; `-` with --json reads lines `phrase<TAB>reference date` from standard input
        phrase: String,
        /// One JSON object a phrase
        #[arg(long)]
        json: bool,
    },
    /// Every problem of config, environment, templates, store, address book and book at once, and the next runs
    Check {
        /// Connect to the mail server, up to the login, and send nothing
        #[arg(long)]
        connect: bool,
    },
    /// A rehearsal on sample data in a fresh folder, with real messages as .eml files
    Demo {
        /// The folder
        #[arg(long, value_name = "DIR", default_value = "demo")]
        dir: PathBuf,
    },
}

/// References of commitments.
#[derive(Debug, Args)]
pub struct References {
    /// References of commitments
    #[arg(required = true, value_name = "REF")]
    pub references: Vec<String>,
}

/// Which mail to show, and how.
#[derive(Debug, Args)]
pub struct PreviewArgs {
    /// Reference of the commitment
    #[arg(value_name = "REF", required_unless_present = "to", conflicts_with = "to")]
    pub reference: Option<String>,
    /// Address of the person
    #[arg(long, value_name = "ADDRESS")]
    pub to: Option<String>,
    /// What to print
    #[arg(long, value_enum, default_value_t = preview::Form::Text)]
    pub form: preview::Form,
    /// Write each mail into a folder instead: .eml, .html and .txt
    #[arg(long, value_name = "DIR", conflicts_with = "form")]
    pub dir: Option<PathBuf>,
}

/// Which commitments to list.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only those past their deadline
    #[arg(long)]
    pub overdue: bool,
    /// Only those that wait for a date
    #[arg(long)]
    pub needs_date: bool,
    /// Only those whose responsible leader is not there any more
    #[arg(long)]
    pub vacant: bool,
    /// Only those of one leader
    #[arg(long, value_name = "LEADER")]
    pub responsible: Option<String>,
    /// Done and cancelled ones too
    #[arg(long)]
    pub all: bool,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}
