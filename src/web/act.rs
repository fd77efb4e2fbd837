//! What a posted form does: the same edits as the verbs, with the same notices, in the name of the leader. Each looks
//! once more whether things still stand as the form showed them; if not, it does nothing.

use chrono::NaiveDate;
use serde_json::json;

use super::Pages;
use super::form::Fields;
use super::history::{latest, signature};
use super::view::snoozed;
use super::visit::{Visit, principal, stand_of};
use crate::delivery::notices::Actor;
use crate::delivery::pass::Desk;
use crate::domain::window::Window;
use crate::link::Purpose;
use crate::mail::compose::Told;
use crate::store::{self, Deed, Edited, Stamp, Which};
use crate::telemetry;

/// What a leader may do about a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Done,
    Snooze,
    HandOver,
    NotMine,
    Propose,
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
    const ALL: [Self; 6] =
        [Self::Done, Self::Snooze, Self::HandOver, Self::NotMine, Self::Propose, Self::Undo];

    /// The name in the address.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Snooze => "snooze",
            Self::HandOver => "hand-over",
            Self::NotMine => "not-mine",
            Self::Propose => "propose",
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
            Self::HandOver => Purpose::HandOver,
            Self::NotMine => Purpose::NotMine,
            Self::Propose => Purpose::Propose,
            Self::Undo => Purpose::Undo,
        }
    }

    pub(super) fn template(self) -> &'static str {
        match self {
            Self::Done => "done.html",
            Self::Snooze => "snooze.html",
            Self::HandOver => "hand-over.html",
            Self::NotMine => "not-mine.html",
            Self::Propose => "propose.html",
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
        let is_as_shown = self.visit.may_act() && stand_of(&self.visit.commitment) == self.stand;
        if act != Act::Undo && !is_as_shown {
            return Ok(Outcome::Stale);
        }
        match act {
            Act::Done => match fields.remark() {
                Ok(remark) => self.done(remark).await,
                Err(wrong) => Ok(Outcome::Wrong(wrong)),
            },
            Act::Snooze => match fields.until(self.visit.today()) {
                Ok(until) => self.snooze(until).await,
                Err(wrong) => Ok(Outcome::Wrong(wrong)),
            },
            Act::HandOver => match self.visit.colleagues().find(|one| one.reference == fields.to) {
                Some(colleague) => self.hand_over(&colleague.reference, &colleague.name).await,
                None => Ok(Outcome::Wrong(("to", "nobody"))),
            },
            Act::NotMine => match fields.remark() {
                Ok(remark) => self.not_mine(remark).await,
                Err(wrong) => Ok(Outcome::Wrong(wrong)),
            },
            Act::Propose => match fields.proposal(self.visit.today()) {
                Ok((window, phrase)) => self.propose(window, phrase).await,
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
        let mut edited = self.pages.store.done(&[self.reference()], false, &self.stamp).await?;
        if remark.is_empty() {
            return self.conclude(edited, None).await;
        }
        edited.remark(&self.stamp, remark).await?;
        self.conclude(edited, Some(&Told::Remarked { text: remark.to_owned() })).await
    }

    async fn snooze(&self, until: NaiveDate) -> Result<Outcome, store::Error> {
        self.roll_on().await?;
        let Some(principal) = self.visit.principal() else { return Ok(Outcome::Stale) };
        if snoozed(&self.visit.commitment, principal, self.visit.today()) == Some(until) {
            return Ok(Outcome::Stale);
        }
        let store = &self.pages.store;
        let edited = store.snooze(self.reference(), principal, until, &self.stamp).await?;
        self.conclude(edited, None).await
    }

    async fn hand_over(&self, to: &str, name: &str) -> Result<Outcome, store::Error> {
        self.roll_on().await?;
        let Some(principal) = self.visit.principal() else { return Ok(Outcome::Stale) };
        let store = &self.pages.store;
        let edited = store.hand_over(self.reference(), principal, to, &self.stamp).await?;
        self.conclude(edited, Some(&Told::GivenOn { to: name.to_owned() })).await
    }

    async fn not_mine(&self, remark: &str) -> Result<Outcome, store::Error> {
        self.roll_on().await?;
        let (store, reference) = (&self.pages.store, self.reference());
        let detail = json!({ "leader": self.visit.principal() });
        let mut edited = store.say(reference, Deed::Disowned, detail, &self.stamp).await?;
        let events = store.events(reference).await?;
        if latest(&events, self.reader()).is_some_and(|last| last.what == Deed::Disowned.name()) {
            return Ok(Outcome::Stale);
        }
        if !remark.is_empty() {
            edited.remark(&self.stamp, remark).await?;
        }
        self.conclude(edited, Some(&Told::NotMine { text: remark.to_owned() })).await
    }

    async fn propose(&self, window: Window, phrase: Option<&str>) -> Result<Outcome, store::Error> {
        self.roll_on().await?;
        let (store, reference) = (&self.pages.store, self.reference());
        let reason = &self.fields.reason;
        let waiting = store.proposal(reference).await?;
        if waiting.is_some_and(|one| one.leader == self.reader() && one.window == window) {
            return Ok(Outcome::Stale);
        }
        let edited =
            store.propose(reference, self.reader(), window, phrase, reason, &self.stamp).await?;
        let told = Told::Proposed { wanted: window, text: reason.clone() };
        self.conclude(edited, Some(&told)).await
    }

    /// Makes an edit final if it found what the form showed, and the reader may still make it; takes it back if not.
    async fn conclude(
        &self,
        edited: Edited<'_>,
        tell: Option<&Told>,
    ) -> Result<Outcome, store::Error> {
        let today = self.visit.today();
        let is_as_shown = edited.touched().first().is_some_and(|one| {
            let principal = principal(&one.before, &self.visit.people, self.reader(), today);
            stand_of(&one.before) == self.stand && principal.is_some()
        });
        if !is_as_shown {
            return Ok(Outcome::Stale);
        }
        self.desk.conclude_by(edited, Some(Actor { leader: self.reader(), tell })).await?;
        Ok(Outcome::Done)
    }

    /// Takes back what the reader did last, if that is still the last.
    async fn undo(&self) -> Result<Outcome, store::Error> {
        let (store, reference) = (&self.pages.store, self.reference());
        let (edited, tell) = match self.stand.split('@').next().unwrap_or_default() {
            "done" => (store.reopen(&[reference], &self.stamp).await?, None),
            "snoozed" => {
                let Some(principal) = self.visit.principal() else { return Ok(Outcome::Stale) };
                (store.wake(reference, principal, &self.stamp).await?, None)
            }
            "assigned" => {
                let before = self.visit.given_from();
                let before: Vec<&str> = before.iter().map(String::as_str).collect();
                (store.assign(reference, &before, &self.stamp).await?, Some(&Told::TakenBack))
            }
            "not mine" => {
                let edited = store.say(reference, Deed::Owned, json!({}), &self.stamp).await?;
                (edited, Some(&Told::MineAfterAll))
            }
            "proposed" => {
                let reader = self.reader();
                let edited = store.withdraw_proposal(reference, reader, &self.stamp).await?;
                (edited, Some(&Told::ProposalWithdrawn))
            }
            _ => return Ok(Outcome::Stale),
        };
        // The edit keeps others from writing, so what is read now stays so until it is final.
        let events = store.events(reference).await?;
        let last = latest(&events, self.reader()).and_then(|last| last.undo(self.reader()));
        if last.as_deref() != Some(self.stand) || edited.touched().is_empty() {
            return Ok(Outcome::Stale);
        }
        self.desk.conclude_by(edited, Some(Actor { leader: self.reader(), tell })).await?;
        Ok(Outcome::Done)
    }
}
