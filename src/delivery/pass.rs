//! The desk: what every verb and every pass works with, and the facts of a day.

use chrono::{NaiveDate, NaiveTime};

use super::reading;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::commitment::Commitment;
use crate::domain::leader::People;
use crate::domain::reminder::{History, Message, Reminder};
use crate::domain::rule::RuleStep;
use crate::mail::compose::Templates;
use crate::planner::{self, Rules};
use crate::schedule::Schedule;
use crate::store::outbox::Counts;
use crate::store::{
    self, ClosedAs, ClosedWindow, Occurrence, Page, RowProblem, Stamp, Store, Which,
};

/// Who is recorded for what the worker does by itself.
const WORKER: &str = "advis";

/// The name under which the store keeps what the planner went by at the last pass.
const CALENDAR_SEEN: &str = "calendar_seen";

/// The name under which the store keeps the day of the last pass.
const PLANNED_ON: &str = "planned_on";

/// What a pass works with.
#[derive(Clone, Copy)]
pub struct Desk<'d> {
    /// Book and outbox.
    pub store: &'d Store,
    /// Rules, calendar, schedule, sender.
    pub config: &'d Config,
    /// Today.
    pub clock: &'d Clock,
    /// The texts of the mails.
    pub templates: &'d Templates,
    /// Whether the day is pretended: what is sent does not count as a real delivery.
    pub rehearsal: bool,
}

/// The facts of one day.
pub struct Facts {
    /// Commitments, by reference, their recurrences rolled on to today.
    pub book: Vec<Commitment>,
    /// The address book.
    pub people: People,
    /// The rules with their birthdays.
    pub rules: Rules,
    /// What was sent about the book.
    pub sent: History,
    /// Rows that make no sense.
    pub problems: Vec<RowProblem>,
}

impl Facts {
    /// The commitment with that reference.
    #[must_use]
    pub fn commitment(&self, reference: &str) -> Option<&Commitment> {
        find(&self.book, reference)
    }

    /// The messages that are due on `today`.
    #[must_use]
    pub fn messages(&self, due: &[Reminder], today: NaiveDate) -> Vec<Message> {
        let find = |reference: &str| self.commitment(reference);
        planner::messages(due, find, &self.people, &self.rules, &self.sent, today)
    }
}

