//! The book's sheet.

use std::collections::HashSet;

use sqlx::SqliteConnection;
use tokio::join;

use super::sheet::{Difference, PAGE_ROWS_MAX, Sheet, account, check, compare, count};
use super::{ImportProblem, ImportedCommitment, ImportedLeader, Tally};
use crate::domain::commitment::Status;
use crate::store::batch::{INSERT_ROWS_MAX, Insert, Row, batch};
use crate::store::changes::{
    DeadlineRow, ResponsibleRow, StatusRow, add_responsible, add_windows, cancel_groundless, day,
    replace_responsible, set_deadlines, set_status, window_rows,
};
use crate::store::journal::Subject;
use crate::store::{Error, Stamp};

const KNOWN_COMMITMENTS: &str = "
    SELECT reference, imported, revision
      FROM commitments
     WHERE reference IN (SELECT value FROM json_each($1))";

const BOOK_COMMITMENTS: &str = "
    SELECT reference,
           json_object('title', title, 'kind', kind, 'deadline', phrase,
                       'organisation', organisation, 'document', document,
                       'document_date', document_date, 'section', section, 'quote', quote,
                       'confidential', CAST(confidential AS TEXT), 'status', status,
                       'adopted_on', adopted_on, 'responsible', (
                           SELECT group_concat(leader, ';') FROM (
                               SELECT leader FROM responsibilities
                                WHERE commitment = c.reference
                                ORDER BY position, leader)))
      FROM commitments c
     WHERE reference IN (SELECT value FROM json_each($1))";

const CLOSE_ALL_WINDOWS: &str = "
    UPDATE windows SET closed_on = $2, closed_as = 'done'
      FROM commitments c
     WHERE c.reference IN (SELECT value FROM json_each($1)) AND windows.closed_on IS NULL
       AND windows.commitment = c.reference AND windows.revision = c.revision";

/// What was closed stays so, when the new deadline has a window of the same days.
const CLOSE_AGAIN: &str = "
    UPDATE windows SET closed_on = old.closed_on, closed_as = old.closed_as
      FROM commitments c, windows old
     WHERE c.reference IN (SELECT value FROM json_each($1))
       AND windows.commitment = c.reference AND windows.revision = c.revision
       AND old.commitment = c.reference AND old.revision = c.revision - 1
       AND old.closed_on IS NOT NULL AND old.opens = windows.opens AND old.due IS windows.due";

const FINISH: &str = "
    UPDATE commitments SET status = 'done'
     WHERE reference IN (SELECT value FROM json_each($1)) AND status = 'open' AND rrule IS NULL
       AND NOT EXISTS (SELECT 1 FROM windows w
                        WHERE w.commitment = reference AND w.revision = commitments.revision
                          AND w.closed_on IS NULL)";

const LEADERS: &str = "SELECT reference FROM leaders";

const COMMITMENTS: Sheet = Sheet {
    table: "commitments",
    required: &["title"],
    days: &["document_date", "adopted_on"],
    known: KNOWN_COMMITMENTS,
    book: BOOK_COMMITMENTS,
};

/// Answers with the references of the rows too.
pub(super) async fn import(
    unit: &mut SqliteConnection,
    rows: impl Iterator<Item = ImportedCommitment>,
    imported: &[ImportedLeader],
    stamp: &Stamp,
    problems: &mut Vec<ImportProblem>,
) -> Result<(Tally, Vec<String>), Error> {
    // Those of this import count even when their own rows are refused: one mistake is told once.
    let leaders: Vec<String> = sqlx::query_scalar(LEADERS).fetch_all(&mut *unit).await?;
    let leaders: HashSet<&str> = leaders
        .iter()
        .map(String::as_str)
        .chain(imported.iter().map(|row| row.reference.as_str()))
        .collect();
    let (mut tally, mut references) = (Tally::default(), Vec::new());
    let mut rows = rows.fuse();
    let mut read = || rows.by_ref().take(PAGE_ROWS_MAX).collect::<Vec<_>>();
    let mut page = read();
    while !page.is_empty() {
        let mut next = None;
        let cells = page.iter().map(|row| (row.reference.as_str(), &row.cells));
        let mut differences = compare(unit, &COMMITMENTS, cells).await?;
        check(&COMMITMENTS, &differences, problems);
        check_cells(&differences, &leaders, problems);
        if problems.is_empty() {
            for row in &mut differences {
                decide_status(row, &page);
            }
            next = Some(put_page(unit, &page, &differences, stamp, &mut read).await?);
        }
        count(&mut tally, &differences, page.len());
        references.extend(page.into_iter().map(|row| row.reference));
        page = next.unwrap_or_else(&mut read);
    }
    account(unit, &tally, Subject::commitment, stamp).await?;
    Ok((tally, references))
}

