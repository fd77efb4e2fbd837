//! From what was understood to days, by the rules and the reference date.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

use crate::domain::recurrence::MonthDay;
use crate::domain::window::Window;

use super::tree::{Atom, Bound, Dated, Item, Part, Unit, Year};

/// From one 29 February to the next, when a century without one lies between (2096 to 2104).
const YEARS_AHEAD_MAX: i32 = 9;
const MONTHS_A_YEAR: i32 = 12;
const DAYS_A_WEEK: i64 = 7;
const WORKDAYS_A_WEEK: i64 = 5;

/// The windows of a dated expression.
#[derive(Debug)]
pub(super) struct Resolved {
    /// At least one, in the order of time.
    pub(super) windows: Vec<Window>,
    /// A year was supplied by the reference date.
    pub(super) assumed_year: bool,
    /// The words fit more than one window.
    pub(super) fuzzy: bool,
}

/// Works out the days; `None` when there are no such days.
pub(super) fn resolve(dated: &Dated, reference: NaiveDate) -> Option<Resolved> {
    let today = Today(reference);
    let mut items: Vec<Item> = dated.items.iter().map(|item| today.settle(*item)).collect();
    let reordered = today.share_years(&mut items, dated.bound)?;
    let assumed_year = items.iter().any(Item::lacks_year);
    let mut windows = items
        .iter()
        .map(|item| today.window(item, dated.bound))
        .collect::<Option<Vec<Window>>>()?;
    windows.sort_unstable();
    windows.dedup();
    Some(Resolved { windows, assumed_year, fuzzy: dated.fuzzy || reordered })
}

/// Each window of the expression beside the item it comes from.
pub(super) fn windows_of_items(dated: &Dated, reference: NaiveDate) -> Option<Vec<(Item, Window)>> {
    let today = Today(reference);
    let mut items: Vec<Item> = dated.items.iter().map(|item| today.settle(*item)).collect();
    today.share_years(&mut items, dated.bound)?;
    items.into_iter().map(|item| Some((item, today.window(&item, dated.bound)?))).collect()
}

/// The reference date, against which everything is read.
#[derive(Clone, Copy)]
struct Today(NaiveDate);

impl Today {
    /// "næste år" becomes a number.
    fn settle(self, item: Item) -> Item {
        let settle = |atom: Atom| match atom.year() {
            Some(Year::Ahead(years)) => atom.in_year(Year::Given(self.0.year() + years)),
            _ => atom,
        };
        Item { from: settle(item.from), to: item.to.map(settle) }
    }

    /// A year on one member of a list serves those before it, and the next ones until another is named. Tells whether
    /// the order of time demanded the year before: "november og januar 2021".
    fn share_years(self, items: &mut [Item], bound: Bound) -> Option<bool> {
        let mut reordered = false;
        let mut behind: Option<(i32, NaiveDate)> = None;
        for item in items.iter_mut().rev() {
            if let (true, Some((year, opens))) = (item.lacks_year(), behind) {
                *item = item.in_year(year);
                if self.window(item, bound)?.opens > opens {
                    reordered = true;
                    *item = item.in_year(year - 1);
                }
            }
            behind = match item.year() {
                Some(Year::Given(year)) => Some((year, self.window(item, bound)?.opens)),
                _ => None,
            };
        }
        let mut before: Option<(i32, NaiveDate)> = None;
        for item in items.iter_mut() {
            if let (true, Some((year, opens))) = (item.lacks_year(), before) {
                *item = item.in_year(year);
                if self.window(item, bound)?.opens < opens {
                    *item = item.in_year(year + 1);
                }
            }
            before = match item.year() {
                Some(Year::Given(year)) => Some((year, self.window(item, bound)?.opens)),
                _ => None,
            };
        }
        Some(reordered)
    }

    fn window(self, item: &Item, bound: Bound) -> Option<Window> {
        let apply = |window: Window| self.bound(window, bound, &item.from);
        if !item.lacks_year() {
            return apply(self.plain_window(item, bound, self.0.year())?);
        }
        self.years().find_map(|year| {
            let plain = self.plain_window(item, bound, year)?;
            let window = apply(plain)?;
            (window.due.or(plain.due) >= Some(self.0)).then_some(window)
        })
    }

    /// The years a date without one may lie in.
    fn years(self) -> impl Iterator<Item = i32> {
        let year = self.0.year();
        year.saturating_sub(1)..=year.saturating_add(YEARS_AHEAD_MAX)
    }

