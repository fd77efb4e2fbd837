//! One pass: what goes, what waits, and what the log says.

use std::collections::BTreeMap;
use std::fs;

use advis::delivery::engine::{Limits, Outbox, Step, Tally, drain, step};
use advis::delivery::state::{OnUnknown, Retry, Stage, State};
use advis::domain::rule;
use advis::mail::transport::smtp::{Credentials, SmtpSettings, Tls};

use super::{
    NO_LIMITS, Post, RETRY, clock, frozen, lanes, later, nobody, notice, reminder, server, smtp,
    taken, willing,
};
use crate::smtp_server::{Reaction, Script, reply, say};

#[tokio::test]
async fn a_message_becomes_a_file_with_its_bytes_and_is_never_written_again() {
    let post = Post::new().await;
    post.ready([1, 2, 3]).await;
    let tally = post.send(&post.files(), &clock()).await;
    assert_eq!(tally, Tally { sent: 3, ..Tally::default() });

    let log = post.log().await;
    assert_eq!(log.len(), 3);
    for row in &log {
        assert_eq!(
            (row.state, row.attempt, row.code, &row.stage),
            (State::Accepted, 1, None, &None)
        );
        assert_eq!(row.at, clock().now());
        assert_eq!(row.steps, ["before:30"]);
        let number = row.commitments[0].strip_prefix("C-").unwrap();
        assert_eq!(row.to, format!("l{number}@kommune.example"));
        let key = reminder(number.parse().unwrap(), rule::Step::Before(30)).key;
        assert_eq!(fs::read(&row.reply).unwrap(), frozen(&[key]).mime);
    }

    assert_eq!(post.send(&post.files(), &later(24 * 60)).await, Tally::default());
    assert_eq!(post.log().await, log);
    assert_eq!(fs::read_dir(post.mail_dir()).unwrap().count(), 3);
}

#[tokio::test]
async fn a_server_gets_each_message_once_however_many_lanes_there_are() {
    for count in [1, 4] {
        let post = Post::new().await;
        post.notices(80).await;
        let (server, transport) = willing();
        let outbox = post.outbox(&clock()).await;
        let mut lanes = lanes(&transport, count);
        let tally = drain(&outbox, &mut lanes, &clock()).await.unwrap();
        assert_eq!(tally, Tally { sent: 80, ..Tally::default() });
        let mut ids = taken(&server);
        ids.dedup();
        assert_eq!(ids.len(), 80);
        assert_eq!(server.ledger().len(), 80);
        assert_eq!(server.sessions(), count);
        let log = post.log().await;
        assert!(log.iter().all(|row| row.code == Some(250) && row.reply.contains("queued")));
        let counts = post.store.counts(clock().today(), later(-480).now()).await.unwrap();
        assert_eq!(counts.sent, 80);
        assert_eq!(drain(&outbox, &mut lanes, &clock()).await.unwrap(), Tally::default());
    }
}

struct Case {
    stage: Stage,
    reaction: Reaction,
    leads_to: State,
    code: Option<u16>,
}

async fn check(Case { stage, reaction, leads_to, code }: Case) {
    let name = format!("{stage}: {reaction:?}");
    let post = Post::new().await;
    post.ready([1]).await;
    let (_server, transport) = server(Script::new(Tls::None).on(stage, [reaction]));
    let tally = post.send(&transport, &clock()).await;
    assert_eq!(post.outcome().await, leads_to, "{name}");
    let log = post.log().await;
    assert_eq!(log.len(), 1, "{name}");
    assert_eq!((log[0].code, log[0].attempt), (code, 1), "{name}");
    assert_eq!(log[0].stage.as_deref(), Some(stage.name()), "{name}");
    assert!(!log[0].reply.is_empty(), "{name}");
    assert_eq!((tally.sent, tally.deferred + tally.rejected + tally.unknown), (0, 1), "{name}");
    let waits: Vec<_> = post.strings("SELECT 'yes' FROM messages WHERE next_at > frozen_at").await;
    assert_eq!(waits.len(), usize::from(leads_to == State::Deferred), "{name}");
}

