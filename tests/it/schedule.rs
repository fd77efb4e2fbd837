use advis::domain::calendar::Calendar;
use advis::domain::zone::Zone;
use advis::schedule::{BadSchedule, Schedule, SendingDays};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Timelike, Utc};
use proptest::prelude::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// `2026-03-29 02:30` or with seconds.
fn wall(text: &str) -> NaiveDateTime {
    let seconds = if text.len() == 16 { ":00" } else { "" };
    NaiveDateTime::parse_from_str(&format!("{text}{seconds}"), "%Y-%m-%d %H:%M:%S").unwrap()
}

fn utc(text: &str) -> DateTime<Utc> {
    wall(text).and_utc()
}

fn schedule(line: &str) -> Schedule {
    Schedule::parse(line).unwrap()
}

fn refusal(line: &str) -> String {
    Schedule::parse(line).unwrap_err().to_string()
}

#[test]
fn a_line_fires_on_its_days_and_at_its_times() {
    #[rustfmt::skip]
    let table = [
        // after, line, next
        ("2026-01-05 07:59", "0 8 * * Mon-Fri", "2026-01-05 08:00"),
        ("2026-01-05 08:00", "0 8 * * Mon-Fri", "2026-01-06 08:00"),
        ("2026-01-09 08:00", "0 0 8 * * Mon-Fri", "2026-01-12 08:00"),
        ("2026-01-05 08:00:29", "30 0 8 * * mon", "2026-01-05 08:00:30"),
        ("2026-01-05 08:00", "*/15 8-9 * * *", "2026-01-05 08:15"),
        ("2026-01-05 08:45", "*/15 8-9 * * *", "2026-01-05 09:00"),
        ("2026-01-05 09:45", "*/15 8-9 * * *", "2026-01-06 08:00"),
        ("2026-01-05 09:45", "0 0 8 1 Jan,Jul ?", "2026-07-01 08:00"),
        // Both days must hold: the first Monday of the month.
        ("2026-01-05 09:45", "0 8 1-7 * Mon", "2026-02-02 08:00"),
        ("2026-01-05 09:45", "0 8 29 2 *", "2028-02-29 08:00"),
        ("2072-03-01 00:00", "0 8 29 2 Mon", "2112-02-29 08:00"),
        ("2026-01-05 09:45", "0 0 8 * * Mon 2030", "2030-01-07 08:00"),
        ("2130-01-05 09:45", "0 8 * * Mon-Fri", "2130-01-06 08:00"),
        ("2026-12-31 23:59:59", "* * * * * *", "2027-01-01 00:00"),
    ];
    for (after, line, next) in table {
        assert_eq!(schedule(line).next_wall(wall(after)), Some(wall(next)), "{line} after {after}");
    }
    assert_eq!(schedule("0 0 8 * * Mon 2019").next_wall(wall("2026-01-01 00:00")), None);
    assert_eq!(schedule(" 0 8 * * Mon ").source(), "0 8 * * Mon");
}

#[test]
fn weekdays_mean_what_their_names_say() {
    let schedule = schedule("0 8 * * Mon-Fri");
    let fires: Vec<bool> =
        day("2026-01-05").iter_days().take(7).map(|day| schedule.fires_on(day)).collect();
    assert_eq!(fires, [true, true, true, true, true, false, false]);
}

#[test]
fn a_range_of_weekdays_is_read_as_people_mean_it() {
    #[rustfmt::skip]
    let table = [
        ("Mon-Sun", "*"), ("Sun-Sat", "*"), ("Sat-Sun", "Sat,Sun"), ("Fri-Mon", "Fri,Sat,Sun,Mon"), ("sat-sun,WED", "Wed,Sat,Sun"),
        ("Monday-Friday", "Mon-Fri"), ("Sun-Tue", "Sun,Mon,Tue"), ("Tue-Tue", "Tue"),
    ];
    for (range, list) in table {
        let [range, list] = [range, list].map(|days| schedule(&format!("0 8 * * {days}")));
        for day in day("2026-01-05").iter_days().take(7) {
            assert_eq!(range.fires_on(day), list.fires_on(day), "{} on {day}", range.source());
        }
    }
}