    /// The item's days before its bound is applied; `year` is for an item that has none.
    fn plain_window(self, item: &Item, bound: Bound, year: i32) -> Option<Window> {
        let Some(to) = &item.to else { return self.atom(&item.from, bound, year) };
        let (from, to) = match (item.from.lacks_year(), to.lacks_year()) {
            (true, false) => {
                let to = self.atom(to, bound, year)?;
                let year = to.opens.year();
                let from = (year - YEARS_AHEAD_MAX..=year + 1)
                    .rev()
                    .filter_map(|year| self.atom(&item.from, bound, year))
                    .find(|from| from.opens <= to.opens)?;
                (from, to)
            }
            (_, true) => {
                let from = self.atom(&item.from, bound, year)?;
                let year = from.opens.year();
                let to = (year - 1..=year + YEARS_AHEAD_MAX)
                    .filter_map(|year| self.atom(to, bound, year))
                    .find(|to| to.opens >= from.opens && to.due >= from.due)?;
                (from, to)
            }
            (false, false) => (self.atom(&item.from, bound, year)?, self.atom(to, bound, year)?),
        };
        span(from.opens, to.due?)
    }

    /// The days of an atom; `year` is for one that has none.
    fn atom(self, atom: &Atom, bound: Bound, year: i32) -> Option<Window> {
        let year = match atom.year() {
            Some(Year::Given(given)) => given,
            _ => year,
        };
        match *atom {
            Atom::Day { day: MonthDay::Number(day), month, .. } => {
                NaiveDate::from_ymd_opt(year, month, day).map(Window::day)
            }
            Atom::Day { day, month, .. } => day.in_month(year, month).map(Window::day),
            Atom::Months { first, count, part, .. } => {
                let first = year.checked_mul(MONTHS_A_YEAR)?.checked_add(month0(first)?)?;
                months_window(first, i32::try_from(count).ok()?, part)
            }
            Atom::Week { number, weekday, .. } => {
                let day = |weekday| NaiveDate::from_isoywd_opt(year, number, weekday);
                match weekday {
                    Some(weekday) => day(weekday).map(Window::day),
                    None => span(day(Weekday::Mon)?, day(Weekday::Sun)?),
                }
            }
            Atom::Turn { .. } => {
                let eve = NaiveDate::from_ymd_opt(year, 12, 31)?;
                span(eve, eve.succ_opt()?)
            }
            Atom::SummerHoliday { during, .. } => summer_holiday(year, during, bound),
            Atom::Current { unit, ahead, part } => self.current(unit, i64::from(ahead), part),
            Atom::Coming(weekday) => {
                let days = weekday.days_since(self.0.weekday());
                let days = if days == 0 { 7 } else { days };
                self.0.checked_add_days(Days::new(u64::from(days))).map(Window::day)
            }
            Atom::Later { count, unit, whole } => {
                let day = shift(self.0, i64::from(count), unit)?;
                if whole { span(self.0, day) } else { Some(Window::day(day)) }
            }
            Atom::Never => None,
        }
    }

    fn current(self, unit: Unit, ahead: i64, part: Option<Part>) -> Option<Window> {
        let today = self.0;
        let month = today.year() * MONTHS_A_YEAR + i32::try_from(today.month0()).ok()?;
        let ahead_units = i32::try_from(ahead).ok()?;
        let length = i32::try_from(unit.months()).ok()?;
        let first = match unit {
            Unit::Day | Unit::Workday => return shift(today, ahead, unit).map(Window::day),
            Unit::Week => {
                let back = u64::from(today.weekday().num_days_from_monday());
                let monday = today.checked_sub_days(Days::new(back))?;
                let monday = shift(monday, ahead, Unit::Week)?;
                return span(monday, shift(monday, DAYS_A_WEEK - 1, Unit::Day)?);
            }
            Unit::NearestYear => {
                let january = |year| NaiveDate::from_ymd_opt(year, 1, 1);
                let behind = today - january(today.year())?;
                let ahead = january(today.year() + 1)? - today;
                (today.year() + i32::from(ahead <= behind)) * MONTHS_A_YEAR
            }
            Unit::SchoolYear => (month - 7).div_euclid(length) * length + 7,
            _ => month.div_euclid(length) * length,
        };
        months_window(first + ahead_units * length, length, part)
    }

