use advis::domain::zone::Zone;
use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use proptest::prelude::*;
use proptest::sample::select;

fn wall(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
}

fn zone(name: &str) -> Zone {
    name.parse().unwrap()
}

/// What the clocks of `zone` showed at `instant` (UTC), and how far that is ahead, in minutes.
fn shown(zone: Zone, instant: &str) -> (NaiveDateTime, i32) {
    let local = wall(instant).and_utc().with_timezone(&zone);
    (local.naive_local(), local.offset().fix().local_minus_utc() / 60)
}

/// How far the clocks of `zone` are ahead, in minutes, whenever they show `at`: never, once or twice.
fn ahead(zone: Zone, at: &str) -> Vec<i32> {
    let offsets = match zone.offset_from_local_datetime(&wall(at)) {
        MappedLocalTime::Single(offset) => vec![offset],
        MappedLocalTime::Ambiguous(first, second) => vec![first, second],
        MappedLocalTime::None => Vec::new(),
    };
    offsets.iter().map(|offset| offset.fix().local_minus_utc() / 60).collect()
}

#[test]
fn the_clocks_of_a_zone_at_an_instant() {
    for (name, instant, local, minutes) in [
        ("UTC", "2026-07-01 12:00", "2026-07-01 12:00", 0),
        ("Europe/Copenhagen", "2026-01-01 12:00", "2026-01-01 13:00", 60),
        ("Europe/Copenhagen", "2026-03-29 00:59", "2026-03-29 01:59", 60),
        ("Europe/Copenhagen", "2026-03-29 01:00", "2026-03-29 03:00", 120),
        ("Europe/Copenhagen", "2026-10-25 00:59", "2026-10-25 02:59", 120),
        ("Europe/Copenhagen", "2026-10-25 01:00", "2026-10-25 02:00", 60),
        // Long after the last change that is written down one by one.
        ("Europe/Copenhagen", "2099-07-01 12:00", "2099-07-01 14:00", 120),
        ("Atlantic/Faroe", "2026-07-01 12:00", "2026-07-01 13:00", 60),
        ("America/Nuuk", "2026-01-01 12:00", "2026-01-01 10:00", -120),
        ("Asia/Kathmandu", "2026-01-01 12:00", "2026-01-01 17:45", 345),
    ] {
        assert_eq!(shown(zone(name), instant), (wall(local), minutes), "{name} {instant}");
    }
}

#[test]
fn a_time_on_the_wall_comes_once_twice_or_never() {
    for (name, at, minutes) in [
        ("Europe/Copenhagen", "2026-06-01 08:00", &[120][..]),
        ("Europe/Copenhagen", "2026-03-29 01:59", &[60]),
        ("Europe/Copenhagen", "2026-03-29 02:00", &[]),
        ("Europe/Copenhagen", "2026-03-29 02:59", &[]),
        ("Europe/Copenhagen", "2026-03-29 03:00", &[120]),
        ("Europe/Copenhagen", "2026-10-25 01:59", &[120]),
        ("Europe/Copenhagen", "2026-10-25 02:00", &[120, 60]),
        ("Europe/Copenhagen", "2026-10-25 02:59", &[120, 60]),
        ("Europe/Copenhagen", "2026-10-25 03:00", &[60]),
        // A day that never was, and half an hour.
        ("Pacific/Apia", "2011-12-29 23:59", &[-600]),
        ("Pacific/Apia", "2011-12-30 12:00", &[]),
        ("Pacific/Apia", "2011-12-31 00:00", &[840]),
        ("Australia/Lord_Howe", "2026-04-05 01:45", &[660, 630]),
    ] {
        assert_eq!(ahead(zone(name), at), minutes, "{name} {at}");
    }
}

#[test]
fn the_zones_with_a_name_of_their_own_here_are_those_of_the_database() {
    for known in [Zone::UTC, Zone::COPENHAGEN] {
        assert_eq!(zone(known.name()), known);
    }
    for name in Zone::names() {
        assert_eq!(zone(name).name(), name);
    }
    for unknown in ["", "Europe", "europe/copenhagen", "Europe/Copenhagen "] {
        assert!(unknown.parse::<Zone>().is_err(), "{unknown:?}");
    }
}

fn any_zone() -> impl Strategy<Value = Zone> {
    select(Zone::names().collect::<Vec<_>>()).prop_map(zone)
}

fn any_instant() -> impl Strategy<Value = DateTime<Utc>> {
    let (first, last) = (wall("1970-01-01 00:00"), wall("2100-01-01 00:00"));
    let seconds = first.and_utc().timestamp()..last.and_utc().timestamp();
    seconds.prop_map(|seconds| DateTime::from_timestamp(seconds, 0).unwrap())
}

/// The change of a clock that comes last before `instant`, within two years: to the second.
fn last_change(zone: Zone, instant: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let at = |instant: DateTime<Utc>| instant.with_timezone(&zone).offset().fix();
    let days = (0..730).map(|days| instant - TimeDelta::days(days));
    let after = days.take_while(|day| at(*day) == at(instant)).last()?;
    let (mut before, mut after) = (after - TimeDelta::days(1), after);
    if at(before) == at(after) {
        return None;
    }
    while after - before > TimeDelta::seconds(1) {
        let middle = before + (after - before) / 2;
        if at(middle) == at(after) { after = middle } else { before = middle }
    }
    Some(after)
}

proptest! {
    #[test]
    fn every_instant_is_among_those_of_its_time_on_the_wall(
        zone in any_zone(),
        instant in any_instant(),
        minutes in -2_000..2_000_i64,
    ) {
        let near_change = last_change(zone, instant).map(|at| at + TimeDelta::minutes(minutes));
        for instant in [Some(instant), near_change].into_iter().flatten() {
            let local = instant.with_timezone(&zone);
            let found = zone.from_local_datetime(&local.naive_local());
            let both = [found.earliest(), found.latest()];
            prop_assert!(both.contains(&Some(local)), "{zone:?} {instant}: {found:?}");
            prop_assert!(found.earliest() <= found.latest());
        }
    }

    #[test]
    fn a_time_on_the_wall_is_shown_at_each_of_its_instants(
        zone in any_zone(),
        instant in any_instant(),
        minutes in -2_000..2_000_i64,
    ) {
        let near_change = last_change(zone, instant).unwrap_or(instant);
        let wall = (near_change + TimeDelta::minutes(minutes)).naive_utc();
        let found = zone.from_local_datetime(&wall);
        for local in [found.earliest(), found.latest()].into_iter().flatten() {
            prop_assert_eq!(local.naive_local(), wall);
            prop_assert_eq!(local.with_timezone(&Utc).with_timezone(&zone), local);
        }
    }
}
