//! What was probably entered twice under two references.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::domain::window::Window;

/// What two promises are compared by.
#[derive(Debug, Clone, Copy)]
pub struct Promise<'a> {
    /// Reference of the commitment.
    pub reference: &'a str,
    /// What was promised.
    pub title: &'a str,
    /// The deadline as written.
    pub phrase: &'a str,
    /// The deadline as read; empty when it has no date.
    pub windows: &'a [Window],
    /// References of the leaders who answer for it.
    pub responsible: &'a [String],
}

/// Pairs of references, an imported one and an earlier one: the same title and the same deadline, as written or as read,
/// and somebody who answers for both. Case and spaces do not count.
///
/// Of `existing` those that `imported` replaces are passed over. Each imported promise is in one pair at most.
#[must_use]
pub fn likely_doubles(imported: &[Promise<'_>], existing: &[Promise<'_>]) -> Vec<(String, String)> {
    let replaced: HashSet<&str> = imported.iter().map(|promise| promise.reference).collect();
    let kept = existing.iter().filter(|promise| !replaced.contains(promise.reference));
    let mut seen = Seen::default();
    for promise in kept {
        seen.earlier_like(promise);
    }
    let pair = |promise| Some((promise, seen.earlier_like(promise)?));
    imported
        .iter()
        .filter_map(pair)
        .map(|(promise, earlier)| (promise.reference.to_owned(), earlier.to_owned()))
        .collect()
}

/// Which titles stand more than once: of a large book, few need be compared.
///
/// Kept by their hashes; two titles that share one are told apart by [`likely_doubles`].
#[derive(Debug, Default)]
pub struct Titles {
    once: HashSet<u64>,
    again: HashSet<u64>,
}

impl Titles {
    /// Counts a title.
    pub fn add(&mut self, title: &str) {
        let hash = hash(title);
        if !self.once.insert(hash) {
            self.again.insert(hash);
        }
    }

    /// Whether the title was counted more than once.
    #[must_use]
    pub fn stands_again(&self, title: &str) -> bool {
        self.again.contains(&hash(title))
    }
}

fn hash(title: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    folded(title).hash(&mut hasher);
    hasher.finish()
}

/// Every promise seen so far, by title.
#[derive(Default)]
struct Seen<'a>(HashMap<String, Namesakes<'a>>);

/// The promises of one title: the first of each deadline and leader.
#[derive(Default)]
struct Namesakes<'a> {
    written: HashMap<(String, &'a str), &'a str>,
    read: HashMap<(&'a [Window], &'a str), &'a str>,
}

impl<'a> Seen<'a> {
    /// The reference of an earlier promise like this one, which is remembered too.
    fn earlier_like(&mut self, promise: &Promise<'a>) -> Option<&'a str> {
        let namesakes = self.0.entry(folded(promise.title)).or_default();
        let phrase = folded(promise.phrase);
        let mut earlier = None;
        let mut remember = |first: &mut &'a str| {
            earlier = earlier.or((*first != promise.reference).then_some(*first));
        };
        for leader in promise.responsible {
            let written = (phrase.clone(), leader.as_str());
            remember(namesakes.written.entry(written).or_insert(promise.reference));
            if !promise.windows.is_empty() {
                let read = (promise.windows, leader.as_str());
                remember(namesakes.read.entry(read).or_insert(promise.reference));
            }
        }
        earlier
    }
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
