//! Some commitments in four cells: their own columns, their windows, who answers for them, and their snoozes, each cell a
//! JSON array with all rows. A cell that is fetched costs as much as reading it, each row wakes the thread that waits for
//! it, and to gather a list for every commitment would cost SQLite half as much again.

use std::sync::LazyLock;

use sqlx::SqliteConnection;

use super::Error;
use super::cells::CommitmentRow;
use super::row::{Cell, Parsed, exactly};

/// The columns in the order of [`CommitmentRow`].
const COMMITMENTS: &str = "
    SELECT json_group_array(json_array(
               reference, title, kind, phrase, organisation, document, document_date, section,
               quote, confidential, status, adopted_on, entered_on, reference_date, revision,
               confidence, rrule, span))
      FROM commitments
     WHERE reference IN (SELECT value FROM json_each($1)) AND entered_on IS NOT NULL";

const WINDOWS: &str = "
    SELECT json_group_array(json_array(commitment, revision, number, opens, due, made_on, closed_on))
      FROM windows
     WHERE commitment IN (SELECT value FROM json_each($1))";

/// With whether they are strangers: most drivers do not enforce references.
const RESPONSIBLE: &str = "
    SELECT json_group_array(json_array(commitment, position, leader, since, until,
               leader NOT IN (SELECT reference FROM leaders)))
      FROM responsibilities
     WHERE commitment IN (SELECT value FROM json_each($1))";

const SNOOZES: &str = "
    SELECT json_group_array(json_array(commitment, revision, leader, window, until, made_on))
      FROM snoozes
     WHERE commitment IN (SELECT value FROM json_each($1))";

/// Of the commitments whose references are in the JSON array `$1`, those that Advis has read: one row with one cell
/// each, for [`These::new`].
pub(super) static THESE: LazyLock<String> =
    LazyLock::new(|| [COMMITMENTS, WINDOWS, RESPONSIBLE, SNOOZES].join(";"));

/// The cells of some commitments.
pub(super) struct These([Cell; 4]);

/// Commitment, revision, number, opens, due, made on, closed on.
type WindowRow = (String, u32, u32, String, Option<String>, Option<String>, Option<String>);
/// Commitment, position, leader, since, until, whether that is a stranger.
type ResponsibleRow = (String, i64, String, Option<String>, Option<String>, u8);
/// Commitment, revision, leader, window, until, made on.
type SnoozeRow = (String, u32, String, u32, String, String);

impl These {
    /// The cells of the commitments whose references are in the JSON array `references`.
    pub(super) async fn read(unit: &mut SqliteConnection, references: &str) -> Result<Self, Error> {
        let cells = sqlx::query_as(THESE.as_str()).bind(references).fetch_all(unit).await?;
        Ok(Self(exactly(cells)?))
    }

    /// What the statements of [`THESE`] answer.
    pub(super) fn new(cells: [Cell; 4]) -> Self {
        Self(cells)
    }

    /// The commitments by reference, unless a cell cannot be read so.
    pub(super) fn rows(self) -> Option<Vec<CommitmentRow>> {
        let [commitments, windows, responsible, snoozes] = self.0;
        let Parsed(rows) = commitments.rows::<CommitmentRow>();
        let mut rows = rows?;
        // What is put into one cell comes in no order that SQLite promises.
        rows.sort_by(|one, other| one.reference.cmp(&other.reference));
        for row in windows.rows::<WindowRow>().0? {
            let (commitment, revision, number, opens, due, made_on, closed_on) = row;
            if let Some(row) = find(&mut rows, &commitment).filter(|row| row.revision == revision) {
                row.windows.push((number, opens, due, made_on, closed_on));
            }
        }
        for row in responsible.rows::<ResponsibleRow>().0? {
            let (commitment, position, leader, since, until, is_stranger) = row;
            if let Some(row) = find(&mut rows, &commitment) {
                if is_stranger != 0 {
                    row.strangers.push(leader.clone());
                }
                row.responsible.push((position, leader, since, until));
            }
        }
        for row in snoozes.rows::<SnoozeRow>().0? {
            let (commitment, revision, leader, window, until, made_on) = row;
            if let Some(row) = find(&mut rows, &commitment).filter(|row| row.revision == revision) {
                row.snoozes.push((leader, window, until, made_on));
            }
        }
        Some(rows)
    }
}

/// The row of a commitment, among rows by reference.
fn find<'r>(rows: &'r mut [CommitmentRow], reference: &str) -> Option<&'r mut CommitmentRow> {
    let place = rows.binary_search_by(|row| row.reference.as_str().cmp(reference)).ok()?;
    rows.get_mut(place)
}
