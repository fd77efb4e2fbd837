//! The same book in the product's own values, to ask its planner.

use std::collections::{BTreeMap, BTreeSet};

use advis::domain::calendar::{Calendar, DayOff};
use advis::domain::commitment::{self as theirs, BookWindow, Source};
use advis::domain::leader::{self, Language, People};
use advis::domain::reminder::{History, ReminderKey};
use advis::domain::rule::{KindRules, KindTable, Overdue, RuleStep};
use advis::domain::{reminder, rule, window};
use advis::planner;
use advis::schedule::{Schedule, SendingDays};
use chrono::NaiveDate;

use super::world::{Commitment, Key, Ladder, Leader, Period, Rules, Sent, Status, World};

/// The name of the secretariat.
pub(super) const SECRETARIAT: &str = "Sekretariatet";

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl World {
    /// The line of the schedule.
    pub(crate) fn cron(&self) -> String {
        let days = WEEKDAYS.iter().zip(self.fires).filter(|(_, fires)| *fires);
        let days: Vec<&str> = days.map(|(name, _)| *name).collect();
        format!("0 0 8 * * {}", days.join(","))
    }

    /// The days off as a config names them: a day, or a range.
    pub(crate) fn days_off(&self) -> Vec<String> {
        let mut runs: Vec<(NaiveDate, NaiveDate)> = Vec::new();
        for day in &self.days_off {
            match runs.last_mut() {
                Some((_, last)) if last.succ_opt() == Some(*day) => *last = *day,
                _ => runs.push((*day, *day)),
            }
        }
        let name = |(first, last): (NaiveDate, NaiveDate)| {
            if first == last { first.to_string() } else { format!("{first}..{last}") }
        };
        runs.into_iter().map(name).collect()
    }

    pub(crate) fn sending_days(&self) -> SendingDays {
        let off: Vec<DayOff> =
            self.days_off().into_iter().map(|text| text.parse().unwrap()).collect();
        SendingDays::new(Calendar::new(off), Schedule::parse(&self.cron()).unwrap())
    }

    pub(crate) fn their_book(&self) -> Vec<theirs::Commitment> {
        let book = self.commitments.iter();
        book.map(|(reference, commitment)| their_commitment(reference, commitment)).collect()
    }

    pub(crate) fn their_people(&self) -> People {
        let leaders = self.leaders.iter();
        let leaders = leaders.map(|(reference, leader)| their_leader(reference, leader));
        let secretariat = format!("{SECRETARIAT} <{}>", self.secretariat).parse().unwrap();
        People::new(leaders, secretariat, Language::Danish)
    }

    pub(crate) fn their_rules(&self, sending: SendingDays, today: NaiveDate) -> planner::Rules {
        let own = self.rules.keys().filter(|kind| *kind != "default");
        let kinds: BTreeMap<String, KindRules> =
            own.map(|kind| (kind.clone(), their_kind(&self.rules_of(kind)))).collect();
        let table = KindTable::new(their_kind(&self.rules_of("default")), kinds);
        let mut known = Vec::new();
        for kind in table.names() {
            for (step, days) in self.rules_of(kind).steps() {
                let since = self.births.get(&(kind.to_owned(), step.clone(), days)).copied();
                let step = step.parse().unwrap();
                known.push(RuleStep { kind: kind.to_owned(), step, days, since });
            }
        }
        planner::Rules::new(table, sending, &known, today)
    }
}

fn their_period((from, to): Period) -> leader::Period {
    leader::Period { from, to }
}

fn their_leader(reference: &str, leader: &Leader) -> leader::Leader {
    leader::Leader {
        reference: reference.to_owned(),
        name: leader.name.clone(),
        email: leader.address.as_ref().map(|address| address.parse().unwrap()),
        role: String::new(),
        unit: String::new(),
        manager: leader.manager.clone(),
        deputy: leader.deputy.clone(),
        language: Language::Danish,
        active: their_period(leader.active),
        absent: leader.absent.map(their_period).unwrap_or_default(),
    }
}

pub(super) fn their_status(status: Status) -> theirs::Status {
    match status {
        Status::Open => theirs::Status::Open,
        Status::NeedsDate => theirs::Status::NeedsDate,
        Status::Done => theirs::Status::Done,
        Status::Cancelled => theirs::Status::Cancelled,
    }
}

fn their_commitment(reference: &str, commitment: &Commitment) -> theirs::Commitment {
    let windows = commitment.windows.iter().map(|one| BookWindow {
        number: one.number,
        window: window::Window { opens: one.opens, due: one.due },
        made_on: one.made_on,
        closed_on: one.closed_on,
    });
    let responsible = commitment.responsible.iter().map(|one| theirs::Responsible {
        leader: one.leader.clone(),
        since: one.since,
        until: one.until,
        snoozes: (one.snoozes.iter())
            .map(|snooze| theirs::Snooze {
                window: snooze.window,
                until: snooze.until,
                made_on: snooze.made_on,
            })
            .collect(),
    });
    theirs::Commitment {
        reference: reference.to_owned(),
        title: format!("Opgave {reference}"),
        kind: commitment.kind.clone(),
        phrase: String::new(),
        confidence: None,
        organisation: String::new(),
        source: Source::default(),
        confidential: false,
        status: their_status(commitment.status),
        adoption: commitment.adoption,
        revision: commitment.revision,
        windows: windows.collect(),
        recurrence: None,
        reference_date: commitment.adoption,
        responsible: responsible.collect(),
    }
}

fn their_kind(rules: &Rules) -> KindRules {
    let (first, every, at_most) = rules.overdue.unwrap();
    KindRules {
        before: rules.before.clone().unwrap(),
        opens: rules.opens.unwrap(),
        due: rules.due.unwrap(),
        overdue: Overdue { first, every, at_most },
        escalate: rules.escalate.clone().unwrap(),
    }
}

/// What was sent, as it is known on a day.
pub(super) fn their_history(sent: &Sent, today: NaiveDate) -> History {
    let mut history = History::default();
    for (key, posted) in sent {
        let one = reminder::Sent {
            revision: key.revision,
            window: key.window,
            leader: key.leader.clone(),
            step: key.step.parse().unwrap(),
            on: posted.on,
            accepted_on: posted.accepted.filter(|on| *on <= today),
        };
        history.record(&key.commitment, one);
    }
    history
}

pub(super) fn our_key(key: &ReminderKey) -> Key {
    Key {
        commitment: key.commitment.clone(),
        revision: key.revision,
        window: key.window,
        step: key.step.to_string(),
        leader: key.leader.clone(),
    }
}

pub(super) fn our_messages(
    messages: &[reminder::Message],
) -> BTreeMap<(String, Ladder), BTreeSet<Key>> {
    let mut ours = BTreeMap::new();
    for message in messages {
        let ladder = match message.ladder {
            rule::Ladder::Own => Ladder::Own,
            rule::Ladder::Escalation => Ladder::Escalation,
        };
        let keys = message.items.iter().flat_map(|item| item.reminders());
        let keys: BTreeSet<Key> = keys.map(|key| our_key(&key)).collect();
        let twice = ours.insert((message.to.address.key(), ladder), keys);
        assert!(twice.is_none(), "two messages of one ladder to {}", message.to.address);
    }
    ours
}