#[tokio::test]
async fn every_refusal_leads_to_its_state_and_its_line_in_the_log() {
    for stage in [Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Body] {
        for (code, leads_to) in [
            (550, State::Rejected),
            (554, State::Rejected),
            (451, State::Deferred),
            (452, State::Deferred),
            (421, State::Deferred),
        ] {
            let (reaction, code) = (reply(code, "no"), Some(code));
            check(Case { stage, reaction, leads_to, code }).await;
        }
    }
    for stage in [Stage::Greeting, Stage::Ehlo] {
        for code in [421, 554] {
            let (reaction, code) = (reply(code, "no"), Some(code));
            check(Case { stage, reaction, leads_to: State::Deferred, code }).await;
        }
    }
}

#[tokio::test]
async fn a_connection_that_ends_leads_to_unknown_only_after_the_body() {
    for stage in [Stage::Greeting, Stage::Ehlo, Stage::Mail, Stage::Rcpt, Stage::Data] {
        check(Case { stage, reaction: Reaction::Cut, leads_to: State::Deferred, code: None }).await;
    }
    for reaction in [Reaction::Cut, Reaction::TakeAndCut, say("354 hm\r\n"), say("what?\r\n")] {
        check(Case { stage: Stage::Body, reaction, leads_to: State::Unknown, code: None }).await;
    }
}

#[tokio::test]
async fn one_bad_address_spoils_nobody_elses_mail() {
    let post = Post::new().await;
    post.ready(1..=9).await;
    let script = Script::new(Tls::None).on_recipient(
        "l4@kommune.example",
        Stage::Rcpt,
        [reply(550, "5.1.1 no such user")],
    );
    let (server, transport) = server(script);
    let tally = post.send(&transport, &clock()).await;
    assert_eq!(tally, Tally { sent: 8, rejected: 1, ..Tally::default() });
    assert_eq!(taken(&server).len(), 8);
    let counts = post.store.counts(clock().today(), later(-480).now()).await.unwrap();
    assert_eq!((counts.sent, counts.rejected), (8, 1));
}

#[tokio::test]
async fn what_was_deferred_goes_when_its_time_has_come_and_not_before() {
    let post = Post::new().await;
    post.ready([1]).await;
    let script = Script::new(Tls::None).on(Stage::Rcpt, [reply(450, "4.2.0 greylisted")]);
    let (server, transport) = server(script);
    assert_eq!(post.send(&transport, &clock()).await.deferred, 1);
    assert_eq!(post.send(&transport, &later(14)).await, Tally::default());
    assert_eq!(post.send(&transport, &later(31)).await.sent, 1);
    assert_eq!(taken(&server).len(), 1);
    let log = post.log().await;
    let attempts: Vec<_> = log.iter().map(|row| (row.attempt, row.state)).collect();
    assert_eq!(attempts, [(1, State::Deferred), (2, State::Accepted)]);
    assert_eq!(post.store.log(Some(later(1).now())).await.unwrap(), log[1..]);
}

#[tokio::test]
async fn a_message_is_given_up_after_the_days_allowed_and_its_reminder_may_be_planned_again() {
    let post = Post::new().await;
    post.ready([1]).await;
    post.sql("UPDATE agenda SET look_on = '2020-01-24'").await;
    let busy = || reply(452, "4.3.1 full");
    let script = Script::new(Tls::None).on(Stage::Rcpt, [busy(), busy(), busy()]);
    let (_server, transport) = server(script);
    assert_eq!(post.send(&transport, &clock()).await.deferred, 1);
    assert_eq!(post.send(&transport, &later(5 * 24 * 60 - 1)).await.deferred, 1);
    assert_eq!(post.send(&transport, &later(5 * 24 * 60)).await.expired, 1);
    assert_eq!(post.outcome().await, State::Expired);
    let reply = &post.log().await[2].reply;
    assert!(reply.starts_with("given up after 5 days") && reply.contains("full"), "{reply}");
    assert_eq!(post.reminders().await, ["C-1 before:30 expired"]);
    assert_eq!(post.looks_on("now").await, ["C-1"]);
}

