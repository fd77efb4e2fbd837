//! A new link for who has an old one: mailed to the address that the register has, never shown.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::TimeDelta;
use minijinja::context;
use serde_json::json;

use super::history::signature;
use super::render::{Refused, see};
use super::visit::{Link, language_of};
use super::{Pages, Settings};
use crate::delivery::notices::Actor;
use crate::delivery::pass::Facts;
use crate::domain::leader::Leader;
use crate::link::{Claims, TASK_PATH};
use crate::store::{self, Deed, Event, LINK_SENT, Stamp, Which};
use crate::telemetry;

/// Minutes in which one new link is enough.
const ENOUGH_MINUTES: i64 = 60;

/// What becomes of the wish for a new link.
enum Renewed {
    /// It is on its way, now or since a moment ago.
    Sent(Leader),
    /// There is none, and why.
    Not(Refused),
}

/// Mails a new link to the one whom an expired one was made for.
pub(super) async fn renew(
    State(pages): State<Arc<Pages>>,
    Path(token): Path<String>,
) -> Result<Response, Response> {
    let settings = pages.settings();
    let claims = match Link::read(&settings, &token) {
        None => return Err(pages.refuse(&settings, StatusCode::NOT_FOUND, Refused::NotOurs)),
        Some(Link::Good(_)) => return Ok(see(&pages.path(&format!("{TASK_PATH}{token}")))),
        Some(Link::Expired(claims)) => claims,
    };
    // A task of its own: a browser that goes away must not leave an edit half made.
    let sending = {
        let (pages, settings, claims) = (Arc::clone(&pages), Arc::clone(&settings), claims.clone());
        tokio::spawn(async move { send(&pages, &settings, &claims).await })
    };
    match sending.await {
        Ok(Ok(Renewed::Sent(leader))) => {
            let view = context! { name => leader.name };
            Ok(pages.page(&settings, leader.language, StatusCode::OK, ("renewed.html", &view)))
        }
        Ok(Ok(Renewed::Not(refused))) => {
            let language = language_of(&pages, &settings, &claims).await;
            Ok(pages.refuse_in(language, &settings, StatusCode::GONE, refused))
        }
        Ok(Err(error)) => Err(pages.failed(&settings, &error)),
        Err(_) => Ok(pages.refuse(&settings, StatusCode::INTERNAL_SERVER_ERROR, Refused::Later)),
    }
}

async fn send(
    pages: &Pages,
    settings: &Settings,
    claims: &Claims,
) -> Result<Renewed, store::Error> {
    let (store, reference, person) = (&pages.store, claims.commitment.as_str(), &claims.person);
    let desk = settings.desk(store);
    let Facts { book, people, .. } = desk.facts(Which::These(&[reference])).await?;
    if book.is_empty() {
        return Ok(Renewed::Not(Refused::NoTask));
    }
    let leader = people.get(person).filter(|leader| !leader.is_vacant(settings.clock.today()));
    let Some(leader) = leader.cloned() else { return Ok(Renewed::Not(Refused::NoLeader)) };
    let stamp = Stamp::now(&settings.clock, &signature(person));
    let deed = Deed::LinkSent { leader: person.clone() };
    let edited = match store.say(reference, deed, json!({}), &stamp).await {
        Ok(edited) => edited,
        Err(store::Error::Refused(_)) => return Ok(Renewed::Not(Refused::Closed)),
        Err(error) => return Err(error),
    };
    // The edit keeps others from writing, so what is read now stays so until it is final.
    if !store.events(reference).await?.iter().any(|event| is_recent(event, &stamp)) {
        desk.conclude_by(edited, Some(Actor { leader: person, tell: None })).await?;
        telemetry::acted("renew", reference, person);
    }
    Ok(Renewed::Sent(leader))
}

/// Whether the same one was sent a link a moment ago.
fn is_recent(event: &Event, stamp: &Stamp) -> bool {
    let is_same = event.what == LINK_SENT && event.who == stamp.who;
    is_same && stamp.at - event.at < TimeDelta::minutes(ENOUGH_MINUTES)
}
