//! Forgives one wrong letter: "janaur", "ultmo", "septemper".

use std::sync::LazyLock;

use super::words::{Term, forgiven};

/// Words of fewer letters are too near to each other to guess.
const LETTERS_MIN: usize = 5;
const LETTERS_MAX: usize = 16;

/// Ordinary words that lie one letter from the vocabulary and mean what they say, sorted.
#[rustfmt::skip]
const ORDINARY: &[&str] = &[
    "adgang", "adgangen", "andel", "andels", "ander", "ansvarligt", "arts", "augusta", "banden",
    "bandet", "borgen", "byrde", "børst", "børste", "dennes", "dettes", "dommer", "dommeren",
    "dårligt", "efterårets", "ellers", "enden", "endet", "enter", "ester", "etter", "fagligt",
    "festen", "fjende", "fjerne", "fjorår", "forgår", "formår", "forret", "forårets", "foræret",
    "fredags", "fridag", "fyrste", "fæste", "førte", "gæste", "halveret", "heller", "henne",
    "hesten", "hurtigste", "hurtigt", "hvertil", "hænder", "ilden", "imellem", "inde", "indeni",
    "inder", "index", "indien", "ingen", "inter", "jaguar", "julia", "julie", "julio", "kinden",
    "kommer", "kresten", "kvartaler", "landet", "lette", "linden", "lommer", "læste", "løbene",
    "lørdags", "maja", "mandags", "mandat", "manden", "marks", "marta", "marys", "mats", "media",
    "medie", "medlem", "midte", "morten", "måne", "månen", "måner", "nette", "nægte", "næse",
    "næst", "næsten", "onsdags", "parts", "penne", "pesten", "pinden", "prima", "prime", "randen",
    "renten", "rester", "resterne", "rette", "retten", "rusten", "sanden", "seneste", "sidder",
    "slutninger", "smart", "snart", "somme", "sommerens", "sommers", "sorgen", "sortes", "spart",
    "star", "starte", "starter", "startes", "startet", "stat", "staten", "stort", "strakt",
    "summer", "søndags", "testen", "tidlige", "tidligste", "tirsdags", "tommer", "torsdags",
    "tørst", "tørste", "udgange", "vandet", "venter", "vert", "vesten", "vidst", "vinden", "vinder",
    "vinderen", "vinger", "vinker", "vinterens", "vinters", "ånden", "ærligt",
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

/// The word of the vocabulary that was meant by `word`, which is none of it.
pub(super) fn mend(word: &str) -> Option<(&'static str, Term)> {
    nearest(word).filter(|_| ORDINARY.binary_search(&word).is_err())
}

/// The word of the vocabulary that lies one edit (a letter more, less or other, or two swapped) from `word`, be that
/// an ordinary word or not. `None` when two do that mean different things.
pub(super) fn nearest(word: &str) -> Option<(&'static str, Term)> {
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
    found.filter(|_| length + 1 >= LETTERS_MIN).map(|candidate| (candidate.word, candidate.term))
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
