//! What the journal says of a commitment: the last thing that was done to it, and whether it can be taken back.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::store::{Event, REMARKED};

/// Marks in the journal what a leader did on a page, so that it is never taken for somebody at the keyboard.
const ON_A_PAGE: &str = " (page)";

/// What changes the book for all: the last of these is how the commitment stands.
const FOR_ALL: [&str; 8] = [
    "done",
    "reopened",
    "cancelled",
    "confirmed",
    "postponed",
    "assigned",
    "handed over",
    "proposal refused",
];

/// What concerns the one who did it.
const FOR_ONE: [&str; 6] =
    ["snoozed", "woken", "not mine", "mine after all", "proposed", "proposal withdrawn"];

/// What can be taken back by the one who did it.
const CAN_BE_UNDONE: [&str; 5] = ["done", "snoozed", "assigned", "not mine", "proposed"];

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum By {
    /// The leader with that reference.
    Leader(String),
    /// Somebody at the keyboard, or the program itself.
    Office,
}

/// The last thing that was done, as far as it concerns a reader.
#[derive(Debug, Clone)]
pub(super) struct Latest<'e> {
    pub(super) what: &'e str,
    pub(super) by: By,
    pub(super) at: DateTime<Utc>,
    pub(super) detail: &'e Value,
    /// What was said beside it; empty when nothing was.
    pub(super) remark: &'e str,
}

/// How the journal names a leader who acts on a page.
pub(super) fn signature(person: &str) -> String {
    format!("{person}{ON_A_PAGE}")
}

impl By {
    /// As the journal names them.
    pub(super) fn of(who: &str) -> Self {
        who.strip_suffix(ON_A_PAGE).map_or(Self::Office, |leader| Self::Leader(leader.to_owned()))
    }

    pub(super) fn is(&self, person: &str) -> bool {
        matches!(self, Self::Leader(leader) if leader == person)
    }
}

/// The last event that is for all, or for `person` by `person`.
pub(super) fn latest<'e>(events: &'e [Event], person: &str) -> Option<Latest<'e>> {
    let concerns = |event: &&Event| {
        let what = event.what.as_str();
        // What befell a message has names of its own, "cancelled" too.
        if event.message.is_some() {
            return false;
        }
        FOR_ALL.contains(&what) || FOR_ONE.contains(&what) && By::of(&event.who).is(person)
    };
    let event = events.iter().rev().find(concerns)?;
    let is_beside =
        |other: &&Event| other.what == REMARKED && other.at == event.at && other.who == event.who;
    let remark =
        events.iter().rev().find(is_beside).and_then(|other| other.detail["text"].as_str());
    Some(Latest {
        what: &event.what,
        by: By::of(&event.who),
        at: event.at,
        detail: &event.detail,
        remark: remark.unwrap_or_default(),
    })
}

impl Latest<'_> {
    /// What a form that takes it back names, if `person` may: `done@1763449200000`.
    pub(super) fn undo(&self, person: &str) -> Option<String> {
        let is_theirs = self.by.is(person) && CAN_BE_UNDONE.contains(&self.what);
        is_theirs.then(|| format!("{}@{}", self.what, self.at.timestamp_millis()))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use super::*;

    fn events(list: &[(&str, &str)]) -> Vec<Event> {
        let event = |(number, (who, what)): (i64, &(&str, &str))| Event {
            // A remark has the moment of what it is about.
            at: DateTime::UNIX_EPOCH + TimeDelta::seconds(number - i64::from(*what == "remarked")),
            who: (*who).to_owned(),
            what: (*what).to_owned(),
            leader: None,
            message: (*who == "advis").then_some(1),
            detail: json!({ "text": "Sådan" }),
        };
        (1..).zip(list).map(event).collect()
    }

    #[test]
    fn the_last_that_concerns_a_reader_counts_and_only_its_doer_may_undo_it() {
        let all = events(&[
            ("lis", "imported"),
            ("nora (page)", "done"),
            ("nora (page)", "remarked"),
            ("sune (page)", "snoozed"),
            ("advis", "cancelled"),
        ]);
        let nora = latest(&all, "nora").unwrap();
        assert_eq!((nora.what, nora.remark), ("done", "Sådan"));
        assert_eq!(nora.undo("nora").unwrap(), "done@2000");
        assert_eq!(nora.undo("sune"), None);
        let sune = latest(&all, "sune").unwrap();
        assert_eq!((sune.what, sune.undo("sune").unwrap()), ("snoozed", "snoozed@4000".to_owned()));
        assert!(latest(&all[..1], "nora").is_none());
    }

    #[test]
    fn somebody_at_the_keyboard_is_no_leader_whatever_the_name() {
        let all = events(&[("nora", "done")]);
        let last = latest(&all, "nora").unwrap();
        assert_eq!((last.by.clone(), last.undo("nora")), (By::Office, None));
    }
}
