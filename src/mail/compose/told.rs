//! What leaders do on the pages and the secretariat should know, and the one answer that is no edit.

use crate::domain::window::Window;

/// What it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Done, with something to say about it.
    Remarked {
        /// In the leader's words.
        text: String,
    },
    /// A colleague has it now.
    GivenOn {
        /// Name of the colleague.
        to: String,
    },
    /// Back with the one who had given it on.
    TakenBack,
    /// Somebody else should have it.
    NotMine {
        /// In the leader's words; may be empty.
        text: String,
    },
    /// That was a mistake.
    MineAfterAll,
    /// Another deadline is wanted.
    Proposed {
        /// Which.
        wanted: Window,
        /// Why, in the leader's words.
        text: String,
    },
    /// And not any more.
    ProposalWithdrawn,
    /// To the leader who wanted it: the deadline stays.
    ProposalRefused {
        /// What was wanted.
        wanted: Window,
        /// Why not, in the secretariat's words; may be empty.
        text: String,
    },
}

impl Told {
    /// `remarked`, `given_on`, `taken_back`, `not_mine`, `mine_after_all`, `proposed`, `proposal_withdrawn`,
    /// `proposal_refused`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Remarked { .. } => "remarked",
            Self::GivenOn { .. } => "given_on",
            Self::TakenBack => "taken_back",
            Self::NotMine { .. } => "not_mine",
            Self::MineAfterAll => "mine_after_all",
            Self::Proposed { .. } => "proposed",
            Self::ProposalWithdrawn => "proposal_withdrawn",
            Self::ProposalRefused { .. } => "proposal_refused",
        }
    }

    /// What people said; empty when nothing.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Remarked { text } | Self::NotMine { text } => text,
            Self::Proposed { text, .. } | Self::ProposalRefused { text, .. } => text,
            Self::GivenOn { .. } | Self::TakenBack => "",
            Self::MineAfterAll | Self::ProposalWithdrawn => "",
        }
    }

    /// The days that are or were wanted.
    pub(super) fn wanted(&self) -> Option<&Window> {
        match self {
            Self::Proposed { wanted, .. } | Self::ProposalRefused { wanted, .. } => Some(wanted),
            _ => None,
        }
    }

    /// Name of the colleague it went to; empty when it went to none.
    pub(super) fn to(&self) -> &str {
        if let Self::GivenOn { to } = self { to } else { "" }
    }
}
