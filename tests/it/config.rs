use std::path::{Path, PathBuf};

use advis::config::{
    self, Command, Config, Error, Format, OnUnknown, Place, Problem, Problems, Tls, TransportKind,
};
use advis::domain::leader::Language;
use advis::domain::rule::{KindRules, KindTable, Overdue};
use advis::domain::zone::Zone;
use chrono::NaiveDate;
use proptest::prelude::*;

fn today() -> NaiveDate {
    "2026-01-05".parse().unwrap()
}

fn environment(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Loads a file with this text, and these variables.
fn load(text: &str, variables: &[(&str, &str)]) -> Result<Config, Error> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("advis.toml");
    std::fs::write(&file, text).unwrap();
    config::load(Some(&file), environment(variables), today())
}

fn valid(text: &str, variables: &[(&str, &str)]) -> Config {
    load(text, variables).unwrap_or_else(|error| panic!("{error}"))
}

fn problems(text: &str, variables: &[(&str, &str)]) -> Vec<Problem> {
    match load(text, variables) {
        Err(Error::Invalid(Problems(problems))) => problems,
        other => panic!("no problems: {other:?}"),
    }
}

/// Line, key and the whole text of the only problem.
fn problem(text: &str) -> (usize, String, String) {
    let found = problems(text, &[]);
    let [only] = &found[..] else { panic!("{found:#?}") };
    let all = format!("{} {}", only.what, only.hint.clone().unwrap_or_default());
    match &only.place {
        Place::File { line, key, .. } => (*line, key.clone(), all),
        Place::Default(key) => (0, key.clone(), all),
        other => panic!("{other} is no place in the file"),
    }
}

fn defaults() -> Config {
    config::load(None, [], today()).unwrap()
}

#[test]
fn without_a_file_and_variables_the_defaults_hold() {
    let config = defaults();
    assert_eq!(config.store.path, Path::new("data/advis.db"));
    assert_eq!(config.timezone, Zone::COPENHAGEN);
    assert!(!config.calendar.is_working_day("2026-06-05".parse().unwrap()));
    assert!(!config.calendar.is_working_day("2026-12-24".parse().unwrap()));
    assert_eq!(config.reminders.source(), "0 0 8 * * Mon-Fri");
    assert_eq!(config.report.source(), "0 0 7 * * Mon");
    assert_eq!(config.rules, KindTable::default());
    assert_eq!(config.mail.from.to_string(), "Advis <advis@kommune.example>");
    assert_eq!(config.mail.reply_to, config.mail.secretariat);
    assert_eq!(config.mail.envelope_sender.as_str(), "advis@kommune.example");
    assert_eq!(config.mail.secretariat.to_string(), "Sekretariatet <sekretariat@kommune.example>");
    assert_eq!(config.mail.transport, TransportKind::File);
    assert_eq!(config.mail.file_dir, Path::new("data/mail"));
    assert_eq!((config.smtp.host.as_str(), config.smtp.port), ("localhost", 25));
    assert_eq!((config.smtp.tls, config.smtp.connections), (Tls::None, 4));
    assert_eq!(config.smtp.rate_per_minute, 30);
    assert_eq!(config.delivery.on_unknown, OnUnknown::ResendOnce);
    assert_eq!(config.delivery.give_up_after_days, 5);
    assert_eq!(config.delivery.per_person_per_day_max, 4);
    assert_eq!(config.delivery.per_hour_max, 1000);
    assert_eq!(config.organisation.name, "Eksempel Kommune");
    assert_eq!(config.organisation.department, "Sekretariatet");
    assert_eq!(config.organisation.contact, "sekretariat@kommune.example");
    assert_eq!(config.organisation.language, Language::Danish);
    assert_eq!(config.templates_dir, None);
    assert_eq!(config.log.format, Format::Text);
    assert_eq!(config.log.level, tracing::level_filters::LevelFilter::INFO);
}

#[test]
fn the_shipped_file_is_the_defaults() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join(config::FILE);
    assert_eq!(config::load(Some(&shipped), [], today()).unwrap(), defaults());
    assert_eq!(valid("", &[]), defaults());
}

