//! Planning, freezing and taking back.

use advis::delivery::state::{OnUnknown, Stage};
use advis::domain::reminder::Reminder;
use advis::domain::rule::Step;
use advis::mail::transport::smtp::Tls;
use advis::planner::NEVER;
use advis::store::Stamp;
use advis::store::outbox::{Frozen, Planning};
use chrono::NaiveDate;
use sqlx::AssertSqlSafe;

use super::{Post, clock, day, frozen, later, notice, reminder, server};
use crate::smtp_server::{Script, reply};

async fn plan(post: &Post, reminders: &[Reminder]) -> Planning {
    let looks: Vec<(String, NaiveDate)> =
        (1..=3).map(|number| (format!("C-{number}"), day("2020-01-24"))).collect();
    post.store.plan(reminders, &looks, clock().now()).await.unwrap()
}

async fn freeze(post: &Post, reminders: &[Reminder]) -> usize {
    let keys: Vec<_> = reminders.iter().map(|reminder| reminder.key.clone()).collect();
    post.store.freeze(&[frozen(&keys)], clock().now()).await.unwrap()
}

#[tokio::test]
async fn planning_twice_is_harmless() {
    let post = Post::new().await;
    let due = [reminder(1, Step::Before(30)), reminder(2, Step::Due)];
    assert_eq!(plan(&post, &due).await, Planning { new: 2, ..Planning::default() });
    assert_eq!(plan(&post, &due).await, Planning::default());
    let planned = post.store.planned("").await.unwrap();
    let expected: Vec<_> = due.iter().map(|due| (&due.reader, &due.key)).collect();
    let planned: Vec<_> = planned.iter().map(|one| (&one.reader, &one.key)).collect();
    assert_eq!(planned, expected);
}

#[tokio::test]
async fn the_planner_looks_again_until_what_is_due_has_its_message() {
    let post = Post::new().await;
    let due = [reminder(1, Step::Due), reminder(2, Step::Due)];
    plan(&post, &due).await;
    assert_eq!(post.looks_on("2020-01-24").await, ["C-3"]);
    freeze(&post, &due[..1]).await;
    plan(&post, &due[1..]).await;
    assert_eq!(post.looks_on("2020-01-24").await, ["C-1", "C-3"]);
}

#[tokio::test]
async fn what_is_not_due_any_more_is_superseded_or_expires_and_may_come_back() {
    let post = Post::new().await;
    let first =
        [reminder(1, Step::Before(30)), reminder(2, Step::Before(30)), reminder(9, Step::Due)];
    plan(&post, &first).await;
    // C-9 is not looked at this time.
    let planning = plan(&post, &[reminder(1, Step::Before(7))]).await;
    assert_eq!(planning, Planning { new: 1, superseded: 1, expired: 1 });
    let reminders = [
        "C-1 before:30 superseded",
        "C-1 before:7 planned",
        "C-2 before:30 expired",
        "C-9 due planned",
    ];
    assert_eq!(post.reminders().await, reminders);
    let planning =
        plan(&post, &[reminder(1, Step::Before(7)), reminder(2, Step::Before(30))]).await;
    assert_eq!(planning, Planning { new: 1, ..Planning::default() });
}

#[tokio::test]
async fn a_later_step_replaces_an_unsent_message_with_an_earlier_one() {
    let post = Post::new().await;
    let early = [reminder(1, Step::Before(30)), reminder(2, Step::Before(30))];
    plan(&post, &early).await;
    assert_eq!(freeze(&post, &early).await, 1);
    let script = Script::new(Tls::None).on(Stage::Rcpt, [reply(450, "4.2.0 greylisted")]);
    let (server, transport) = server(script);
    assert_eq!(post.send(&transport, &clock()).await.deferred, 1);

    let planning = plan(&post, &[reminder(1, Step::Before(7))]).await;
    assert_eq!(planning, Planning { new: 1, superseded: 1, ..Planning::default() });
    assert_eq!(post.states().await, ["superseded"]);
    let reminders = ["C-1 before:30 superseded", "C-1 before:7 planned", "C-2 before:30 planned"];
    assert_eq!(post.reminders().await, reminders);

    let next = [reminder(1, Step::Before(7)), reminder(2, Step::Before(30))];
    assert_eq!(freeze(&post, &next).await, 1);
    assert_eq!(post.send(&transport, &later(60)).await.sent, 1);
    assert_eq!(server.ledger().len(), 1);
    // The log still tells what the first message carried.
    let log = post.log().await;
    assert_eq!(log[0].commitments, ["C-1", "C-2"]);
    assert_eq!(log[0].steps, ["before:30", "before:30"]);
    assert_eq!(log[1].steps, ["before:7", "before:30"]);
}

