//! The one table of known keys. What the file and the environment may say, every default, and the nearest name in an
//! error text come from it.

use toml::{Table, Value};

use super::problem::Place;

/// A setting.
pub(super) struct Key {
    /// Section and key, such as `mail.from`; `<kind>` stands for any kind of commitment.
    pub path: &'static str,
    /// How the environment writes it.
    pub shape: Shape,
    /// A value as it is written: the default, or only an example.
    pub value: &'static str,
    /// Whether `value` is the default.
    pub is_default: bool,
}

impl Key {
    /// The default or an example, as the file or a variable would have it.
    pub(super) fn hint(&self, place: &Place) -> String {
        let what = if self.is_default { "the default is" } else { "write for example" };
        match (self.shape, place) {
            (Shape::Text, Place::File { .. }) => format!("{what} {:?}", self.value),
            _ => format!("{what} {}", self.value),
        }
    }

    /// What a value must be, when it is of another type than ours.
    pub(super) fn mismatch(&self, value: &Value) -> Option<&'static str> {
        let ours = read(self.shape, self.value);
        let what = match ours {
            Value::Integer(_) => "this must be a whole number, without quotes",
            Value::Boolean(_) => "this must be true or false, without quotes",
            Value::Array(_) => "this must be a list in [ ]",
            Value::Table(_) => "this must be a table in { }",
            _ => "this must be a text in quotes",
        };
        (!ours.same_type(value)).then_some(what)
    }
}

/// How a value is written in an environment variable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// As it is, without quotes; never read as a number.
    Text,
    /// As in the file: numbers, yes or no, lists, tables.
    Toml,
}

const fn text(path: &'static str, value: &'static str) -> Key {
    Key { path, shape: Shape::Text, value, is_default: true }
}

const fn toml(path: &'static str, value: &'static str) -> Key {
    Key { path, shape: Shape::Toml, value, is_default: true }
}

const fn optional(key: Key) -> Key {
    Key { is_default: false, ..key }
}

/// Stands for any kind of commitment.
const KIND: &str = "<kind>";

/// The kind whose rules the others fall back to: the defaults of `rules.<kind>` are its own.
const DEFAULT_KIND: &str = "default";

