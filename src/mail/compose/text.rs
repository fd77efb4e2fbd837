//! Text from the store, made fit to be shown: on one line, nothing invisible that acts, no longer than there is room for.

use crate::domain::address::is_unsafe;

/// Stands for what was cut off.
const ELLIPSIS: char = '…';

/// `text` on one line, without control and bidirectional characters, at most `chars_max` characters; cut between words
/// where that loses little.
pub(super) fn fit(text: &str, chars_max: usize) -> String {
    if chars_max == 0 {
        return String::new();
    }
    let line = one_line(text);
    if line.len() <= chars_max || line.chars().count() <= chars_max {
        return line;
    }
    let mut cut: String = line.chars().take(chars_max.saturating_sub(1)).collect();
    if let Some(space) = cut.rfind(' ').filter(|space| space * 4 >= cut.len() * 3) {
        cut.truncate(space);
    }
    cut.truncate(cut.trim_end().len());
    cut.push(ELLIPSIS);
    cut
}

/// Does not break a line, though it is a space.
const NO_BREAK_SPACE: char = '\u{a0}';

/// `text` on one line, single spaces between words, without characters that act but do not show. No-break spaces stay.
pub(super) fn one_line(text: &str) -> String {
    // As nearly every text is.
    if is_one_line(text) { text.to_owned() } else { on_one_line(text) }
}

fn is_one_line(text: &str) -> bool {
    let mut after_space = true;
    let stays = |c: char| {
        let follows = std::mem::replace(&mut after_space, c == ' ');
        match c {
            ' ' => !follows,
            '!'..='~' | NO_BREAK_SPACE => true,
            _ => !c.is_whitespace() && !is_unsafe(c),
        }
    };
    text.chars().all(stays) && !text.ends_with(' ')
}

fn on_one_line(text: &str) -> String {
    let visible: String = text
        .chars()
        .map(|c| if c.is_whitespace() && c != NO_BREAK_SPACE { ' ' } else { c })
        .filter(|c| !is_unsafe(*c))
        .collect();
    visible.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A rendered page without trailing spaces and doubled empty lines, ending in one newline: templates may then be laid
/// out for the eye.
pub(super) fn tidy(page: &str) -> String {
    let mut out = String::with_capacity(page.len());
    let mut is_gap = true;
    for line in page.lines().map(str::trim) {
        if line.is_empty() && is_gap {
            continue;
        }
        is_gap = line.is_empty();
        out.push_str(line);
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_text_is_cut_between_words() {
        assert_eq!(fit("kort", 10), "kort");
        assert_eq!(fit("en lang titel om klyngen", 15), "en lang titel…");
        assert_eq!(fit("entitelheltudenmellemrum", 10), "entitelhe…");
        assert_eq!(fit("to\r\nlinjer\0 \u{202e}og  mere", 50), "to linjer og mere");
    }

    #[test]
    fn a_page_keeps_single_empty_lines_only() {
        assert_eq!(tidy("\n\n  a  \n\n\n\nb\n\n"), "a\n\nb\n");
        assert_eq!(tidy(""), "\n");
    }

    proptest! {
        #[test]
        fn a_text_that_is_one_line_already_is_taken_as_it_is(text in "[ a\u{a0}æ\n\u{202e}]{0,6}") {
            prop_assert_eq!(is_one_line(&text), on_one_line(&text) == text);
        }

        #[test]
        fn a_fitted_text_is_one_visible_line_within_its_room(text in any::<String>(), max in 1_usize..80) {
            let fitted = fit(&text, max);
            prop_assert!(fitted.chars().count() <= max);
            prop_assert!(!fitted.chars().any(is_unsafe));
        }
    }
}
