//! How many messages may go now: a rate that servers bear, and a cap that bounds any mistake. Answers, never waits.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};

use crate::store::outbox::Past;

/// The windows in which messages are counted.
const MINUTE: TimeDelta = TimeDelta::minutes(1);
/// The longest: what happened before it counts no more.
pub(super) const HOUR: TimeDelta = TimeDelta::hours(1);

/// How many messages may go; 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Attempts a minute.
    pub rate_per_minute: u32,
    /// Accepted messages a person a day.
    pub per_person_per_day_max: u32,
    /// Accepted messages an hour.
    pub per_hour_max: u32,
}

/// What went lately, as far as it is limited.
#[derive(Debug, Default)]
pub(super) struct Pace {
    attempts: Window,
    accepted: Window,
}

/// A span of time that sees no more than so many.
#[derive(Debug, Default)]
struct Window {
    length: TimeDelta,
    /// 0 is no limit.
    most: usize,
    /// When they were within it, oldest first.
    past: VecDeque<DateTime<Utc>>,
}

/// A limit is reached until a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full {
    /// When the next message may go.
    pub until: DateTime<Utc>,
    /// Whether it is the cap an hour, which the operator is to know of.
    pub is_cap: bool,
}

impl Pace {
    /// `past`: the attempts of the last hour, oldest first.
    pub(super) fn new(limits: &Limits, past: Vec<Past>) -> Self {
        let mut pace = Self {
            attempts: Window::new(MINUTE, limits.rate_per_minute),
            accepted: Window::new(HOUR, limits.per_hour_max),
        };
        past.into_iter().for_each(|one| pace.add(one));
        pace
    }

    pub(super) fn add(&mut self, past: Past) {
        self.attempts.add(past.at);
        if past.accepted {
            self.accepted.add(past.at);
        }
    }

    /// How many messages may be claimed at `now` while `under_way` others are claimed and not yet recorded.
    pub(super) fn room(&mut self, under_way: usize, now: DateTime<Utc>) -> Result<usize, Full> {
        let rate = self.attempts.room(under_way, now);
        let cap = self.accepted.room(under_way, now);
        // The cap is told first: it is what somebody must know of.
        let cap = cap.map_err(|until| Full { until, is_cap: true })?;
        Ok(cap.min(rate.map_err(|until| Full { until, is_cap: false })?))
    }
}

impl Window {
    fn new(length: TimeDelta, most: u32) -> Self {
        Self { length, most: most as usize, past: VecDeque::new() }
    }

    fn add(&mut self, at: DateTime<Utc>) {
        if self.most > 0 {
            self.past.push_back(at);
        }
    }

    /// Room left, or when there will be some.
    fn room(&mut self, under_way: usize, now: DateTime<Utc>) -> Result<usize, DateTime<Utc>> {
        if self.most == 0 {
            return Ok(usize::MAX);
        }
        while self.past.front().is_some_and(|at| *at + self.length <= now) {
            self.past.pop_front();
        }
        let taken = self.past.len() + under_way;
        if taken < self.most {
            return Ok(self.most - taken);
        }
        // So many of the oldest must leave the window; those under way will be in it for all of its length.
        let leaving = self.past.get(taken - self.most).copied().unwrap_or(now);
        Err(leaving + self.length)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_577_952_000 + seconds, 0).unwrap()
    }

    fn pace(limits: &Limits, past: &[(i64, bool)]) -> Pace {
        let past =
            past.iter().map(|(seconds, accepted)| Past { at: at(*seconds), accepted: *accepted });
        Pace::new(limits, past.collect())
    }

    const LIMITS: Limits =
        Limits { rate_per_minute: 2, per_person_per_day_max: 0, per_hour_max: 3 };

    #[test]
    fn room_is_what_the_limits_leave() {
        let rate = |seconds| Err(Full { until: at(seconds), is_cap: false });
        let cap = |seconds| Err(Full { until: at(seconds), is_cap: true });
        for (past, under_way, now, room) in [
            (&[][..], 0, 0, Ok(2)),
            (&[], 1, 0, Ok(1)),
            (&[], 2, 0, rate(60)),
            (&[(0, true)], 0, 10, Ok(1)),
            (&[(0, true), (5, false)], 0, 10, rate(60)),
            (&[(0, true), (5, false)], 0, 60, Ok(1)),
            (&[(0, true), (5, false)], 0, 65, Ok(2)),
            (&[(0, true), (5, false)], 1, 30, rate(65)),
            (&[(0, true), (100, true), (200, true)], 0, 300, cap(3600)),
            (&[(0, true), (100, true), (200, false)], 0, 300, Ok(1)),
            (&[(0, true), (100, true), (200, true)], 0, 3600, Ok(1)),
        ] {
            assert_eq!(pace(&LIMITS, past).room(under_way, at(now)), room, "{past:?} at {now}");
        }
        let many: Vec<_> = (0..5000).map(|n| (n / 100, true)).collect();
        assert_eq!(pace(&Limits::default(), &many).room(9, at(60)), Ok(usize::MAX));
    }

    proptest! {
        #[test]
        fn no_minute_sees_more_than_the_rate(steps in prop::collection::vec(0i64..20, 1..80)) {
            let mut pace = pace(&Limits { per_hour_max: 0, ..LIMITS }, &[]);
            let (mut now, mut went) = (0, Vec::new());
            for step in steps {
                now += step;
                if pace.room(0, at(now)).is_ok() {
                    pace.add(Past { at: at(now), accepted: true });
                    went.push(now);
                }
            }
            for (first, third) in went.iter().zip(went.iter().skip(2)) {
                prop_assert!(third - first >= 60);
            }
        }

        #[test]
        fn there_is_room_when_it_was_promised(past in prop::collection::vec(0i64..4000, 0..30), later in 0i64..200) {
            let mut past = past;
            past.sort_unstable();
            let now = past.last().copied().unwrap_or_default() + later;
            let past: Vec<_> = past.into_iter().map(|seconds| (seconds, true)).collect();
            if let Err(full) = pace(&LIMITS, &past).room(0, at(now)) {
                prop_assert!(full.until > at(now));
                let limits = if full.is_cap { Limits { rate_per_minute: 0, ..LIMITS } } else { LIMITS };
                prop_assert!(pace(&limits, &past).room(0, full.until).is_ok());
            }
        }
    }
}
