//! What a posted form does: the same edits as the verbs, with the same notices, in the name of the leader. Each looks
//! once more whether things still stand as the form showed them; if not, it does nothing.

use chrono::NaiveDate;

use super::Pages;
use super::form::Fields;
use super::history::{latest, signature};
use super::view::snoozed;
use super::visit::{Visit, principal, stand_of};
use crate::delivery::notices::Actor;
use crate::delivery::pass::Desk;
use crate::link::Purpose;
use crate::store::{self, Edited, Stamp, Which};
use crate::telemetry;

/// What a leader may do about a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Done,
    Snooze,
    Undo,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is so now.
    Done,
    /// It was so already, or things have changed since the form was shown: nothing happened.
    Stale,
    /// A field and what is wrong with it.
    Wrong((&'static str, &'static str)),
}

impl Act {
    const ALL: [Self; 3] = [Self::Done, Self::Snooze, Self::Undo];

    /// The name in the address.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Snooze => "snooze",
            Self::Undo => "undo",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.name() == name)
    }

    /// What the token in its form is good for.
    pub(super) fn purpose(self) -> Purpose {
        match self {
            Self::Done => Purpose::Done,
            Self::Snooze => Purpose::Snooze,
            Self::Undo => Purpose::Undo,
        }
    }

    pub(super) fn template(self) -> &'static str {
        match self {
            Self::Done => "done.html",
            Self::Snooze => "snooze.html",
            Self::Undo => "undo.html",
        }
    }
}

/// What an act works with.
struct Scene<'s> {
    visit: &'s Visit,
    pages: &'s Pages,
    desk: Desk<'s>,
    stamp: Stamp,
    /// As the form showed it.
    stand: &'s str,
    fields: &'s Fields,
}

impl Visit {
    /// Does what a form of ours asks for.
    ///
    /// # Errors
    /// When the store fails; then nothing was done.
    pub(super) async fn perform(
        &self,
        pages: &Pages,
        act: Act,
        stand: &str,
        fields: &Fields,
    ) -> Result<Outcome, store::Error> {
        let desk = self.settings.desk(&pages.store);
        let stamp = Stamp::now(&self.settings.clock, &signature(&self.reader.reference));
        let scene = Scene { visit: self, pages, desk, stamp, stand, fields };
        let outcome = match scene.act(act).await {
            // Changed while we looked: the page that follows says how it stands.
            Err(store::Error::Refused(_) | store::Error::Unknown { .. }) => Ok(Outcome::Stale),
            outcome => outcome,
        };
        if outcome.as_ref().is_ok_and(|outcome| *outcome == Outcome::Done) {
            telemetry::acted(act.name(), &self.claims.commitment, &self.reader.reference);
        }
        outcome
    }
}

impl<'s> Scene<'s> {
    async fn act(&self, act: Act) -> Result<Outcome, store::Error> {
        let fields = self.fields;
        match act {
            Act::Done => match fields.remark() {
                Ok(remark) => self.done(remark).await,
                Err(wrong) => Ok(Outcome::Wrong(wrong)),
            },
            Act::Snooze => match fields.until(self.visit.today()) {
                Ok(until) => self.snooze(until).await,
                Err(wrong) => Ok(Outcome::Wrong(wrong)),
            },
            Act::Undo => self.undo().await,
        }
    }

    fn reference(&self) -> &'s str {
        &self.visit.claims.commitment
    }

    fn reader(&self) -> &'s str {
        &self.visit.reader.reference
    }

    /// Brings the recurrence of the commitment up to today, as every verb does before it edits.
    async fn roll_on(&self) -> Result<(), store::Error> {
        self.desk.read_new().await?;
        self.desk.roll_on(Which::These(&[self.reference()])).await?;
        Ok(())
    }

    async fn done(&self, remark: &str) -> Result<Outcome, store::Error> {
        self.roll_on().await?;
        let edited = self.pages.store.done(&[self.reference()], false, &self.stamp).await?;
        self.conclude(edited, remark).await
    }

    async fn snooze(&self, until: NaiveDate) -> Result<Outcome, store::Error> {
        self.roll_on().await?;
        let Some(principal) = self.visit.principal() else { return Ok(Outcome::Stale) };
        if snoozed(&self.visit.commitment, principal, self.visit.today()) == Some(until) {
            return Ok(Outcome::Stale);
        }
        let store = &self.pages.store;
        let edited = store.snooze(self.reference(), principal, until, &self.stamp).await?;
        self.conclude(edited, "").await
    }

    /// Makes an edit final if it found what the form showed, and the reader may still make it; takes it back if not.
    async fn conclude(
        &self,
        mut edited: Edited<'_>,
        remark: &str,
    ) -> Result<Outcome, store::Error> {
        let today = self.visit.today();
        let is_as_shown = edited.touched().first().is_some_and(|one| {
            let principal = principal(&one.before, &self.visit.people, self.reader(), today);
            stand_of(&one.before) == self.stand && principal.is_some()
        });
        if !is_as_shown {
            return Ok(Outcome::Stale);
        }
        if !remark.is_empty() {
            edited.remark(&self.stamp, remark).await?;
        }
        self.desk.conclude_by(edited, Some(Actor(self.reader()))).await?;
        Ok(Outcome::Done)
    }

    /// Takes back what the reader did last, if that is still the last.
    async fn undo(&self) -> Result<Outcome, store::Error> {
        let (store, reference) = (&self.pages.store, self.reference());
        let what = self.stand.split('@').next().unwrap_or_default();
        let edited = match what {
            "done" => store.reopen(&[reference], &self.stamp).await?,
            "snoozed" => {
                let Some(principal) = self.visit.principal() else { return Ok(Outcome::Stale) };
                store.wake(reference, principal, &self.stamp).await?
            }
            _ => return Ok(Outcome::Stale),
        };
        // The edit keeps others from writing, so what is read now stays so until it is final.
        let events = store.events(reference).await?;
        let last = latest(&events, self.reader()).and_then(|last| last.undo(self.reader()));
        if last.as_deref() != Some(self.stand) || edited.touched().is_empty() {
            return Ok(Outcome::Stale);
        }
        self.desk.conclude_by(edited, Some(Actor(self.reader()))).await?;
        Ok(Outcome::Done)
    }
}