/// As many rows at a time as one statement inserts: while SQLite does that, the next are made ready, and at last the next
/// page is read, with which it answers.
async fn put_page(
    unit: &mut SqliteConnection,
    page: &[ImportedCommitment],
    differences: &[Difference<'_>],
    stamp: &Stamp,
    mut read: impl FnMut() -> Vec<ImportedCommitment>,
) -> Result<Vec<ImportedCommitment>, Error> {
    let mut parts = differences.chunks(INSERT_ROWS_MAX).map(|part| Part::of(page, part, stamp));
    let mut next_page = None;
    let mut ready = parts.next().transpose()?;
    while let Some(part) = ready {
        let make_ready = async {
            let next = parts.next();
            if next.is_none() {
                next_page = Some(read());
            }
            next.transpose()
        };
        let (put, next) = join!(biased; part.put(unit, stamp), make_ready);
        put?;
        ready = next?;
    }
    Ok(next_page.unwrap_or_else(read))
}

/// Some rows, ready to be put.
struct Part<'d> {
    rows: Insert,
    /// Of commitments that were there: deadlines that are others now, new statuses, those that are done.
    deadlines: Vec<DeadlineRow<'d>>,
    statuses: Vec<StatusRow<'d>>,
    done: Vec<&'d str>,
    windows: Insert,
    /// Of new commitments.
    responsible: Insert,
    /// Of commitments that were there.
    others_responsible: Vec<ResponsibleRow<'d>>,
    known: Vec<&'d str>,
}

impl<'d> Part<'d> {
    fn of(
        page: &'d [ImportedCommitment],
        differences: &'d [Difference<'d>],
        stamp: &Stamp,
    ) -> Result<Self, Error> {
        let rows = put(page, differences, stamp)?;
        let (mut deadlines, mut windows) = (Vec::new(), Vec::new());
        let (mut statuses, mut done) = (Vec::new(), Vec::new());
        for row in differences {
            let Some(status) = row.status else { continue };
            if reads_anew(row, page) {
                let Some(imported) = page.get(row.index) else { continue };
                let Some(deadline) = deadline_row(row, imported, stamp) else { continue };
                if let Ok(read) = &imported.deadline {
                    windows.extend(window_rows(row.reference, deadline.revision, read, stamp.day));
                }
                if !row.is_new {
                    deadlines.push(DeadlineRow { phrase: row.after("deadline"), ..deadline });
                }
            } else if row.change("status").is_some() {
                let (reference, status) = (row.reference, status.name());
                statuses.push(StatusRow { reference, status, entered_on: None, confidence: None });
            }
            if status == Status::Done && !row.is_new && row.change("status").is_some() {
                done.push(row.reference);
            }
        }
        let known = differences.iter().filter(|row| !row.is_new).map(|row| row.reference);
        Ok(Self {
            rows,
            deadlines,
            statuses,
            done,
            windows: add_windows(&windows),
            responsible: add_responsible(&responsible_rows(differences, true, stamp)),
            others_responsible: responsible_rows(differences, false, stamp),
            known: known.collect(),
        })
    }

    async fn put(self, unit: &mut SqliteConnection, stamp: &Stamp) -> Result<(), Error> {
        self.rows.run(unit).await?;
        set_deadlines(unit, &self.deadlines, self.windows).await?;
        set_status(unit, &self.statuses).await?;
        let anew: Vec<&str> = self.deadlines.iter().map(|deadline| deadline.reference).collect();
        batch(unit, CLOSE_AGAIN, &anew, &[]).await?;
        batch(unit, FINISH, &anew, &[]).await?;
        batch(unit, CLOSE_ALL_WINDOWS, &self.done, &[&stamp.day.to_string()]).await?;
        self.responsible.run(unit).await?;
        replace_responsible(unit, &self.others_responsible).await?;
        cancel_groundless(unit, &self.known).await
    }
}

/// A row, its cells as the next import is to find them, and the deadline of a new one.
type Put<'r> = (&'r Difference<'r>, String, Option<DeadlineRow<'r>>);

