//! What people do to commitments: done, reopen, cancel, confirm, postpone.
//!
//! Each edit leaves an event and waits to be made final with the notices it causes ([`Edited::commit`]). What is
//! already so is left alone and not among its changes.

use std::collections::BTreeSet;

use serde_json::json;
use sqlx::SqliteConnection;

use super::batch::{Printed, json_list};
use super::book::{self, Which};
use super::changes::{
    CloseRow, ClosedAs, DeadlineRow, StatusRow, WindowRow, add_windows, close_windows,
    set_deadlines, set_status,
};
use super::edited::{Deed, Edited, finish};
use super::{Error, Stamp, Store};
use crate::domain::commitment::{BookWindow, Commitment, Status};
use crate::domain::window::{Confidence, Window};

/// Takes back the last `done`: one day may have closed several windows.
const REOPEN_WINDOWS: &str = "
    UPDATE windows SET closed_on = NULL, closed_as = NULL
      FROM commitments c
     WHERE c.reference IN (SELECT value FROM json_each($1))
       AND windows.commitment = c.reference AND windows.revision = c.revision
       AND windows.closed_as = 'done'
       AND windows.closed_on = (
           SELECT max(w.closed_on) FROM windows w
            WHERE w.commitment = c.reference AND w.revision = c.revision AND w.closed_as = 'done')
    RETURNING commitment";

/// Snoozes of the windows that a new revision takes over unchanged.
const KEEP_SNOOZES: &str = "
    INSERT INTO snoozes (commitment, revision, window, leader, until, made_on)
    SELECT commitment, revision + 1, window, leader, until, made_on FROM snoozes
     WHERE commitment = $1 AND revision = $2 AND window <> $3
       AND window IN (SELECT number FROM windows WHERE commitment = $1 AND revision = $2 + 1)";

/// Reminders about those windows: what was sent stays sent. Those that have not left are withdrawn by the commit of the
/// edit, and planned anew.
const KEEP_REMINDERS: &str = "
    UPDATE reminders SET revision = revision + 1
     WHERE commitment = $1 AND revision = $2 AND window <> $3
       AND window IN (SELECT number FROM windows WHERE commitment = $1 AND revision = $2 + 1)";

