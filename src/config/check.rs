//! What must hold between values, and the valid configuration.

use std::collections::BTreeMap;
use std::net::IpAddr;

use chrono::{NaiveDate, NaiveTime};

use super::field::Whole;
use super::raw::{RawConfig, RawSmtp};
use super::{
    Config, Delivery, Log, Mail, Organisation, Place, Problem, Smtp, Store, Tls, TransportKind,
    rules,
};
use crate::domain::address::clean_name;
use crate::domain::calendar::Calendar;
use crate::schedule::{SEARCH_DAYS_MAX, SendingDays};

/// Problems between values, at the places of the values.
pub(super) struct Check<'a> {
    places: &'a BTreeMap<String, Place>,
    problems: Vec<Problem>,
}

impl Check<'_> {
    pub(super) fn refuse(&mut self, key: &str, what: impl Into<String>, hint: &str) {
        let place = self.places.get(key).cloned().unwrap_or_else(|| Place::Default(key.to_owned()));
        self.problems.push(Problem { place, what: what.into(), hint: Some(hint.to_owned()) });
    }
}

/// Compares values with each other, and with `today`; answers with every problem between them.
pub(super) fn check(
    mut raw: RawConfig,
    places: &BTreeMap<String, Place>,
    today: NaiveDate,
) -> (Config, Vec<Problem>) {
    let mut check = Check { places, problems: Vec::new() };
    let web = check.web(std::mem::take(&mut raw.web));
    let config = Config { web, ..assemble(raw) };
    check.schedules(&config, today);
    check.smtp(&config.smtp);
    check.own_addresses(&config);
    check.listeners(&config);
    check.problems.sort_by(|a, b| a.place.cmp(&b.place));
    (config, check.problems)
}

impl Check<'_> {
    fn listeners(&mut self, config: &Config) {
        let pages = config.web.as_ref().map(|web| web.listen);
        if config.operator.is_some() && config.operator == pages {
            let what = "the pages of the leaders are at this address";
            self.refuse("operator.listen", what, "choose another port");
        }
    }

    fn schedules(&mut self, config: &Config, today: NaiveDate) {
        if config.sending_days.on_or_after(today).is_none() {
            let line = config.reminders.source();
            self.refuse(
                "schedule.reminders",
                format!(
                    "{line:?} has no working day in the {SEARCH_DAYS_MAX} days from {today}, \
                     so no reminder would go"
                ),
                "choose other days, or look at days_off under [calendar]",
            );
        }
        if config.report.next_wall(today.and_time(NaiveTime::MIN)).is_none() {
            let line = config.report.source();
            self.refuse(
                "schedule.report",
                format!("{line:?} never fires after {today}"),
                "take out the year, or choose a later one",
            );
        }
    }

    fn smtp(&mut self, smtp: &Smtp) {
        let secrets = [
            ("smtp.password_file", smtp.password_file.is_some()),
            ("smtp.token_file", smtp.token_file.is_some()),
            ("smtp.token_command", smtp.token_command.is_some()),
        ];
        let mut secrets = secrets.into_iter().filter_map(|(key, is_set)| is_set.then_some(key));
        let secret = secrets.next();
        for second in secrets {
            let what =
                format!("{} is set already, and there is one login", secret.unwrap_or_default());
            self.refuse(second, what, "keep one of password_file, token_file and token_command");
        }
        match (secret, &smtp.username) {
            (Some(secret), None) => {
                self.refuse(secret, "nobody logs in with it", "set username under [smtp] as well");
            }
            (None, Some(_)) => self.refuse(
                "smtp.username",
                "there is nothing to log in with",
                "set password_file, token_file or token_command, or take username out",
            ),
            _ => {}
        }
        if smtp.tls == Tls::None {
            self.clear_text(smtp, secret.is_some());
        }
    }

    fn clear_text(&mut self, smtp: &Smtp, has_secret: bool) {
        if !smtp.is_loopback() {
            let what = format!(
                "{} is another machine, and mail would cross the network unencrypted",
                smtp.host
            );
            self.refuse("smtp.tls", what, "set it to starttls (port 587) or implicit (port 465)");
        }
        if has_secret {
            self.refuse(
                "smtp.tls",
                "the password or token would be sent unencrypted",
                "set it to starttls or implicit, or take the credentials out",
            );
        }
    }

    fn own_addresses(&mut self, config: &Config) {
        let Config { mail, smtp, organisation, .. } = config;
        if mail.transport == TransportKind::File || smtp.is_loopback() {
            return;
        }
        let addresses = [
            ("mail.from", mail.from.address.as_str()),
            ("mail.reply_to", mail.reply_to.address.as_str()),
            ("mail.envelope_sender", mail.envelope_sender.as_str()),
            ("mail.secretariat", mail.secretariat.address.as_str()),
            ("organisation.contact", organisation.contact.as_str()),
        ];
        let page = config.web.as_ref().map(|web| ("web.public_url", web.public_url.host()));
        for (key, address) in addresses.into_iter().chain(page) {
            // Those that are not set follow another key, which is refused itself.
            let follows = ["mail.reply_to", "mail.envelope_sender"].contains(&key);
            let is_own = self.places.contains_key(key) || !follows;
            if is_own && address.ends_with(".example") {
                let what = format!("{address} is an example, and mail to {} is real", smtp.host);
                self.refuse(key, what, "write an address of your own municipality");
            }
        }
    }
}

