//! The report: what the secretariat should look at this week.

use chrono::NaiveDate;
use serde::Serialize;

use super::scribe::{Scribe, vacancy};
use super::{text, words};
use crate::domain::address::Mailbox;

/// The secretariat's report. Every list in the order to be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The day of sending.
    pub on: NaiveDate,
    /// Commitments past their deadline.
    pub overdue: Vec<OverdueLine>,
    /// References of commitments that wait for a date.
    pub needs_date: Vec<String>,
    /// References of leaders who cannot be reached and answer for something.
    pub vacancies: Vec<String>,
    /// Mails that did not arrive.
    pub failed: Vec<Failure>,
}

/// A commitment past its deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverdueLine {
    /// Its reference.
    pub commitment: String,
    /// The deadline.
    pub due: NaiveDate,
}

/// A mail that did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Who should have got it.
    pub to: Mailbox,
    /// References of the commitments it was about.
    pub commitments: Vec<String>,
    /// Why, in the words of the server or our own.
    pub cause: String,
}

/// What the template of the report gets.
#[derive(Debug, Serialize)]
pub(super) struct ReportView {
    kind: &'static str,
    language: &'static str,
    reader: String,
    on: String,
    overdue: Vec<OverdueView>,
    needs_date: Vec<UndatedView>,
    vacancies: Vec<VacancyView>,
    failed: Vec<FailureView>,
}

#[derive(Debug, Serialize)]
struct OverdueView {
    reference: String,
    title: String,
    due: String,
    days: i64,
    responsible: String,
}

#[derive(Debug, Serialize)]
struct UndatedView {
    reference: String,
    title: String,
    phrase: String,
    responsible: String,
}

#[derive(Debug, Serialize)]
struct VacancyView {
    name: String,
    role: String,
    reason: &'static str,
}

#[derive(Debug, Serialize)]
struct FailureView {
    name: String,
    address: String,
    commitments: String,
    cause: String,
}

impl ReportView {
    pub(super) fn new(scribe: &Scribe<'_>, report: &Report) -> Self {
        Self {
            kind: "report",
            language: scribe.language.code(),
            reader: scribe.short(&scribe.facts.people.secretariat().mailbox.name),
            on: words::day(scribe.language, report.on),
            overdue: report.overdue.iter().map(|line| scribe.overdue(line)).collect(),
            needs_date: report.needs_date.iter().map(|line| scribe.undated(line)).collect(),
            vacancies: report.vacancies.iter().map(|line| scribe.vacancy(line)).collect(),
            failed: report.failed.iter().map(|line| scribe.failure(line)).collect(),
        }
    }
}

impl Scribe<'_> {
    fn overdue(&self, line: &OverdueLine) -> OverdueView {
        OverdueView {
            reference: self.short(&line.commitment),
            title: self.open_title(&line.commitment),
            due: words::short(self.language, line.due),
            days: (self.on - line.due).num_days(),
            responsible: self.responsible(&line.commitment),
        }
    }

    fn undated(&self, reference: &str) -> UndatedView {
        let found = (self.facts.book)(reference).filter(|found| !found.confidential);
        UndatedView {
            reference: self.short(reference),
            title: self.open_title(reference),
            phrase: found
                .map(|found| text::fit(&found.phrase, self.room.other))
                .unwrap_or_default(),
            responsible: self.responsible(reference),
        }
    }

    fn vacancy(&self, reference: &str) -> VacancyView {
        let leader = self.facts.people.get(reference);
        VacancyView {
            name: self.name(reference),
            role: leader.map(|leader| self.short(&leader.role)).unwrap_or_default(),
            reason: vacancy(leader, self.on),
        }
    }

    fn failure(&self, failure: &Failure) -> FailureView {
        let references: Vec<String> =
            failure.commitments.iter().map(|reference| self.short(reference)).collect();
        FailureView {
            name: self.short(&failure.to.name),
            address: failure.to.address.to_string(),
            commitments: words::list(self.language, &references),
            cause: text::fit(&failure.cause, self.room.other),
        }
    }

    /// The title of a commitment that everyone in the secretariat may know of; else empty.
    fn open_title(&self, reference: &str) -> String {
        let found = (self.facts.book)(reference).filter(|found| !found.confidential);
        found.map(|found| text::fit(&found.title, self.room.title)).unwrap_or_default()
    }

    fn responsible(&self, reference: &str) -> String {
        let found = (self.facts.book)(reference);
        let responsible = found.map_or(&[][..], |found| &found.responsible);
        let names: Vec<String> = responsible.iter().map(|one| self.name(&one.leader)).collect();
        words::list(self.language, &names)
    }
}
