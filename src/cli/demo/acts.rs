//! What the people of Nordkær do in the course of the rehearsal: the script of the demo, as data.
//!
//! The worker writes and the people answer, so the acts of a day come after that day's reminders.

use chrono::NaiveDate;

/// The day of the import, before the first step.
pub(super) const FIRST_DAY: NaiveDate = day(2019, 5, 1);

/// The last day of the rehearsal, after the last step.
pub(super) const LAST_DAY: NaiveDate = day(2022, 2, 28);

/// The commitment with the most to tell: still not met on the last day, and a manager knows.
pub(super) const WORTH_EXPLAINING: &str = "NK-MAD-3";

/// Something a person does; `reference` is that of the commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// The earliest open window is marked as done.
    Done { reference: &'static str },
    /// The earliest open window gets a new deadline, a day or a phrase read against the day of the act.
    Postpone { reference: &'static str, to: &'static str, reason: &'static str },
    /// One leader's own reminders wait until a day.
    Snooze { reference: &'static str, leader: &'static str, to: NaiveDate },
    /// These leaders, and no others, are responsible from now on.
    Assign { reference: &'static str, leaders: &'static [&'static str] },
    /// The reading of a phrase that waited for a person is right.
    Confirm { reference: &'static str },
    /// The commitment is given up.
    Cancel { reference: &'static str },
}

/// The script, in the order of days. Most promises are kept: some early, some after a reminder, some only when a manager
/// has heard of them. The evaluations of the last winter never are, and "løbende" never gets a date.
pub(super) const ACTS: &[(NaiveDate, Act)] = &[
    (day(2019, 6, 6), done("NK-MAD-4")),
    // One reminder after the deadline was enough.
    (day(2019, 7, 4), done("NK-MAD-1")),
    (day(2019, 9, 26), done("NK-SUN-1")),
    (day(2019, 11, 15), done("NK-SUN-4")),
    (day(2019, 12, 13), done("NK-SKO-2")),
    // The first escalation: the director was told the day before Christmas Eve.
    (day(2020, 1, 6), done("NK-SUN-2")),
    (day(2020, 1, 29), done("NK-MAD-2")),
    // "novmber 2020" was meant as it was read.
    (day(2020, 2, 12), Act::Confirm { reference: "NK-KLI-5" }),
    (day(2020, 2, 20), done("NK-SKO-1")),
    // The first of two quarters.
    (day(2020, 3, 26), done("NK-MAD-5")),
    (day(2020, 4, 22), done("NK-KLI-1")),
    (day(2020, 5, 20), done("NK-SUN-3")),
    // The deputy holds the meeting for the absent Anders Toftelund, and takes the status along.
    (day(2020, 5, 28), done("NK-CHE-2")),
    (day(2020, 6, 2), done("NK-CHE-3")),
    (day(2020, 6, 17), done("NK-CHE-1")),
    (day(2020, 6, 24), done("NK-SKO-3")),
    (day(2020, 6, 30), done("NK-KLI-2")),
    // A bare "halvårligt" has days from here on: every six months after the report.
    (day(2020, 8, 12), Act::Confirm { reference: "NK-HJE-3" }),
    (
        day(2020, 9, 9),
        Act::Postpone {
            reference: "NK-BO-1",
            to: "ultimo 2020",
            reason: "Jordbundsprøverne er forsinket",
        },
    ),
    // Three weeks late, and two days after the manager heard.
    (day(2020, 9, 23), done("NK-HJE-1")),
    (day(2020, 10, 7), done("NK-MAD-5")),
    // "vinter 2020" is the coming one, not the last.
    (day(2020, 10, 21), Act::Confirm { reference: "NK-SKO-4" }),
    (day(2020, 11, 19), done("NK-KLI-5")),
    (day(2020, 11, 25), done("NK-CHE-3")),
    // Sofie Ravnholt left in September; until now her director got her mails.
    (day(2020, 12, 7), Act::Assign { reference: "NK-SUN-5", leaders: &["led-traening"] }),
    (day(2020, 12, 16), done("NK-HJE-3")),
    (day(2020, 12, 17), done("NK-BO-1")),
    (day(2020, 12, 22), done("NK-SUN-6")),
    (day(2021, 1, 8), done("NK-SUN-5")),
    // Nobody stands above these two, so the secretariat was told.
    (day(2021, 1, 25), done("NK-BUD-2")),
    (day(2021, 1, 27), done("NK-KLI-3")),
    (day(2021, 3, 4), done("NK-SKO-4")),
    (day(2021, 3, 29), done("NK-BUD-1")),
    (day(2021, 5, 5), Act::Assign { reference: "NK-SUN-3", leaders: &["chef-aeldre"] }),
    (day(2021, 5, 27), done("NK-SUN-3")),
    (day(2021, 6, 1), done("NK-DIG-1")),
    (day(2021, 6, 8), done("NK-HJE-2")),
    (day(2021, 6, 18), done("NK-HJE-3")),
    (day(2021, 6, 24), done("NK-SKO-6")),
    (day(2021, 8, 9), done("NK-BO-2")),
    // Birgitte Løvskov wants no reminder before she is back from her holiday.
    (
        day(2021, 9, 1),
        Act::Snooze { reference: "NK-FRI-3", leader: "chef-aeldre", to: day(2021, 9, 27) },
    ),
    (day(2021, 9, 2), done("NK-FRI-1")),
    (day(2021, 9, 28), done("NK-BUD-3")),
    (day(2021, 9, 30), done("NK-DIG-2")),
    (day(2021, 10, 5), done("NK-FRI-3")),
    // The safety board has taken over what was done every half-year.
    (day(2021, 10, 6), Act::Cancel { reference: "NK-HJE-3" }),
    (day(2021, 11, 24), done("NK-FRI-2")),
    (day(2022, 1, 5), done("NK-DIG-3")),
];

const fn done(reference: &'static str) -> Act {
    Act::Done { reference }
}

/// A day of the script. One that is not in the calendar falls behind the last day, where the tests find it.
const fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(day) => day,
        None => NaiveDate::MAX,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::cli::demo::{COMMITMENTS, LEADERS};
    use crate::domain::rule::STANDARD_KINDS;

    type Row = BTreeMap<String, String>;

    fn rows(csv: &str) -> Vec<Row> {
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let header = reader.headers().unwrap().clone();
        let named = |row: csv::StringRecord| {
            header.iter().map(str::to_owned).zip(row.iter().map(str::to_owned)).collect()
        };
        reader.records().map(|row| named(row.unwrap())).collect()
    }

    fn references(rows: &[Row]) -> BTreeSet<&str> {
        let references: BTreeSet<&str> = rows.iter().map(|row| row["reference"].as_str()).collect();
        assert_eq!(references.len(), rows.len(), "every reference once");
        references
    }

    fn of(act: &Act) -> &'static str {
        match act {
            Act::Done { reference }
            | Act::Postpone { reference, .. }
            | Act::Snooze { reference, .. }
            | Act::Assign { reference, .. }
            | Act::Confirm { reference }
            | Act::Cancel { reference } => reference,
        }
    }

    #[test]
    fn the_script_runs_in_the_order_of_days_between_the_first_and_the_last() {
        assert!(ACTS.is_sorted_by_key(|(day, _)| day));
        assert!(ACTS.iter().all(|(day, _)| (FIRST_DAY..=LAST_DAY).contains(day)));
    }

    #[test]
    fn the_script_names_commitments_and_leaders_of_the_sample_and_every_kind_of_act() {
        let (commitments, leaders) = (rows(COMMITMENTS), rows(LEADERS));
        let (commitments, leaders) = (references(&commitments), references(&leaders));
        let mut kinds = BTreeSet::new();
        for (day, act) in ACTS {
            assert!(commitments.contains(of(act)), "{day}: {act:?}");
            match act {
                Act::Snooze { leader, to, .. } => assert!(leaders.contains(leader) && to > day),
                Act::Assign { leaders: new, .. } => {
                    assert!(new.iter().all(|leader| leaders.contains(leader)), "{day}: {act:?}");
                }
                _ => {}
            }
            kinds.insert(format!("{act:?}").split(' ').next().unwrap().to_owned());
        }
        assert_eq!(kinds.len(), 6, "{kinds:?}");
        assert!(commitments.contains(WORTH_EXPLAINING));
    }

    #[test]
    fn the_sample_has_leaders_on_three_levels_with_a_deputy_an_absence_and_one_who_leaves() {
        let rows = rows(LEADERS);
        let known = references(&rows);
        let manager: BTreeMap<&str, &str> =
            rows.iter().map(|row| (&*row["reference"], &*row["manager"])).collect();
        let level = |leader: &str| {
            std::iter::successors(Some(leader), |at| manager.get(at).copied())
                .take_while(|at| !at.is_empty())
                .count()
        };
        let levels: BTreeSet<usize> = known.iter().map(|leader| level(leader)).collect();
        assert!(known.len() >= 8 && levels.len() >= 3, "{levels:?}");
        for row in &rows {
            assert!(row["email"].ends_with("@nordkaer.example"), "{row:?}");
            for column in ["manager", "deputy"] {
                assert!(row[column].is_empty() || known.contains(&*row[column]), "{row:?}");
            }
        }
        for column in ["deputy", "active_to", "absent_from", "absent_to"] {
            assert!(rows.iter().any(|row| !row[column].is_empty()), "{column}");
        }
        assert!(rows.iter().any(|row| row["language"] == "en"));
    }

    #[test]
    fn the_sample_has_commitments_of_every_kind_and_the_three_promises_of_the_cluster() {
        let (rows, leaders) = (rows(COMMITMENTS), rows(LEADERS));
        let leaders = references(&leaders);
        assert!(references(&rows).len() >= 30);
        for row in &rows {
            let responsible = &row["responsible"];
            assert!(responsible.split(';').all(|leader| leaders.contains(leader)), "{row:?}");
        }
        let kinds: BTreeSet<&str> = rows.iter().map(|row| &*row["kind"]).collect();
        assert_eq!(kinds, BTreeSet::from(STANDARD_KINDS));
        for (kind, deadline) in [
            ("status", "primo 2020"),
            ("effect_goals", "ultimo juni 2019"),
            ("evaluation", "forventes november 2021"),
        ] {
            let promise = |row: &&Row| {
                row["kind"] == kind
                    && row["deadline"] == deadline
                    && row["quote"].to_lowercase().contains(deadline)
            };
            assert_eq!(rows.iter().filter(promise).count(), 1, "{kind}, {deadline}");
        }
        let confidential = rows.iter().filter(|row| row["confidential"] == "ja").count();
        let shared = rows.iter().filter(|row| row["responsible"].contains(';')).count();
        assert!((1..=2).contains(&confidential) && shared >= 5);
    }
}
