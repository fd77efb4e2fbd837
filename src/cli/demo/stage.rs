//! Stages: the steps without their numbers, as the picture shows them.

use anstyle::{AnsiColor, Style};

use crate::domain::rule::Step;

/// What a cell of the picture stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Before,
    Opens,
    Due,
    Overdue,
    Escalation,
}

impl Stage {
    /// Every stage, in the order of the steps.
    pub(super) const ALL: [Self; 5] =
        [Self::Before, Self::Opens, Self::Due, Self::Overdue, Self::Escalation];

    /// The stage of a step.
    pub(super) fn of(step: Step) -> Self {
        match step {
            Step::Before(_) => Self::Before,
            Step::Opens => Self::Opens,
            Step::Due => Self::Due,
            Step::Overdue(_) => Self::Overdue,
            Step::Escalate(_) => Self::Escalation,
        }
    }

    /// So many cells of the stage, in its colour. Character and colour both tell the stage, since colour may be stripped;
    /// the darker, the more pressing. The characters are those of code page 437, one column wide in every terminal.
    pub(super) fn cells(self, count: usize) -> String {
        let (style, cell) = match self {
            Self::Before => (AnsiColor::Cyan.on_default(), "░"),
            Self::Opens => (AnsiColor::Green.on_default(), "▒"),
            Self::Due => (AnsiColor::Yellow.on_default(), "▓"),
            Self::Overdue => (AnsiColor::Red.on_default(), "█"),
            Self::Escalation => (AnsiColor::Magenta.on_default().bold(), "▲"),
        };
        let style = if count == 0 { Style::new() } else { style };
        format!("{style}{}{style:#}", cell.repeat(count))
    }

    /// What it is called.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Opens => "opens",
            Self::Due => "due",
            Self::Overdue => "overdue",
            Self::Escalation => "escalation",
        }
    }
}
