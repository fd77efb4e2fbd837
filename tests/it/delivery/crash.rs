//! The crash windows of a message's life: nothing is lost, and at most the message on the wire is repeated.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use advis::delivery::engine::{CLAIM_PAGE, Debt, Outbox, Tally, drain};
use advis::delivery::state::{OnUnknown, Retry, State};
use advis::mail::transport::{Envelope, Transport};
use sqlx::AssertSqlSafe;

use super::{NO_LIMITS, Post, RETRY, clock, lanes, later, willing};

/// How far the sender comes before it dies.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
enum Killed {
    AfterFreeze,
    AfterClaim,
    BeforeTheBody,
    BeforeTheAnswerIsRecorded,
}

async fn die(post: Post, transport: &Transport, killed: Killed) -> Post {
    let epoch = post.store.recover(OnUnknown::ResendOnce, clock().now()).await.unwrap().epoch;
    if killed >= Killed::AfterClaim {
        let claimed = post.store.claim(epoch, &[1], clock().now()).await.unwrap();
        let message = &claimed[0];
        let envelope = Envelope {
            from: message.sender.parse().unwrap(),
            to: message.recipient.parse().unwrap(),
        };
        let mut connection = transport.connection();
        if killed >= Killed::BeforeTheBody {
            connection.open(&envelope, &message.attempt.message_id).await.unwrap();
            assert!(post.store.begin_body(epoch, 1, clock().now()).await.unwrap());
        }
        if killed >= Killed::BeforeTheAnswerIsRecorded {
            connection.body(&message.mime, None).await;
        }
    }
    post.reborn().await
}

#[tokio::test]
async fn whatever_a_crash_interrupts_is_sent_and_only_an_unrecorded_answer_repeats_it() {
    use State::{Accepted, Unknown};
    for (killed, states, copies) in [
        (Killed::AfterFreeze, &[Accepted][..], 1),
        (Killed::AfterClaim, &[Accepted], 1),
        (Killed::BeforeTheBody, &[Unknown, Accepted], 1),
        (Killed::BeforeTheAnswerIsRecorded, &[Unknown, Accepted], 2),
    ] {
        let (server, transport) = willing();
        let post = Post::new().await;
        post.ready([1]).await;
        let post = die(post, &transport, killed).await;
        assert_eq!(post.send(&transport, &later(1)).await.sent, 1, "{killed:?}");
        let log = post.log().await;
        assert_eq!(log.iter().map(|row| row.state).collect::<Vec<_>>(), states, "{killed:?}");
        let attempts: Vec<u32> = log.iter().map(|row| row.attempt).collect();
        assert_eq!(attempts, [1, 2][..states.len()], "{killed:?}");
        let ledger = server.ledger();
        assert_eq!(ledger.len(), copies, "{killed:?}");
        assert!(ledger.iter().all(|copy| copy.wire == ledger[0].wire), "{killed:?}");
        assert_eq!(post.send(&transport, &later(2)).await, Tally::default(), "{killed:?}");
    }
}

#[tokio::test]
async fn crash_after_crash_in_the_body_is_resent_each_time() {
    let (server, transport) = willing();
    let mut post = Post::new().await;
    post.ready([1]).await;
    for _ in 0..4 {
        post = die(post, &transport, Killed::BeforeTheAnswerIsRecorded).await;
    }
    assert_eq!(post.send(&transport, &clock()).await.sent, 1);
    let ledger = server.ledger();
    assert_eq!(ledger.len(), 5);
    assert!(ledger.iter().all(|copy| copy.wire == ledger[0].wire));
}

#[tokio::test]
async fn an_answer_that_a_sick_store_could_not_be_told_is_told_when_it_is_well() {
    let (server, transport) = willing();
    let post = Post::new().await;
    post.ready([1]).await;
    post.sql(
        "CREATE TRIGGER sick BEFORE UPDATE ON messages WHEN new.state = 'accepted'
         BEGIN SELECT RAISE(ABORT, 'the disk is sick'); END",
    )
    .await;
    let outbox = post.outbox(&clock()).await;
    drain(&outbox, &mut lanes(&transport, 1), &clock()).await.unwrap_err();
    let mut debts = outbox.into_debts().await;
    assert_eq!((debts.len(), post.states().await), (1, vec!["body".to_owned()]));
    Debt::settle(&mut debts, &post.store).await.unwrap_err();
    assert_eq!(debts.len(), 1);

    post.sql("DROP TRIGGER sick").await;
    Debt::settle(&mut debts, &post.store).await.unwrap();
    assert_eq!((debts.len(), post.outcome().await), (0, State::Accepted));
    assert_eq!(post.send(&transport, &later(1)).await, Tally::default());
    assert_eq!(server.ledger().len(), 1);
}

