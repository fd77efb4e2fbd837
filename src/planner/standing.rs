//! How each step of one ladder stands today, for one responsible leader (planning.md, "What is due on day D" and "Who").

use chrono::NaiveDate;

use super::ladder::{self, Rung};
use super::why::Why;
use super::{NEVER, Rules, after, levels};
use crate::domain::commitment::{BookWindow, Commitment, Responsible, Snooze};
use crate::domain::leader::People;
use crate::domain::reminder::{History, Sent};
use crate::domain::rule::{KindRules, Ladder, Step};

/// A manager never hears before the leader has had this many days.
const GRACE_DAYS: u64 = 3;

/// A step and its standing: due when there is no reason why not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answered {
    pub(super) rung: Rung,
    pub(super) why: Option<Why>,
}

/// The standing of a whole ladder.
pub(super) struct Answer {
    pub(super) rungs: Vec<Answered>,
    /// The next day on which the answer can be another one.
    pub(super) look_on: NaiveDate,
}

/// One window and one responsible leader on one day.
pub(super) struct Question<'q> {
    commitment: &'q Commitment,
    responsible: &'q Responsible,
    own: &'q [Rung],
    escalation: Vec<Rung>,
    rules: &'q Rules,
    kind: &'q KindRules,
    window: &'q BookWindow,
    sent: Vec<&'q Sent>,
    adoption: NaiveDate,
    today: NaiveDate,
}

