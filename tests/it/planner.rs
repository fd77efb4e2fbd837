//! planning.md, sentence by sentence.

use std::collections::BTreeMap;

use advis::domain::calendar::Calendar;
use advis::domain::commitment::{BookWindow, Commitment, Responsible, Snooze, Source, Status};
use advis::domain::leader::{Capacity, Language, Leader, People, Period};
use advis::domain::reminder::{History, Message, Sent};
use advis::domain::rule::{KindRules, KindTable, Ladder, Overdue, Step};
use advis::domain::window::Window;
use advis::planner::{self, NEVER, Rules};
use advis::schedule::{Schedule, SendingDays};
use chrono::{Days, NaiveDate};
use proptest::prelude::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn plus(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap()
}

fn sending(cron: &str) -> SendingDays {
    SendingDays::new(Calendar::default(), Schedule::parse(cron).unwrap())
}

fn rules_of(kind: KindRules) -> Rules {
    Rules::new(
        KindTable::new(kind, BTreeMap::new()),
        sending("0 0 8 * * Mon-Fri"),
        &[],
        day("2019-01-01"),
    )
}

/// The rules of planning.md's example by hand.
fn example_rules() -> KindRules {
    KindRules {
        before: vec![30, 7],
        opens: true,
        due: true,
        overdue: Overdue { first: 1, every: 7, at_most: 4 },
        escalate: vec![14, 28],
    }
}

fn leader(reference: &str, manager: Option<&str>) -> Leader {
    Leader {
        reference: reference.to_owned(),
        name: format!("Leder {reference}"),
        email: format!("{reference}@kommune.example").parse().ok(),
        role: String::new(),
        unit: String::new(),
        manager: manager.map(str::to_owned),
        deputy: None,
        language: Language::Danish,
        active: Period::default(),
        absent: Period::default(),
    }
}

/// A leader, the manager above, and the director above that one.
fn three_levels() -> Vec<Leader> {
    vec![leader("lis", Some("mads")), leader("mads", Some("dorte")), leader("dorte", None)]
}

fn people(leaders: Vec<Leader>) -> People {
    People::new(leaders, "Sekretariatet <sek@kommune.example>".parse().unwrap(), Language::Danish)
}

fn commitment(
    reference: &str,
    adopted: &str,
    windows: &[Window],
    responsible: &[&str],
) -> Commitment {
    let windows = (1..).zip(windows).map(|(number, window)| BookWindow {
        number,
        window: *window,
        made_on: None,
        closed_on: None,
    });
    let responsible = responsible.iter().map(|leader| Responsible {
        leader: (*leader).to_owned(),
        since: None,
        until: None,
        snoozes: Vec::new(),
    });
    Commitment {
        reference: reference.to_owned(),
        title: format!("Opgave {reference}"),
        kind: "milestone".to_owned(),
        phrase: String::new(),
        confidence: None,
        organisation: String::new(),
        source: Source::default(),
        confidential: false,
        status: Status::Open,
        adoption: day(adopted),
        revision: 1,
        windows: windows.collect(),
        recurrence: None,
        reference_date: day(adopted),
        responsible: responsible.collect(),
    }
}

fn span(opens: &str, due: &str) -> Window {
    Window::span(day(opens), day(due))
}

/// Every message of the forecast as a line: day, ladder, receiver, items.
fn lines(
    book: Vec<Commitment>,
    people: &People,
    rules: &Rules,
    from: &str,
    to: &str,
) -> Vec<String> {
    lines_after(book, people, rules, History::default(), from, to)
}

fn lines_after(
    book: Vec<Commitment>,
    people: &People,
    rules: &Rules,
    sent: History,
    from: &str,
    to: &str,
) -> Vec<String> {
    let (from, to) = (day(from), day(to));
    let days = planner::forecast(book, people, rules, sent, from, (from, to));
    days.flat_map(|(_, messages)| messages).map(|message| line(&message)).collect()
}

fn line(message: &Message) -> String {
    let items = message.items.iter().map(|item| format!("{} {}", item.commitment, item.step));
    let to = message.to.address.as_str().split('@').next().unwrap();
    format!("{} {to}: {}", message.on, items.collect::<Vec<_>>().join(", "))
}

