//! What the file and the environment say, each value with its place.

use std::path::Path;

use serde::Deserialize;
use toml::de::{DeTable, DeValue, ValueDeserializer};
use toml::{Spanned, Value};

use super::keys::{self, Found, Key, Shape};
use super::problem::{Place, Problem};

/// A value that somebody gave to a known key.
pub(super) struct Given {
    /// What it is given to.
    pub key: &'static Key,
    /// Section and key, such as `mail.from`, or `rules.status.due`.
    pub path: String,
    /// As it was read. Dates are text, as the `config` crate has them.
    pub value: Value,
    /// Where it stands.
    pub place: Place,
}

/// A value, or what is wrong before its meaning is looked at.
pub(super) type Reading = Result<Given, Problem>;

/// Reads the text of a file: the values in the order of their lines, and whether it has rules of its own.
pub(super) fn file(name: &Path, text: &str) -> (Vec<Reading>, bool) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let table = table.into_inner();
    let rules = table.get("rules").and_then(|rules| rules.get_ref().as_table());
    let has_rules = rules.is_some_and(|rules| !rules.is_empty());

    let walk = Walk { name, text };
    let mut readings = Vec::new();
    walk.table("", table, &mut readings);
    let wrong: Vec<(usize, Reading)> = errors.iter().map(|error| walk.no_toml(error)).collect();
    // After text that is no TOML nobody can tell which section a key is in.
    let good_until = wrong.iter().map(|(at, _)| walk.line(*at)).min().unwrap_or(usize::MAX);
    readings.retain(|(at, _)| walk.line(*at) < good_until);
    readings.extend(wrong);
    readings.sort_by_key(|(at, _)| *at);
    (readings.into_iter().map(|(_, reading)| reading).collect(), has_rules)
}

struct Walk<'a> {
    name: &'a Path,
    text: &'a str,
}

impl Walk<'_> {
    /// The line, from 1, of a position.
    fn line(&self, at: usize) -> usize {
        1 + self.text.bytes().take(at).filter(|byte| *byte == b'\n').count()
    }

    fn place(&self, at: usize, key: String) -> Place {
        Place::File { file: self.name.to_owned(), line: self.line(at), key }
    }

    fn no_toml(&self, error: &toml::de::Error) -> (usize, Reading) {
        let at = error.span().map_or(0, |span| span.start);
        let place = self.place(at, String::new());
        let what = format!("this is no TOML: {}", error.message());
        (at, Err(Problem { place, what, hint: None }))
    }

    fn table(&self, section: &str, table: DeTable<'_>, readings: &mut Vec<(usize, Reading)>) {
        for (key, value) in table {
            let at = key.span().start;
            let dot = if section.is_empty() { "" } else { "." };
            let path = format!("{section}{dot}{}", key.get_ref());
            let place = self.place(at, path.clone());
            let problem = |what: &str, hint: Option<String>| {
                Err(Problem { place: place.clone(), what: what.to_owned(), hint })
            };
            // A dot in quotes is part of a name, and no name of ours has one.
            let is_name = !key.get_ref().contains('.');
            let found = if is_name { keys::find(&path) } else { Found::Nothing };
            let reading = match (found, value.get_ref()) {
                (Found::Key(key), _) => given(key, path, plain(value), place),
                (Found::Section, DeValue::Table(_)) => {
                    if let DeValue::Table(inner) = value.into_inner() {
                        self.table(&path, inner, readings);
                    }
                    continue;
                }
                (Found::Section, _) if section == "rules" => problem(
                    "rules are those of a kind",
                    Some(
                        "write this under [rules.default], or under the kind it is for".to_owned(),
                    ),
                ),
                (Found::Section, _) => {
                    problem("this is a section, no key", Some(format!("write it as [{path}]")))
                }
                (Found::BadKind, _) => bad_kind(place.clone()),
                (Found::Nothing, DeValue::Table(_)) => problem(
                    "there is no such section",
                    keys::nearest_section(&path).map(|near| format!("did you mean [{near}]?")),
                ),
                (Found::Nothing, _) => problem(
                    "there is no such key",
                    keys::nearest_key(&path).map(|near| format!("did you mean {near}?")),
                ),
            };
            readings.push((at, reading));
        }
    }
}

fn bad_kind(place: Place) -> Reading {
    let what = "this cannot be a kind of commitment".to_owned();
    let hint = Some("write kinds with a-z, 0-9 and _, such as follow_up".to_owned());
    Err(Problem { place, what, hint })
}

/// How names of our variables begin.
const PREFIX: &str = "ADVIS_";

/// Reads the environment: every variable that begins with `ADVIS_`, by name. The others are nobody's business.
pub(super) fn environment(variables: impl IntoIterator<Item = (String, String)>) -> Vec<Reading> {
    let mut ours: Vec<(String, String)> = variables
        .into_iter()
        .filter(|(name, _)| name.to_ascii_uppercase().starts_with(PREFIX))
        .collect();
    ours.sort();
    ours.into_iter().map(|(name, value)| variable(name, value)).collect()
}

fn variable(name: String, text: String) -> Reading {
    let path = name.trim_start_matches(|c: char| c != '_').trim_matches('_').to_ascii_lowercase();
    let path = path.replace("__", ".");
    let place = Place::Variable(name.clone());
    match keys::find(&path) {
        Found::Key(key) if name == variable_of(&path) => {
            given(key, path, value(key.shape, text), place)
        }
        Found::BadKind => bad_kind(place),
        Found::Key(_) | Found::Section | Found::Nothing => Err(Problem {
            place,
            what: "there is no such setting".to_owned(),
            hint: keys::nearest_key(&path)
                .map(|near| format!("did you mean {}?", variable_of(&near))),
        }),
    }
}

/// A value of the type that its key has.
fn given(key: &'static Key, path: String, value: Result<Value, String>, place: Place) -> Reading {
    let value = value.and_then(|value| match key.mismatch(&value) {
        Some(what) => Err(what.to_owned()),
        None => Ok(value),
    });
    match value {
        Ok(value) => Ok(Given { key, path, value, place }),
        Err(what) => Err(Problem { hint: Some(key.hint(&place)), place, what }),
    }
}

/// `ADVIS__MAIL__FROM` for `mail.from`.
fn variable_of(path: &str) -> String {
    format!("{PREFIX}_{}", path.replace('.', "__").to_ascii_uppercase())
}

/// What a variable holds. What is neither number nor list stays text, and is refused for its type.
fn value(shape: Shape, text: String) -> Result<Value, String> {
    if shape == Shape::Text {
        return Ok(Value::String(text));
    }
    match DeValue::parse(&text) {
        Ok(value) => plain(value),
        Err(error) if text.trim_start().starts_with(['[', '{']) => {
            Err(format!("this is no TOML: {}", error.message()))
        }
        Err(_) => Ok(Value::String(text)),
    }
}

fn plain(value: Spanned<DeValue<'_>>) -> Result<Value, String> {
    Value::deserialize(ValueDeserializer::from(value))
        .map(dates_as_text)
        .map_err(|_| "this number is too large".to_owned())
}

fn dates_as_text(value: Value) -> Value {
    match value {
        Value::Datetime(date) => Value::String(date.to_string()),
        Value::Array(items) => Value::Array(items.into_iter().map(dates_as_text).collect()),
        other => other,
    }
}
