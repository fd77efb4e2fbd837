//! Sheets come into the book: once, again, and changed.

use super::{FIRST_DAY, LEADERS, sent, sheet, world};
use crate::world::World;

const OLD: [&str; 2] = [
    "O-1,Evaluér forsøget,evaluation,ultimo 2019,led",
    "O-2,Status på indsatsen,status,2026-12-30,led;chef",
];

#[test]
fn commitments_whose_deadline_is_years_past_send_nothing_and_are_shown_as_overdue() {
    let world = World::new();
    let out = world.import(FIRST_DAY, LEADERS, &sheet(&OLD)).ok();
    for line in [
        "commitments: 2 new, 0 changed, 0 unchanged",
        "already overdue; `advis list --overdue` keeps showing them (2):",
        "  O-1: due 2019-12-31",
        "  O-2: due 2026-12-30",
        "no step is left, so nobody is reminded of these (1):\n  O-1\n",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    world.once_on([FIRST_DAY, "2027-01-05", "2027-02-01"]);
    let about_old: Vec<String> =
        sent(&world).into_iter().filter(|line| line.contains("O-1")).collect();
    assert_eq!(about_old, [""; 0]);

    let overdue = world.run("list --overdue --json --on 2027-02-01").json();
    let references: Vec<&str> =
        overdue.iter().map(|row| row["reference"].as_str().unwrap()).collect();
    assert_eq!(references, ["O-1", "O-2"]);
    assert!(overdue[0]["next"].is_null() && overdue[0]["days_left"].as_i64().unwrap() < -2_500);
    let explained = world.run("explain O-1 --on 2027-02-01").ok();
    assert!(explained.contains("Next: nothing; no step is left"), "{explained}");
}

#[test]
fn importing_the_same_sheets_again_changes_nothing_at_all() {
    let rows = [OLD[0], OLD[1], "O-3,Løbende dialog,follow_up,løbende,led"];
    let world = world(&rows);
    world.once_on([FIRST_DAY]);
    let before = world.dump();
    let out = world.import("2027-01-05", LEADERS, &sheet(&rows)).ok();
    assert!(out.contains("leaders: 0 new, 0 changed, 5 unchanged"), "{out}");
    assert!(out.contains("commitments: 0 new, 0 changed, 3 unchanged"), "{out}");
    assert_eq!(world.dump(), before);
}

#[test]
fn a_changed_cell_makes_exactly_that_change() {
    let rows =
        ["C-1,Status på haverne,status,2027-03-10,led", "C-2,Åbn parken,milestone,2027-04-14,led"];
    let world = world(&rows);
    let before = world.run("list --all --json --on 2027-01-05").json();
    let changed = sheet(&[rows[0], "C-2,Åbn byparken,milestone,2027-04-14,led"]);
    let dry = {
        world.file("changed.csv", &changed);
        world.run("import changed.csv --dry-run --on 2027-01-05").ok()
    };
    assert!(dry.contains("a dry run: nothing was changed"), "{dry}");
    assert_eq!(world.run("list --all --json --on 2027-01-05").json(), before);

    let out = world.run("import changed.csv --on 2027-01-05").ok();
    assert!(out.contains("commitments: 0 new, 1 changed, 1 unchanged"), "{out}");
    assert!(out.contains("C-2 title: \"Åbn parken\" > \"Åbn byparken\""), "{out}");
    let mut expected = before;
    expected[1]["title"] = "Åbn byparken".into();
    assert_eq!(world.run("list --all --json --on 2027-01-05").json(), expected);
}

#[test]
fn what_people_did_stands_until_the_sheet_itself_changes() {
    let rows = [
        "P-1,Status på haverne,status,2027-03-10,led",
        "P-2,Åbn parken,milestone,2027-04-14,led",
        "P-3,Hold mødet,meeting,2027-04-21,led",
    ];
    let world = world(&rows);
    world.run("done P-1 --on 2027-01-05").ok();
    world.run("postpone P-2 --to 2027-05-12 --on 2027-01-05").ok();
    world.run("assign P-3 vice --on 2027-01-05").ok();
    let book = || world.run("list --all --json --on 2027-01-06").json();
    let (before, dump) = (book(), world.dump());
    world.import("2027-01-06", LEADERS, &sheet(&rows)).ok();
    assert_eq!((book(), world.dump()), (before.clone(), dump));

    let changed = [
        "P-1,Status på haverne,status,2027-03-11,led",
        rows[1],
        "P-3,Hold borgermødet,meeting,2027-04-21,led",
    ];
    world.import("2027-01-06", LEADERS, &sheet(&changed)).ok();
    let after = book();
    assert_eq!(after[0]["status"], "done", "an import never opens again");
    assert_eq!(after[1], before[1]);
    assert_eq!(after[2]["title"], "Hold borgermødet");
    assert_eq!(after[2]["responsible"], before[2]["responsible"]);
}

#[test]
fn an_unreadable_phrase_waits_for_a_date_and_sends_nothing() {
    let world = World::new();
    let rows = [
        "U-1,Byg broen,milestone,når broen står klar,led",
        "U-2,Byg vejen,milestone,novmber 2027,led",
    ];
    let out = world.import(FIRST_DAY, LEADERS, &sheet(&rows)).ok();
    assert!(
        out.contains("need a date, and send nothing until they have one (2):\n  U-1: "),
        "{out}"
    );
    let waiting = world.run(&format!("list --needs-date --json --on {FIRST_DAY}")).json();
    assert_eq!(waiting.len(), 2);
    assert!(waiting.iter().all(|row| row["status"] == "needs_date" && row["note"].is_string()));
    let plan = world.run(&format!("plan --to 2027-12-31 --json --on {FIRST_DAY}")).json();
    assert_eq!(plan.len(), 0);

    world.run(&format!("confirm U-2 --on {FIRST_DAY}")).ok();
    world.run(&format!("postpone U-1 --to 2027-06-30 --on {FIRST_DAY}")).ok();
    assert_eq!(world.run(&format!("list --needs-date --json --on {FIRST_DAY}")).json().len(), 0);
    let plan = world.run(&format!("plan --to 2027-12-31 --on {FIRST_DAY}")).ok();
    assert!(plan.contains("U-1") && plan.contains("U-2"), "{plan}");
}

#[test]
fn a_dry_run_before_there_is_a_store_makes_none() {
    let world = World::new();
    world.file("leaders.csv", LEADERS).file("commitments.csv", sheet(&OLD));
    let line = format!("import leaders.csv commitments.csv --dry-run --on {FIRST_DAY}");
    let dry = world.run(&line).ok();
    for words in ["a dry run: nothing was changed", "commitments: 2 new", "O-1: due 2019-12-31"] {
        assert!(dry.contains(words), "{words}: {dry}");
    }
    assert!(!world.path("data").exists());
}

#[test]
fn another_date_of_the_document_reads_the_deadline_anew() {
    let world = World::new();
    let header = "reference,title,kind,deadline,responsible,document_date\n";
    let with = |date: &str| format!("{header}Y-1,Status,status,10. marts,led,{date}\n");
    world.import(FIRST_DAY, LEADERS, &with("2027-01-01")).ok();
    let due = |world: &World| world.run("list --json --on 2027-01-06").json()[0]["due"].to_string();
    assert_eq!(due(&world), "\"2027-03-10\"");
    world.import("2027-01-05", LEADERS, &with("2028-01-01")).ok();
    assert_eq!(due(&world), "\"2028-03-10\"");
    let out = world.import("2027-01-06", LEADERS, &with("2028-01-01")).ok();
    assert!(out.contains("commitments: 0 new, 0 changed, 1 unchanged"), "{out}");
}