fn effect_goals() -> Commitment {
    commitment("A-1", "2019-05-15", &[span("2019-06-21", "2019-06-30")], &["lis"])
}

#[test]
fn the_example_by_hand_comes_out_to_the_day() {
    let rules = rules_of(example_rules());
    let plan =
        lines(vec![effect_goals()], &people(three_levels()), &rules, "2019-05-15", "2020-12-31");
    assert_eq!(
        plan,
        [
            "2019-05-31 lis: A-1 before:30",
            "2019-06-21 lis: A-1 before:7",
            "2019-06-28 lis: A-1 due",
            "2019-07-01 lis: A-1 overdue:1",
            "2019-07-08 lis: A-1 overdue:2",
            "2019-07-15 lis: A-1 overdue:3",
            "2019-07-15 mads: A-1 escalate:1",
            "2019-07-22 lis: A-1 overdue:4",
            "2019-07-29 dorte: A-1 escalate:2",
        ]
    );
}

#[test]
fn a_worker_that_was_down_sends_the_latest_step_only_and_nothing_before_after_the_deadline() {
    let rules = rules_of(example_rules());
    let people = people(three_levels());
    let late = |from: &str, to: &str| lines(vec![effect_goals()], &people, &rules, from, to);
    assert_eq!(late("2019-06-24", "2019-06-27"), ["2019-06-24 lis: A-1 before:7"]);
    assert_eq!(late("2019-07-10", "2019-07-14"), ["2019-07-10 lis: A-1 overdue:2"]);
}

#[test]
fn before_and_opens_lapse_when_the_deadline_is_past() {
    let kind = KindRules {
        due: false,
        overdue: Overdue { first: 3, every: 7, at_most: 0 },
        escalate: vec![],
        ..example_rules()
    };
    let plan = lines(
        vec![effect_goals()],
        &people(three_levels()),
        &rules_of(kind),
        "2019-07-01",
        "2019-12-31",
    );
    assert_eq!(plan, [""; 0]);
}

#[test]
fn steps_before_the_adoption_are_history() {
    let old = commitment("A-1", "2026-01-05", &[span("2019-06-21", "2019-06-30")], &["lis"]);
    let plan = lines(
        vec![old],
        &people(three_levels()),
        &rules_of(example_rules()),
        "2026-01-05",
        "2026-12-31",
    );
    assert_eq!(plan, [""; 0]);
}

#[test]
fn an_opening_is_announced_when_the_window_is_long_and_the_first_reminder_far_off() {
    let kind = KindRules { before: vec![30, 7], escalate: vec![], ..KindRules::default() };
    let people = people(three_levels());
    let opens = |window: Window, kind: &KindRules| {
        let book = vec![commitment("A-1", "2020-01-01", &[window], &["lis"])];
        let plan = lines(book, &people, &rules_of(kind.clone()), "2020-01-01", "2020-12-31");
        plan.iter().any(|line| line.ends_with("opens"))
    };
    assert!(opens(span("2020-03-02", "2020-04-30"), &kind), "29 days before the first reminder");
    // The first reminder goes on Tuesday 2020-03-31: more than 7 days later, and exactly 7.
    assert!(opens(span("2020-03-23", "2020-04-30"), &kind));
    assert!(!opens(span("2020-03-24", "2020-04-30"), &kind));
    assert!(!opens(Window::day(day("2020-04-30")), &kind), "a single day opens when it is due");
    let none_before = KindRules { before: vec![], ..kind.clone() };
    assert!(opens(span("2020-04-29", "2020-04-30"), &none_before));
    assert!(!opens(Window::day(day("2020-04-30")), &none_before));
    assert!(opens(Window::from(day("2020-04-30")), &kind), "open-ended");
    let silent = KindRules { opens: false, ..kind };
    assert!(!opens(Window::from(day("2020-04-30")), &silent));
}

