//! Notices: what an edit of the book means for the people it concerns, told once, by the edit itself.
//!
//! A notice is frozen in the same unit of work as its edit: either both stand after a crash, or neither. It says how
//! things stand at that moment; a hand-over on a day to come is told on that day, by the pass in which it takes place.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::pass::Desk;
use crate::domain::address::Mailbox;
use crate::domain::commitment::{BookWindow, Commitment, Status};
use crate::domain::leader::{Capacity, People, Receiver};
use crate::domain::window::Window;
use crate::mail::compose::{Entry, Facts, Letter, Notice, NoticeItem, NoticeKind, Told};
use crate::store::{self, Deed, Edited, Touched};

/// What an edit came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Concluded {
    /// References of the commitments it touched.
    pub touched: Vec<String>,
    /// Names of those who are told by mail, in the order of the edit.
    pub told: Vec<String>,
    /// Names of those who should be told, and why no mail can be made for them.
    pub untold: Vec<(String, String)>,
}

/// The leader who makes an edit on a page: the others hear who it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor<'a> {
    /// Reference of the leader.
    pub leader: &'a str,
    /// What the secretariat is to hear of it.
    pub tell: Option<&'a Told>,
}

impl Desk<'_> {
    /// Makes an edit final, together with its notices: they wait in the outbox for the running worker or the next
    /// `once`. A notice that no mail can be made of does not hold up the edit.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn conclude(&self, edited: Edited<'_>) -> Result<Concluded, store::Error> {
        self.conclude_by(edited, None).await
    }

    /// As [`Self::conclude`]: an edit that a leader makes, not the secretariat.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn conclude_by(
        &self,
        edited: Edited<'_>,
        actor: Option<Actor<'_>>,
    ) -> Result<Concluded, store::Error> {
        let (mut frozen, mut told, mut untold) = (Vec::new(), Vec::new(), Vec::new());
        let is_told = actor.is_some_and(|actor| actor.tell.is_some());
        let is_leader = actor.is_some();
        let concerns =
            |one: &Touched| !words(edited.deed(), one, is_leader, self.today()).is_empty();
        if is_told || edited.touched().iter().any(concerns) {
            let (people, _) = self.people().await?;
            let sender = self.sender().await?;
            let touched = edited.touched().iter().map(|one| (one.after.reference.as_str(), one));
            let touched: HashMap<&str, &Touched> = touched.collect();
            let after = |reference: &str| touched.get(reference).map(|one| &one.after);
            let last_event = |reference: &str| touched.get(reference).map_or(0, |one| one.event);
            let facts = Facts {
                sender: &sender,
                people: &people,
                book: &after,
                last_event: &last_event,
                links: self.links(),
            };
            for notice in notices(&edited, actor, &people, self.today()) {
                let name = name(&notice.to);
                match self.seal(Letter::Notice(&notice), &facts) {
                    Ok(message) => {
                        frozen.push(message);
                        if !told.contains(&name) {
                            told.push(name);
                        }
                    }
                    Err(error) => untold.push((name, error.to_string())),
                }
            }
        }
        let touched = edited.commit(&frozen).await?;
        Ok(Concluded { touched, told, untold })
    }
}

/// What a person is called who may have no name.
fn name(to: &Mailbox) -> String {
    if to.name.is_empty() { to.address.to_string() } else { to.name.clone() }
}

/// Every notice of an edit: what one person is told of several commitments goes in one.
fn notices(
    edited: &Edited<'_>,
    actor: Option<Actor<'_>>,
    people: &People,
    today: NaiveDate,
) -> Vec<Notice> {
    let mut all: Vec<Notice> = Vec::new();
    for one in edited.touched() {
        for notice in about_one(edited.deed(), one, actor, people, today) {
            let is_alike = |other: &&mut Notice| {
                (&other.to, &other.kind, &other.by, &other.about)
                    == (&notice.to, &notice.kind, &notice.by, &notice.about)
            };
            match all.iter_mut().find(is_alike) {
                Some(other) => other.items.extend(notice.items),
                None => all.push(notice),
            }
        }
    }
    all
}

/// The notices about one commitment. Who would get several, standing in for others or sharing their address, gets the
/// first.
fn about_one(
    deed: &Deed,
    one: &Touched,
    actor: Option<Actor<'_>>,
    people: &People,
    today: NaiveDate,
) -> Vec<Notice> {
    let name = |leader: &str| people.get(leader).map_or(leader, |leader| &leader.name).to_owned();
    let mut notices: Vec<Notice> = Vec::new();
    for Word { leader, kind, span, entries } in words(deed, one, actor.is_some(), today) {
        let receiver = people.receiver(leader, today);
        let did_it = |actor: Actor<'_>| receiver.leader.as_deref() == Some(actor.leader);
        let kind = match kind {
            // The page has told the one who took it back.
            NoticeKind::HandedOver if actor.is_some_and(did_it) => continue,
            NoticeKind::Done if actor.is_some_and(did_it) => NoticeKind::Receipt,
            kind => kind,
        };
        let Receiver { mailbox, language, capacity, .. } = receiver;
        let about = (leader.to_owned(), capacity);
        let key = mailbox.address.key();
        match notices.iter_mut().find(|other| other.to.address.key() == key) {
            Some(other) if other.kind == kind => other.about.push(about),
            Some(_) => {}
            None => notices.push(Notice {
                by: match kind {
                    NoticeKind::TakenOver => {
                        answering(&one.after, today).into_iter().map(name).collect()
                    }
                    _ => actor.iter().map(|actor| name(actor.leader)).collect(),
                },
                kind,
                event: one.event,
                on: today,
                to: mailbox,
                language,
                about: vec![about],
                items: vec![NoticeItem { commitment: one.after.reference.clone(), span, entries }],
            }),
        }
    }
    if let Some(Actor { leader, tell: Some(told) }) = actor {
        let Receiver { mailbox, language, .. } = people.secretariat();
        let is_told = notices.iter().any(|other| other.to.address.key() == mailbox.address.key());
        let span = one.before.earliest_open().map(|open| open.window);
        let notice = Notice {
            kind: NoticeKind::Told(told.clone()),
            event: one.event,
            on: today,
            to: mailbox,
            language,
            by: vec![name(leader)],
            about: vec![(leader.to_owned(), Capacity::Self_)],
            items: vec![NoticeItem {
                commitment: one.after.reference.clone(),
                span,
                entries: Vec::new(),
            }],
        };
        notices.extend((!is_told).then_some(notice));
    }
    notices
}

