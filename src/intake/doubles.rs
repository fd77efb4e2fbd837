//! What was probably entered twice under two references.

use std::collections::{HashMap, HashSet};

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
    for promise in kept.clone().chain(imported) {
        seen.0.entry(folded(promise.title)).or_default().count += 1;
    }
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

/// Every promise seen so far, by title.
#[derive(Default)]
struct Seen<'a>(HashMap<String, Namesakes<'a>>);

/// The promises of one title: how many there are, and the first of each deadline and leader.
#[derive(Default)]
struct Namesakes<'a> {
    count: usize,
    written: HashMap<(String, &'a str), &'a str>,
    read: HashMap<(&'a [Window], &'a str), &'a str>,
}

impl<'a> Seen<'a> {
    /// The reference of an earlier promise like this one, which is remembered too.
    fn earlier_like(&mut self, promise: &Promise<'a>) -> Option<&'a str> {
        let namesakes = self.0.get_mut(&folded(promise.title)).filter(|them| them.count > 1)?;
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
