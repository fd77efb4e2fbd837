//! One spelling for what people type in many: composed letters, small, with plain spaces and hyphens.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The phrase as the tokens are cut from it. Line breaks stay, since a table cell lists its dates on lines.
pub(super) fn normalise(phrase: &str) -> String {
    let mut text = String::with_capacity(phrase.len() + 8);
    if is_nfc_quick(phrase.chars()) == IsNormalized::Yes {
        phrase.chars().for_each(|c| push(&mut text, c));
    } else {
        phrase.nfc().for_each(|c| push(&mut text, c));
    }
    text
}

fn push(text: &mut String, c: char) {
    match c {
        // "foraar" is how å is typed on a foreign keyboard, and how it was written before 1948.
        'a' | 'A' if text.ends_with('a') => {
            text.pop();
            text.push('å');
        }
        'A'..='Z' => text.push(c.to_ascii_lowercase()),
        '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}' | '|' => {
            text.push('\n');
        }
        '\0'..='\u{7F}' => text.push(if c.is_ascii_control() { ' ' } else { c }),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE58}' | '\u{FE63}' | '\u{FF0D}' => {
            text.push('-');
        }
        '\u{2044}' | '\u{2215}' | '\u{FF0F}' => text.push('/'),
        '\u{2018}' | '\u{2019}' | '\u{B4}' => text.push('\''),
        // Soft hyphens, zero-width characters and marks of direction are not seen, so they count for nothing.
        '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{FEFF}' => {}
        _ if c.is_whitespace() || c.is_control() => text.push(' '),
        _ => text.extend(c.to_lowercase()),
    }
}