#[test]
fn an_unknown_name_is_shown_with_its_line_and_the_nearest_known_one() {
    #[rustfmt::skip]
    let table = [
        ("[mail]\n\nform = \"a@b.example\"", 3, "mail.form", "did you mean mail.from?"),
        ("[mial]\nfrom = \"a@b.example\"", 1, "mial", "did you mean [mail]?"),
        ("form = 1", 1, "form", "did you mean mail.from?"),
        ("[smtp]\nuser = \"x\"", 2, "smtp.user", "did you mean smtp.username?"),
        ("[smtp]\npassword = \"hunter2\"", 2, "smtp.password", "did you mean smtp.password_file?"),
        ("[smtp]\nreply_to = \"x\"", 2, "smtp.reply_to", "did you mean mail.reply_to?"),
        ("[rules.status]\n# days\nbefor = [3]", 3, "rules.status.befor", "did you mean rules.status.before?"),
        ("[rules.status.after]\nfirst = 3", 1, "rules.status.after", "no such section"),
        ("[store]\npath = \"x\"\n[pages]\nport = 1", 3, "pages", "no such section"),
        ("\"mail.from\" = \"a@b.example\"", 1, "mail.from", "no such key"),
        ("[rules]\nbefore = [3]", 2, "rules.before", "under [rules.default]"),
        ("mail = 3", 1, "mail", "write it as [mail]"),
        ("[[smtp]]\nhost = \"x\"", 1, "smtp", "write it as [smtp]"),
        ("[rules.Decision]\ndue = true", 1, "rules.Decision", "a-z, 0-9 and _"),
        ("[rules.\"opfølgning\"]", 1, "rules.opfølgning", "a-z, 0-9 and _"),
        ("delivery.hold = true", 1, "delivery.hold", "no such key"),
    ];
    for (text, line, key, hint) in table {
        let (found_line, found_key, all) = problem(text);
        assert_eq!((found_line, found_key.as_str()), (line, key), "{text}");
        assert!(all.contains(hint), "{text}: {all}");
        assert!(!all.contains("hunter2"));
    }
}

#[test]
fn a_mistyped_variable_is_named_with_the_nearest_one() {
    #[rustfmt::skip]
    let table = [
        ("ADVIS_MAIL__FROM", "ADVIS__MAIL__FROM"), ("ADVIS__MAIL__FORM", "ADVIS__MAIL__FROM"),
        ("ADVIS__MAIL_FROM", "ADVIS__MAIL__FROM"), ("ADVIS_MAIL_FROM", "ADVIS__MAIL__FROM"),
        ("advis__mail__from", "ADVIS__MAIL__FROM"), ("ADVIS__Mail__From", "ADVIS__MAIL__FROM"),
        ("ADVIS__MIAL__FROM", "ADVIS__MAIL__FROM"), ("ADVIS__SMTP__PASSWORD", "ADVIS__SMTP__PASSWORD_FILE"),
        ("ADVIS__RULES__STATUS__BEFOR", "ADVIS__RULES__STATUS__BEFORE"), ("ADVIS__MAIL__FROM__", "ADVIS__MAIL__FROM"),
        ("ADVIS__RULES__STATUS__OVERDUE__FIRST", "ADVIS__RULES__STATUS__OVERDUE?"),
        ("ADVIS__MAIL", "ADVIS__"),
    ];
    for (name, nearest) in table {
        let found = problems("", &[(name, "hunter2")]);
        let [only] = &found[..] else { panic!("{name}: {found:#?}") };
        assert_eq!(only.place, Place::Variable(name.to_owned()));
        assert_eq!(only.what, "there is no such setting");
        let hint = only.hint.clone().unwrap();
        assert!(hint.starts_with(&format!("did you mean {nearest}")), "{name}: {hint}");
        assert!(!only.to_string().contains("hunter2"));
    }
    assert_eq!(valid("", &[("ADVISORY_FROM", "x"), ("PATH", "/bin"), ("ADVIS", "x")]), defaults());
}

