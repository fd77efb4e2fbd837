//! What people do about who answers for a commitment: snooze, assign, hand over.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde_json::{Value, json};
use sqlx::SqliteConnection;

use super::batch::{Printed, json_list};
use super::changes::{ResponsibleRow, replace_responsible};
use super::edited::{Deed, Edited, finish};
use super::edits::{named, one, refuse_closed, refuse_unknown};
use super::{Error, Stamp, Store};
use crate::domain::commitment::{Commitment, Status};

const SNOOZE: &str = "
    INSERT INTO snoozes (commitment, revision, window, leader, until, made_on)
    VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (commitment, revision, window, leader)
        DO UPDATE SET until = excluded.until, made_on = excluded.made_on";

const WAKE: &str = "
    DELETE FROM snoozes WHERE commitment = $1 AND revision = $2 AND leader = $3";

const KNOWN_LEADERS: &str = "
    SELECT reference FROM leaders WHERE reference IN (SELECT value FROM json_each($1))";

const DUTIES_OF: &str = "
    SELECT r.commitment FROM responsibilities r
      JOIN commitments c ON c.reference = r.commitment
     WHERE r.leader = $1 AND c.status IN ('open', 'needs_date') AND c.entered_on IS NOT NULL";

impl Store {
    /// Holds back one leader's own messages about the earliest open window of a commitment until a day.
    ///
    /// # Errors
    /// [`Error::Unknown`]; [`Error::Refused`] for a day not to come, a leader who is not responsible, or a commitment
    /// that is not open.
    pub async fn snooze(
        &self,
        reference: &str,
        leader: &str,
        until: NaiveDate,
        stamp: &Stamp,
    ) -> Result<Edited<'_>, Error> {
        if until <= stamp.day {
            return Err(Error::Refused(format!("{until} is not to come; give a later day")));
        }
        let mut unit = self.write().await?;
        known_leaders(&mut unit, &[leader]).await?;
        let commitment = one(&mut unit, reference).await?;
        sqlx::query(SNOOZE)
            .bind(reference)
            .bind(commitment.revision)
            .bind(window_to_snooze(&commitment, leader)?)
            .bind(leader)
            .bind(until.to_string())
            .bind(stamp.day.to_string())
            .execute(&mut *unit)
            .await?;
        let detail = json!({ "leader": leader, "until": Printed(until) });
        finish(unit, stamp, Deed::Snoozed, vec![(&commitment, detail)]).await
    }

    /// Ends one leader's snooze of a commitment. There may be none.
    ///
    /// # Errors
    /// [`Error::Unknown`] for the commitment or the leader.
    pub async fn wake(
        &self,
        reference: &str,
        leader: &str,
        stamp: &Stamp,
    ) -> Result<Edited<'_>, Error> {
        let mut unit = self.write().await?;
        known_leaders(&mut unit, &[leader]).await?;
        let commitment = one(&mut unit, reference).await?;
        let ended = sqlx::query(WAKE)
            .bind(reference)
            .bind(commitment.revision)
            .bind(leader)
            .execute(&mut *unit)
            .await?;
        let detail = json!({ "leader": leader });
        let touched = if ended.rows_affected() > 0 { vec![(&commitment, detail)] } else { vec![] };
        finish(unit, stamp, Deed::Woken, touched).await
    }

    /// Makes these leaders the only ones who answer for a commitment, in this order. The new ones begin today.
    ///
    /// # Errors
    /// [`Error::Unknown`] for the commitment or a leader; [`Error::Refused`] without any leader, or when it is closed.
    pub async fn assign(
        &self,
        reference: &str,
        leaders: &[&str],
        stamp: &Stamp,
    ) -> Result<Edited<'_>, Error> {
        refuse_nobody(leaders)?;
        let mut unit = self.write().await?;
        known_leaders(&mut unit, leaders).await?;
        let commitment = one(&mut unit, reference).await?;
        refuse_closed(&commitment)?;
        let before = responsible(&commitment);
        // Even when they are the same: rows that name nobody go.
        let lasting = leaders.iter().map(|leader| (*leader, None));
        replace_responsible(&mut unit, &rows(reference, lasting, stamp.day)).await?;
        if before == leaders {
            return finish(unit, stamp, Deed::Assigned, Vec::new()).await;
        }
        let detail = json!({ "from": before, "to": leaders });
        finish(unit, stamp, Deed::Assigned, vec![(&commitment, detail)]).await
    }

    /// Puts one leader in the place of another among those who answer for a commitment, from today on. A hand-over to
    /// come of somebody else stands.
    ///
    /// # Errors
    /// [`Error::Unknown`] for the commitment or the heir; [`Error::Refused`] when it is closed, or `from` does not answer
    /// for it.
    pub async fn hand_over(
        &self,
        reference: &str,
        from: &str,
        to: &str,
        stamp: &Stamp,
    ) -> Result<Edited<'_>, Error> {
        let mut unit = self.write().await?;
        known_leaders(&mut unit, &[to]).await?;
        let commitment = one(&mut unit, reference).await?;
        refuse_closed(&commitment)?;
        let before = responsible(&commitment);
        if !before.contains(&from) {
            return Err(Error::Refused(format!("{from} does not answer for {reference}")));
        }
        let after = commitment.responsible.iter().map(|one| match one.leader.as_str() {
            leader if leader == from => (to, None),
            leader => (leader, one.until),
        });
        replace_responsible(&mut unit, &rows(reference, after, stamp.day)).await?;
        let detail = json!({ "from": before, "given_by": from, "given_to": to });
        finish(unit, stamp, Deed::Assigned, vec![(&commitment, detail)]).await
    }

    /// Records what somebody says about a commitment, which stays as it is.
    ///
    /// # Errors
    /// [`Error::Unknown`]; [`Error::Refused`] when it is closed.
    pub async fn say(
        &self,
        reference: &str,
        deed: Deed,
        detail: Value,
        stamp: &Stamp,
    ) -> Result<Edited<'_>, Error> {
        let mut unit = self.write().await?;
        let commitment = one(&mut unit, reference).await?;
        refuse_closed(&commitment)?;
        finish(unit, stamp, deed, vec![(&commitment, detail)]).await
    }

    /// Hands all that one leader answers for, and that is not closed, over to others from `on_day` on, or from today on when that is past. Until a day to
    /// come both answer for it; [`Self::begin_pass`] then ends the old duty.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a leader; [`Error::Refused`] when nobody is to take over, or the same one.
    pub async fn assign_all(
        &self,
        from: &str,
        to: &[&str],
        on_day: NaiveDate,
        stamp: &Stamp,
    ) -> Result<Edited<'_>, Error> {
        refuse_nobody(to)?;
        if to.contains(&from) {
            return Err(Error::Refused(format!("{from} cannot hand over to {from}")));
        }
        let mut unit = self.write().await?;
        known_leaders(&mut unit, &[&[from], to].concat()).await?;
        let duties: Vec<String> =
            sqlx::query_scalar(DUTIES_OF).bind(from).fetch_all(&mut *unit).await?;
        let references: Vec<&str> = duties.iter().map(String::as_str).collect();
        let book = named(&mut unit, &references).await?;
        let is_later = on_day > stamp.day;
        let mut all = Vec::new();
        for commitment in &book {
            let heirs = to.iter().map(|heir| (*heir, None));
            let old = is_later.then_some((from, Some(on_day)));
            let mut leaders: Vec<(&str, Option<NaiveDate>)> = Vec::new();
            for one in &commitment.responsible {
                if one.leader == from {
                    leaders.extend(old.into_iter().chain(heirs.clone()));
                } else {
                    leaders.push((&one.leader, one.until));
                }
            }
            all.extend(rows(&commitment.reference, leaders, on_day.max(stamp.day)));
        }
        replace_responsible(&mut unit, &all).await?;
        let detail = json!({ "from": from, "to": to, "on": Printed(on_day) });
        let touched = book.iter().map(|one| (one, detail.clone())).collect();
        finish(unit, stamp, Deed::Assigned, touched).await
    }
}

