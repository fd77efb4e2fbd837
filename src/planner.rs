//! Who is reminded of what, and when: a pure function of the book, the rules, what was sent, and today.
//!
//! The forecast, the dry run, the demo and the worker all call the very same [`plan`] and [`messages`].

mod digest;
mod forecast;
mod ladder;
mod occurrence;
mod rules;
mod standing;
mod why;

use chrono::{Days, NaiveDate};

use crate::domain::commitment::{BookWindow, Commitment, Responsible, Status};
use crate::domain::leader::{Leader, People, Receiver};
use crate::domain::reminder::{History, Reminder, ReminderKey};
use crate::domain::rule::{KindRules, Ladder, Step};

pub use digest::messages;
pub use forecast::{Forecast, forecast};
pub use occurrence::{Roll, roll};
pub use rules::Rules;
pub use why::Why;

use standing::Question;

/// A look day so far away that nothing will ever be said before someone changes the commitment.
pub const NEVER: NaiveDate = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

/// What is due today, what is not and why, and when to look again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan<'a> {
    /// Steps that go out today, in the order of the book.
    pub due: Vec<Reminder>,
    /// Every other step, with the reason why it does not.
    pub skipped: Vec<Skipped<'a>>,
    /// For each commitment the next day on which there can be anything to say; [`NEVER`] for none.
    pub look_on: Vec<(&'a str, NaiveDate)>,
}

/// A step that does not go out today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skipped<'a> {
    /// Reference of the commitment.
    pub commitment: &'a str,
    /// Number of the window.
    pub window: u32,
    /// Reference of the responsible leader.
    pub leader: &'a str,
    /// The step.
    pub step: Step,
    /// The day the rules name.
    pub planned_on: NaiveDate,
    /// The sending day it is moved to; `None` when the schedule has none near.
    pub moved_on: Option<NaiveDate>,
    /// Why it does not go.
    pub why: Why,
}

/// Decides what is due on `today`.
///
/// `book` is all commitments, or those whose look day has come; windows of recurrences have been made up to today
/// ([`roll`]). Kinds without rules are passed over: the config or the row is wrong, and `check` says so.
#[must_use]
pub fn plan<'a>(
    book: impl IntoIterator<Item = &'a Commitment>,
    people: &People,
    rules: &Rules,
    sent: &History,
    today: NaiveDate,
) -> Plan<'a> {
    let mut plan = Plan::default();
    for commitment in book {
        let look_on = plan_one(commitment, people, rules, sent, today, &mut plan);
        plan.look_on.push((&commitment.reference, look_on));
    }
    plan
}

/// The steps of one commitment; answers with its next look day.
fn plan_one<'a>(
    commitment: &'a Commitment,
    people: &People,
    rules: &Rules,
    sent: &History,
    today: NaiveDate,
    plan: &mut Plan<'a>,
) -> NaiveDate {
    let Some(kind) = rules.kinds.get(&commitment.kind) else { return NEVER };
    if commitment.status != Status::Open {
        return NEVER;
    }
    let hand_overs = commitment.responsible.iter().filter_map(|one| one.until);
    let hand_over = hand_overs.filter(|until| *until > today).min().unwrap_or(NEVER);
    let mut look_on = occurrence::next_look(commitment).min(hand_over);
    for window in commitment.windows.iter().filter(|window| window.closed_on.is_none()) {
        let own = ladder::own(&window.window, kind, &rules.sending);
        for responsible in commitment.responsible.iter().filter(|one| one.answers_on(today)) {
            let question = Question::new(
                commitment,
                window,
                responsible,
                &own,
                people,
                rules,
                kind,
                sent,
                today,
            );
            for ladder in [Ladder::Own, Ladder::Escalation] {
                let answer = question.ask(ladder);
                look_on = look_on.min(answer.look_on);
                let reader =
                    |step| digest::receiver(step, &responsible.leader, commitment, people, today);
                sort_out(plan, commitment, window, responsible, answer.rungs, reader);
            }
        }
    }
    look_on
}

/// Puts each step where it belongs: due, or skipped with its reason.
fn sort_out<'a>(
    plan: &mut Plan<'a>,
    commitment: &'a Commitment,
    window: &BookWindow,
    responsible: &'a Responsible,
    rungs: Vec<standing::Answered>,
    reader: impl Fn(Step) -> Receiver,
) {
    for rung in rungs {
        match (rung.why, rung.rung.moved) {
            (None, Some(moved_on)) => plan.due.push(Reminder {
                key: ReminderKey {
                    commitment: commitment.reference.clone(),
                    revision: commitment.revision,
                    window: window.number,
                    step: rung.rung.step,
                    leader: responsible.leader.clone(),
                },
                span: window.window,
                planned_on: rung.rung.planned,
                moved_on,
                reader: reader(rung.rung.step).mailbox.address.key(),
            }),
            (why, moved_on) => plan.skipped.push(Skipped {
                commitment: &commitment.reference,
                window: window.number,
                leader: &responsible.leader,
                step: rung.rung.step,
                planned_on: rung.rung.planned,
                moved_on,
                why: why.unwrap_or(Why::NoSendingDay),
            }),
        }
    }
}

/// The managers who can be told on `day` about a commitment on behalf of one responsible leader: the chain above,
/// without those who are responsible themselves.
fn tellable<'p>(
    commitment: &Commitment,
    responsible: &str,
    people: &'p People,
    day: NaiveDate,
) -> Vec<&'p Leader> {
    let mut chain = people.chain(responsible);
    let answering = commitment.responsible.iter().filter(|one| one.answers_on(day));
    chain.retain(|manager| !answering.clone().any(|one| one.leader == manager.reference));
    chain
}

/// How many levels of a kind's ladder have a receiver: one for each tellable manager, and the secretariat alone where
/// there is none.
fn levels(
    kind: &KindRules,
    commitment: &Commitment,
    responsible: &str,
    people: &People,
    day: NaiveDate,
) -> usize {
    if kind.escalate.is_empty() {
        return 0;
    }
    let tellable = tellable(commitment, responsible, people, day).len();
    kind.escalate.len().min(tellable.max(1))
}

/// `day` and `days` later; stays where the calendar ends.
fn after(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX)
}