#[test]
fn of_steps_moved_onto_one_day_the_last_stands() {
    let kind = KindRules {
        before: vec![1, 2],
        overdue: Overdue { first: 1, every: 1, at_most: 2 },
        escalate: vec![5, 6],
        ..KindRules::default()
    };
    // Due on a Sunday: before:1 and before:2 fall on Friday with the deadline itself, overdue:1 alone on Monday.
    let book = vec![commitment("A-1", "2020-06-01", &[Window::day(day("2020-06-14"))], &["lis"])];
    let plan = lines(book, &people(three_levels()), &rules_of(kind), "2020-06-01", "2020-07-31");
    assert_eq!(
        plan,
        [
            "2020-06-12 lis: A-1 due",
            "2020-06-15 lis: A-1 overdue:1",
            "2020-06-16 lis: A-1 overdue:2",
            "2020-06-19 mads: A-1 escalate:1",
            "2020-06-22 dorte: A-1 escalate:2",
        ]
    );
}

#[test]
fn a_level_without_a_receiver_is_taken_out_before_steps_are_merged() {
    let kind = KindRules { escalate: vec![5, 6], ..example_rules() };
    let two = vec![leader("lis", Some("mads")), leader("mads", None)];
    // Both levels would be moved onto Monday; only the first has anybody.
    let book = vec![commitment("A-1", "2020-06-01", &[Window::day(day("2020-06-15"))], &["lis"])];
    let plan = lines(book, &people(two), &rules_of(kind), "2020-06-01", "2020-07-31");
    let escalations: Vec<_> = plan.iter().filter(|line| line.contains("escalate")).collect();
    assert_eq!(escalations, ["2020-06-22 mads: A-1 escalate:1"]);
}

#[test]
fn without_managers_the_first_level_goes_to_the_secretariat() {
    let book = vec![commitment("A-1", "2020-06-01", &[Window::day(day("2020-06-15"))], &["dorte"])];
    let plan = lines(
        book,
        &people(three_levels()),
        &rules_of(example_rules()),
        "2020-06-01",
        "2020-12-31",
    );
    let escalations: Vec<_> = plan.iter().filter(|line| line.contains("escalate")).collect();
    assert_eq!(escalations, ["2020-06-29 sek: A-1 escalate:1"]);
}

#[test]
fn a_manager_hears_only_when_the_leader_has_known_for_three_days() {
    let kind = KindRules {
        overdue: Overdue { first: 30, every: 1, at_most: 1 },
        due: false,
        escalate: vec![1],
        ..example_rules()
    };
    let book = vec![commitment("A-1", "2020-06-01", &[Window::day(day("2020-06-15"))], &["lis"])];
    let plan = lines(book, &people(three_levels()), &rules_of(kind), "2020-06-01", "2020-12-31");
    assert_eq!(
        plan.last().unwrap(),
        "2020-07-20 mads: A-1 escalate:1",
        "overdue:1 went on Wednesday 2020-07-15; three days later is a Saturday"
    );
}

#[test]
fn one_escalation_names_all_the_responsible_it_stands_for() {
    let mut leaders = three_levels();
    leaders.push(leader("ole", Some("mads")));
    let book =
        vec![commitment("A-1", "2020-06-01", &[Window::day(day("2020-06-15"))], &["ole", "lis"])];
    let (people, rules) = (people(leaders), rules_of(example_rules()));
    let from = day("2020-06-01");
    let days = planner::forecast(
        book,
        &people,
        &rules,
        History::default(),
        from,
        (from, day("2020-07-05")),
    );
    let escalations: Vec<Message> = days
        .flat_map(|(_, messages)| messages)
        .filter(|message| message.ladder == Ladder::Escalation)
        .collect();
    let [only] = escalations.as_slice() else { panic!("{escalations:?}") };
    let about: Vec<&str> = only.items[0].about.iter().map(|(leader, _)| leader.as_str()).collect();
    assert_eq!(about, ["ole", "lis"]);
    assert_eq!(only.items[0].reminded_on.len(), 4, "before:7, due, overdue:1 and overdue:2");
}

#[test]
fn a_manager_who_is_responsible_too_is_not_told_on_himself() {
    let book =
        vec![commitment("A-1", "2020-06-01", &[Window::day(day("2020-06-15"))], &["lis", "mads"])];
    let plan = lines(
        book,
        &people(three_levels()),
        &rules_of(example_rules()),
        "2020-06-01",
        "2020-12-31",
    );
    let escalations: Vec<_> = plan.iter().filter(|line| line.contains("escalate")).collect();
    assert_eq!(escalations, ["2020-06-29 dorte: A-1 escalate:1"]);
}