impl Desk<'_> {
    /// Today in the municipality.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        self.clock.today()
    }

    pub(super) fn stamp(&self) -> Stamp {
        Stamp::now(self.clock, WORKER)
    }

    /// Reads what other systems wrote since the last pass; answers with the rows that need a person.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn read_new(&self) -> Result<Vec<RowProblem>, store::Error> {
        let (unread, unreadable) = self.store.unread().await?;
        let kinds = &self.config.rules;
        let entered: Vec<_> =
            unread.into_iter().map(|row| reading::read(row, kinds, self.today())).collect();
        if !entered.is_empty() {
            self.store.enter(&entered, &self.stamp()).await?;
        }
        let problem = |one: &store::Entered| {
            let reference = one.unread.reference.clone();
            reading::problem(one).map(|what| RowProblem { reference, what })
        };
        Ok(entered.iter().filter_map(problem).chain(unreadable).collect())
    }

    /// Everything the planner goes by, for the commitments asked for. Changes nothing.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn facts(&self, which: Which<'_>) -> Result<Facts, store::Error> {
        let (mut book, mut problems) = self.store.book(which).await?;
        self.roll(&mut book);
        let rules = self.rules(&self.store.rule_steps().await?);
        let (people, bad_leaders) = self.people().await?;
        problems.extend(bad_leaders);
        let sent = self.store.history(which, self.today()).await?;
        Ok(Facts { book, people, rules, sent, problems })
    }

    /// The address book, and the rows in it that make no sense.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn people(&self) -> Result<(People, Vec<RowProblem>), store::Error> {
        let secretariat = self.config.mail.secretariat.clone();
        self.store.people(secretariat, self.config.organisation.language).await
    }

    /// What the planner goes by about `commitments`, and about messages of today to `readers` (address keys). Changes
    /// nothing.
    pub(super) async fn page(
        &self,
        commitments: &[&str],
        readers: &[&str],
    ) -> Result<Page, store::Error> {
        let (secretariat, language) =
            (self.config.mail.secretariat.clone(), self.config.organisation.language);
        self.store.page(commitments, readers, self.today(), secretariat, language).await
    }

    /// Today's rules, where the store remembers `known`.
    fn rules(&self, known: &[RuleStep]) -> Rules {
        let (kinds, sending) = (self.config.rules.clone(), self.config.sending_days.clone());
        Rules::new(kinds, sending, known, self.today())
    }

    /// How many messages stand where, today in the municipality.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn counts(&self) -> Result<Counts, store::Error> {
        let midnight = self.today().and_time(NaiveTime::MIN);
        self.store.counts(self.today(), Schedule::resolve(midnight, self.clock.zone())).await
    }

    /// What would be sent today. Changes nothing.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn rehearse(&self) -> Result<Vec<Message>, store::Error> {
        let facts = self.facts(Which::Open).await?;
        let today = self.today();
        let plan = planner::plan(&facts.book, &facts.people, &facts.rules, &facts.sent, today);
        Ok(facts.messages(&plan.due, today))
    }

    /// The rules' steps as they are when all that was due up to `day` counts as sent: each is born the day after.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn steps_after(&self, day: NaiveDate) -> Result<Vec<RuleStep>, store::Error> {
        let rules = self.rules(&self.store.rule_steps().await?);
        let born = day.succ_opt();
        let step = |one: &RuleStep| RuleStep { since: one.since.max(born), ..one.clone() };
        Ok(rules.birthdays().iter().map(step).collect())
    }

    /// Puts right what a clock left behind that was ahead and has been set back.
    pub(super) async fn mind_the_clock(&self) -> Result<(), store::Error> {
        let today = self.today().to_string();
        let planned_on = self.store.meta(PLANNED_ON).await?;
        if planned_on.as_ref().is_some_and(|planned_on| *planned_on > today) {
            self.store.set_back_to(self.today()).await?;
        }
        if planned_on.as_deref() != Some(&today) {
            self.store.set_meta(PLANNED_ON, &today).await?;
        }
        Ok(())
    }

    /// Keeps the birthdays of new rules; rules, calendar or schedule that have changed let every commitment be looked at.
    pub(super) async fn keep_rules(&self) -> Result<Rules, store::Error> {
        let known = self.store.rule_steps().await?;
        let rules = self.rules(&known);
        if !is_same(&known, rules.birthdays()) {
            self.store.replace_rule_steps(rules.birthdays()).await?;
        }
        if !self.knows_calendar().await? {
            self.store.clear_look_on().await?;
            self.store.set_meta(CALENDAR_SEEN, &self.calendar_seen()).await?;
        }
        Ok(rules)
    }

    /// Today's rules, and whether the last pass went by the same, and by the same calendar and schedule.
    pub(super) async fn rules_since_last_pass(&self) -> Result<(Rules, bool), store::Error> {
        let known = self.store.rule_steps().await?;
        let rules = self.rules(&known);
        let is_same = is_same(&known, rules.birthdays()) && self.knows_calendar().await?;
        Ok((rules, is_same))
    }

    /// Whether calendar and schedule are those of the last pass.
    async fn knows_calendar(&self) -> Result<bool, store::Error> {
        Ok(self.store.meta(CALENDAR_SEEN).await?.as_deref() == Some(&self.calendar_seen()))
    }

    fn calendar_seen(&self) -> String {
        format!("{:?} {}", self.config.calendar, self.config.reminders.source())
    }

    /// Makes the occurrences of recurrences that are there today, and ends those that the next one follows, in the store
    /// and in the book that it answers with.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn roll_on(
        &self,
        which: Which<'_>,
    ) -> Result<(Vec<Commitment>, Vec<RowProblem>), store::Error> {
        let (mut book, problems) = self.store.book(which).await?;
        self.roll_both(&mut book).await?;
        Ok((book, problems))
    }

    /// The same in the book at hand and in the store.
    pub(super) async fn roll_both(&self, book: &mut [Commitment]) -> Result<(), store::Error> {
        let (made, closed) = self.roll(book);
        self.store.roll(&made, &closed, &self.stamp()).await
    }

    /// The same in the book at hand; answers with what has changed.
    pub(super) fn roll(&self, book: &mut [Commitment]) -> (Vec<Occurrence>, Vec<ClosedWindow>) {
        let (mut made, mut closed) = (Vec::new(), Vec::new());
        for commitment in book {
            let roll = planner::roll(commitment, self.today());
            let (reference, revision) = (&commitment.reference, commitment.revision);
            made.extend(roll.made.into_iter().map(|(window, made_on)| Occurrence {
                commitment: reference.clone(),
                revision,
                window,
                made_on,
            }));
            closed.extend(roll.unanswered.into_iter().map(|(number, on)| ClosedWindow {
                commitment: reference.clone(),
                revision,
                number,
                on,
                closed_as: ClosedAs::NotAnswered,
            }));
        }
        (made, closed)
    }
}

/// The commitment with that reference, in a book that is in the order of references.
pub(super) fn find<'b>(book: &'b [Commitment], reference: &str) -> Option<&'b Commitment> {
    let place = book.binary_search_by(|one| one.reference.as_str().cmp(reference)).ok()?;
    book.get(place)
}

/// Whether two lists of steps are the same but for their order.
fn is_same(known: &[RuleStep], wanted: &[RuleStep]) -> bool {
    known.len() == wanted.len() && wanted.iter().all(|one| known.contains(one))
}
