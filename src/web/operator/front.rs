//! The front page: whether all is well, and each list of what a person should look at.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::super::view::name;
use super::super::{Pages, Settings};
use super::{Answer, LINES_MAX, Moment, language};
use crate::delivery::health::Backlog;
use crate::delivery::pass::Facts;
use crate::delivery::state::State as MessageState;
use crate::domain::commitment::Commitment;
use crate::domain::leader::Language;
use crate::mail::compose::{vacancy, words};
use crate::store::outbox::{Counts, Standing};
use crate::store::{self, Alive, Late, Which};

/// Days for which a message that did not arrive is shown.
const LOST_DAYS: i64 = 30;

#[derive(Debug, Serialize)]
struct FrontView {
    now: Moment,
    backlog: Vec<BacklogView>,
    next: Option<Moment>,
    sent_today: u32,
    open: u64,
    /// Messages that wait for their first attempt or are on their way, of all and as far as shown.
    waiting: u64,
    on_the_way: Vec<MessageView>,
    /// What an attempt went wrong with, and what did not arrive.
    in_trouble: Vec<MessageView>,
    in_trouble_count: u64,
    lost: Vec<MessageView>,
    overdue_count: u64,
    overdue: Vec<TaskView>,
    needs_date_count: u64,
    needs_date: Vec<TaskView>,
    vacancies: Vec<VacancyView>,
}

#[derive(Debug, Serialize)]
struct BacklogView {
    /// `on_hold`, `reminders`, `report`, `messages`.
    what: &'static str,
    since: Option<Moment>,
}

/// A commitment in a list.
#[derive(Debug, Serialize)]
struct TaskView {
    reference: String,
    /// Empty when it is confidential.
    title: String,
    due: String,
    days: i64,
    /// The deadline as written.
    phrase: String,
    /// Why it needs a date.
    note: String,
    responsible: String,
}

#[derive(Debug, Serialize)]
struct MessageView {
    id: i64,
    state: &'static str,
    /// Name, or address where there is none.
    to: String,
    subject: String,
    commitments: Vec<String>,
    at: Option<Moment>,
    next_at: Option<Moment>,
    reply: String,
}

#[derive(Debug, Serialize)]
struct VacancyView {
    name: String,
    reference: String,
    /// `left`, `not_begun`, `no_address`.
    reason: &'static str,
    duties: u64,
}

/// What the store says, before it is put into words.
struct Read {
    backlog: Vec<Backlog>,
    counts: Counts,
    unsent: Vec<(MessageState, u64)>,
    on_the_way: Vec<Standing>,
    in_trouble: Vec<Standing>,
    lost: Vec<Standing>,
    alive: Alive,
    late: Late,
    notes: Vec<(String, String)>,
    /// The commitments that are named.
    facts: Facts,
    duties: HashMap<String, u64>,
}

pub(super) async fn front(State(pages): State<Arc<Pages>>) -> Answer {
    let settings = pages.settings();
    let read = read(&pages, &settings).await;
    let read = read.map_err(|error| pages.failed(&settings, &error))?;
    let words = Words { settings: &settings, language: language(&settings) };
    Ok(pages.operator_page(&settings, "operator.html", &words.front(read)))
}

async fn read(pages: &Pages, settings: &Settings) -> Result<Read, store::Error> {
    let (store, desk, clock) = (&pages.store, settings.desk(&pages.store), &settings.clock);
    let (today, most) = (clock.today(), LINES_MAX as u32);
    let late = store.late(today, LINES_MAX).await?;
    let notes: Vec<_> = store.notes().await?.into_iter().take(LINES_MAX).collect();
    let undated = notes.iter().map(|(reference, _)| reference);
    let named: Vec<&str> = late.first.iter().chain(undated).map(String::as_str).collect();
    let facts = desk.facts(Which::These(&named)).await?;
    let vacant = facts.people.iter().filter(|leader| leader.is_vacant(today));
    let vacant: Vec<&str> = vacant.map(|leader| leader.reference.as_str()).collect();
    Ok(Read {
        backlog: desk.backlog().await?,
        counts: desk.counts().await?,
        unsent: store.unsent_by_state().await?,
        on_the_way: store.on_the_way(most).await?,
        in_trouble: store.in_trouble(most).await?,
        lost: store.did_not_arrive(clock.now() - TimeDelta::days(LOST_DAYS), most).await?,
        alive: store.alive().await?,
        duties: store.open_duties(&vacant).await?.into_iter().collect(),
        late,
        notes,
        facts,
    })
}

