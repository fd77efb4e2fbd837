use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use advis::domain::calendar::{Calendar, DayOff, public_holiday};
use chrono::{Datelike, NaiveDate, Weekday};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn days(first: &str, last: &str) -> impl Iterator<Item = NaiveDate> {
    let last = day(last);
    day(first).iter_days().take_while(move |day| *day <= last)
}

fn calendar(days_off: &[&str]) -> Calendar {
    Calendar::new(days_off.iter().map(|text| text.parse().unwrap()).collect())
}

/// Rows `date, name, public|customary`; `None` when the file is not beside the repository.
fn holiday_table() -> Option<Vec<(NaiveDate, String, bool)>> {
    let shared = std::env::var("ADVIS_SHARED")
        .map_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../shared").into(), PathBuf::from);
    let file = shared.join("data/danish-holidays.tsv");
    let Ok(text) = std::fs::read_to_string(&file) else {
        eprintln!("skipped: {} is not there", file.display());
        return None;
    };
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        (day(cells[0]), cells[1].to_owned(), cells[2].trim() == "public")
    };
    Some(text.lines().skip(1).map(row).collect())
}

#[test]
fn the_public_holidays_are_those_of_the_table_and_no_others() {
    let Some(table) = holiday_table() else { return };
    let expected: BTreeMap<NaiveDate, String> = table
        .into_iter()
        .filter(|(.., public)| *public)
        .map(|(day, name, _)| (day, name))
        .collect();
    let ours: BTreeMap<NaiveDate, String> = days("2018-01-01", "2030-12-31")
        .filter_map(|day| Some((day, public_holiday(day)?.to_owned())))
        .collect();
    assert_eq!(ours, expected);
}

/// Easter Sundays from 2018 on, as the almanac lists them.
const EASTERS: [&str; 13] = [
    "2018-04-01",
    "2019-04-21",
    "2020-04-12",
    "2021-04-04",
    "2022-04-17",
    "2023-04-09",
    "2024-03-31",
    "2025-04-20",
    "2026-04-05",
    "2027-03-28",
    "2028-04-16",
    "2029-04-01",
    "2030-04-21",
];

#[test]
fn the_public_holidays_hang_on_easter_and_the_calendar_as_the_law_says() {
    let mut expected = BTreeSet::new();
    for easter in EASTERS.map(day) {
        let year = easter.year();
        let store_bededag = (year <= 2023).then_some(26);
        for days in [-3, -2, 0, 1, 39, 49, 50].into_iter().chain(store_bededag) {
            expected.insert(easter + chrono::TimeDelta::days(days));
        }
        for (month, of_month) in [(1, 1), (12, 25), (12, 26)] {
            expected.insert(NaiveDate::from_ymd_opt(year, month, of_month).unwrap());
        }
    }
    let ours: BTreeSet<NaiveDate> =
        days("2018-01-01", "2030-12-31").filter(|day| public_holiday(*day).is_some()).collect();
    assert_eq!(ours, expected);
}

#[test]
fn the_customary_days_off_of_the_table_are_those_of_the_default_list() {
    let Some(table) = holiday_table() else { return };
    let calendar = calendar(&["06-05", "12-24", "12-31"]);
    let expected: BTreeSet<NaiveDate> = table
        .into_iter()
        .map(|(day, ..)| day)
        .filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun))
        .collect();
    let ours: BTreeSet<NaiveDate> = days("2018-01-01", "2030-12-31")
        .filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun))
        .filter(|day| !calendar.is_working_day(*day))
        .collect();
    assert_eq!(ours, expected);
}

#[test]
fn easter_falls_where_the_church_says_also_in_its_extreme_years() {
    for date in ["1818-03-22", "1943-04-25", "1954-04-18", "1981-04-19", "2038-04-25", "2285-03-22"]
    {
        assert_eq!(public_holiday(day(date)), Some("Påskedag"), "{date}");
    }
    for year in 1600..2600 {
        let sundays: Vec<NaiveDate> = days(&format!("{year}-01-01"), &format!("{year}-12-31"))
            .filter(|day| public_holiday(*day) == Some("Påskedag"))
            .collect();
        assert!(matches!(sundays[..], [one] if one.weekday() == Weekday::Sun), "{year}");
    }
}

#[test]
fn store_bededag_is_a_holiday_to_2023_and_a_working_day_after() {
    let calendar = Calendar::default();
    assert_eq!(public_holiday(day("2023-05-05")), Some("Store bededag"));
    assert!(!calendar.is_working_day(day("2023-05-05")));
    assert!(calendar.is_working_day(day("2024-04-26")));
}

#[test]
fn days_off_are_days_dates_and_ranges_of_either() {
    #[rustfmt::skip]
    let table = [
        ("06-05", "2026-06-05", true), ("06-05", "1999-06-05", true), ("06-05", "2026-06-06", false),
        ("2026-05-15", "2026-05-15", true), ("2026-05-15", "2027-05-15", false),
        ("12-24..01-02", "2026-12-24", true), ("12-24..01-02", "2026-12-31", true),
        ("12-24..01-02", "2027-01-02", true), ("12-24..01-02", "2027-01-03", false),
        ("12-24..01-02", "2026-12-23", false), ("07-06..07-24", "2026-07-15", true),
        ("07-06..07-24", "2026-07-25", false), ("2026-07-01..2026-07-31", "2026-07-31", true),
        ("2026-07-01..2026-07-31", "2025-07-31", false), ("2026-12-30..2027-01-04", "2027-01-04", true),
        ("02-29", "2028-02-29", true), ("02-29", "2027-02-28", false), ("02-29", "2027-03-01", false),
        (" 06-05 ", "2026-06-05", true), ("06-05 .. 06-06", "2026-06-06", true),
    ];
    for (text, date, off) in table {
        let day_off: DayOff = text.parse().unwrap();
        assert_eq!(day_off.contains(day(date)), off, "{text} on {date}");
    }
}

#[test]
fn what_is_no_day_off_is_refused_with_the_right_form() {
    #[rustfmt::skip]
    let table = [
        "", "5. juni", "6-5", "06-5", "13-01", "02-30", "2026-02-29", "2026-13-01", "26-05-15", "06-05..", "..06-05",
        "06-05..2026-06-06", "06-05-", "-06-05", "06-05..06-06..06-07", "06/05", "+6-05", "２026-05-15",
    ];
    for text in table {
        let error = text.parse::<DayOff>().unwrap_err().to_string();
        assert!(error.contains("06-05") && error.contains(&format!("{text:?}")), "{error}");
    }
    let error = "2026-07-31..2026-07-01".parse::<DayOff>().unwrap_err().to_string();
    assert_eq!(error, "\"2026-07-31..2026-07-01\" ends before it begins");
}

#[test]
fn weekends_are_no_working_days() {
    let calendar = Calendar::default();
    let worked: Vec<u32> = days("2026-03-02", "2026-03-08")
        .filter(|day| calendar.is_working_day(*day))
        .map(|day| day.weekday().number_from_monday())
        .collect();
    assert_eq!(worked, [1, 2, 3, 4, 5]);
}
