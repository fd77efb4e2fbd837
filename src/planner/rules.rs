//! The rules as the planner needs them: steps of every kind, sending days, and since when each step has been in force.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};

use super::NEVER;
use crate::domain::rule::{KindRules, KindTable, RuleStep, Step};
use crate::schedule::SendingDays;

/// Everything the planner goes by.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Steps of every kind.
    pub kinds: KindTable,
    /// Days on which the worker sends.
    pub sending: SendingDays,
    young: BTreeMap<String, Vec<(Step, u32, NaiveDate)>>,
    birthdays: Vec<RuleStep>,
}

impl Rules {
    /// The rules on `today`, where the store remembers `known`.
    ///
    /// The first rules a store sees count as since ever; afterwards a step that is new, or has another number of
    /// days, is born today.
    #[must_use]
    pub fn new(
        kinds: KindTable,
        sending: SendingDays,
        known: &[RuleStep],
        today: NaiveDate,
    ) -> Self {
        let born = |kind: &str, step: Step, days: u32| match known {
            [] => None,
            known => known
                .iter()
                .find(|one| one.kind == kind && one.step == step && one.days == days)
                .map_or(Some(today), |one| one.since),
        };
        let mut birthdays = Vec::new();
        for kind in kinds.names() {
            for (step, days) in kinds.get(kind).into_iter().flat_map(KindRules::steps) {
                let since = born(kind, step, days);
                birthdays.push(RuleStep { kind: kind.to_owned(), step, days, since });
            }
        }
        let mut young: BTreeMap<String, Vec<(Step, u32, NaiveDate)>> = BTreeMap::new();
        for one in &birthdays {
            if let Some(since) = one.since {
                young.entry(one.kind.clone()).or_default().push((one.step, one.days, since));
            }
        }
        Self { kinds, sending, young, birthdays }
    }

    /// What the store is to remember.
    #[must_use]
    pub fn birthdays(&self) -> &[RuleStep] {
        &self.birthdays
    }

    /// The last day on which a window can open that there may be anything to say about on `today`. What opens later need not
    /// be read: the first step of any kind, moved to a sending day, is still to come.
    #[must_use]
    pub fn reach(&self, today: NaiveDate) -> NaiveDate {
        let kinds = self.kinds.names().into_iter().filter_map(|kind| self.kinds.get(kind));
        let before = kinds.flat_map(|kind| &kind.before).max().copied().unwrap_or(0);
        let (gap, known_until) = self.sending.longest_gap();
        let days = Days::new(u64::from(before) + u64::from(gap));
        today.checked_add_days(days).filter(|reach| *reach <= known_until).unwrap_or(NEVER)
    }

    /// Since when a step of a kind has been in force; `None` for ever.
    pub(super) fn born(&self, kind: &str, step: Step, days: u32) -> Option<NaiveDate> {
        let steps = self.young.get(kind)?;
        steps.iter().find(|one| (one.0, one.1) == (step, days)).map(|one| one.2)
    }
}
