//! Text on the pages can be read: contrast of at least 4.5 to 1 (WCAG 2.1, 1.4.3), light and dark.

use std::collections::BTreeMap;

const STYLE: &str = include_str!("../../../src/web/templates/style.css");

/// The colours of a scheme by name.
fn colours(block: &str) -> BTreeMap<&str, &str> {
    block
        .split(';')
        .filter_map(|rule| rule.rsplit_once("--")?.1.split_once(": #"))
        .map(|(name, colour)| (name, colour.trim()))
        .collect()
}

/// Relative luminance (WCAG 2.1).
fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.03928 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
}

fn contrast(a: &str, b: &str) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_text_has_contrast_enough_in_light_and_in_dark() {
    let (light, rest) = STYLE.split_once("@media (prefers-color-scheme: dark)").unwrap();
    let dark = rest.split_once("* {").unwrap().0;
    assert!((contrast("000000", "ffffff") - 21.0).abs() < 0.01);
    for scheme in [colours(light), colours(dark)] {
        let colour =
            |name: &str| *scheme.get(name).unwrap_or_else(|| panic!("no {name}: {scheme:?}"));
        let panels = ["ground", "panel", "good-panel", "warn-panel", "bad-panel"];
        let on_panels = panels.iter().flat_map(|panel| ["text", "link"].map(|text| (text, *panel)));
        let others = [
            ("soft", "ground"),
            ("soft", "panel"),
            ("bad", "ground"),
            ("act-text", "act"),
            ("act-text", "act-hover"),
            ("focus", "ground"),
        ];
        for (text, ground) in on_panels.chain(others) {
            let found = contrast(colour(text), colour(ground));
            assert!(found >= 4.5, "{text} on {ground}: {found:.2}");
        }
    }
}
