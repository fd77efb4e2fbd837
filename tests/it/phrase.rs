//! Danish deadline phrases: the table of readings, the shared tables, and what holds for every phrase.

mod recurrence;

use std::fs;
use std::path::PathBuf;

use advis::domain::window::{Confidence, Deadline, Undated, Window};
use advis::phrase::{PHRASE_BYTES_MAX, explain, parse};
use chrono::{Datelike, NaiveDate};
use proptest::prelude::*;

const TABLE: &str = include_str!("data/phrases.tsv");
const SHARED_PHRASES: &str = "deadline-phrases.tsv";

/// A phrase, the date it is read against, and its reading as [`shown`] writes it.
struct Row {
    phrase: String,
    reference: NaiveDate,
    reading: String,
    confidence: String,
}

fn rows() -> Vec<Row> {
    let lines = TABLE.lines().filter(|line| !line.starts_with("# ")).skip(1);
    lines
        .map(|line| {
            let mut cells = line.split('\t').map(str::to_owned);
            let mut next = || cells.next().unwrap_or_default();
            Row {
                phrase: next().replace("\\n", "\n"),
                reference: day(&next()),
                reading: [next(), next(), next()].join("\t"),
                confidence: next(),
            }
        })
        .collect()
}

/// A file of the shared data, where there is any.
fn shared(name: &str) -> Option<String> {
    let folder = std::env::var_os("ADVIS_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared")),
        PathBuf::from,
    );
    let path = folder.join("data").join(name);
    let text = fs::read_to_string(&path).ok();
    if text.is_none() {
        eprintln!("skipped: there is no {}", path.display());
    }
    text
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap_or_else(|_| panic!("'{text}' is no date"))
}

/// Kind, windows, and rule or reason, as the tables write them.
fn shown(reading: &Result<Deadline, Undated>) -> String {
    match reading {
        Ok(deadline) => {
            let rule = deadline.recurrence.as_ref().map_or_else(String::new, |rule| rule.rrule());
            format!("{}\t{}\t{rule}", deadline.kind().name(), windows_shown(&deadline.windows))
        }
        Err(reason) => format!("undated\t\t{reason}"),
    }
}

fn windows_shown(windows: &[Window]) -> String {
    windows.iter().map(ToString::to_string).collect::<Vec<_>>().join(";")
}

fn confidence_shown(reading: &Result<Deadline, Undated>) -> &'static str {
    reading.as_ref().map_or("", |deadline| deadline.confidence.name())
}

fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} read wrongly:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_phrase_of_the_table_is_read_as_it_says() {
    let wrong: Vec<String> = rows()
        .iter()
        .filter_map(|row| {
            let reading = parse(&row.phrase, row.reference);
            let got = (shown(&reading), confidence_shown(&reading));
            let expected = (row.reading.clone(), row.confidence.as_str());
            (got != expected)
                .then(|| format!("{:?} ({}): {got:?}, not {expected:?}", row.phrase, row.reference))
        })
        .collect();
    assert_none(&wrong);
}

#[test]
fn every_shared_phrase_is_read_as_the_table_says() {
    let Some(table) = shared(SHARED_PHRASES) else { return };
    let wrong: Vec<String> = table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let reading = parse(cells[0], day(cells[1]));
            let (got, expected) = (shown(&reading), cells[2..5].join("\t"));
            (got != expected).then(|| format!("{} ({}): {got}, not {expected}", cells[0], cells[1]))
        })
        .collect();
    assert_none(&wrong);
}

#[test]
fn shared_phrases_are_trusted_as_far_as_their_notes_allow() {
    let Some(table) = shared(SHARED_PHRASES) else { return };
    let wrong: Vec<String> = table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let tag = cells[5].split_once(']').map_or("", |(tag, _)| tag);
            let expected = match tag {
                "[typo" => Confidence::Corrected,
                _ if tag.ends_with("-noyear") => Confidence::AssumedYear,
                "[pmu-month" | "[day-year" | "[month-year" | "[pmu-year" | "[udgangen"
                | "[deictic" | "[relative-ref" | "[recur-bare" | "[recur-anchored" => {
                    Confidence::High
                }
                _ => return None,
            };
            let got = parse(cells[0], day(cells[1])).ok()?.confidence;
            (got != expected).then(|| format!("{}: {got:?}, not {expected:?}", cells[0]))
        })
        .collect();
    assert_none(&wrong);
}