#[test]
fn a_name_that_is_like_no_other_is_not_taken_for_one() {
    for name in ["ADVIS__DB", "ADVIS_", "ADVIS_CONFIG_FILE", "ADVIS__SMTP__TIMEOUT"] {
        let found = problems("", &[(name, "x")]);
        let [only] = &found[..] else { panic!("{name}: {found:#?}") };
        assert_eq!((only.what.as_str(), &only.hint), ("there is no such setting", &None), "{name}");
    }
    for text in ["[pages]\nport = 1", "[smtp]\ntimeout = 3", "[delivery]\nhold = true", "x = 1"] {
        let found = problems(text, &[]);
        let [only] = &found[..] else { panic!("{text}: {found:#?}") };
        assert_eq!(only.hint, None, "{text}");
    }
    let (_, _, all) = problem("[calendar]\ntimezone = \"x\"");
    assert!(all.contains("write one such as Europe/Copenhagen"), "{all}");
}

#[test]
fn what_is_sound_holds_while_every_problem_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("advis.toml");
    let text = "[mail]\nfrm = \"x\"\n[templates]\ndir = \"our\"\n[smtp]\nconnections = 65\n";
    std::fs::write(&file, text).unwrap();
    let variables =
        environment(&[("ADVIS__STORE__PATH", "elsewhere.db"), ("ADVIS__MAIL__FORM", "x")]);
    let (config, found) = config::look(Some(&file), variables, today()).unwrap();
    assert_eq!(found.len(), 3, "{found:#?}");
    assert_eq!(config.templates_dir.as_deref(), Some(Path::new("our")));
    assert_eq!(config.store.path, Path::new("elsewhere.db"));
    assert_eq!(config.smtp.connections, 4);
}

#[test]
fn every_problem_of_the_file_and_the_environment_is_found_at_once() {
    let text = "[schedule]\nreminders = \"0 8 * * 1-5\"\n[mail]\nform = \"x\"\nfrom = \"nobody\"\n\
                [smtp]\nconnections = 65\nport = \"587\"\n[rules.status]\nbefore = [30, 30]\n";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("advis.toml");
    std::fs::write(&file, text).unwrap();
    let variables =
        environment(&[("ADVIS__MAIL__FORM", "x"), ("ADVIS__SMTP__CONNECTIONS", "25.9")]);
    let error = config::load(Some(&file), variables, today()).unwrap_err().to_string();
    let expected = "\
the configuration has 8 problems:

  advis.toml:2: schedule.reminders
    \"0 8 * * 1-5\" has numbers for the days of the week, which every cron counts in its own way; write names: Mon-Fri instead of 1-5
    the default is \"0 0 8 * * Mon-Fri\"

  advis.toml:4: mail.form
    there is no such key
    did you mean mail.from?

  advis.toml:5: mail.from
    \"nobody\": this is no mail address; write it as name@domain
    the default is \"Advis <advis@kommune.example>\"

  advis.toml:7: smtp.connections
    65 is not a whole number from 1 to 64
    the default is 4

  advis.toml:8: smtp.port
    this must be a whole number, without quotes
    write for example 587

  advis.toml:10: rules.status.before
    30 stands there twice; name each day once
    the default is [30, 7]

  ADVIS__MAIL__FORM
    there is no such setting
    did you mean ADVIS__MAIL__FROM?

  ADVIS__SMTP__CONNECTIONS
    this must be a whole number, without quotes
    the default is 4";
    let folder = format!("{}/", folder.path().display());
    assert_eq!(error.replace(&folder, ""), expected);
}

#[test]
fn text_that_is_no_toml_is_shown_with_its_line() {
    for (text, line) in [
        ("[mail]\nfrom = \n", 2),
        ("[mail\nfrom = \"x\"", 1),
        ("[mail]\n\nfrom \"x\"", 3),
        ("[smtp]\nhost = \"a\"\nhost = \"b\"", 3),
    ] {
        let found = problems(text, &[("ADVIS__MAIL__FORM", "x")]);
        let syntax = found.iter().find(|problem| problem.what.starts_with("this is no TOML"));
        let Some(Place::File { line: found_line, .. }) = syntax.map(|problem| &problem.place)
        else {
            panic!("{text}: {found:#?}")
        };
        assert_eq!(*found_line, line, "{text}");
        assert!(found.iter().any(|p| p.place == Place::Variable("ADVIS__MAIL__FORM".into())));
    }
}

