//! Commitments that were probably entered twice.

use super::rows::Phrases;
use crate::cli::setting::Setting;
use crate::domain::commitment::Commitment;
use crate::domain::window::Window;
use crate::intake::{self, CommitmentRow, Promise, Sheets, Titles};
use crate::store::Which;

/// Pairs of commitments that look like one. Only what shares its title with another is looked at closely.
pub(super) async fn doubles(
    setting: &Setting,
    sheets: &Sheets,
    references: &[&str],
    phrases: &Phrases,
) -> anyhow::Result<Vec<(String, String)>> {
    let others = setting.store.titles_without(references).await?;
    let mut titles = Titles::default();
    others.iter().for_each(|(_, title)| titles.add(title));
    sheets.commitments.iter().for_each(|row| titles.add(&row.title));

    let namesakes: Vec<&str> = others
        .iter()
        .filter(|(_, title)| titles.stands_again(title))
        .map(|(reference, _)| reference.as_str())
        .collect();
    let (book, _) = setting.store.book(Which::These(&namesakes)).await?;
    let existing: Vec<Held> = book.iter().map(Held::of).collect();
    let today = setting.clock.today();
    let rows = sheets.commitments.iter().filter(|row| titles.stands_again(&row.title));
    let imported: Vec<(&CommitmentRow, Vec<Window>)> = rows
        .map(|row| {
            let read = phrases.read(&row.deadline, row.reference_date(today));
            (row, read.map(|deadline| deadline.windows).unwrap_or_default())
        })
        .collect();
    let imported: Vec<Promise<'_>> = imported
        .iter()
        .map(|(row, windows)| Promise {
            reference: &row.reference,
            title: &row.title,
            phrase: &row.deadline,
            windows,
            responsible: &row.responsible,
        })
        .collect();
    let existing: Vec<Promise<'_>> = existing.iter().map(Held::promise).collect();
    Ok(intake::likely_doubles(&imported, &existing))
}

/// A commitment of the book, as promises are compared.
struct Held<'b> {
    commitment: &'b Commitment,
    windows: Vec<Window>,
    responsible: Vec<String>,
}

impl<'b> Held<'b> {
    fn of(commitment: &'b Commitment) -> Self {
        let windows = commitment.windows.iter().map(|window| window.window).collect();
        let responsible = commitment.responsible.iter().map(|one| one.leader.clone()).collect();
        Self { commitment, windows, responsible }
    }

    fn promise(&self) -> Promise<'_> {
        Promise {
            reference: &self.commitment.reference,
            title: &self.commitment.title,
            phrase: &self.commitment.phrase,
            windows: &self.windows,
            responsible: &self.responsible,
        }
    }
}
