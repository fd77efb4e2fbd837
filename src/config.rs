//! The configuration: defaults, then the file, then the environment; valid as a whole, or every problem at once.
//!
//! One table of keys (keys.rs) finds every name that means nothing, in the file and in the environment. Then each
//! value is read alone, so that one problem never hides the next. Only what has passed is merged and compared.

mod check;
mod field;
mod given;
mod keys;
mod problem;
mod raw;
mod rules;
mod web;

use std::fmt;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde::Deserialize;
use toml::{Table, Value};
use tracing::level_filters::LevelFilter;

pub use self::check::is_this_machine;
use self::given::{Given, Reading};
pub use self::problem::{Error, Place, Problem, Problems};
use self::raw::RawConfig;
pub use self::web::{PublicUrl, Web};
pub use crate::delivery::state::OnUnknown;
use crate::domain::address::{EmailAddress, Mailbox};
use crate::domain::calendar::Calendar;
use crate::domain::leader::Language;
use crate::domain::rule::KindTable;
use crate::domain::zone::Zone;
use crate::schedule::{Schedule, SendingDays};

/// The file that is read when none is asked for and this one is there.
pub const FILE: &str = "config/advis.toml";

/// A valid configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `[store]`
    pub store: Store,
    /// `[calendar] days_off`, with the public holidays.
    pub calendar: Calendar,
    /// `[calendar] timezone`: where all wall-clock times are.
    pub timezone: Zone,
    /// `[schedule] reminders`
    pub reminders: Schedule,
    /// `[schedule] report`
    pub report: Schedule,
    /// The working days on which `reminders` fires.
    pub sending_days: SendingDays,
    /// `[rules.<kind>]`
    pub rules: KindTable,
    /// `[mail]`
    pub mail: Mail,
    /// `[smtp]`; of use with [`TransportKind::Smtp`] only, but valid always.
    pub smtp: Smtp,
    /// `[delivery]`
    pub delivery: Delivery,
    /// `[organisation]`
    pub organisation: Organisation,
    /// `[templates] dir`: templates that replace the built-in ones.
    pub templates_dir: Option<PathBuf>,
    /// `[web]`; `None` when there are no pages.
    pub web: Option<Web>,
    /// `[operator] listen`: where the operator's page is; `None` when there is none.
    pub operator: Option<SocketAddr>,
    /// `[log]`
    pub log: Log,
}

/// Where everything is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// The SQLite file.
    pub path: PathBuf,
}

/// Who writes, and by which way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Shown as the author.
    pub from: Mailbox,
    /// Where answers go; the secretariat unless set.
    pub reply_to: Mailbox,
    /// Where bounces go; the address of `from` unless set.
    pub envelope_sender: EmailAddress,
    /// Gets what nobody else can get, and the report.
    pub secretariat: Mailbox,
    /// The way out.
    pub transport: TransportKind,
    /// Where [`TransportKind::File`] puts its messages.
    pub file_dir: PathBuf,
}

/// The way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TransportKind {
    /// One `.eml` file a message.
    File,
    /// An SMTP server.
    Smtp,
}

/// The SMTP server. At most one of `password_file`, `token_file` and `token_command` is set, and never without
/// `username`, nor with [`Tls::None`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Smtp {
    /// Host name or IP address.
    pub host: String,
    /// 465, 587 or 25 by `tls`, unless set.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: Tls,
    /// Certificates to trust besides the machine's own, in PEM.
    pub ca_file: Option<PathBuf>,
    /// Who logs in; `None` where the server knows us by our IP address.
    pub username: Option<String>,
    /// Holds the password.
    pub password_file: Option<PathBuf>,
    /// Holds an OAuth 2 access token that somebody else keeps fresh.
    pub token_file: Option<PathBuf>,
    /// Prints an OAuth 2 access token.
    pub token_command: Option<Command>,
    /// How many connections at once.
    pub connections: u32,
    /// Most messages a minute; 0 for no limit.
    pub rate_per_minute: u32,
}

/// A program and its arguments, run without a shell; never empty.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Command(pub Vec<String>);

impl TryFrom<Vec<String>> for Command {
    type Error = &'static str;

    fn try_from(words: Vec<String>) -> Result<Self, &'static str> {
        match words.first() {
            Some(program) if !program.is_empty() => Ok(Self(words)),
            _ => Err("there is no program in it; name the one that prints the token"),
        }
    }
}

impl fmt::Debug for Command {
    /// Leaves out the arguments, where people put secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Command").field(&self.0.first()).finish()
    }
}

/// How the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// From the first byte (RFC 8314).
    Implicit,
    /// By STARTTLS, which the server must offer (RFC 3207).
    StartTls,
    /// Not at all: a server on this machine only, and no login.
    None,
}

