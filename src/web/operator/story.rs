//! One commitment's whole story: what it is, every step and how it stands, everything that happened, and the picture.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use serde_json::Value;

use super::super::history::By;
use super::super::render::Refused;
use super::super::view::{ProposalView, item, name, responsible};
use super::super::{Pages, Settings};
use super::next::StepView;
use super::timeline::{Happening, Picture, Span, picture};
use super::{Answer, Moment, language};
use crate::delivery::pass::Facts;
use crate::domain::commitment::{BookWindow, Commitment, Status};
use crate::domain::leader::Language;
use crate::domain::rule::Step;
use crate::mail::compose::words;
use crate::planner::{self, Why};
use crate::store::{self, Attempted, Event, Proposal, Which};

/// What the template gets; the first fields are those of a task on the pages of the leaders.
#[derive(Debug, Serialize)]
struct StoryView<I> {
    item: I,
    status: &'static str,
    responsible: String,
    snoozed_until: Option<String>,
    proposal: Option<ProposalView>,
    /// Why it needs a date; empty when it does not.
    note: String,
    picture: Picture,
    steps: Vec<StepLine>,
    history: Vec<HappenedView>,
}

/// A step and how it stands.
#[derive(Debug, Serialize)]
struct StepLine {
    #[serde(skip)]
    order: (u32, String, Option<NaiveDate>),
    on: String,
    step: StepView,
    leader: String,
    /// The name of the reason why it does not go today; `due` when it does.
    why: &'static str,
    /// The day in the reason; empty when it has none.
    why_on: String,
    why_step: Option<StepView>,
}

/// Something that happened.
#[derive(Debug, Serialize)]
struct HappenedView {
    #[serde(skip)]
    at: DateTime<Utc>,
    moment: Moment,
    /// Name of a leader, of whoever was at the keyboard, or `advis`.
    who: String,
    is_on_a_page: bool,
    /// The name in the journal, or `attempt`.
    what: String,
    message: Option<i64>,
    /// Of an attempt: what it led to, whom the message was for, and its steps.
    state: String,
    to: String,
    steps: Vec<StepView>,
    /// More about it, in pairs of a name and a value.
    details: Vec<(String, String)>,
}

/// What the store says of one commitment.
struct Read {
    facts: Facts,
    note: Option<String>,
    events: Vec<Event>,
    attempts: Vec<Attempted>,
    proposal: Option<Proposal>,
}

pub(super) async fn story(
    State(pages): State<Arc<Pages>>,
    Path(reference): Path<String>,
) -> Answer {
    let settings = pages.settings();
    let read = read(&pages, &settings, &reference).await;
    let read = read.map_err(|error| pages.failed(&settings, &error))?;
    let Some(commitment) = read.facts.commitment(&reference) else {
        return Err(pages.refuse(&settings, StatusCode::NOT_FOUND, Refused::NoPage));
    };
    let teller = Teller { settings: &settings, read: &read, language: language(&settings) };
    Ok(pages.operator_page(&settings, "operator-story.html", &teller.story(commitment)))
}

async fn read(pages: &Pages, settings: &Settings, reference: &str) -> Result<Read, store::Error> {
    let store = &pages.store;
    Ok(Read {
        facts: settings.desk(store).facts(Which::These(&[reference])).await?,
        note: store.note(reference).await?,
        events: store.events(reference).await?,
        attempts: store.attempts_about(reference).await?,
        proposal: store.proposal(reference).await?,
    })
}

/// Tells the story in a language.
struct Teller<'s> {
    settings: &'s Settings,
    read: &'s Read,
    language: Language,
}

