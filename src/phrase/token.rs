//! Cuts a normalised phrase into numbers, signs and words, and says what each is to the grammar.

use super::mend::{mend, nearest};
use super::tree::Unit;
use super::words::{Term, guess, look_up};

/// The longest "§ 83-86" or "nr. 4.2.1", in tokens.
const COUNT_TOKENS_MAX: usize = 12;

/// A number, a sign or a word.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'t> {
    pub(super) text: &'t str,
    pub(super) term: Term,
    /// No space stands before it.
    pub(super) glued: bool,
    /// A line break stands before it.
    pub(super) on_new_line: bool,
    /// The word it was taken for, when a wrong letter was forgiven.
    pub(super) mended: Option<&'static str>,
}

impl Token<'_> {
    fn is_week(&self) -> bool {
        matches!(self.term, Term::Unit(Unit::Week) | Term::TheUnit(Unit::Week))
    }
}

/// The tokens of a normalised phrase: without quotes, brackets, bullets and clock times, and with numbers that count
/// something else than days made [`Term::Plain`].
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::with_capacity(text.len() / 4 + 4);
    let mut rest = text;
    let (mut glued, mut on_new_line) = (false, false);
    while let Some(c) = rest.chars().next() {
        let length = length_of(c, rest);
        let (piece, after) = rest.split_at(length);
        rest = after;
        if c == ' ' || c == '\n' {
            glued = false;
            on_new_line |= c == '\n';
        } else if c == '-' && (on_new_line || tokens.is_empty()) && rest.starts_with(' ') {
            // A bullet.
        } else if !is_unread(c) {
            tokens.push(Token { glued, on_new_line, ..token(c, piece) });
            (glued, on_new_line) = (true, false);
        }
    }
    mend_months(&mut tokens);
    drop_clock_times(&mut tokens);
    silence_counts(&mut tokens);
    tokens
}

fn token(c: char, text: &str) -> Token<'_> {
    let (term, mended) = match c {
        '0'..='9' => (number(text), None),
        ';' => (Term::Sign(','), None),
        '&' | '+' => (Term::And, None),
        _ if c.is_alphabetic() => word(text),
        _ => (Term::Sign(c), None),
    };
    Token { text, term, glued: false, on_new_line: false, mended }
}

/// The word's meaning, and the word it was taken for.
fn word(text: &str) -> (Term, Option<&'static str>) {
    if let Some(term) = look_up(text) {
        return (term, None);
    }
    mend(text).map_or_else(|| (guess(text), None), |(word, term)| (term, Some(word)))
}

/// How many bytes of `rest`, which begins with `first`, belong to one token.
fn length_of(first: char, rest: &str) -> usize {
    let run = |belongs: fn(char) -> bool| rest.find(|c| !belongs(c)).unwrap_or(rest.len());
    match first {
        '0'..='9' => run(|c| c.is_ascii_digit()),
        '-' => run(|c| c == '-'),
        _ if first.is_alphabetic() => {
            let word = run(char::is_alphabetic);
            if word == first.len_utf8() { letters_and_dots(rest, word) } else { word }
        }
        _ => first.len_utf8(),
    }
}

/// "t.o.m." is one word, up to its last letter; "d.1" and "d. maj" are not.
fn letters_and_dots(rest: &str, first: usize) -> usize {
    let mut end = first;
    while let Some(more) = rest.get(end..).and_then(|tail| tail.strip_prefix('.')) {
        let mut letters = more.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), next)
                if letter.is_alphabetic() && !next.is_some_and(char::is_alphabetic) =>
            {
                end += 1 + letter.len_utf8();
            }
            _ => break,
        }
    }
    end
}

fn number(digits: &str) -> Term {
    Term::Number {
        value: digits.parse().unwrap_or(u32::MAX),
        digits: u8::try_from(digits.len()).unwrap_or(u8::MAX),
    }
}

/// Quotes, brackets and bullets: they set off a date and change nothing about it.
fn is_unread(c: char) -> bool {
    matches!(
        c,
        '"' | '\u{201C}'
            ..='\u{201F}'
                | '«'
                | '»'
                | '‹'
                | '›'
                | '('
                | ')'
                | '['
                | ']'
                | '{'
                | '}'
                | '<'
                | '>'
                | '*'
                | '•'
                | '·'
                | '●'
                | '▪'
                | '◦'
                | '…'
                | '!'
                | '?'
                | '_'
    )
}