impl Store {
    /// Ends the earliest open window of each commitment, or with `all` the whole commitment. It is done when no window
    /// is left; one that comes again goes on with its next occurrence.
    ///
    /// # Errors
    /// [`Error::Unknown`]; [`Error::Refused`] when a recurrence has no occurrence to end.
    pub async fn done(
        &self,
        references: &[&str],
        all: bool,
        stamp: &Stamp,
    ) -> Result<Edited<'_>, Error> {
        let mut unit = self.write().await?;
        let book = named(&mut unit, references).await?;
        let (mut closed, mut over, mut touched) = (Vec::new(), Vec::new(), Vec::new());
        for commitment in book.iter().filter(|one| is_alive(one)) {
            let mut open: Vec<&BookWindow> = open_windows(commitment).collect();
            let earliest = commitment.earliest_open();
            let comes_again = commitment.recurrence.is_some() && !all;
            if open.is_empty() && comes_again {
                return Err(Error::Refused(format!(
                    "{} has no occurrence to end now; --all ends it for good",
                    commitment.reference
                )));
            }
            if !comes_again && (all || open.len() <= 1) {
                over.push(StatusRow::new(commitment, Status::Done));
            } else {
                open = earliest.into_iter().collect();
            }
            let numbers: Vec<u32> = open.iter().map(|window| window.number).collect();
            touched.push((commitment, json!({ "windows": numbers })));
            closed.extend(numbers.into_iter().map(|number| CloseRow {
                commitment: &commitment.reference,
                revision: commitment.revision,
                number,
                on: Printed(stamp.day),
                closed_as: ClosedAs::Done,
            }));
        }
        close_windows(&mut unit, &closed).await?;
        set_status(&mut unit, &over).await?;
        finish(unit, stamp, Deed::Done, touched).await
    }

    /// Takes back the last `done` of each commitment, or that it was cancelled. Steps before today are history. What
    /// waited to be confirmed waits again.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub async fn reopen(&self, references: &[&str], stamp: &Stamp) -> Result<Edited<'_>, Error> {
        let mut unit = self.write().await?;
        let book = named(&mut unit, references).await?;
        let closed: Vec<&str> = book
            .iter()
            .filter(|one| one.status != Status::Cancelled || open_windows(one).next().is_none())
            .map(|one| one.reference.as_str())
            .collect();
        let reopened: BTreeSet<String> = sqlx::query_scalar(REOPEN_WINDOWS)
            .bind(json_list(&closed)?)
            .fetch_all(&mut *unit)
            .await?
            .into_iter()
            .collect();
        let (mut statuses, mut touched) = (Vec::new(), Vec::new());
        for commitment in &book {
            if is_alive(commitment) && !reopened.contains(&commitment.reference) {
                continue;
            }
            let is_sure = commitment.confidence.is_none_or(Confidence::is_certain);
            let status = match commitment.status {
                Status::NeedsDate => Status::NeedsDate,
                _ if commitment.windows.is_empty() || !is_sure => Status::NeedsDate,
                _ => Status::Open,
            };
            statuses.push(StatusRow::new(commitment, status).entering(stamp.day));
            touched.push((commitment, json!({ "was": commitment.status.name() })));
        }
        set_status(&mut unit, &statuses).await?;
        finish(unit, stamp, Deed::Reopened, touched).await
    }

    /// Gives commitments up.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub async fn cancel(&self, references: &[&str], stamp: &Stamp) -> Result<Edited<'_>, Error> {
        let mut unit = self.write().await?;
        let book = named(&mut unit, references).await?;
        let alive: Vec<&Commitment> = book.iter().filter(|one| is_alive(one)).collect();
        let statuses: Vec<StatusRow<'_>> =
            alive.iter().map(|one| StatusRow::new(one, Status::Cancelled)).collect();
        set_status(&mut unit, &statuses).await?;
        let touched =
            alive.into_iter().map(|one| (one, json!({ "was": one.status.name() }))).collect();
        finish(unit, stamp, Deed::Cancelled, touched).await
    }

    /// Trusts the dates that were read. A bare interval gets its next window after today.
    ///
    /// # Errors
    /// [`Error::Unknown`]; [`Error::Refused`] when there is no date to trust, or the commitment is closed.
    pub async fn confirm(&self, references: &[&str], stamp: &Stamp) -> Result<Edited<'_>, Error> {
        let mut unit = self.write().await?;
        let book = named(&mut unit, references).await?;
        let (mut statuses, mut windows, mut touched) = (Vec::new(), Vec::new(), Vec::new());
        for commitment in book.iter().filter(|one| one.status != Status::Open) {
            refuse_closed(commitment)?;
            if commitment.windows.is_empty() {
                windows.push(first_occurrence(commitment, stamp)?);
            }
            statuses.push(StatusRow::new(commitment, Status::Open).confident());
            touched.push((commitment, json!({})));
        }
        add_windows(&windows).run(&mut unit).await?;
        set_status(&mut unit, &statuses).await?;
        finish(unit, stamp, Deed::Confirmed, touched).await
    }

    /// Gives the earliest open window a new deadline, in a new revision that takes the other open windows over with what
    /// was sent about them. The window still opens on the day it did, when that is before the new deadline, else on its day. A commitment
    /// that had no window gets `deadline` as it is. `phrase` is the deadline as written, if it was not a date.
    ///
    /// # Errors
    /// [`Error::Unknown`]; [`Error::Refused`] when the commitment is closed.
    pub async fn postpone(
        &self,
        reference: &str,
        deadline: Window,
        phrase: Option<&str>,
        reason: &str,
        stamp: &Stamp,
    ) -> Result<Edited<'_>, Error> {
        let mut unit = self.write().await?;
        let commitment = one(&mut unit, reference).await?;
        refuse_closed(&commitment)?;
        let old = commitment.earliest_open();
        let new = BookWindow {
            number: old.map_or(1, |old| old.number),
            window: old.map_or(deadline, |old| moved(old.window, deadline)),
            made_on: Some(stamp.day),
            closed_on: None,
        };
        let others = || open_windows(&commitment).filter(|window| window.number != new.number);
        let revision = commitment.revision + 1;
        let rows: Vec<WindowRow<'_>> = [&new]
            .into_iter()
            .chain(others())
            .map(|window| WindowRow::of(reference, revision, window))
            .collect();
        // What is still to be said about the other windows is no history yet.
        let entered_on = others().next().map_or(stamp.day, |_| commitment.adoption);
        let day = deadline.due.unwrap_or(deadline.opens).to_string();
        let row = DeadlineRow {
            phrase: Some(phrase.unwrap_or(&day)),
            ..DeadlineRow::given(reference, revision, Status::Open, entered_on)
        };
        let row = row.confident(Confidence::High).recurring(commitment.recurrence.as_ref());
        set_deadlines(&mut unit, &[row], add_windows(&rows)).await?;
        for keep in [KEEP_SNOOZES, KEEP_REMINDERS] {
            sqlx::query(keep)
                .bind(reference)
                .bind(commitment.revision)
                .bind(new.number)
                .execute(&mut *unit)
                .await?;
        }
        let from = old.map(|old| old.window.to_string());
        let detail = json!({ "from": from, "to": deadline.to_string(), "reason": reason });
        let deed = Deed::Postponed { reason: reason.to_owned() };
        finish(unit, stamp, deed, vec![(&commitment, detail)]).await
    }
}