#[test]
fn numbered_weekdays_are_refused_with_the_names_to_write() {
    #[rustfmt::skip]
    let table = [
        ("0 8 * * 1-5", "Mon-Fri"), ("0 0 8 * * 1-5", "Mon-Fri"), ("0 8 * * 1,3,5", "Mon,Wed,Fri"),
        ("0 8 * * 0", "Sun"), ("0 8 * * 7", "Sun"), ("0 8 * * 5-7", "Fri,Sat,Sun"), ("0 8 * * 0-2,4", "Sun-Tue,Thu"),
        ("0 8 * * 5-1", "Mon-Fri"), ("0 8 * * Mon-5", "Mon-Fri"), ("0 8 * * 15", "Mon-Fri"), ("0 8 * * */2", "Mon-Fri"),
    ];
    for (line, names) in table {
        let Err(BadSchedule::NumberedDays { example, .. }) = Schedule::parse(line) else {
            panic!("{line} was not refused for its days");
        };
        assert_eq!(example, names, "{line}");
        assert!(Schedule::parse(&format!("0 8 * * {example}")).is_ok(), "{example}");
    }
    assert_eq!(
        refusal("0 8 * * 1-5"),
        "\"0 8 * * 1-5\" has numbers for the days of the week, which every cron counts in its own way; \
         write names: Mon-Fri instead of 1-5"
    );
}