#[test]
fn up_to_text_that_is_no_toml_everything_is_read() {
    let text = "[smtp]\nport = 0\nhost = x\ntls = y\n[mail]\nform = 1\n";
    let line = |problem: &Problem| match problem.place {
        Place::File { line, .. } => line,
        _ => 0,
    };
    assert_eq!(problems(text, &[]).iter().map(line).collect::<Vec<_>>(), [2, 3, 4]);
}

#[test]
fn a_file_that_is_not_there_is_told_apart_from_one_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.toml");
    assert_eq!(config::load(Some(&missing), [], today()), Err(Error::NotFound(missing)));

    let latin1 = folder.path().join("latin1.toml");
    std::fs::write(&latin1, b"[organisation]\nname = \"\xc5rhus\"\n").unwrap();
    let error = config::load(Some(&latin1), [], today()).unwrap_err();
    assert!(error.to_string().contains("no text in UTF-8"), "{error}");
    let error = config::load(Some(folder.path()), [], today()).unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error}");
}

#[test]
fn a_wrong_value_is_refused_where_it_stands() {
    #[rustfmt::skip]
    let table = [
        ("[store]\npath = \"\"", "store.path", "empty"),
        ("[store]\npath = 7", "store.path", "must be a text in quotes the default is \"data/advis.db\""),
        ("[calendar]\ntimezone = \"Europe/Copenhagn\"", "calendar.timezone", "did you mean Europe/Copenhagen?"),
        ("[calendar]\ndays_off = [\"06-05\", \"6/5\", \"13-01\"]", "calendar.days_off", "\"13-01\" is no day off"),
        ("[calendar]\ndays_off = \"06-05\"", "calendar.days_off", "must be a list in [ ]"),
        ("[schedule]\nreminders = \"0 8 30 2 *\"", "schedule.reminders", "never fires"),
        ("[schedule]\nreport = \"@weekly\"", "schedule.report", "at which hour"),
        ("[mail]\nfrom = \"æ@kommune.example\"", "mail.from", "letters outside a-z"),
        ("[mail]\nsecretariat = \"a@b\"", "mail.secretariat", "no dot"),
        ("[mail]\ntransport = \"sendmail\"", "mail.transport", "`file` or `smtp`"),
        ("[smtp]\ntls = \"opportunistic\"", "smtp.tls", "`starttls`"), ("[smtp]\ntls = 3", "smtp.tls", "a text in quotes"),
        ("[smtp]\ntoken_command = \"token hunter2\"", "smtp.token_command", "a list in [ ]"),
        ("[smtp]\nport = 0", "smtp.port", "from 1 to 65535"),
        ("[smtp]\nconnections = 0", "smtp.connections", "from 1 to 64"),
        ("[smtp]\nconnections = 4.0", "smtp.connections", "must be a whole number"),
        ("[smtp]\nrate_per_minute = -1", "smtp.rate_per_minute", "-1 is not a whole number"),
        ("[smtp]\nrate_per_minute = 99999999999999999999", "smtp.rate_per_minute", "too large"),
        ("[smtp]\nusername = 7123", "smtp.username", "a text in quotes"),
        ("[smtp]\ntoken_command = []", "smtp.token_command", "no program"),
        ("[delivery]\non_unknown = \"retry\"", "delivery.on_unknown", "`resend_once` or `hold`"),
        ("[delivery]\ngive_up_after_days = true", "delivery.give_up_after_days", "whole number, without quotes"),
        ("[delivery]\nper_hour_max = 0", "delivery.per_hour_max", "from 1 to"),
        ("[organisation]\nlanguage = \"dk\"", "organisation.language", "da or en"),
        ("[log]\nlevel = \"loud\"", "log.level", "\"loud\""),
        ("[log]\nformat = \"xml\"", "log.format", "`text` or `json`"),
        ("[rules.default]\nbefore = [0]", "rules.default.before", "from 1 to 3650"),
        ("[rules.default]\nbefore = [30, 7, 30]", "rules.default.before", "30 stands there twice"),
        ("[rules.status]\nbefore = [3651]", "rules.status.before", "from 1 to 3650"),
        ("[rules.status]\nopens = \"true\"", "rules.status.opens", "true or false"),
        ("[rules.status]\nescalate = [21, 21]", "rules.status.escalate", "rising"),
        ("[rules.status]\nescalate = [28, 14]", "rules.status.escalate", "14 comes after 28"),
        ("[rules.status]\nescalate = [3651]", "rules.status.escalate", "from 0 to 3650"),
        ("[rules.status]\noverdue = { first = 3, at_most = 3 }", "rules.status.overdue", "every"),
        ("[rules.status]\noverdue = { first = 3651, every = 1, at_most = 3 }", "rules.status.overdue", "from 0 to 3650"),
        ("[rules.status]\noverdue = { first = 1, every = 1, at_most = 1001 }", "rules.status.overdue", "from 0 to 1000"),
        ("[rules.status]\noverdue = { first = 1, every = 1, at_most = 1, last = 9 }", "rules.status.overdue", "last"),
        ("[rules.status.overdue]\nfirst = 1", "rules.status.overdue", "every"),
    ];
    for (text, key, what) in table {
        let (_, found, all) = problem(text);
        assert_eq!(found, key, "{text}");
        assert!(all.contains(what), "{text}: {all}");
        assert!(!all.contains("hunter2"));
    }
}

