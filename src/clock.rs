//! The only place that reads the time. A value, handed down.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};

use crate::domain::zone::Zone;

/// Where the time comes from, and the zone in which people live.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// The machine's clock.
    System(Zone),
    /// Always the same instant: rehearsal and tests.
    Fixed(DateTime<Utc>, Zone),
}

/// The hour of the day that `--on` pretends.
const REHEARSAL_HOUR: u32 = 8;

impl Clock {
    /// 08:00:00 on `day` in `zone` (the first valid minute after it, should a zone ever skip that hour).
    #[must_use]
    pub fn on(day: NaiveDate, zone: Zone) -> Self {
        let wall = day.and_time(NaiveTime::from_hms_opt(REHEARSAL_HOUR, 0, 0).unwrap_or_default());
        let instant = zone
            .from_local_datetime(&wall)
            .earliest()
            .map_or_else(|| Utc.from_utc_datetime(&wall), |local| local.with_timezone(&Utc));
        Self::Fixed(instant, zone)
    }

    /// This instant.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Self::System(_) => Utc::now(),
            Self::Fixed(instant, _) => *instant,
        }
    }

    /// The zone of the municipality.
    #[must_use]
    pub fn zone(&self) -> Zone {
        match self {
            Self::System(zone) | Self::Fixed(_, zone) => *zone,
        }
    }

    /// Wall-clock time in the zone.
    #[must_use]
    pub fn wall(&self) -> NaiveDateTime {
        self.now().with_timezone(&self.zone()).naive_local()
    }

    /// Today in the zone.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        self.wall().date()
    }

    /// Whether the time is pretended.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        matches!(self, Self::Fixed(..))
    }
}
