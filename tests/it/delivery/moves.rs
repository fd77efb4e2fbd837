//! What the lanes have to write at one time is written at one time, and each hears what became of its own.

use advis::delivery::state::{OnUnknown, State};
use advis::domain::rule::Step;
use advis::store::outbox::{Ending, Frozen};
use sqlx::AssertSqlSafe;

use super::{Post, clock, frozen, reminder, today};

fn accepted(from: State) -> Ending {
    Ending {
        from,
        state: State::Accepted,
        next_at: None,
        stage: None,
        code: Some(250),
        reply: "2.0.0 taken \"as\" it is; 'really'".to_owned(),
        in_doubt: false,
        at: clock().now(),
        today: today(),
    }
}

/// Three messages, all claimed in the epoch that is answered.
async fn claimed() -> (Post, i64) {
    let post = Post::new().await;
    post.ready([1, 2, 3]).await;
    let epoch = post.store.recover(OnUnknown::ResendOnce, clock().now()).await.unwrap().epoch;
    assert_eq!(post.store.claim(epoch, &[1, 2, 3], clock().now()).await.unwrap().len(), 3);
    (post, epoch)
}

#[tokio::test]
async fn moves_made_together_hit_or_miss_each_for_itself() {
    let (post, epoch) = claimed().await;
    post.sql("UPDATE commitments SET status = 'done' WHERE reference = 'C-2'").await;
    let (store, now) = (&post.store, clock().now());
    let (first, second) =
        tokio::join!(store.begin_body(epoch, 1, now), store.begin_body(epoch, 2, now));
    assert!(first.unwrap());
    assert!(!second.unwrap(), "its commitment is done");
    assert_eq!(post.states().await, ["body", "cancelled", "open"]);

    let (ending, wrong) = (accepted(State::Body), accepted(State::Body));
    let (first, late, third) = tokio::join!(
        store.record(epoch, 1, &ending),
        store.record(epoch, 2, &wrong),
        store.begin_body(epoch, 3, now)
    );
    assert!(first.unwrap());
    assert!(!late.unwrap(), "it was withdrawn, so nothing is written about it");
    assert!(third.unwrap());
    assert_eq!(post.states().await, ["accepted", "cancelled", "body"]);
    let log = post.log().await;
    assert_eq!(
        log.iter().map(|row| (row.id, &row.reply)).collect::<Vec<_>>(),
        [(1, &ending.reply)]
    );
    assert!(!store.record(epoch, 1, &ending).await.unwrap(), "once is enough");
    assert!(!store.begin_body(epoch - 1, 3, now).await.unwrap());
}

/// What another program does, and whether the body may leave after it. Most drivers do not enforce references.
const CHANGES: [(&str, bool); 16] = [
    ("SELECT 1", true),
    ("UPDATE commitments SET title = 'Et andet' WHERE reference = 'C-1'", true),
    ("UPDATE windows SET due = '2020-02-01' WHERE commitment = 'C-1'", true),
    ("UPDATE commitments SET status = 'done' WHERE reference = 'C-2'", true),
    ("INSERT INTO commitments (reference, title) VALUES ('C-10', 'Et nyt')", true),
    ("INSERT OR REPLACE INTO responsibilities (commitment, leader) VALUES ('C-1', 'l1')", true),
    ("UPDATE commitments SET status = 'done' WHERE reference = 'C-1'", false),
    ("UPDATE commitments SET revision = 2 WHERE reference = 'C-1'", false),
    ("DELETE FROM commitments WHERE reference = 'C-1'", false),
    (
        "INSERT OR REPLACE INTO commitments (reference, title, status) VALUES ('C-1', 'x', 'cancelled')",
        false,
    ),
    (
        "INSERT OR REPLACE INTO commitments (reference, title, revision) VALUES ('C-1', 'x', 2)",
        false,
    ),
    (
        "UPDATE windows SET closed_on = '2020-01-02', closed_as = 'done' WHERE commitment = 'C-1'",
        false,
    ),
    ("UPDATE windows SET number = 2 WHERE commitment = 'C-1'", false),
    (
        "INSERT OR REPLACE INTO windows (commitment, opens, closed_on, closed_as)
         VALUES ('C-1', '2020-01-01', '2020-01-02', 'done')",
        false,
    ),
    ("DELETE FROM windows WHERE commitment = 'C-1'", false),
    ("UPDATE responsibilities SET leader = 'l2' WHERE commitment = 'C-1'", false),
];