fn responsible(commitment: &Commitment) -> Vec<&str> {
    commitment.responsible.iter().map(|one| one.leader.as_str()).collect()
}

/// One row for each leader, where it stands first, with the day on which the duty ends.
fn rows<'a>(
    commitment: &'a str,
    leaders: impl IntoIterator<Item = (&'a str, Option<NaiveDate>)>,
    since: NaiveDate,
) -> Vec<ResponsibleRow<'a>> {
    let mut seen = BTreeSet::new();
    (1..)
        .zip(leaders.into_iter().filter(|(leader, _)| seen.insert(*leader)))
        .map(|(position, (leader, until))| ResponsibleRow {
            commitment,
            leader,
            position,
            since: Some(since),
            until,
        })
        .collect()
}

fn refuse_nobody(leaders: &[&str]) -> Result<(), Error> {
    if leaders.is_empty() {
        return Err(Error::Refused("somebody has to answer for it; name a leader".to_owned()));
    }
    Ok(())
}

async fn known_leaders(unit: &mut SqliteConnection, leaders: &[&str]) -> Result<(), Error> {
    let known: Vec<String> =
        sqlx::query_scalar(KNOWN_LEADERS).bind(json_list(leaders)?).fetch_all(unit).await?;
    refuse_unknown(leaders.iter().copied().filter(|leader| !known.iter().any(|one| one == leader)))
}

/// The window that a snooze of this leader is about.
fn window_to_snooze(commitment: &Commitment, leader: &str) -> Result<u32, Error> {
    let reference = &commitment.reference;
    if !responsible(commitment).contains(&leader) {
        return Err(Error::Refused(format!("{leader} does not answer for {reference}")));
    }
    commitment
        .earliest_open()
        .filter(|_| commitment.status == Status::Open)
        .map(|window| window.number)
        .ok_or_else(|| Error::Refused(format!("nothing is sent about {reference} now")))
}