#[tokio::test]
async fn an_escalation_replaces_no_reminder_and_an_earlier_step_no_later_one() {
    let post = Post::new().await;
    let due = [reminder(1, Step::Due)];
    plan(&post, &due).await;
    freeze(&post, &due).await;
    plan(&post, &[reminder(1, Step::Escalate(1)), reminder(1, Step::Before(7))]).await;
    assert_eq!(post.states().await, ["ready"]);
    plan(&post, &[reminder(1, Step::Escalate(1)), reminder(1, Step::Overdue(1))]).await;
    assert_eq!(post.states().await, ["superseded"]);
}

#[tokio::test]
async fn a_message_whose_body_may_have_arrived_is_neither_replaced_nor_withdrawn() {
    let post = Post::new().await;
    let early = [reminder(1, Step::Before(30))];
    plan(&post, &early).await;
    freeze(&post, &early).await;
    let epoch = post.store.recover(OnUnknown::ResendOnce, clock().now()).await.unwrap().epoch;
    post.store.claim(epoch, &[1], clock().now()).await.unwrap();
    assert!(post.store.begin_body(epoch, 1, clock().now()).await.unwrap());
    post.store.recover(OnUnknown::ResendOnce, clock().now()).await.unwrap();
    plan(&post, &[reminder(1, Step::Before(7))]).await;
    assert_eq!(post.store.withdraw(&["C-1".to_owned()], clock().now()).await.unwrap(), 0);
    assert_eq!(post.states().await, ["unknown"]);
    post.sql("UPDATE commitments SET status = 'done' WHERE reference = 'C-1'").await;
    assert_eq!(post.send(&post.files(), &clock()).await.sent, 1, "the same bytes, once more");
}

#[tokio::test]
async fn freezing_the_same_twice_is_a_miss() {
    let post = Post::new().await;
    let due = [reminder(1, Step::Due)];
    plan(&post, &due).await;
    assert_eq!(freeze(&post, &due).await, 1);
    assert_eq!(freeze(&post, &due).await, 0);
    let notice = [notice(1, "l1@kommune.example")];
    let twice = [Frozen { subject: "Husk igen".to_owned(), ..notice[0].clone() }];
    assert_eq!(post.store.freeze(&notice, clock().now()).await.unwrap(), 1);
    assert_eq!(post.store.freeze(&twice, clock().now()).await.unwrap(), 0);
    let subjects = post.strings("SELECT subject FROM messages ORDER BY id").await;
    assert_eq!(subjects, ["Husk", "Husk"]);
}

#[tokio::test]
async fn a_message_is_not_frozen_when_one_of_its_reminders_is_gone() {
    let post = Post::new().await;
    let due = [reminder(1, Step::Due), reminder(2, Step::Due)];
    plan(&post, &due).await;
    post.store.withdraw(&["C-2".to_owned()], clock().now()).await.unwrap();
    assert_eq!(freeze(&post, &due).await, 0);
    assert_eq!(post.reminders().await, ["C-1 due planned", "C-2 due cancelled"]);
    assert_eq!(freeze(&post, &due[..1]).await, 1);
}

#[tokio::test]
async fn freezing_goes_in_pages_and_keeps_every_byte() {
    let post = Post::new().await;
    let mut notices: Vec<_> = (0..100).map(|n| notice(n, "l1@kommune.example")).collect();
    notices[50].mime = (0..=255).collect();
    assert_eq!(post.store.freeze(&notices, clock().now()).await.unwrap(), 100);
    let epoch = post.store.recover(OnUnknown::ResendOnce, clock().now()).await.unwrap().epoch;
    let ids: Vec<i64> = (1..=100).collect();
    let claimed = post.store.claim(epoch, &ids, clock().now()).await.unwrap();
    assert_eq!(claimed.len(), 100);
    for (message, notice) in claimed.iter().zip(&notices) {
        assert_eq!(
            (&message.attempt.message_id, &message.mime),
            (&notice.message_id, &notice.mime)
        );
    }
}

