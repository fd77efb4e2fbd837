//! A visit: whose link it is, what it is about, and how that stands. Reading only.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use chrono::NaiveDate;
use minijinja::context;

use super::history::latest;
use super::render::Refused;
use super::{Pages, Settings};
use crate::delivery::pass::Facts;
use crate::domain::commitment::{Commitment, Status};
use crate::domain::leader::{Language, Leader, People};
use crate::link::{Claims, Purpose, Refusal};
use crate::store::{self, Event, Proposal, Which};
use crate::telemetry;

/// How long a form may stay open before it is sent, in hours.
const FORM_HOURS: i64 = 24;

/// A link of ours.
pub(super) enum Link {
    Good(Claims),
    /// It was good once.
    Expired(Claims),
}

impl Link {
    /// Reads the token of a link; `None`, and a line in the log, when it is none of ours.
    pub(super) fn read(settings: &Settings, token: &str) -> Option<Self> {
        match settings.web()?.links.keys.check(token, Purpose::Task, settings.clock.now()) {
            Ok(claims) => Some(Self::Good(claims)),
            Err(Refusal::Expired(claims)) => Some(Self::Expired(claims)),
            Err(refusal) => {
                telemetry::link_refused(&refusal.to_string());
                None
            }
        }
    }
}

/// Somebody with a good link.
pub(super) struct Visit {
    pub(super) settings: Arc<Settings>,
    pub(super) token: String,
    pub(super) claims: Claims,
    pub(super) commitment: Commitment,
    pub(super) people: People,
    pub(super) reader: Leader,
    pub(super) events: Vec<Event>,
    /// The deadline that waits for the secretariat's answer.
    pub(super) proposal: Option<Proposal>,
}

impl Visit {
    /// Reads what the link is about.
    ///
    /// # Errors
    /// The page that says why not.
    pub(super) async fn open(pages: &Pages, token: &str) -> Result<Self, Response> {
        let settings = pages.settings();
        let refuse = |status, refused| pages.refuse(&settings, status, refused);
        let claims = match Link::read(&settings, token) {
            None => return Err(refuse(StatusCode::NOT_FOUND, Refused::NotOurs)),
            Some(Link::Good(claims)) => claims,
            Some(Link::Expired(claims)) => {
                let language = language_of(pages, &settings, &claims).await;
                let page = ("expired.html", &context! { token });
                return Err(pages.page(&settings, language, StatusCode::GONE, page));
            }
        };
        let reference = claims.commitment.clone();
        let read = async {
            let facts = settings.desk(&pages.store).facts(Which::These(&[&reference])).await?;
            let events = pages.store.events(&reference).await?;
            Ok::<_, store::Error>((facts, events, pages.store.proposal(&reference).await?))
        };
        let (facts, events, proposal) =
            read.await.map_err(|error| pages.failed(&settings, &error))?;
        let Facts { mut book, people, .. } = facts;
        let today = settings.clock.today();
        let reader = people.get(&claims.person).filter(|leader| !leader.is_vacant(today)).cloned();
        let Some(reader) = reader else {
            return Err(refuse(StatusCode::FORBIDDEN, Refused::NoLeader));
        };
        let Some(commitment) = book.pop() else {
            return Err(pages.refuse_in(
                reader.language,
                &settings,
                StatusCode::GONE,
                Refused::NoTask,
            ));
        };
        let token = token.to_owned();
        Ok(Self {
            settings: Arc::clone(&settings),
            token,
            claims,
            commitment,
            people,
            reader,
            events,
            proposal,
        })
    }

    pub(super) fn today(&self) -> NaiveDate {
        self.settings.clock.today()
    }

    pub(super) fn language(&self) -> Language {
        self.reader.language
    }

    /// The responsible leader for whom the reader acts: the reader, or one whom the reader stands in for.
    pub(super) fn principal(&self) -> Option<&str> {
        principal(&self.commitment, &self.people, &self.reader.reference, self.today())
    }

    /// Whether there is anything to do for the reader.
    pub(super) fn may_act(&self) -> bool {
        let is_alive = matches!(self.commitment.status, Status::Open | Status::NeedsDate);
        is_alive && self.principal().is_some()
    }

    /// Whether no other leader's proposal waits.
    pub(super) fn may_propose(&self) -> bool {
        self.proposal.as_ref().is_none_or(|one| one.leader == self.reader.reference)
    }

    /// Whom the task may be given to: every leader who is there and does not answer for it already.
    pub(super) fn colleagues(&self) -> impl Iterator<Item = &Leader> {
        let today = self.today();
        let answers = |leader: &Leader| {
            self.commitment.responsible.iter().any(|one| one.leader == leader.reference)
        };
        self.people.iter().filter(move |one| {
            !one.is_vacant(today) && one.reference != self.reader.reference && !answers(one)
        })
    }

    /// Who answered for it before the reader gave it on.
    pub(super) fn given_from(&self) -> Vec<String> {
        let last = latest(&self.events, &self.reader.reference);
        let from = last.map(|last| last.detail["from"].clone()).unwrap_or_default();
        serde_json::from_value(from).unwrap_or_default()
    }

    /// A token for a form that acts only as long as things stand as in `stand`.
    pub(super) fn form(&self, purpose: Purpose, stand: String) -> String {
        let Some(web) = self.settings.web() else { return String::new() };
        web.links.keys.sign(&Claims {
            purpose,
            expires: self.settings.clock.now() + chrono::TimeDelta::hours(FORM_HOURS),
            stand,
            ..self.claims.clone()
        })
    }

    /// What the form's token says, if it is ours, for that purpose, this commitment and this reader.
    pub(super) fn stand(&self, form: &str, purpose: Purpose) -> Option<String> {
        let web = self.settings.web()?;
        let claims = web.links.keys.check(form, purpose, self.settings.clock.now()).ok()?;
        let is_same = claims.commitment == self.claims.commitment;
        (is_same && claims.person == self.claims.person).then_some(claims.stand)
    }
}

/// The language of the one whom a link was made for.
pub(super) async fn language_of(pages: &Pages, settings: &Settings, claims: &Claims) -> Language {
    let read = settings.desk(&pages.store).people().await;
    let language = read.ok().and_then(|(people, _)| Some(people.get(&claims.person)?.language));
    language.unwrap_or(settings.config.organisation.language)
}

/// Revision and window that a form is about: `1.2`. Once either has changed, the form does nothing.
pub(super) fn stand_of(commitment: &Commitment) -> String {
    let window = commitment.earliest_open().map_or(0, |window| window.number);
    format!("{}.{window}", commitment.revision)
}

/// The responsible leader for whom `person` acts on that day.
pub(super) fn principal<'c>(
    commitment: &'c Commitment,
    people: &People,
    person: &str,
    today: NaiveDate,
) -> Option<&'c str> {
    let answers = commitment
        .responsible
        .iter()
        .filter(|one| one.answers_on(today) && one.since.is_none_or(|since| since <= today));
    let mut answers: Vec<&str> = answers.map(|one| one.leader.as_str()).collect();
    answers.sort_by_key(|leader| *leader != person);
    answers.into_iter().find(|leader| {
        *leader == person || people.receiver(leader, today).leader.as_deref() == Some(person)
    })
}
