//! A CSV text to rows of cleaned cells under known columns.

use std::borrow::Cow;
use std::sync::Arc;

use csv::{Reader, StringRecord};
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::dialect::{self, Lines};
use super::header::{self, Sort};
use super::problem::{Flaw, Place, Problem};
use super::row::Cells;
use crate::domain::address::{clean_name, is_unsafe};

/// Longest reference, in characters.
pub const REFERENCE_CHARS_MAX: usize = 100;
/// Longest title of a commitment, in characters.
pub const TITLE_CHARS_MAX: usize = 1_000;
/// Longest cell of any other column, in characters.
pub const CELL_CHARS_MAX: usize = 10_000;

/// A CSV text whose header is known, read row by row.
pub(super) struct Table<'a> {
    file: Arc<str>,
    sort: Sort,
    columns: Vec<Option<&'static str>>,
    reader: Reader<&'a [u8]>,
    record: StringRecord,
    lines: Lines<'a>,
}

impl<'a> Table<'a> {
    /// Reads the header; what is wrong with single columns goes to `problems`, and their cells are passed over.
    ///
    /// # Errors
    /// The one problem that keeps the rows from being read.
    pub(super) fn open(
        name: &str,
        text: &'a str,
        problems: &mut Vec<Problem>,
    ) -> Result<Self, Problem> {
        let file: Arc<str> = name.into();
        let bytes = text.as_bytes();
        let delimiter = dialect::delimiter(bytes);
        let mut lines = Lines::new(bytes);
        if let Some(offset) = dialect::badly_quoted(bytes, delimiter) {
            let place = Place { file, line: lines.of(offset) };
            return Err(place.row_problem(bad_quotes()));
        }
        let mut reader = dialect::csv_reader(bytes, delimiter);
        let mut record = StringRecord::new();
        if !reader.read_record(&mut record).is_ok_and(|found| found) {
            return Err(Problem::of_file(&file, Flaw::new("the file is empty", header::wanted())));
        }
        let names: Vec<String> = record.iter().map(|name| name.trim().to_lowercase()).collect();
        let place = Place { file: Arc::clone(&file), line: lines.of_record(record.position()) };
        let sort = Sort::of_header(&names).ok_or_else(|| {
            let what = "the header is neither that of leaders nor that of commitments";
            place.row_problem(Flaw::new(what, header::wanted()))
        })?;
        let columns = header::read(&names, sort, &place, problems);
        Ok(Self { file, sort, columns, reader, record, lines })
    }

    pub(super) fn sort(&self) -> Sort {
        self.sort
    }

    /// The next row that can be taken apart and has a filled cell.
    pub(super) fn next_row(&mut self, problems: &mut Vec<Problem>) -> Option<(Place, Cells)> {
        while self.reader.read_record(&mut self.record).is_ok_and(|found| found) {
            if self.record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let line = self.lines.of_record(self.record.position());
            let place = Place { file: Arc::clone(&self.file), line };
            if self.record.len() != self.columns.len() {
                let flaw = ragged(self.record.len(), self.columns.len());
                problems.push(place.row_problem(flaw));
                continue;
            }
            let cells = self.cells(&place, problems);
            return Some((place, cells));
        }
        None
    }

    fn cells(&self, place: &Place, problems: &mut Vec<Problem>) -> Cells {
        let mut cells = Cells(Vec::with_capacity(self.columns.len()));
        for (column, raw) in self.columns.iter().zip(&self.record) {
            let Some(column) = column else { continue };
            match clean(column, raw) {
                Ok(text) => cells.0.push((column, text)),
                Err(flaw) => problems.push(place.problem(column, flaw)),
            }
        }
        cells
    }
}

fn ragged(cells: usize, columns: usize) -> Flaw {
    Flaw::new(
        format!("the row has {cells} cells, the header {columns}"),
        "Put cells that hold the separator or a line break in double quotes.",
    )
}

fn bad_quotes() -> Flaw {
    Flaw::new(
        "a cell begins with a double quote that is not closed at its end",
        "Close it before the separator, and write a double quote inside a quoted cell twice.",
    )
}

/// The cell as rows are compared and shown: NFC, without invisible marks of direction and surrounding space; in one
/// line, but for a quotation and a deadline, whose line breaks mean something.
fn clean(column: &str, raw: &str) -> Result<String, Flaw> {
    let cell = match column {
        "name" => return Ok(clean_name(&composed(raw))),
        _ if is_clean(raw) => raw.to_owned(),
        "quote" | "deadline" => in_plain_lines(&composed(raw)),
        _ => in_one_line(&composed(raw)),
    };
    if let Some(control) = cell.chars().find(|c| c.is_control() && !c.is_whitespace()) {
        let what = format!("the cell holds the control character U+{:04X}", u32::from(control));
        return Err(Flaw::new(what, "Type the cell again."));
    }
    let chars_max = chars_max(column);
    if cell.len() > chars_max && cell.chars().count() > chars_max {
        let what = format!("the cell has {} characters", cell.chars().count());
        return Err(Flaw::new(what, format!("Shorten it to at most {chars_max}.")));
    }
    Ok(cell)
}

/// Whether nothing in it need be cleaned, which is so of nearly every cell. Whatever comes before U+0300 is NFC (UAX #15),
/// and invisible only if it is a control character.
fn is_clean(raw: &str) -> bool {
    let mut after_space = true;
    let is_clean = raw.chars().all(|c| {
        let is_doubled = after_space && c == ' ';
        after_space = c == ' ';
        c < '\u{300}' && !is_doubled && (c == ' ' || !c.is_whitespace()) && !c.is_control()
    });
    is_clean && (raw.is_empty() || !after_space)
}

fn composed(raw: &str) -> Cow<'_, str> {
    if raw.is_ascii() || (is_nfc(raw) && !raw.contains(is_invisible)) {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(raw.nfc().filter(|c| !is_invisible(*c)).collect())
}

fn is_invisible(c: char) -> bool {
    is_unsafe(c) && !c.is_control()
}

fn chars_max(column: &str) -> usize {
    match column {
        "reference" => REFERENCE_CHARS_MAX,
        "title" => TITLE_CHARS_MAX,
        _ => CELL_CHARS_MAX,
    }
}

fn in_one_line(cell: &str) -> String {
    let mut line = String::with_capacity(cell.len());
    for word in cell.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// With `\n` for every sort of line break: some editors write the vertical tab.
fn in_plain_lines(cell: &str) -> String {
    let cell = cell.trim();
    if !cell.contains(char::is_control) {
        return cell.to_owned();
    }
    let breaks = |c: char| c.is_control() && c.is_whitespace() && c != '\t';
    cell.replace("\r\n", "\n").replace(breaks, "\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_clean_cell_is_as_cleaning_would_leave_it(raw in "[ a-cæøå\t\n\u{85}\u{a0}\u{301}\u{200e}\u{feff}\0]{0,8}") {
            let cleaned = composed(&raw);
            let as_is = in_one_line(&cleaned) == raw && in_plain_lines(&cleaned) == raw;
            let holds_control = raw.contains(char::is_control);
            prop_assert_eq!(is_clean(&raw), as_is && !holds_control && !raw.contains('\u{301}'));
        }
    }
}