/// Every setting, in the order of `config/advis.toml`.
pub(super) const KEYS: &[Key] = &[
    text("store.path", "data/advis.db"),
    text("calendar.timezone", "Europe/Copenhagen"),
    toml("calendar.days_off", r#"["06-05", "12-24", "12-31"]"#),
    text("schedule.reminders", "0 0 8 * * Mon-Fri"),
    text("schedule.report", "0 0 7 * * Mon"),
    toml("rules.<kind>.before", "[30, 7]"),
    toml("rules.<kind>.opens", "true"),
    toml("rules.<kind>.due", "true"),
    toml("rules.<kind>.overdue", "{ first = 3, every = 14, at_most = 3 }"),
    toml("rules.<kind>.escalate", "[21]"),
    text("mail.from", "Advis <advis@kommune.example>"),
    optional(text("mail.reply_to", "Sekretariatet <sekretariat@kommune.example>")),
    optional(text("mail.envelope_sender", "advis@kommune.example")),
    text("mail.secretariat", "Sekretariatet <sekretariat@kommune.example>"),
    text("mail.transport", "file"),
    text("mail.file_dir", "data/mail"),
    text("smtp.host", "localhost"),
    optional(toml("smtp.port", "587")),
    text("smtp.tls", "none"),
    optional(text("smtp.ca_file", "/etc/ssl/certs/kommune-ca.pem")),
    optional(text("smtp.username", "advis@kommune.example")),
    optional(text("smtp.password_file", "/etc/advis/smtp-password")),
    optional(text("smtp.token_file", "/run/advis/token")),
    optional(toml("smtp.token_command", r#"["/usr/local/bin/mail-token", "--quiet"]"#)),
    toml("smtp.connections", "4"),
    toml("smtp.rate_per_minute", "30"),
    text("delivery.on_unknown", "resend_once"),
    toml("delivery.give_up_after_days", "5"),
    toml("delivery.per_person_per_day_max", "4"),
    toml("delivery.per_hour_max", "1000"),
    text("organisation.name", "Eksempel Kommune"),
    text("organisation.department", "Sekretariatet"),
    text("organisation.contact", "sekretariat@kommune.example"),
    text("organisation.language", "da"),
    optional(text("templates.dir", "templates")),
    optional(text("web.listen", "127.0.0.1:8321")),
    optional(text("web.public_url", "https://advis.kommune.example")),
    optional(text("web.key_file", "/etc/advis/link-keys")),
    optional(toml("web.link_days", "90")),
    optional(text("operator.listen", "127.0.0.1:8322")),
    text("log.format", "text"),
    text("log.level", "info"),
];

/// Rules of one kind that are built in. They hold as long as the file has no rules at all.
const KIND_RULES: [(&str, &str); 1] = [("rules.status.before", "[30, 14, 3]")];

/// What a path means.
pub(super) enum Found {
    /// A setting.
    Key(&'static Key),
    /// The start of some settings.
    Section,
    /// Rules of something that cannot be a kind.
    BadKind,
    /// Nothing.
    Nothing,
}

/// Looks a path such as `mail.from` up.
pub(super) fn find(path: &str) -> Found {
    let segments: Vec<&str> = path.split('.').collect();
    let starts = |key: &&Key| {
        let mut pattern = key.path.split('.');
        segments.iter().all(|segment| pattern.next().is_some_and(|p| p == *segment || p == KIND))
    };
    let Some(first) = KEYS.iter().find(starts) else { return Found::Nothing };
    let mut pairs = first.path.split('.').zip(&segments);
    if pairs.any(|(pattern, segment)| pattern == KIND && !is_kind_name(segment)) {
        Found::BadKind
    } else if first.path.split('.').count() == segments.len() {
        Found::Key(first)
    } else {
        Found::Section
    }
}

fn is_kind_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    !name.is_empty() && name.bytes().all(fits)
}

/// The setting that a path which means nothing was probably meant for.
pub(super) fn nearest_key(path: &str) -> Option<String> {
    nearest(path, KEYS.iter().map(|key| for_kind(key.path, path)))
}

/// The section that a path which means nothing was probably meant for.
pub(super) fn nearest_section(path: &str) -> Option<String> {
    let sections = KEYS.iter().filter_map(|key| key.path.rsplit_once('.'));
    nearest(path, sections.map(|(section, _)| for_kind(section, path)))
}

/// `rules.<kind>.before` for the kind that `path` names.
fn for_kind(known: &str, path: &str) -> String {
    let kind = path.split('.').nth(1).filter(|_| path.matches('.').count() > 1);
    known.replace(KIND, kind.unwrap_or(DEFAULT_KIND))
}

/// How alike two paths must be for the one to be offered in the place of the other, from 0 to 1.
const PATH_LIKENESS_MIN: f64 = 0.75;

/// As much for their last words alone, and for a name such as that of a time zone.
const WORD_LIKENESS_MIN: f64 = 0.65;

/// By edits of the whole path, or of its last word with one more for the wrong section. A beginning is one edit away.
fn nearest(path: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    let begins =
        |known: &str| !path.is_empty() && (known.starts_with(path) || path.starts_with(known));
    let distance = |known: &String| {
        let whole = strsim::damerau_levenshtein(path, known);
        let word = strsim::damerau_levenshtein(&last(path), &last(known)) + 1;
        if begins(known) { whole.min(1) } else { whole.min(word) }
    };
    let is_near = |known: &String| {
        begins(known)
            || strsim::normalized_damerau_levenshtein(path, known) >= PATH_LIKENESS_MIN
            || is_alike(&last(path), &last(known))
    };
    candidates.filter(is_near).min_by_key(distance)
}

/// Whether `known` was probably meant by `word`.
pub(super) fn is_alike(word: &str, known: &str) -> bool {
    strsim::normalized_damerau_levenshtein(word, known) >= WORD_LIKENESS_MIN
}

/// Every default as the file would say it; `with_kinds` also the built-in rules of single kinds.
pub(super) fn defaults(with_kinds: bool) -> Table {
    let mut table = Table::new();
    for key in KEYS.iter().filter(|key| key.is_default) {
        insert(&mut table, &key.path.replace(KIND, DEFAULT_KIND), read(key.shape, key.value));
    }
    for (path, value) in KIND_RULES.iter().filter(|_| with_kinds) {
        insert(&mut table, path, read(Shape::Toml, value));
    }
    table
}

/// A value of the table above; a test reads them all.
fn read(shape: Shape, value: &str) -> Value {
    let text = || Value::String(value.to_owned());
    if shape == Shape::Text { text() } else { value.parse().unwrap_or_else(|_| text()) }
}

/// Puts `value` at `path`.
pub(super) fn insert(table: &mut Table, path: &str, value: Value) {
    let Some((section, rest)) = path.split_once('.') else {
        table.insert(path.to_owned(), value);
        return;
    };
    let section = table.entry(section.to_owned()).or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(section) = section {
        insert(section, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../../config/advis.toml");

    /// The shipped file with its commented keys taken into use.
    fn uncommented() -> Table {
        let is_key = |line: &str| line.split_once(" = ").is_some_and(|(key, _)| is_kind_name(key));
        let lines = SHIPPED.lines().map(|line| match line.strip_prefix("# ") {
            Some(rest) if is_key(rest) => rest,
            _ => line,
        });
        lines.collect::<Vec<_>>().join("\n").parse().unwrap()
    }

    #[test]
    fn the_shipped_file_says_the_defaults_and_nothing_else() {
        let mut shipped: Table = SHIPPED.parse().unwrap();
        for section in ["templates", "web", "operator"] {
            assert_eq!(shipped.remove(section), Some(Value::Table(Table::new())));
        }
        assert_eq!(shipped, defaults(true));
    }

    #[test]
    fn the_shipped_file_shows_every_key_with_the_value_of_the_table() {
        let mut expected = defaults(true);
        for key in KEYS.iter().filter(|key| !key.is_default) {
            insert(&mut expected, key.path, read(key.shape, key.value));
        }
        assert_eq!(uncommented(), expected);
    }

    #[test]
    fn every_value_of_the_table_is_well_formed() {
        for key in KEYS.iter().filter(|key| key.shape == Shape::Toml) {
            assert!(key.value.parse::<Value>().is_ok(), "{}", key.path);
        }
        assert!(Value::Table(uncommented()).try_into::<crate::config::raw::RawConfig>().is_ok());
    }
}