#[test]
fn the_absent_are_stood_in_for_and_vacancies_go_up() {
    let mut leaders = three_levels();
    leaders[0].deputy = Some("vibe".to_owned());
    leaders[0].absent = Period { from: Some(day("2020-06-01")), to: Some(day("2020-06-10")) };
    leaders.push(leader("vibe", None));
    let on = |leaders: &[Leader], day_text: &str| {
        let receiver = people(leaders.to_vec()).receiver("lis", day(day_text));
        (receiver.mailbox.address.as_str().split('@').next().unwrap().to_owned(), receiver.capacity)
    };
    let own = |name: &str| (name.to_owned(), Capacity::Self_);
    assert_eq!(on(&leaders, "2020-05-31"), own("lis"));
    assert_eq!(
        on(&leaders, "2020-06-10"),
        ("vibe".to_owned(), Capacity::DeputyOf("lis".to_owned()))
    );
    assert_eq!(on(&leaders, "2020-06-11"), own("lis"));
    leaders[3].absent = leaders[0].absent;
    assert_eq!(on(&leaders, "2020-06-10"), own("lis"), "the deputy is away too");
    leaders[0].active.to = Some(day("2020-06-05"));
    let vacancy = Capacity::ForVacancy("lis".to_owned());
    assert_eq!(on(&leaders, "2020-06-05"), own("lis"), "the last day counts");
    assert_eq!(on(&leaders, "2020-06-06"), ("mads".to_owned(), vacancy.clone()));
    leaders[1].email = None;
    assert_eq!(on(&leaders, "2020-06-06"), ("dorte".to_owned(), vacancy.clone()));
    leaders[2].email = None;
    assert_eq!(on(&leaders, "2020-06-06"), ("sek".to_owned(), vacancy));
}

#[test]
fn a_snooze_holds_back_own_messages_until_its_day_and_ends_before_the_next_escalation() {
    let rules = rules_of(example_rules());
    let people = people(three_levels());
    let snoozed = |until: &str| {
        let mut one = effect_goals();
        let (until, made_on) = (day(until), day("2019-06-03"));
        one.responsible[0].snoozes = vec![Snooze { window: 1, until, made_on }];
        lines(vec![one], &people, &rules, "2019-06-03", "2019-07-31")
    };
    let before_escalation = snoozed("2019-06-26");
    assert_eq!(
        before_escalation[..2],
        ["2019-06-26 lis: A-1 before:7".to_owned(), "2019-06-28 lis: A-1 due".to_owned()]
    );
    // escalate:1 is moved to Monday 2019-07-15, so peace ends on Sunday; the manager waits for the leader all the same.
    assert_eq!(
        snoozed("2019-12-31"),
        [
            "2019-07-15 lis: A-1 overdue:3",
            "2019-07-18 mads: A-1 escalate:1",
            "2019-07-22 lis: A-1 overdue:4",
            "2019-07-29 dorte: A-1 escalate:2",
        ]
    );
}

#[test]
fn two_people_with_one_mailbox_get_one_mail_with_the_overdue_first() {
    let mut leaders = three_levels();
    leaders.push(leader("ole", Some("mads")));
    leaders[3].email = "LIS@kommune.example".parse().ok();
    let book = vec![
        commitment("C-3", "2020-06-01", &[Window::day(day("2020-06-22"))], &["lis"]),
        commitment("B-2", "2020-06-01", &[Window::day(day("2020-06-08"))], &["ole"]),
        commitment("A-1", "2020-06-01", &[Window::day(day("2020-06-12"))], &["ole", "lis"]),
        commitment("A-0", "2020-06-01", &[Window::from(day("2020-06-15"))], &["lis"]),
    ];
    let kind = KindRules { before: vec![7], escalate: vec![], ..KindRules::default() };
    let (people, rules) = (people(leaders), rules_of(kind));
    let from = day("2020-06-15");
    let mut days = planner::forecast(book, &people, &rules, History::default(), from, (from, from));
    let (_, messages) = days.next().unwrap();
    assert_eq!(
        messages.iter().map(line).collect::<Vec<_>>(),
        ["2020-06-15 LIS: A-1 overdue:1, B-2 overdue:1, C-3 before:7, A-0 opens"]
            .map(|line| line.replace("LIS", "lis"))
    );
    assert_eq!(messages[0].to.name, "Leder lis", "the first by reference gives the name");
    assert_eq!(messages[0].items[0].about.len(), 2);
}

