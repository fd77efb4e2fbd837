//! Deadlines that come again: the rule as text and back, and the windows it makes.

use advis::domain::recurrence::{Frequency, MonthDay, Recurrence, Rule, Span};
use chrono::{Datelike, Days, NaiveDate, Weekday};
use proptest::prelude::*;

use super::{any_day, day, day_of_century, parse, rows};

/// The windows that a stored rule makes after a day.
fn windows(rrule: &str, span: &str, anchor: &str, after: &str, count: usize) -> Vec<String> {
    let rule = Recurrence::from_stored(rrule, span).expect("a rule");
    let mut after = day(after);
    (0..count)
        .map_while(|_| {
            let window = rule.window_after(day(anchor), after)?;
            after = window.opens;
            Some(window.to_string())
        })
        .collect()
}

#[test]
fn a_day_that_a_month_lacks_is_its_last_day() {
    for (rrule, expected) in [
        ("FREQ=MONTHLY;BYMONTHDAY=31", ["2021-02-28", "2021-03-31", "2021-04-30"]),
        ("FREQ=MONTHLY;BYMONTHDAY=30", ["2021-02-28", "2021-03-30", "2021-04-30"]),
        ("FREQ=MONTHLY;BYMONTHDAY=29", ["2021-02-28", "2021-03-29", "2021-04-29"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", ["2021-02-28", "2021-03-31", "2021-04-30"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", ["2021-02-28", "2022-02-28", "2023-02-28"]),
    ] {
        let days = expected.map(|day| format!("{day}..{day}"));
        assert_eq!(windows(rrule, "days:1", "2020-01-15", "2021-01-31", 3), days, "{rrule}");
    }
    let monthly = windows("FREQ=MONTHLY", "days:1", "2020-01-31", "2020-01-31", 3);
    let days = ["2020-02-29..2020-02-29", "2020-03-31..2020-03-31", "2020-04-30..2020-04-30"];
    assert_eq!(monthly, days, "a bare interval counts from the reference, so it does not drift");
}

/// Rule, span, and the two windows after 15 January 2020.
const RULES: &[(&str, &str, [&str; 2])] = &[
    ("FREQ=DAILY;INTERVAL=10", "days:1", ["2020-01-25..2020-01-25", "2020-02-04..2020-02-04"]),
    ("FREQ=WEEKLY;INTERVAL=2", "days:1", ["2020-01-29..2020-01-29", "2020-02-12..2020-02-12"]),
    ("FREQ=MONTHLY;INTERVAL=6", "days:1", ["2020-07-15..2020-07-15", "2021-01-15..2021-01-15"]),
    ("FREQ=YEARLY;INTERVAL=2", "days:1", ["2022-01-15..2022-01-15", "2024-01-15..2024-01-15"]),
    ("FREQ=WEEKLY;BYDAY=MO,TH", "days:1", ["2020-01-16..2020-01-16", "2020-01-20..2020-01-20"]),
    (
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU",
        "days:1",
        ["2020-01-21..2020-01-21", "2020-02-04..2020-02-04"],
    ),
    ("FREQ=MONTHLY;BYDAY=1MO", "days:1", ["2020-02-03..2020-02-03", "2020-03-02..2020-03-02"]),
    ("FREQ=MONTHLY;BYDAY=-1FR", "days:1", ["2020-01-31..2020-01-31", "2020-02-28..2020-02-28"]),
    (
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1",
        "days:1",
        ["2020-02-03..2020-02-03", "2020-03-02..2020-03-02"],
    ),
    (
        "FREQ=MONTHLY;BYMONTHDAY=1,15",
        "days:1",
        ["2020-02-01..2020-02-01", "2020-02-15..2020-02-15"],
    ),
    (
        "FREQ=MONTHLY;BYMONTHDAY=21",
        "months:0",
        ["2020-01-21..2020-01-31", "2020-02-21..2020-02-29"],
    ),
    (
        "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=1",
        "days:1",
        ["2020-02-01..2020-02-01", "2020-04-01..2020-04-01"],
    ),
    (
        "FREQ=YEARLY;BYMONTH=6,12;BYMONTHDAY=1",
        "months:0",
        ["2020-06-01..2020-06-30", "2020-12-01..2020-12-31"],
    ),
    (
        "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=1",
        "months:2",
        ["2020-12-01..2021-02-28", "2021-12-01..2022-02-28"],
    ),
    (
        "FREQ=YEARLY;INTERVAL=3;BYMONTH=5;BYMONTHDAY=11",
        "days:10",
        ["2020-05-11..2020-05-20", "2023-05-11..2023-05-20"],
    ),
    (
        "FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO",
        "days:7",
        ["2021-01-04..2021-01-10", "2022-01-03..2022-01-09"],
    ),
    (
        "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO",
        "days:7",
        ["2020-12-28..2021-01-03", "2026-12-28..2027-01-03"],
    ),
    (
        "FREQ=YEARLY;BYMONTH=6;BYDAY=MO;BYMONTHDAY=19,20,21,22,23,24,25",
        "days:5",
        ["2020-06-22..2020-06-26", "2021-06-21..2021-06-25"],
    ),
    (
        "FREQ=YEARLY;BYMONTH=8;BYDAY=2MO",
        "months:1",
        ["2020-08-10..2020-09-30", "2021-08-09..2021-09-30"],
    ),
];

#[test]
fn each_sort_of_rule_makes_its_windows() {
    for (rrule, span, expected) in RULES {
        assert_eq!(&windows(rrule, span, "2020-01-15", "2020-01-15", 2), expected, "{rrule}");
    }
}

#[test]
fn the_rule_of_every_phrase_of_the_table_comes_back_from_the_store() {
    let rules: Vec<Recurrence> = rows()
        .iter()
        .filter_map(|row| parse(&row.phrase, row.reference).ok()?.recurrence)
        .collect();
    assert!(rules.len() > 80);
    for rule in rules {
        assert_eq!(Recurrence::from_stored(&rule.rrule(), &rule.span()), Ok(rule));
    }
}

#[test]
fn the_windows_of_a_phrase_are_those_its_rule_makes() {
    for row in rows() {
        let Ok(deadline) = parse(&row.phrase, row.reference) else { continue };
        let Some(rule) = deadline.recurrence.filter(|rule| !rule.is_bare()) else { continue };
        for window in &deadline.windows {
            let before = window.opens.pred_opt().expect("a day before");
            let made = rule.window_after(window.opens, before);
            assert_eq!(made, Some(*window), "{}", row.phrase);
        }
    }
}

#[test]
fn a_stored_text_of_another_hand_is_refused() {
    for (rrule, span) in [
        ("", "days:1"),
        ("FREQ=HOURLY", "days:1"),
        ("FREQ=MONTHLY;INTERVAL=1", "days:1"),
        ("FREQ=MONTHLY;INTERVAL=0", "days:1"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "days:1"),
        ("FREQ=MONTHLY;BYMONTHDAY=1;COUNT=3", "days:1"),
        ("FREQ=YEARLY;BYMONTHDAY=1", "days:1"),
        ("FREQ=YEARLY;BYMONTH=13;BYMONTHDAY=1", "days:1"),
        ("FREQ=YEARLY;BYWEEKNO=54;BYDAY=MO", "days:7"),
        ("FREQ=MONTHLY;BYDAY=6MO", "days:1"),
        ("FREQ=MONTHLY", "days:10"),
        ("FREQ=MONTHLY;BYMONTHDAY=1", "days:0"),
        ("FREQ=MONTHLY;BYMONTHDAY=1", "weeks:1"),
        ("FREQ=MONTHLY;BYMONTHDAY=1", "days"),
    ] {
        assert!(Recurrence::from_stored(rrule, span).is_err(), "{rrule} {span}");
    }
}

fn any_weekday() -> impl Strategy<Value = Weekday> {
    (0_u8..7).prop_map(|day| Weekday::try_from(day).expect("a weekday"))
}

fn any_month_days() -> impl Strategy<Value = Vec<MonthDay>> {
    let nth = prop::sample::select(vec![-1, 1, 2, 3, 4]);
    prop_oneof![
        prop::collection::vec((1_u32..=31).prop_map(MonthDay::Number), 1..4),
        Just(vec![MonthDay::Last]),
        prop::collection::vec((nth, any_weekday()).prop_map(|(n, d)| MonthDay::Nth(n, d)), 1..3),
        prop::sample::select(vec![-1, 1]).prop_map(|nth| vec![MonthDay::Workday(nth)]),
        (any_weekday(), 1_u32..=22).prop_map(|(day, from)| vec![MonthDay::WeekdayFrom(day, from)]),
    ]
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let frequency = prop::sample::select(vec![
        Frequency::Daily,
        Frequency::Weekly,
        Frequency::Monthly,
        Frequency::Yearly,
    ]);
    let sorted = |numbers: std::collections::BTreeSet<u32>| numbers.into_iter().collect();
    prop_oneof![
        (frequency, 1_u32..100)
            .prop_map(|(frequency, interval)| Rule::Bare { frequency, interval }),
        (1_u32..10, prop::collection::vec(any_weekday(), 1..4))
            .prop_map(|(interval, days)| Rule::Weekdays { interval, days }),
        (1_u32..5, prop::collection::btree_set(1_u32..=12, 0..4), any_month_days()).prop_map(
            move |(interval, months, days)| Rule::MonthDays {
                interval,
                months: sorted(months),
                days
            }
        ),
        (1_u32..5, prop::collection::btree_set(1_u32..=53, 1..4))
            .prop_map(move |(interval, weeks)| Rule::Weeks { interval, weeks: sorted(weeks) }),
    ]
}

fn any_recurrence() -> impl Strategy<Value = Recurrence> {
    let span = prop_oneof![(1_u32..60).prop_map(Span::Days), (0_u32..12).prop_map(Span::Months)];
    (any_rule(), span).prop_map(|(rule, span)| Recurrence::new(rule, span))
}

fn next_opening(rule: &Recurrence, anchor: NaiveDate, after: NaiveDate) -> Option<NaiveDate> {
    rule.window_after(anchor, after).map(|window| window.opens)
}

/// Whether a window opens on that day by the text of its rule: RFC 5545, but a day that a month lacks is its last one.
/// Knows nothing of intervals.
fn opens_on(rrule: &str, day: NaiveDate) -> bool {
    let field = |name: &str| {
        let part = rrule.split(';').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        part.map(|list| list.split(',').map(str::to_owned).collect::<Vec<_>>())
    };
    let weekday = day.weekday().to_string()[..2].to_uppercase();
    let length = u32::from(day.num_days_in_month());
    let month = field("BYMONTH").is_none_or(|months| months.contains(&day.month().to_string()));
    let week = day.iso_week().week().to_string();
    let week = field("BYWEEKNO").is_none_or(|weeks| weeks.contains(&week));
    let by_weekday = field("BYMONTHDAY").is_some() && field("BYDAY").is_some();
    let number = field("BYMONTHDAY").is_none_or(|days| {
        days.iter().any(|number| match number.parse::<i64>().expect("a number") {
            -1 => day.day() == length,
            number if by_weekday => i64::from(day.day()) == number,
            number => i64::from(day.day()) == number.min(i64::from(length)),
        })
    });
    let nth = (day.day() - 1) / 7 + 1;
    let last = day.day() + 7 > length;
    let named = field("BYDAY").is_none_or(|days| {
        let is = |one: String| days.contains(&one);
        is(weekday.clone()) || is(format!("{nth}{weekday}")) || (last && is(format!("-1{weekday}")))
    });
    let is_workday = |day: NaiveDate| day.weekday().num_days_from_monday() < 5;
    let position = field("BYSETPOS").is_none_or(|at| {
        let forward = at == ["1"];
        let other = |days: u64| if forward { day - Days::new(days) } else { day + Days::new(days) };
        let same_month = |other: &NaiveDate| other.month() == day.month();
        !(1..31).map(other).take_while(same_month).any(is_workday)
    });
    month && week && number && named && position
}

/// The week, month or year that a rule counts its interval in.
fn period(rrule: &str, date: NaiveDate) -> i64 {
    if rrule.contains("WEEKLY") {
        (date - day("1996-01-01")).num_days().div_euclid(7)
    } else if rrule.contains("MONTHLY") {
        i64::from(date.year()) * 12 + i64::from(date.month())
    } else if rrule.contains("BYWEEKNO") {
        i64::from(date.iso_week().year())
    } else {
        i64::from(date.year())
    }
}

fn interval(rrule: &str) -> i64 {
    let part = rrule.split(';').find_map(|part| part.strip_prefix("INTERVAL="));
    part.map_or(1, |number| number.parse().expect("a number"))
}

proptest! {
    #[test]
    fn a_rule_opens_on_the_days_that_its_text_says_for_thirty_years(
        rule in any_rule(), anchor in day_of_century(),
    ) {
        let rule = Recurrence::new(rule, Span::Days(1));
        let rrule = rule.rrule();
        prop_assume!(!rule.is_bare());
        let Some(first) = rule.first_window(anchor).map(|window| window.opens) else {
            return Ok(());
        };
        let end = first + Days::new(30 * 365);
        let phase = period(&rrule, first);
        let expected: Vec<NaiveDate> = first
            .iter_days()
            .skip(1)
            .take_while(|day| *day < end)
            .filter(|day| (period(&rrule, *day) - phase) % interval(&rrule) == 0)
            .filter(|day| opens_on(&rrule, *day))
            .collect();
        let mut made = Vec::new();
        let mut after = first;
        while let Some(opens) = next_opening(&rule, anchor, after).filter(|opens| *opens < end) {
            made.push(opens);
            after = opens;
        }
        prop_assert!(opens_on(&rrule, first));
        prop_assert_eq!(made, expected, "{}", rrule);
    }

    #[test]
    fn a_bare_interval_counts_from_its_reference_and_clamps(
        anchor in day_of_century(), interval in 1_u32..40, k in 1_u32..60,
    ) {
        let rule = Rule::Bare { frequency: Frequency::Monthly, interval };
        let rule = Recurrence::new(rule, Span::Days(1));
        let month = anchor.month0() + interval * k;
        let year = anchor.year() + i32::try_from(month / 12).expect("a year");
        let day = |day| NaiveDate::from_ymd_opt(year, month % 12 + 1, day);
        let opens = (1..=anchor.day()).rev().find_map(day).expect("a day");
        prop_assert_eq!(next_opening(&rule, anchor, opens - Days::new(1)), Some(opens));
    }

    #[test]
    fn a_stored_rule_reads_back_to_itself(rule in any_recurrence()) {
        prop_assert_eq!(Recurrence::from_stored(&rule.rrule(), &rule.span()), Ok(rule));
    }

    #[test]
    fn the_next_window_opens_later_and_no_window_is_skipped(
        rule in any_recurrence(), anchor in day_of_century(), days in 0_u64..2000,
    ) {
        let after = anchor + Days::new(days);
        if let Some(opens) = next_opening(&rule, anchor, after) {
            prop_assert!(opens > after);
            let eve = opens.pred_opt().expect("a day before");
            prop_assert_eq!(next_opening(&rule, anchor, eve), Some(opens));
        }
    }

    #[test]
    fn the_first_window_is_the_earliest_that_is_not_over(rule in any_recurrence(), anchor in day_of_century()) {
        if let Some(window) = rule.first_window(anchor) {
            prop_assert!(window.due >= Some(anchor));
        } else {
            prop_assert!(rule.is_bare() || rule.rrule().contains("BYWEEKNO") );
        }
    }

    #[test]
    fn no_day_of_the_calendar_upsets_a_rule(rule in any_recurrence(), anchor in any_day(), after in any_day()) {
        let _ = rule.first_window(anchor);
        if let Some(opens) = next_opening(&rule, anchor, after) {
            prop_assert!(opens > after);
        }
    }
}