/// A new row comes with its deadline, which it has from then on; of one that is there, only the cells are put.
fn put(
    page: &[ImportedCommitment],
    differences: &[Difference<'_>],
    stamp: &Stamp,
) -> Result<Insert, Error> {
    let head = "
        INSERT INTO commitments (reference, title, kind,
                                 organisation, document, document_date,
                                 section, quote, confidential, adopted_on, imported,
                                 phrase, status, entered_on, reference_date,
                                 confidence, undated, rrule, span) ";
    let tail = "
        ON CONFLICT (reference) DO UPDATE
       SET title = excluded.title, kind = excluded.kind, organisation = excluded.organisation,
           document = excluded.document, document_date = excluded.document_date,
           section = excluded.section, quote = excluded.quote,
           confidential = excluded.confidential, adopted_on = excluded.adopted_on,
           reference_date = coalesce(excluded.document_date, excluded.adopted_on, reference_date),
           imported = excluded.imported";
    let rows = differences.iter().map(|row| {
        let read = page.get(row.index).filter(|_| row.is_new);
        let entered = read.and_then(|read| deadline_row(row, read, stamp));
        Ok((row, row.all_imported()?, entered))
    });
    let rows = rows.collect::<Result<Vec<_>, Error>>()?;
    // Line by line as in the head.
    let bind = |cells: &mut Row<'_>, (row, imported, entered): &Put<'_>| {
        let text = |column| row.after(column).unwrap_or_default();
        let entered = entered.as_ref();
        let entered_on = day(entered.map(|entered| entered.entered_on.0));
        let document_date = row.after("document_date");
        let adopted_on = row.after("adopted_on").or(entered_on.as_deref());
        let kind = row.after("kind").unwrap_or("follow_up");
        cells.push_bind(row.reference).push_bind(row.after("title")).push_bind(kind);
        cells.push_bind(text("organisation")).push_bind(text("document")).push_bind(document_date);
        cells.push_bind(text("section")).push_bind(text("quote"));
        cells.push_bind(row.after("confidential") == Some("1")).push_bind(adopted_on);
        cells.push_bind(imported);
        cells.push_bind(text("deadline")).push_bind(row.after("status")).push_bind(&entered_on);
        cells.push_bind(document_date.or(adopted_on));
        cells.push_bind(entered.and_then(|entered| entered.confidence));
        cells.push_bind(entered.and_then(|entered| entered.undated.as_deref()));
        cells.push_bind(entered.and_then(|entered| entered.rrule.as_deref()));
        cells.push_bind(entered.and_then(|entered| entered.span.as_deref()));
    };
    Ok(Insert::new(head, &rows, bind, tail))
}

fn check_cells(
    differences: &[Difference<'_>],
    leaders: &HashSet<&str>,
    problems: &mut Vec<ImportProblem>,
) {
    for row in differences {
        if row.change("responsible").is_some() {
            for leader in responsible(row).filter(|leader| !leaders.contains(leader)) {
                let what = format!("{leader:?} is no leader here; add one, or mend the reference");
                problems.push(row.problem(&COMMITMENTS, "responsible", what));
            }
        }
        let known = [("confidential", &["0", "1"][..]), ("status", &Status::ALL.map(Status::name))];
        for (column, values) in known {
            if let Some(cell) = row.after(column).filter(|cell| !values.contains(cell)) {
                let what = format!("{cell:?} stands for nothing; write {}", values.join(", "));
                problems.push(row.problem(&COMMITMENTS, column, what));
            }
        }
    }
}

/// Replaces the cell `status` by what it leads to: a sheet closes commitments, and never reopens one.
fn decide_status(row: &mut Difference<'_>, rows: &[ImportedCommitment]) {
    let can_be_planned = rows
        .get(row.index)
        .and_then(|row| row.deadline.as_ref().ok())
        .is_some_and(|deadline| deadline.can_be_planned());
    let read = if can_be_planned { Status::Open } else { Status::NeedsDate };
    let is_said = row.is_new || row.news("status").is_some();
    let is_read = is_said || reads_anew(row, rows);
    let sheet = row.imported("status").and_then(Status::from_name).unwrap_or(Status::Open);
    let book = row.before.get("status").and_then(Status::from_name);
    let book = book.unwrap_or(Status::Open);
    let after = match (sheet, book) {
        (Status::Done | Status::Cancelled, _) if is_said => sheet,
        (_, Status::Done | Status::Cancelled) => book,
        (Status::NeedsDate, _) if is_read => Status::NeedsDate,
        _ if is_read => read,
        _ => book,
    };
    row.status = Some(after);
}

/// Whether the deadline is another: in other words, or the same read against another day. A deadline that people gave
/// it here is none of the sheet's, and stands.
fn reads_anew(row: &Difference<'_>, rows: &[ImportedCommitment]) -> bool {
    let is_reread = rows.get(row.index).is_some_and(|imported| {
        imported.is_reread
            && imported.cells.get("deadline").map(String::as_str) == row.after("deadline")
    });
    row.is_new || row.change("deadline").is_some() || is_reread
}

/// What the deadline was read as, when it is decided where the commitment stands.
fn deadline_row<'r>(
    row: &Difference<'r>,
    imported: &ImportedCommitment,
    stamp: &Stamp,
) -> Option<DeadlineRow<'r>> {
    let revision = if row.is_new { row.revision } else { row.revision + 1 };
    let deadline = DeadlineRow::given(row.reference, revision, row.status?, stamp.day);
    Some(deadline.read(imported.deadline.as_ref().map_err(|undated| *undated)))
}

/// Who answers for the commitments that are new, or for those that were there and have others now.
fn responsible_rows<'d>(
    differences: &'d [Difference<'d>],
    is_new: bool,
    stamp: &Stamp,
) -> Vec<ResponsibleRow<'d>> {
    let since = (!is_new).then_some(stamp.day);
    let changed = differences
        .iter()
        .filter(|row| row.is_new == is_new && row.change("responsible").is_some());
    let rows = changed.flat_map(|row| {
        (1..).zip(responsible(row)).map(move |(position, leader)| ResponsibleRow {
            commitment: row.reference,
            leader,
            position,
            since,
            until: None,
        })
    });
    rows.collect()
}

/// References of the responsible leaders, in the order given.
fn responsible<'a>(row: &'a Difference<'_>) -> impl Iterator<Item = &'a str> {
    row.after("responsible")
        .unwrap_or_default()
        .split(';')
        .map(str::trim)
        .filter(|leader| !leader.is_empty())
}
