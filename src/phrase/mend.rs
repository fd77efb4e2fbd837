//! Forgives one wrong letter: "janaur", "ultmo", "septemper".

use std::sync::LazyLock;

use super::words::{Term, forgiven};

/// Words of fewer letters are too near to each other to guess.
const LETTERS_MIN: usize = 5;
const LETTERS_MAX: usize = 16;

/// Ordinary words that lie one letter from the vocabulary and mean what they say, sorted.
#[rustfmt::skip]
const ORDINARY: &[&str] = &[
    "adgang", "adgangen", "ansvarligt", "arts", "augusta", "dommer", "dommeren", "dårligt",
    "enden", "enter", "ester", "etter", "fagligt", "festen", "fjorår", "forgår", "formår",
    "forret", "foræret", "fredags", "fridag", "fæste", "gæste", "halveret", "hesten", "hurtigste",
    "hurtigt", "hænder", "ilden", "imellem", "inde", "indeni", "inder", "index", "indien",
    "ingen", "inter", "jaguar", "julia", "julie", "julio", "kinden", "kommer", "kresten", "kvartaler",
    "linden", "lommer", "læste", "løbene", "lørdags", "maja", "mandags", "mandat", "marks",
    "marta", "marys", "mats", "media", "medie", "medlem", "midte", "måne",
    "månen", "måner", "nægte", "næse", "næst", "næsten", "onsdags", "parts", "pesten", "pinden",
    "prima", "prime", "renten", "rester", "resterne", "retten", "rusten", "seneste", "slutninger",
    "somme", "starte", "starter", "startes", "startet", "staten", "strakt", "summer", "søndags",
    "testen", "tidlige", "tidligste", "tirsdags", "tommer", "torsdags", "udgange", "venter",
    "vesten", "vinden", "vinder", "vinderen", "vinger", "vinker", "ånden", "ærligt",
];

struct Candidate {
    word: &'static str,
    letters: Vec<char>,
    mask: u64,
    term: Term,
}

static CANDIDATES: LazyLock<Vec<Candidate>> = LazyLock::new(|| {
    forgiven()
        .map(|(word, term)| {
            let letters: Vec<char> = word.chars().collect();
            Candidate { word, mask: mask(&letters), letters, term }
        })
        .collect()
});

/// The word of the vocabulary that lies one edit (a letter more, less or other, or two swapped) from `word`. `None`
/// when two do that mean different things.
pub(super) fn mend(word: &str) -> Option<(&'static str, Term)> {
    let mut buffer = ['\0'; LETTERS_MAX];
    let mut length = 0;
    for letter in word.chars() {
        *buffer.get_mut(length)? = letter;
        length += 1;
    }
    let letters = buffer.get(..length)?;
    let letters_mask = mask(letters);
    let mut found: Option<&Candidate> = None;
    for candidate in CANDIDATES.iter() {
        // One edit touches at most two letters, so most of the vocabulary is out at once.
        if (candidate.mask ^ letters_mask).count_ones() <= 2
            && length.max(candidate.letters.len()) >= LETTERS_MIN
            && is_one_edit(letters, &candidate.letters)
        {
            if found.is_some_and(|other| other.term != candidate.term) {
                return None;
            }
            found = found.or(Some(candidate));
        }
    }
    found
        .filter(|_| length + 1 >= LETTERS_MIN && ORDINARY.binary_search(&word).is_err())
        .map(|candidate| (candidate.word, candidate.term))
}

fn mask(letters: &[char]) -> u64 {
    letters.iter().fold(0, |mask, letter| mask | 1 << (u32::from(*letter) % u64::BITS))
}

/// Whether the optimal string alignment distance (Damerau-Levenshtein with each letter moved once) is exactly one.
fn is_one_edit(left: &[char], right: &[char]) -> bool {
    let (left, right) = strip_common_ends(left, right);
    match (left, right) {
        ([_], []) | ([], [_]) | ([_], [_]) => true,
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    }
}

fn strip_common_ends<'a>(left: &'a [char], right: &'a [char]) -> (&'a [char], &'a [char]) {
    let same = left.iter().zip(right).take_while(|(l, r)| l == r).count();
    let (left, right) = (left.get(same..).unwrap_or(&[]), right.get(same..).unwrap_or(&[]));
    let same = left.iter().rev().zip(right.iter().rev()).take_while(|(l, r)| l == r).count();
    let keep = |side: &'a [char]| side.get(..side.len().saturating_sub(same)).unwrap_or(&[]);
    (keep(left), keep(right))
}
