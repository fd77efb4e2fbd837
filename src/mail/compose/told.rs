//! What leaders do on the pages and the secretariat should know.

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
}

impl Told {
    /// `remarked`, `given_on`, `taken_back`, `not_mine`, `mine_after_all`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Remarked { .. } => "remarked",
            Self::GivenOn { .. } => "given_on",
            Self::TakenBack => "taken_back",
            Self::NotMine { .. } => "not_mine",
            Self::MineAfterAll => "mine_after_all",
        }
    }

    /// What people said; empty when nothing.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Remarked { text } | Self::NotMine { text } => text,
            Self::GivenOn { .. } | Self::TakenBack | Self::MineAfterAll => "",
        }
    }

    /// Name of the colleague it went to; empty when it went to none.
    pub(super) fn to(&self) -> &str {
        if let Self::GivenOn { to } = self { to } else { "" }
    }
}