#[test]
fn a_changed_rule_never_fires_backwards() {
    let kinds =
        |before: Vec<u32>| KindTable::new(KindRules { before, ..example_rules() }, BTreeMap::new());
    let days = || sending("0 0 8 * * Mon-Fri");
    let first = Rules::new(kinds(vec![7]), days(), &[], day("2019-05-15"));
    assert!(
        first.birthdays().iter().all(|one| one.since.is_none()),
        "the first count as since ever"
    );
    let changed = Rules::new(kinds(vec![30, 10]), days(), first.birthdays(), day("2019-06-10"));
    let plan =
        lines(vec![effect_goals()], &people(three_levels()), &changed, "2019-06-10", "2019-06-30");
    // before:30 would have gone on 2019-05-31, ten days before anyone wrote it down.
    assert_eq!(plan, ["2019-06-20 lis: A-1 before:10", "2019-06-28 lis: A-1 due"]);
    let again = Rules::new(kinds(vec![30, 10]), days(), changed.birthdays(), day("2019-09-01"));
    assert_eq!(again.birthdays(), changed.birthdays());
}

#[test]
fn a_step_that_was_sent_under_other_rules_still_counts() {
    let mut sent = History::default();
    let record = Sent {
        revision: 1,
        window: 1,
        leader: "lis".to_owned(),
        step: Step::Before(5),
        on: day("2019-06-25"),
        accepted_on: Some(day("2019-06-25")),
    };
    sent.record("A-1", record);
    let rules = rules_of(example_rules());
    let people = people(three_levels());
    let plan = lines_after(vec![effect_goals()], &people, &rules, sent, "2019-06-26", "2019-06-28");
    assert_eq!(plan, ["2019-06-28 lis: A-1 due"], "before:7 is earlier than what they have read");
}

#[test]
fn a_new_responsible_starts_as_at_an_adoption() {
    let mut one = effect_goals();
    one.responsible[0].since = Some(day("2019-06-24"));
    let plan = lines(
        vec![one],
        &people(three_levels()),
        &rules_of(example_rules()),
        "2019-06-24",
        "2019-06-30",
    );
    assert_eq!(plan, ["2019-06-28 lis: A-1 due"]);
}

#[test]
fn a_message_announces_the_next_escalation_as_hand_overs_to_come_leave_it() {
    let announced = |hand_over: Option<(&str, &str)>| {
        let window = span("2019-06-21", "2019-06-30");
        let mut book = vec![commitment("A-1", "2019-05-15", &[window], &["lis", "mads"])];
        if let Some((leader, until)) = hand_over {
            let mut all = book[0].responsible.iter_mut();
            all.find(|one| one.leader == leader).unwrap().until = Some(day(until));
        }
        let (people, rules) = (people(three_levels()), rules_of(example_rules()));
        let on = day("2019-06-28");
        let mut days = planner::forecast(book, &people, &rules, History::default(), on, (on, on));
        let (_, messages) = days.next().unwrap();
        let to_lis = messages.iter().find(|message| message.leader.as_deref() == Some("lis"));
        let announced = to_lis.unwrap().items[0].announced.clone();
        announced.map(|next| format!("{} {}", next.on, next.name))
    };
    assert_eq!(announced(None).as_deref(), Some("2019-07-15 Leder dorte"));
    assert_eq!(announced(Some(("lis", "2019-07-15"))), None, "by then somebody else answers");
    assert_eq!(announced(Some(("lis", "2019-07-16"))).as_deref(), Some("2019-07-15 Leder dorte"));
    // From then on mads is only her manager.
    assert_eq!(announced(Some(("mads", "2019-07-15"))).as_deref(), Some("2019-07-15 Leder mads"));
}

