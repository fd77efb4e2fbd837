//! What a pass of the worker leaves in the book: hand-overs, where to look next, occurrences of recurrences.

use chrono::{NaiveDate, TimeDelta};
use serde::Deserialize;
use serde_json::json;
use sqlx::FromRow;

use super::batch::Printed;
use super::book::{self, Which};
use super::changes::{CloseRow, ClosedAs, cancel_groundless, close_windows};
use super::edited::{Deed, Edited};
use super::journal::{Subject, record};
use super::outbox::{instant, withdraw_changed};
use super::row::Parsed;
use super::{Error, Stamp, Store};
use crate::delivery::state::DELAY_SECONDS_MAX;
use crate::domain::commitment::Responsible;
use crate::domain::window::Window;
use crate::telemetry;

const HAND_OVER: &str = "
    DELETE FROM responsibilities WHERE until <= $1 RETURNING commitment, leader, until";

/// Some perhaps twice: to tell them apart, SQLite would walk the table and not the index.
const DUE_HAND_OVERS: &str = "
    SELECT commitment FROM responsibilities WHERE until <= $1";

const FORGET_FREED: &str = "DELETE FROM meta WHERE key = 'freed'";

const FREED: &str = "SELECT EXISTS (SELECT 1 FROM meta WHERE key = 'freed')";

/// A wait that ends later than any we make comes from a clock that has been set back since.
const WAIT_NO_LONGER: &str = "
    UPDATE messages SET next_at = NULL
     WHERE state IN ('ready', 'open', 'body', 'deferred', 'unknown', 'held') AND next_at > $1";

/// What was never looked at is near when it may open by `$2`. Some at a time: what a statement changes, SQLite holds in
/// memory until it is through.
const LOOK: &str = "
    UPDATE agenda SET look_on = $1
     WHERE commitment IN (SELECT commitment FROM agenda
                           WHERE look_on IS NULL AND opens <= $2 LIMIT $3)";

const LOOK_PAGE: u32 = 1_000;

/// In the order of the index.
const NEAR: &str = "
    SELECT json_group_array(json_array(look_on, commitment)) FROM (
        SELECT look_on, commitment FROM agenda
         WHERE look_on <= $1 AND (look_on, commitment) > ($2, $3)
         ORDER BY look_on, commitment LIMIT $4)";

/// What a pass on that day will look at.
const NEARBY: &str = "
    SELECT json_group_array(commitment) FROM (
        SELECT commitment FROM agenda WHERE look_on <= $1
         UNION ALL
        SELECT commitment FROM agenda WHERE look_on IS NULL AND opens <= $2)";

const WITHIN_REACH: &str = "
    SELECT json_group_array(commitment) FROM agenda WHERE opens <= $1";

/// Every open commitment is looked at in the next pass.
pub(super) const LOOK_AGAIN: &str = "
    UPDATE agenda SET look_on = NULL WHERE look_on IS NOT NULL";

/// Makes an occurrence once only, and only while the deadline is still the one it follows from.
const ADD_OCCURRENCE: &str = "
    INSERT INTO windows (commitment, revision, number, opens, due, made_on)
    SELECT c.reference, c.revision,
           1 + coalesce((SELECT max(number) FROM windows
                          WHERE commitment = c.reference AND revision = c.revision), 0),
           $3, $4, $5
      FROM commitments c
     WHERE c.reference = $1 AND c.revision = $2 AND c.status = 'open'
       AND NOT EXISTS (SELECT 1 FROM windows
                        WHERE commitment = c.reference AND revision = c.revision AND opens = $3)";

/// An open commitment about which there may be something to say, and its place among all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Near {
    look_on: String,
    /// Reference of the commitment.
    pub reference: String,
}

/// An occurrence of a recurrence to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// Reference of the commitment.
    pub commitment: String,
    /// The revision it follows from; when the deadline has changed since, nothing is added.
    pub revision: u32,
    /// Its days.
    pub window: Window,
    /// Its steps before that day are history.
    pub made_on: NaiveDate,
}

/// A window to close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedWindow {
    /// Reference of the commitment.
    pub commitment: String,
    /// The revision it belongs to.
    pub revision: u32,
    /// Its number.
    pub number: u32,
    /// The day it ended.
    pub on: NaiveDate,
    /// How it ended.
    pub closed_as: ClosedAs,
}