#[test]
fn a_wrong_line_is_refused_with_the_field_that_is_wrong() {
    #[rustfmt::skip]
    let table = [
        ("0 0 25 * * Mon-Fri", "25 is no hour"), ("60 8 * * Mon", "60 is no minute"), ("61 0 8 * * Mon", "61 is no second"),
        ("0 8 32 * *", "32 is no day of the month"), ("0 8 * 13 *", "13 is no month"), ("0 8 * Okt *", "Okt is no month"),
        ("0 8 * * Man-Fre", "Man-Fre is no day of the week"), ("0 8 * * Man-Sun", "write Mon-Fri"), ("0 0 8 * * Mon 1066", "1066 is no year"),
        ("0 8 * ** Mon", "** is no month"), ("0 8 * * **", "** is no day of the week"), ("0 8 * * MonTue", "MonTue is no day of the week"),
        ("*/0 8 * * Mon", "*/0 is no minute"), ("0 8 ** * Mon", "** is no day of the month"), ("0,8,* * * Mon", "has 4 fields"),
        ("", "has 0 fields"), ("0 8", "has 2 fields"), ("0 0 8 * * Mon * *", "has 8 fields"), ("@daily", "at which hour"),
        ("0 8 30 2 *", "never fires"), ("0 8 31 Apr,Jun,Sep,Nov *", "never fires"), ("0 0 8 29 2 ? 2021-2023", "never fires"),
        ("0 0 8 29 2 ? 2100", "never fires"),
    ];
    for (line, what) in table {
        let text = refusal(line).replace('"', "");
        assert!(text.contains(what), "{line}: {text}");
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn on_the_nights_when_the_clocks_change_nothing_is_skipped_or_repeated() {
    #[rustfmt::skip]
    let table = [
        // 02:00 to 03:00 does not exist; 03:00 is 01:00 UTC.
        ("2020-03-29 01:59", "2020-03-29 00:59"), ("2020-03-29 02:00", "2020-03-29 01:00"),
        ("2020-03-29 02:30", "2020-03-29 01:00"), ("2020-03-29 02:59:59", "2020-03-29 01:00"),
        ("2020-03-29 03:00", "2020-03-29 01:00"),
        // 02:00 to 03:00 comes twice; the first is summer time.
        ("2020-10-25 01:59", "2020-10-24 23:59"), ("2020-10-25 02:30", "2020-10-25 00:30"), ("2020-10-25 03:00", "2020-10-25 02:00"),
    ];
    for (at, instant) in table {
        assert_eq!(Schedule::resolve(wall(at), Zone::COPENHAGEN), utc(instant), "{at}");
    }
    // Samoa left out 30 December 2011.
    assert_eq!(
        Schedule::resolve(wall("2011-12-30 08:00"), "Pacific/Apia".parse().unwrap()),
        utc("2011-12-30 10:00")
    );
}

#[test]
fn half_past_two_fires_once_a_day_from_2018_to_2040() {
    let schedule = schedule("0 30 2 * * *");
    let days = day("2041-01-01").signed_duration_since(day("2018-01-01")).num_days();
    let runs = schedule.next_runs(
        utc("2017-12-31 23:00"),
        Zone::COPENHAGEN,
        usize::try_from(days).unwrap(),
    );
    assert!(runs.is_sorted_by(|a, b| a < b));
    let local: Vec<NaiveDateTime> =
        runs.iter().map(|run| run.with_timezone(&Zone::COPENHAGEN).naive_local()).collect();
    let each_day: Vec<NaiveDate> =
        day("2018-01-01").iter_days().take_while(|day| day.year() < 2041).collect();
    assert_eq!(local.iter().map(NaiveDateTime::date).collect::<Vec<_>>(), each_day);
    let moved = local.iter().filter(|wall| (wall.hour(), wall.minute()) != (2, 30)).count();
    assert_eq!(moved, 23, "one spring night a year");
}

#[test]
fn a_dense_schedule_fires_each_instant_once_in_every_night_of_changing_clocks() {
    let schedule = schedule("*/10 * * * *");
    for year in 2018..=2040 {
        for month in [3, 10] {
            let last_sunday = (25..=31)
                .filter_map(|day| NaiveDate::from_ymd_opt(year, month, day))
                .find(|day| day.weekday() == chrono::Weekday::Sun)
                .unwrap();
            let midnight = last_sunday.and_hms_opt(0, 0, 0).unwrap();
            let from = Schedule::resolve(midnight, Zone::COPENHAGEN) - TimeDelta::seconds(1);
            let runs: Vec<DateTime<Utc>> = schedule
                .next_runs(from, Zone::COPENHAGEN, 200)
                .into_iter()
                .filter(|run| run.with_timezone(&Zone::COPENHAGEN).date_naive() == last_sunday)
                .collect();
            assert!(runs.is_sorted_by(|a, b| a < b), "{last_sunday}");
            // In spring six firings do not exist and share the instant of 03:00; in autumn six exist twice and fire once.
            assert_eq!(runs.len(), if month == 3 { 138 } else { 144 }, "{last_sunday}");
        }
    }
}

#[test]
fn inside_the_repeated_hour_the_next_run_is_never_in_the_past() {
    let schedule = schedule("*/10 * * * *");
    // 02:15 for the second time: the firings of the second half past two were those of the first.
    let now = utc("2020-10-25 01:15");
    assert_eq!(
        schedule.next_runs(now, Zone::COPENHAGEN, 2),
        [utc("2020-10-25 02:00"), utc("2020-10-25 02:10")]
    );
}

#[test]
fn of_all_that_was_missed_the_latest_firing_counts() {
    #[rustfmt::skip]
    let table = [
        ("2026-01-05 08:00", "2026-01-05 08:00", None), ("2026-01-05 07:59", "2026-01-05 08:00", Some("2026-01-05 08:00")),
        ("2026-01-05 08:00", "2026-01-06 07:59:59", None), ("2026-01-05 08:00", "2026-01-12 07:00", Some("2026-01-09 08:00")),
        ("2026-01-09 08:00", "2026-01-12 07:59", None), ("2026-01-05 09:00", "2026-01-05 08:30", None),
        ("2020-01-01 00:00", "2026-01-04 12:00", Some("2026-01-02 08:00")),
    ];
    let schedule = schedule("0 8 * * Mon-Fri");
    for (after, until, latest) in table {
        let found = schedule.latest_firing(wall(after), wall(until));
        assert_eq!(found, latest.map(wall), "{after} to {until}");
    }
}

#[test]
fn a_sending_day_is_a_working_day_on_which_the_schedule_fires() {
    let calendar = || Calendar::new(vec!["06-05".parse().unwrap()]);
    let workdays = SendingDays::new(calendar(), schedule("0 8 * * Mon-Fri"));
    let tuesdays = SendingDays::new(calendar(), schedule("0 8 * * Tue"));
    #[rustfmt::skip]
    let table = [
        (&workdays, "2026-06-05", "2026-06-04", "2026-06-08"), (&workdays, "2026-04-05", "2026-04-01", "2026-04-07"),
        (&workdays, "2026-06-04", "2026-06-04", "2026-06-04"), (&tuesdays, "2026-06-05", "2026-06-02", "2026-06-09"),
    ];
    for (sending, on, before, after) in table {
        assert_eq!(sending.on_or_before(day(on)), Some(day(before)), "{on}");
        assert_eq!(sending.on_or_after(day(on)), Some(day(after)), "{on}");
        assert_eq!(sending.is_sending_day(day(on)), on == before);
    }
}

#[test]
fn a_sending_day_is_the_same_whether_worked_out_before_or_now() {
    let (calendar, fires) = (Calendar::default(), schedule("0 8 * * Mon-Wed"));
    let sending = SendingDays::new(calendar.clone(), fires.clone());
    for day in day("2005-01-01").iter_days().take(80 * 366) {
        let expected = fires.fires_on(day) && calendar.is_working_day(day);
        assert_eq!(sending.is_sending_day(day), expected, "{day}");
    }
}

#[test]
fn where_there_is_no_sending_day_within_a_year_none_is_found() {
    let days = |line| SendingDays::new(Calendar::default(), schedule(line));
    for never in ["0 8 25 12 *", "0 8 * * Sat,Sun", "0 0 8 * * Mon 2019"] {
        assert_eq!(days(never).on_or_after(day("2026-01-01")), None, "{never}");
        assert_eq!(days(never).on_or_before(day("2031-01-01")), None, "{never}");
    }
    assert_eq!(days("0 8 29 2 *").on_or_after(day("2026-01-01")), None);
    let yearly = days("0 8 1 7 *");
    assert_eq!(yearly.on_or_before(day("2025-06-30")), Some(day("2024-07-01")));
}

proptest! {
    #[test]
    fn the_next_firing_is_later_and_nothing_lies_between(
        line in prop::sample::select(vec![
            "0 8 * * Mon-Fri", "*/7 3-5,22 * * *", "0 0 8 29 2 *", "15 30 12 1-7 * Mon", "0 8 31 * *",
        ]),
        seconds in 1_500_000_000_i64..2_300_000_000,
    ) {
        let schedule = schedule(line);
        let after = Utc.timestamp_opt(seconds, 0).unwrap().naive_utc();
        let next = schedule.next_wall(after).unwrap();
        let just_before = next - TimeDelta::seconds(1);
        prop_assert!(next > after);
        prop_assert!(schedule.fires_on(next.date()));
        prop_assert_eq!(schedule.latest_firing(after, next), Some(next));
        prop_assert_eq!(schedule.latest_firing(after, just_before), None);
        prop_assert_eq!(schedule.next_wall(just_before), Some(next));
    }

    #[test]
    fn a_sending_day_found_is_the_nearest(offset in 0_u64..8000) {
        let sending = SendingDays::new(Calendar::default(), schedule("0 8 * * Tue,Thu"));
        let start = day("2018-01-01") + chrono::Days::new(offset);
        let before = sending.on_or_before(start).unwrap();
        let after = sending.on_or_after(start).unwrap();
        prop_assert!(before <= start && start <= after);
        let between = before.iter_days().skip(1).take_while(|day| *day < after).filter(|day| *day != before);
        prop_assert!(between.filter(|day| sending.is_sending_day(*day)).count() == 0);
    }
}

#[test]
fn the_next_firing_on_a_sending_day_is_found_however_often_the_schedule_fires() {
    let next = |line: &str, after: &str| {
        let schedule = Schedule::parse(line).unwrap();
        let sending = SendingDays::new(Calendar::default(), schedule);
        sending.next_firing(after.parse().unwrap()).map(|wall| wall.to_string())
    };
    let check = |line: &str, after: &str, expected: &str| {
        assert_eq!(next(line, after).as_deref(), Some(expected), "{line} after {after}");
    };
    check("0 0 8 * * Mon-Fri", "2026-11-23T07:59:59", "2026-11-23 08:00:00");
    check("0 0 8 * * Mon-Fri", "2026-11-23T08:00:00", "2026-11-24 08:00:00");
    check("0 * * * * *", "2026-11-20T23:59:30", "2026-11-23 00:00:00");
    // Maundy Thursday to Easter Monday.
    check("* * * * * *", "2026-04-01T23:59:59", "2026-04-07 00:00:00");
}