/// What one responsible leader is to hear.
struct Word<'t> {
    leader: &'t str,
    kind: NoticeKind,
    span: Option<Window>,
    entries: Vec<Entry>,
}

/// Who is to hear what of an edit, and what becomes of it in their calendars. Nobody hears of what was not being
/// reminded of. The others hear that something is done or given up; a leader who is alone with it hears it only as the
/// receipt for an edit of their own.
fn words<'t>(deed: &'t Deed, one: &'t Touched, is_leader: bool, today: NaiveDate) -> Vec<Word<'t>> {
    let Touched { before, after, .. } = one;
    let to_one = match deed {
        Deed::ProposalRefused { leader, wanted, reason } => {
            let told = Told::ProposalRefused { wanted: *wanted, text: reason.clone() };
            Some((leader, NoticeKind::Told(told)))
        }
        Deed::LinkSent { leader } => Some((leader, NoticeKind::NewLink)),
        _ => None,
    };
    if let Some((leader, kind)) = to_one {
        let span = before.earliest_open().map(|open| open.window);
        return vec![Word { leader, kind, span, entries: Vec::new() }];
    }
    if before.status != Status::Open {
        return Vec::new();
    }
    let (old, new) = (answering(before, today), answering(after, today));
    let tell = |leaders: Vec<&'t str>, kind: NoticeKind, span, entries: Vec<Entry>| {
        let word = |leader| Word { leader, kind: kind.clone(), span, entries: entries.clone() };
        leaders.into_iter().map(word).collect::<Vec<_>>()
    };
    let all_off = || open(before).filter_map(off).collect();
    let is_news = is_leader || new.len() > 1;
    match deed {
        Deed::Done if is_news => {
            let closed: Vec<&BookWindow> = closed(before, after).collect();
            let goes_on = after.status == Status::Open;
            let span = closed.first().filter(|_| goes_on).map(|was| was.window);
            tell(new, NoticeKind::Done, span, closed.into_iter().filter_map(off).collect())
        }
        Deed::Cancelled if is_news => tell(new, NoticeKind::Cancelled, None, all_off()),
        Deed::Postponed { reason } => moved(before, after).map_or_else(Vec::new, |(was, is)| {
            let from = was.map(|was| was.window);
            let kind = NoticeKind::NewDeadline { from, reason: reason.clone() };
            tell(new, kind, Some(is.window), on(is).or(was.and_then(off)).into_iter().collect())
        }),
        Deed::Assigned | Deed::HandedOver => {
            let open = after.earliest_open();
            let without = |these: &[&'t str], those: &[&str]| {
                these.iter().copied().filter(|leader| !those.contains(leader)).collect()
            };
            let entries = open.and_then(on).into_iter().collect();
            let window = open.map(|open| open.window);
            let mut words = tell(without(&new, &old), NoticeKind::HandedOver, window, entries);
            words.extend(tell(without(&old, &new), NoticeKind::TakenOver, None, all_off()));
            words
        }
        Deed::Done
        | Deed::Cancelled
        | Deed::Reopened
        | Deed::Confirmed
        | Deed::Snoozed
        | Deed::Woken
        | Deed::Disowned
        | Deed::Owned
        | Deed::Proposed
        | Deed::ProposalWithdrawn
        | Deed::ProposalRefused { .. }
        | Deed::LinkSent { .. } => Vec::new(),
    }
}

/// Those who answer for a commitment on a day, in its order; not those who take over later.
fn answering(commitment: &Commitment, day: NaiveDate) -> Vec<&str> {
    let responsible = commitment.responsible.iter();
    responsible
        .filter(|one| one.since.is_none_or(|since| since <= day))
        .map(|one| one.leader.as_str())
        .collect()
}

/// The windows that an edit closed.
fn closed<'t>(
    before: &'t Commitment,
    after: &'t Commitment,
) -> impl Iterator<Item = &'t BookWindow> {
    open(before).filter(|was| open(after).all(|is| is.number != was.number))
}

/// The window that an edit moved: as it was, if it was there, and as it is.
fn moved<'t>(
    before: &'t Commitment,
    after: &'t Commitment,
) -> Option<(Option<&'t BookWindow>, &'t BookWindow)> {
    let was = |number| open(before).find(|was| was.number == number);
    let mut pairs = open(after).map(|is| (was(is.number), is));
    pairs.find(|(was, is)| was.map(|was| was.window) != Some(is.window))
}

/// Its entry is put in the calendar, or moved.
fn on(window: &BookWindow) -> Option<Entry> {
    Some(Entry { window: window.number, due: window.window.due?, is_off: false })
}

/// Its entry is taken out.
fn off(window: &BookWindow) -> Option<Entry> {
    on(window).map(|entry| Entry { is_off: true, ..entry })
}

fn open(commitment: &Commitment) -> impl Iterator<Item = &BookWindow> {
    commitment.windows.iter().filter(|window| window.closed_on.is_none())
}
