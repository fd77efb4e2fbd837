//! An edit of the book that is made and not yet final, so that the notices it causes become final with it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::SqliteConnection;

use super::book::{self, Which};
use super::journal::{Subject, last_events, record};
use super::outbox::{FREEZE_PAGE, Frozen, freeze, withdraw};
use super::{Error, Stamp, Unit};
use crate::domain::commitment::Commitment;
use crate::domain::window::Window;
use crate::telemetry;

/// The name in the journal of what somebody says beside an edit; its text is the detail `text`.
pub const REMARKED: &str = "remarked";

/// The name in the journal of a new link.
pub const LINK_SENT: &str = "link sent";

/// What was done to commitments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// The earliest open window, or every one, is done.
    Done,
    /// The last `done`, or that it was cancelled, is taken back.
    Reopened,
    /// Given up.
    Cancelled,
    /// The dates that were read are right.
    Confirmed,
    /// The earliest open window has a new deadline.
    Postponed {
        /// In people's words; may be empty.
        reason: String,
    },
    /// One leader's reminders wait.
    Snoozed,
    /// They wait no longer.
    Woken,
    /// One who answers for it says that somebody else should. The book stays as it is.
    Disowned,
    /// And takes that back.
    Owned,
    /// A leader wants another deadline. The book stays as it is until that is accepted.
    Proposed,
    /// And does not want it any more.
    ProposalWithdrawn,
    /// The deadline stays.
    ProposalRefused {
        /// Reference of the leader who wanted another one.
        leader: String,
        /// Which.
        wanted: Window,
        /// Why not, in people's words; may be empty.
        reason: String,
    },
    /// A leader with an old link gets a new one. The book stays as it is.
    LinkSent {
        /// Reference of the leader.
        leader: String,
    },
    /// Others answer for it, now or from a day to come.
    Assigned,
    /// The day of an earlier assignment has come.
    HandedOver,
}

impl Deed {
    /// The name in the journal.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Reopened => "reopened",
            Self::Cancelled => "cancelled",
            Self::Confirmed => "confirmed",
            Self::Postponed { .. } => "postponed",
            Self::Snoozed => "snoozed",
            Self::Woken => "woken",
            Self::Disowned => "not mine",
            Self::Owned => "mine after all",
            Self::Proposed => "proposed",
            Self::ProposalWithdrawn => "proposal withdrawn",
            Self::ProposalRefused { .. } => "proposal refused",
            Self::LinkSent { .. } => LINK_SENT,
            Self::Assigned => "assigned",
            Self::HandedOver => "handed over",
        }
    }

    /// Whether what is about to be sent may be wrong from now on.
    fn changes_the_book(&self) -> bool {
        !matches!(
            self,
            Self::Disowned
                | Self::Owned
                | Self::Proposed
                | Self::ProposalWithdrawn
                | Self::ProposalRefused { .. }
                | Self::LinkSent { .. }
        )
    }
}

/// A commitment that an edit touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// Number of its event in the journal.
    pub event: i64,
    /// As it was.
    pub before: Commitment,
    /// As it is from now on.
    pub after: Commitment,
}

/// An edit that is made and not yet final: dropped, it is taken back.
///
/// While it lasts nobody can write into the store, its holder included; reading shows the book as it was.
#[derive(Debug)]
#[must_use = "an edit that is not committed is taken back"]
pub struct Edited<'s> {
    unit: Unit<'s>,
    deed: Deed,
    at: DateTime<Utc>,
    touched: Vec<Touched>,
}

impl<'s> Edited<'s> {
    /// Of the commitments that were as in `before`, each with its event recorded.
    pub(super) async fn new(
        mut unit: Unit<'s>,
        stamp: &Stamp,
        deed: Deed,
        before: Vec<Commitment>,
    ) -> Result<Self, Error> {
        let references: Vec<&str> = before.iter().map(|one| one.reference.as_str()).collect();
        let (after, _) = book::load(&mut unit, Which::These(&references)).await?;
        let events = last_events(&mut unit, &references).await?;
        let mut after: HashMap<String, Commitment> =
            after.into_iter().map(|one| (one.reference.clone(), one)).collect();
        let touched = |before: Commitment| {
            let event = *events.get(&before.reference)?;
            let after = after.remove(&before.reference)?;
            Some(Touched { event, before, after })
        };
        let touched = before.into_iter().filter_map(touched).collect();
        Ok(Self { unit, deed, at: stamp.at, touched })
    }

    /// What was done.
    #[must_use]
    pub fn deed(&self) -> &Deed {
        &self.deed
    }

    /// Every commitment it touched, once.
    #[must_use]
    pub fn touched(&self) -> &[Touched] {
        &self.touched
    }

    /// For what belongs to it and is not in the book.
    pub(super) fn unit(&mut self) -> &mut SqliteConnection {
        &mut self.unit
    }

    /// Puts into the journal what the one who makes it says about it.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn remark(&mut self, stamp: &Stamp, text: &str) -> Result<(), Error> {
        let detail = json!({ "text": text });
        let about = self.touched.iter().map(|one| one.after.reference.as_str());
        let subjects: Vec<Subject<'_>> =
            about.map(|one| Subject::commitment(one).detail(detail.clone())).collect();
        record(&mut self.unit, stamp, REMARKED, &subjects).await
    }

    /// Makes it final, all in one: withdraws the reminders about these commitments that have not left, puts `notices`
    /// into the outbox, and answers with the references it touched.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn commit(mut self, notices: &[Frozen]) -> Result<Vec<String>, Error> {
        let touched: Vec<String> =
            self.touched.into_iter().map(|one| one.after.reference).collect();
        let withdrawn = match self.deed.changes_the_book() {
            true => withdraw(&mut self.unit, &touched, self.at).await?,
            false => 0,
        };
        for page in notices.chunks(FREEZE_PAGE) {
            freeze(&mut self.unit, page, self.at).await?;
        }
        self.unit.commit().await?;
        if withdrawn > 0 {
            telemetry::withdrawn(withdrawn);
        }
        Ok(touched)
    }
}

/// Ends the statements of an edit: records what was done to which commitment, each as it was before.
pub(super) async fn finish<'s>(
    mut unit: Unit<'s>,
    stamp: &Stamp,
    deed: Deed,
    touched: Vec<(&Commitment, Value)>,
) -> Result<Edited<'s>, Error> {
    let before = touched.iter().map(|(one, _)| (*one).clone()).collect();
    let subjects: Vec<Subject<'_>> = touched
        .into_iter()
        .map(|(one, detail)| Subject::commitment(&one.reference).detail(detail))
        .collect();
    record(&mut unit, stamp, deed.name(), &subjects).await?;
    Edited::new(unit, stamp, deed, before).await
}