/// "15. mats 2022": with a day before it or a year behind it, a man's name is a month all the same.
fn mend_months(tokens: &mut [Token<'_>]) {
    for at in 0..tokens.len() {
        if tokens.get(at).is_none_or(|token| token.term != Term::Plain) {
            continue;
        }
        let term = |at: Option<usize>| tokens.get(at?).map(|token| token.term);
        let year = matches!(term(Some(at + 1)), Some(Term::Number { digits: 4, .. }));
        let day = term(at.checked_sub(1)) == Some(Term::Sign('.'))
            && matches!(term(at.checked_sub(2)), Some(Term::Number { digits: 1..=2, .. }));
        if let (true, Some(token)) = (year || day, tokens.get_mut(at))
            && let Some((word, term @ Term::MonthName(_))) = nearest(token.text)
        {
            (token.term, token.mended) = (term, Some(word));
        }
    }
}

/// "kl. 12.00" and "12:30" are times of a day; the deadline is the day.
fn drop_clock_times(tokens: &mut Vec<Token<'_>>) {
    let mut end = 0;
    let times: Vec<bool> = (0..tokens.len())
        .map(|at| {
            end = end.max(clock_time_end(tokens, at));
            at < end
        })
        .collect();
    let mut times = times.into_iter();
    tokens.retain(|_| times.next() != Some(true));
}

/// The index behind the clock time that begins at `at`, or `at` when none does.
fn clock_time_end(tokens: &[Token<'_>], at: usize) -> usize {
    let term = |at: usize| tokens.get(at).map(|token| token.term);
    let is_number = |at: usize| matches!(term(at), Some(Term::Number { digits: 1..=2, .. }));
    let is_minute = |at: usize| {
        tokens.get(at).is_some_and(|token| token.glued && token.text.len() == 2) && is_number(at)
    };
    let time = |at: usize| {
        let colon = matches!(term(at + 1), Some(Term::Sign(':' | '.')));
        if colon && is_minute(at + 2) { at + 3 } else { at + 1 }
    };
    if term(at) == Some(Term::Clock) {
        let mut end = at + 1;
        if term(end) == Some(Term::Sign('.')) {
            end += 1;
        }
        if is_number(end) {
            end = time(end);
            if matches!(term(end), Some(Term::Sign('-'))) && is_number(end + 1) {
                end = time(end + 1);
            }
        }
        end
    } else if is_number(at) && term(at + 1) == Some(Term::Sign(':')) && is_minute(at + 2) {
        at + 3
    } else {
        at
    }
}

/// "§ 83", "nr. 11", "1 %", "2.5 mio. kr.": none of these numbers is a date.
fn silence_counts(tokens: &mut [Token<'_>]) {
    for at in 0..tokens.len() {
        let Some(token) = tokens.get(at) else { return };
        match token.term {
            // "uge nr. 18" is a week all the same.
            Term::Numbering if at > 0 && tokens.get(at - 1).is_some_and(Token::is_week) => {}
            Term::Sign('§') | Term::Numbering => silence_forward(tokens, at + 1),
            Term::Sign('%') | Term::Measure => silence_backward(tokens, at),
            _ => {}
        }
    }
}

fn silence_forward(tokens: &mut [Token<'_>], from: usize) {
    let run = tokens
        .iter()
        .skip(from)
        .take(COUNT_TOKENS_MAX)
        .take_while(|token| matches!(token.term, Term::Number { .. } | Term::Sign(_)))
        .count();
    // "nr. 3 1. maj": what a month follows is a day, not the number of something.
    let before_month =
        matches!(tokens.get(from + run).map(|token| token.term), Some(Term::MonthName(_)));
    let mut seen = false;
    for token in tokens.iter_mut().skip(from).take(run) {
        match token.term {
            Term::Number { .. } if seen && (before_month || !token.glued) => return,
            Term::Number { .. } => (token.term, seen) = (Term::Plain, true),
            Term::Sign('.' | '-' | '/' | '§') => {}
            _ => return,
        }
    }
}

fn silence_backward(tokens: &mut [Token<'_>], end: usize) {
    for token in tokens.iter_mut().take(end).rev() {
        match token.term {
            Term::Number { .. } => token.term = Term::Plain,
            Term::Sign('.' | ',') if token.glued => {}
            _ => return,
        }
    }
}
