//! A clock that was ahead and has been set back. What was dated in a time to come would hold its commitment back until
//! then; it is dated today instead.

use chrono::NaiveDate;

use super::passes::LOOK_AGAIN;
use super::{Error, Store};

const ACCEPTED: &str = "UPDATE messages SET accepted_on = $1 WHERE accepted_on > $1";

const NOT_ANSWERED: &str = "
    UPDATE windows SET closed_on = NULL, closed_as = NULL
     WHERE closed_on > $1 AND closed_as = 'not_answered'";

const DONE: &str = "UPDATE windows SET closed_on = $1 WHERE closed_on > $1";

/// Occurrences that followed an earlier one too soon; they are made again in their time.
const FORGET_OCCURRENCES: &str = "
    DELETE FROM windows WHERE made_on > $1 AND EXISTS (SELECT 1 FROM windows AS earlier
        WHERE earlier.commitment = windows.commitment AND earlier.revision = windows.revision
          AND earlier.number < windows.number AND earlier.made_on IS NOT NULL)";

/// Another occurrence will have the number of a forgotten one, but what was sent about that does not count for it. What
/// is still unsent is taken back as groundless by the next pass.
const FREE_STEPS: &str = "
    UPDATE reminders SET state = 'cancelled'
     WHERE state = 'attached'
       AND EXISTS (SELECT 1 FROM messages AS m WHERE m.id = reminders.message AND m.state = 'accepted')
       AND EXISTS (SELECT 1 FROM commitments AS c WHERE c.reference = reminders.commitment
           AND c.rrule IS NOT NULL AND c.revision = reminders.revision)
       AND NOT EXISTS (SELECT 1 FROM windows AS w WHERE w.commitment = reminders.commitment
           AND w.revision = reminders.revision AND w.number = reminders.window)";

const MADE: &str = "UPDATE windows SET made_on = $1 WHERE made_on > $1";

const SNOOZED: &str = "UPDATE snoozes SET made_on = $1 WHERE made_on > $1";

const RULED: &str = "UPDATE rule_steps SET since = $1 WHERE since > $1";

const ENTERED: &str = "UPDATE commitments SET entered_on = $1 WHERE entered_on > $1";

impl Store {
    /// Dates `today` what was dated later by a clock that was ahead: deliveries, closings, snoozes, new rules and rows;
    /// unmakes the occurrences of recurrences that were made too soon; has every commitment looked at in the next pass.
    /// The delivery log and the journal keep what they say.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn set_back_to(&self, today: NaiveDate) -> Result<(), Error> {
        let today = today.to_string();
        let mut unit = self.write().await?;
        for statement in [NOT_ANSWERED, FORGET_OCCURRENCES] {
            sqlx::query(statement).bind(&today).execute(&mut *unit).await?;
        }
        sqlx::query(FREE_STEPS).execute(&mut *unit).await?;
        for statement in [ACCEPTED, DONE, MADE, SNOOZED, RULED, ENTERED] {
            sqlx::query(statement).bind(&today).execute(&mut *unit).await?;
        }
        sqlx::query(LOOK_AGAIN).execute(&mut *unit).await?;
        unit.commit().await
    }
}
