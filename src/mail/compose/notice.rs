//! Notices: one thing that happened to commitments, told to one person.

use chrono::NaiveDate;
use serde::Serialize;

use super::calendar::{self, Entry, Planned, few};
use super::letter::{ItemView, Why};
use super::scribe::Scribe;
use super::{ComposeError, Told, text, words};
use crate::domain::address::Mailbox;
use crate::domain::leader::{Capacity, Language};
use crate::domain::window::Window;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeKind {
    /// To the new responsible: it is theirs now.
    HandedOver,
    /// To the former responsible: someone else has it now.
    TakenOver,
    /// To those responsible beside the one who did it.
    Done,
    /// To the one who said on a page that it is done.
    Receipt,
    /// To everyone responsible: it is given up.
    Cancelled,
    /// To everyone responsible.
    NewDeadline {
        /// The window as it was; the notice's own is the new one.
        from: Option<Window>,
        /// In people's words; may be empty.
        reason: String,
    },
    /// To a leader whose link had expired.
    NewLink,
    /// To the secretariat: what a leader did on a page.
    Told(Told),
    /// To the secretariat: a mail did not arrive, and the leader knows nothing.
    Undelivered {
        /// Who should have got it.
        to: Mailbox,
        /// Number of the message: what `resend` takes.
        message: i64,
        /// Why, in the words of the server or our own.
        cause: String,
    },
}

impl NoticeKind {
    /// `handed_over`, `taken_over`, `done`, `receipt`, `cancelled`, `new_deadline`, `new_link`, `undelivered`, or a name of [`Told`].
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::HandedOver => "handed_over",
            Self::TakenOver => "taken_over",
            Self::Done => "done",
            Self::Receipt => "receipt",
            Self::Cancelled => "cancelled",
            Self::NewDeadline { .. } => "new_deadline",
            Self::NewLink => "new_link",
            Self::Told(told) => told.name(),
            Self::Undelivered { .. } => "undelivered",
        }
    }

    /// The file name of its templates, without the ending; the templates know the letter by it, too.
    pub(super) fn template(&self) -> &'static str {
        match self {
            Self::Told(_) => "told",
            Self::Undelivered { .. } => "undelivered",
            _ => "notice",
        }
    }

    /// Whether its reader answers for what it is about: a confidential commitment shows itself to no other.
    fn is_for_the_responsible(&self) -> bool {
        match self {
            Self::Told(told) => matches!(told, Told::ProposalRefused { .. }),
            Self::TakenOver | Self::Undelivered { .. } => false,
            _ => true,
        }
    }
}

/// A notice to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What happened.
    pub kind: NoticeKind,
    /// Number of the event in the store that caused it, the first of several, or of the message that failed: makes the
    /// Message-ID its own.
    pub event: i64,
    /// The day of sending.
    pub on: NaiveDate,
    /// Name and address.
    pub to: Mailbox,
    /// Language of the mail.
    pub language: Language,
    /// Names of who did it; for [`NoticeKind::TakenOver`] of who has it now. Empty for the secretariat.
    pub by: Vec<String>,
    /// References of the responsible leaders meant, each with why this reader gets it.
    pub about: Vec<(String, Capacity)>,
    /// What it happened to; at least one.
    pub items: Vec<NoticeItem>,
}

/// A commitment that something happened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeItem {
    /// Its reference.
    pub commitment: String,
    /// The window it is about; `None` when it is about none in particular.
    pub span: Option<Window>,
    /// What becomes of its windows in the reader's calendar.
    pub entries: Vec<Entry>,
}

/// What the template of notices gets.
#[derive(Debug, Serialize)]
pub(super) struct NoticeView {
    kind: &'static str,
    language: &'static str,
    reader: String,
    /// A name of [`NoticeKind`].
    event: &'static str,
    by: String,
    /// Whom it is really for, where the reader stands in for them.
    other: String,
    /// Whom it went to, where a leader gave it on; who got no mail.
    to: String,
    /// Where that mail went.
    address: String,
    /// Number of that mail.
    message: i64,
    /// The days that a leader wants.
    wanted: Option<String>,
    /// Why the reader stands in.
    why: Vec<Why>,
    /// The old days, where they were dated and had an end.
    from: Option<String>,
    reason: String,
    count: usize,
    items: Vec<ItemView>,
}

