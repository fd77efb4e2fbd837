//! What goes out next: the messages of the next firing, as the worker's own planner sees them now.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;

use super::super::Pages;
use super::super::view::name;
use super::{Answer, LINES_MAX, Moment, language};
use crate::delivery::outlook::Outlook;
use crate::domain::leader::Language;
use crate::domain::reminder::{Item, Message};
use crate::mail::compose::words;

#[derive(Debug, Serialize)]
struct NextView {
    /// `None` when the schedule has no firing any more.
    at: Option<Moment>,
    /// Of all messages, of which some are shown.
    count: usize,
    commitments: usize,
    messages: Vec<MessageView>,
}

#[derive(Debug, Serialize)]
struct MessageView {
    to: String,
    address: String,
    items: Vec<ItemView>,
}

#[derive(Debug, Serialize)]
struct ItemView {
    reference: String,
    /// Empty when it is confidential.
    title: String,
    step: StepView,
    /// Empty when it is open-ended.
    due: String,
    /// Whom it is about, where that is not the reader.
    about: String,
}

/// A step, for the words of a language to name.
#[derive(Debug, Serialize)]
pub(super) struct StepView {
    /// `before`, `opens`, `due`, `overdue`, `escalate`.
    name: String,
    /// Days, or which of several.
    number: u32,
}

impl StepView {
    /// Of a step as the log writes it: `before:30`.
    pub(super) fn of(step: &str) -> Self {
        let (name, number) = step.split_once(':').unwrap_or((step, ""));
        Self { name: name.to_owned(), number: number.parse().unwrap_or_default() }
    }
}

pub(super) async fn next(State(pages): State<Arc<Pages>>) -> Answer {
    let settings = pages.settings();
    let outlook = settings.desk(&pages.store).outlook(LINES_MAX).await;
    let outlook = outlook.map_err(|error| pages.failed(&settings, &error))?;
    let view = view(language(&settings), outlook);
    Ok(pages.operator_page(&settings, "operator-next.html", &view))
}

fn view(language: Language, outlook: Option<Outlook>) -> NextView {
    let Some(outlook) = outlook else {
        return NextView { at: None, count: 0, commitments: 0, messages: Vec::new() };
    };
    NextView {
        at: Some(Moment::at(language, outlook.at)),
        count: outlook.count,
        commitments: outlook.commitments,
        messages: outlook.messages.iter().map(|one| message(language, one, &outlook)).collect(),
    }
}

fn message(language: Language, message: &Message, outlook: &Outlook) -> MessageView {
    let to = &message.to;
    let item = |item: &Item| {
        let found = outlook.commitment(&item.commitment).filter(|found| !found.confidential);
        let about = item.about.iter().map(|(leader, _)| name(&outlook.people, leader));
        let about: Vec<String> = about.filter(|name| *name != to.name).collect();
        ItemView {
            reference: item.commitment.clone(),
            title: found.map(|found| found.title.clone()).unwrap_or_default(),
            step: StepView::of(&item.step.to_string()),
            due: item.span.due.map(|due| words::short(language, due)).unwrap_or_default(),
            about: words::list(language, &about),
        }
    };
    MessageView {
        to: to.name.clone(),
        address: to.address.to_string(),
        items: message.items.iter().map(item).collect(),
    }
}
