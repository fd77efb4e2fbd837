//! The pages, one function each. Those that are got change nothing, whoever opens them: mail scanners follow links.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{Response, StatusCode};

use super::Pages;
use super::act::{Act, Outcome};
use super::form::Fields;
use super::history::latest;
use super::render::{Refused, see};
use super::view::Extra;
use super::visit::Visit;
use crate::link::{Purpose, TASK_PATH};
use crate::telemetry;

type Answer = Result<Response<Body>, Response<Body>>;

/// The task behind a link.
pub(super) async fn task(State(pages): State<Arc<Pages>>, Path(token): Path<String>) -> Answer {
    let visit = Visit::open(&pages, &token).await?;
    Ok(show(&pages, &visit, StatusCode::OK, "task.html", Extra::default()))
}

/// What the last form did: never in doubt, since the journal says it, also when the page is loaded again.
pub(super) async fn receipt(State(pages): State<Arc<Pages>>, Path(token): Path<String>) -> Answer {
    let visit = Visit::open(&pages, &token).await?;
    let extra = Extra { is_receipt: true, ..Extra::default() };
    Ok(show(&pages, &visit, StatusCode::OK, "task.html", extra))
}

/// The form of an act: it asks, and does nothing.
pub(super) async fn form(
    State(pages): State<Arc<Pages>>,
    Path((token, act)): Path<(String, String)>,
) -> Answer {
    let visit = Visit::open(&pages, &token).await?;
    let Some(act) = Act::named(&act) else { return Ok(nowhere_in(&pages)) };
    if !visit.may_do(act) {
        return Ok(show(&pages, &visit, StatusCode::OK, "task.html", Extra::default()));
    }
    let extra = Extra { act: Some(act), ..Extra::default() };
    Ok(show(&pages, &visit, StatusCode::OK, act.template(), extra))
}

/// What a form asks for.
pub(super) async fn post(
    State(pages): State<Arc<Pages>>,
    Path((token, act)): Path<(String, String)>,
    body: Result<Bytes, BytesRejection>,
) -> Answer {
    let settings = pages.settings();
    let Ok(body) = body else {
        return Ok(pages.refuse(&settings, StatusCode::PAYLOAD_TOO_LARGE, Refused::TooLong));
    };
    let visit = Visit::open(&pages, &token).await?;
    let Some(act) = Act::named(&act) else { return Ok(nowhere_in(&pages)) };
    let fields = Fields::parse(&body);
    let Some(stand) = visit.stand(&fields.form, act.purpose()) else {
        telemetry::form_refused(act.name());
        let language = visit.language();
        let status = StatusCode::FORBIDDEN;
        return Ok(pages.refuse_in(language, &visit.settings, status, Refused::OldForm));
    };
    // A task of its own: a browser that goes away must not leave an edit half made.
    let acting = {
        let (pages, fields) = (Arc::clone(&pages), fields.clone());
        tokio::spawn(async move { visit.perform(&pages, act, &stand, &fields).await })
    };
    match acting.await {
        Ok(Ok(Outcome::Done | Outcome::Stale)) => {
            Ok(see(&pages.path(&format!("{TASK_PATH}{token}/receipt"))))
        }
        Ok(Ok(Outcome::Wrong(problem))) => {
            let visit = Visit::open(&pages, &token).await?;
            let extra =
                Extra { act: Some(act), problem: Some(problem), typed: fields, ..Extra::default() };
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(show(&pages, &visit, status, act.template(), extra))
        }
        Ok(Err(error)) => Err(pages.failed(&settings, &error)),
        Err(_) => Ok(pages.refuse(&settings, StatusCode::INTERNAL_SERVER_ERROR, Refused::Later)),
    }
}

/// Everywhere else.
pub(super) async fn nowhere(State(pages): State<Arc<Pages>>) -> Response<Body> {
    nowhere_in(&pages)
}

fn nowhere_in(pages: &Pages) -> Response<Body> {
    pages.refuse(&pages.settings(), StatusCode::NOT_FOUND, Refused::NotOurs)
}

fn show(
    pages: &Pages,
    visit: &Visit,
    status: StatusCode,
    template: &str,
    extra: Extra,
) -> Response<Body> {
    pages.page(&visit.settings, visit.language(), status, (template, &visit.view(extra)))
}

impl Visit {
    /// Whether the form of that act has anything to ask now.
    fn may_do(&self, act: Act) -> bool {
        match act.purpose() {
            Purpose::Undo => {
                let reader = &self.reader.reference;
                latest(&self.events, reader).is_some_and(|last| last.undo(reader).is_some())
            }
            Purpose::Propose => self.may_act() && self.may_propose(),
            _ => self.may_act(),
        }
    }
}
