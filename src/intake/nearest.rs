//! The name that was probably meant.

/// Most edits between a name and what was probably meant.
const EDITS_MAX: usize = 3;

/// The nearest of `names`, unless even that is too far away to have been meant.
#[must_use]
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let edits_max = (name.chars().count() / 3).clamp(1, EDITS_MAX);
    names
        .into_iter()
        .filter(|known| known.len().abs_diff(name.len()) <= 2 * edits_max)
        .map(|known| (strsim::osa_distance(&name, &known.to_lowercase()), known))
        .filter(|(edits, _)| *edits <= edits_max)
        .min()
        .map(|(_, known)| known)
}

/// `Did you mean "title"?`, or else `otherwise`.
pub(super) fn hint(meant: Option<&str>, otherwise: impl FnOnce() -> String) -> String {
    meant.map_or_else(otherwise, |known| format!("Did you mean \"{known}\"?"))
}
