//! What people do to commitments.

use super::*;

async fn list(world: &World) {
    world
        .promise(
            "A",
            &[
                span("2020-03-01", "2020-03-31"),
                span("2020-06-01", "2020-06-30"),
                Window::from(day("2020-09-01")),
            ],
        )
        .await;
}

#[tokio::test]
async fn done_ends_the_earliest_window_and_the_last_one_the_commitment() {
    let world = staffed().await;
    list(&world).await;
    let done =
        async |all: bool| committed(world.store.done(&["A"], all, &stamp("2020-04-01"))).await;
    assert_eq!(done(false).await, ["A"]);
    let one = world.one("A").await;
    assert_eq!((one.status, open_numbers(&one)), (Status::Open, vec![2, 3]));
    assert_eq!(one.windows[0].closed_on, Some(day("2020-04-01")));
    done(false).await;
    done(false).await;
    assert_eq!(world.one("A").await.status, Status::Done);
    assert_eq!(done(false).await, [""; 0], "what is done already is left alone");

    list(&world).await;
    world.promise("B", &[Window::day(day("2020-03-01")), Window::day(day("2020-04-01"))]).await;
    committed(world.store.done(&["B"], true, &stamp("2020-04-01"))).await;
    assert_eq!(world.one("B").await.status, Status::Done);
}

#[tokio::test]
async fn an_unknown_reference_changes_nothing_at_all() {
    let world = staffed().await;
    list(&world).await;
    let before = world.dump().await;
    let now = stamp("2020-04-01");
    let store = &world.store;
    let june = Window::day(day("2020-06-01"));
    let errors = [
        store.done(&["A", "Y", "X"], false, &now).await,
        store.reopen(&["A", "X"], &now).await,
        store.cancel(&["X", "A"], &now).await,
        store.confirm(&["X"], &now).await,
        store.postpone("X", june, None, "", &now).await,
        store.snooze("A", "nobody", day("2020-05-01"), &now).await,
        store.assign("A", &["syd", "nobody"], &now).await,
        store.assign_all("nord", &["nobody"], now.day, &now).await,
    ];
    for result in errors {
        assert!(matches!(result, Err(Error::Unknown { .. })), "{result:?}");
    }
    let text = store.done(&["A", "Y", "X"], false, &now).await.unwrap_err().to_string();
    assert_eq!(text, "not in the book: Y, X; nothing was changed");
    assert_eq!(world.dump().await, before);
}

#[tokio::test]
async fn reopen_takes_back_the_last_done_and_cancel_is_taken_back_too() {
    let world = staffed().await;
    list(&world).await;
    let store = &world.store;
    committed(store.done(&["A"], false, &stamp("2020-04-01"))).await;
    committed(store.done(&["A"], true, &stamp("2020-04-02"))).await;
    assert_eq!(committed(store.reopen(&["A"], &stamp("2020-04-03"))).await, ["A"]);
    let one = world.one("A").await;
    assert_eq!((one.status, open_numbers(&one)), (Status::Open, vec![2, 3]));
    assert_eq!(one.adoption, day("2020-04-03"));
    committed(store.reopen(&["A"], &stamp("2020-04-04"))).await;
    assert_eq!(open_numbers(&world.one("A").await), [1, 2, 3]);
    assert_eq!(committed(store.reopen(&["A"], &stamp("2020-04-05"))).await, [""; 0]);
    assert_eq!(world.one("A").await.adoption, day("2020-04-04"));

    committed(store.done(&["A"], false, &stamp("2020-04-06"))).await;
    committed(store.cancel(&["A"], &stamp("2020-04-07"))).await;
    assert_eq!(world.one("A").await.status, Status::Cancelled);
    committed(store.reopen(&["A"], &stamp("2020-04-08"))).await;
    let one = world.one("A").await;
    assert_eq!((one.status, open_numbers(&one)), (Status::Open, vec![2, 3]));
}

