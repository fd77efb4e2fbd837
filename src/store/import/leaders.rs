//! The address book's sheet.

use std::collections::{HashMap, HashSet};

use sqlx::SqliteConnection;

use super::sheet::{Difference, PAGE_ROWS_MAX, Sheet, account, check, compare, count, problem};
use super::{ImportProblem, ImportedLeader, Tally};
use crate::store::batch::{Insert, Row};
use crate::store::journal::Subject;
use crate::store::{Error, Stamp};

const KNOWN_LEADERS: &str = "
    SELECT reference, imported, 1 AS revision
      FROM leaders
     WHERE reference IN (SELECT value FROM json_each($1))";

const BOOK_LEADERS: &str = "
    SELECT reference,
           json_object('name', name, 'email', email, 'role', role, 'unit', unit,
                       'manager', manager, 'deputy', deputy, 'language', language,
                       'active_from', active_from, 'active_to', active_to,
                       'absent_from', absent_from, 'absent_to', absent_to)
      FROM leaders
     WHERE reference IN (SELECT value FROM json_each($1))";

/// What a sheet says of a leader, beside the reference.
const COLUMNS: [&str; 11] = [
    "name",
    "email",
    "role",
    "unit",
    "manager",
    "deputy",
    "language",
    "active_from",
    "active_to",
    "absent_from",
    "absent_to",
];

const TIES: &str = "SELECT reference, manager, deputy FROM leaders";

const LEADERS: Sheet = Sheet {
    table: "leaders",
    required: &["name", "email"],
    days: &["active_from", "active_to", "absent_from", "absent_to"],
    known: KNOWN_LEADERS,
    book: BOOK_LEADERS,
};

pub(super) async fn import(
    unit: &mut SqliteConnection,
    rows: &[ImportedLeader],
    stamp: &Stamp,
    problems: &mut Vec<ImportProblem>,
) -> Result<Tally, Error> {
    let (mut tally, mut touched) = (Tally::default(), Vec::new());
    for page in rows.chunks(PAGE_ROWS_MAX) {
        let cells = page.iter().map(|row| (row.reference.as_str(), &row.cells));
        let differences = compare(unit, &LEADERS, cells).await?;
        check(&LEADERS, &differences, problems);
        for row in &differences {
            check_row(row, problems);
        }
        if problems.is_empty() {
            put(&differences)?.run(unit).await?;
        }
        count(&mut tally, &differences, page.len());
        touched.extend(differences.iter().map(|row| row.reference));
    }
    if problems.is_empty() && !touched.is_empty() {
        check_ties(unit, &touched, problems).await?;
    }
    account(unit, &tally, Subject::leader, stamp).await?;
    Ok(tally)
}

fn put(differences: &[Difference<'_>]) -> Result<Insert, Error> {
    let head = format!("INSERT INTO leaders (reference, {}, imported) ", COLUMNS.join(", "));
    let tail = "
        ON CONFLICT (reference) DO UPDATE
       SET name = excluded.name, email = excluded.email, role = excluded.role,
           unit = excluded.unit, manager = excluded.manager, deputy = excluded.deputy,
           language = excluded.language, active_from = excluded.active_from,
           active_to = excluded.active_to, absent_from = excluded.absent_from,
           absent_to = excluded.absent_to, imported = excluded.imported";
    let rows = differences.iter().map(|row| Ok((row, row.all_imported()?)));
    let rows = rows.collect::<Result<Vec<_>, Error>>()?;
    let bind = |cells: &mut Row<'_>, (row, imported): &(&Difference<'_>, String)| {
        cells.push_bind(row.reference);
        for column in COLUMNS {
            let absent = matches!(column, "role" | "unit").then_some("");
            cells.push_bind(row.after(column).or(absent));
        }
        cells.push_bind(imported);
    };
    Ok(Insert::new(&head, &rows, bind, tail))
}

fn check_row(row: &Difference<'_>, problems: &mut Vec<ImportProblem>) {
    let cell = |column: &str| row.after(column);
    for (from, to) in [("active_from", "active_to"), ("absent_from", "absent_to")] {
        // Days written YYYY-MM-DD sort as text.
        if let (Some(first), Some(last)) = (cell(from), cell(to))
            && first > last
        {
            problems.push(row.problem(&LEADERS, to, format!("{last} is before {from} {first}")));
        }
    }
    for column in ["manager", "deputy"] {
        if cell(column) == Some(row.reference) {
            let what = "is the leader's own reference; name another or leave it empty".to_owned();
            problems.push(row.problem(&LEADERS, column, what));
        }
    }
    if let Some(language) = cell("language").filter(|language| !["da", "en"].contains(language)) {
        let what = format!("{language:?} is no language of ours; write da or en");
        problems.push(row.problem(&LEADERS, "language", what));
    }
}

/// Managers and deputies must be there, and nobody may be their own manager's manager.
async fn check_ties(
    unit: &mut SqliteConnection,
    touched: &[&str],
    problems: &mut Vec<ImportProblem>,
) -> Result<(), Error> {
    let rows: Vec<(String, Option<String>, Option<String>)> =
        sqlx::query_as(TIES).fetch_all(unit).await?;
    let ties: HashMap<&str, (Option<&str>, Option<&str>)> = rows
        .iter()
        .map(|(reference, manager, deputy)| {
            (reference.as_str(), (manager.as_deref(), deputy.as_deref()))
        })
        .collect();
    for reference in touched {
        let (manager, deputy) = ties.get(reference).copied().unwrap_or_default();
        for (column, tie) in [("manager", manager), ("deputy", deputy)] {
            if let Some(tie) = tie.filter(|tie| !ties.contains_key(tie)) {
                let what = format!("{tie:?} is no leader here; add one, or mend the reference");
                problems.push(problem(&LEADERS, reference, column, what));
            }
        }
        if is_above_itself(reference, &ties) {
            let what = "the chain of managers comes back to this leader; break it".to_owned();
            problems.push(problem(&LEADERS, reference, "manager", what));
        }
    }
    Ok(())
}

fn is_above_itself(reference: &str, ties: &HashMap<&str, (Option<&str>, Option<&str>)>) -> bool {
    let above = |leader: &str| ties.get(leader).and_then(|(manager, _)| *manager);
    let mut seen = HashSet::new();
    let mut next = above(reference);
    while let Some(leader) = next.filter(|leader| seen.insert(*leader)) {
        if leader == reference {
            return true;
        }
        next = above(leader);
    }
    false
}
