//! The address book's sheet.

use std::collections::{HashMap, HashSet};

use sqlx::SqliteConnection;

use super::sheet::{Cells, Difference, Sheet, account, check, compare, put};
use super::{ImportProblem, ImportedLeader, Tally};
use crate::store::journal::Subject;
use crate::store::{Error, Stamp};

const KNOWN_LEADERS: &str = "
    SELECT reference, imported, 1 AS revision,
           json_object('name', name, 'email', email, 'role', role, 'unit', unit,
                       'manager', manager, 'deputy', deputy, 'language', language,
                       'active_from', active_from, 'active_to', active_to,
                       'absent_from', absent_from, 'absent_to', absent_to) AS cells
      FROM leaders
     WHERE reference IN (SELECT value FROM json_each($1))";

const PUT_LEADERS: &str = "
    INSERT INTO leaders (reference, name, email, role, unit, manager, deputy, language,
                         active_from, active_to, absent_from, absent_to, imported)
    SELECT value ->> 'reference', value ->> 'name', value ->> 'email',
           coalesce(value ->> 'role', ''), coalesce(value ->> 'unit', ''),
           value ->> 'manager', value ->> 'deputy', value ->> 'language',
           value ->> 'active_from', value ->> 'active_to',
           value ->> 'absent_from', value ->> 'absent_to', value ->> 'imported'
      FROM json_each($1)
     WHERE true
        ON CONFLICT (reference) DO UPDATE
       SET name = excluded.name, email = excluded.email, role = excluded.role,
           unit = excluded.unit, manager = excluded.manager, deputy = excluded.deputy,
           language = excluded.language, active_from = excluded.active_from,
           active_to = excluded.active_to, absent_from = excluded.absent_from,
           absent_to = excluded.absent_to, imported = excluded.imported";

const TIES: &str = "SELECT reference, manager, deputy FROM leaders";

const LEADERS: Sheet = Sheet {
    table: "leaders",
    required: &["name", "email"],
    days: &["active_from", "active_to", "absent_from", "absent_to"],
    known: KNOWN_LEADERS,
    put: PUT_LEADERS,
};

pub(super) async fn import(
    unit: &mut SqliteConnection,
    rows: &[ImportedLeader],
    stamp: &Stamp,
    problems: &mut Vec<ImportProblem>,
) -> Result<Tally, Error> {
    let cells: Vec<(&str, &Cells)> =
        rows.iter().map(|row| (row.reference.as_str(), &row.cells)).collect();
    let differences = compare(unit, &LEADERS, &cells).await?;
    check(&LEADERS, &differences, problems);
    for row in &differences {
        check_row(row, problems);
    }
    if problems.is_empty() {
        put(unit, &LEADERS, &differences).await?;
        check_ties(unit, &differences, problems).await?;
    }
    account(unit, &differences, rows.len(), Subject::leader, stamp).await
}

fn check_row(row: &Difference<'_>, problems: &mut Vec<ImportProblem>) {
    let cell = |column: &str| row.after.get(column).map(String::as_str);
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
    differences: &[Difference<'_>],
    problems: &mut Vec<ImportProblem>,
) -> Result<(), Error> {
    if differences.is_empty() {
        return Ok(());
    }
    let rows: Vec<(String, Option<String>, Option<String>)> =
        sqlx::query_as(TIES).fetch_all(unit).await?;
    let managers: HashMap<&str, Option<&str>> = rows
        .iter()
        .map(|(reference, manager, _)| (reference.as_str(), manager.as_deref()))
        .collect();
    for row in differences {
        for column in ["manager", "deputy"] {
            if let Some(tie) = row.after.get(column)
                && !managers.contains_key(tie.as_str())
            {
                let what = format!("{tie:?} is no leader here; add one, or mend the reference");
                problems.push(row.problem(&LEADERS, column, what));
            }
        }
        if is_above_itself(row.reference, &managers) {
            let what = "the chain of managers comes back to this leader; break it".to_owned();
            problems.push(row.problem(&LEADERS, "manager", what));
        }
    }
    Ok(())
}

fn is_above_itself(reference: &str, managers: &HashMap<&str, Option<&str>>) -> bool {
    let above = |leader: &str| managers.get(leader).copied().flatten();
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
