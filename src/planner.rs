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
use crate::domain::leader::{Leader, People};
use crate::domain::reminder::{History, Reminder, ReminderKey};
use crate::domain::rule::{KindRules, Step};

pub use digest::messages;
pub use forecast::{Forecast, forecast};
pub use occurrence::{Roll, roll};
pub use rules::Rules;
pub use why::Why;

use ladder::Rung;
use standing::{Answered, Question};

/// A look day so far away that nothing will ever be said before someone changes the commitment.
pub const NEVER: NaiveDate = match NaiveDate::from_ymd_opt(9999, 12, 31) {
    Some(day) => day,
    None => NaiveDate::MAX,
};

/// What is due today, and when to look again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan<'a> {
    /// Steps that go out today, in the order of the book.
    pub due: Vec<Reminder>,
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
    plan_and_explain(book, people, rules, sent, today, |_| ())
}

/// As [`plan`], and tells `skip` every other step, with the reason why it does not go out today.
pub fn plan_and_explain<'a>(
    book: impl IntoIterator<Item = &'a Commitment>,
    people: &People,
    rules: &Rules,
    sent: &History,
    today: NaiveDate,
    mut skip: impl FnMut(Skipped<'a>),
) -> Plan<'a> {
    let desk = Desk { people, rules, sent, today };
    let mut room = Room::default();
    let mut plan = Plan::default();
    for commitment in book {
        let look_on = desk.plan_one(commitment, &mut room, &mut plan.due, &mut skip);
        plan.look_on.push((&commitment.reference, look_on));
    }
    plan
}

/// What every decision of a day goes by.
#[derive(Clone, Copy)]
struct Desk<'d> {
    people: &'d People,
    rules: &'d Rules,
    sent: &'d History,
    today: NaiveDate,
}

/// Where the ladders of one window and leader after another stand: a forecast has a million of them.
#[derive(Default)]
struct Room {
    own: Vec<Rung>,
    escalation: Vec<Rung>,
}

impl Desk<'_> {
    /// The steps of one commitment; answers with its next look day.
    fn plan_one<'a>(
        self,
        commitment: &'a Commitment,
        Room { own, escalation }: &mut Room,
        due: &mut Vec<Reminder>,
        skip: &mut impl FnMut(Skipped<'a>),
    ) -> NaiveDate {
        let Self { rules, today, .. } = self;
        if commitment.status != Status::Open {
            return NEVER;
        }
        let Some(kind) = rules.kinds.get(&commitment.kind) else { return NEVER };
        let hand_overs = commitment.responsible.iter().filter_map(|one| one.until);
        let hand_over = hand_overs.filter(|until| *until > today).min().unwrap_or(NEVER);
        let mut look_on = occurrence::next_look(commitment).min(hand_over);
        let sent = self.sent.of(&commitment.reference);
        for window in commitment.windows.iter().filter(|window| window.closed_on.is_none()) {
            ladder::own(own, &window.window, kind, &rules.sending);
            for responsible in commitment.responsible.iter().filter(|one| one.answers_on(today)) {
                let place = (commitment, window, responsible);
                self.escalation(escalation, place, kind, today);
                let question = Question {
                    desk: self,
                    commitment,
                    kind,
                    window,
                    responsible,
                    escalation,
                    sent,
                };
                for rungs in [&*own, &*escalation] {
                    let next = question.ask(rungs, |one| self.sort_out(place, one, due, skip));
                    look_on = look_on.min(next);
                }
            }
        }
        look_on
    }

    /// Puts a step where it belongs: due, or skipped with its reason.
    fn sort_out<'a>(
        self,
        (commitment, window, responsible): Place<'a>,
        Answered { rung, why }: Answered,
        due: &mut Vec<Reminder>,
        skip: &mut impl FnMut(Skipped<'a>),
    ) {
        match (why, rung.moved) {
            (None, Some(moved_on)) => due.push(Reminder {
                reader: self.reader(rung.step, &responsible.leader, commitment).address().key(),
                key: ReminderKey {
                    commitment: commitment.reference.clone(),
                    revision: commitment.revision,
                    window: window.number,
                    step: rung.step,
                    leader: responsible.leader.clone(),
                },
                span: window.window,
                planned_on: rung.planned,
                moved_on,
            }),
            (why, moved_on) => skip(Skipped {
                commitment: &commitment.reference,
                window: window.number,
                leader: &responsible.leader,
                step: rung.step,
                planned_on: rung.planned,
                moved_on,
                why: why.unwrap_or(Why::NoSendingDay),
            }),
        }
    }

    /// Puts the escalation ladder of a window into `rungs`, with the levels that have a receiver on `day`.
    fn escalation(
        self,
        rungs: &mut Vec<Rung>,
        (commitment, window, responsible): Place<'_>,
        kind: &KindRules,
        day: NaiveDate,
    ) {
        let levels = levels(kind, commitment, &responsible.leader, self.people, day);
        ladder::escalation(rungs, &window.window, kind, &self.rules.sending, levels);
    }
}

/// One window of a commitment, and one who answers for it.
type Place<'a> = (&'a Commitment, &'a BookWindow, &'a Responsible);

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
    // One level always has: the manager, or the secretariat.
    if kind.escalate.len() <= 1 {
        return kind.escalate.len();
    }
    let tellable = tellable(commitment, responsible, people, day).len();
    kind.escalate.len().min(tellable.max(1))
}

/// `day` and `days` later; stays where the calendar ends.
fn after(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX)
}