    fn bound(self, window: Window, bound: Bound, atom: &Atom) -> Option<Window> {
        let is_end = matches!(
            atom,
            Atom::Months { part: Some(Part::End), .. }
                | Atom::Current { part: Some(Part::End), .. }
        );
        let is_holiday = matches!(atom, Atom::SummerHoliday { .. });
        let is_turn = matches!(atom, Atom::Turn { .. });
        let opens = window.opens;
        match bound {
            Bound::Within | Bound::Before if is_end || is_holiday => Some(window),
            Bound::Within | Bound::Before if is_turn => Some(Window::day(opens)),
            Bound::Within if !window.is_longer_than_a_day() => Some(window),
            Bound::Within | Bound::Before => opens.pred_opt().map(Window::day),
            Bound::After if is_holiday => Some(window),
            Bound::After if is_turn => window.due.map(Window::from),
            Bound::After => window.due?.succ_opt().map(Window::from),
            Bound::From => Some(Window::from(opens)),
            Bound::Rest if opens <= self.0 && Some(self.0) <= window.due => {
                span(self.0, window.due?)
            }
            Bound::Shift { count, unit } => {
                let base = if count < 0 { opens } else { window.due? };
                shift(base, count, unit).map(Window::day)
            }
            Bound::Rest | Bound::Plain => Some(window),
        }
    }
}

fn span(opens: NaiveDate, due: NaiveDate) -> Option<Window> {
    (opens <= due).then(|| Window::span(opens, due))
}

fn month0(month: u32) -> Option<i32> {
    i32::try_from(month.checked_sub(1)?).ok()
}

/// First and last day of a month, counted from January of the year 0.
fn month_days(month: i32) -> Option<(NaiveDate, NaiveDate)> {
    let number = u32::try_from(month.rem_euclid(MONTHS_A_YEAR)).ok()? + 1;
    let year = month.div_euclid(MONTHS_A_YEAR);
    Some((NaiveDate::from_ymd_opt(year, number, 1)?, MonthDay::Last.in_month(year, number)?))
}

/// `count` months from `first` on, or a part of them.
fn months_window(first: i32, count: i32, part: Option<Part>) -> Option<Window> {
    let last = first + count - 1;
    let middle = first + (count - 1) / 2;
    let (opens, _) = month_days(first)?;
    let (_, due) = month_days(last)?;
    let within = |from: u32, to: Option<u32>| {
        span(opens.with_day(from)?, to.map_or(Some(due), |to| opens.with_day(to))?)
    };
    let month = |month: i32| month_days(month).and_then(|(opens, due)| span(opens, due));
    match (part, count) {
        (None, _) => span(opens, due),
        (Some(Part::First), 1) => within(1, Some(10)),
        (Some(Part::Middle), 1) => within(11, Some(20)),
        (Some(Part::Last | Part::End), 1) => within(21, None),
        (Some(Part::First), _) => month(first),
        (Some(Part::Middle), _) => month(middle),
        (Some(Part::Last | Part::End), _) => month(last),
        (Some(Part::FirstHalf), _) if count % 2 == 0 => span(opens, month_days(middle)?.1),
        (Some(Part::SecondHalf), _) if count % 2 == 0 => span(month_days(middle + 1)?.0, due),
        (Some(Part::FirstHalf), _) => span(opens, month_days(middle)?.0.with_day(15)?),
        (Some(Part::SecondHalf), _) => span(month_days(middle)?.0.with_day(16)?, due),
    }
}

/// Schools close on the last Saturday in June and open on the second Monday in August.
fn summer_holiday(year: i32, during: bool, bound: Bound) -> Option<Window> {
    let closes = MonthDay::Nth(-1, Weekday::Sat).in_month(year, 6)?;
    let opens = MonthDay::Nth(2, Weekday::Mon).in_month(year, 8)?;
    match bound {
        Bound::After => span(opens, NaiveDate::from_ymd_opt(year, 9, 30)?),
        Bound::Plain if during => span(closes, opens.pred_opt()?),
        _ => span(shift(closes, -5, Unit::Day)?, closes.pred_opt()?),
    }
}

/// So many units after a day, or before it; months clamp to their last day.
fn shift(day: NaiveDate, count: i64, unit: Unit) -> Option<NaiveDate> {
    let days = |day: NaiveDate, count: i64| {
        let size = Days::new(count.unsigned_abs());
        if count < 0 { day.checked_sub_days(size) } else { day.checked_add_days(size) }
    };
    match unit {
        Unit::Day => days(day, count),
        Unit::Week => days(day, count.checked_mul(DAYS_A_WEEK)?),
        Unit::Workday => {
            let mut day = days(day, count / WORKDAYS_A_WEEK * DAYS_A_WEEK)?;
            let mut left = count % WORKDAYS_A_WEEK;
            while left != 0 || day.weekday().num_days_from_monday() >= 5 {
                day = days(day, if count < 0 { -1 } else { 1 })?;
                if left != 0 && day.weekday().num_days_from_monday() < 5 {
                    left -= left.signum();
                }
            }
            Some(day)
        }
        _ => {
            let count = count.checked_mul(i64::from(unit.months()))?;
            let size = Months::new(u32::try_from(count.unsigned_abs()).ok()?);
            if count < 0 { day.checked_sub_months(size) } else { day.checked_add_months(size) }
        }
    }
}
