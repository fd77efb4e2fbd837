//! Deadlines that come again: which occurrences there are today (planning.md, "The book", Recurrence).

use chrono::NaiveDate;

use super::{NEVER, after};
use crate::domain::commitment::{BookWindow, Commitment, Status};
use crate::domain::window::Window;

/// What has become of a recurring commitment since it was last looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roll {
    /// New windows, each with the day it was made.
    pub made: Vec<(Window, NaiveDate)>,
    /// Numbers of windows that ended unanswered, each with the day the next one opened.
    pub unanswered: Vec<(u32, NaiveDate)>,
}

/// Brings the occurrences of a commitment up to `today`, in the book as handed in; what is new is returned so that it
/// can be stored.
///
/// The next occurrence is made the day after the previous one is done or was due. One that is not done ends when the
/// next opens. An occurrence that would begin and end so before today is never made.
pub fn roll(commitment: &mut Commitment, today: NaiveDate) -> Roll {
    let mut roll = Roll::default();
    let Some(rule) = commitment.recurrence.clone().filter(|_| commitment.status == Status::Open)
    else {
        return roll;
    };
    let Some(mut last) = commitment.windows.iter().max_by_key(|window| window.window).cloned()
    else {
        return roll;
    };
    let mut number = commitment.windows.iter().map(|window| window.number).max().unwrap_or(0);
    while let Some(made_on) = made_after(&last).filter(|made_on| *made_on <= today) {
        let anchor = commitment.reference_date;
        let Some(window) = rule.window_after(anchor, last.window.opens) else { break };
        last = BookWindow { number: 0, window, made_on: Some(made_on), closed_on: None };
        if roll.made.last().is_some_and(|_| window.opens <= today) {
            roll.made.pop();
        }
        roll.made.push((window, made_on));
    }
    for (window, made_on) in &roll.made {
        number += 1;
        let made_on = Some(*made_on);
        commitment.windows.push(BookWindow { number, window: *window, made_on, closed_on: None });
    }
    close_unanswered(commitment, today, &mut roll);
    roll
}

/// Ends every open window after which another has opened.
fn close_unanswered(commitment: &mut Commitment, today: NaiveDate, roll: &mut Roll) {
    let opened: Vec<NaiveDate> = commitment
        .windows
        .iter()
        .map(|window| window.window.opens)
        .filter(|opens| *opens <= today)
        .collect();
    for window in commitment.windows.iter_mut().filter(|window| window.closed_on.is_none()) {
        let next = opened.iter().filter(|opens| **opens > window.window.opens).min();
        if let Some(next) = next {
            window.closed_on = Some(*next);
            roll.unanswered.push((window.number, *next));
        }
    }
}

/// The day on which the occurrence after `last` is made.
fn made_after(last: &BookWindow) -> Option<NaiveDate> {
    let ended = [last.closed_on, last.window.due].into_iter().flatten().min()?;
    Some(after(ended, 1))
}

/// The next day on which [`roll`] can change anything, for a commitment rolled up to today.
pub(super) fn next_look(commitment: &Commitment) -> NaiveDate {
    if commitment.recurrence.is_none() {
        return NEVER;
    }
    let last = commitment.windows.iter().max_by_key(|window| window.window);
    let made = last.and_then(made_after);
    let opens = last.filter(|_| commitment.windows.len() > 1).map(|last| last.window.opens);
    [made, opens].into_iter().flatten().min().unwrap_or(NEVER)
}