#[test]
fn every_step_has_its_reason() {
    let book = [effect_goals()];
    let rules = rules_of(example_rules());
    let people = people(three_levels());
    let (sent, today) = (History::default(), day("2019-06-24"));
    let mut skipped = Vec::new();
    let plan = planner::plan_and_explain(&book, &people, &rules, &sent, today, |one| {
        skipped.push(format!("{}: {}", one.step, one.why));
    });
    let due: Vec<String> = plan.due.iter().map(advis::domain::reminder::Reminder::reason).collect();
    assert_eq!(
        due,
        ["7 days before the deadline, 2019-06-23, moved to the sending day 2019-06-21"]
    );
    let coming = |step: &str| format!("{step}: its day is still to come");
    assert_eq!(skipped[0], "before:30: overtaken by before:7");
    assert_eq!(
        skipped[1],
        "opens: the first reminder before the deadline comes at most 7 days later"
    );
    let rest =
        ["due", "overdue:1", "overdue:2", "overdue:3", "overdue:4", "escalate:1", "escalate:2"];
    assert_eq!(skipped[2..], rest.map(coming));
}

#[test]
fn a_step_whose_message_was_not_accepted_is_not_called_sent() {
    let (book, rules, people) =
        ([effect_goals()], rules_of(example_rules()), people(three_levels()));
    for (accepted_on, expected) in [
        (Some(day("2019-06-21")), "sent on 2019-06-21"),
        (None, "in a message of 2019-06-21 that was not accepted; see `advis log`"),
    ] {
        let (on, step) = (day("2019-06-21"), Step::Before(7));
        let leader = "lis".to_owned();
        let mut sent = History::default();
        sent.record("A-1", Sent { revision: 1, window: 1, leader, step, on, accepted_on });
        let mut reason = None;
        planner::plan_and_explain(&book, &people, &rules, &sent, day("2019-06-28"), |one| {
            if one.step == step {
                reason = Some(one.why.to_string());
            }
        });
        assert_eq!(reason.as_deref(), Some(expected));
    }
}

prop_compose! {
    fn any_window()(opens in 0u64..500, length in proptest::option::of(0u64..120)) -> Window {
        let opens = plus(day("2019-06-01"), opens);
        Window { opens, due: length.map(|length| plus(opens, length)) }
    }
}