#[test]
fn the_real_phrases_of_the_sample_book_are_read_as_people_read_them() {
    let (Some(book), Some(gold)) = (shared("commitments.csv"), shared("commitments-gold.json"))
    else {
        return;
    };
    let gold: Vec<serde_json::Value> = serde_json::from_str(&gold).expect("JSON");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_lowercase();
    let mut count = 0;
    let mut wrong = Vec::new();
    for record in csv::Reader::from_reader(book.as_bytes()).records() {
        let record = record.expect("a record");
        let (phrase, document_date) = (&record[3], &record[7]);
        let reading = parse(phrase, day(document_date));
        let Ok(deadline) = &reading else {
            wrong.push(format!("{phrase}: {reading:?}"));
            continue;
        };
        count += 1;
        let same = |one: &&serde_json::Value| {
            text(&one["deadline_phrase"]) == phrase.to_lowercase()
                && text(&one["doc_date"]) == *document_date
        };
        if let Some(one) = gold.iter().find(same) {
            let (got, expected) = (windows_shown(&deadline.windows), text(&one["windows"]));
            if got != expected {
                wrong.push(format!("{phrase}: {got}, not {expected}"));
            }
        }
    }
    assert_none(&wrong);
    assert!(count >= 63, "only {count} phrases were dated");
}

#[test]
fn case_dashes_spaces_and_trailing_punctuation_change_nothing() {
    for row in rows() {
        let Row { phrase, reference, reading, .. } = row;
        let disguises = [
            phrase.to_uppercase(),
            phrase.replace('-', "–"),
            phrase.replace('-', "\u{2212}"),
            phrase.replace(' ', " \u{A0}  "),
            format!("  {phrase} . "),
            format!("{phrase},"),
            format!("\u{201D}{phrase}\u{201D};"),
            unicode_normalization::UnicodeNormalization::nfd(phrase.as_str()).collect(),
            phrase.replace('å', "aa"),
        ];
        for disguise in disguises {
            assert_eq!(shown(&parse(&disguise, reference)), reading, "{disguise:?} for {phrase:?}");
        }
    }
}

#[test]
fn a_document_instead_of_a_phrase_is_refused_unread() {
    let reference = day("2020-01-15");
    let document = "senest 1. maj 2020 ".repeat(1_000_000 / 19);
    assert_eq!(parse(&document, reference), Err(Undated::NoDateGiven));
    let longest = format!("{}1. maj 2020", " ".repeat(PHRASE_BYTES_MAX - 11));
    assert!(parse(&longest, reference).is_ok());
    assert!(parse(&format!(" {longest}"), reference).is_err());
}

#[test]
fn readings_are_explained_in_a_sentence() {
    let reference = day("2020-01-15");
    let cases = [
        ("ultimo juni 2019", "is read as the days 21 June to 30 June 2019."),
        (
            "1. maj",
            "is read as the day 1 May 2020; it names no year, so the next one seen from 15 January 2020 is taken.",
        ),
        (
            "janaur 2021",
            "is read as the days 1 January to 31 January 2021; it takes \"janaur\" for \"januar\", so someone must confirm it.",
        ),
        (
            "vinter 2020",
            "is read as the days 1 December 2020 to 28 February 2021; its words fit other days too, so someone must confirm it.",
        ),
        ("fra maj 2020", "is read as open-ended, from 1 May 2020 on."),
        (
            "maj og juni 2020",
            "is read as 2 windows: 1 May to 31 May 2020 and 1 June to 30 June 2020.",
        ),
        (
            "halvårligt",
            "is read as a deadline that comes again every 6 months; it names no day to count from, so someone must confirm it.",
        ),
        (
            "hvert andet år i maj",
            "is read as a deadline that comes again every 2 years in May, first 1 May to 31 May 2020.",
        ),
        (
            "hver mandag og torsdag",
            "is read as a deadline that comes again every week on Monday and Thursday, first 16 January 2020.",
        ),
        (
            "kvatalsvis",
            "is read as a deadline that comes again every 3 months; it names no day to count from and it takes \"kvatalsvis\" for \"kvartalsvis\", so someone must confirm it.",
        ),
        (
            "den 31. i hver måned",
            "is read as a deadline that comes again every month on the 31st (or the last day), first 31 January 2020.",
        ),
        (
            "sidste hverdag i hver måned",
            "is read as a deadline that comes again every month on the last working day, first 31 January 2020.",
        ),
        (
            "den anden tirsdag i hver måned",
            "is read as a deadline that comes again every month on the 2nd Tuesday, first 11 February 2020.",
        ),
        (
            "hvert år 1. april og 1. oktober",
            "is read as a deadline that comes again every year on the 1st of April and October, first 1 April 2020 and 1 October 2020.",
        ),
        (
            "hvert år i uge 7 og 42",
            "is read as a deadline that comes again every year in weeks 7 and 42, first 10 February to 16 February 2020 and 12 October to 18 October 2020.",
        ),
        ("løbende", "has no date: it is promised for all the time, not for a day."),
        ("efter mødet", "has no date: it hangs on an event, whose day someone must give."),
        ("31. april", "has no date: it names one that the calendar does not have."),
    ];
    for (phrase, rest) in cases {
        let sentence = explain(phrase, reference, &parse(phrase, reference));
        assert_eq!(sentence, format!("\"{phrase}\" {rest}"));
    }
}