#[tokio::test]
async fn confirm_trusts_the_dates_and_asks_for_one_where_there_is_none() {
    let world = staffed().await;
    let fuzzy = deadline(&[span("2020-12-01", "2021-02-28")], Confidence::Fuzzy);
    let report = world
        .import(&[
            row("A", "vinter 2020", &[], Ok(fuzzy)),
            row("B", "løbende", &[], Err(Undated::Ongoing)),
        ])
        .await;
    assert_eq!(report.needs_date.len(), 2);
    assert_eq!(committed(world.store.confirm(&["A"], &stamp("2020-01-03"))).await, ["A"]);
    assert_eq!(world.one("A").await.status, Status::Open);
    assert_eq!(committed(world.store.confirm(&["A"], &stamp("2020-01-03"))).await, [""; 0]);
    let text = world.store.confirm(&["B"], &stamp("2020-01-03")).await.unwrap_err().to_string();
    assert!(text.contains("advis postpone B --to DATE"), "{text}");
}

#[tokio::test]
async fn postpone_gives_the_earliest_open_window_a_new_deadline_in_a_new_revision() {
    let world = staffed().await;
    list(&world).await;
    let now = stamp("2020-03-15");
    committed(world.store.snooze("A", "nord", day("2020-03-20"), &now)).await;
    committed(world.store.done(&["A"], false, &now)).await;
    committed(world.store.snooze("A", "nord", day("2020-06-20"), &now)).await;
    world
        .sql(
            "INSERT INTO snoozes VALUES ('A', 1, 3, 'nord', '2020-09-20', '2020-03-15');
             INSERT INTO reminders(commitment, revision, window, step, leader, planned_on, moved_on)
             VALUES ('A', 1, 2, 'due', 'nord', '2020-06-30', '2020-06-30')",
        )
        .await;
    let summer = Window::day(day("2020-06-10"));
    let touched =
        committed(world.store.postpone("A", summer, None, "ferie", &stamp("2020-03-16"))).await;
    assert_eq!(touched, ["A"]);
    let one = world.one("A").await;
    assert_eq!((one.revision, one.phrase.as_str()), (2, "2020-06-10"));
    assert_eq!(days_of(&one), ["2020-06-01..2020-06-10", "2020-09-01.."]);
    assert_eq!(open_numbers(&one), [2, 3]);
    let made: Vec<_> = one.windows.iter().map(|window| window.made_on).collect();
    assert_eq!(made, [Some(day("2020-03-16")), None]);
    assert_eq!(one.adoption, day("2020-01-02"), "the other window has its steps still");
    let snoozed: Vec<u32> = one.responsible[0].snoozes.iter().map(|snooze| snooze.window).collect();
    assert_eq!(snoozed, [3], "the window with the new deadline starts afresh");
    assert_eq!(world.value("SELECT state FROM reminders").await, "cancelled");

    let may = span("2020-05-01", "2020-05-31");
    committed(world.store.postpone("A", may, Some("maj 2020"), "", &stamp("2020-03-17"))).await;
    let one = world.one("A").await;
    assert_eq!(days_of(&one), ["2020-05-31..2020-05-31", "2020-09-01.."]);
    assert_eq!(one.phrase, "maj 2020");
    let event = world.store.events("A").await.unwrap().pop().unwrap();
    assert_eq!(
        (event.what.as_str(), &event.detail["from"]),
        ("postponed", &"2020-06-01..2020-06-10".into())
    );

    committed(world.store.cancel(&["A"], &now)).await;
    let text = world.store.postpone("A", may, None, "", &now).await.unwrap_err().to_string();
    assert!(text.contains("A is cancelled; `advis reopen A` comes first"), "{text}");
}

#[tokio::test]
async fn postpone_gives_a_date_to_what_had_none() {
    let world = staffed().await;
    world.import(&[row("A", "løbende", &[], Err(Undated::Ongoing))]).await;
    let may = span("2020-05-01", "2020-05-31");
    committed(world.store.postpone("A", may, Some("maj 2020"), "", &stamp("2020-03-17"))).await;
    let one = world.one("A").await;
    assert_eq!((one.status, days_of(&one)), (Status::Open, vec![may.to_string()]));
    assert_eq!(world.store.notes().await.unwrap(), BTreeMap::new());
}