prop_compose! {
    fn any_rules()(
        before in proptest::collection::btree_set(1u32..60, 0..4),
        opens: bool,
        due: bool,
        first in 1u32..20,
        every in 1u32..20,
        at_most in 0u32..5,
        escalate in proptest::collection::btree_set(1u32..60, 0..4),
        cron in prop_oneof![Just("0 0 8 * * Mon-Fri"), Just("0 0 8 * * Tue,Thu"), Just("0 0 8 1,15 * *")],
    ) -> Rules {
        let kind = KindRules {
            before: before.into_iter().collect(),
            opens,
            due,
            overdue: Overdue { first, every, at_most },
            escalate: escalate.into_iter().collect(),
        };
        let table = KindTable::new(kind, BTreeMap::new());
        Rules::new(table, sending(cron), &[], day("2019-01-01"))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// The forecast looks at a commitment only on its look days; looking every day finds nothing else.
    #[test]
    fn looking_only_on_look_days_misses_nothing(
        windows in proptest::collection::vec(any_window(), 1..5),
        rules in any_rules(),
        snooze in proptest::option::of((0u64..300, 1u64..200)),
    ) {
        let mut book: Vec<Commitment> = windows
            .iter()
            .enumerate()
            .map(|(nth, window)| commitment(&format!("P-{nth}"), "2019-05-01", &[*window], &["lis"]))
            .collect();
        if let Some((made, length)) = snooze {
            let made_on = plus(day("2019-05-01"), made);
            let until = plus(made_on, length);
            book[0].responsible[0].snoozes = vec![Snooze { window: 1, until, made_on }];
        }
        let people = people(three_levels());
        let sparse = lines(book.clone(), &people, &rules, "2019-05-01", "2021-12-31");
        prop_assert_eq!(sparse, every_day(&book, &people, &rules));
    }

    /// What opens beyond the reach of the rules has nothing to say yet, whatever its look day.
    #[test]
    fn nothing_is_said_about_what_lies_beyond_reach(
        window in any_window(),
        rules in any_rules(),
        ahead in 1u64..200,
    ) {
        let book = vec![commitment("P-1", "2019-05-01", &[window], &["lis"])];
        let people = people(three_levels());
        let today = window.opens - Days::new(ahead);
        let plan = planner::plan(&book, &people, &rules, &History::default(), today);
        if window.opens > rules.reach(today) {
            prop_assert_eq!(plan.due, []);
            prop_assert!(plan.look_on[0].1 > today);
        }
        let far = day("2400-01-01");
        prop_assert_eq!(rules.reach(far), NEVER);
    }

    /// Nothing is said twice, nothing "before" after the deadline, and a manager never before the leader.
    #[test]
    fn what_is_sent_keeps_its_promises(window in any_window(), rules in any_rules()) {
        let book = vec![commitment("P-1", "2019-05-01", &[window], &["lis"])];
        let people = people(three_levels());
        let from = day("2019-05-01");
        let days = planner::forecast(book, &people, &rules, History::default(), from, (from, day("2021-12-31")));
        let mut seen = std::collections::HashSet::new();
        let mut told = None;
        for (on, message) in days.flat_map(|(on, messages)| messages.into_iter().map(move |one| (on, one))) {
            let item = &message.items[0];
            prop_assert!(seen.insert(item.step), "{} twice", item.step);
            prop_assert!(rules.sending.is_sending_day(on));
            if matches!(item.step, Step::Before(_)) {
                prop_assert!(window.due.unwrap() >= on);
            }
            match message.ladder {
                Ladder::Own if window.due.is_some_and(|due| rules.sending.on_or_before(due).unwrap() <= on) => {
                    told = told.or(Some(on));
                }
                Ladder::Own => {}
                Ladder::Escalation => prop_assert!((on - told.unwrap()).num_days() >= 3),
            }
        }
    }
}

/// What a forecast would be without look days: the planner asked about everything on every sending day.
fn every_day(book: &[Commitment], people: &People, rules: &Rules) -> Vec<String> {
    let mut sent = History::default();
    let mut found = Vec::new();
    let mut today = day("2019-05-01");
    while today <= day("2021-12-31") {
        if rules.sending.is_sending_day(today) {
            let plan = planner::plan(book, people, rules, &sent, today);
            let find = |reference: &str| book.iter().find(|one| one.reference == reference);
            let messages = planner::messages(&plan.due, find, people, rules, &sent, today);
            for item in messages.iter().flat_map(|message| &message.items) {
                let record = Sent {
                    revision: item.revision,
                    window: item.window,
                    leader: item.about[0].0.clone(),
                    step: item.step,
                    on: today,
                    accepted_on: Some(today),
                };
                sent.record(&item.commitment, record);
            }
            found.extend(messages.iter().map(line));
        }
        today = plus(today, 1);
    }
    found
}

#[test]
fn a_commitment_with_nothing_left_to_say_is_never_looked_at_again() {
    let book = [commitment("A-1", "2026-01-05", &[span("2019-06-21", "2019-06-30")], &["lis"])];
    let rules = rules_of(example_rules());
    let people = people(three_levels());
    let plan = planner::plan(&book, &people, &rules, &History::default(), day("2026-01-05"));
    assert_eq!(plan.look_on, [("A-1", NEVER)]);
}

#[test]
fn a_hand_over_to_come_is_known_to_the_forecast() {
    let mut one =
        commitment("A-1", "2020-06-01", &[Window::day(day("2020-06-30"))], &["lis", "ole"]);
    let on = day("2020-06-26");
    one.responsible[0].until = Some(on);
    one.responsible[1].since = Some(on);
    let mut leaders = three_levels();
    leaders.push(leader("ole", Some("lis")));
    let kind = KindRules { before: vec![10, 5], ..example_rules() };
    let plan = lines(vec![one], &people(leaders), &rules_of(kind), "2020-06-01", "2020-07-14");
    // Until the day of the hand-over it is lis's, from then on ole's; and lis, who no longer answers for it, is told on.
    assert_eq!(
        plan,
        [
            "2020-06-19 lis: A-1 before:10",
            "2020-06-25 lis: A-1 before:5",
            "2020-06-30 ole: A-1 due",
            "2020-07-01 ole: A-1 overdue:1",
            "2020-07-08 ole: A-1 overdue:2",
            "2020-07-14 lis: A-1 escalate:1",
        ]
    );
}
