//! Deadlines that leaders propose, and the secretariat's answers.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::json;

use super::edited::{Deed, Edited};
use super::journal::instant;
use super::{Error, Stamp, Store};
use crate::domain::window::Window;

/// Those that still fit: the deadline is what it was, and the commitment alive.
const WAITING: &str = "
    SELECT p.id, p.commitment, p.leader, p.opens, p.due, p.phrase, p.reason, p.made_at
      FROM proposals p
      JOIN commitments c ON c.reference = p.commitment AND c.revision = p.revision
     WHERE p.state = 'open' AND c.status IN ('open', 'needs_date')
     ORDER BY p.id";

const WAITING_FOR: &str = "
    SELECT p.id, p.commitment, p.leader, p.opens, p.due, p.phrase, p.reason, p.made_at
      FROM proposals p
      JOIN commitments c ON c.reference = p.commitment AND c.revision = p.revision
     WHERE p.state = 'open' AND c.status IN ('open', 'needs_date') AND p.commitment = $1";

const END: &str = "
    UPDATE proposals SET state = $3, answered_at = $2 WHERE commitment = $1 AND state = 'open'";

const ADD: &str = "
    INSERT INTO proposals (commitment, revision, leader, opens, due, phrase, reason, made_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

/// A deadline that waits for the secretariat's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    id: i64,
    /// Reference of the commitment.
    pub commitment: String,
    /// Reference of the leader who wants it.
    pub leader: String,
    /// The days.
    pub window: Window,
    /// As it was written, if it was no date.
    pub phrase: Option<String>,
    /// Why; may be empty.
    pub reason: String,
    /// When it was made.
    pub made_at: DateTime<Utc>,
}

type Row = (i64, String, String, String, Option<String>, String, String, String);

fn proposal(row: Row) -> Result<Proposal, Error> {
    let (id, commitment, leader, opens, due, phrase, reason, made_at) = row;
    let unreadable = |error| sqlx::Error::Decode(Box::new(error));
    let day = |text: String| text.parse::<NaiveDate>().map_err(unreadable);
    let window = Window { opens: day(opens)?, due: due.map(day).transpose()? };
    let made_at = made_at.parse().map_err(unreadable)?;
    let phrase = Some(phrase).filter(|phrase| !phrase.is_empty());
    Ok(Proposal { id, commitment, leader, window, phrase, reason, made_at })
}

