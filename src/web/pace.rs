//! How often one link, and one machine, may ask: token buckets, filled as time goes by. The time is handed in.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// Most buckets that are remembered. Beyond that those that are full again are forgotten, and if none is, all: rather
/// an attacker who is let in again than a memory that fills.
const BUCKETS_MAX: usize = 10_000;

/// How many requests may come at once, and how many more each second brings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// At once.
    pub burst: f64,
    /// And each second from then on.
    pub per_second: f64,
}

/// What holds for links, machines and connections.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// One link.
    pub link: Pace,
    /// One machine; a municipality may have one address for all of its leaders.
    pub peer: Pace,
    /// Most connections at once; the others wait before the door.
    pub connections: usize,
    /// Longest life of a connection. A page is a few kilobytes, so whoever needs longer holds the place of others.
    pub connection_life: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            link: Pace { burst: 60.0, per_second: 1.0 },
            peer: Pace { burst: 600.0, per_second: 20.0 },
            connections: 256,
            connection_life: Duration::from_secs(60),
        }
    }
}

#[derive(Debug)]
struct Bucket {
    left: f64,
    at: DateTime<Utc>,
}

#[derive(Debug)]
struct Buckets<K> {
    pace: Pace,
    buckets: HashMap<K, Bucket>,
}

/// The buckets of every link and machine seen lately.
#[derive(Debug)]
pub(super) struct Paces {
    links: Buckets<u64>,
    peers: Buckets<IpAddr>,
}

impl Paces {
    pub(super) fn new(limits: Limits) -> Self {
        let Limits { link, peer, .. } = limits;
        Self {
            links: Buckets { pace: link, buckets: HashMap::new() },
            peers: Buckets { pace: peer, buckets: HashMap::new() },
        }
    }

    /// Whether this request may be answered; it counts when it may.
    pub(super) fn allows(&mut self, peer: IpAddr, link: Option<u64>, now: DateTime<Utc>) -> bool {
        self.peers.takes(peer, now) && link.is_none_or(|link| self.links.takes(link, now))
    }
}

impl<K: Eq + Hash> Buckets<K> {
    fn takes(&mut self, key: K, now: DateTime<Utc>) -> bool {
        let pace = self.pace;
        if self.buckets.len() >= BUCKETS_MAX && !self.buckets.contains_key(&key) {
            self.buckets.retain(|_, bucket| bucket.after(now, pace) < pace.burst);
            if self.buckets.len() >= BUCKETS_MAX {
                self.buckets.clear();
            }
        }
        let bucket = self.buckets.entry(key).or_insert(Bucket { left: pace.burst, at: now });
        let left = bucket.after(now, pace);
        let is_enough = left >= 1.0;
        *bucket =
            Bucket { left: if is_enough { left - 1.0 } else { left }, at: now.max(bucket.at) };
        is_enough
    }
}

impl Bucket {
    /// What is in it now. A clock that goes back fills nothing.
    fn after(&self, now: DateTime<Utc>, pace: Pace) -> f64 {
        let passed = (now - self.at).max(TimeDelta::zero()).as_seconds_f64();
        passed.mul_add(pace.per_second, self.left).min(pace.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn paces() -> Paces {
        let link = Pace { burst: 3.0, per_second: 1.0 };
        Paces::new(Limits {
            link,
            peer: Pace { burst: 10.0, per_second: 0.5 },
            ..Limits::default()
        })
    }

    #[test]
    fn a_link_has_its_burst_and_then_what_time_brings() {
        let mut paces = paces();
        let mut ask = |link, seconds| paces.allows(HERE, Some(link), at(seconds));
        assert_eq!([ask(1, 0), ask(1, 0), ask(1, 0), ask(1, 0)], [true, true, true, false]);
        assert!(ask(2, 0), "another link has its own");
        assert_eq!([ask(1, 1), ask(1, 1)], [true, false]);
        assert!(!ask(1, -100), "a clock that goes back fills nothing");
        assert_eq!(
            [ask(1, 3600), ask(1, 3600), ask(1, 3600)],
            [true; 3],
            "never more than a burst"
        );
        assert!(!ask(1, 3600));
    }

    #[test]
    fn a_machine_that_tries_many_links_is_held_back() {
        let mut paces = paces();
        let answered = (0..100).filter(|link| paces.allows(HERE, Some(*link), at(0))).count();
        assert_eq!(answered, 10);
    }

    #[test]
    fn memory_does_not_fill() {
        let mut paces = Paces::new(Limits::default());
        for link in 0..BUCKETS_MAX as u64 * 3 {
            let _ = paces.links.takes(link, at(0));
        }
        assert!(paces.links.buckets.len() <= BUCKETS_MAX);
    }
}