#[tokio::test]
async fn a_network_unknown_is_resent_once_with_the_same_bytes_and_then_held() {
    for (cuts, states, copies) in
        [(1, &[State::Unknown, State::Accepted][..], 2), (2, &[State::Unknown, State::Held], 2)]
    {
        let post = Post::new().await;
        post.ready([1]).await;
        let script = Script::new(Tls::None).on(Stage::Body, vec![Reaction::TakeAndCut; cuts]);
        let (server, transport) = server(script);
        for _ in 0..4 {
            post.send(&transport, &clock()).await;
        }
        let log = post.log().await;
        assert_eq!(log.iter().map(|row| row.state).collect::<Vec<_>>(), states);
        let ledger = server.ledger();
        assert_eq!(ledger.len(), copies);
        assert!(ledger.iter().all(|received| received.data == ledger[0].data));
        assert!(ledger.iter().all(|received| received.message_id == log[0].message_id));
    }
}

#[tokio::test]
async fn under_the_policy_hold_an_unknown_waits_for_the_operator() {
    let post = Post::new().await;
    post.ready([1]).await;
    let (server, transport) =
        server(Script::new(Tls::None).on(Stage::Body, [Reaction::TakeAndCut]));
    let retry = Retry { on_unknown: OnUnknown::Hold, ..RETRY };
    for _ in 0..2 {
        let outbox = Outbox::begin(&post.store, retry, NO_LIMITS, &clock()).await.unwrap();
        drain(&outbox, &mut lanes(&transport, 1), &clock()).await.unwrap();
    }
    assert_eq!(post.outcome().await, State::Held);
    assert_eq!(server.ledger().len(), 1);
}

#[tokio::test]
async fn a_server_that_is_down_costs_one_message_an_attempt_and_not_the_queue() {
    let post = Post::new().await;
    post.notices(100).await;
    let outbox = post.outbox(&clock()).await;
    let tally = drain(&outbox, &mut lanes(&nobody(), 4), &clock()).await.unwrap();
    assert_eq!(tally.deferred, 1);
    let Step::Stopped { until } = tally.end else { panic!("{tally:?}") };
    assert!(until >= later(1).now() && until <= later(2).now());
    let waiting = BTreeMap::from([("deferred".to_owned(), 1), ("ready".to_owned(), 99)]);
    assert_eq!(post.tally().await, waiting);

    // The same sender leaves the server alone until then.
    let (server, transport) = willing();
    let tally = drain(&outbox, &mut lanes(&transport, 4), &clock()).await.unwrap();
    assert_eq!(tally, Tally { end: Step::Stopped { until }, ..Tally::default() });
    let tally = drain(&outbox, &mut lanes(&transport, 4), &later(2)).await.unwrap();
    assert_eq!(tally, Tally { sent: 100, ..Tally::default() });
    assert_eq!(taken(&server).len(), 100);
    let attempts: u32 = post.log().await.iter().map(|row| row.attempt).sum();
    assert_eq!(attempts, 1 + 2 + 99, "what was put back has had no attempt");
}

#[tokio::test]
async fn a_server_that_loses_every_message_is_left_after_three() {
    let post = Post::new().await;
    post.notices(20).await;
    let cuts = vec![Reaction::Cut; 20];
    let (_server, transport) = server(Script::new(Tls::None).on(Stage::Body, cuts));
    let outbox = post.outbox(&clock()).await;
    let tally = drain(&outbox, &mut lanes(&transport, 1), &clock()).await.unwrap();
    assert_eq!(tally.unknown, 3);
    assert!(matches!(tally.end, Step::Stopped { .. }));
    let waiting = BTreeMap::from([("unknown".to_owned(), 3), ("ready".to_owned(), 17)]);
    assert_eq!(post.tally().await, waiting);
}

