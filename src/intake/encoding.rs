//! Bytes of a file to its text, or the name of what it is instead of UTF-8.

use encoding_rs::WINDOWS_1252;

use super::problem::{Flaw, Place, Problem, shown};
use super::{SourceFile, dialect};

const SAVE_AS_UTF8: &str = "Save it as UTF-8: in Excel as \"CSV UTF-8 (comma delimited)\", \
     in LibreOffice with \"Edit filter settings\" and the character set \"Unicode (UTF-8)\".";

/// The text of `file` without its byte order mark.
///
/// # Errors
/// What the file is, and how to save it.
pub(super) fn text<'a>(file: &SourceFile<'a>) -> Result<&'a str, Problem> {
    let bytes = file.bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(file.bytes);
    if let Some(what) = foreign(bytes) {
        return Err(Problem::of_file(file.name, Flaw::new(what, SAVE_AS_UTF8)));
    }
    std::str::from_utf8(bytes).map_err(|_| eight_bit(file.name, bytes))
}

fn foreign(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some("the file is in UTF-16, not UTF-8"),
        [b'P', b'K', 3, 4, ..] | [0xD0, 0xCF, 0x11, 0xE0, ..] => {
            Some("the file is a workbook, not CSV")
        }
        _ if dialect::header_line(bytes).contains(&0) => {
            Some("the file holds NUL bytes, as UTF-16 or a file that is no text does")
        }
        _ => None,
    }
}

/// Shows the first cell that is no UTF-8 as Windows-1252 has it. Delimiters and quotes are ASCII in both, so the table
/// can be taken apart before its letters are known.
fn eight_bit(name: &str, bytes: &[u8]) -> Problem {
    let mut lines = dialect::Lines::new(bytes);
    let mut rows =
        dialect::csv_reader(bytes, dialect::delimiter(bytes)).into_byte_records().flatten();
    let header = rows.next().unwrap_or_default();
    for row in std::iter::once(header.clone()).chain(rows) {
        let line = lines.of_record(row.position());
        let foreign = row.iter().enumerate().find(|(_, cell)| std::str::from_utf8(cell).is_err());
        let Some((index, cell)) = foreign else { continue };
        let place = Place { file: name.into(), line };
        let column = header.get(index).map(|column| WINDOWS_1252.decode(column).0);
        let flaw = Flaw::new(reading(cell), SAVE_AS_UTF8);
        return place.problem(column.as_deref().unwrap_or_default().trim(), flaw);
    }
    Problem::of_file(name, Flaw::new("the file is not in UTF-8", SAVE_AS_UTF8))
}

fn reading(cell: &[u8]) -> String {
    let (text, _) = WINDOWS_1252.decode_without_bom_handling(cell);
    if text.chars().any(|c| matches!(c, '\u{80}'..='\u{9F}')) {
        return "the file is neither in UTF-8 nor in Windows-1252".to_owned();
    }
    format!("the file is in Windows-1252, not UTF-8: this cell reads \"{}\" there", shown(&text))
}