/// A year of four digits stands in it, and no word that is counted from the reference date.
fn names_its_year(row: &Row) -> bool {
    let letters: Vec<char> = row.phrase.chars().collect();
    let year = letters.windows(4).any(|four| {
        matches!(four, ['1', '9', ..] | ['2', '0', ..]) && four.iter().all(char::is_ascii_digit)
    });
    let dated = ["day", "window", "list", "open"];
    year && dated.iter().any(|kind| row.reading.starts_with(kind))
        && row.confidence != "assumed_year"
        && !row.phrase.to_lowercase().contains("rest")
}

#[test]
fn week_53_is_found_in_the_years_that_have_one_and_in_no_other() {
    for year in 2000..2100 {
        let last = NaiveDate::from_ymd_opt(year, 12, 28).expect("a day").iso_week().week();
        for week in [1, 52, 53, 54] {
            let phrase = format!("uge {week} {year}");
            let windows = parse(&phrase, day("2020-01-15")).map(|deadline| deadline.windows);
            let monday = NaiveDate::from_isoywd_opt(year, week, chrono::Weekday::Mon);
            let expected = match monday.filter(|_| week <= last) {
                Some(monday) => Ok(vec![Window::span(monday, monday + chrono::Days::new(6))]),
                None => Err(Undated::NoSuchDate),
            };
            assert_eq!(windows, expected, "{phrase}");
        }
    }
}

#[test]
fn odd_texts_as_long_as_a_phrase_may_be_are_read_to_their_end() {
    let odd = [
        "1.",
        "og ",
        "uge ",
        "hver ",
        "(",
        "første ",
        "i måneden ",
        "medio/",
        "årlige ",
        "1/1, ",
        "d. 12-1./",
    ];
    for text in odd {
        let longest = text.repeat(PHRASE_BYTES_MAX / text.len());
        assert!(is_sound(&parse(&longest, day("2020-01-15"))), "{text}");
        let behind = format!("{}; frist: 1. maj 2020", text.repeat(300));
        let windows = parse(&behind, day("2020-01-15")).map(|deadline| deadline.windows);
        let found = windows.is_ok_and(|windows| windows.contains(&Window::day(day("2020-05-01"))));
        assert!(found, "{text}");
    }
}

const MONTHS: [&str; 12] = [
    "januar",
    "februar",
    "marts",
    "april",
    "maj",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "december",
];
const PARTS: [&str; 8] = [
    "",
    "primo ",
    "medio ",
    "ultimo ",
    "i starten af ",
    "midten af ",
    "sidst i ",
    "inden udgangen af ",
];
const SPANS: [&str; 10] = [
    "maj",
    "feb.",
    "2. kvartal",
    "Q4",
    "2. halvår",
    "3. tertial",
    "forår",
    "sommeren",
    "efteråret",
    "oktober måned",
];
const BOUNDS: [&str; 9] =
    ["", "senest ", "ca. ", "inden ", "før ", "fra ", "efter ", "forventes ", "i løbet af "];

