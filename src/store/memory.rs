//! What the worker remembers beside the book: birthdays of rules, firings, a few values by name.

use chrono::{NaiveDate, NaiveDateTime};
use serde::Serialize;
use sqlx::SqliteConnection;

use super::batch::{Printed, batch};
use super::passes::LOOK_AGAIN;
use super::{Error, Store};
use crate::domain::rule::RuleStep;

const RULE_STEPS: &str = "SELECT kind, step, days, since FROM rule_steps ORDER BY kind, step, days";

const FORGET_RULE_STEPS: &str = "DELETE FROM rule_steps";

const ADD_RULE_STEPS: &str = "
    INSERT INTO rule_steps (kind, step, days, since)
    SELECT value ->> 'kind', value ->> 'step', value ->> 'days', value ->> 'since'
      FROM json_each($1)";

const LAST_WALL: &str = "SELECT wall FROM firings WHERE schedule = $1";

const RECORD_FIRING: &str = "
    INSERT INTO firings (schedule, wall) VALUES ($1, $2)
        ON CONFLICT (schedule) DO UPDATE SET wall = excluded.wall";

const META: &str = "SELECT value FROM meta WHERE key = $1";

const SET_META: &str = "
    INSERT INTO meta (key, value) VALUES ($1, $2)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value";

/// Wall-clock time as the store keeps it.
const WALL_FORMAT: &str = "%Y-%m-%dT%H:%M:%S";

/// The name of what tells this store from any other.
pub(super) const INSTANCE: &str = "instance";

#[derive(Serialize)]
struct RuleStepRow<'a> {
    kind: &'a str,
    step: String,
    days: u32,
    since: Option<Printed<NaiveDate>>,
}

/// What the worker does by the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timetable {
    /// Sends reminders.
    Reminders,
    /// Sends the report.
    Report,
}

impl Timetable {
    /// The name in the store: `reminders`, `report`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reminders => "reminders",
            Self::Report => "report",
        }
    }
}

impl Store {
    /// Since when each step of each kind has been in force.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn rule_steps(&self) -> Result<Vec<RuleStep>, Error> {
        type Row = (String, String, u32, Option<String>);

        let mut unit = self.read_once().await?;
        let rows: Vec<Row> = sqlx::query_as(RULE_STEPS).fetch_all(&mut *unit).await?;
        unit.keep();
        // A step that cannot be read is one that these rules do not name.
        let step = |(kind, step, days, since): Row| {
            let since = since.as_deref().map(str::parse).transpose().ok()?;
            Some(RuleStep { kind, step: step.parse().ok()?, days, since })
        };
        Ok(rows.into_iter().filter_map(step).collect())
    }

    /// Keeps these steps and no others, and has the whole book looked at again.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn replace_rule_steps(&self, steps: &[RuleStep]) -> Result<(), Error> {
        let mut unit = self.write().await?;
        write_rule_steps(&mut unit, steps).await?;
        unit.commit().await
    }

    /// The wall-clock time at which a schedule last fired; `None` when it never did.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn last_wall(&self, timetable: Timetable) -> Result<Option<NaiveDateTime>, Error> {
        let mut unit = self.read_once().await?;
        let wall: Option<String> =
            sqlx::query_scalar(LAST_WALL).bind(timetable.name()).fetch_optional(&mut *unit).await?;
        unit.keep();
        let read = |wall: String| {
            NaiveDateTime::parse_from_str(&wall, WALL_FORMAT)
                .map_err(|error| sqlx::Error::Decode(Box::new(error)).into())
        };
        wall.map(read).transpose()
    }

    /// Records that a schedule fired.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn record_firing(
        &self,
        timetable: Timetable,
        wall: NaiveDateTime,
    ) -> Result<(), Error> {
        let mut unit = self.write().await?;
        sqlx::query(RECORD_FIRING)
            .bind(timetable.name())
            .bind(wall.format(WALL_FORMAT).to_string())
            .execute(&mut *unit)
            .await?;
        unit.commit().await
    }

    /// A text that tells this store from any other, made with it: Message-IDs hold it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn instance(&self) -> Result<String, Error> {
        Ok(self.meta(INSTANCE).await?.unwrap_or_default())
    }

    /// A value kept under a name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn meta(&self, key: &str) -> Result<Option<String>, Error> {
        let mut unit = self.read_once().await?;
        let value = sqlx::query_scalar(META).bind(key).fetch_optional(&mut *unit).await?;
        unit.keep();
        Ok(value)
    }

    /// Keeps a value under a name.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn set_meta(&self, key: &str, value: &str) -> Result<(), Error> {
        let mut unit = self.write().await?;
        sqlx::query(SET_META).bind(key).bind(value).execute(&mut *unit).await?;
        unit.commit().await
    }
}

/// As [`Store::replace_rule_steps`], within another unit of work.
pub(super) async fn write_rule_steps(
    unit: &mut SqliteConnection,
    steps: &[RuleStep],
) -> Result<(), Error> {
    let rows: Vec<RuleStepRow<'_>> = steps
        .iter()
        .map(|RuleStep { kind, step, days, since }| RuleStepRow {
            kind,
            step: step.to_string(),
            days: *days,
            since: since.map(Printed),
        })
        .collect();
    sqlx::query(FORGET_RULE_STEPS).execute(&mut *unit).await?;
    batch(unit, ADD_RULE_STEPS, &rows, &[]).await?;
    sqlx::query(LOOK_AGAIN).execute(unit).await?;
    Ok(())
}