impl Teller<'_> {
    fn story(&self, commitment: &Commitment) -> StoryView<impl Serialize + use<>> {
        let (language, today) = (self.language, self.settings.clock.today());
        let people = &self.read.facts.people;
        let mut steps = self.steps(commitment);
        steps.sort_by(|one, other| one.order.cmp(&other.order));
        let mut history: Vec<HappenedView> = self.deeds(commitment).collect();
        history.extend(self.read.attempts.iter().map(|attempt| self.attempt(attempt)));
        history.sort_by_key(|one| one.at);
        StoryView {
            // What is confidential is so here too: whoever may know more of it looks it up.
            item: item(self.settings, commitment, people, language, false),
            status: commitment.status.name(),
            responsible: responsible(commitment, people, language, today),
            snoozed_until: None,
            proposal: (self.read.proposal.as_ref())
                .map(|one| ProposalView::new(one, people, language)),
            note: self.read.note.clone().unwrap_or_default(),
            picture: self.picture(commitment, &steps, &history),
            steps,
            history,
        }
    }

    fn name(&self, reference: &str) -> String {
        name(&self.read.facts.people, reference)
    }

    fn moment(&self, at: DateTime<Utc>) -> Moment {
        let local = at.with_timezone(&self.settings.clock.zone());
        let (day, time) = (words::short(self.language, local.date_naive()), super::time(local));
        Moment { day, time }
    }

    fn steps(&self, commitment: &Commitment) -> Vec<StepLine> {
        let (Facts { people, rules, sent, .. }, today) =
            (&self.read.facts, self.settings.clock.today());
        let mut lines = Vec::new();
        let book = std::slice::from_ref(commitment);
        let plan = planner::plan_and_explain(book, people, rules, sent, today, |skipped| {
            let order = (skipped.window, skipped.leader.to_owned(), skipped.moved_on);
            let on = skipped.moved_on.unwrap_or(skipped.planned_on);
            lines.push(self.line(order, on, skipped.step, Some(skipped.why)));
        });
        lines.extend(plan.due.iter().map(|due| {
            let order = (due.key.window, due.key.leader.clone(), Some(due.moved_on));
            self.line(order, due.moved_on, due.key.step, None)
        }));
        lines
    }

    fn line(
        &self,
        order: (u32, String, Option<NaiveDate>),
        on: NaiveDate,
        step: Step,
        why: Option<Why>,
    ) -> StepLine {
        let (why, why_on, why_step) = why.map_or(("due", None, None), reason);
        StepLine {
            leader: self.name(&order.1),
            order,
            on: words::short(self.language, on),
            step: StepView::of(&step.to_string()),
            why,
            why_on: why_on.map(|on| words::short(self.language, on)).unwrap_or_default(),
            why_step: why_step.map(|step| StepView::of(&step.to_string())),
        }
    }

    fn deeds(&self, commitment: &Commitment) -> impl Iterator<Item = HappenedView> {
        self.read.events.iter().map(|event| {
            let (who, is_on_a_page) = match By::of(&event.who) {
                By::Leader(leader) => (self.name(&leader), true),
                By::Office => (event.who.clone(), false),
            };
            let details = event.detail.as_object().into_iter().flatten();
            let details = details.map(|(name, value)| (name.clone(), said(value)));
            HappenedView {
                at: event.at,
                moment: self.moment(event.at),
                who,
                is_on_a_page,
                what: event.what.clone(),
                message: event.message,
                state: String::new(),
                to: String::new(),
                steps: Vec::new(),
                details: if commitment.confidential { Vec::new() } else { details.collect() },
            }
        })
    }

    fn attempt(&self, attempt: &Attempted) -> HappenedView {
        HappenedView {
            at: attempt.at,
            moment: self.moment(attempt.at),
            who: "advis".to_owned(),
            is_on_a_page: false,
            what: "attempt".to_owned(),
            message: Some(attempt.message),
            state: attempt.state.clone(),
            to: attempt.to.clone(),
            steps: attempt.steps.iter().map(|step| StepView::of(step)).collect(),
            details: vec![("reply".to_owned(), attempt.reply.clone())],
        }
    }

    fn picture(
        &self,
        commitment: &Commitment,
        steps: &[StepLine],
        history: &[HappenedView],
    ) -> Picture {
        let zone = self.settings.clock.zone();
        let span = |one: &BookWindow| Span {
            from: one.window.opens,
            to: one.window.due,
            is_closed: one.closed_on.is_some(),
            label: words::span(self.language, &one.window),
        };
        let spans: Vec<Span> = commitment.windows.iter().map(span).collect();
        let coming = steps.iter().filter(|line| ["due", "not_yet", "snoozed"].contains(&line.why));
        let coming = coming.filter_map(|line| {
            let on = line.order.2?;
            Some(Happening { on, what: "planned", label: format!("{}: {}", line.on, line.leader) })
        });
        let happened = history.iter().map(|one| {
            let what = match (one.what.as_str(), one.state.as_str()) {
                ("attempt", "accepted") => "sent",
                ("attempt", _) => "failed",
                _ => "deed",
            };
            let (on, day) = (one.at.with_timezone(&zone).date_naive(), &one.moment.day);
            let whom = if one.to.is_empty() { &one.who } else { &one.to };
            Happening { on, what, label: format!("{day}: {whom}") }
        });
        let happenings = coming.chain(happened).collect();
        let is_over = matches!(commitment.status, Status::Done | Status::Cancelled);
        let today = Some(self.settings.clock.today()).filter(|_| !is_over);
        picture(self.language, today, &spans, happenings)
    }
}

/// The name of a reason, for the words of a language, with the day and the step in it.
fn reason(why: Why) -> (&'static str, Option<NaiveDate>, Option<Step>) {
    match why {
        Why::NotYet => ("not_yet", None, None),
        Why::Sent(on) => ("sent", Some(on), None),
        Why::Posted(on) => ("posted", Some(on), None),
        Why::Overtaken(step) => ("overtaken", None, Some(step)),
        Why::BeforeAdoption(on) => ("before_adoption", Some(on), None),
        Why::BeforeRule(on) => ("before_rule", Some(on), None),
        Why::Lapsed => ("lapsed", None, None),
        Why::Merged(step) => ("merged", None, Some(step)),
        Why::OneDay => ("one_day", None, None),
        Why::BeforeStepsSuffice => ("before_steps_suffice", None, None),
        Why::Snoozed(until) => ("snoozed", Some(until), None),
        Why::LeaderNotTold(on) => ("leader_not_told", on, None),
        Why::NoReceiver => ("no_receiver", None, None),
        Why::NoSendingDay => ("no_sending_day", None, None),
    }
}

/// A value of the journal as a person reads it.
fn said(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "–".to_owned(),
        Value::Array(values) => values.iter().map(said).collect::<Vec<_>>().join(", "),
        Value::Object(pairs) => {
            let pairs = pairs.iter().map(|(name, value)| format!("{name}: {}", said(value)));
            pairs.collect::<Vec<_>>().join(", ")
        }
        plain => plain.to_string(),
    }
}