/// Every way to write one day, with its year.
fn spellings(date: NaiveDate) -> Vec<String> {
    let (d, m, y) = (date.day(), date.month(), date.year());
    let yy = y % 100;
    let month = MONTHS[date.month0() as usize];
    vec![
        format!("{d}. {month} {y}"),
        format!("d. {d}. {month} {y}"),
        format!("den {d}. {month} {y}"),
        format!("{d}.{month} {y}"),
        format!("{d} {month} {y}"),
        format!("senest {d}. {month} '{yy:02}"),
        format!("{d}. {month} {yy:02}"),
        format!("{d}.{m}.{y}"),
        format!("{d:02}.{m:02}.{y}"),
        format!("{d}.{m}.{yy:02}"),
        format!("{d}. {m}. {y}"),
        format!("{d:02}.{m:02} {y}"),
        format!("{d}/{m} {y}"),
        format!("{d}/{m}-{y}"),
        format!("{d}/{m}-{yy:02}"),
        format!("{d}/{m}/{y}"),
        format!("{d:02}-{m:02}-{y}"),
        format!("{d}-{m}-{yy:02}"),
        date.to_string(),
    ]
}

fn any_day() -> impl Strategy<Value = NaiveDate> {
    (NaiveDate::MIN.num_days_from_ce()..=NaiveDate::MAX.num_days_from_ce())
        .prop_filter_map("a date", NaiveDate::from_num_days_from_ce_opt)
}

fn day_of_century() -> impl Strategy<Value = NaiveDate> {
    (0_u64..36_525).prop_map(|days| day("2000-01-01") + chrono::Days::new(days))
}

/// Phrases put together at random from what the table is made of, sense or no sense.
fn word_soup() -> impl Strategy<Value = String> {
    let words: Vec<String> = rows()
        .iter()
        .flat_map(|row| row.phrase.split_inclusive(' ').map(str::to_owned).collect::<Vec<_>>())
        .chain(
            ["99999999999 ", "-", "/", ".", ", ", "0", "\n", "'", "hver ", "år "]
                .map(str::to_owned),
        )
        .collect();
    prop::collection::vec(prop::sample::select(words), 0..12).prop_map(|words| words.concat())
}

fn is_sound(reading: &Result<Deadline, Undated>) -> bool {
    reading.as_ref().map_or(true, |deadline| {
        let ordered = deadline.windows.is_sorted();
        let right_way = |window: &Window| window.due.is_none_or(|due| window.opens <= due);
        ordered
            && deadline.windows.iter().all(right_way)
            && (deadline.recurrence.is_some() || !deadline.windows.is_empty())
    })
}

