//! How each step of one ladder stands today, for one responsible leader (planning.md, "What is due on day D" and "Who").

use chrono::NaiveDate;

use super::ladder::{self, Rung};
use super::why::Why;
use super::{Desk, NEVER, after};
use crate::domain::commitment::{BookWindow, Commitment, Responsible, Snooze};
use crate::domain::reminder::Sent;
use crate::domain::rule::{KindRules, Ladder, Step};

/// A manager never hears before the leader has had this many days.
const GRACE_DAYS: u64 = 3;

/// A step and its standing: due when there is no reason why not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answered {
    pub(super) rung: Rung,
    pub(super) why: Option<Why>,
}

/// One window and one responsible leader on one day.
pub(super) struct Question<'q> {
    pub(super) desk: Desk<'q>,
    pub(super) commitment: &'q Commitment,
    pub(super) kind: &'q KindRules,
    pub(super) window: &'q BookWindow,
    pub(super) responsible: &'q Responsible,
    /// The escalation ladder of today.
    pub(super) escalation: &'q [Rung],
    /// What was sent about the commitment.
    pub(super) sent: &'q [Sent],
}

impl<'q> Question<'q> {
    /// Tells how each step of a ladder stands; answers with the next day on which that can be otherwise.
    pub(super) fn ask(&self, rungs: &[Rung], mut tell: impl FnMut(Answered)) -> NaiveDate {
        let latest = self.latest(rungs, self.desk.today);
        let blocked = latest.and_then(|latest| self.blocked(latest));
        let mut look_on = NEVER;
        for rung in rungs {
            let answered = self.standing(*rung, latest, blocked);
            look_on = look_on.min(self.look_on(&answered).unwrap_or(NEVER));
            tell(answered);
        }
        look_on
    }

