//! What goes when: plan, pass after pass, log and mail say the same.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::{FIRST_DAY, LEADERS, sent, sheet, world};
use crate::world::{Sent, World, shared};

/// One of each: several responsible, a phrase, several windows, a recurrence, an empty chair, an absence, no date, no end.
const BOOK: [&str; 8] = [
    "B-1,Status på de nye stier,status,2027-02-26,led;chef",
    "B-2,Vælg effektmål for biblioteket,effect_goals,ultimo marts 2027,led",
    "B-3,Spørg brugerne,follow_up,1. og 2. kvartal 2027,led",
    "B-4,Gennemgå regnskabet,follow_up,hvert år i marts,vice",
    "B-5,Vælg model for hallen,decision,10.2.2027,gone",
    "B-6,Del de gode erfaringer,follow_up,løbende,led",
    "B-7,Åbn den nye sal,milestone,senest den 1. marts 2027,chef",
    "B-8,Hold øje med trafikken,follow_up,fra 1. april 2027,chef",
];

/// Checks that `plan`, a pass on each of `days`, the log and the mails agree, message by message.
fn check(world: &World, from: &str, to: &str, days: impl IntoIterator<Item = String>) {
    let plan = world.run(&format!("plan --from {from} --to {to} --json --on {from}")).json();
    let planned: BTreeSet<Sent> = plan.iter().map(Sent::planned).collect();
    assert_eq!(planned.len(), plan.len(), "plan tells each message once");
    let days: Vec<String> = days.into_iter().collect();
    world.once_on(days.iter().map(String::as_str));

    let sent = world.sent();
    let missing: Vec<String> = planned.difference(&sent).map(Sent::line).collect();
    let unplanned: Vec<String> = sent.difference(&planned).map(Sent::line).collect();
    assert!(missing.is_empty() && unplanned.is_empty(), "{missing:#?} {unplanned:#?}");
    let mails = world.mails();
    assert_eq!(mails.len(), sent.len(), "one file a message");
    assert_eq!(mails.iter().map(|mail| mail.sent.clone()).collect::<BTreeSet<_>>(), sent);
    let names: BTreeSet<&str> = mails.iter().map(|mail| mail.message_id.as_str()).collect();
    assert_eq!(names.len(), mails.len(), "each with a Message-ID of its own");
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn every_day_of_four_months_sends_what_the_plan_said_and_nothing_else() {
    let world = world(&BOOK);
    let days = day(FIRST_DAY).iter_days().take_while(|at| *at <= day("2027-04-30"));
    check(&world, FIRST_DAY, "2027-04-30", days.map(|at| at.to_string()));

    let about = |reference: &str| -> Vec<String> {
        let of = |item: &&String| item.starts_with(&format!("{reference} "));
        let sent = world.sent();
        let items = sent.iter().flat_map(|one| {
            let items = one.items.iter().filter(of);
            items.map(|item| format!("{} {} {item}", one.on, one.to.split('@').next().unwrap()))
        });
        items.collect()
    };
    // Carl is away from 15 February to 12 March; his deputy reads for him. 29 March is Easter Monday.
    let status = [
        "2027-01-27 carl B-1 before:30",
        "2027-01-27 lise B-1 before:30",
        "2027-02-12 carl B-1 before:14",
        "2027-02-12 lise B-1 before:14",
        "2027-02-23 lise B-1 before:3",
        "2027-02-23 vibe B-1 before:3",
        "2027-02-26 lise B-1 due",
        "2027-02-26 vibe B-1 due",
        "2027-03-01 lise B-1 overdue:1",
        "2027-03-01 vibe B-1 overdue:1",
        "2027-03-15 carl B-1 overdue:2",
        "2027-03-15 lise B-1 overdue:2",
        "2027-03-19 dorthe B-1 escalate:1",
        "2027-03-30 carl B-1 overdue:3",
        "2027-03-30 lise B-1 overdue:3",
    ];
    assert_eq!(about("B-1"), status);
    // Georg left at the end of January; his mail goes one level up, where Carl's deputy is for the time being.
    let vacant = about("B-5");
    assert_eq!(vacant[..2], ["2027-01-11 georg B-5 before:30", "2027-02-03 carl B-5 before:7"]);
    assert!(vacant[2..].iter().all(|line| !line.contains("georg")), "{vacant:?}");
    assert_eq!(about("B-6"), [""; 0], "without a date nobody is reminded");
    assert_eq!(about("B-8"), ["2027-04-01 carl B-8 opens"]);
}

#[test]
fn the_commitments_of_the_project_send_what_the_plan_said_for_four_years() {
    let Some(shared) = shared() else { return };
    let world = World::new();
    let (leaders, commitments) = (shared.join("leaders.csv"), shared.join("commitments.csv"));
    let words = ["--on", "2019-05-01", "import"].map(Into::into);
    let words = words.into_iter().chain([leaders.into_os_string(), commitments.into_os_string()]);
    let out = world.run_words(words).ok();
    assert!(out.contains("commitments: 63 new, 0 changed, 0 unchanged"), "{out}");
    assert_eq!(world.run("list --all --json --on 2019-05-01").json().len(), 63);

    let (from, to) = ("2019-05-01", "2023-03-31");
    let plan = world.run(&format!("plan --from {from} --to {to} --json --on {from}")).json();
    let planned: BTreeSet<String> =
        plan.iter().map(|message| message["on"].as_str().unwrap().to_owned()).collect();
    assert!(planned.len() > 100, "{planned:?}");
    // Days between these could only send what the next of them would then not send.
    check(&world, from, to, planned);
}

#[test]
fn after_days_without_a_worker_each_person_gets_one_digest_with_the_latest_steps() {
    let world = World::new();
    world.config(
        "[rules.meeting]\nbefore = [7]\ndue = false\noverdue = { first = 3, every = 14, at_most = 0 }\nescalate = []\n",
    );
    let rows = [
        "D-1,Læg planen frem,follow_up,2027-02-10,led",
        "D-2,Mød forældrene,follow_up,2027-02-16,led",
        "D-3,Luk hallen,follow_up,2027-03-17,led;vice",
        "D-4,Hold mødet,meeting,2027-02-12,led",
    ];
    world.import(FIRST_DAY, LEADERS, &sheet(&rows)).ok();
    world.once_on(["2027-02-15"]);
    let digest = [
        "2027-02-15 lise@kommune.example: D-1 overdue:1, D-2 before:7, D-3 before:30",
        "2027-02-15 vibe@kommune.example: D-3 before:30",
    ];
    assert_eq!(
        sent(&world),
        digest,
        "nothing of D-4: its only step was before a deadline that is over"
    );
    let mails = world.mails();
    let lise = mails.iter().find(|mail| mail.sent.to.starts_with("lise")).unwrap();
    let (late, soon) = (lise.text.find("D-1").unwrap(), lise.text.find("D-2").unwrap());
    assert!(late < soon, "the overdue first:\n{}", lise.text);
    assert!(lise.text.contains("5 dage over fristen"), "{}", lise.text);
    assert!(lise.text.contains("i morgen"), "{}", lise.text);

    world.once_on(["2027-02-15", "2027-02-16"]);
    assert_eq!(sent(&world)[2..], ["2027-02-16 lise@kommune.example: D-2 due"]);
}

#[test]
fn a_second_pass_on_the_same_day_sends_nothing() {
    let world = world(&["E-1,Status,status,2027-02-03,led"]);
    world.once_on([FIRST_DAY, FIRST_DAY]);
    assert_eq!(sent(&world), ["2027-01-04 lise@kommune.example: E-1 before:30"]);
    let out = world.run(&format!("once --on {FIRST_DAY}")).ok();
    assert!(
        out.ends_with(
            "due 0, sent 0, deferred 0, held 0, vacancies 0, next firing Tue 2027-01-05 08:00\n"
        ),
        "{out}"
    );
}

#[test]
fn what_comes_into_the_book_after_the_digest_of_the_day_waits_for_the_next_sending_day() {
    let world = world(&["E-1,Status,status,2027-02-05,led"]);
    world.once_on(["2027-01-08"]);
    let more = sheet(&["E-2,Evaluering,evaluation,2027-02-07,led"]);
    world.import("2027-01-08", LEADERS, &more).ok();
    world.once_on(["2027-01-08", "2027-01-09"]);
    assert_eq!(sent(&world).len(), 1);
    world.once_on(["2027-01-11"]);
    let second = "2027-01-11 lise@kommune.example: E-2 before:30";
    assert_eq!(sent(&world)[1..], [second]);
}

#[test]
fn a_day_that_is_no_sending_day_sends_nothing_new_unless_told_to_and_says_when_the_next_one_is() {
    let world = world(&["E-1,Status,status,2027-02-03,led"]);
    let out = world.run("once --on 2027-01-09").ok();
    assert!(out.contains("2027-01-09 is no sending day"), "{out}");
    assert!(
        out.contains("due 0, sent 0") && out.contains("next firing Mon 2027-01-11 08:00"),
        "{out}"
    );
    assert_eq!(sent(&world), [""; 0]);

    let dry = world.run("once --on 2027-01-11 --dry-run").ok();
    assert!(dry.contains("lise@kommune.example") && dry.contains("1 would be sent"), "{dry}");
    assert_eq!(sent(&world), [""; 0], "a dry run sends nothing");

    let out = world.run("once --on 2027-01-09 --now").ok();
    assert!(out.contains("due 1, sent 1"), "{out}");
    assert_eq!(sent(&world), ["2027-01-09 lise@kommune.example: E-1 before:30"]);
}

#[test]
fn a_day_that_is_no_sending_day_still_delivers_what_waits() {
    let world = world(&["E-1,Status,status,2027-02-06,led"]);
    // A file where the folder should be.
    world.file("data/mail", "in the way");
    let friday = world.run("once --on 2027-01-07").ended(75);
    assert!(friday.out.contains("sent 0, deferred 1"), "{}", friday.out);
    std::fs::remove_file(world.path("data/mail")).unwrap();
    let saturday = world.run("once --on 2027-01-09").ok();
    assert!(saturday.contains("due 0, sent 1"), "{saturday}");
    let [mail] = &world.mails()[..] else { panic!("one mail") };
    assert!(mail.subject.contains("Status"), "{}", mail.subject);
}

#[test]
fn what_is_planned_anew_after_a_later_step_counts_once() {
    let world = super::world(&["R-1,Et,status,2027-06-14,led", "R-2,To,decision,2027-06-14,led"]);
    let rules = "[rules.default]\nbefore = [7, 6]\n[rules.decision]\nbefore = [7]\n";
    world.file("taken", "");
    world.config(&format!("[mail]\nfile_dir = \"taken/mail\"\n{rules}"));
    let monday = world.run("--on 2027-06-07 once").ended(75).out;
    assert!(monday.contains("due 2, sent 0, deferred 1"), "{monday}");
    world.config(&format!("[mail]\nfile_dir = \"mail\"\n{rules}"));
    let tuesday = world.run("--on 2027-06-08 once").ok();
    assert!(tuesday.contains("due 2, sent 1, deferred 0"), "{tuesday}");
}
