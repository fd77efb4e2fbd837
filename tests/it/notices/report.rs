//! The report to the secretariat.

use super::*;

/// A Monday, and the one after.
const MONDAY: &str = "2026-11-23";
const NEXT_MONDAY: &str = "2026-11-30";

impl World {
    async fn report(&self, on: &str) {
        self.desk(&clock(on)).post_report().await.unwrap();
    }

    /// What each report named as overdue.
    async fn reports(&self) -> Vec<String> {
        self.strings(
            "SELECT (SELECT coalesce(group_concat(value ->> 0 || ' ' || (value ->> 1), ', '), '')
                       FROM json_each(items))
               FROM messages WHERE purpose = 'report' ORDER BY id",
        )
        .await
    }

    async fn overdue(&self, reference: &str, due: &str) {
        self.promise(reference, &["nora"], &[6]).await;
        self.sql(&format!(
            "UPDATE windows SET opens = '{due}', due = '{due}' WHERE commitment = '{reference}'"
        ))
        .await;
    }
}

#[tokio::test]
async fn nothing_to_say_is_no_report() {
    let world = World::new().await;
    world.promise("A", &["nora"], &[6]).await;
    world.report(MONDAY).await;
    assert_eq!(world.reports().await, [""; 0]);
}

#[tokio::test]
async fn a_report_is_frozen_once_however_often_its_firing_is_made_up() {
    let world = World::new().await;
    world.overdue("A", "2026-11-20").await;
    world.report(MONDAY).await;
    world.report(MONDAY).await;
    assert_eq!(world.reports().await, ["A overdue since 2026-11-20"]);
    assert_eq!(world.pass(MONDAY, false).await.tally.sent, 1);
    let text = world.text("sek").await;
    assert!(text.contains("Løfte A"), "{text}");
}

#[tokio::test]
async fn what_is_overdue_is_named_once_for_each_deadline_however_long_nobody_reported() {
    let world = World::new().await;
    world.overdue("OLD", "2026-01-31").await;
    world.overdue("SUNDAY", "2026-11-22").await;
    world.overdue("MONDAY", MONDAY).await;
    world.report(MONDAY).await;
    world.report(NEXT_MONDAY).await;
    world.overdue("LATER", "2026-12-05").await;
    let store = &world.store;
    let december = Window::day(day("2026-12-20"));
    world.make("2026-12-01", store.postpone("OLD", december, None, "", &stamp("2026-12-01"))).await;
    // Nobody reported for three weeks.
    world.report("2026-12-21").await;
    world.report("2026-12-28").await;
    let expected = [
        "OLD overdue since 2026-01-31, SUNDAY overdue since 2026-11-22",
        "MONDAY overdue since 2026-11-23",
        "LATER overdue since 2026-12-05, OLD overdue since 2026-12-20",
    ];
    assert_eq!(world.reports().await, expected);
}

#[tokio::test]
async fn what_has_no_date_or_no_reader_is_named_until_it_has() {
    let world = World::new().await;
    world.promise("A", &["kaj"], &[6]).await;
    world.report(MONDAY).await;
    world.report(NEXT_MONDAY).await;
    assert_eq!(world.reports().await, ["", ""]);
    world.make(NEXT_MONDAY, world.store.assign("A", &["nora"], &stamp(NEXT_MONDAY))).await;
    world.report("2026-12-07").await;
    assert_eq!(world.reports().await.len(), 2);
}

#[tokio::test]
async fn a_mail_that_did_not_arrive_is_named_once_and_one_that_did_in_the_end_never() {
    let world = World::new().await;
    world.promise("A", &["nora", "sune"], &[6]).await;
    world.make(TODAY, world.store.done(&["A"], false, &stamp(TODAY))).await;
    world
        .sql(
            "INSERT INTO attempts (message, attempt, at, state, stage, code, reply)
             SELECT id, 1, '2026-11-18T08:00:00Z', CASE id WHEN 1 THEN 'rejected' ELSE 'held' END,
                    'rcpt', 550, '5.1.1 ukendt'
               FROM messages ORDER BY id;
             INSERT INTO attempts (message, attempt, at, state) VALUES (2, 2, '2026-11-19T08:00:00Z', 'accepted');
             UPDATE messages SET state = CASE id WHEN 1 THEN 'rejected' ELSE 'accepted' END,
                    accepted_on = CASE id WHEN 1 THEN NULL ELSE '2026-11-19' END",
        )
        .await;
    world.report(MONDAY).await;
    assert_eq!(world.pass(MONDAY, false).await.tally.sent, 2, "the report, and a notice at once");
    let text = world.text_of("sek", "Ugens overblik").await;
    assert!(text.contains("Nora Nord") && text.contains("5.1.1 ukendt (om A)"), "{text}");
    assert!(!text.contains("Sune"), "{text}");
    world.report(NEXT_MONDAY).await;
    assert_eq!(world.reports().await.len(), 1);
}
