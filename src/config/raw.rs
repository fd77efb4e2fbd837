//! The configuration as typed: every value well-formed, none compared with another. The table of keys refuses unknown
//! names before this is read, with their place; `deny_unknown_fields` is the net beneath it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;
use tracing::level_filters::LevelFilter;

use super::field::{Code, List, Parsed, Whole, ZoneName};
use super::rules::RawRules;
use super::web::PublicUrl;
use super::{Command, Format, OnUnknown, Tls, TransportKind};
use crate::domain::address::{EmailAddress, Mailbox};
use crate::domain::calendar::DayOff;
use crate::schedule::Schedule;

/// More connections than any server grants to one sender.
const CONNECTIONS_MAX: u32 = 64;
/// A thousand mails a second is more than any municipality has.
const RATE_PER_MINUTE_MAX: u32 = 60_000;
/// A message a year late helps nobody.
const GIVE_UP_DAYS_MAX: u32 = 365;
/// More in a day is a storm, not a reminder.
const PER_PERSON_PER_DAY_MAX: u32 = 100;
/// As the rate, for an hour.
const PER_HOUR_MAX: u32 = 1_000_000;
/// Whoever finds an older mail asks for a new link.
const LINK_DAYS_MAX: u32 = 730;

/// The whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    pub store: RawStore,
    pub calendar: RawCalendar,
    pub schedule: RawSchedule,
    pub rules: BTreeMap<String, RawRules>,
    pub mail: RawMail,
    pub smtp: RawSmtp,
    pub delivery: RawDelivery,
    pub organisation: RawOrganisation,
    #[serde(default)]
    pub templates: RawTemplates,
    #[serde(default)]
    pub web: RawWeb,
    #[serde(default)]
    pub operator: RawOperator,
    pub log: RawLog,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStore {
    pub path: Parsed<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCalendar {
    pub timezone: Parsed<ZoneName>,
    pub days_off: List<DayOff>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSchedule {
    pub reminders: Parsed<Schedule>,
    pub report: Parsed<Schedule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMail {
    pub from: Parsed<Mailbox>,
    pub reply_to: Option<Parsed<Mailbox>>,
    pub envelope_sender: Option<Parsed<EmailAddress>>,
    pub secretariat: Parsed<Mailbox>,
    pub transport: TransportKind,
    pub file_dir: Parsed<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSmtp {
    pub host: Parsed<String>,
    pub port: Option<Whole<1, { u16::MAX as u32 }>>,
    pub tls: Tls,
    pub ca_file: Option<Parsed<PathBuf>>,
    pub username: Option<Parsed<String>>,
    pub password_file: Option<Parsed<PathBuf>>,
    pub token_file: Option<Parsed<PathBuf>>,
    pub token_command: Option<Command>,
    pub connections: Whole<1, CONNECTIONS_MAX>,
    pub rate_per_minute: Whole<0, RATE_PER_MINUTE_MAX>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDelivery {
    #[serde(with = "OnUnknownWord")]
    pub on_unknown: OnUnknown,
    pub give_up_after_days: Whole<1, GIVE_UP_DAYS_MAX>,
    pub per_person_per_day_max: Whole<1, PER_PERSON_PER_DAY_MAX>,
    pub per_hour_max: Whole<1, PER_HOUR_MAX>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOrganisation {
    pub name: Parsed<String>,
    pub department: String,
    pub contact: String,
    pub language: Parsed<Code>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTemplates {
    pub dir: Option<Parsed<PathBuf>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWeb {
    pub listen: Option<Parsed<SocketAddr>>,
    pub public_url: Option<Parsed<PublicUrl>>,
    pub key_file: Option<Parsed<PathBuf>>,
    pub link_days: Option<Whole<1, LINK_DAYS_MAX>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOperator {
    pub listen: Option<Parsed<SocketAddr>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLog {
    pub format: Format,
    pub level: Parsed<LevelFilter>,
}

/// How the file spells [`OnUnknown`].
#[derive(Deserialize)]
#[serde(remote = "OnUnknown", rename_all = "snake_case")]
enum OnUnknownWord {
    ResendOnce,
    Hold,
}
