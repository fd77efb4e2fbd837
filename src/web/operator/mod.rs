//! The operator's page: what is overdue, what goes out next, what failed and why, vacancies, everything about one
//! commitment. It only shows; what is to be done about it, the verbs do. Beside it what machines ask: health and metrics.

mod figures;
mod front;
mod next;
mod story;
mod timeline;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::middleware::{self, Next};
use axum::routing::get;
use axum::{Extension, Router};
use chrono::NaiveDateTime;
use serde::Serialize;

use super::render::Refused;
use super::{Pages, Settings, guard, time};
use crate::config::is_this_machine;
use crate::domain::leader::Language;
use crate::mail::compose::words;

type Answer = Result<Response<Body>, Response<Body>>;

/// Lines of a list that are shown; the verbs show all.
const LINES_MAX: usize = 50;

/// Whether only this machine reaches the page.
#[derive(Debug, Clone, Copy)]
struct IsLocal(bool);

/// Everything the operator can open.
pub(super) fn router(pages: &Arc<Pages>, is_local: bool) -> Router {
    Router::new()
        .route("/", get(front::front))
        .route("/next", get(next::next))
        .route("/c/{reference}", get(story::story))
        .route("/health", get(figures::health))
        .route("/metrics", get(figures::metrics))
        .fallback(nowhere)
        .layer(middleware::from_fn_with_state(Arc::clone(pages), watch))
        .layer(Extension(IsLocal(is_local)))
        .with_state(Arc::clone(pages))
}

/// Holds for every request: a page that asks for no password answers nobody who was led here by another name.
async fn watch(
    State(pages): State<Arc<Pages>>,
    Extension(IsLocal(is_local)): Extension<IsLocal>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let mut response = if is_local && !names_this_machine(request.headers()) {
        pages.refuse(&pages.settings(), StatusCode::MISDIRECTED_REQUEST, Refused::OtherName)
    } else {
        next.run(request).await
    };
    guard::protect(&pages, response.headers_mut());
    response
}

/// Whether the browser means this machine by an address or a name that nobody else can give away: a site that has its own
/// name lead here could read the page otherwise (DNS rebinding).
fn names_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    is_this_machine(name)
}

async fn nowhere(State(pages): State<Arc<Pages>>) -> Response<Body> {
    pages.refuse(&pages.settings(), StatusCode::NOT_FOUND, Refused::NoPage)
}

impl Pages {
    /// One of the operator's pages, in the language of the organisation.
    fn operator_page(
        &self,
        settings: &Settings,
        name: &str,
        view: &impl Serialize,
    ) -> Response<Body> {
        self.page(settings, language(settings), StatusCode::OK, (name, view))
    }
}

/// Operators read the language of the organisation.
fn language(settings: &Settings) -> Language {
    settings.config.organisation.language
}

/// A day and a time on the clock, as pages say them.
#[derive(Debug, Serialize)]
struct Moment {
    day: String,
    time: String,
}

impl Moment {
    /// Of wall-clock time, with the day of the week.
    fn at(language: Language, wall: NaiveDateTime) -> Self {
        Self { day: words::weekday_and_day(language, wall.date()), time: time(wall) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_mean_this_machine_are_answered() {
        for (host, expected) in [
            ("localhost", true),
            ("LOCALHOST:8322", true),
            ("127.0.0.1:8322", true),
            ("127.1.2.3", true),
            ("[::1]:8322", true),
            ("[::1]", true),
            ("advis.kommune.example", false),
            ("127.0.0.1.evil.example:8322", false),
            ("localhost.evil.example", false),
            ("192.0.2.1", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            assert_eq!(names_this_machine(&headers), expected, "{host}");
        }
        assert!(!names_this_machine(&HeaderMap::new()));
    }
}
