//! Whether the work is done: a process that lives is not enough. What is late is named; what waits for a limit, a day or
//! another attempt is not late.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::pass::Desk;
use crate::domain::zone::Zone;
use crate::schedule::Schedule;
use crate::store::{self, OnHold, Timetable};

/// How long work may lie, in minutes: longer than a slow server, a reload or a long plan takes.
const BACKLOG_MINUTES: i64 = 15;

/// Work that is late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backlog {
    /// The store was restored, and waits for an operator.
    OnHold {
        /// When that was noticed; `None` while no sender has begun since.
        since: Option<DateTime<Utc>>,
    },
    /// A schedule has not fired.
    Firing {
        /// Which.
        timetable: Timetable,
        /// When it should have.
        at: DateTime<Utc>,
    },
    /// Messages may go, and none does.
    Messages {
        /// Since when the oldest may.
        since: DateTime<Utc>,
    },
}

impl Desk<'_> {
    /// Everything that is late; nothing when all is well.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn backlog(&self) -> Result<Vec<Backlog>, store::Error> {
        let on_hold = self.store.on_hold().await?;
        if let Some(OnHold { since }) = on_hold {
            return Ok(vec![Backlog::OnHold { since }]);
        }
        let now = self.clock.now();
        let limit = now - TimeDelta::minutes(BACKLOG_MINUTES);
        let hour = self.store.attempts_between(now - TimeDelta::hours(1), now).await?;
        // As long as messages arrive, it is their number that takes the time. That somebody tries is not enough: a server
        // that is down is asked again and again.
        if hour.iter().any(|attempt| attempt.accepted && attempt.at > limit) {
            return Ok(Vec::new());
        }
        let mut backlog = Vec::new();
        let schedules = [
            (Timetable::Reminders, &self.config.reminders),
            (Timetable::Report, &self.config.report),
        ];
        for (timetable, schedule) in schedules {
            let last = self.store.last_wall(timetable).await?;
            let missed = missed(schedule, last, now, self.clock.zone());
            let late = missed.filter(|at| *at <= limit);
            backlog.extend(late.map(|at| Backlog::Firing { timetable, at }));
        }
        let accepted = hour.iter().filter(|attempt| attempt.accepted).count();
        if accepted < self.config.delivery.per_hour_max as usize {
            let most = self.config.delivery.per_person_per_day_max;
            let oldest = self.store.oldest_unsent(self.today(), most).await?;
            let late = oldest.filter(|since| *since <= limit);
            backlog.extend(late.map(|since| Backlog::Messages { since }));
        }
        Ok(backlog)
    }
}

/// The firing that a worker should have seen since it looked at `last`. One that never looked has missed none.
fn missed(
    schedule: &Schedule,
    last: Option<NaiveDateTime>,
    now: DateTime<Utc>,
    zone: Zone,
) -> Option<DateTime<Utc>> {
    let firing = schedule.latest_firing(last?, Schedule::wall_reached(now, zone))?;
    Some(Schedule::resolve(firing, zone))
}