#[test]
fn a_value_that_the_environment_replaces_is_looked_at_all_the_same() {
    let found = problems("[smtp]\nconnections = 65", &[("ADVIS__SMTP__CONNECTIONS", "2")]);
    assert_eq!(found.len(), 1);
}

#[test]
fn variables_win_over_the_file_and_hold_text_numbers_lists_and_tables() {
    let text = "[mail]\nfrom = \"Fil <fil@kommune.example>\"\nfile_dir = \"fil\"\n\
                [rules.default]\noverdue = { first = 1, every = 2, at_most = 3 }";
    let config = valid(
        text,
        &[
            ("ADVIS__MAIL__FROM", "Advis æøå <miljo@kommune.example>"),
            ("ADVIS__SMTP__CONNECTIONS", "2"),
            ("ADVIS__SMTP__USERNAME", "007123"),
            ("ADVIS__SMTP__TLS", "starttls"),
            ("ADVIS__SMTP__TOKEN_COMMAND", "[\"token\", \"--user\", \"x, y\"]"),
            ("ADVIS__CALENDAR__DAYS_OFF", "[\"12-24..01-02\", 2026-05-15]"),
            ("ADVIS__RULES__DEFAULT__OVERDUE", "{ first = 5, every = 6, at_most = 7 }"),
            ("ADVIS__RULES__OWN_KIND__DUE", "false"),
            ("ADVIS__ORGANISATION__NAME", "true"),
        ],
    );
    assert_eq!(config.mail.from.to_string(), "Advis æøå <miljo@kommune.example>");
    assert_eq!(config.mail.file_dir, PathBuf::from("fil"));
    assert_eq!((config.smtp.connections, config.smtp.port), (2, 587));
    assert_eq!(config.smtp.username.as_deref(), Some("007123"));
    assert_eq!(
        config.smtp.token_command,
        Some(Command(["token", "--user", "x, y"].map(str::to_owned).to_vec()))
    );
    assert!(!config.calendar.is_working_day("2026-05-15".parse().unwrap()));
    assert!(!config.calendar.is_working_day("2027-01-02".parse().unwrap()));
    assert!(config.calendar.is_working_day("2026-06-05".parse().unwrap()));
    let overdue = Overdue { first: 5, every: 6, at_most: 7 };
    assert_eq!(config.rules.get("decision").map(|rules| rules.overdue), Some(overdue));
    assert_eq!(config.rules.get("own_kind").map(|rules| rules.due), Some(false));
    assert_eq!(config.organisation.name, "true");
}

