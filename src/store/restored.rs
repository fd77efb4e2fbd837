//! A store that was put back from a backup: it does not know what was sent after that backup was made, so it is on hold
//! until an operator decides.

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::SqliteConnection;

use super::journal::{self, Subject, instant};
use super::memory::write_rule_steps;
use super::outbox::{give_back, write_off};
use super::{Error, Stamp, Store};
use crate::domain::rule::RuleStep;

const HOLD: &str = "
    INSERT INTO meta (key, value) VALUES ('restored_at', $1) ON CONFLICT (key) DO NOTHING";

const SINCE: &str = "SELECT value FROM meta WHERE key = 'restored_at'";

const END: &str = "DELETE FROM meta WHERE key = 'restored_at'";

/// What senders have left beside the store stays true, and the store is healthy once it has caught up.
const CATCH_UP: &str = "
    INSERT INTO meta (key, value) VALUES ('generation', $1)
    ON CONFLICT (key) DO UPDATE SET value = max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))";

/// Why a store sends nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnHold {
    /// Since when; `None` while no sender has begun since it was restored.
    pub since: Option<DateTime<Utc>>,
}

/// What is to become of all that the store may have sent without knowing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amends<'a> {
    /// It goes out, perhaps for the second time: the latest step of each window.
    Send,
    /// It counts as sent: these are the rules' steps with their birthdays, before which all is history.
    CountAsSent(&'a [RuleStep]),
}

impl Store {
    /// Looks whether the store was restored; if so, it is on hold from now on. For a sender, before it sends anything.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn look_back(&self, stamp: &Stamp) -> Result<Option<OnHold>, Error> {
        if let Some(generation) = self.lost_generation().await? {
            let mut unit = self.write().await?;
            hold(&mut unit, generation, stamp).await?;
            unit.commit().await?;
        }
        self.on_hold().await
    }

    /// Puts the store on hold as if it had been noticed to be restored; answers with whether it was not so before.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn hold_restored(&self, stamp: &Stamp) -> Result<bool, Error> {
        let lost = self.lost_generation().await?.unwrap_or_default();
        let mut unit = self.write().await?;
        let is_new = hold(&mut unit, lost, stamp).await?;
        unit.commit().await?;
        Ok(is_new)
    }

    /// Whether nothing is to be sent, because the store was restored.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn on_hold(&self) -> Result<Option<OnHold>, Error> {
        let mut unit = self.read_once().await?;
        let since: Option<String> = sqlx::query_scalar(SINCE).fetch_optional(&mut *unit).await?;
        unit.keep();
        let Some(since) = since else {
            return Ok(self.lost_generation().await?.map(|_| OnHold { since: None }));
        };
        let since = since.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        Ok(Some(OnHold { since: Some(since) }))
    }

    /// Ends the hold. Messages that were not sent yet when the backup was made are written off, or, where they have
    /// provably not left, given back to be planned anew; answers with how many.
    ///
    /// # Errors
    /// [`Error::Refused`] when the store is not on hold.
    pub async fn release_restored(
        &self,
        amends: Amends<'_>,
        stamp: &Stamp,
    ) -> Result<usize, Error> {
        let Some(OnHold { since }) = self.on_hold().await? else {
            let text = "the store is not on hold: it is not behind what was sent from it";
            return Err(Error::Refused(text.to_owned()));
        };
        let (since, lost) = (since.unwrap_or(stamp.at), self.lost_generation().await?);
        let mut unit = self.write().await?;
        let messages = match amends {
            Amends::Send => give_back(&mut unit, since, stamp).await?,
            Amends::CountAsSent(steps) => {
                write_rule_steps(&mut unit, steps).await?;
                write_off(&mut unit, since, stamp).await?
            }
        };
        sqlx::query(CATCH_UP)
            .bind(lost.unwrap_or_default().to_string())
            .execute(&mut *unit)
            .await?;
        sqlx::query(END).execute(&mut *unit).await?;
        let as_sent = matches!(amends, Amends::CountAsSent(_));
        let detail = json!({ "restored_at": instant(since), "as_sent": as_sent });
        journal::record(&mut unit, stamp, "released", &[Subject::store().detail(detail)]).await?;
        unit.commit().await?;
        Ok(messages)
    }
}

async fn hold(unit: &mut SqliteConnection, lost: i64, stamp: &Stamp) -> Result<bool, Error> {
    if lost > 0 {
        sqlx::query(END).execute(&mut *unit).await?;
    }
    let made = sqlx::query(HOLD).bind(instant(stamp.at)).execute(&mut *unit).await?;
    sqlx::query(CATCH_UP).bind(lost.to_string()).execute(&mut *unit).await?;
    let is_new = made.rows_affected() > 0;
    if is_new {
        let detail = json!({ "generation": lost });
        let subject = Subject::store().detail(detail);
        journal::record(unit, stamp, "restored", &[subject]).await?;
    }
    Ok(is_new)
}
