//! The operator's hand on the outbox, beside a sender and between two.

use advis::delivery::engine::{Limits, Outbox, Tally, drain};
use advis::delivery::state::{OnUnknown, Order, Stage, State};
use advis::domain::rule::Step;
use advis::mail::transport::Envelope;
use advis::mail::transport::smtp::Tls;
use advis::store::outbox::Ordered;
use advis::store::{Error, Stamp};
use chrono::TimeDelta;

use super::{NO_LIMITS, Post, RETRY, clock, frozen, lanes, later, reminder, server, willing};
use crate::smtp_server::{Reaction, Script, reply};

const DAY: i64 = 24 * 60;

fn stamp(minutes: i64) -> Stamp {
    Stamp::now(&later(minutes), "anna")
}

async fn order(post: &Post, order: Order, ids: &[i64]) -> Vec<Ordered> {
    post.store.order(order, ids, &stamp(0)).await.unwrap()
}

/// Refused in one sentence with all of these words, and nothing has changed.
#[track_caller]
fn check_refused(result: Result<Vec<Ordered>, Error>, words: &[&str]) {
    let text = result.unwrap_err().to_string();
    for word in words.iter().chain(&["nothing was changed"]) {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
}

async fn events(post: &Post) -> Vec<String> {
    post.strings("SELECT message || ' ' || what || ' by ' || who || ' ' || detail FROM events")
        .await
}

#[tokio::test]
async fn a_message_held_while_the_server_is_asked_is_not_sent() {
    let (server, transport) = willing();
    let post = Post::new().await;
    post.ready([1]).await;
    let epoch = post.store.recover(OnUnknown::ResendOnce, clock().now()).await.unwrap().epoch;
    let claimed = post.store.claim(epoch, &[1], clock().now()).await.unwrap().remove(0);
    let envelope =
        Envelope { from: claimed.sender.parse().unwrap(), to: claimed.recipient.parse().unwrap() };
    let mut connection = transport.connection();
    connection.open(&envelope, &claimed.attempt.message_id).await.unwrap();

    let held = order(&post, Order::Hold, &[1]).await;
    assert_eq!((held[0].from, held[0].state), (State::Open, State::Held));
    assert!(!post.store.begin_body(epoch, 1, clock().now()).await.unwrap());
    connection.abandon();
    assert_eq!(post.states().await, ["held"]);
    assert_eq!(events(&post).await, [r#"1 held by anna {"attempt":1,"from":"open","to":"held"}"#]);

    let post = post.reborn().await;
    assert_eq!(post.send(&transport, &later(1)).await, Tally::default(), "it stays held");
    order(&post, Order::Release, &[1]).await;
    assert_eq!(post.send(&transport, &later(2)).await.sent, 1);
    assert_eq!(server.ledger().len(), 1);
}

#[tokio::test]
async fn what_is_on_the_wire_is_left_alone() {
    let post = Post::new().await;
    post.ready([1]).await;
    let epoch = post.store.recover(OnUnknown::ResendOnce, clock().now()).await.unwrap().epoch;
    post.store.claim(epoch, &[1], clock().now()).await.unwrap();
    assert!(post.store.begin_body(epoch, 1, clock().now()).await.unwrap());
    for one in Order::ALL {
        let result = post.store.order(one, &[1], &stamp(0)).await;
        check_refused(result, &["message 1 is body", "on its way right now"]);
    }
    assert_eq!(post.states().await, ["body"]);
}

#[tokio::test]
async fn a_released_message_goes_as_it_was_and_no_policy_holds_it_again_before_it_is_tried() {
    let script =
        Script::new(Tls::None).on(Stage::Body, [Reaction::TakeAndCut, Reaction::TakeAndCut]);
    let (server, transport) = server(script);
    let post = Post::new().await;
    post.ready([1]).await;
    assert_eq!(post.send(&transport, &clock()).await.unknown, 1);
    assert_eq!(post.send(&transport, &later(1)).await.held, 1);

    order(&post, Order::Release, &[1]).await;
    post.store.recover(OnUnknown::Hold, clock().now()).await.unwrap();
    assert_eq!(post.states().await, ["ready"]);
    // It may have arrived, so it goes although the promise is kept meanwhile.
    post.sql("UPDATE commitments SET status = 'done'").await;
    assert_eq!(post.send(&transport, &later(2)).await.sent, 1);
    let ledger = server.ledger();
    assert_eq!(ledger.len(), 3);
    assert!(ledger.iter().all(|copy| copy.wire == ledger[0].wire));
}

#[tokio::test]
async fn the_days_until_a_message_is_given_up_begin_when_it_is_released() {
    let refusals = vec![reply(450, "4.2.0 not now"); 3];
    let (_server, transport) = server(Script::new(Tls::None).on(Stage::Rcpt, refusals));
    let post = Post::new().await;
    post.ready([1]).await;
    assert_eq!(post.send(&transport, &clock()).await.deferred, 1);
    order(&post, Order::Hold, &[1]).await;
    assert_eq!(post.send(&transport, &later(60)).await, Tally::default());

    post.store.order(Order::Release, &[1], &stamp(30 * DAY)).await.unwrap();
    assert_eq!(post.send(&transport, &later(30 * DAY + 1)).await.deferred, 1);
    assert_eq!(post.send(&transport, &later(35 * DAY)).await.expired, 1);
    let given_up = post.strings("SELECT frozen_at FROM messages").await;
    assert_eq!(given_up, ["2020-01-02T07:00:00Z"], "when it was frozen stays true");
}

#[tokio::test]
async fn a_message_that_was_put_off_is_tried_at_once() {
    let script = Script::new(Tls::None).on(Stage::Rcpt, [reply(450, "4.2.0 greylisted")]);
    let (_server, transport) = server(script);
    let post = Post::new().await;
    post.ready([1]).await;
    assert_eq!(post.send(&transport, &clock()).await.deferred, 1);
    assert_eq!(post.send(&transport, &later(1)).await, Tally::default());
    order(&post, Order::Resend, &[1]).await;
    assert_eq!(post.send(&transport, &later(1)).await.sent, 1);
}

#[tokio::test]
async fn a_rejected_message_is_sent_again_with_the_same_bytes_unless_it_is_not_so_any_more() {
    let script = Script::new(Tls::None).on(Stage::Body, vec![reply(550, "5.7.1 no"); 3]);
    let (server, transport) = server(script);
    let post = Post::new().await;
    post.ready([1, 2, 3]).await;
    assert_eq!(post.send(&transport, &clock()).await.rejected, 3);
    post.sql("UPDATE commitments SET status = 'done' WHERE reference = 'C-2'").await;
    // A later reminder of C-3 has gone.
    let due = [reminder(3, Step::Due)];
    post.store.plan(&due, &[], clock().now()).await.unwrap();
    post.store.freeze(&[frozen(&[due[0].key.clone()])], clock().now()).await.unwrap();
    assert_eq!(post.send(&transport, &clock()).await.sent, 1);

    let all = post.store.order(Order::Resend, &[1, 2, 3], &stamp(1)).await;
    check_refused(all, &["message 2 is rejected: a commitment in it has changed", "message 3 is"]);
    assert_eq!(post.states().await[0], "rejected", "all or none");
    order(&post, Order::Resend, &[1]).await;
    assert_eq!(post.send(&transport, &later(1)).await.sent, 1);
    let copies: Vec<_> =
        server.ledger().into_iter().filter(|one| one.to == "l1@kommune.example").collect();
    assert_eq!(copies.len(), 2);
    assert_eq!(copies[0].wire, copies[1].wire);
    let again = post.store.order(Order::Resend, &[1], &stamp(2)).await;
    check_refused(again, &["message 1 is accepted", "Message-ID", "advis explain"]);
}

#[tokio::test]
async fn what_was_given_up_is_sent_again_only_while_its_reminders_are_nowhere_else() {
    let refusals = vec![reply(450, "4.2.0 not now"); 2];
    let (server, transport) = server(Script::new(Tls::None).on(Stage::Rcpt, refusals));
    let post = Post::new().await;
    post.ready([1, 2]).await;
    let tally = post.send(&transport, &later(6 * DAY)).await;
    assert_eq!(tally.expired, 2);
    assert_eq!(post.reminders().await, ["C-1 before:30 expired", "C-2 before:30 expired"]);
    let due = [reminder(2, Step::Before(30))];
    post.store.plan(&due, &[], clock().now()).await.unwrap();

    let both = post.store.order(Order::Resend, &[1, 2], &stamp(0)).await;
    check_refused(both, &["message 2 is expired: its reminders were planned anew"]);
    assert_eq!(post.reminders().await, ["C-1 before:30 expired", "C-2 before:30 planned"]);

    post.store.order(Order::Resend, &[1], &stamp(6 * DAY)).await.unwrap();
    // It counts as posted again: planning it anew changes nothing.
    let again = [reminder(1, Step::Before(30))];
    assert_eq!(post.store.plan(&again, &[], clock().now()).await.unwrap().new, 0);
    assert_eq!(post.reminders().await, ["C-1 before:30 attached", "C-2 before:30 planned"]);
    assert_eq!(post.send(&transport, &later(6 * DAY + 1)).await.sent, 1);
    assert_eq!(server.ledger().len(), 1);
}

#[tokio::test]
async fn an_unknown_number_changes_nothing_and_an_order_carried_out_already_is_no_mistake() {
    let post = Post::new().await;
    post.ready([1]).await;
    let unknown = post.store.order(Order::Hold, &[1, 98, 99], &stamp(0)).await;
    assert!(matches!(unknown, Err(Error::UnknownMessages { .. })));
    check_refused(unknown, &["not in the outbox: message 98, message 99"]);
    assert_eq!((post.states().await, events(&post).await.len()), (vec!["ready".to_owned()], 0));

    for _ in 0..2 {
        order(&post, Order::Hold, &[1, 1]).await;
        assert_eq!((post.states().await, events(&post).await.len()), (vec!["held".to_owned()], 1));
    }
}

#[tokio::test]
async fn a_released_message_counts_for_its_reader_s_daily_cap_like_any_other() {
    let (server, transport) = willing();
    let post = Post::new().await;
    let to = "n@kommune.example";
    let notices = [super::notice(1, to), super::notice(2, to)];
    post.store.freeze(&notices, clock().now()).await.unwrap();
    order(&post, Order::Hold, &[1]).await;
    let limits = Limits { per_person_per_day_max: 1, ..NO_LIMITS };
    let pass = async |minutes| {
        let clock = later(minutes);
        let outbox = Outbox::begin(&post.store, RETRY, limits, &clock).await.unwrap();
        drain(&outbox, &mut lanes(&transport, 2), &clock).await.unwrap()
    };
    assert_eq!(pass(0).await.sent, 1);
    order(&post, Order::Release, &[1]).await;
    let tally = pass(1).await;
    assert_eq!((tally.sent, tally.capped), (0, 1));
    assert_eq!(pass(DAY).await.sent, 1);
    assert_eq!(server.ledger().len(), 2);
}

#[tokio::test]
async fn the_log_tells_what_operators_did_and_since_when() {
    let post = Post::new().await;
    post.ready([1]).await;
    post.store.order(Order::Hold, &[1], &stamp(1)).await.unwrap();
    post.store.order(Order::Release, &[1], &stamp(2)).await.unwrap();
    let acts = post.store.acts(None).await.unwrap();
    let told: Vec<_> =
        acts.iter().map(|act| (act.row.state, act.row.reply.as_str(), act.who.as_str())).collect();
    assert_eq!(
        told,
        [(State::Held, "held by anna", "anna"), (State::Ready, "released by anna", "anna")]
    );
    assert_eq!(acts[0].row.commitments, ["C-1"]);
    let since = clock().now() + TimeDelta::minutes(2);
    assert_eq!(post.store.acts(Some(since)).await.unwrap().len(), 1);
    let of_commitment = post.store.events("C-1").await.unwrap();
    assert_eq!(of_commitment.len(), 2);
    assert!(of_commitment.iter().all(|event| event.message == Some(1)));
    assert_eq!(post.store.unsent().await.unwrap().len(), 1);
}