#[test]
fn variables_do_not_coerce() {
    #[rustfmt::skip]
    let table = [
        ("ADVIS__SMTP__CONNECTIONS", "25.9", "must be a whole number"), ("ADVIS__SMTP__CONNECTIONS", "\"4\"", "without quotes"),
        ("ADVIS__SMTP__CONNECTIONS", "four", "must be a whole number"), ("ADVIS__SMTP__CONNECTIONS", "true", "whole number"),
        ("ADVIS__SMTP__CONNECTIONS", "", "must be a whole number"), ("ADVIS__SMTP__CONNECTIONS", "007", "must be a whole number"),
        ("ADVIS__RULES__DEFAULT__DUE", "yes", "true or false"), ("ADVIS__RULES__DEFAULT__DUE", "1", "true or false"),
        ("ADVIS__RULES__DEFAULT__BEFORE", "[30, 7", "no TOML"), ("ADVIS__RULES__DEFAULT__BEFORE", "30,7", "must be a list"),
        ("ADVIS__RULES__DEFAULT__BEFORE", "[7.5]", "`7.5`, expected a whole number from 1 to 3650"), ("ADVIS__MAIL__REPLY_TO", "", "empty"),
        ("ADVIS__RULES__DEFAULT__OVERDUE", "{ first = 3 }", "every"), ("ADVIS__RULES__A-B__DUE", "true", "a-z, 0-9 and _"),
    ];
    for (name, value, what) in table {
        let found = problems("", &[(name, value)]);
        let [only] = &found[..] else { panic!("{name}: {found:#?}") };
        assert_eq!(only.place, Place::Variable(name.to_owned()));
        assert!(only.to_string().contains(what), "{name}={value}: {only}");
    }
}

#[test]
fn a_kind_takes_each_missing_key_from_the_default_as_a_whole() {
    let config = valid(
        "[rules.default]\nbefore = [10]\n\
         overdue = { first = 1, every = 7, at_most = 4 }\n\
         [rules.milestone]\nescalate = [14, 28]\n[rules.own]\n",
        &[],
    );
    let default = KindRules {
        before: vec![10],
        overdue: Overdue { first: 1, every: 7, at_most: 4 },
        ..KindRules::default()
    };
    let milestone = KindRules { escalate: vec![14, 28], ..default.clone() };
    assert_eq!(config.rules.get("milestone"), Some(&milestone));
    for kind in ["status", "follow_up", "own"] {
        assert_eq!(config.rules.get(kind), Some(&default), "{kind}");
    }
    assert_eq!(config.rules.get("other"), None);
}

#[test]
fn the_built_in_rules_of_status_hold_until_the_file_has_rules() {
    let before = |config: Config| config.rules.get("status").map(|rules| rules.before.clone());
    assert_eq!(before(defaults()), Some(vec![30, 14, 3]));
    assert_eq!(before(valid("[rules]", &[])), Some(vec![30, 14, 3]));
    assert_eq!(before(valid("[rules.decision]\ndue = false", &[])), Some(vec![30, 7]));
    assert_eq!(before(valid("[rules.default]\nbefore = []", &[])), Some(vec![]));
    let variable = [("ADVIS__RULES__DEFAULT__BEFORE", "[5]")];
    assert_eq!(before(valid("", &variable)), Some(vec![30, 14, 3]));
    let variable = [("ADVIS__RULES__STATUS__BEFORE", "[5]")];
    assert_eq!(before(valid("", &variable)), Some(vec![5]));
}

const OWN_ADDRESSES: &str = "[organisation]\ncontact = \"post@nordby.dk\"\n[mail]\ntransport = \"smtp\"\n\
                             from = \"advis@nordby.dk\"\nsecretariat = \"post@nordby.dk\"\n";