fn assemble(raw: RawConfig) -> Config {
    let calendar = Calendar::new(raw.calendar.days_off.0);
    let reminders = raw.schedule.reminders.0;
    let (from, mut secretariat) = (raw.mail.from.0, raw.mail.secretariat.0);
    if secretariat.name.is_empty() {
        secretariat.name = clean_name(&raw.organisation.department);
    }
    Config {
        store: Store { path: raw.store.path.0 },
        timezone: raw.calendar.timezone.0.0,
        sending_days: SendingDays::new(calendar.clone(), reminders.clone()),
        calendar,
        reminders,
        report: raw.schedule.report.0,
        rules: rules::table(raw.rules),
        mail: Mail {
            reply_to: raw.mail.reply_to.map_or_else(|| secretariat.clone(), |mailbox| mailbox.0),
            envelope_sender: raw
                .mail
                .envelope_sender
                .map_or_else(|| from.address.clone(), |address| address.0),
            from,
            secretariat,
            transport: raw.mail.transport,
            file_dir: raw.mail.file_dir.0,
        },
        smtp: smtp(raw.smtp),
        delivery: Delivery {
            on_unknown: raw.delivery.on_unknown,
            give_up_after_days: raw.delivery.give_up_after_days.0,
            per_person_per_day_max: raw.delivery.per_person_per_day_max.0,
            per_hour_max: raw.delivery.per_hour_max.0,
        },
        organisation: Organisation {
            name: clean_name(&raw.organisation.name.0),
            department: clean_name(&raw.organisation.department),
            contact: clean_name(&raw.organisation.contact),
            language: raw.organisation.language.0.0,
        },
        templates_dir: raw.templates.dir.map(|dir| dir.0),
        web: None,
        operator: raw.operator.listen.map(|listen| listen.0),
        log: Log { format: raw.log.format, level: raw.log.level.0 },
    }
}

fn smtp(raw: RawSmtp) -> Smtp {
    let chosen = raw.port.and_then(|Whole(port)| u16::try_from(port).ok());
    Smtp {
        host: raw.host.0,
        port: chosen.unwrap_or(raw.tls.port()),
        tls: raw.tls,
        ca_file: raw.ca_file.map(|file| file.0),
        username: raw.username.map(|name| name.0),
        password_file: raw.password_file.map(|file| file.0),
        token_file: raw.token_file.map(|file| file.0),
        token_command: raw.token_command,
        connections: raw.connections.0,
        rate_per_minute: raw.rate_per_minute.0,
    }
}

impl Tls {
    /// The port that goes with it (RFC 8314, 6409, 5321).
    fn port(self) -> u16 {
        match self {
            Self::Implicit => 465,
            Self::StartTls => 587,
            Self::None => 25,
        }
    }
}

impl Smtp {
    /// Whether the server is on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_this_machine(&self.host)
    }
}

/// Whether a host, a name or an address, is this machine whoever asks.
#[must_use]
pub fn is_this_machine(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost")
        || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}
