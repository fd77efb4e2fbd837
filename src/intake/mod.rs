//! What comes in from outside: CSV sheets, read into rows or into every problem at once.
//!
//! [`read`] looks at each sheet alone: encoding, header, cells. [`check`] looks across rows and the store: who is named
//! where, kinds, days that do not exist. [`likely_doubles`] finds what was probably entered twice.

mod cell;
mod check;
mod dialect;
mod doubles;
mod encoding;
mod header;
mod nearest;
mod problem;
mod row;
mod table;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

pub use cell::{DeadlineCell, deadline};
pub use check::{Known, check, circles};
pub use doubles::{Promise, Titles, likely_doubles};
pub use header::{COMMITMENT_COLUMNS, LEADER_COLUMNS};
pub use nearest::nearest;
pub use problem::{Place, Problem};
pub use row::{CommitmentRow, LeaderRow};
pub use table::{CELL_CHARS_MAX, REFERENCE_CHARS_MAX, TITLE_CHARS_MAX};

use header::Sort;
use problem::Flaw;
use row::Cells;
use table::Table;

/// A file as it was handed in.
#[derive(Debug, Clone, Copy)]
pub struct SourceFile<'a> {
    /// Its name, as problems show it.
    pub name: &'a str,
    /// All of its bytes.
    pub bytes: &'a [u8],
}

/// The rows of all files, in the order of the files and of their lines.
#[derive(Debug, Clone, Default)]
pub struct Sheets {
    /// Rows of the files whose header is that of leaders.
    pub leaders: Vec<LeaderRow>,
    /// Rows of the files whose header is that of commitments.
    pub commitments: Vec<CommitmentRow>,
}

/// Reads CSV files of leaders and commitments; each is known by its header.
///
/// Rows without a single filled cell are passed over: spreadsheets leave them behind.
///
/// # Errors
/// Every problem, in the order of files and lines; then no row is given at all.
pub fn read(files: &[SourceFile<'_>]) -> Result<Sheets, Vec<Problem>> {
    let mut reading = Reading::default();
    for file in files {
        if let Err(problem) = reading.file(file) {
            reading.problems.push(problem);
        }
    }
    if reading.problems.is_empty() { Ok(reading.sheets) } else { Err(reading.problems) }
}

#[derive(Default)]
struct Reading {
    sheets: Sheets,
    problems: Vec<Problem>,
    seen: HashMap<(Sort, String), Place>,
}

impl Reading {
    /// Reads one file; `Err` when it is no table, so that nothing can be said about its rows.
    fn file(&mut self, file: &SourceFile<'_>) -> Result<(), Problem> {
        let text = encoding::text(file)?;
        let mut table = Table::open(file.name, text, &mut self.problems)?;
        while let Some((place, cells)) = table.next_row(&mut self.problems) {
            self.refuse_second(table.sort(), &place, &cells);
            match table.sort() {
                Sort::Leaders => {
                    let row = LeaderRow::read(place, cells, &mut self.problems);
                    self.sheets.leaders.extend(row);
                }
                Sort::Commitments => {
                    let row = CommitmentRow::read(place, cells, &mut self.problems);
                    self.sheets.commitments.extend(row);
                }
            }
        }
        Ok(())
    }

    fn refuse_second(&mut self, sort: Sort, place: &Place, cells: &Cells) {
        let Some(reference) = cells.get("reference").filter(|reference| !reference.is_empty())
        else {
            return;
        };
        match self.seen.entry((sort, reference.to_owned())) {
            Entry::Occupied(first) => {
                let what = format!("\"{reference}\" stands already at {}", first.get());
                let flaw =
                    Flaw::new(what, "Keep one of the two rows, or give one a new reference.");
                self.problems.push(place.problem("reference", flaw));
            }
            Entry::Vacant(unseen) => drop(unseen.insert(place.clone())),
        }
    }
}
