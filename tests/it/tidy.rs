//! The house rules of ARCHITECTURE.md that a machine can hold: who may know whom, and how long things may be.

use std::fs;
use std::path::{Path, PathBuf};

const FILE_LINES_MAX: usize = 400;
const ARCHITECTURE_LINES_MAX: usize = 120;
const LINE_CHARS_MAX: usize = 120;

/// Rooms by rank: a room may use any of a lower rank, and no other of its own.
const RANKS: [(&str, u8); 13] = [
    ("domain", 0),
    ("schedule", 1),
    ("link", 1),
    ("phrase", 1),
    ("delivery/state", 1),
    ("config", 2),
    ("planner", 3),
    ("intake", 3),
    ("mail", 3),
    ("store", 3),
    ("delivery", 4),
    ("web", 5),
    ("cli", 6),
];

/// Rooms that depend on nothing, for those that do I/O.
const LEAVES: [&str; 2] = ["clock", "telemetry"];

const PURE: [&str; 8] =
    ["domain", "phrase", "planner", "intake", "schedule", "link", "delivery/state", "mail/compose"];

/// What only one room may name.
const CONFINED: [(&str, &str); 6] = [
    ("sqlx", "store"),
    ("lettre", "mail"),
    ("icalendar", "mail"),
    ("encodify", "mail"),
    ("axum", "web"),
    ("tzdb_data", "domain"),
];

/// What no pure room may name.
const IMPURE: [&str; 9] = [
    "tokio::",
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "Instant::now",
    "SystemTime::now",
    "tracing::",
    "crate::clock",
];

struct Source {
    /// Path within `src`, without `.rs` and `/mod`.
    room: String,
    /// Code lines before the unit tests, without comments.
    lines: Vec<String>,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(files.len() > 20, "the sources are where this test looks for them");
    files.iter().map(|file| source(&root, file)).collect()
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn source(root: &Path, file: &Path) -> Source {
    let room = file.strip_prefix(root).unwrap().with_extension("");
    let room = room.to_str().unwrap().trim_end_matches("/mod").to_owned();
    let text = fs::read_to_string(file).unwrap();
    let lines = text
        .lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]"))
        .map(|line| if line.trim_start().starts_with("//") { "" } else { line })
        .map(str::to_owned)
        .collect();
    Source { room, lines }
}

fn is_in(room: &str, place: &str) -> bool {
    place == room || place.strip_prefix(room).is_some_and(|rest| rest.starts_with('/'))
}

/// The rank of a place; the most particular room counts (`delivery/state` before `delivery`).
fn rank(place: &str) -> Option<(&'static str, u8)> {
    let rooms = RANKS.iter().filter(|(room, _)| is_in(room, place));
    rooms.max_by_key(|(room, _)| room.len()).copied()
}

/// The rooms that a line names as `crate::room`.
fn named_rooms(line: &str) -> impl Iterator<Item = String> {
    line.split("crate::").skip(1).flat_map(|rest| {
        let path: String =
            rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':')).collect();
        let path = path.replace("::", "/");
        let braces = rest.strip_prefix('{').and_then(|inside| inside.split('}').next());
        match braces {
            Some(inside) => {
                inside.split(',').map(|name| name.trim().replace("::", "/")).collect::<Vec<_>>()
            }
            None => vec![path],
        }
    })
}

#[test]
fn rooms_only_use_rooms_below_them() {
    for source in sources() {
        let Some((own, own_rank)) = rank(&source.room) else { continue };
        for named in source.lines.iter().flat_map(|line| named_rooms(line)) {
            if let Some((other, other_rank)) = rank(&named) {
                let below = other == own || other_rank < own_rank;
                assert!(below, "src/{} uses {named}: `{own}` may not know `{other}`", source.room);
            }
        }
    }
}

#[test]
fn pure_rooms_touch_nothing_outside_themselves() {
    for source in
        sources().iter().filter(|source| PURE.iter().any(|room| is_in(room, &source.room)))
    {
        for (line, name) in source.lines.iter().flat_map(|line| IMPURE.map(|name| (line, name))) {
            assert!(!line.contains(name), "src/{} is pure, yet names {name}: {line}", source.room);
        }
    }
}

#[test]
fn libraries_stay_in_their_rooms() {
    for source in sources() {
        for (name, room) in CONFINED {
            let names_it = source.lines.iter().any(|line| line.contains(&format!("{name}::")));
            assert!(!names_it || is_in(room, &source.room), "src/{} names {name}", source.room);
        }
    }
}

/// The desk concludes an edit together with its notices; whether and when those leave is the worker's.
#[test]
fn the_pages_know_the_desk_and_never_send() {
    for source in sources().iter().filter(|source| is_in("web", &source.room)) {
        for named in source.lines.iter().flat_map(|line| named_rooms(line)) {
            let parts: Vec<&str> = named.split('/').take(2).collect();
            let sends = match parts[..] {
                ["delivery", part] => {
                    !["pass", "notices", "health", "outlook", "state"].contains(&part)
                }
                ["mail", part] => part != "compose",
                _ => false,
            };
            assert!(!sends, "src/{} names {named}", source.room);
        }
    }
}

#[test]
fn leaves_know_no_room() {
    for source in sources().iter().filter(|source| LEAVES.contains(&source.room.as_str())) {
        let named: Vec<_> = source.lines.iter().flat_map(|line| named_rooms(line)).collect();
        let only_values = named.iter().all(|name| name.starts_with("domain"));
        assert!(only_values, "src/{} is a leaf, yet names {named:?}", source.room);
    }
}

#[test]
fn domain_types_are_not_serialised() {
    for source in sources().iter().filter(|source| is_in("domain", &source.room)) {
        let serde =
            source.lines.iter().find(|line| line.contains("serde") || line.contains("Serialize"));
        assert_eq!(serde, None, "src/{}: rows and JSON have structs of their own", source.room);
    }
}

#[test]
fn files_and_lines_stay_readable() {
    for source in sources() {
        let count = source.lines.len();
        assert!(count <= FILE_LINES_MAX, "src/{} has {count} lines: split it by noun", source.room);
        // A text for people may be longer than a line of code.
        for line in source.lines.iter().filter(|line| !line.contains('"')) {
            assert!(
                line.chars().count() <= LINE_CHARS_MAX,
                "src/{}: too wide: {line}",
                source.room
            );
        }
    }
}

#[test]
fn nothing_is_left_for_later() {
    for source in sources() {
        for mark in ["TODO", "FIXME", "XXX", "unimplemented!", "todo!"] {
            let found = source.lines.iter().find(|line| line.contains(mark));
            assert_eq!(found, None, "src/{}", source.room);
        }
    }
}

#[test]
fn the_architecture_page_stays_a_page() {
    let page = include_str!("../../src/ARCHITECTURE.md");
    let count = page.lines().count();
    assert!((40..=ARCHITECTURE_LINES_MAX).contains(&count), "ARCHITECTURE.md has {count} lines");
}
