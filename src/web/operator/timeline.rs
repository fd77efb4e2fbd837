//! The picture of one commitment's life: windows as bands, mails and deeds as marks, today as a line. Geometry only; the
//! template draws it, and the lists beside it say the same in words.

use chrono::{Datelike, Days, Months, NaiveDate};
use serde::Serialize;

use crate::domain::leader::Language;
use crate::mail::compose::words;

/// Size of the picture, in units of its own.
const WIDTH: f64 = 720.0;
/// Room for a mark at either end.
const MARGIN: f64 = 14.0;

/// Days before the first and after the last thing to be seen: both together are longer than a month, so that the first day
/// of one is among them.
const PAD_DAYS: u64 = 16;

/// Marks on the axis, at most, and months between two of them.
const TICKS_MAX: usize = 10;
const TICK_MONTHS: [u32; 7] = [1, 2, 3, 6, 12, 24, 60];

/// Rows for marks: one that would lie upon another goes a row higher, as long as there is one.
const ROWS: usize = 3;
/// Width of a mark.
const MARK_UNITS: f64 = 13.0;

/// A day and what happened or is to happen on it.
#[derive(Debug, Clone)]
pub(super) struct Happening {
    pub(super) on: NaiveDate,
    /// `planned`, `sent`, `failed`, `deed`.
    pub(super) what: &'static str,
    pub(super) label: String,
}

/// Something that lasts.
#[derive(Debug, Clone)]
pub(super) struct Span {
    pub(super) from: NaiveDate,
    /// The last day; `None` has no end.
    pub(super) to: Option<NaiveDate>,
    pub(super) is_closed: bool,
    pub(super) label: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Picture {
    width: f64,
    /// Where today is, if it matters.
    today: Option<f64>,
    ticks: Vec<Tick>,
    bands: Vec<Band>,
    marks: Vec<Mark>,
}

#[derive(Debug, Serialize)]
struct Tick {
    x: f64,
    label: String,
}

#[derive(Debug, Serialize)]
struct Band {
    x: f64,
    width: f64,
    is_closed: bool,
    label: String,
}

#[derive(Debug, Serialize)]
struct Mark {
    x: f64,
    /// 0 is the lowest.
    row: usize,
    what: &'static str,
    label: String,
}

/// The stretch of time that is shown.
struct Axis {
    first: NaiveDate,
    last: NaiveDate,
}

impl Axis {
    /// From the first of these days to the last.
    fn over(days: impl Iterator<Item = NaiveDate> + Clone) -> Self {
        let (first, last) =
            (days.clone().min().unwrap_or_default(), days.max().unwrap_or_default());
        let pad = Days::new(PAD_DAYS);
        Self {
            first: first.checked_sub_days(pad).unwrap_or(first),
            last: last.checked_add_days(pad).unwrap_or(last),
        }
    }

    /// Where a day begins, to a tenth of a unit.
    fn x(&self, day: NaiveDate) -> f64 {
        let share = days_between(self.first, day) / days_between(self.first, self.last);
        ((MARGIN + share * (WIDTH - 2.0 * MARGIN)) * 10.0).round() / 10.0
    }