#[tokio::test]
async fn a_refused_login_stops_the_whole_queue_for_every_sender() {
    let post = Post::new().await;
    post.notices(50).await;
    let password_file = post.dir.path().join("password");
    fs::write(&password_file, "007123").unwrap();
    let script = Script::new(Tls::StartTls).on(Stage::Auth, [reply(535, "5.7.8 wrong password")]);
    let (server, _) = server(script);
    let credentials = Credentials::Password { username: "advis".to_owned(), password_file };
    let transport = smtp(SmtpSettings { credentials, ..server.settings() });

    let tally = post.send(&transport, &clock()).await;
    let until = later(15).now();
    assert_eq!(tally, Tally { deferred: 1, end: Step::Stopped { until }, ..Tally::default() });
    let again = post.send(&transport, &later(14)).await;
    assert_eq!(again, Tally { end: Step::Stopped { until }, ..Tally::default() });
    assert_eq!(server.sessions(), 1, "one attempt to log in, not one a message or a lane");
    assert_eq!(post.log().await[0].code, Some(535));

    let tally = post.send(&transport, &later(15)).await;
    assert_eq!(tally, Tally { sent: 50, ..Tally::default() });
}

#[tokio::test]
async fn a_stop_from_a_time_to_come_holds_nobody_back() {
    let post = Post::new().await;
    post.ready([1]).await;
    post.sql("INSERT INTO meta VALUES ('queue_stopped_until', '2031-01-01T00:00:00Z')").await;
    assert_eq!(post.send(&post.files(), &clock()).await.sent, 1);
}

#[tokio::test]
async fn nobody_gets_more_messages_a_day_than_allowed_and_the_rest_waits() {
    let post = Post::new().await;
    let many: Vec<_> = (0..50)
        .map(|n| {
            notice(n, if n % 10 == 0 { "Few@kommune.example" } else { "many@kommune.example" })
        })
        .collect();
    post.store.freeze(&many, clock().now()).await.unwrap();
    let limits = Limits { per_person_per_day_max: 4, ..NO_LIMITS };
    for (clock, sent, capped) in [(clock(), 8, 42), (later(60), 0, 42), (later(24 * 60), 5, 37)] {
        let outbox = Outbox::begin(&post.store, RETRY, limits, &clock).await.unwrap();
        let (server, transport) = willing();
        let tally = drain(&outbox, &mut lanes(&transport, 3), &clock).await.unwrap();
        assert_eq!(tally, Tally { sent, capped, ..Tally::default() });
        assert_eq!(server.ledger().len(), sent as usize);
    }
}

#[tokio::test]
async fn no_hour_sees_more_messages_than_allowed() {
    let post = Post::new().await;
    post.notices(100).await;
    let limits = Limits { per_hour_max: 40, ..NO_LIMITS };
    for (minutes, sent, until) in [
        (0, 40, Step::Waiting { until: later(60).now() }),
        (59, 0, Step::Waiting { until: later(60).now() }),
        (60, 40, Step::Waiting { until: later(120).now() }),
        (125, 20, Step::Idle),
    ] {
        let outbox = Outbox::begin(&post.store, RETRY, limits, &later(minutes)).await.unwrap();
        let mut lanes = lanes(&post.files(), 3);
        let tally = drain(&outbox, &mut lanes, &later(minutes)).await.unwrap();
        assert_eq!(tally, Tally { sent, end: until, ..Tally::default() }, "at {minutes}");
    }
}

#[tokio::test]
async fn no_minute_sees_more_attempts_than_the_rate() {
    let post = Post::new().await;
    post.notices(12).await;
    let limits = Limits { rate_per_minute: 5, ..NO_LIMITS };
    let mut lanes = lanes(&post.files(), 2);
    for (minutes, sent) in [(0, 5), (0, 0), (1, 5), (2, 2)] {
        let clock = later(minutes);
        let outbox = Outbox::begin(&post.store, RETRY, limits, &clock).await.unwrap();
        let tally = drain(&outbox, &mut lanes, &clock).await.unwrap();
        let end =
            if sent == 2 { Step::Idle } else { Step::Waiting { until: later(minutes + 1).now() } };
        assert_eq!((tally.sent, tally.end), (sent, end), "after {minutes} minutes");
    }
}

