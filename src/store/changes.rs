//! The writes that import, edits and reading share. None of them decides; none leaves a transaction.

use chrono::NaiveDate;
use serde::Serialize;
use sqlx::SqliteConnection;

use super::Error;
use super::batch::{Insert, Printed, Row, batch, whole};
use crate::domain::commitment::{BookWindow, Commitment, Status};
use crate::domain::recurrence::Recurrence;
use crate::domain::window::{Confidence, Deadline, Undated, Window};

const SET_STATUS: &str = "
    UPDATE commitments
       SET status = n.value ->> 'status', entered_on = coalesce(n.value ->> 'entered_on', entered_on),
           confidence = coalesce(n.value ->> 'confidence', confidence)
      FROM json_each($1) AS n
     WHERE reference = n.value ->> 'reference'";

const SET_DEADLINE: &str = "
    UPDATE commitments
       SET phrase = coalesce(n.value ->> 'phrase', phrase),
           revision = n.value ->> 'revision',
           status = n.value ->> 'status',
           confidence = n.value ->> 'confidence',
           undated = n.value ->> 'undated',
           problem = n.value ->> 'problem',
           rrule = n.value ->> 'rrule',
           span = n.value ->> 'span',
           entered_on = n.value ->> 'entered_on',
           adopted_on = coalesce(adopted_on, n.value ->> 'entered_on'),
           reference_date = coalesce(reference_date, document_date, adopted_on,
                                     n.value ->> 'entered_on')
      FROM json_each($1) AS n
     WHERE reference = n.value ->> 'reference'";

const CLOSE_WINDOWS: &str = "
    UPDATE windows
       SET closed_on = n.value ->> 'on', closed_as = n.value ->> 'as'
      FROM json_each($1) AS n
     WHERE commitment = n.value ->> 'commitment' AND revision = n.value ->> 'revision'
       AND number = n.value ->> 'number' AND closed_on IS NULL";

const REMOVE_RESPONSIBLE: &str = "
    DELETE FROM responsibilities
     WHERE commitment IN (SELECT value ->> 0 FROM json_each($1))
       AND (commitment, leader) NOT IN (SELECT value ->> 0, value ->> 1 FROM json_each($1))";

/// Planned reminders that have lost their ground: the commitment is not open, its deadline is another, the window is
/// closed, or the leader is no longer responsible.
const CANCEL_GROUNDLESS: &str = "
    UPDATE reminders SET state = 'cancelled'
     WHERE state = 'planned' AND commitment IN (SELECT value FROM json_each($1))
       AND NOT EXISTS (
           SELECT 1 FROM commitments c
             JOIN windows w ON w.commitment = c.reference AND w.revision = c.revision
             JOIN responsibilities r ON r.commitment = c.reference
            WHERE c.reference = reminders.commitment AND c.status = 'open'
              AND c.revision = reminders.revision
              AND w.number = reminders.window AND w.closed_on IS NULL
              AND r.leader = reminders.leader)";

/// How a window ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedAs {
    /// What was promised is done.
    Done,
    /// The next occurrence of a recurrence opened before anybody said so.
    NotAnswered,
}

/// A new status; with `entered_on`, steps before that day become history, with `confidence`, the reading is as sure.
#[derive(Serialize)]
pub(super) struct StatusRow<'a> {
    pub(super) reference: &'a str,
    pub(super) status: &'static str,
    pub(super) entered_on: Option<Printed<NaiveDate>>,
    pub(super) confidence: Option<&'static str>,
}

impl<'a> StatusRow<'a> {
    pub(super) fn new(commitment: &'a Commitment, status: Status) -> Self {
        let (reference, status) = (commitment.reference.as_str(), status.name());
        Self { reference, status, entered_on: None, confidence: None }
    }

    pub(super) fn entering(self, day: NaiveDate) -> Self {
        Self { entered_on: Some(Printed(day)), ..self }
    }

    /// With a reading that somebody confirmed.
    pub(super) fn confident(self) -> Self {
        Self { confidence: Some(Confidence::High.name()), ..self }
    }
}

/// What is now known about a deadline. A phrase that is `None` stays as it is.
#[derive(Serialize)]
pub(super) struct DeadlineRow<'a> {
    pub(super) reference: &'a str,
    pub(super) revision: u32,
    pub(super) entered_on: Printed<NaiveDate>,
    pub(super) status: &'static str,
    pub(super) phrase: Option<&'a str>,
    pub(super) confidence: Option<&'static str>,
    pub(super) undated: Option<String>,
    pub(super) problem: Option<&'a str>,
    pub(super) rrule: Option<String>,
    pub(super) span: Option<String>,
}

impl<'a> DeadlineRow<'a> {
    /// A deadline whose days are given, not read; steps before `entered_on` are history.
    pub(super) fn given(
        reference: &'a str,
        revision: u32,
        status: Status,
        entered_on: NaiveDate,
    ) -> Self {
        Self {
            reference,
            revision,
            entered_on: Printed(entered_on),
            status: status.name(),
            phrase: None,
            confidence: None,
            undated: None,
            problem: None,
            rrule: None,
            span: None,
        }
    }