/// Puts into words.
struct Words<'s> {
    settings: &'s Settings,
    language: Language,
}

impl Words<'_> {
    fn front(&self, read: Read) -> FrontView {
        let clock = &self.settings.clock;
        let next = self.settings.config.sending_days.next_firing(clock.wall());
        let is_trouble = |state| {
            use MessageState::{Deferred, Held, Unknown};
            matches!(state, Deferred | Held | Unknown)
        };
        let count = |in_trouble: bool| {
            let those = read.unsent.iter().filter(|(state, _)| is_trouble(*state) == in_trouble);
            those.map(|(_, count)| count).sum()
        };
        let messages =
            |messages: &[Standing]| messages.iter().map(|one| self.message(one)).collect();
        let find = |reference: &str| read.facts.commitment(reference);
        let late = read.late.first.iter().filter_map(|reference| find(reference));
        let undated =
            read.notes.iter().filter_map(|(reference, note)| Some((find(reference)?, note)));
        FrontView {
            now: Moment::at(self.language, clock.wall()),
            backlog: read.backlog.iter().map(|one| self.backlog(one)).collect(),
            next: next.map(|wall| Moment::at(self.language, wall)),
            sent_today: read.counts.sent,
            open: read.alive.open,
            waiting: count(false),
            on_the_way: messages(&read.on_the_way),
            in_trouble: messages(&read.in_trouble),
            in_trouble_count: count(true),
            lost: messages(&read.lost),
            overdue_count: read.late.count,
            overdue: late.map(|one| self.task(one, &read.facts, "")).collect(),
            needs_date_count: read.alive.needs_date,
            needs_date: undated.map(|(one, note)| self.task(one, &read.facts, note)).collect(),
            vacancies: self.vacancies(&read),
        }
    }

    fn moment(&self, at: DateTime<Utc>) -> Moment {
        let (day, time) = self.settings.moment(self.language, at);
        Moment { day, time }
    }

    fn backlog(&self, backlog: &Backlog) -> BacklogView {
        let (what, since) = match backlog {
            Backlog::OnHold { since } => ("on_hold", *since),
            Backlog::Firing { timetable, at } => (timetable.name(), Some(*at)),
            Backlog::Messages { since } => ("messages", Some(*since)),
        };
        BacklogView { what, since: since.map(|since| self.moment(since)) }
    }

    fn message(&self, message: &Standing) -> MessageView {
        let name = Some(&message.name).filter(|name| !name.is_empty());
        MessageView {
            id: message.id,
            state: message.state.name(),
            to: name.unwrap_or(&message.to).clone(),
            subject: message.subject.clone(),
            commitments: message.commitments.clone(),
            at: message.at.map(|at| self.moment(at)),
            next_at: message.next_at.map(|at| self.moment(at)),
            reply: message.reply.clone(),
        }
    }

    fn task(&self, commitment: &Commitment, facts: &Facts, note: &str) -> TaskView {
        let today = self.settings.clock.today();
        let due = commitment.earliest_open().and_then(|window| window.window.due);
        let names: Vec<String> =
            commitment.responsible.iter().map(|one| name(&facts.people, &one.leader)).collect();
        // As in the report: whoever may know more of it looks it up.
        let open =
            |text: &str| if commitment.confidential { String::new() } else { text.to_owned() };
        TaskView {
            reference: commitment.reference.clone(),
            title: open(&commitment.title),
            due: due.map(|due| words::short(self.language, due)).unwrap_or_default(),
            days: due.map_or(0, |due| (today - due).num_days()),
            phrase: open(&commitment.phrase),
            note: note.to_owned(),
            responsible: words::list(self.language, &names),
        }
    }

    /// Empty chairs in which work lies, the most of it first.
    fn vacancies(&self, read: &Read) -> Vec<VacancyView> {
        let today = self.settings.clock.today();
        let people = read.facts.people.iter();
        let mut vacancies: Vec<VacancyView> = people
            .filter_map(|leader| {
                let duties = *read.duties.get(&leader.reference)?;
                let (name, reference) = (leader.name.clone(), leader.reference.clone());
                Some(VacancyView { name, reference, reason: vacancy(Some(leader), today), duties })
            })
            .collect();
        vacancies.sort_by_key(|one| std::cmp::Reverse(one.duties));
        vacancies
    }
}
