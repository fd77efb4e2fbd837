//! Every metric in one file: what it is called, and what it counts. No name, address or reference is among them.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// What an attempt can lead to, and how many have since the program began.
static ATTEMPTS: [(&str, AtomicU64); 6] = [
    ("accepted", AtomicU64::new(0)),
    ("deferred", AtomicU64::new(0)),
    ("rejected", AtomicU64::new(0)),
    ("unknown", AtomicU64::new(0)),
    ("held", AtomicU64::new(0)),
    ("expired", AtomicU64::new(0)),
];

/// Counts an attempt that ended.
pub(super) fn count_attempt(state: &str) {
    if let Some((_, count)) = ATTEMPTS.iter().find(|(name, _)| *name == state) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// What the metrics tell of the store and the clock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Commitments that are open.
    pub open: u64,
    /// Of these, past their deadline.
    pub overdue: u64,
    /// Commitments that need a date.
    pub needs_date: u64,
    /// Messages still to be sent or decided about, by state.
    pub unsent: Vec<(&'static str, u64)>,
    /// When the reminders fire next.
    pub next_firing: Option<DateTime<Utc>>,
    /// Kinds of work that are late.
    pub backlog: usize,
}

/// All metrics, in the text format of OpenMetrics 1.0.
///
/// # Errors
/// None of its own.
pub fn metrics(figures: &Figures) -> Result<String, fmt::Error> {
    type ByState = Family<[(&'static str, &'static str); 1], Gauge>;

    let mut registry = Registry::with_prefix("advis");
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let gauge = |value: i64| {
        let gauge = Gauge::<i64>::default();
        gauge.set(value);
        gauge
    };
    registry.register("build", "The program", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
    let commitments = ByState::default();
    for (status, count) in [("open", figures.open), ("needs_date", figures.needs_date)] {
        commitments.get_or_create(&[("status", status)]).set(number(count));
    }
    registry.register("commitments", "Commitments that are not closed", commitments);
    let overdue = gauge(number(figures.overdue));
    registry.register("commitments_overdue", "Open commitments past their deadline", overdue);
    let unsent = ByState::default();
    for (state, count) in &figures.unsent {
        unsent.get_or_create(&[("state", state)]).set(number(*count));
    }
    registry.register("messages_unsent", "Messages to be sent or decided about", unsent);
    let attempts = Family::<[(&'static str, &'static str); 1], Counter>::default();
    for (state, count) in &ATTEMPTS {
        attempts.get_or_create(&[("state", state)]).inc_by(count.load(Ordering::Relaxed));
    }
    registry.register("attempts", "Attempts since the program began, by outcome", attempts);
    if let Some(next) = figures.next_firing {
        let next = gauge(next.timestamp());
        registry.register("next_firing_timestamp_seconds", "When reminders go next", next);
    }
    let backlog = gauge(number(figures.backlog as u64));
    registry.register("backlog", "Kinds of work that are late; 0 is healthy", backlog);
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}