#[test]
fn what_does_not_go_together_is_refused() {
    #[rustfmt::skip]
    let table = [
        ("[smtp]\nhost = \"mail.nordby.dk\"", "smtp.tls", "mail.nordby.dk is another machine"),
        ("[smtp]\nhost = \"10.0.0.1\"\ntls = \"none\"", "smtp.tls", "unencrypted"),
        ("[smtp]\nusername = \"a\"\npassword_file = \"b\"", "smtp.tls", "password or token would be sent"),
        ("[smtp]\ntls = \"starttls\"\npassword_file = \"b\"", "smtp.password_file", "set username"),
        ("[smtp]\ntls = \"starttls\"\nusername = \"a\"", "smtp.username", "nothing to log in with"),
        ("[smtp]\ntls = \"starttls\"\nusername = \"a\"\npassword_file = \"b\"\ntoken_file = \"c\"", "smtp.token_file",
         "smtp.password_file is set already"),
        ("[schedule]\nreminders = \"0 8 25 12 *\"", "schedule.reminders", "no working day in the 366 days from 2026-01-05"),
        ("[schedule]\nreminders = \"0 8 * * Sat,Sun\"", "schedule.reminders", "no working day"),
        ("[schedule]\nreminders = \"0 0 8 * * Mon 2020\"", "schedule.reminders", "no working day"),
        ("[calendar]\ndays_off = [\"01-01..12-31\"]", "schedule.reminders", "no working day"),
        ("[schedule]\nreport = \"0 0 8 * * Mon 2020\"", "schedule.report", "never fires after 2026-01-05"),
    ];
    for (text, key, what) in table {
        let (_, found, all) = problem(text);
        assert_eq!(found, key, "{text}");
        assert!(all.contains(what), "{text}: {all}");
    }
    let both = "[smtp]\nhost = \"mail.nordby.dk\"\nusername = \"a\"\npassword_file = \"b\"\ntoken_file = \"c\"\n\
                token_command = [\"d\"]\n[schedule]\nreport = \"0 0 8 * * Mon 2020\"";
    assert_eq!(problems(both, &[]).len(), 5);
}

#[test]
fn sending_through_another_machine_demands_addresses_of_ones_own() {
    let server = "[smtp]\ntls = \"starttls\"\nhost = \"mail.nordby.dk\"\n";
    let found = problems(&format!("{server}[mail]\ntransport = \"smtp\""), &[]);
    let places: Vec<String> = found.iter().map(|problem| problem.place.to_string()).collect();
    assert_eq!(
        places,
        ["mail.from (not set)", "mail.secretariat (not set)", "organisation.contact (not set)"]
    );
    let found = problems(
        &format!("{server}{OWN_ADDRESSES}envelope_sender = \"bounce@kommune.example\""),
        &[("ADVIS__MAIL__REPLY_TO", "svar@kommune.example")],
    );
    assert_eq!(found.len(), 2, "{found:#?}");

    let config = valid(&format!("{server}{OWN_ADDRESSES}"), &[]);
    assert_eq!(config.mail.envelope_sender.as_str(), "advis@nordby.dk");
    assert_eq!(config.mail.reply_to.to_string(), "Sekretariatet <post@nordby.dk>");
    for host in ["localhost", "127.0.0.1", "::1", "[::1]", "LOCALHOST"] {
        valid(&format!("[smtp]\nhost = \"{host}\"\n[mail]\ntransport = \"smtp\""), &[]);
    }
}

#[test]
fn the_port_follows_the_encryption_unless_it_is_set() {
    for (text, port) in [
        ("tls = \"none\"", 25),
        ("tls = \"starttls\"", 587),
        ("tls = \"implicit\"", 465),
        ("tls = \"implicit\"\nport = 2465", 2465),
    ] {
        assert_eq!(valid(&format!("[smtp]\n{text}"), &[]).smtp.port, port, "{text}");
    }
}

#[test]
fn no_debug_text_shows_the_arguments_of_a_command() {
    let config = valid(
        "[smtp]\ntls = \"implicit\"\nusername = \"a\"\ntoken_command = [\"token\", \"hunter2\"]",
        &[],
    );
    assert!(!format!("{config:?}").contains("hunter2"));
}

proptest! {
    #[test]
    fn whatever_the_file_and_the_environment_hold_there_is_an_answer(
        text in "(\\[[a-z.]{1,12}\\]\n)?([a-z_.\"]{1,12} ?= ?[a-z0-9\"'\\[\\]{}, =.-]{0,12}\n){0,3}",
        name in "ADVIS_[A-Z_]{0,20}",
        value in "\\PC{0,20}",
    ) {
        let _ = load(&text, &[(&name, &value)]);
    }
}