/// How messages are tried, and how many go at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// What becomes of a message that may have been taken.
    pub on_unknown: OnUnknown,
    /// Days until a message that cannot be delivered is given up.
    pub give_up_after_days: u32,
    /// Most messages to one person a day; the rest waits.
    pub per_person_per_day_max: u32,
    /// Most messages an hour; the rest waits.
    pub per_hour_max: u32,
}

/// Who the mails are from, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// Such as "Eksempel Kommune".
    pub name: String,
    /// May be empty.
    pub department: String,
    /// Where questions go: an address or a telephone number; may be empty.
    pub contact: String,
    /// Of mails to people without a language of their own.
    pub language: Language,
}

/// What is logged, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Log {
    /// For eyes or for machines.
    pub format: Format,
    /// Events of this level and above.
    pub level: LevelFilter,
}

/// How log events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For eyes.
    Text,
    /// One JSON object a line.
    Json,
}

/// Reads the configuration: the defaults, over them `file`, over that the variables of `environment` that begin with
/// `ADVIS_`. From `today` on there must be a sending day within a year.
///
/// # Errors
/// [`Error::NotFound`] when `file` is not there, otherwise every problem of both.
pub fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
    today: NaiveDate,
) -> Result<Config, Error> {
    let (config, problems) = look(file, environment, today)?;
    if problems.is_empty() { Ok(config) } else { Err(Problems(problems).into()) }
}

/// As [`load`], for who wants to look on: every problem, and a configuration of whatever is sound, with defaults in
/// the place of the rest.
///
/// # Errors
/// When `file` is not there, or cannot be read at all.
pub fn look(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
    today: NaiveDate,
) -> Result<(Config, Vec<Problem>), Error> {
    let text = file.map_or_else(|| Ok(String::new()), read)?;
    let (readings, has_rules) = given::file(file.unwrap_or(Path::new(FILE)), &text);
    let defaults = keys::defaults(!has_rules);
    let mut problems = Vec::new();
    let from_file = sound(&defaults, readings, &mut problems);
    let from_environment = sound(&defaults, given::environment(environment), &mut problems);
    let values = |given: &[Given]| with(Table::new(), given).to_string();
    // The text has sections without keys, too, which make a kind.
    let text = if problems.is_empty() { text } else { values(&from_file) };
    let raw = merge([defaults.to_string(), text, values(&from_environment)]).map_err(|error| {
        Problems(vec![Problem { place: Place::Whole, what: error.to_string(), hint: None }])
    })?;
    let given = from_file.into_iter().chain(from_environment);
    let places = given.map(|given| (given.path, given.place)).collect();
    let (config, between) = check::check(raw, &places, today);
    // A value that is wrong has its default here, of which nobody wants to hear.
    let problems = if problems.is_empty() { between } else { problems };
    Ok((config, problems))
}

fn read(file: &Path) -> Result<String, Error> {
    std::fs::read_to_string(file).map_err(|error| {
        let what = match error.kind() {
            ErrorKind::NotFound => return Error::NotFound(file.to_owned()),
            ErrorKind::InvalidData => "this is no text in UTF-8".to_owned(),
            _ => format!("this cannot be read: {error}"),
        };
        let place = Place::File { file: file.to_owned(), line: 0, key: String::new() };
        Problems(vec![Problem { place, what, hint: None }]).into()
    })
}

/// The values of one layer that can be read; what is wrong with the others joins the problems.
fn sound(defaults: &Table, readings: Vec<Reading>, problems: &mut Vec<Problem>) -> Vec<Given> {
    // Reading them together is cheap, and mostly all there is to do.
    let is_sound = meaning(with(defaults.clone(), readings.iter().flatten())).is_ok();
    let alone = |given: Given| if is_sound { Ok(given) } else { sound_alone(defaults, given) };
    let read = readings.into_iter().map(|reading| reading.and_then(alone));
    read.filter_map(|reading| reading.map_err(|problem| problems.push(problem)).ok()).collect()
}

/// One value among nothing but defaults, so that what is wrong is wrong with it.
fn sound_alone(defaults: &Table, given: Given) -> Reading {
    match meaning(with(defaults.clone(), [&given])) {
        Ok(_) => Ok(given),
        Err(error) => {
            let hint = Some(given.key.hint(&given.place));
            Err(Problem { place: given.place, what: error.message().to_owned(), hint })
        }
    }
}

fn with<'a>(mut table: Table, values: impl IntoIterator<Item = &'a Given>) -> Table {
    for given in values {
        keys::insert(&mut table, &given.path, given.value.clone());
    }
    table
}

fn meaning(table: Table) -> Result<RawConfig, toml::de::Error> {
    Value::Table(table).try_into()
}

/// Lays each layer over the ones before it.
fn merge(layers: [String; 3]) -> Result<RawConfig, ::config::ConfigError> {
    let layer = |text: &String| ::config::File::from_str(text, ::config::FileFormat::Toml);
    let builder = ::config::Config::builder();
    layers
        .iter()
        .fold(builder, |builder, text| builder.add_source(layer(text)))
        .build()?
        .try_deserialize()
}
