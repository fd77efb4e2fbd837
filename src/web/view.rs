//! What the templates get: a task as its reader may see it.

use chrono::NaiveDate;
use serde::Serialize;

use super::Settings;
use super::act::Act;
use super::form::{Fields, SNOOZES};
use super::history::{By, Latest, latest};
use super::render::sender;
use super::visit::{Visit, stand_of};
use crate::domain::commitment::{Commitment, Status};
use crate::domain::leader::{Language, Leader, People};
use crate::link::Purpose;
use crate::mail::compose::{Facts, task, words};
use crate::store::Proposal;

/// A page about a task.
#[derive(Debug, Serialize)]
pub(super) struct TaskView<I> {
    /// The link's own, for the addresses of the other pages.
    token: String,
    /// As mails say it.
    item: I,
    /// `open`, `needs_date`, `done`, `cancelled`.
    status: &'static str,
    /// Names of those who answer for it today.
    responsible: String,
    reader: String,
    /// Whom the reader stands in for; empty when it is the reader's own.
    principal: String,
    /// The reader may do something about it.
    may_act: bool,
    /// The reader answers for it, or stands in for one who does.
    is_theirs: bool,
    /// Reminders wait until that day.
    snoozed_until: Option<String>,
    latest: Option<LatestView>,
    /// The deadline that waits for the secretariat's answer.
    proposal: Option<ProposalView>,
    may_propose: bool,
    /// Whether the page follows a form.
    is_receipt: bool,
    /// The act whose form this is; empty on the page of the task.
    act: &'static str,
    /// The token of that form.
    form: String,
    /// How long reminders may wait, each with its last day.
    snoozes: Vec<ChoiceView>,
    /// Whom it may be given to, by name; on the form that asks for it only.
    colleagues: Vec<ColleagueView>,
    /// What was wrong with what was posted: the name of a field and of a problem.
    problem: Option<(&'static str, &'static str)>,
    /// What was typed, to be typed no second time.
    typed: Fields,
    /// As `<input type="date">` has it.
    tomorrow: String,
}

/// The last thing that was done.
#[derive(Debug, Serialize)]
struct LatestView {
    /// The name in the journal.
    what: String,
    /// Name of the leader; empty for the secretariat.
    by: String,
    is_mine: bool,
    day: String,
    time: String,
    /// The day until which reminders wait.
    until: Option<String>,
    /// Name of the colleague it was given to; empty when it was given to none.
    to: String,
    remark: String,
    /// The token of the form that takes it back.
    undo: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct ProposalView {
    days: String,
    /// Name of the leader.
    by: String,
    is_mine: bool,
}

/// One of several to choose from.
#[derive(Debug, Serialize)]
struct ChoiceView {
    name: &'static str,
    day: String,
}

#[derive(Debug, Serialize)]
struct ColleagueView {
    reference: String,
    /// With role and unit, by which people of one name are told apart.
    name: String,
}

/// What a page adds to the task itself.
#[derive(Debug, Default)]
pub(super) struct Extra {
    pub(super) act: Option<Act>,
    pub(super) is_receipt: bool,
    pub(super) problem: Option<(&'static str, &'static str)>,
    pub(super) typed: Fields,
}

impl Visit {
    /// What the templates get.
    pub(super) fn view(&self, extra: Extra) -> TaskView<impl Serialize + use<>> {
        let (language, today) = (self.language(), self.today());
        let (commitment, people) = (&self.commitment, &self.people);
        let principal = self.principal();
        let snoozed = principal.and_then(|principal| snoozed(commitment, principal, today));
        let form = extra.act.map(|act| self.form(act.purpose(), stand_of(commitment)));
        TaskView {
            token: self.token.clone(),
            item: item(&self.settings, commitment, people, language, principal.is_some()),
            status: commitment.status.name(),
            responsible: responsible(commitment, people, language, today),
            reader: self.reader.name.clone(),
            principal: principal
                .filter(|principal| *principal != self.reader.reference)
                .map(|principal| self.name(principal))
                .unwrap_or_default(),
            may_act: self.may_act(),
            is_theirs: principal.is_some(),
            snoozed_until: snoozed.map(|until| words::weekday_and_day(language, until)),
            latest: latest(&self.events, &self.reader.reference).map(|last| self.latest(&last)),
            proposal: self.proposal.as_ref().map(|one| ProposalView {
                is_mine: one.leader == self.reader.reference,
                ..ProposalView::new(one, people, language)
            }),
            may_propose: self.may_propose(),
            is_receipt: extra.is_receipt,
            act: extra.act.map(Act::name).unwrap_or_default(),
            form: form.unwrap_or_default(),
            snoozes: SNOOZES.iter().filter_map(|name| self.choice(name)).collect(),
            colleagues: match extra.act {
                Some(Act::HandOver) => self.colleague_views(),
                _ => Vec::new(),
            },
            problem: extra.problem,
            typed: extra.typed,
            tomorrow: today.succ_opt().unwrap_or(today).to_string(),
        }
    }

