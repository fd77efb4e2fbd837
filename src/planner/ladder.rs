//! The steps of one window and their days, before anyone asks who gets them (planning.md, "Steps of one window").

use chrono::{Days, NaiveDate};

use super::why::Why;
use crate::domain::rule::{KindRules, Step};
use crate::domain::window::Window;
use crate::schedule::SendingDays;

/// `opens` is worth a message only when it comes more than this many days before the first `before` step.
const OPENS_LEAD_DAYS: i64 = 7;

/// One step with its days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rung {
    pub(super) step: Step,
    /// Its number of days in the rules; tells one rule from another.
    pub(super) days: u32,
    pub(super) planned: NaiveDate,
    /// The sending day it is moved to; `None` when the schedule has none near.
    pub(super) moved: Option<NaiveDate>,
    /// Why the ladder does without it, whoever is responsible.
    pub(super) dropped: Option<Why>,
}

impl Rung {
    /// Where the step stands in time: of two on one day the greater rank is the later.
    pub(super) fn place(&self) -> (Option<NaiveDate>, (u8, i64)) {
        (self.moved, self.step.rank())
    }
}

/// Puts the own ladder of a window into `rungs`, in the order of time.
pub(super) fn own(rungs: &mut Vec<Rung>, window: &Window, kind: &KindRules, sending: &SendingDays) {
    rungs.clear();
    kind.own_steps().for_each(|(step, days)| rungs.extend(rung(step, days, window, sending)));
    drop_opens(rungs, window);
    merge(rungs);
}

/// Puts the escalation ladder of a window into `rungs`: the first `levels` levels, in the order of time; the others have
/// no receiver.
pub(super) fn escalation(
    rungs: &mut Vec<Rung>,
    window: &Window,
    kind: &KindRules,
    sending: &SendingDays,
    levels: usize,
) {
    rungs.clear();
    kind.escalations().for_each(|(step, days)| rungs.extend(rung(step, days, window, sending)));
    for rung in rungs.iter_mut().skip(levels) {
        rung.dropped = Some(Why::NoReceiver);
    }
    merge(rungs);
}

/// The sending day of the deadline itself, whether or not the rules announce it.
pub(super) fn moved_due(window: &Window, sending: &SendingDays) -> Option<NaiveDate> {
    sending.on_or_before(window.due?)
}

/// A step with its days; `None` for a step that hangs on the deadline of an open-ended window.
pub(super) fn rung(step: Step, days: u32, window: &Window, sending: &SendingDays) -> Option<Rung> {
    let days_off = Days::new(u64::from(days));
    let planned = match step {
        Step::Opens => window.opens,
        Step::Due => window.due?,
        Step::Before(_) => window.due?.checked_sub_days(days_off)?,
        Step::Overdue(_) | Step::Escalate(_) => window.due?.checked_add_days(days_off)?,
    };
    let moved = match step {
        Step::Before(_) | Step::Due => sending.on_or_before(planned),
        Step::Opens | Step::Overdue(_) | Step::Escalate(_) => sending.on_or_after(planned),
    };
    let dropped = if moved.is_none() { Some(Why::NoSendingDay) } else { None };
    Some(Rung { step, days, planned, moved, dropped })
}

/// `opens` stands only for a window longer than a day, well before the first `before` step.
fn drop_opens(rungs: &mut [Rung], window: &Window) {
    let first_before = rungs
        .iter()
        .filter(|rung| matches!(rung.step, Step::Before(_)))
        .filter_map(|rung| rung.moved)
        .min();
    let Some(opens) = rungs.iter_mut().find(|rung| rung.step == Step::Opens) else { return };
    if !window.is_longer_than_a_day() {
        opens.dropped = Some(Why::OneDay);
    } else if let (Some(first), Some(moved)) = (first_before, opens.moved)
        && (first - moved).num_days() <= OPENS_LEAD_DAYS
    {
        opens.dropped = Some(Why::BeforeStepsSuffice);
    }
}

/// Sorts by time; of steps moved onto one day only the last stands.
fn merge(rungs: &mut [Rung]) {
    rungs.sort_by_key(Rung::place);
    let mut winner: Option<Rung> = None;
    for rung in rungs.iter_mut().rev().filter(|rung| rung.dropped.is_none()) {
        match winner {
            Some(winner) if winner.moved == rung.moved => {
                rung.dropped = Some(Why::Merged(winner.step))
            }
            _ => winner = Some(*rung),
        }
    }
}