impl<'q> Question<'q> {
    #[allow(
        clippy::too_many_arguments,
        reason = "all that a pure decision depends on, and nothing else"
    )]
    pub(super) fn new(
        commitment: &'q Commitment,
        window: &'q BookWindow,
        responsible: &'q Responsible,
        own: &'q [Rung],
        people: &People,
        rules: &'q Rules,
        kind: &'q KindRules,
        history: &'q History,
        today: NaiveDate,
    ) -> Self {
        let levels = levels(kind, commitment, &responsible.leader, people, today);
        let escalation = ladder::escalation(&window.window, kind, &rules.sending, levels);
        let about = history.about(
            &commitment.reference,
            commitment.revision,
            window.number,
            &responsible.leader,
        );
        let adoption = [responsible.since, window.made_on]
            .into_iter()
            .flatten()
            .fold(commitment.adoption, NaiveDate::max);
        let sent = about.collect();
        Self {
            commitment,
            responsible,
            own,
            escalation,
            rules,
            kind,
            window,
            sent,
            adoption,
            today,
        }
    }

    /// How each step of the ladder stands.
    pub(super) fn ask(&self, which: Ladder) -> Answer {
        let rungs = match which {
            Ladder::Own => self.own,
            Ladder::Escalation => &self.escalation,
        };
        let latest = self.latest(rungs, self.today);
        let blocked = latest.and_then(|latest| self.blocked(latest));
        let rungs: Vec<Answered> =
            rungs.iter().map(|rung| self.standing(*rung, latest, blocked)).collect();
        let look_on = self.look_on(&rungs);
        Answer { rungs, look_on }
    }

    /// The latest step of a ladder whose day has come on `day`.
    fn latest<'r>(&self, rungs: &'r [Rung], day: NaiveDate) -> Option<&'r Rung> {
        rungs
            .iter()
            .filter(|rung| self.eligible(rung).is_none() && rung.moved <= Some(day))
            .max_by_key(|rung| rung.place())
    }

    /// Why a step does not take part today, whatever was sent.
    fn eligible(&self, rung: &Rung) -> Option<Why> {
        let lapses = matches!(rung.step, Step::Before(_) | Step::Opens);
        let born = self.rules.born(&self.commitment.kind, rung.step, rung.days);
        let before = |day: NaiveDate| rung.moved < Some(day);
        match (rung.dropped, born) {
            (Some(why), _) => Some(why),
            _ if before(self.adoption) => Some(Why::BeforeAdoption(self.adoption)),
            (_, Some(born)) if before(born) => Some(Why::BeforeRule(born)),
            _ if lapses && self.window.window.due.is_some_and(|due| due < self.today) => {
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
                self.snoozed_until().filter(|until| self.today < *until).map(Why::Snoozed)
            }
            Ladder::Escalation => {
                let told_on = self.told_on();
                let told = told_on.is_some_and(|told_on| told_on <= self.today);
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
            days.and_then(|days| ladder::rung(step, days, &self.window.window, &self.rules.sending))
                .map_or((Some(NEVER), step.rank()), |rung| rung.place())
        };
        self.sent
            .iter()
            .filter(|sent| sent.step.ladder() == rung.step.ladder())
            .find(|sent| place(sent.step) >= rung.place())
            .copied()
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
        let moved_due = ladder::moved_due(&self.window.window, &self.rules.sending)?;
        self.sent
            .iter()
            .filter(|sent| sent.step.ladder() == Ladder::Own && sent.on >= moved_due)
            .filter_map(|sent| sent.accepted_on)
            .min()
            .map(|accepted_on| after(accepted_on, GRACE_DAYS))
    }

    /// The next escalation and its day, as a message of today announces it, if today's is on or after the sending day of
    /// the deadline: supposing that it is accepted today and nothing is done. Hand-overs to come are foreseen.
    pub(super) fn next_escalation(&self, people: &People) -> Option<(Step, NaiveDate)> {
        if ladder::moved_due(&self.window.window, &self.rules.sending)? > self.today {
            return None;
        }
        let told_before = self.told_on().is_some_and(|told_on| told_on <= self.today);
        let goes_today = self.latest(&self.escalation, self.today).filter(|_| told_before);
        self.days_to_come().into_iter().find_map(|day| {
            let escalation = ladder::escalation(
                &self.window.window,
                self.kind,
                &self.rules.sending,
                levels(self.kind, self.commitment, &self.responsible.leader, people, day),
            );
            let latest = self.latest(&escalation, day)?;
            let went = goes_today.is_some_and(|today| today.place() >= latest.place());
            (!went && self.sent_at_or_after(latest).is_none()).then_some((latest.step, day))
        })
    }

    /// The sending days after today on which a manager may be told something else than the day before, as long as the
    /// leader answers for it.
    fn days_to_come(&self) -> Vec<NaiveDate> {
        let told_on = self.told_on().unwrap_or(after(self.today, GRACE_DAYS));
        let steps = self.escalation.iter().filter_map(|rung| rung.moved);
        let hand_overs = self.commitment.responsible.iter().filter_map(|one| one.until);
        let mut days: Vec<NaiveDate> = steps
            .chain(hand_overs)
            .filter_map(|day| self.rules.sending.on_or_after(day.max(told_on)))
            .filter(|day| *day > self.today && self.responsible.answers_on(*day))
            .collect();
        days.sort_unstable();
        days
    }

    fn standing(&self, rung: Rung, latest: Option<&Rung>, blocked: Option<Why>) -> Answered {
        let went =
            self.sent.iter().find(|sent| sent.step == rung.step).map(|sent| Why::Sent(sent.on));
        let why = match (went.or_else(|| self.eligible(&rung)), latest) {
            (Some(why), _) => Some(why),
            (None, Some(latest)) if latest.step == rung.step => blocked,
            (None, Some(latest)) if rung.place() < latest.place() => {
                Some(Why::Overtaken(latest.step))
            }
            (None, _) => Some(Why::NotYet),
        };
        Answered { rung, why }
    }

    /// The next day on which this ladder can have anything to say.
    fn look_on(&self, rungs: &[Answered]) -> NaiveDate {
        let tomorrow = after(self.today, 1);
        let day = |answered: &Answered| match answered.why {
            // Due and not yet sent: look again, today too, until it is history.
            None => Some(self.today),
            Some(Why::NotYet) => answered.rung.moved,
            Some(Why::Snoozed(until)) => Some(until.max(tomorrow)),
            Some(Why::LeaderNotTold(Some(told_on))) => Some(told_on.max(tomorrow)),
            Some(Why::LeaderNotTold(None)) if !self.sent.is_empty() => Some(tomorrow),
            _ => None,
        };
        rungs.iter().filter_map(day).min().unwrap_or(NEVER)
    }
}

/// How a step stands that was put into a message.
fn went(sent: &Sent) -> Why {
    if sent.accepted_on.is_some() { Why::Sent(sent.on) } else { Why::Posted(sent.on) }
}