impl Store {
    /// Begins a pass: what is unsent about commitments that others than us changed is taken back, no message waits longer
    /// than any wait is, hand-overs whose day has come take place, and what is open, was never looked at and has a window
    /// that opens by the day `reach` counts as looked at on the day of the stamp. Commit it, then read the book near that
    /// day.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn begin_pass(&self, stamp: &Stamp, reach: NaiveDate) -> Result<Edited<'_>, Error> {
        let today = stamp.day.to_string();
        let mut unit = self.write().await?;
        telemetry::withdrawn(withdraw_changed(&mut unit, stamp.at).await?);
        sqlx::query(FORGET_FREED).execute(&mut *unit).await?;
        let latest = stamp.at + TimeDelta::seconds(DELAY_SECONDS_MAX);
        sqlx::query(WAIT_NO_LONGER).bind(instant(latest)).execute(&mut *unit).await?;
        let look = || sqlx::query(LOOK).bind(&today).bind(reach.to_string()).bind(LOOK_PAGE);
        while look().execute(&mut *unit).await?.rows_affected() == u64::from(LOOK_PAGE) {}
        let due: Vec<String> =
            sqlx::query_scalar(DUE_HAND_OVERS).bind(&today).fetch_all(&mut *unit).await?;
        let due: Vec<&str> = due.iter().map(String::as_str).collect();
        let (mut before, _) = book::load(&mut unit, Which::These(&due)).await?;
        let ended: Vec<EndedDuty> =
            sqlx::query_as(HAND_OVER).bind(&today).fetch_all(&mut *unit).await?;
        let subjects: Vec<Subject<'_>> = ended
            .iter()
            .map(|duty| Subject::commitment(&duty.commitment).about(&duty.leader))
            .collect();
        record(&mut unit, stamp, Deed::HandedOver.name(), &subjects).await?;
        for commitment in &mut before {
            let (reference, responsible) = (&commitment.reference, &mut commitment.responsible);
            responsible.retain(|one| !ended.iter().any(|duty| duty.passed_to(reference, one)));
        }
        Edited::new(unit, stamp, Deed::HandedOver, before).await
    }

    /// The open commitments about which there may be something to say by `day` (`look_on`): the next ones after `place`,
    /// at most `most`. [`Near::default`] comes before all.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn near(
        &self,
        day: NaiveDate,
        place: &Near,
        most: usize,
    ) -> Result<Vec<Near>, Error> {
        let mut unit = self.read_once().await?;
        let near: Parsed<Near> = sqlx::query_as(NEAR)
            .bind(day.to_string())
            .bind(&place.look_on)
            .bind(&place.reference)
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .fetch_one(&mut *unit)
            .await?;
        unit.keep();
        near.ours("commitments in the agenda")
    }

    /// References of all open commitments that a pass on `day` will look at, those included that were never looked at and
    /// have a window that opens by the day `reach`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn nearby(&self, day: NaiveDate, reach: NaiveDate) -> Result<Vec<String>, Error> {
        let mut unit = self.read_once().await?;
        let nearby: Parsed<String> = sqlx::query_as(NEARBY)
            .bind(day.to_string())
            .bind(reach.to_string())
            .fetch_one(&mut *unit)
            .await?;
        unit.keep();
        nearby.ours("commitments in the agenda")
    }

    /// References of all open commitments that have a window that opens by the day `reach`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn within_reach(&self, reach: NaiveDate) -> Result<Vec<String>, Error> {
        let mut unit = self.read_once().await?;
        let within: Parsed<String> =
            sqlx::query_as(WITHIN_REACH).bind(reach.to_string()).fetch_one(&mut *unit).await?;
        unit.keep();
        within.ours("commitments in the agenda")
    }

    /// Whether a message was taken back since the last [`Self::begin_pass`], and left reminders that are to go in another.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn has_freed(&self) -> Result<bool, Error> {
        let mut unit = self.read_once().await?;
        let freed = sqlx::query_scalar(FREED).fetch_one(&mut *unit).await?;
        unit.keep();
        Ok(freed)
    }

    /// Has every open commitment looked at in the next pass: rules or calendar have changed.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn clear_look_on(&self) -> Result<(), Error> {
        let mut unit = self.write().await?;
        sqlx::query(LOOK_AGAIN).execute(&mut *unit).await?;
        unit.commit().await
    }

    /// Rolls recurrences on: closes windows and makes occurrences, as the planner says. Doing so twice is doing so once.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn roll(
        &self,
        made: &[Occurrence],
        closed: &[ClosedWindow],
        stamp: &Stamp,
    ) -> Result<(), Error> {
        if made.is_empty() && closed.is_empty() {
            return Ok(());
        }
        let rows: Vec<CloseRow<'_>> = closed.iter().map(ClosedWindow::row).collect();
        let mut touched: Vec<&str> = closed.iter().map(|one| one.commitment.as_str()).collect();
        touched.dedup();
        let mut unit = self.write().await?;
        close_windows(&mut unit, &rows).await?;
        for one in made {
            sqlx::query(ADD_OCCURRENCE)
                .bind(&one.commitment)
                .bind(one.revision)
                .bind(one.window.opens.to_string())
                .bind(one.window.due.map(|due| due.to_string()))
                .bind(one.made_on.to_string())
                .execute(&mut *unit)
                .await?;
        }
        cancel_groundless(&mut unit, &touched).await?;
        record(
            &mut unit,
            stamp,
            "closed",
            &closed.iter().map(ClosedWindow::subject).collect::<Vec<_>>(),
        )
        .await?;
        unit.commit().await
    }
}

/// The duty of a leader, up to the day on which others took it over.
#[derive(FromRow)]
struct EndedDuty {
    commitment: String,
    leader: String,
    until: String,
}

impl EndedDuty {
    /// Whether that leader answers for it instead: from the very day on, and not before.
    fn passed_to(&self, commitment: &str, responsible: &Responsible) -> bool {
        self.commitment == commitment
            && self.leader != responsible.leader
            && responsible.since.is_some_and(|since| since.to_string() == self.until)
    }
}

impl ClosedWindow {
    fn row(&self) -> CloseRow<'_> {
        CloseRow {
            commitment: &self.commitment,
            revision: self.revision,
            number: self.number,
            on: Printed(self.on),
            closed_as: self.closed_as,
        }
    }

    fn subject(&self) -> Subject<'_> {
        Subject::commitment(&self.commitment)
            .detail(json!({ "window": self.number, "as": self.closed_as }))
    }
}