#[tokio::test]
async fn a_page_that_a_sick_store_cannot_claim_costs_no_answer() {
    const MESSAGES: usize = CLAIM_PAGE + 8;
    let (server, transport) = willing();
    let post = Post::new().await;
    post.notices(MESSAGES).await;
    // The first page can be claimed; the second is tried while bodies of the first are on their way.
    post.sql(AssertSqlSafe(format!(
        "CREATE TRIGGER sick BEFORE UPDATE ON messages WHEN new.state = 'open' AND new.id > {CLAIM_PAGE}
         BEGIN SELECT RAISE(ABORT, 'the disk is sick'); END",
    )))
    .await;
    let outbox = post.outbox(&clock()).await;
    drain(&outbox, &mut lanes(&transport, 3), &clock()).await.unwrap_err();
    assert_eq!(outbox.into_debts().await, []);
    let sent = server.ledger().len();
    assert_eq!(post.tally().await.get("accepted"), Some(&sent));
    assert_eq!(post.tally().await.get("body"), None);

    post.sql("DROP TRIGGER sick").await;
    let post = post.reborn().await;
    post.send(&transport, &later(1)).await;
    assert_eq!(post.states().await, ["accepted"; MESSAGES]);
    assert_eq!(server.ledger().len(), MESSAGES, "nothing is sent twice");
}

#[tokio::test]
async fn a_sender_asked_to_stop_anywhere_leaves_nothing_claimed() {
    const MESSAGES: usize = CLAIM_PAGE + 8;
    for polls in (0..).step_by(7) {
        let (server, transport) = willing();
        let post = Post::new().await;
        post.notices(MESSAGES).await;
        let (outbox, now) = (post.outbox(&clock()).await, clock());
        let mut wires = lanes(&transport, 3);
        {
            let mut sending = pin!(drain(&outbox, &mut wires, &now));
            if cut_short(sending.as_mut(), polls).await {
                break;
            }
            outbox.stop();
            sending.await.unwrap();
        }
        let (sent, states) = (server.ledger().len(), post.tally().await);
        assert_eq!(states.get("accepted").copied().unwrap_or(0), sent, "after {polls} polls");
        assert_eq!(states.get("ready").copied().unwrap_or(0), MESSAGES - sent, "{states:?}");
    }
}

#[tokio::test]
async fn under_the_policy_hold_a_crash_in_the_body_waits_for_the_operator() {
    let (server, transport) = willing();
    let post = Post::new().await;
    post.ready([1, 2]).await;
    let post = die(post, &transport, Killed::BeforeTheBody).await;
    let retry = Retry { on_unknown: OnUnknown::Hold, ..RETRY };
    let outbox = Outbox::begin(&post.store, retry, NO_LIMITS, &clock()).await.unwrap();
    let tally = drain(&outbox, &mut lanes(&transport, 1), &clock()).await.unwrap();
    assert_eq!(tally.sent, 1);
    assert_eq!(post.states().await, ["held", "accepted"]);
    assert_eq!(server.ledger().len(), 1);
}

#[tokio::test]
async fn a_sender_of_an_older_epoch_can_change_nothing() {
    let post = Post::new().await;
    post.ready([1]).await;
    let old = post.store.recover(OnUnknown::ResendOnce, clock().now()).await.unwrap().epoch;
    post.store.claim(old, &[1], clock().now()).await.unwrap();
    let new = post.store.recover(OnUnknown::ResendOnce, clock().now()).await.unwrap().epoch;
    assert!(new > old);
    assert!(!post.store.begin_body(old, 1, clock().now()).await.unwrap());
    assert_eq!(post.states().await, ["ready"]);
}

/// Drives a future at most `polls` times, then drops it where it stands: whether it came to its end.
async fn cut_short(future: impl Future, polls: usize) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

#[tokio::test]
async fn a_sender_dropped_anywhere_loses_nothing_and_repeats_at_most_one_message_a_lane() {
    const MESSAGES: usize = 5;
    const LANES: usize = 2;
    for polls in (0..).step_by(3) {
        let (server, transport) = willing();
        let post = Post::new().await;
        post.notices(MESSAGES).await;
        let outbox = post.outbox(&clock()).await;
        let mut wires = lanes(&transport, LANES);
        let finished = cut_short(drain(&outbox, &mut wires, &clock()), polls).await;
        drop((wires, outbox));
        let post = post.reborn().await;
        for _ in 0..2 {
            post.send(&transport, &later(1)).await;
        }
        assert_eq!(post.states().await, ["accepted"; MESSAGES], "after {polls} polls");
        let mut copies: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
        for received in server.ledger() {
            copies.entry(received.message_id).or_default().push(received.wire);
        }
        assert_eq!(copies.len(), MESSAGES, "after {polls} polls");
        assert!(copies.values().all(|copies| copies.iter().all(|copy| *copy == copies[0])));
        assert!(server.ledger().len() <= MESSAGES + LANES, "after {polls} polls");
        if finished {
            break;
        }
    }
}
