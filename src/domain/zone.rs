//! Time zones of the IANA database, compiled in: the same on every machine.

use std::fmt;
use std::str::FromStr;

use chrono::{
    FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Utc,
};
use tz::TimeZoneRef;
use tzdb_data::{TZ_NAMES, find_tz, time_zone};

/// A time zone, under one of its names in the database.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Zone {
    name: &'static str,
    rules: &'static TimeZoneRef<'static>,
}

/// No zone has this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no time zone has this name")]
pub struct UnknownZone;

/// Longer than any zone is ahead of or behind UTC, and shorter than the time between two changes of a clock.
const DAY_SECONDS: i64 = 24 * 60 * 60;

impl Zone {
    /// Where no clock ever changes.
    pub const UTC: Self = Self { name: "UTC", rules: &time_zone::UTC };

    /// Where the municipalities are.
    pub const COPENHAGEN: Self =
        Self { name: "Europe/Copenhagen", rules: &time_zone::europe::COPENHAGEN };

    /// Every name, such as `Europe/Copenhagen`.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TZ_NAMES.iter().copied()
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.name
    }

    /// How far its clocks are ahead of UTC at an instant (Unix time); not at all at those that the rules do not reach.
    fn ahead(self, instant: i64) -> FixedOffset {
        let seconds = self.rules.find_local_time_type(instant).map_or(0, |local| local.ut_offset());
        FixedOffset::east_opt(seconds).unwrap_or(Utc.fix())
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        let known = Self::names().find(|known| *known == name);
        let zone = known.and_then(|name| Some(Self { name, rules: find_tz(name.as_bytes())? }));
        zone.ok_or(UnknownZone)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// How far the clocks of a zone are ahead of UTC at some instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead {
    zone: Zone,
    ahead: FixedOffset,
}

impl Offset for Ahead {
    fn fix(&self) -> FixedOffset {
        self.ahead
    }
}

impl fmt::Display for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ahead.fmt(f)
    }
}

impl TimeZone for Zone {
    type Offset = Ahead;

    fn from_offset(offset: &Ahead) -> Self {
        offset.zone
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> MappedLocalTime<Ahead> {
        self.offset_from_local_datetime(&local.and_time(NaiveTime::MIN))
    }

    /// A clock shows a time with the offset of the day before, or that of the day after: with both if it is not changed
    /// in between or goes back over that time, with neither if it skips it.
    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> MappedLocalTime<Ahead> {
        let wall = local.and_utc().timestamp();
        let [before, after] = [wall - DAY_SECONDS, wall + DAY_SECONDS].map(|day| self.ahead(day));
        let shows =
            |ahead: FixedOffset| self.ahead(wall - i64::from(ahead.local_minus_utc())) == ahead;
        let offset = |ahead| Ahead { zone: *self, ahead };
        match (shows(before), shows(after)) {
            (true, true) if before != after => {
                MappedLocalTime::Ambiguous(offset(before), offset(after))
            }
            (true, _) => MappedLocalTime::Single(offset(before)),
            (false, true) => MappedLocalTime::Single(offset(after)),
            (false, false) => MappedLocalTime::None,
        }
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> Ahead {
        self.offset_from_utc_datetime(&utc.and_time(NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> Ahead {
        Ahead { zone: *self, ahead: self.ahead(utc.and_utc().timestamp()) }
    }
}
