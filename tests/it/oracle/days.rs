//! Days on which a municipality works and the schedule fires.

use chrono::{Datelike, Days, NaiveDate, Weekday};

use super::world::World;

/// Paschal full moons of the years 1900 to 2199 by golden number, as month and day: Easter is the Sunday after.
const FULL_MOONS: [(u32, u32); 19] = [
    (4, 14),
    (4, 3),
    (3, 23),
    (4, 11),
    (3, 31),
    (4, 18),
    (4, 8),
    (3, 28),
    (4, 16),
    (4, 5),
    (3, 25),
    (4, 13),
    (4, 2),
    (3, 22),
    (4, 10),
    (3, 30),
    (4, 17),
    (4, 7),
    (3, 27),
];

pub(crate) fn easter(year: i32) -> NaiveDate {
    assert!((1900..2200).contains(&year), "the table of full moons does not reach {year}");
    let (month, day) = FULL_MOONS[usize::try_from(year % 19).unwrap()];
    let mut sunday = NaiveDate::from_ymd_opt(year, month, day).unwrap().succ_opt().unwrap();
    while sunday.weekday() != Weekday::Sun {
        sunday = sunday.succ_opt().unwrap();
    }
    sunday
}

pub(crate) fn is_public_holiday(day: NaiveDate) -> bool {
    if [(1, 1), (12, 25), (12, 26)].contains(&(day.month(), day.day())) {
        return true;
    }
    let after_easter = (day - easter(day.year())).num_days();
    let prayer_day = after_easter == 26 && day.year() <= 2023;
    prayer_day || [-3, -2, 0, 1, 39, 49, 50].contains(&after_easter)
}

impl World {
    pub(crate) fn is_sending_day(&self, day: NaiveDate) -> bool {
        let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        let works = !weekend && !is_public_holiday(day) && !self.days_off.contains(&day);
        works && self.fires[day.weekday().num_days_from_monday() as usize]
    }

    /// `day`, or the last sending day before it.
    pub(crate) fn back_to_sending(&self, day: NaiveDate) -> NaiveDate {
        (0..400)
            .map(|days| day - Days::new(days))
            .find(|day| self.is_sending_day(*day))
            .expect("a schedule with no sending day in a year is refused")
    }

    /// `day`, or the next sending day after it.
    pub(crate) fn on_to_sending(&self, day: NaiveDate) -> NaiveDate {
        (0..400)
            .map(|days| day + Days::new(days))
            .find(|day| self.is_sending_day(*day))
            .expect("a schedule with no sending day in a year is refused")
    }
}
