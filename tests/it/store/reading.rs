//! What other systems write, and how it reads.

use super::*;

async fn enter(world: &World, outcome: impl Fn(&str) -> EnteredAs) {
    let readings: Vec<Entered> = world
        .store
        .unread()
        .await
        .unwrap()
        .0
        .into_iter()
        .map(|unread| Entered { outcome: outcome(&unread.reference), unread })
        .collect();
    world.store.enter(&readings, &stamp("2020-01-02")).await.unwrap();
}

#[tokio::test]
async fn three_plain_inserts_of_another_system_are_a_commitment() {
    let world = staffed().await;
    world
        .sql(
            "INSERT INTO commitments(reference, title, phrase) VALUES ('A', 'En plan', 'juni 2020');
             INSERT INTO commitments(reference, title) VALUES ('B', 'En anden plan');
             INSERT INTO windows(commitment, opens, due) VALUES ('B', '2020-05-01', '2020-05-31');
             INSERT INTO responsibilities(commitment, leader) VALUES ('A', 'nord'), ('B', 'syd')",
        )
        .await;
    assert_eq!(world.references(Which::All).await, [""; 0], "not read yet");
    let (unread, _) = world.store.unread().await.unwrap();
    let seen: Vec<_> = unread
        .iter()
        .map(|one| (one.reference.as_str(), one.phrase.as_str(), one.windows, one.responsible))
        .collect();
    assert_eq!(seen, [("A", "juni 2020", 0, 1), ("B", "", 1, 1)]);
    assert_eq!(unread[0].reference_date(day("2020-01-02")), day("2020-01-02"));

    enter(&world, |reference| match reference {
        "A" => EnteredAs::Deadline(june().unwrap()),
        _ => EnteredAs::Windows,
    })
    .await;
    assert_eq!(world.store.unread().await.unwrap(), (vec![], vec![]));
    let book = world.book(Which::Open).await;
    assert_eq!(days_of(&book[0]), ["2020-06-01..2020-06-30"]);
    assert_eq!(days_of(&book[1]), ["2020-05-01..2020-05-31"]);
    assert_eq!(book[0].confidence, Some(Confidence::High));
    assert_eq!((book[0].kind.as_str(), book[1].confidence), ("follow_up", None));
    assert_eq!((book[0].adoption, book[0].reference_date), (day("2020-01-02"), day("2020-01-02")));
    assert_eq!(leaders_of(&book[1]), [("syd", None)]);
    let events = world.store.events("A").await.unwrap();
    assert_eq!((events[0].what.as_str(), events[0].who.as_str()), ("entered", "sekretær"));
    assert_eq!(events[0].at, stamp("2020-01-02").at);
}

#[tokio::test]
async fn what_cannot_be_planned_needs_a_date_and_says_why() {
    let world = staffed().await;
    world
        .sql(
            "INSERT INTO commitments(reference, title, document_date) VALUES
                ('A', 'a', '2019-05-15'), ('B', 'b', NULL), ('C', 'c', NULL);
             INSERT INTO commitments(reference, title, status, adopted_on) VALUES
                ('D', 'd', 'done', '2020-02-01')",
        )
        .await;
    enter(&world, |reference| match reference {
        "A" => EnteredAs::Undated(Undated::Ongoing),
        "B" => EnteredAs::Problem("the kind is unknown".to_owned()),
        "C" => EnteredAs::Deadline(deadline(&[Window::day(day("2020-03-01"))], Confidence::Fuzzy)),
        _ => EnteredAs::Undated(Undated::NoDateGiven),
    })
    .await;
    let notes = world.store.notes().await.unwrap();
    let notes: Vec<(&str, &str)> =
        notes.iter().map(|(reference, note)| (reference.as_str(), note.as_str())).collect();
    assert_eq!(
        notes,
        [
            ("A", "ongoing"),
            ("B", "the kind is unknown"),
            ("C", "the words fit more than one window")
        ]
    );
    assert_eq!(world.one("A").await.reference_date, day("2019-05-15"));
    let closed = world.one("D").await;
    assert_eq!((closed.status, closed.adoption), (Status::Done, day("2020-02-01")));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_left_out_and_told() {
    let world = staffed().await;
    world.promise("A", &[Window::day(day("2020-03-01"))]).await;
    world.promise("B", &[Window::day(day("2020-03-01"))]).await;
    world
        .sql("PRAGMA ignore_check_constraints = ON; UPDATE windows SET opens = 'soon' WHERE commitment = 'A'")
        .await;
    let (book, problems) = world.store.book(Which::All).await.unwrap();
    assert_eq!(book.len(), 1);
    assert_eq!(problems[0].reference, "A");
    assert!(problems[0].what.contains("\"soon\" is no day"), "{problems:?}");
}

#[tokio::test]
async fn a_leader_without_a_usable_address_is_a_vacancy_and_a_problem() {
    let world = staffed().await;
    world
        .sql(
            "UPDATE leaders SET email = 'syd', language = 'en' WHERE reference = 'syd';
             UPDATE leaders SET name = 'Nora' || char(13, 10) || 'Bcc: x' WHERE reference = 'nord'",
        )
        .await;
    let secretariat = "Sekretariatet <sekretariat@kommune.example>".parse().unwrap();
    let (people, problems) = world.store.people(secretariat, Language::Danish).await.unwrap();
    let syd = people.get("syd").unwrap();
    assert_eq!((syd.email.clone(), syd.language), (None, Language::English));
    let nord = people.get("nord").unwrap();
    assert_eq!((nord.name.as_str(), nord.language), ("Nora Bcc: x", Language::Danish));
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].reference, "syd");
}

