//! `[rules.<kind>]`: as typed, and completed from the default key by key.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::field::Whole;
use crate::domain::rule::{KindRules, KindTable, Overdue};

/// Ten years: farther from a deadline nobody wants a mail.
const STEP_DAYS_MAX: u32 = 3_650;

/// Most reminders after one deadline.
const OVERDUE_REMINDERS_MAX: u32 = 1_000;

/// Days from a deadline.
type Days = Whole<1, STEP_DAYS_MAX>;

/// The rules of one kind as the file has them. A key that is missing is that of `default`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRules {
    before: Option<Before>,
    opens: Option<bool>,
    due: Option<bool>,
    overdue: Option<RawOverdue>,
    escalate: Option<Escalate>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOverdue {
    first: Whole<0, STEP_DAYS_MAX>,
    every: Days,
    at_most: Whole<0, OVERDUE_REMINDERS_MAX>,
}

/// Distinct numbers of days.
struct Before(Vec<u32>);

impl<'de> Deserialize<'de> for Before {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let days = days::<D, 1>(deserializer)?;
        let mut sorted = days.clone();
        sorted.sort_unstable();
        match sorted.array_windows().find(|[a, b]| a == b) {
            Some([twice, _]) => {
                Err(D::Error::custom(format!("{twice} stands there twice; name each day once")))
            }
            None => Ok(Self(days)),
        }
    }
}

/// Rising numbers of days.
struct Escalate(Vec<u32>);

impl<'de> Deserialize<'de> for Escalate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let days = days::<D, 0>(deserializer)?;
        match days.array_windows().find(|[a, b]| a >= b) {
            Some([a, b]) => Err(D::Error::custom(format!(
                "{b} comes after {a}, but each manager is told later than the one before; write the days rising"
            ))),
            None => Ok(Self(days)),
        }
    }
}

fn days<'de, D: Deserializer<'de>, const LEAST: u32>(
    deserializer: D,
) -> Result<Vec<u32>, D::Error> {
    let days = Vec::<Whole<LEAST, STEP_DAYS_MAX>>::deserialize(deserializer)?;
    Ok(days.into_iter().map(|Whole(days)| days).collect())
}

impl RawRules {
    fn over(self, base: &KindRules) -> KindRules {
        KindRules {
            before: self.before.map_or_else(|| base.before.clone(), |Before(days)| days),
            opens: self.opens.unwrap_or(base.opens),
            due: self.due.unwrap_or(base.due),
            overdue: self.overdue.map_or(base.overdue, |raw| Overdue {
                first: raw.first.0,
                every: raw.every.0,
                at_most: raw.at_most.0,
            }),
            escalate: self.escalate.map_or_else(|| base.escalate.clone(), |Escalate(days)| days),
        }
    }
}

/// The table of every kind.
pub(super) fn table(mut raw: BTreeMap<String, RawRules>) -> KindTable {
    let built_in = KindRules::default();
    let default = match raw.remove("default") {
        Some(rules) => rules.over(&built_in),
        None => built_in,
    };
    let kinds = raw.into_iter().map(|(kind, rules)| (kind, rules.over(&default))).collect();
    KindTable::new(default, kinds)
}