#[tokio::test]
async fn a_message_withdrawn_between_claim_and_body_is_not_sent() {
    let post = Post::new().await;
    post.ready([1, 2, 3]).await;
    let (server, transport) = willing();
    let outbox = post.outbox(&clock()).await;
    let mut lanes = lanes(&transport, 1);
    // All are claimed in one page, and the second is begun while the first is recorded.
    assert_eq!(step(&mut lanes[0], &outbox, &clock()).await.unwrap(), Step::Sent);
    assert_eq!(post.states().await, ["accepted", "body", "open"]);
    post.store.withdraw(&["C-2".to_owned()], clock().now()).await.unwrap();
    post.store.withdraw(&["C-3".to_owned()], clock().now()).await.unwrap();
    assert_eq!(step(&mut lanes[0], &outbox, &clock()).await.unwrap(), Step::Sent);
    assert_eq!(step(&mut lanes[0], &outbox, &clock()).await.unwrap(), Step::Withdrawn);
    assert_eq!(step(&mut lanes[0], &outbox, &clock()).await.unwrap(), Step::Idle);
    assert_eq!(post.states().await, ["accepted", "accepted", "cancelled"]);
    assert_eq!(server.ledger().len(), 2);
    assert_eq!(post.log().await.len(), 2, "no attempt is logged for what was never tried");
}

#[tokio::test]
async fn a_change_by_another_program_is_noticed_just_before_the_body() {
    for change in [
        "UPDATE commitments SET status = 'done' WHERE reference = 'C-2'",
        "UPDATE commitments SET revision = 2 WHERE reference = 'C-2'",
        "UPDATE windows SET closed_on = '2020-01-02', closed_as = 'done' WHERE commitment = 'C-2'",
        "DELETE FROM responsibilities WHERE commitment = 'C-2'",
    ] {
        let post = Post::new().await;
        let (first, second) = (reminder(1, rule::Step::Due), reminder(2, rule::Step::Due));
        post.store.plan(&[first.clone(), second.clone()], &[], clock().now()).await.unwrap();
        let message = frozen(&[first.key, second.key]);
        assert_eq!(post.store.freeze(&[message], clock().now()).await.unwrap(), 1);
        post.sql(change).await;
        let tally = post.send(&post.files(), &clock()).await;
        assert_eq!(tally, Tally { withdrawn: 1, ..Tally::default() }, "{change}");
        assert_eq!(post.states().await, ["cancelled"], "{change}");
        assert_eq!(post.reminders().await, ["C-1 due planned", "C-2 due cancelled"], "{change}");
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_addressed_is_held_and_the_rest_goes() {
    let post = Post::new().await;
    post.ready([1, 2, 3]).await;
    post.sql("UPDATE messages SET recipient = 'nobody' WHERE id = 2").await;
    let tally = post.send(&post.files(), &clock()).await;
    assert_eq!(tally, Tally { sent: 2, held: 1, ..Tally::default() });
    assert_eq!(post.states().await, ["accepted", "held", "accepted"]);
    let counts = post.store.counts(clock().today(), later(-480).now()).await.unwrap();
    assert_eq!((counts.sent, counts.held), (2, 1));
}

#[tokio::test]
async fn a_sender_asked_to_stop_puts_back_what_it_has_not_begun() {
    let post = Post::new().await;
    post.notices(10).await;
    let outbox = post.outbox(&clock()).await;
    let mut lanes = lanes(&post.files(), 2);
    assert_eq!(step(&mut lanes[0], &outbox, &clock()).await.unwrap(), Step::Sent);
    outbox.stop();
    // The next one was begun already.
    let tally = drain(&outbox, &mut lanes, &clock()).await.unwrap();
    assert_eq!(tally, Tally { sent: 1, ..Tally::default() });
    let waiting = BTreeMap::from([("accepted".to_owned(), 2), ("ready".to_owned(), 8)]);
    assert_eq!(post.tally().await, waiting);
}