    fn latest(&self, latest: &Latest<'_>) -> LatestView {
        let (language, reader) = (self.language(), &self.reader.reference);
        let is_waiting = self.proposal.is_some() && self.may_propose();
        let until = latest.detail["until"].as_str().and_then(|day| day.parse().ok());
        let (day, time) = self.settings.moment(language, latest.at);
        LatestView {
            what: latest.what.to_owned(),
            by: match &latest.by {
                By::Leader(leader) => self.name(leader),
                By::Office => String::new(),
            },
            is_mine: latest.by.is(reader),
            day,
            time,
            until: until.map(|until: NaiveDate| words::weekday_and_day(language, until)),
            to: latest.detail["given_to"].as_str().map(|to| self.name(to)).unwrap_or_default(),
            remark: latest.remark.to_owned(),
            // What was answered is no more one's own to take back.
            undo: latest
                .undo(reader)
                .filter(|_| latest.what != "proposed" || is_waiting)
                .map(|stand| self.form(Purpose::Undo, stand)),
        }
    }

    fn colleague_views(&self) -> Vec<ColleagueView> {
        let view = |one: &Leader| {
            let words = [&one.name, &one.role, &one.unit];
            let words: Vec<&str> =
                words.into_iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
            ColleagueView { reference: one.reference.clone(), name: words.join(", ") }
        };
        let mut views: Vec<ColleagueView> = self.colleagues().map(view).collect();
        views.sort_by_key(|view| view.name.to_lowercase());
        views
    }

    fn choice(&self, name: &'static str) -> Option<ChoiceView> {
        let day =
            Fields { until: name.to_owned(), ..Fields::default() }.until(self.today()).ok()?;
        Some(ChoiceView { name, day: words::weekday_and_day(self.language(), day) })
    }

    /// The name of a leader; the reference when nobody knows it.
    pub(super) fn name(&self, reference: &str) -> String {
        name(&self.people, reference)
    }
}

impl ProposalView {
    /// As somebody else than its leader sees it.
    pub(super) fn new(proposal: &Proposal, people: &People, language: Language) -> Self {
        Self {
            days: words::span(language, &proposal.window),
            by: name(people, &proposal.leader),
            is_mine: false,
        }
    }
}

/// A task as mails say it. Whom a confidential one does not concern sees its reference and dates alone.
pub(super) fn item(
    settings: &Settings,
    commitment: &Commitment,
    people: &People,
    language: Language,
    is_theirs: bool,
) -> impl Serialize + use<> {
    let find = |reference: &str| Some(commitment).filter(|one| one.reference == reference);
    let (sender, book) = (&sender(settings), &find);
    let facts = Facts { sender, people, book, last_event: &|_| 0, links: None };
    task(commitment, &facts, language, settings.clock.today(), is_theirs)
}

/// Names of those who answer for it on that day.
pub(super) fn responsible(
    commitment: &Commitment,
    people: &People,
    language: Language,
    day: NaiveDate,
) -> String {
    let answering = commitment.responsible.iter().filter(|one| one.answers_on(day));
    let names: Vec<String> = answering.map(|one| name(people, &one.leader)).collect();
    words::list(language, &names)
}

/// The name of a leader; the reference when nobody knows it.
pub(super) fn name(people: &People, reference: &str) -> String {
    let leader = people.get(reference).filter(|leader| !leader.name.is_empty());
    leader.map_or(reference, |leader| &leader.name).to_owned()
}

/// The day until which that leader's reminders of the earliest open window wait.
pub(super) fn snoozed(
    commitment: &Commitment,
    leader: &str,
    today: NaiveDate,
) -> Option<NaiveDate> {
    let window = commitment.earliest_open().filter(|_| commitment.status == Status::Open)?.number;
    let one = commitment.responsible.iter().find(|one| one.leader == leader)?;
    let snooze = one.snoozes.iter().find(|snooze| snooze.window == window)?;
    Some(snooze.until).filter(|until| *until > today)
}
