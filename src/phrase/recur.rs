//! Deadlines that come again: "halvårligt", "hver 14. dag", "hvert år i maj", "den første mandag i hver måned".

use std::cell::LazyCell;

use chrono::Weekday;

use crate::domain::recurrence::{Frequency, MonthDay, Rule, Span};

use super::anchor;
use super::chain::{Chain, Setting};
use super::cursor::Cursor;
use super::expression::{self, Found};
use super::token::Token;
use super::tree::{Again, Atom, Bound, Dated, Item, Unit, Year};
use super::words::Term;

const MONTHS_A_YEAR: u32 = 12;
const DAYS_A_WEEK: u32 = 7;
const WORKING_WEEK: [Weekday; 5] =
    [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri];

/// How often, as the marker words say.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pace {
    Every {
        frequency: Frequency,
        interval: u32,
        fuzzy: bool,
    },
    /// "i måneden": every month, if a day of it is named.
    InTheMonth,
    Settled(Again),
}

/// The words that say that a deadline comes again, and where they stand.
struct Marker {
    start: usize,
    end: usize,
    pace: Pace,
    /// "årligt" rather than "den årlige": it speaks of the deadline itself.
    adverb: bool,
}

/// What was found, and the tokens it was read from.
pub(super) struct Recurring {
    pub(super) again: Again,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The recurrence among the tokens.
pub(super) fn find(tokens: &[Token<'_>]) -> Option<Recurring> {
    // Looked up once, however many "årlige" stand there.
    let is_dated =
        LazyCell::new(|| expression::find(tokens).is_some_and(|found| found.dated.is_explicit()));
    (0..tokens.len()).find_map(|at| {
        let marker = marker(tokens, at)?;
        if !marker.adverb && *is_dated {
            return None;
        }
        settle(tokens, marker)
    })
}

fn settle(tokens: &[Token<'_>], marker: Marker) -> Option<Recurring> {
    let Marker { start, end, pace, .. } = marker;
    let (frequency, interval, fuzzy) = match pace {
        Pace::Settled(again) => return Some(Recurring { again, start, end }),
        Pace::InTheMonth => (Frequency::Monthly, 1, false),
        Pace::Every { frequency, interval, fuzzy } => (frequency, interval, fuzzy),
    };
    let months = match frequency {
        Frequency::Monthly => Some(interval),
        Frequency::Yearly => interval.checked_mul(MONTHS_A_YEAR),
        Frequency::Daily | Frequency::Weekly => None,
    };
    let anchored = || {
        let found = anchor::find(tokens, start, end, pace == Pace::InTheMonth)?;
        let (rule, span) = found.rule(months?)?;
        let again = Again::Rule(rule, span);
        Some(Recurring { again, start: found.start.min(start), end: found.end.max(end) })
    };
    let dated = || {
        let found = dates(tokens, start, end).filter(|found| may_recur(&found.dated))?;
        let all_year = MONTHS_A_YEAR == months? * u32::try_from(found.dated.items.len()).ok()?;
        let years = match frequency {
            Frequency::Yearly => interval,
            _ if all_year => 1,
            _ => return None,
        };
        let again = Again::Dates { years, dates: found.dated };
        Some(Recurring { again, start: found.start.min(start), end: found.end.max(end) })
    };
    if pace == Pace::InTheMonth {
        return anchored();
    }
    let bare = || match frequency {
        Frequency::Weekly => Some(weekly(tokens, start, end, interval, fuzzy)),
        _ => Some(bare(start, end, frequency, interval, fuzzy)),
    };
    if frequency == Frequency::Yearly {
        dated().or_else(anchored).or_else(bare)
    } else {
        anchored().or_else(dated).or_else(bare)
    }
}

fn bare(start: usize, end: usize, frequency: Frequency, interval: u32, fuzzy: bool) -> Recurring {
    Recurring { again: Again::Bare { frequency, interval, fuzzy }, start, end }
}

/// "hver uge", or "hver uge om mandagen".
fn weekly(tokens: &[Token<'_>], start: usize, end: usize, interval: u32, fuzzy: bool) -> Recurring {
    let mut cursor = Cursor::new(tokens, end);
    cursor.skip(|term| {
        matches!(term, Term::In | Term::Over | Term::The | Term::Sign(',') | Term::Latest)
    });
    match cursor.weekdays() {
        Some(days) => {
            let again = Again::Rule(Rule::Weekdays { interval, days }, Span::Days(1));
            Recurring { again, start, end: cursor.at() }
        }
        None => bare(start, end, Frequency::Weekly, interval, fuzzy),
    }
}

/// The dates on either side of the marker.
fn dates(tokens: &[Token<'_>], start: usize, end: usize) -> Option<Found> {
    let behind = tokens.get(end..).and_then(expression::find).map(|mut found| {
        found.start += end;
        found.end += end;
        found
    });
    behind.or_else(|| tokens.get(..start).and_then(expression::find))
}

/// Whether such a date comes every year: "i maj" does, "fra 2021" and "i år" do not.
fn may_recur(dated: &Dated) -> bool {
    let bound = match dated.bound {
        Bound::Plain | Bound::Within | Bound::Before => true,
        Bound::After => {
            matches!(dated.items.as_slice(), [Item { from: Atom::SummerHoliday { .. }, to: None }])
        }
        Bound::From | Bound::Rest | Bound::Shift { .. } => false,
    };
    bound
        && dated.items.iter().all(|item| {
            let atoms = [Some(item.from), item.to];
            atoms.iter().flatten().all(|atom| {
                matches!(atom.year(), Some(Year::Missing | Year::Given(_))) && !atom.is_bare_year()
            })
        })
}

fn marker(tokens: &[Token<'_>], at: usize) -> Option<Marker> {
    let mut cursor = Cursor::new(tokens, at);
    let in_front = matches!(cursor.term_before(1), Some(Term::In | Term::Of | Term::Per));
    let on = in_front || cursor.term_before(1) == Some(Term::Over);
    let mut adverb = true;
    let pace = match cursor.term()? {
        Term::Each => cursor.each()?,
        Term::All => {
            cursor.advance(1);
            cursor.working_days().or_else(|| cursor.on_weekdays())?
        }
        Term::DayNames(_) if on => cursor.on_weekdays()?,
        Term::Unit(Unit::Workday) if in_front => cursor.working_days()?,
        Term::Number { .. } | Term::Cardinal(_) => cursor.times()?,
        // "1.500 kr. pr. måned" is no deadline.
        Term::Per if at == 0 => {
            cursor.advance(1);
            cursor.skip_dot();
            let unit = cursor.unit()?;
            let rest = tokens.get(cursor.at()..).unwrap_or(&[]);
            let alone = rest.iter().all(|token| matches!(token.term, Term::Sign(_)));
            if alone { every(1, unit)? } else { return None }
        }
        Term::TheUnit(Unit::Month) if in_front => {
            cursor.advance(1);
            Pace::InTheMonth
        }
        // "den daglige leder" is a person.
        Term::Rate { frequency: Frequency::Daily, adverb: false, .. }
            if cursor.term_before(1) == Some(Term::The) =>
        {
            return None;
        }
        Term::Rate { frequency, interval, adverb: is_adverb } => {
            cursor.advance(1);
            adverb = is_adverb;
            Pace::Every { frequency, interval, fuzzy: false }
        }
        _ => return None,
    };
    Some(Marker { start: at, end: cursor.at(), pace, adverb })
}

impl Cursor<'_> {
    /// "hver måned", "hvert 2. år", "hver mandag", "hvert forår", "hver 1. maj".
    fn each(&mut self) -> Option<Pace> {
        self.advance(1);
        let _ =
            self.attempt(|cursor| (cursor.ahead(0)?.text == "eneste").then(|| cursor.advance(1)));
        self.attempt(Cursor::each_weekday)
            .or_else(|| self.attempt(Cursor::each_unit))
            .or_else(|| self.working_days())
            .or_else(|| {
                self.the();
                let Chain { mut items, mut fuzzy } = self.chain(Setting::default())?;
                while let Some(more) = self.attempt(|cursor| {
                    cursor.eat_term(Term::And)?;
                    cursor.eat_term(Term::Each)?;
                    cursor.chain(Setting::default())
                }) {
                    items.extend(more.items);
                    fuzzy |= more.fuzzy;
                }
                let yearly = items.iter().all(Item::lacks_year);
                let dates = Dated { bound: Bound::Plain, items, fuzzy };
                yearly.then_some(Pace::Settled(Again::Dates { years: 1, dates }))
            })
    }

    fn each_weekday(&mut self) -> Option<Pace> {
        let nth = self.ordinal(true);
        let days = self.weekdays()?;
        let in_month = self.attempt(|cursor| {
            cursor.eat(|term| matches!(term, Term::In | Term::Of).then_some(()))?;
            let _ = cursor.eat_term(Term::Each);
            cursor.eat(|term| {
                matches!(term, Term::Unit(Unit::Month) | Term::TheUnit(Unit::Month)).then_some(())
            })
        });
        let interval = nth.unwrap_or(1).max(1);
        let rule = match (in_month, i32::try_from(interval)) {
            (Some(()), Ok(nth @ 1..=5)) => {
                let days = days.into_iter().map(|day| MonthDay::Nth(nth, day)).collect();
                Rule::MonthDays { interval: 1, months: Vec::new(), days }
            }
            _ => Rule::Weekdays { interval, days },
        };
        Some(Pace::Settled(Again::Rule(rule, Span::Days(1))))
    }

    fn each_unit(&mut self) -> Option<Pace> {
        if self.eat_term(Term::Half).is_some() {
            self.eat_term(Term::Unit(Unit::Year))?;
            return every(1, Unit::HalfYear);
        }
        let second =
            self.before(1).is_some_and(|each| matches!(each.text, "hveranden" | "hvertandet"));
        let nth = match self.ordinal(false) {
            Some(nth) => nth,
            None if second => 2,
            None => self
                .eat(|term| match term {
                    Term::Cardinal(count) => Some(count),
                    _ => None,
                })
                .unwrap_or(1),
        };
        let unit = self.unit()?;
        // "hver uge 10" is a week of the year.
        if unit == Unit::Week && matches!(self.term(), Some(Term::Number { .. })) {
            return None;
        }
        every(nth, unit)
    }

    /// "mandag", "mandag, onsdag og fredag", "mandage".
    fn weekdays(&mut self) -> Option<Vec<Weekday>> {
        let day = |term| match term {
            Term::DayName(day) | Term::DayNames(day) => Some(day),
            _ => None,
        };
        let mut days = vec![self.eat(day)?];
        while let Some(day) = self.attempt(|cursor| {
            cursor.eat(|term| matches!(term, Term::Sign(',') | Term::And).then_some(()))?;
            let _ = cursor.eat_term(Term::Each);
            cursor.eat(day)
        }) {
            days.push(day);
        }
        days.sort_unstable_by_key(Weekday::num_days_from_monday);
        days.dedup();
        Some(days)
    }

    fn on_weekdays(&mut self) -> Option<Pace> {
        let rule = Rule::Weekdays { interval: 1, days: self.weekdays()? };
        Some(Pace::Settled(Again::Rule(rule, Span::Days(1))))
    }

    fn working_days(&mut self) -> Option<Pace> {
        self.eat_term(Term::Unit(Unit::Workday))?;
        let rule = Rule::Weekdays { interval: 1, days: WORKING_WEEK.to_vec() };
        Some(Pace::Settled(Again::Rule(rule, Span::Days(1))))
    }

    /// "to gange om året", "4 gange årligt", "tre årlige møder".
    fn times(&mut self) -> Option<Pace> {
        let count = self.count()?;
        let times = self.eat_term(Term::Times).is_some();
        if let Some((frequency, interval)) = self.eat(|term| match term {
            Term::Rate { frequency, interval, .. } => Some((frequency, interval)),
            _ => None,
        }) {
            let unit = match (frequency, interval) {
                (Frequency::Daily, _) => Unit::Day,
                (Frequency::Weekly, _) => Unit::Week,
                (Frequency::Yearly, _) => Unit::Year,
                (Frequency::Monthly, 1) => Unit::Month,
                (Frequency::Monthly, 3) => Unit::Quarter,
                (Frequency::Monthly, 4) => Unit::Tertial,
                (Frequency::Monthly, _) => Unit::HalfYear,
            };
            return times_per(count, unit);
        }
        if !times {
            return None;
        }
        self.eat(|term| {
            matches!(term, Term::Over | Term::In | Term::Per | Term::Each | Term::Sign('/'))
                .then_some(())
        })?;
        self.skip_dot();
        let unit = self.unit().or_else(|| self.the_unit())?;
        times_per(count, unit)
    }
}

fn every(count: u32, unit: Unit) -> Option<Pace> {
    let (frequency, interval) = match unit {
        Unit::Day if count.is_multiple_of(DAYS_A_WEEK) => (Frequency::Weekly, count / DAYS_A_WEEK),
        Unit::Day => (Frequency::Daily, count),
        Unit::Week => (Frequency::Weekly, count),
        Unit::Year => (Frequency::Yearly, count),
        Unit::Month | Unit::Quarter | Unit::Tertial | Unit::HalfYear => {
            (Frequency::Monthly, count.checked_mul(unit.months())?)
        }
        Unit::Workday | Unit::SchoolYear | Unit::NearestYear => return None,
    };
    (interval > 0).then_some(Pace::Every { frequency, interval, fuzzy: false })
}

/// So many times a unit, as an interval; a guess where the unit cannot be cut into so many months.
fn times_per(count: u32, unit: Unit) -> Option<Pace> {
    let months = unit.months();
    let (frequency, interval, exact) = match unit {
        _ if count == 0 => return None,
        _ if count == 1 => return every(1, unit),
        Unit::Day => (Frequency::Daily, 1, false),
        Unit::Week => (Frequency::Daily, (DAYS_A_WEEK / count).max(1), count == DAYS_A_WEEK),
        _ if count <= months => (Frequency::Monthly, months / count, months.is_multiple_of(count)),
        // Thirteen weeks make three months.
        _ => (Frequency::Weekly, (months * 13 / 3 / count).max(1), false),
    };
    Some(Pace::Every { frequency, interval, fuzzy: !exact })
}