#[tokio::test]
async fn a_snooze_is_one_leaders_and_lies_ahead() {
    let world = staffed().await;
    list(&world).await;
    let now = stamp("2020-03-15");
    for (leader, until) in [("nord", "2020-03-15"), ("syd", "2020-04-01")] {
        let result = world.store.snooze("A", leader, day(until), &now).await;
        assert!(matches!(result, Err(Error::Refused(_))), "{result:?}");
    }
    committed(world.store.snooze("A", "nord", day("2020-03-20"), &now)).await;
    committed(world.store.snooze("A", "nord", day("2020-03-25"), &now)).await;
    let one = world.one("A").await;
    let snooze = one.responsible[0].snoozes[0];
    assert_eq!((snooze.window, snooze.until, snooze.made_on), (1, day("2020-03-25"), now.day));
    committed(world.store.cancel(&["A"], &now)).await;
    let result = world.store.snooze("A", "nord", day("2020-04-01"), &now).await;
    assert!(matches!(result, Err(Error::Refused(_))), "{result:?}");
}

#[tokio::test]
async fn assign_replaces_the_responsible_and_keeps_since_when_for_those_who_stay() {
    let world = staffed().await;
    list(&world).await;
    world
        .sql(
            "INSERT INTO reminders(commitment, revision, window, step, leader, planned_on, moved_on)
             VALUES ('A', 1, 1, 'due', 'nord', '2020-03-31', '2020-03-31')",
        )
        .await;
    let now = stamp("2020-03-15");
    committed(world.store.assign("A", &["syd", "nord"], &now)).await;
    assert_eq!(leaders_of(&world.one("A").await), [("syd", Some(now.day)), ("nord", None)]);
    let state = world.value("SELECT state FROM reminders").await;
    assert_eq!(state, "cancelled", "until the next pass plans it again");
    committed(world.store.assign("A", &["syd"], &stamp("2020-03-16"))).await;
    assert_eq!(leaders_of(&world.one("A").await), [("syd", Some(now.day))]);
    assert_eq!(committed(world.store.assign("A", &["syd"], &now)).await, [""; 0]);
    let result = world.store.assign("A", &[], &now).await;
    assert!(matches!(result, Err(Error::Refused(_))), "{result:?}");
}

#[tokio::test]
async fn all_duties_pass_to_others_today_or_on_a_day_to_come() {
    let world = staffed().await;
    for reference in ["A", "B", "C"] {
        world.promise(reference, &[Window::day(day("2020-06-01"))]).await;
    }
    let store = &world.store;
    let now = stamp("2020-03-15");
    committed(store.assign("B", &["nord", "syd"], &stamp("2020-01-03"))).await;
    committed(store.cancel(&["C"], &now)).await;
    let later = day("2020-04-01");
    assert_eq!(committed(store.assign_all("nord", &["syd"], later, &now)).await, ["A", "B"]);
    assert_eq!(leaders_of(&world.one("A").await), [("nord", None), ("syd", Some(later))]);
    assert_eq!(committed(store.begin_pass(&stamp("2020-03-31"), NEVER)).await, [""; 0]);
    assert_eq!(committed(store.begin_pass(&stamp("2020-04-01"), NEVER)).await, ["A", "B"]);
    assert_eq!(leaders_of(&world.one("A").await), [("syd", Some(later))]);
    assert_eq!(leaders_of(&world.one("B").await), [("syd", Some(day("2020-01-03")))]);
    assert_eq!(leaders_of(&world.one("C").await), [("nord", None)], "what is closed stays");

    committed(store.assign_all("syd", &["vest", "nord"], now.day, &now)).await;
    let both = [("vest", Some(now.day)), ("nord", Some(now.day))];
    assert_eq!(leaders_of(&world.one("A").await), both);
    committed(store.assign_all("vest", &["syd"], day("2020-01-01"), &now)).await;
    let late = [("syd", Some(now.day)), ("nord", Some(now.day))];
    assert_eq!(leaders_of(&world.one("A").await), late, "nobody takes over in the past");
    let result = store.assign_all("nord", &["nord"], now.day, &now).await;
    assert!(matches!(result, Err(Error::Refused(_))), "{result:?}");
}