#[tokio::test]
async fn a_responsible_whom_nobody_knows_is_left_out_told_and_gone_with_the_next_assignment() {
    let world = staffed().await;
    world.promise("A", &[Window::day(day("2020-03-01"))]).await;
    world
        .sql(
            "PRAGMA foreign_keys = OFF;
             INSERT INTO responsibilities(commitment, leader) VALUES ('A', 'ghost')",
        )
        .await;
    let (book, problems) = world.store.book(Which::All).await.unwrap();
    assert_eq!(leaders_of(&book[0]), [("nord", None)]);
    assert_eq!((problems.len(), problems[0].reference.as_str()), (1, "A"));
    assert!(problems[0].what.contains("\"ghost\""), "{problems:?}");

    let now = stamp("2020-01-03");
    committed(world.store.snooze("A", "nord", day("2020-02-01"), &now)).await;
    committed(world.store.assign("A", &["nord"], &now)).await;
    assert_eq!(world.value("SELECT count(*) FROM responsibilities").await, "1");
    assert_eq!(leaders_of(&world.one("A").await), [("nord", None)]);
}

#[tokio::test]
async fn a_reminder_of_a_leader_who_was_deleted_meanwhile_is_not_planned() {
    let world = staffed().await;
    world.promise("A", &[Window::day(day("2020-03-01"))]).await;
    let on = day("2020-03-01");
    let reminder = |leader: &str| Reminder {
        key: ReminderKey {
            commitment: "A".to_owned(),
            revision: 1,
            window: 1,
            step: Step::Due,
            leader: leader.to_owned(),
        },
        planned_on: on,
        moved_on: on,
        span: Window::day(on),
        reader: format!("{leader}@kommune.example"),
    };
    let reminders = [reminder("nord"), reminder("gone")];
    let planning = world.store.plan(&reminders, &[], stamp("2020-03-01").at).await.unwrap();
    assert_eq!(planning.new, 1);
    assert_eq!(world.store.planned("").await.unwrap().len(), 1);
}

#[tokio::test]
async fn text_that_is_no_utf_8_costs_its_own_row_and_no_more() {
    let world = staffed().await;
    for reference in ["A", "B", "C"] {
        world.promise(reference, &[Window::day(day("2020-03-01"))]).await;
    }
    let bad = "CAST(x'C66F' AS TEXT)";
    world
        .sql(&format!(
            "UPDATE commitments SET title = {bad} WHERE reference = 'A';
             UPDATE commitments SET status = 'needs_date', undated = {bad} WHERE reference = 'B';
             UPDATE leaders SET name = {bad} WHERE reference = 'syd';
             INSERT INTO leaders(reference, name, email) VALUES ({bad}, 'x', 'x@kommune.example');
             INSERT INTO commitments(reference, title, phrase) VALUES
                 ({bad}, 'x', 'juni 2020'), ('D', 'x', {bad}), ('E', 'x', 'juni 2020');
             INSERT INTO responsibilities(commitment, leader) VALUES ('C', {bad})",
        ))
        .await;
    let of = |problems: &[RowProblem]| -> Vec<String> {
        problems.iter().map(|problem| problem.reference.clone()).collect()
    };
    let (book, problems) = world.store.book(Which::All).await.unwrap();
    assert_eq!((book.len(), book[0].reference.as_str()), (1, "B"));
    assert_eq!(of(&problems), ["A", "C"]);
    assert!(problems[0].what.starts_with("its title cannot be read"), "{problems:?}");
    let (unread, problems) = world.store.unread().await.unwrap();
    assert_eq!((unread.len(), unread[0].reference.as_str()), (1, "E"));
    assert_eq!(of(&problems), ["D", "\u{fffd}o"]);
    let notes = world.store.notes().await.unwrap();
    assert!(notes["B"].starts_with("its undated cannot be read"), "{notes:?}");
    let secretariat = "Sekretariatet <sekretariat@kommune.example>".parse().unwrap();
    let (people, problems) = world.store.people(secretariat, Language::Danish).await.unwrap();
    assert_eq!(of(&problems), ["syd", "\u{fffd}o"]);
    assert!(people.get("syd").is_none() && people.get("nord").is_some());
}