#[tokio::test]
async fn no_body_leaves_whose_ground_another_program_took_however_it_did() {
    for (change, leaves) in CHANGES {
        for is_known in [true, false] {
            let post = Post::new().await;
            let version = post.strings("SELECT CAST(number AS TEXT) FROM book_version").await;
            let due = reminder(1, Step::Before(30));
            post.store.plan(std::slice::from_ref(&due), &[], clock().now()).await.unwrap();
            let message = Frozen {
                book_version: is_known.then(|| version[0].parse().unwrap()),
                ..frozen(&[due.key])
            };
            assert_eq!(post.store.freeze(&[message], clock().now()).await.unwrap(), 1);
            let epoch =
                post.store.recover(OnUnknown::ResendOnce, clock().now()).await.unwrap().epoch;
            post.store.claim(epoch, &[1], clock().now()).await.unwrap();
            post.sql(AssertSqlSafe(format!("PRAGMA foreign_keys = OFF; {change}"))).await;
            let left = post.store.begin_body(epoch, 1, clock().now()).await.unwrap();
            assert_eq!(left, leaves, "{change}, the version known: {is_known}");
        }
    }
}

#[tokio::test]
async fn no_body_leaves_about_a_commitment_that_was_deleted_and_its_reminders_with_it() {
    for change in [
        "DELETE FROM commitments WHERE reference = 'C-1'",
        "INSERT OR REPLACE INTO commitments (reference, title) VALUES ('C-1', 'Et andet')",
    ] {
        let post = Post::new().await;
        let due = [reminder(1, Step::Before(30)), reminder(2, Step::Before(30))];
        post.store.plan(&due, &[], clock().now()).await.unwrap();
        let keys = due.map(|one| one.key);
        assert_eq!(post.store.freeze(&[frozen(&keys)], clock().now()).await.unwrap(), 1);
        post.notices(1).await;
        post.sql(AssertSqlSafe(format!("PRAGMA foreign_keys = ON; {change}"))).await;
        assert_eq!(post.send(&post.files(), &clock()).await.withdrawn, 1, "{change}");
        assert_eq!(post.states().await, ["cancelled", "accepted"], "{change}");
        assert_eq!(post.reminders().await, ["C-2 before:30 planned"], "{change}");
    }
}

#[tokio::test]
async fn an_error_ends_the_whole_batch_and_the_next_one_goes_well() {
    let (post, epoch) = claimed().await;
    post.sql(
        "CREATE TRIGGER sick BEFORE UPDATE ON messages WHEN new.id = 2
         BEGIN SELECT RAISE(ABORT, 'the disk is sick'); END",
    )
    .await;
    let (store, now) = (&post.store, clock().now());
    // All can move now, so they are written together.
    let (first, second, third) = tokio::join!(
        store.begin_body(epoch, 3, now),
        store.begin_body(epoch, 1, now),
        store.begin_body(epoch, 2, now)
    );
    for answer in [first, second, third] {
        let text = answer.unwrap_err().to_string();
        assert!(text.contains("the disk is sick"), "{text}");
    }
    assert_eq!(post.states().await, ["open", "open", "open"]);
    post.sql("DROP TRIGGER sick").await;
    for id in 1..=3 {
        assert!(store.begin_body(epoch, id, now).await.unwrap());
    }
}

#[tokio::test]
async fn a_lane_dropped_while_it_writes_for_others_leaves_them_an_answer() {
    let (post, epoch) = claimed().await;
    let (store, now) = (&post.store, clock().now());
    let mut first = Box::pin(store.begin_body(epoch, 1, now));
    // Polled once, it holds the connection and has begun.
    assert!(
        std::future::poll_fn(|cx| std::task::Poll::Ready(first.as_mut().poll(cx).is_pending()))
            .await
    );
    let second = store.begin_body(epoch, 2, now);
    drop(first);
    assert!(second.await.unwrap());
}
