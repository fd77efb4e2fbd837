//! Deadlines that come again.

use super::*;

fn every_may() -> Deadline {
    let rule = Recurrence::from_stored("FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=1", "months:0").unwrap();
    Deadline {
        recurrence: Some(rule),
        ..deadline(&[span("2020-05-01", "2020-05-31")], Confidence::High)
    }
}

fn half_yearly() -> Deadline {
    let rule = Recurrence::from_stored("FREQ=MONTHLY;INTERVAL=6", "days:1").unwrap();
    Deadline { recurrence: Some(rule), ..deadline(&[], Confidence::High) }
}

#[tokio::test]
async fn the_first_windows_are_occurrences_and_done_leaves_the_commitment_open() {
    let world = staffed().await;
    world.import(&[row("A", "hvert år i maj", &[], Ok(every_may()))]).await;
    let one = world.one("A").await;
    assert_eq!(one.recurrence, every_may().recurrence);
    assert_eq!(one.windows[0].made_on, Some(day("2020-01-02")));
    let now = stamp("2020-05-10");
    committed(world.store.done(&["A"], false, &now)).await;
    let one = world.one("A").await;
    assert_eq!((one.status, open_numbers(&one)), (Status::Open, vec![]));
    let text = world.store.done(&["A"], false, &now).await.unwrap_err().to_string();
    assert!(text.contains("--all ends it for good"), "{text}");
    committed(world.store.done(&["A"], true, &now)).await;
    assert_eq!(world.one("A").await.status, Status::Done);
}

#[tokio::test]
async fn a_bare_interval_gets_its_next_day_when_it_is_confirmed() {
    let world = staffed().await;
    world.import(&[row("A", "halvårligt", &[], Ok(half_yearly()))]).await;
    let notes = world.store.notes().await.unwrap();
    assert_eq!(notes["A"], "only an interval is given");
    committed(world.store.confirm(&["A"], &stamp("2020-08-01"))).await;
    let one = world.one("A").await;
    assert_eq!(
        (one.status, days_of(&one)),
        (Status::Open, vec!["2021-01-02..2021-01-02".to_owned()])
    );
    assert_eq!(one.windows[0].made_on, Some(day("2020-08-01")));
}

#[tokio::test]
async fn postponing_an_occurrence_leaves_the_rule() {
    let world = staffed().await;
    world.import(&[row("A", "hvert år i maj", &[], Ok(every_may()))]).await;
    let late = Window::day(day("2020-06-15"));
    committed(world.store.postpone("A", late, None, "", &stamp("2020-05-10"))).await;
    let one = world.one("A").await;
    assert_eq!(days_of(&one), ["2020-05-01..2020-06-15"]);
    assert_eq!(one.recurrence, every_may().recurrence);
    assert_eq!(one.windows[0].made_on, Some(day("2020-05-10")), "what came before is history");
}

#[tokio::test]
async fn a_rule_that_cannot_be_read_is_told() {
    let world = staffed().await;
    world.import(&[row("A", "hvert år i maj", &[], Ok(every_may()))]).await;
    world.sql("UPDATE commitments SET rrule = 'FREQ=NEVER'").await;
    let (book, problems) = world.store.book(Which::All).await.unwrap();
    assert_eq!((book.len(), problems.len()), (0, 1));
    assert!(problems[0].what.contains("FREQ=NEVER"), "{problems:?}");
    let result = world.store.done(&["A"], false, &stamp("2020-05-10")).await;
    assert!(matches!(result, Err(Error::Refused(_))), "{result:?}");
}