impl Store {
    /// Every proposal that waits for an answer, the oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn proposals(&self) -> Result<Vec<Proposal>, Error> {
        let mut unit = self.read_once().await?;
        let rows: Vec<Row> = sqlx::query_as(WAITING).fetch_all(&mut *unit).await?;
        unit.keep();
        rows.into_iter().map(proposal).collect()
    }

    /// The proposal about a commitment that waits for an answer.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn proposal(&self, reference: &str) -> Result<Option<Proposal>, Error> {
        let mut unit = self.read_once().await?;
        let row: Option<Row> =
            sqlx::query_as(WAITING_FOR).bind(reference).fetch_optional(&mut *unit).await?;
        unit.keep();
        row.map(proposal).transpose()
    }

    /// Proposes a deadline in a leader's name; an earlier one of the same leader is replaced.
    ///
    /// # Errors
    /// [`Error::Unknown`]; [`Error::Refused`] when the commitment is closed, or somebody else's proposal waits.
    pub async fn propose(
        &self,
        reference: &str,
        leader: &str,
        window: Window,
        phrase: Option<&str>,
        reason: &str,
        stamp: &Stamp,
    ) -> Result<Edited<'_>, Error> {
        let detail = json!({ "leader": leader, "to": window.to_string(), "phrase": phrase, "reason": reason });
        let mut edited = self.say(reference, Deed::Proposed, detail, stamp).await?;
        // The edit keeps others from writing, so this stays so until it is final.
        if let Some(other) = self.proposal(reference).await?.filter(|one| one.leader != leader) {
            let text = format!("{} has proposed a deadline for {reference} already", other.leader);
            return Err(Error::Refused(text));
        }
        let revision = edited.touched().first().map_or(1, |one| one.before.revision);
        let at = instant(stamp.at);
        let unit = edited.unit();
        sqlx::query(END).bind(reference).bind(&at).bind("replaced").execute(&mut *unit).await?;
        sqlx::query(ADD)
            .bind(reference)
            .bind(revision)
            .bind(leader)
            .bind(window.opens.to_string())
            .bind(window.due.map(|due| due.to_string()))
            .bind(phrase.unwrap_or_default())
            .bind(reason)
            .bind(&at)
            .execute(unit)
            .await?;
        Ok(edited)
    }

    /// Takes a leader's own proposal back.
    ///
    /// # Errors
    /// [`Error::Unknown`]; [`Error::Refused`] when no proposal of that leader waits.
    pub async fn withdraw_proposal(
        &self,
        reference: &str,
        leader: &str,
        stamp: &Stamp,
    ) -> Result<Edited<'_>, Error> {
        let mut edited = self.say(reference, Deed::ProposalWithdrawn, json!({}), stamp).await?;
        let waiting = self.proposal(reference).await?.filter(|one| one.leader == leader);
        waiting.ok_or_else(|| none_waits(reference))?;
        end(&mut edited, reference, "withdrawn", stamp).await?;
        Ok(edited)
    }

    /// Makes the proposed deadline of a commitment its deadline, as [`Self::postpone`] does.
    ///
    /// # Errors
    /// [`Error::Unknown`]; [`Error::Refused`] when no proposal waits.
    pub async fn accept(&self, reference: &str, stamp: &Stamp) -> Result<Edited<'_>, Error> {
        let Some(waiting) = self.proposal(reference).await? else {
            return Err(self.refuse_unasked(reference).await);
        };
        let Proposal { window, phrase, reason, .. } = &waiting;
        let mut edited =
            self.postpone(reference, *window, phrase.as_deref(), reason, stamp).await?;
        // Read again: by now nobody else can have answered or replaced it.
        if self.proposal(reference).await?.as_ref() != Some(&waiting) {
            return Err(none_waits(reference));
        }
        end(&mut edited, reference, "accepted", stamp).await?;
        Ok(edited)
    }

    /// Turns the proposed deadline of a commitment down.
    ///
    /// # Errors
    /// [`Error::Unknown`]; [`Error::Refused`] when no proposal waits.
    pub async fn refuse(
        &self,
        reference: &str,
        reason: &str,
        stamp: &Stamp,
    ) -> Result<Edited<'_>, Error> {
        let Some(waiting) = self.proposal(reference).await? else {
            return Err(self.refuse_unasked(reference).await);
        };
        let detail = json!({ "to": waiting.window.to_string(), "reason": reason });
        let deed = Deed::ProposalRefused {
            leader: waiting.leader.clone(),
            wanted: waiting.window,
            reason: reason.to_owned(),
        };
        let mut edited = self.say(reference, deed, detail, stamp).await?;
        if self.proposal(reference).await?.as_ref() != Some(&waiting) {
            return Err(none_waits(reference));
        }
        end(&mut edited, reference, "refused", stamp).await?;
        Ok(edited)
    }

    /// Why there is nothing to answer: an unknown commitment, or no proposal.
    async fn refuse_unasked(&self, reference: &str) -> Error {
        let looked = async {
            let mut unit = self.read().await?;
            super::edits::one(&mut unit, reference).await?;
            unit.commit().await
        };
        looked.await.err().unwrap_or_else(|| none_waits(reference))
    }
}

fn none_waits(reference: &str) -> Error {
    Error::Refused(format!(
        "no proposal about {reference} waits for an answer; `advis proposals` shows those that do"
    ))
}

async fn end(
    edited: &mut Edited<'_>,
    reference: &str,
    state: &str,
    stamp: &Stamp,
) -> Result<(), Error> {
    let at = instant(stamp.at);
    sqlx::query(END).bind(reference).bind(at).bind(state).execute(edited.unit()).await?;
    Ok(())
}
