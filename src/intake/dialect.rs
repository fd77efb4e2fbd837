//! How a CSV text is written: its separator, its quotes, its lines.

use csv::{Position, Reader, ReaderBuilder};
use memchr::{memchr, memchr2_iter, memchr3};

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
    let ends = |byte: &u8| *byte == delimiter || matches!(byte, b'\n' | b'\r');
    let mut rest = bytes;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix(b"\"") {
            match after_quotes(quoted) {
                Some(after) if after.first().is_none_or(ends) => rest = after,
                _ => return Some(bytes.len() - rest.len()),
            }
        }
        let end = memchr3(delimiter, b'\n', b'\r', rest).unwrap_or(rest.len());
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    None
}

/// What follows the quote that closes a cell, `None` where none does.
fn after_quotes(mut quoted: &[u8]) -> Option<&[u8]> {
    loop {
        let after = quoted.get(memchr(b'"', quoted)? + 1..)?;
        match after.strip_prefix(b"\"") {
            Some(rest) => quoted = rest,
            None => return Some(after),
        }
    }
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
        let byte = |at| self.bytes.get(self.offset + at).copied();
        let ends = memchr2_iter(b'\n', b'\r', passed)
            .filter(|at| byte(*at) == Some(b'\n') || byte(at + 1) != Some(b'\n'));
        self.line += ends.count() as u64;
        self.offset = self.offset.max(offset);
        self.line
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A byte at a time.
    fn badly_quoted_slowly(bytes: &[u8], delimiter: u8) -> Option<usize> {
        let (mut opened, mut is_start, mut quotes) = (None, true, 0);
        for (offset, &byte) in bytes.iter().enumerate() {
            let is_within = opened.is_some() && quotes % 2 == 1;
            match byte {
                b'"' if is_start => (opened, quotes) = (Some(offset), 1),
                b'"' if opened.is_some() && (is_within || bytes.get(offset - 1) == Some(&b'"')) => {
                    quotes += 1
                }
                _ if is_within => {}
                b'\n' | b'\r' => opened = None,
                _ if byte == delimiter => opened = None,
                _ if opened.is_some() => return opened,
                _ => {}
            }
            is_start = !is_within && (byte == delimiter || matches!(byte, b'\n' | b'\r'));
        }
        opened.filter(|_| quotes % 2 == 1)
    }

    proptest! {
        #[test]
        fn bad_quotes_are_found_as_by_reading_each_byte(text in "[\"\";;a\n\r]{0,12}") {
            let bytes = text.as_bytes();
            prop_assert_eq!(badly_quoted(bytes, b';'), badly_quoted_slowly(bytes, b';'));
        }

        #[test]
        fn lines_are_counted_from_any_byte_to_any_other(text in "[a\n\r]{0,12}", steps in prop::collection::vec(0_usize..4, 0..6)) {
            let bytes = text.as_bytes();
            let mut lines = Lines::new(bytes);
            let mut offset = 0;
            for step in steps {
                offset = (offset + step).min(bytes.len());
                let unix = text.replace("\r\n", " \n").replace('\r', "\n");
                let ends = unix.bytes().take(offset).filter(|byte| *byte == b'\n').count();
                prop_assert_eq!(lines.of(offset), 1 + ends as u64);
            }
        }
    }
}
