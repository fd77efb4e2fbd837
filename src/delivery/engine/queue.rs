//! What waits in one pass, and what is known about those it goes to and about the server.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};

use super::Step;
use super::outbox::Debt;
use super::pace::{Full, Pace};
use crate::store::outbox::{Claimed, Waiting};
use crate::telemetry;

#[derive(Default)]
pub(super) struct Queue {
    /// Claimed, and on no wire.
    pub(super) page: VecDeque<Claimed>,
    /// Whether more wait than were asked for last.
    pub(super) is_plenty: bool,
    /// Number of the last message looked at in this pass; the pass never turns back.
    pub(super) after: i64,
    /// Whose messages are claimed and not yet recorded.
    pub(super) under_way: Vec<String>,
    pub(super) pace: Pace,
    /// Connections lost since the last one that carried a message to its end.
    pub(super) breaks: u32,
    /// Until when the server is left alone; outlives the pass.
    pub(super) paused_until: Option<DateTime<Utc>>,
    /// Whether somebody was told in this pass that the server does not let us in.
    pub(super) alarmed: bool,
    /// Why nothing more is claimed in this pass.
    pub(super) end: Option<Step>,
    pub(super) capped: u32,
    /// Outlives the pass, as `paused_until` does.
    pub(super) debts: Vec<Debt>,
}

/// Where a page begins, and what may be in it.
pub(super) struct Place {
    /// Number of the last message before it.
    pub(super) after: i64,
    /// How many messages at most.
    pub(super) room: usize,
    /// Whose messages were under way before the store was asked what waits.
    pub(super) under_way: Vec<String>,
}

impl Queue {
    /// Where the next page begins, and what may be in it; `None` when a limit is reached, which ends the pass: the cap an
    /// hour, `most`, is told.
    pub(super) fn place(&mut self, most: u32, now: DateTime<Utc>) -> Option<Place> {
        match self.pace.room(self.under_way.len(), now) {
            Ok(room) => Some(Place { after: self.after, room, under_way: self.under_way.clone() }),
            Err(Full { until, is_cap }) => {
                if is_cap {
                    telemetry::hour_capped(until, most);
                }
                self.end.get_or_insert(Step::Waiting { until });
                None
            }
        }
    }

    /// The numbers of those that may be claimed, no more a person than `most` (0: no limit).
    pub(super) fn admit(&mut self, waiting: &[Waiting], place: &Place, most: u32) -> Vec<i64> {
        let (mut ids, mut keys) = (Vec::new(), Vec::new());
        for Waiting { id, address_key, accepted_today } in waiting {
            if ids.len() >= place.room {
                break;
            }
            self.after = *id;
            let under_way = place.under_way.iter().filter(|key| *key == address_key).count();
            let chosen = keys.iter().filter(|key| *key == address_key).count();
            if most > 0 && *accepted_today as usize + under_way + chosen >= most as usize {
                if self.capped == 0 {
                    telemetry::person_capped(*id, address_key, most);
                }
                self.capped += 1;
                continue;
            }
            ids.push(*id);
            keys.push(address_key.clone());
        }
        ids
    }

    pub(super) fn forget(&mut self, message: &Claimed) {
        if let Some(place) = self.under_way.iter().position(|key| *key == message.address_key) {
            self.under_way.swap_remove(place);
        }
    }
}