impl NoticeView {
    /// With what goes beside it.
    pub(super) fn new(
        scribe: &Scribe<'_>,
        notice: &Notice,
    ) -> Result<(Self, Vec<Planned>), ComposeError> {
        if notice.items.is_empty() {
            return Err(ComposeError::Empty(notice.to.address.clone()));
        }
        let (from, reason) = match &notice.kind {
            NoticeKind::NewDeadline { from, reason } => (*from, reason.as_str()),
            NoticeKind::Told(told) => (None, told.text()),
            NoticeKind::Undelivered { cause, .. } => (None, cause.as_str()),
            _ => (None, ""),
        };
        let (to, address, message) = match &notice.kind {
            NoticeKind::Undelivered { to, message, .. } => {
                (to.name.as_str(), to.address.as_str(), *message)
            }
            NoticeKind::Told(told) => (told.to(), "", 0),
            _ => ("", "", 0),
        };
        let told = if let NoticeKind::Told(told) = &notice.kind { Some(told) } else { None };
        let by: Vec<String> = notice.by.iter().map(|name| scribe.short(name)).collect();
        let is_theirs = notice.about.iter().any(|(_, capacity)| *capacity == Capacity::Self_);
        let about = if is_theirs { &[][..] } else { &notice.about };
        let others: Vec<String> = about.iter().map(|(leader, _)| scribe.name(leader)).collect();
        let items: Vec<ItemView> =
            notice.items.iter().map(|item| view(scribe, notice, item)).collect::<Result<_, _>>()?;
        let entry = |(item, view): (&NoticeItem, &ItemView), entry: &Entry| {
            calendar::entry(&scribe.facts, &item.commitment, view, entry.clone())
        };
        let entries = notice.items.iter().zip(&items);
        let entries =
            entries.flat_map(|both| both.0.entries.iter().map(move |one| entry(both, one)));
        let calendar = few(entries);
        let view = Self {
            kind: notice.kind.template(),
            language: notice.language.code(),
            reader: scribe.short(&notice.to.name),
            event: notice.kind.name(),
            by: words::list(scribe.language, &by),
            other: words::list(scribe.language, &others),
            to: scribe.short(to),
            address: address.to_owned(),
            message,
            wanted: told.and_then(Told::wanted).map(|days| words::span(scribe.language, days)),
            why: scribe.why(about),
            from: from.and_then(|from| from.due).map(|due| words::day(scribe.language, due)),
            reason: text::fit(reason, scribe.room.quote.max(scribe.room.other)),
            count: notice.items.len(),
            items,
        };
        Ok((view, calendar))
    }
}

fn view(scribe: &Scribe<'_>, notice: &Notice, item: &NoticeItem) -> Result<ItemView, ComposeError> {
    let commitment = scribe.commitment(&item.commitment)?;
    let due = item.span.and_then(|span| span.due);
    let days_left = due.map(|due| (due - scribe.on).num_days());
    let is_theirs = matches!(
        notice.kind,
        NoticeKind::HandedOver
            | NoticeKind::NewDeadline { .. }
            | NoticeKind::NewLink
            | NoticeKind::Receipt
    );
    let about = notice.about.first().filter(|_| is_theirs);
    let reader =
        about.and_then(|(leader, _)| scribe.facts.people.receiver(leader, notice.on).leader);
    let link = scribe.link(&item.commitment, reader.as_deref());
    let view = ItemView { link, ..scribe.about(commitment, item.span.as_ref(), days_left) };
    let is_discreet = commitment.confidential && !notice.kind.is_for_the_responsible();
    Ok(if is_discreet { view.discreet() } else { view })
}
