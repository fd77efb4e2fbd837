//! The steps of one window, by the table of the rules.

use std::cmp::Reverse;

use chrono::{Days, NaiveDate};

use super::world::{Window, World};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) name: String,
    /// The number of days in the rules; with the name it says which step this is.
    pub(crate) days: u32,
    pub(crate) planned: NaiveDate,
    pub(crate) moved: NaiveDate,
}

fn plus(day: NaiveDate, days: u32) -> NaiveDate {
    day + Days::new(u64::from(days))
}

/// A window of one day has nothing to announce.
fn is_longer_than_a_day(window: &Window) -> bool {
    window.due != Some(window.opens)
}

impl World {
    fn forward(&self, name: String, days: u32, planned: NaiveDate) -> Step {
        Step { name, days, planned, moved: self.on_to_sending(planned) }
    }

    fn backward(&self, name: String, days: u32, planned: NaiveDate) -> Step {
        Step { name, days, planned, moved: self.back_to_sending(planned) }
    }

    /// Every step to the responsible themselves, in the order of the table.
    pub(crate) fn own_steps(&self, kind: &str, window: &Window) -> Vec<Step> {
        let rules = self.rules_of(kind);
        let mut before = Vec::new();
        if let Some(due) = window.due {
            for days in rules.before.unwrap() {
                let planned = due - Days::new(u64::from(days));
                before.push(self.backward(format!("before:{days}"), days, planned));
            }
        }
        before.sort_by_key(|step| Reverse(step.days));

        let opens = self.forward("opens".into(), 0, window.opens);
        let early_enough = before
            .iter()
            .map(|step| step.moved)
            .min()
            .is_none_or(|first| (first - opens.moved).num_days() > 7);
        let announced = rules.opens.unwrap() && is_longer_than_a_day(window) && early_enough;

        let mut steps = before;
        if announced {
            steps.push(opens);
        }
        if let Some(due) = window.due {
            if rules.due.unwrap() {
                steps.push(self.backward("due".into(), 0, due));
            }
            let (first, every, at_most) = rules.overdue.unwrap();
            for number in 1..=at_most {
                let days = first + (number - 1) * every;
                steps.push(self.forward(format!("overdue:{number}"), days, plus(due, days)));
            }
        }
        steps
    }

    /// The steps to managers, in the order of the table: `levels` of them have a receiver.
    pub(crate) fn escalations(&self, kind: &str, window: &Window, levels: usize) -> Vec<Step> {
        let Some(due) = window.due else { return Vec::new() };
        let rules = self.rules_of(kind);
        let mut steps = Vec::new();
        for (level, days) in (1..=levels).zip(rules.escalate.unwrap()) {
            steps.push(self.forward(format!("escalate:{level}"), days, plus(due, days)));
        }
        steps
    }

    /// The moved day of any step by its name, in the rules or not; `None` when no day can be told.
    pub(crate) fn moved(&self, kind: &str, window: &Window, step: &str) -> Option<NaiveDate> {
        let rules = self.rules_of(kind);
        let (name, number) = step.split_once(':').unwrap_or((step, "0"));
        let number: u32 = number.parse().unwrap();
        match name {
            "opens" => Some(self.on_to_sending(window.opens)),
            "due" => Some(self.back_to_sending(window.due?)),
            "before" => Some(self.back_to_sending(window.due? - Days::new(u64::from(number)))),
            "overdue" => {
                let (first, every, _) = rules.overdue.unwrap();
                Some(self.on_to_sending(plus(window.due?, first + (number - 1) * every)))
            }
            _ => {
                let days = *rules.escalate.unwrap().get(number as usize - 1)?;
                Some(self.on_to_sending(plus(window.due?, days)))
            }
        }
    }
}

/// Of the steps moved onto one day only the last in the table is left; by day.
pub(crate) fn merged(steps: &[Step]) -> Vec<Step> {
    let mut left = Vec::new();
    for (place, step) in steps.iter().enumerate() {
        if steps[place + 1..].iter().all(|later| later.moved != step.moved) {
            left.push(step.clone());
        }
    }
    left.sort_by_key(|step| step.moved);
    left
}