#[tokio::test]
async fn every_edit_acts_on_the_window_with_the_earliest_deadline() {
    let world = staffed().await;
    let windows = [
        Window::from(day("2020-01-01")),
        span("2020-02-01", "2020-12-31"),
        span("2020-03-01", "2020-03-31"),
    ];
    for reference in ["A", "B"] {
        world.promise(reference, &windows).await;
    }
    let now = stamp("2020-03-01");
    assert_eq!(world.one("A").await.earliest_open().unwrap().number, 3);
    committed(world.store.snooze("A", "nord", day("2020-03-10"), &now)).await;
    assert_eq!(world.value("SELECT window FROM snoozes").await, "3");
    committed(world.store.done(&["A"], false, &now)).await;
    assert_eq!(open_numbers(&world.one("A").await), [1, 2]);
    committed(world.store.postpone("A", Window::day(day("2021-01-31")), None, "", &now)).await;
    let open = days_of(&world.one("A").await);
    assert_eq!(open, ["2020-01-01..", "2020-02-01..2021-01-31"]);
    committed(world.store.postpone("B", Window::day(day("2020-04-30")), None, "", &now)).await;
    assert!(days_of(&world.one("B").await).contains(&"2020-03-01..2020-04-30".to_owned()));
}

#[tokio::test]
async fn postpone_keeps_what_was_sent_about_the_other_windows_and_plans_the_rest_anew() {
    let world = staffed().await;
    list(&world).await;
    world
        .sql(
            "INSERT INTO messages(id, purpose, day, sender, recipient, address_key, name, subject,
                 message_id, state, frozen_at, accepted_on)
             SELECT value, 'own', '2020-03-01', '', '', '', '', '', value,
                 iif(value = 1, 'accepted', 'ready'), '', iif(value = 1, '2020-03-01', NULL)
               FROM json_each('[1, 2]');
             INSERT INTO reminders(commitment, revision, window, step, leader, planned_on, moved_on,
                 state, message)
             VALUES ('A', 1, 1, 'opens', 'nord', '2020-03-01', '2020-03-01', 'attached', 1),
                 ('A', 1, 2, 'before:90', 'nord', '2020-03-01', '2020-03-01', 'attached', 1),
                 ('A', 1, 2, 'before:30', 'nord', '2020-03-02', '2020-03-02', 'attached', 2),
                 ('A', 1, 3, 'before:14', 'nord', '2020-03-02', '2020-03-02', 'planned', NULL)",
        )
        .await;
    let april = Window::day(day("2020-04-30"));
    committed(world.store.postpone("A", april, None, "", &stamp("2020-03-03"))).await;
    let reminders = world
        .value(
            "SELECT group_concat(step || ' ' || revision || ' ' || state, ', ')
               FROM (SELECT * FROM reminders ORDER BY step)",
        )
        .await;
    assert_eq!(
        reminders,
        "before:14 2 cancelled, before:30 2 cancelled, before:90 2 attached, opens 1 attached"
    );
    assert_eq!(world.value("SELECT state FROM messages WHERE id = 2").await, "cancelled");
    let history = world.store.history(Which::These(&["A"]), day("2020-03-03")).await.unwrap();
    assert_eq!(history.about("A", 2, 2, "nord").count(), 1);
    assert_eq!(history.about("A", 2, 1, "nord").count(), 0);
}

#[tokio::test]
async fn what_waited_to_be_confirmed_waits_again_when_reopened_unless_it_was_confirmed() {
    let world = staffed().await;
    let winter = |reference: &str| {
        let fuzzy = deadline(&[span("2020-12-01", "2021-02-28")], Confidence::Fuzzy);
        row(reference, "vinter 2020", &[], Ok(fuzzy))
    };
    world.import(&["A", "B", "C"].map(winter)).await;
    world.import(&[row("D", "løbende", &[], Err(Undated::Ongoing))]).await;
    let now = stamp("2020-01-03");
    committed(world.store.confirm(&["C"], &now)).await;
    committed(world.store.cancel(&["A", "C", "D"], &now)).await;
    committed(world.store.done(&["B"], true, &now)).await;
    committed(world.store.reopen(&["A", "B", "C", "D"], &now)).await;
    let all: Vec<_> = world.book(Which::All).await.iter().map(|one| one.status).collect();
    let waits = Status::NeedsDate;
    assert_eq!(all, [waits, waits, Status::Open, waits]);
}