/// The new days of a window that had those of `old`.
fn moved(old: Window, deadline: Window) -> Window {
    match deadline.due {
        Some(due) => Window::span(old.opens.min(due), due),
        None => deadline,
    }
}

fn first_occurrence<'a>(commitment: &'a Commitment, stamp: &Stamp) -> Result<WindowRow<'a>, Error> {
    let window = commitment
        .recurrence
        .as_ref()
        .and_then(|rule| rule.window_after(commitment.reference_date, stamp.day))
        .ok_or_else(|| {
            Error::Refused(format!(
                "{0} has no date to confirm; give it one with `advis postpone {0} --to DATE`",
                commitment.reference
            ))
        })?;
    let window = BookWindow { number: 1, window, made_on: Some(stamp.day), closed_on: None };
    Ok(WindowRow::of(&commitment.reference, commitment.revision, &window))
}

/// The commitments with these references, each once.
pub(super) async fn named(
    unit: &mut SqliteConnection,
    references: &[&str],
) -> Result<Vec<Commitment>, Error> {
    let (book, problems) = book::load(unit, Which::These(references)).await?;
    let is_read = |reference: &str| book.iter().any(|one| one.reference == reference);
    if let Some(problem) = problems.into_iter().find(|one| !is_read(&one.reference)) {
        let text = format!("{} cannot be read: {}", problem.reference, problem.what);
        return Err(Error::Refused(text));
    }
    let known: BTreeSet<&str> = book.iter().map(|one| one.reference.as_str()).collect();
    refuse_unknown(references.iter().copied().filter(|one| !known.contains(one)))?;
    Ok(book)
}

/// The commitment with that reference.
pub(super) async fn one(unit: &mut SqliteConnection, reference: &str) -> Result<Commitment, Error> {
    let unknown = || Error::Unknown { what: vec![reference.to_owned()] };
    named(unit, &[reference]).await?.pop().ok_or_else(unknown)
}

/// Refuses when there is any unknown reference.
pub(super) fn refuse_unknown<'a>(unknown: impl Iterator<Item = &'a str>) -> Result<(), Error> {
    let what: Vec<String> = unknown.map(str::to_owned).collect();
    if what.is_empty() { Ok(()) } else { Err(Error::Unknown { what }) }
}

/// Refuses a commitment that is done or cancelled.
pub(super) fn refuse_closed(commitment: &Commitment) -> Result<(), Error> {
    if is_alive(commitment) {
        return Ok(());
    }
    let (reference, status) = (&commitment.reference, commitment.status.name());
    Err(Error::Refused(format!("{reference} is {status}; `advis reopen {reference}` comes first")))
}

/// Whether the commitment is still to be met.
pub(super) fn is_alive(commitment: &Commitment) -> bool {
    matches!(commitment.status, Status::Open | Status::NeedsDate)
}

/// The open windows, in the order of time.
pub(super) fn open_windows(commitment: &Commitment) -> impl Iterator<Item = &BookWindow> {
    commitment.windows.iter().filter(|window| window.closed_on.is_none())
}