    /// What was sent about this window to, or for, this leader, and is `wanted`.
    fn sent(&self, wanted: impl Fn(&Sent) -> bool) -> impl Iterator<Item = &'q Sent> {
        let about = (self.commitment.revision, self.window.number);
        self.sent.iter().filter(move |sent| {
            (sent.revision, sent.window) == about
                && wanted(sent)
                && sent.leader == self.responsible.leader
        })
    }

    /// The day before which the steps are history.
    fn adoption(&self) -> NaiveDate {
        let since = [self.responsible.since, self.window.made_on];
        since.into_iter().flatten().fold(self.commitment.adoption, NaiveDate::max)
    }

    /// The latest step of a ladder, which is in the order of time, whose day has come on `day`.
    fn latest<'r>(&self, rungs: &'r [Rung], day: NaiveDate) -> Option<&'r Rung> {
        rungs.iter().rev().find(|rung| rung.moved <= Some(day) && self.eligible(rung).is_none())
    }

    /// Why a step does not take part today, whatever was sent.
    fn eligible(&self, rung: &Rung) -> Option<Why> {
        let lapses = matches!(rung.step, Step::Before(_) | Step::Opens);
        let born = self.desk.rules.born(&self.commitment.kind, rung.step, rung.days);
        let adoption = self.adoption();
        let before = |day: NaiveDate| rung.moved < Some(day);
        match (rung.dropped, born) {
            (Some(why), _) => Some(why),
            _ if before(adoption) => Some(Why::BeforeAdoption(adoption)),
            (_, Some(born)) if before(born) => Some(Why::BeforeRule(born)),
            _ if lapses && self.window.window.due.is_some_and(|due| due < self.desk.today) => {
                Some(Why::Lapsed)
            }
            _ => None,
        }
    }

    /// Why the latest step of a ladder does not go out today after all.
    fn blocked(&self, latest: &Rung) -> Option<Why> {
        if let Some(sent) = self.sent_at_or_after(latest) {
            let same = sent.step == latest.step;
            return Some(if same { went(sent) } else { Why::Overtaken(sent.step) });
        }
        match latest.step.ladder() {
            Ladder::Own => {
                self.snoozed_until().filter(|until| self.desk.today < *until).map(Why::Snoozed)
            }
            Ladder::Escalation => {
                let told_on = self.told_on();
                let told = told_on.is_some_and(|told_on| told_on <= self.desk.today);
                (!told).then_some(Why::LeaderNotTold(told_on))
            }
        }
    }

    /// A message that went for this step or a later one of its ladder. A step that the rules no longer name stands
    /// where they would place it, a level beyond them after all others.
    fn sent_at_or_after(&self, rung: &Rung) -> Option<&'q Sent> {
        let place = |step: Step| {
            let overdue = self.kind.overdue;
            let days = match step {
                Step::Before(days) => Some(days),
                Step::Opens | Step::Due => Some(0),
                Step::Overdue(nth) => nth
                    .checked_sub(1)
                    .and_then(|times| times.checked_mul(overdue.every))
                    .and_then(|days| days.checked_add(overdue.first)),
                Step::Escalate(level) => {
                    self.kind.escalate.get(level.saturating_sub(1) as usize).copied()
                }
            };
            days.and_then(|days| {
                ladder::rung(step, days, &self.window.window, &self.desk.rules.sending)
            })
            .map_or((Some(NEVER), step.rank()), |rung| rung.place())
        };
        let ladder = rung.step.ladder();
        self.sent(|sent| sent.step.ladder() == ladder && place(sent.step) >= rung.place()).next()
    }

    /// The first day on which messages go again; a snooze ends at the latest the day before the next escalation.
    fn snoozed_until(&self) -> Option<NaiveDate> {
        let snooze =
            self.responsible.snoozes.iter().find(|one| one.window == self.window.number)?;
        Some(
            self.next_escalation_after(snooze)
                .map_or(snooze.until, |on| snooze.until.min(on.pred_opt().unwrap_or(on))),
        )
    }

    fn next_escalation_after(&self, snooze: &Snooze) -> Option<NaiveDate> {
        self.escalation
            .iter()
            .filter(|rung| rung.dropped.is_none())
            .filter_map(|rung| rung.moved)
            .find(|moved| *moved > snooze.made_on)
    }

    /// The first day on which managers may hear, since the leader has known of the missed deadline for long enough.
    pub(super) fn told_on(&self) -> Option<NaiveDate> {
        let moved_due = ladder::moved_due(&self.window.window, &self.desk.rules.sending)?;
        self.sent(|sent| sent.step.ladder() == Ladder::Own && sent.on >= moved_due)
            .filter_map(|sent| sent.accepted_on)
            .min()
            .map(|accepted_on| after(accepted_on, GRACE_DAYS))
    }

    /// The next escalation and its day, as a message of today announces it: supposing that it is accepted today and
    /// nothing is done. Hand-overs to come are foreseen.
    pub(super) fn next_escalation(&self) -> Option<(Step, NaiveDate)> {
        let told_before = self.told_on().is_some_and(|told_on| told_on <= self.desk.today);
        let goes_today = self.latest(self.escalation, self.desk.today).filter(|_| told_before);
        let mut escalation = Vec::new();
        self.days_to_come().into_iter().find_map(|day| {
            self.desk.escalation(
                &mut escalation,
                (self.commitment, self.window, self.responsible),
                self.kind,
                day,
            );
            let latest = self.latest(&escalation, day)?;
            let went = goes_today.is_some_and(|today| today.place() >= latest.place());
            (!went && self.sent_at_or_after(latest).is_none()).then_some((latest.step, day))
        })
    }

    /// The sending days after today on which a manager may be told something else than the day before, as long as the
    /// leader answers for it.
    fn days_to_come(&self) -> Vec<NaiveDate> {
        let told_on = self.told_on().unwrap_or(after(self.desk.today, GRACE_DAYS));
        let steps = self.escalation.iter().filter_map(|rung| rung.moved);
        let hand_overs = self.commitment.responsible.iter().filter_map(|one| one.until);
        let mut days: Vec<NaiveDate> = steps
            .chain(hand_overs)
            .filter_map(|day| self.desk.rules.sending.on_or_after(day.max(told_on)))
            .filter(|day| *day > self.desk.today && self.responsible.answers_on(*day))
            .collect();
        days.sort_unstable();
        days
    }

    fn standing(&self, rung: Rung, latest: Option<&Rung>, blocked: Option<Why>) -> Answered {
        let posted = self.sent(|sent| sent.step == rung.step).next().map(went);
        let why = match (posted.or_else(|| self.eligible(&rung)), latest) {
            (Some(why), _) => Some(why),
            (None, Some(latest)) if latest.step == rung.step => blocked,
            (None, Some(latest)) if rung.place() < latest.place() => {
                Some(Why::Overtaken(latest.step))
            }
            (None, _) => Some(Why::NotYet),
        };
        Answered { rung, why }
    }

    /// The next day on which a step can stand otherwise.
    fn look_on(&self, answered: &Answered) -> Option<NaiveDate> {
        let tomorrow = after(self.desk.today, 1);
        match answered.why {
            // Due and not yet sent: look again, today too, until it is history.
            None => Some(self.desk.today),
            Some(Why::NotYet) => answered.rung.moved,
            Some(Why::Snoozed(until)) => Some(until.max(tomorrow)),
            Some(Why::LeaderNotTold(Some(told_on))) => Some(told_on.max(tomorrow)),
            Some(Why::LeaderNotTold(None)) => self.sent(|_| true).next().map(|_| tomorrow),
            _ => None,
        }
    }
}

/// How a step stands that was put into a message.
fn went(sent: &Sent) -> Why {
    if sent.accepted_on.is_some() { Why::Sent(sent.on) } else { Why::Posted(sent.on) }
}