    /// First days of months, as many as can be read.
    fn ticks(&self, language: Language) -> Vec<Tick> {
        let last = self.last;
        let month = |day: NaiveDate| day.year() * 12 + day.month0() as i32;
        let months = (month(last) - month(self.first)).unsigned_abs() as usize;
        let fits = |step: &&u32| months / **step as usize <= TICKS_MAX;
        let step = TICK_MONTHS.iter().find(fits).copied().unwrap_or(120);
        let begin = self.first.with_day(1).unwrap_or(self.first);
        let months =
            std::iter::successors(Some(begin), |day| day.checked_add_months(Months::new(1)));
        months
            .take_while(|day| *day <= last)
            .filter(|day| *day >= self.first && month(*day).unsigned_abs() % step == 0)
            .map(|day| Tick { x: self.x(day), label: words::month_and_year(language, day) })
            .collect()
    }
}

fn days_between(first: NaiveDate, last: NaiveDate) -> f64 {
    // Centuries of days are exact in a float.
    (last - first).num_days() as f64
}

/// Draws what happened, and is to happen, around `today`; what is over goes without that day.
pub(super) fn picture(
    language: Language,
    today: Option<NaiveDate>,
    spans: &[Span],
    mut happenings: Vec<Happening>,
) -> Picture {
    let ends = spans.iter().flat_map(|span| [Some(span.from), span.to]).flatten();
    let axis = Axis::over(ends.chain(happenings.iter().map(|one| one.on)).chain(today));
    let band = |span: &Span| {
        let end = span.to.map_or(axis.last, |to| to.succ_opt().unwrap_or(to));
        let x = axis.x(span.from);
        let width = ((axis.x(end) - x).max(3.0) * 10.0).round() / 10.0;
        Band { x, width, is_closed: span.is_closed, label: span.label.clone() }
    };
    happenings.sort_by_key(|one| one.on);
    let mut ends = [f64::NEG_INFINITY; ROWS];
    let mark = |one: Happening| {
        let x = axis.x(one.on);
        let row = ends.iter().position(|end| *end <= x).unwrap_or(ROWS - 1);
        if let Some(end) = ends.get_mut(row) {
            *end = x + MARK_UNITS;
        }
        Mark { x, row, what: one.what, label: one.label }
    };
    Picture {
        width: WIDTH,
        today: today.map(|today| axis.x(today)),
        ticks: axis.ticks(language),
        bands: spans.iter().map(band).collect(),
        marks: happenings.into_iter().map(mark).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn drawn(spans: &[(&str, Option<&str>)], happenings: &[&str]) -> Picture {
        let span = |(from, to): &(&str, Option<&str>)| Span {
            from: day(from),
            to: to.map(day),
            is_closed: false,
            label: String::new(),
        };
        let happening =
            |on: &&str| Happening { on: day(on), what: "sent", label: (*on).to_owned() };
        let spans: Vec<Span> = spans.iter().map(span).collect();
        let happenings = happenings.iter().map(happening).collect();
        picture(Language::Danish, Some(day("2026-11-18")), &spans, happenings)
    }

    #[test]
    fn everything_lies_within_the_picture_in_the_order_of_time() {
        let spans = [("1999-01-01", Some("2000-12-31")), ("2027-01-01", None)];
        let picture = drawn(&spans, &["2026-01-01", "2040-01-01", "2026-06-01"]);
        let xs: Vec<f64> = picture.marks.iter().map(|mark| mark.x).collect();
        assert!(xs.is_sorted(), "{xs:?}");
        let edges = picture.bands.iter().flat_map(|band| [band.x, band.x + band.width]);
        for x in edges.chain(xs).chain(picture.today) {
            assert!((MARGIN..=WIDTH - MARGIN + 0.1).contains(&x), "{x}");
        }
        let ticks = picture.ticks.len();
        assert!((2..=TICKS_MAX + 1).contains(&ticks), "{ticks} ticks");
    }

    #[test]
    fn what_has_no_end_goes_to_the_edge_and_a_single_day_can_be_seen() {
        let picture = drawn(&[("2026-12-01", None), ("2026-12-24", Some("2026-12-24"))], &[]);
        let [open, day] = &picture.bands[..] else { panic!("{picture:?}") };
        assert!((open.x + open.width - (WIDTH - MARGIN)).abs() < 0.2, "{picture:?}");
        assert!(day.width >= 3.0, "{picture:?}");
    }

    #[test]
    fn what_falls_on_one_day_lies_in_rows() {
        let picture = drawn(&[("2020-01-01", Some("2027-01-01"))], &["2026-11-02"; 5]);
        let rows: Vec<usize> = picture.marks.iter().map(|mark| mark.row).collect();
        assert_eq!(rows, [0, 1, 2, 2, 2]);
    }

    #[test]
    fn a_life_of_nothing_but_today_has_a_picture_too() {
        let picture = drawn(&[], &[]);
        assert_eq!((picture.bands.len(), picture.marks.len()), (0, 0));
        assert!(!picture.ticks.is_empty());
    }
}