#[tokio::test]
async fn withdrawing_a_commitment_takes_back_its_messages_and_frees_their_other_reminders() {
    let post = Post::new().await;
    let due = [reminder(1, Step::Due), reminder(2, Step::Due), reminder(3, Step::Due)];
    plan(&post, &due).await;
    assert_eq!(freeze(&post, &due[..2]).await, 1);
    plan(&post, &due[2..]).await;
    assert_eq!(post.looks_on("2020-01-24").await, ["C-1", "C-2"]);
    let gone = ["C-1".to_owned(), "C-3".to_owned()];
    assert_eq!(post.store.withdraw(&gone, clock().now()).await.unwrap(), 1);
    assert_eq!(post.states().await, ["cancelled"]);
    assert_eq!(
        post.reminders().await,
        ["C-1 due cancelled", "C-2 due planned", "C-3 due cancelled"]
    );
    assert_eq!(post.looks_on("now").await, ["C-1", "C-2"], "they counted as sent");
    assert!(!post.looks_on("2020-01-24").await.contains(&"C-3".to_owned()));
    let events = post.strings("SELECT what || ' ' || message FROM events").await;
    assert_eq!(events, ["cancelled 1"]);
}

#[tokio::test]
async fn planning_takes_back_what_another_program_made_groundless() {
    let post = Post::new().await;
    let due = [reminder(1, Step::Due), reminder(2, Step::Due), reminder(3, Step::Due)];
    plan(&post, &due).await;
    freeze(&post, &due[..2]).await;
    post.sql(
        "UPDATE commitments SET status = 'done' WHERE reference = 'C-1';
         UPDATE commitments SET revision = 2 WHERE reference = 'C-3'",
    )
    .await;
    let stamp = Stamp::now(&clock(), "advis");
    post.store.begin_pass(&stamp, NEVER).await.unwrap().commit(&[]).await.unwrap();
    assert_eq!(plan(&post, &[]).await, Planning { expired: 1, ..Planning::default() });
    assert_eq!(post.states().await, ["cancelled"]);
}

#[tokio::test]
async fn a_rehearsal_leaves_no_real_deliveries() {
    let post = Post::new().await;
    post.ready([1]).await;
    post.send(&post.files(), &clock()).await;
    assert!(!post.store.has_real_deliveries().await.unwrap());
    let mut real = notice(1, "l1@kommune.example");
    real.rehearsal = false;
    post.store.freeze(&[real], clock().now()).await.unwrap();
    assert!(!post.store.has_real_deliveries().await.unwrap());
    post.send(&post.files(), &clock()).await;
    assert!(post.store.has_real_deliveries().await.unwrap());
}

#[tokio::test]
async fn people_are_frozen_together_as_long_as_there_is_little_to_tell_them() {
    let post = Post::new().await;
    let mut connection = post.connect().await;
    for (reader, from, to) in [("a", 1, 50), ("b", 51, 100), ("c", 101, 101), ("d", 102, 102)] {
        let rows = format!(
            "WITH RECURSIVE n (n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM n WHERE n < {to})
             INSERT INTO reminders (commitment, revision, window, step, leader, planned_on, moved_on, reader)
             SELECT 'C-1', 1, 1, 'overdue:' || n, 'l1', '2020-01-02', '2020-01-02', '{reader}' FROM n"
        );
        sqlx::raw_sql(AssertSqlSafe(rows)).execute(&mut connection).await.unwrap();
    }
    let mut pages = Vec::new();
    let mut after = String::new();
    loop {
        let page = post.store.planned(&after).await.unwrap();
        let Some(last) = page.last() else { break };
        after.clone_from(&last.reader);
        pages.push((page[0].reader.clone(), page.len()));
    }
    assert_eq!(pages, [("a".to_owned(), 100), ("c".to_owned(), 2)]);
}
