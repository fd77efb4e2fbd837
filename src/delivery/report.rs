//! The report to the secretariat: what a person should look at. What is overdue is named once, and what did not arrive;
//! what has no date or no reader is named until it has.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::pass::Desk;
use super::state::State;
use crate::domain::address::Mailbox;
use crate::domain::commitment::{Commitment, Status};
use crate::domain::leader::People;
use crate::mail::compose::{Facts, Failure, Letter, OverdueLine, Report};
use crate::store::outbox::LogRow;
use crate::store::{self, Which};

impl Desk<'_> {
    /// Freezes the report, if there is anything in it and the store is not on hold.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn post_report(&self) -> Result<(), store::Error> {
        if self.store.on_hold().await?.is_some() {
            return Ok(());
        }
        let facts = self.facts(Which::All).await?;
        let earlier = self.store.reported().await?;
        let today = self.today();
        let open = || facts.book.iter().filter(|one| one.status == Status::Open);
        let waiting = facts.book.iter().filter(|one| one.status == Status::NeedsDate);
        let report = Report {
            on: today,
            overdue: open()
                .filter_map(|one| overdue(one, today))
                .filter(|line| !earlier.items.contains(&item(line)))
                .collect(),
            needs_date: waiting.map(|one| one.reference.clone()).collect(),
            vacancies: vacancies(open(), &facts.people, today),
            failed: failures(self.store.log(earlier.at).await?),
        };
        if report == (Report { on: today, ..Report::default() }) {
            return Ok(());
        }
        let sender = self.sender().await?;
        let book = |reference: &str| facts.commitment(reference);
        let (people, links) = (&facts.people, self.links());
        let letter_facts =
            Facts { sender: &sender, people, book: &book, last_event: &|_| 0, links };
        // Without templates that work there is no report, and the log says so; the next one makes up for it.
        if let Ok(mut message) = self.seal(Letter::Report(&report), &letter_facts) {
            message.items = report.overdue.iter().map(item).collect();
            self.store.freeze(&[message], self.clock.now()).await?;
        }
        Ok(())
    }
}

/// The line about a commitment whose earliest open window is past its deadline.
fn overdue(commitment: &Commitment, today: NaiveDate) -> Option<OverdueLine> {
    let due = commitment.earliest_open()?.window.due.filter(|due| *due < today)?;
    Some(OverdueLine { commitment: commitment.reference.clone(), due })
}

/// How the outbox remembers that a line was in a report.
fn item(line: &OverdueLine) -> (String, String) {
    (line.commitment.clone(), format!("overdue since {}", line.due))
}

/// Leaders whom no mail can reach and who answer for something that is open.
fn vacancies<'b>(
    open: impl Iterator<Item = &'b Commitment> + Clone,
    people: &People,
    today: NaiveDate,
) -> Vec<String> {
    people
        .iter()
        .filter(|leader| leader.is_vacant(today))
        .filter(|leader| {
            let mut duties = open.clone().flat_map(|one| &one.responsible);
            duties.any(|responsible| responsible.leader == leader.reference)
        })
        .map(|leader| leader.reference.clone())
        .collect()
}

/// The messages whose last attempt failed for good, each once.
fn failures(attempts: Vec<LogRow>) -> Vec<Failure> {
    let last: BTreeMap<i64, LogRow> =
        attempts.into_iter().map(|attempt| (attempt.id, attempt)).collect();
    let is_lost = |state| matches!(state, State::Rejected | State::Expired | State::Held);
    last.into_values()
        .filter(|attempt| is_lost(attempt.state))
        .filter_map(|attempt| {
            let to = Mailbox { address: attempt.to.parse().ok()?, name: attempt.name };
            let mut commitments = attempt.commitments;
            commitments.dedup();
            Some(Failure { to, commitments, cause: attempt.reply })
        })
        .collect()
}
