//! How a CSV text is written: its separator, its quotes, its lines.

use csv::{Position, Reader, ReaderBuilder};

use super::header::{COMMITMENT_COLUMNS, LEADER_COLUMNS};

/// A reader of everything, header and ragged rows too, in which nothing can fail.
pub(super) fn csv_reader(bytes: &[u8], delimiter: u8) -> Reader<&[u8]> {
    ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes)
}

/// The first line that is not empty.
pub(super) fn header_line(bytes: &[u8]) -> &[u8] {
    let mut lines = bytes.split(|byte| matches!(byte, b'\n' | b'\r'));
    lines.find(|line| !line.is_empty()).unwrap_or_default()
}

/// Comma, semicolon or tab: the one that parts the header into most known names, else the most frequent.
pub(super) fn delimiter(bytes: &[u8]) -> u8 {
    let header = header_line(bytes);
    let is_column = |name: &[u8]| {
        let name =
            name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or(name);
        let mut columns = LEADER_COLUMNS.iter().chain(&COMMITMENT_COLUMNS);
        columns.any(|column| column.as_bytes().eq_ignore_ascii_case(name.trim_ascii()))
    };
    let quality = |delimiter: &u8| {
        let names = || header.split(|byte| byte == delimiter);
        (names().filter(|name| is_column(name)).count(), names().count())
    };
    [b'\t', b';', b','].into_iter().max_by_key(quality).unwrap_or(b',')
}

/// Where a quoted cell begins that ends in the middle of a cell or not at all. The `csv` crate would read on, and rows
/// would vanish into the cell without a word.
pub(super) fn badly_quoted(bytes: &[u8], delimiter: u8) -> Option<usize> {
    enum At {
        Start,
        Plain,
        Quoted,
        Closed,
    }
    let (mut at, mut opened) = (At::Start, 0);
    for (offset, &byte) in bytes.iter().enumerate() {
        at = match (at, byte) {
            (At::Quoted, b'"') => At::Closed,
            (At::Quoted, _) | (At::Closed, b'"') => At::Quoted,
            (At::Start, b'"') => {
                opened = offset;
                At::Quoted
            }
            (_, b'\n' | b'\r') => At::Start,
            (_, byte) if byte == delimiter => At::Start,
            (At::Closed, _) => return Some(opened),
            (At::Start | At::Plain, _) => At::Plain,
        };
    }
    matches!(at, At::Quoted).then_some(opened)
}

/// Counts lines as an editor does; the reader's own count is behind after blank lines and knows no lone CR.
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    offset: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0, line: 1 }
    }

    /// The line of the first byte of a record; the positions asked for must rise.
    pub(super) fn of_record(&mut self, position: Option<&Position>) -> u64 {
        let start = position.map_or(0, |position| usize::try_from(position.byte()).unwrap_or(0));
        let rest = self.bytes.get(start..).unwrap_or_default();
        let blank = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        self.of(start + blank)
    }

    /// The line of a byte.
    pub(super) fn of(&mut self, offset: usize) -> u64 {
        let passed = self.bytes.get(self.offset..offset).unwrap_or_default();
        let next = passed.iter().skip(1).chain(self.bytes.get(offset));
        let ends = passed
            .iter()
            .zip(next.map(Some).chain([None]))
            .filter(|(byte, next)| **byte == b'\n' || (**byte == b'\r' && *next != Some(&b'\n')));
        self.line += ends.count() as u64;
        self.offset = self.offset.max(offset);
        self.line
    }
}