    /// With what a phrase was read as.
    pub(super) fn read(self, reading: Result<&Deadline, Undated>) -> Self {
        match reading {
            Ok(deadline) => Self { confidence: Some(deadline.confidence.name()), ..self }
                .recurring(deadline.recurrence.as_ref()),
            Err(undated) => Self { undated: Some(undated.to_string()), ..self },
        }
    }

    pub(super) fn recurring(self, recurrence: Option<&Recurrence>) -> Self {
        Self {
            rrule: recurrence.map(Recurrence::rrule),
            span: recurrence.map(Recurrence::span),
            ..self
        }
    }

    pub(super) fn confident(self, confidence: Confidence) -> Self {
        Self { confidence: Some(confidence.name()), ..self }
    }
}

/// A window to add.
pub(super) struct WindowRow<'a> {
    pub(super) commitment: &'a str,
    pub(super) revision: u32,
    pub(super) number: u32,
    pub(super) window: Window,
    pub(super) made_on: Option<NaiveDate>,
}

impl<'a> WindowRow<'a> {
    pub(super) fn of(commitment: &'a str, revision: u32, window: &BookWindow) -> Self {
        let BookWindow { number, window, made_on, .. } = *window;
        Self { commitment, revision, number, window, made_on }
    }
}

/// The windows of a reading, numbered from 1; those of a recurrence are occurrences, made on `today`.
pub(super) fn window_rows<'a>(
    commitment: &'a str,
    revision: u32,
    deadline: &Deadline,
    today: NaiveDate,
) -> impl Iterator<Item = WindowRow<'a>> {
    let made_on = deadline.recurrence.is_some().then_some(today);
    (1..).zip(&deadline.windows).map(move |(number, window)| {
        let window = BookWindow { number, window: *window, made_on, closed_on: None };
        WindowRow::of(commitment, revision, &window)
    })
}

/// The end of a window.
#[derive(Serialize)]
pub(super) struct CloseRow<'a> {
    pub(super) commitment: &'a str,
    pub(super) revision: u32,
    pub(super) number: u32,
    pub(super) on: Printed<NaiveDate>,
    #[serde(rename = "as")]
    pub(super) closed_as: ClosedAs,
}

/// A leader who answers for a commitment, from `since` on when newly so, and not from `until` on.
pub(super) struct ResponsibleRow<'a> {
    pub(super) commitment: &'a str,
    pub(super) leader: &'a str,
    pub(super) position: i64,
    pub(super) since: Option<NaiveDate>,
    pub(super) until: Option<NaiveDate>,
}

pub(super) async fn set_status(
    unit: &mut SqliteConnection,
    rows: &[StatusRow<'_>],
) -> Result<(), Error> {
    batch(unit, SET_STATUS, rows, &[]).await
}

/// Sets deadlines; `windows` are those of the revisions named.
pub(super) async fn set_deadlines(
    unit: &mut SqliteConnection,
    rows: &[DeadlineRow<'_>],
    windows: Insert,
) -> Result<(), Error> {
    batch(unit, SET_DEADLINE, rows, &[]).await?;
    windows.run(unit).await
}

pub(super) fn add_windows(rows: &[WindowRow<'_>]) -> Insert {
    let head = "INSERT INTO windows (commitment, revision, number, opens, due, made_on) ";
    let bind = |cells: &mut Row<'_>, row: &WindowRow<'_>| {
        let Window { opens, due } = row.window;
        cells.push_bind(row.commitment).push_bind(row.revision).push_bind(row.number);
        cells.push_bind(opens.to_string()).push_bind(day(due)).push_bind(day(row.made_on));
    };
    Insert::new(head, rows, bind, "")
}

pub(super) async fn close_windows(
    unit: &mut SqliteConnection,
    rows: &[CloseRow<'_>],
) -> Result<(), Error> {
    batch(unit, CLOSE_WINDOWS, rows, &[]).await
}

/// Makes these the only responsible of their commitments. Whoever was so before stays so since the same day.
pub(super) async fn replace_responsible(
    unit: &mut SqliteConnection,
    rows: &[ResponsibleRow<'_>],
) -> Result<(), Error> {
    let pairs: Vec<_> = rows.iter().map(|row| (row.commitment, row.leader)).collect();
    whole(unit, REMOVE_RESPONSIBLE, &pairs, &[]).await?;
    add_responsible(rows).run(unit).await
}

pub(super) fn add_responsible(rows: &[ResponsibleRow<'_>]) -> Insert {
    let head = "INSERT INTO responsibilities (commitment, leader, position, since, until) ";
    let tail = " ON CONFLICT (commitment, leader)
                 DO UPDATE SET position = excluded.position, until = excluded.until";
    let bind = |cells: &mut Row<'_>, row: &ResponsibleRow<'_>| {
        cells.push_bind(row.commitment).push_bind(row.leader).push_bind(row.position);
        cells.push_bind(day(row.since)).push_bind(day(row.until));
    };
    Insert::new(head, rows, bind, tail)
}

/// A day as the store keeps it.
pub(super) fn day(day: Option<NaiveDate>) -> Option<String> {
    day.map(|day| day.to_string())
}

/// Cancels the planned reminders of these commitments that have no ground any more.
pub(super) async fn cancel_groundless(
    unit: &mut SqliteConnection,
    commitments: &[impl AsRef<str> + Serialize],
) -> Result<(), Error> {
    batch(unit, CANCEL_GROUNDLESS, commitments, &[]).await
}