#[tokio::test]
async fn a_row_enters_on_the_day_it_was_written_and_never_after_the_day_it_is_read() {
    let world = staffed().await;
    world
        .sql(
            "INSERT INTO commitments(reference, title, written_on) VALUES
                ('A', 'a', '2019-12-20'), ('B', 'b', '2020-01-20');
             INSERT INTO commitments(reference, title) VALUES ('C', 'c')",
        )
        .await;
    let written = world.value("SELECT written_on FROM commitments WHERE reference = 'C'").await;
    assert!(written.as_str() > "2020-01-02", "{written}");
    enter(&world, |_| EnteredAs::Deadline(june().unwrap())).await;
    let days: Vec<_> =
        world.book(Which::All).await.iter().map(|one| (one.adoption, one.reference_date)).collect();
    let (early, read) = (day("2019-12-20"), day("2020-01-02"));
    assert_eq!(days, [(early, early), (read, read), (read, read)]);

    world.sql("UPDATE commitments SET revision = 2, entered_on = NULL WHERE reference = 'A'").await;
    let written = world.value("SELECT written_on FROM commitments WHERE reference = 'A'").await;
    assert!(written.as_str() > "2020-01-02", "a deadline written anew is not history: {written}");
}

#[tokio::test]
async fn what_makes_no_sense_is_read_again_until_it_does_and_told_once_in_the_journal() {
    let world = staffed().await;
    world
        .sql(
            "INSERT INTO commitments(reference, title, written_on) VALUES
                ('A', 'a', '2019-12-20'), ('B', 'b', '2019-12-20')",
        )
        .await;
    let problem = |_: &str| EnteredAs::Problem("neither phrase nor window".to_owned());
    for _ in 0..3 {
        let (unread, _) = world.store.unread().await.unwrap();
        assert_eq!(unread.len(), 2);
        enter(&world, problem).await;
    }
    assert_eq!(world.one("A").await.status, Status::NeedsDate);
    assert_eq!(world.store.notes().await.unwrap()["A"], "neither phrase nor window");
    assert_eq!(world.store.events("A").await.unwrap().len(), 1);

    committed(world.store.cancel(&["B"], &stamp("2020-01-03"))).await;
    world.sql("INSERT INTO windows(commitment, opens) VALUES ('A', '2020-05-01')").await;
    let (unread, _) = world.store.unread().await.unwrap();
    assert_eq!((unread.len(), unread[0].windows), (1, 1), "what is cancelled needs nobody's care");
    enter(&world, |_| EnteredAs::Windows).await;
    assert_eq!(world.store.unread().await.unwrap(), (vec![], vec![]));
    let one = world.one("A").await;
    assert_eq!((one.status, one.adoption), (Status::Open, day("2019-12-20")));
    assert_eq!(days_of(&one), ["2020-05-01.."]);

    let plan = "EXPLAIN QUERY PLAN SELECT reference FROM commitments
        WHERE (entered_on IS NULL OR problem IS NOT NULL) AND (entered_on IS NULL OR status = 'needs_date')
        ORDER BY reference";
    let plan = sqlx::query(plan).fetch_all(&mut connect(&world.path).await).await.unwrap();
    let plan: String = plan.iter().map(|row| sqlx::Row::get::<String, _>(row, "detail")).collect();
    assert!(plan.contains("commitments_unread"), "{plan}");
}
