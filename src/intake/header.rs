//! The columns of a sheet, and what it is about.

use super::nearest::{hint, nearest};
use super::problem::{Flaw, Place, Problem};

/// Columns of a sheet of leaders.
pub const LEADER_COLUMNS: [&str; 12] = [
    "reference",
    "name",
    "email",
    "role",
    "unit",
    "manager",
    "deputy",
    "language",
    "active_from",
    "active_to",
    "absent_from",
    "absent_to",
];

/// Columns of a sheet of commitments.
pub const COMMITMENT_COLUMNS: [&str; 13] = [
    "reference",
    "title",
    "kind",
    "deadline",
    "responsible",
    "organisation",
    "document",
    "document_date",
    "section",
    "quote",
    "confidential",
    "status",
    "adopted_on",
];

/// What a sheet is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Sort {
    Leaders,
    Commitments,
}

impl Sort {
    /// The sort whose columns the header names most of; `None` when it favours neither.
    pub(super) fn of_header(names: &[String]) -> Option<Self> {
        let known = |sort: Self| names.iter().filter(|name| sort.column(name).is_some()).count();
        match known(Self::Leaders).cmp(&known(Self::Commitments)) {
            std::cmp::Ordering::Greater => Some(Self::Leaders),
            std::cmp::Ordering::Less => Some(Self::Commitments),
            std::cmp::Ordering::Equal => None,
        }
    }

    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Leaders => &LEADER_COLUMNS,
            Self::Commitments => &COMMITMENT_COLUMNS,
        }
    }

    fn required(self) -> &'static [&'static str] {
        match self {
            Self::Leaders => &["reference", "name", "email"],
            Self::Commitments => &["reference", "title", "deadline", "responsible"],
        }
    }

    fn column(self, name: &str) -> Option<&'static str> {
        self.columns().iter().copied().find(|column| *column == name)
    }
}

/// The known column under each name of a header; `None` for those that are refused.
pub(super) fn read(
    names: &[String],
    sort: Sort,
    place: &Place,
    problems: &mut Vec<Problem>,
) -> Vec<Option<&'static str>> {
    let mut columns = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let column = sort.column(name);
        let flaw = match column {
            None if name.is_empty() => {
                let what = format!("column {} has no name", index + 1);
                Some(Flaw::new(what, "Name it, or delete the column."))
            }
            None => Some(unknown_column(name, sort)),
            Some(_) if columns.contains(&column) => {
                Some(Flaw::new("this column stands twice", "Keep one of the two."))
            }
            Some(_) => None,
        };
        columns.push(column.filter(|_| flaw.is_none()));
        problems.extend(flaw.map(|flaw| place.problem(name, flaw)));
    }
    for missing in sort.required().iter().filter(|name| !columns.contains(&Some(**name))) {
        let hint = format!("Add it; required are {}.", sort.required().join(", "));
        problems.push(place.problem(missing, Flaw::new("this column is missing", hint)));
    }
    columns
}

fn unknown_column(name: &str, sort: Sort) -> Flaw {
    let hint = hint(nearest(name, sort.columns().iter().copied()), || {
        format!("Rename or delete it; known are {}.", sort.columns().join(", "))
    });
    Flaw::new("this column is not known", hint)
}

/// What to do about a header that says nothing.
pub(super) fn wanted() -> String {
    format!(
        "Begin with a line of column names, separated by comma, semicolon or tab: leaders need {}; \
         commitments need {}.",
        Sort::Leaders.required().join(", "),
        Sort::Commitments.required().join(", ")
    )
}
