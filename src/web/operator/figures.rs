//! What machines ask: whether the work is done, and the figures.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Response, StatusCode};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::super::render::answer;
use super::super::{Pages, Settings};
use crate::delivery::health::Backlog;
use crate::schedule::Schedule;
use crate::store;
use crate::telemetry::{self, Figures};

/// The media type of OpenMetrics 1.0.
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

const JSON: HeaderValue = HeaderValue::from_static("application/json");

#[derive(Serialize)]
struct Health {
    /// `ok`, `overdue`, or `unknown` when the store cannot be read.
    status: &'static str,
    /// What is late, a sentence each.
    problems: Vec<String>,
}

/// Whether the work is done: 200, or 503 with what is late.
pub(super) async fn health(State(pages): State<Arc<Pages>>) -> Response<Body> {
    let settings = pages.settings();
    let (status, health) = match settings.desk(&pages.store).backlog().await {
        Ok(backlog) if backlog.is_empty() => {
            (StatusCode::OK, Health { status: "ok", problems: Vec::new() })
        }
        Ok(backlog) => {
            let problems = backlog.iter().map(sentence).collect();
            (StatusCode::SERVICE_UNAVAILABLE, Health { status: "overdue", problems })
        }
        Err(error) => {
            let problems = vec![format!("the store cannot be read: {error}")];
            (StatusCode::SERVICE_UNAVAILABLE, Health { status: "unknown", problems })
        }
    };
    // Strings in a list can always be written.
    let text = serde_json::to_string(&health).unwrap_or_default();
    answer(status, JSON, text)
}

fn sentence(backlog: &Backlog) -> String {
    let moment = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    match backlog {
        Backlog::OnHold { .. } => {
            "the store was restored and is on hold; see `advis release --restored`".to_owned()
        }
        Backlog::Firing { timetable, at } => {
            format!("the {} of {} have not gone out", timetable.name(), moment(*at))
        }
        Backlog::Messages { since } => {
            format!("messages have been waiting to go since {}", moment(*since))
        }
    }
}

/// The figures, for Prometheus and whoever else reads OpenMetrics.
pub(super) async fn metrics(State(pages): State<Arc<Pages>>) -> Response<Body> {
    let settings = pages.settings();
    let read = figures(&pages, &settings).await.map_err(|error| error.to_string());
    let text =
        read.and_then(|figures| telemetry::metrics(&figures).map_err(|error| error.to_string()));
    match text {
        Ok(text) => answer(StatusCode::OK, OPEN_METRICS, text),
        Err(problem) => {
            telemetry::page_failed(&problem);
            answer(StatusCode::SERVICE_UNAVAILABLE, HeaderValue::from_static("text/plain"), problem)
        }
    }
}

async fn figures(pages: &Pages, settings: &Settings) -> Result<Figures, store::Error> {
    let (store, clock) = (&pages.store, &settings.clock);
    let alive = store.alive().await?;
    let overdue = store.late(clock.today(), 1).await?.count;
    let unsent = store.unsent_by_state().await?;
    let next = settings.config.sending_days.next_firing(clock.wall());
    let backlog = settings.desk(store).backlog().await?.len();
    Ok(Figures {
        open: alive.open,
        overdue,
        needs_date: alive.needs_date,
        unsent: unsent.into_iter().map(|(state, count)| (state.name(), count)).collect(),
        next_firing: next.map(|wall| Schedule::resolve(wall, clock.zone())),
        backlog,
    })
}