proptest! {
    #[test]
    fn no_row_with_a_year_of_its_own_depends_on_the_reference_date(reference in any_day()) {
        let rows: Vec<Row> = rows().into_iter().filter(names_its_year).collect();
        prop_assert!(rows.len() > 400);
        for row in rows {
            prop_assert_eq!(shown(&parse(&row.phrase, reference)), row.reading, "{}", row.phrase);
        }
    }

    #[test]
    fn any_day_of_the_century_reads_back_in_every_spelling(date in day_of_century(), reference in any_day()) {
        for spelling in spellings(date) {
            let reading = parse(&spelling, reference).map(|deadline| (deadline.windows, deadline.confidence));
            prop_assert_eq!(reading, Ok((vec![Window::day(date)], Confidence::High)), "{}", spelling);
        }
    }

    #[test]
    fn any_two_days_make_a_range(one in day_of_century(), days in 1_u64..500, reference in any_day()) {
        let other = one + chrono::Days::new(days);
        prop_assume!(other < day("2100-01-01"));
        for (from, to) in spellings(one).iter().zip(spellings(other)) {
            for phrase in [format!("{from} - {to}"), format!("fra {from} til {to}"), format!("mellem {from} og {to}")] {
                let windows = parse(&phrase, reference).map(|deadline| deadline.windows);
                prop_assert_eq!(windows, Ok(vec![Window::span(one, other)]), "{}", phrase);
            }
        }
    }

    #[test]
    fn a_written_year_makes_the_reference_date_irrelevant(
        part in prop::sample::select(&PARTS[..]),
        span in prop::sample::select(&SPANS[..]),
        bound in prop::sample::select(&BOUNDS[..]),
        year in 2000..2100,
        (one, other) in (any_day(), any_day()),
    ) {
        let phrase = format!("{bound}{part}{span} {year}");
        let reading = parse(&phrase, one);
        prop_assert_eq!(&reading, &parse(&phrase, other), "{}", phrase);
        let deadline = reading.expect("a date");
        prop_assert_ne!(deadline.confidence, Confidence::AssumedYear);
        let opens = deadline.windows[0].opens.year();
        prop_assert!((year - 1..=year + 1).contains(&opens), "{} in {}", phrase, opens);
    }

    #[test]
    fn without_a_year_the_next_window_that_is_not_over_is_taken(
        part in prop::sample::select(&PARTS[..]),
        span in prop::sample::select(&SPANS[..]),
        reference in day_of_century(),
    ) {
        let phrase = format!("{part}{span}");
        let deadline = parse(&phrase, reference).expect("a date");
        let due = deadline.windows[0].due.expect("a last day");
        prop_assert_eq!(deadline.confidence, Confidence::AssumedYear);
        prop_assert!(due >= reference && due < reference + chrono::Days::new(366), "{} is due {}", phrase, due);
    }

    #[test]
    fn the_parts_of_a_span_fill_it_without_gap_or_overlap(month in prop::sample::select(&MONTHS[..]), year in 2000..2100) {
        let window = |phrase: String| {
            let deadline = parse(&phrase, day("2020-01-15")).expect("a date");
            (deadline.windows[0].opens, deadline.windows[0].due.expect("a last day"))
        };
        for (whole, parts) in [
            (format!("{month} {year}"), vec![format!("primo {month} {year}"), format!("medio {month} {year}"), format!("ultimo {month} {year}")]),
            (format!("{month} {year}"), vec![format!("første halvdel af {month} {year}"), format!("anden halvdel af {month} {year}")]),
            (format!("{year}"), (1..=4).map(|nth| format!("{nth}. kvartal {year}")).collect()),
            (format!("{year}"), (1..=3).map(|nth| format!("{nth}. tertial {year}")).collect()),
            (format!("{year}"), vec![format!("første halvdel af {year}"), format!("2. halvår {year}")]),
            (format!("2. kvartal {year}"), ["primo", "medio", "ultimo"].map(|part| format!("{part} Q2 {year}")).to_vec()),
        ] {
            let parts: Vec<_> = parts.into_iter().map(window).collect();
            let whole = window(whole);
            prop_assert_eq!((parts[0].0, parts[parts.len() - 1].1), whole);
            for pair in parts.windows(2) {
                prop_assert_eq!(pair[0].1.succ_opt(), Some(pair[1].0));
            }
        }
    }

    #[test]
    fn one_wrong_letter_in_a_month_is_mended_and_said_so(
        month in prop::sample::select(vec!["januar", "februar", "august", "september", "oktober", "november", "december"]),
        at in any::<prop::sample::Index>(),
        edit in 0..4,
        letter in prop::sample::select(vec!['x', 'q', 'z']),
    ) {
        let mut letters: Vec<char> = month.chars().collect();
        let at = at.index(letters.len() - 1);
        match edit {
            0 => { letters.remove(at); }
            1 => letters.insert(at, letter),
            2 => letters[at] = letter,
            _ => letters.swap(at, at + 1),
        }
        let wrong: String = letters.into_iter().collect();
        prop_assume!(wrong != month);
        let reference = day("2020-01-15");
        let deadline = parse(&format!("ultimo {wrong} 2021"), reference).expect("a date");
        let meant = parse(&format!("ultimo {month} 2021"), reference).expect("a date");
        prop_assert_eq!((deadline.windows, deadline.confidence), (meant.windows, Confidence::Corrected));
    }

    #[test]
    fn no_text_upsets_the_reader(text in ".{0,80}", reference in any_day()) {
        let reading = parse(&text, reference);
        prop_assert!(is_sound(&reading));
        prop_assert!(explain(&text, reference, &reading).ends_with('.'));
    }

    #[test]
    fn no_mixture_of_its_own_words_upsets_the_reader(text in word_soup(), reference in any_day()) {
        let reading = parse(&text, reference);
        prop_assert!(is_sound(&reading), "{:?}", text);
        prop_assert!(explain(&text, reference, &reading).ends_with('.'));
    }
}
