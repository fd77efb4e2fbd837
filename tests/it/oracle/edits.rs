//! What people do to a book while a year goes by.

use std::collections::BTreeSet;

use chrono::{NaiveDate, TimeDelta};
use fastrand::Rng;

use super::random::{after, before, chance, escalate, overdue};
use super::world::{Commitment, Responsible, Snooze, Status, Window, World};

impl World {
    /// Does one thing at random, as of `today`; answers with the commitment, or `None` when it may concern them all.
    pub(crate) fn edit(&mut self, rng: &mut Rng, today: NaiveDate) -> Option<String> {
        match rng.u32(0..10) {
            0 => self.move_someone(rng, today),
            1 => self.change_a_rule(rng, today),
            _ => return Some(self.edit_a_commitment(rng, today)),
        }
        None
    }

    fn edit_a_commitment(&mut self, rng: &mut Rng, today: NaiveDate) -> String {
        let people: Vec<String> = self.leaders.keys().cloned().collect();
        let references: Vec<String> = self.commitments.keys().cloned().collect();
        let reference = rng.choice(&references).unwrap().clone();
        let commitment = self.commitments.get_mut(&reference).unwrap();
        match rng.u32(0..10) {
            0..4 => snooze(rng, commitment, today),
            4..6 => {
                let to = pick(rng, &people);
                hand_over(rng, commitment, to, today);
            }
            6 => postpone(rng, commitment, today),
            7 => reopen_or_end(rng, commitment, today),
            _ => close_the_earliest(commitment, today),
        }
        reference
    }

    /// Someone goes away, comes back, leaves, gets an address, or another manager's deputy.
    fn move_someone(&mut self, rng: &mut Rng, today: NaiveDate) {
        let people: Vec<String> = self.leaders.keys().cloned().collect();
        let reference = pick(rng, &people);
        let deputy = pick(rng, &people);
        let leader = self.leaders.get_mut(&reference).unwrap();
        match rng.u32(0..5) {
            0 => leader.absent = Some((Some(today), Some(after(rng, today, 0..=40)))),
            1 => leader.absent = None,
            2 => leader.active = (None, Some(after(rng, today, 0..=20))),
            3 => leader.address = Some(format!("{reference}@kommune.example")),
            _ => leader.deputy = Some(deputy).filter(|deputy| *deputy != reference),
        }
    }

    /// A new rule file: steps that were not there before are born today.
    fn change_a_rule(&mut self, rng: &mut Rng, today: NaiveDate) {
        let kinds: Vec<String> =
            self.commitments.values().map(|commitment| commitment.kind.clone()).collect();
        let kind = pick(rng, &kinds);
        let old: BTreeSet<(String, u32)> = self.rules_of(&kind).steps().into_iter().collect();
        let rules = self.rules.entry(kind.clone()).or_default();
        match rng.u32(0..4) {
            0 => rules.before = Some(before(rng)),
            1 => rules.overdue = Some(overdue(rng)),
            2 => rules.escalate = Some(escalate(rng)),
            _ => (rules.opens, rules.due) = (Some(chance(rng, 70)), Some(chance(rng, 70))),
        }
        let new: BTreeSet<(String, u32)> = self.rules_of(&kind).steps().into_iter().collect();
        for (step, days) in old.difference(&new) {
            self.births.remove(&(kind.clone(), step.clone(), *days));
        }
        for (step, days) in new.difference(&old) {
            self.births.insert((kind.clone(), step.clone(), *days), today);
        }
    }
}

fn pick(rng: &mut Rng, from: &[String]) -> String {
    rng.choice(from).unwrap().clone()
}

/// The one snooze that a leader has of a window is the newest.
fn snooze(rng: &mut Rng, commitment: &mut Commitment, today: NaiveDate) {
    let windows: Vec<u32> = commitment.windows.iter().map(|window| window.number).collect();
    let window = *rng.choice(&windows).unwrap();
    let until = after(rng, today, 1..=45);
    let one = rng.usize(0..commitment.responsible.len());
    let snoozes = &mut commitment.responsible[one].snoozes;
    snoozes.retain(|snooze| snooze.window != window);
    snoozes.push(Snooze { window, until, made_on: today });
}

/// From a day on somebody else answers for it; they may have done so before.
fn hand_over(rng: &mut Rng, commitment: &mut Commitment, to: String, today: NaiveDate) {
    let day = after(rng, today, 0..=10);
    if commitment.responsible.iter().any(|one| one.leader == to && one.until.is_none()) {
        return;
    }
    commitment.responsible.retain(|one| one.leader != to);
    let open: Vec<usize> = (0..commitment.responsible.len())
        .filter(|one| commitment.responsible[*one].until.is_none())
        .collect();
    if let Some(from) = rng.choice(&open) {
        commitment.responsible[*from].until = Some(day);
    }
    let new = Responsible { leader: to, since: Some(day), until: None, snoozes: Vec::new() };
    commitment.responsible.push(new);
}

/// A new deadline is a new revision, and what was before today is history.
fn postpone(rng: &mut Rng, commitment: &mut Commitment, today: NaiveDate) {
    commitment.revision += 1;
    commitment.adoption = today;
    let Some(window) = earliest_open(commitment) else { return };
    let due = after(rng, today, -10..=60);
    window.opens = window.opens.min(due);
    window.due = Some(due);
    window.made_on = Some(today);
    commitment.responsible.iter_mut().for_each(|one| one.snoozes.clear());
}

fn reopen_or_end(rng: &mut Rng, commitment: &mut Commitment, today: NaiveDate) {
    let ends = commitment.status == Status::Open && chance(rng, 30);
    (commitment.status, commitment.adoption) = match ends {
        true => (Status::Done, commitment.adoption),
        false => (Status::Open, today),
    };
}

fn close_the_earliest(commitment: &mut Commitment, today: NaiveDate) {
    if let Some(window) = earliest_open(commitment) {
        window.closed_on = Some(today);
    }
}

fn earliest_open(commitment: &mut Commitment) -> Option<&mut Window> {
    let open = commitment.windows.iter_mut().filter(|window| window.closed_on.is_none());
    open.min_by_key(|window| window.due.unwrap_or(window.opens + TimeDelta::days(36_500)))
}
