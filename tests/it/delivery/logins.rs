//! Who may send, and what happens when the server changes its mind about that.

use std::fs;
use std::path::Path;

use advis::config::Command;
use advis::delivery::engine::{Outbox, Step, Tally, drain};
use advis::delivery::state::{OnUnknown, Retry, Stage, State};
use advis::mail::transport::Transport;
use advis::mail::transport::smtp::{Credentials, SmtpSettings, Tls, TokenSource};
use data_encoding::BASE64;

use super::{NO_LIMITS, Post, RETRY, clock, lanes, later, server, smtp};
use crate::smtp::Log;
use crate::smtp_server::{Reaction, Script, SmtpServer, reply};

fn with_token(server: &SmtpServer, token: TokenSource) -> Transport {
    let credentials = Credentials::Token { username: "advis@kommune.example".to_owned(), token };
    smtp(SmtpSettings { credentials, ..server.settings() })
}

fn xoauth2(token: &str) -> String {
    let answer = format!("user=advis@kommune.example\u{1}auth=Bearer {token}\u{1}\u{1}");
    format!("AUTH XOAUTH2 {}", BASE64.encode(answer.as_bytes()))
}

fn logins(server: &SmtpServer) -> Vec<String> {
    server.texts().into_iter().filter(|text| text.starts_with("AUTH")).collect()
}

fn cat(file: &Path) -> TokenSource {
    TokenSource::Command(Command(vec!["cat".to_owned(), file.display().to_string()]))
}

#[tokio::test]
async fn a_login_refused_to_several_lanes_at_once_raises_one_alarm_and_stops_them_all() {
    let post = Post::new().await;
    post.notices(30).await;
    let token_file = post.dir.path().join("token");
    fs::write(&token_file, "udløbet").unwrap();
    let refused = || reply(535, "5.7.8 no");
    // The password changes while the first lane is at work.
    let reactions = [Reaction::Accept, refused(), refused(), refused()];
    let server = SmtpServer::start(Script::new(Tls::Implicit).on(Stage::Auth, reactions));
    let transport = with_token(&server, TokenSource::File(token_file));
    let (log, _guard) = Log::capture();
    let outbox = post.outbox(&clock()).await;
    let tally = drain(&outbox, &mut lanes(&transport, 4), &clock()).await.unwrap();
    let Step::Stopped { until } = tally.end else { panic!("{tally:?}") };
    assert!(until >= later(15).now(), "{until}");
    assert!(tally.sent < 30 && tally.deferred <= 3, "{tally:?}");
    assert_eq!(log.text().matches("delivery.stopped").count(), 1, "{}", log.text());

    let tried = logins(&server).len();
    for minutes in [0, 7, 14] {
        // The same sender, and others on the same store.
        drain(&outbox, &mut lanes(&transport, 4), &later(minutes)).await.unwrap();
        let again = post.send(&transport, &later(minutes)).await;
        assert_eq!(again.end, Step::Stopped { until });
    }
    assert_eq!(logins(&server).len(), tried, "no account is locked by our trying");
    assert_eq!(log.text().matches("delivery.stopped").count(), 1);
    post.send(&transport, &later(16)).await;
    assert_eq!(post.tally().await.into_iter().collect::<Vec<_>>(), [("accepted".to_owned(), 30)]);
}

#[tokio::test]
async fn a_token_that_has_run_out_is_fetched_anew_when_the_server_is_asked_again() {
    for is_command in [false, true] {
        let post = Post::new().await;
        post.notices(5).await;
        let token_file = post.dir.path().join("token");
        let source =
            if is_command { cat(&token_file) } else { TokenSource::File(token_file.clone()) };
        let refused = [reply(334, "eyJzdGF0dXMiOiI0MDEifQ=="), reply(535, "5.7.8 expired")];
        let server = SmtpServer::start(Script::new(Tls::StartTls).on(Stage::Auth, refused));
        let transport = with_token(&server, source);

        fs::write(&token_file, "gammel\n").unwrap();
        assert_eq!(post.send(&transport, &clock()).await.deferred, 1);
        fs::write(&token_file, "ny\n").unwrap();
        let tally = post.send(&transport, &later(16)).await;
        assert_eq!(tally, Tally { sent: 5, ..Tally::default() });
        assert_eq!(logins(&server), [xoauth2("gammel"), xoauth2("ny"), xoauth2("ny")]);
        assert_eq!(server.sessions(), 3, "one for the refusal, one a lane");
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_had_costs_one_attempt_and_stops_nobody_for_long() {
    let post = Post::new().await;
    post.notices(5).await;
    let token_file = post.dir.path().join("token");
    let server = SmtpServer::start(Script::new(Tls::Implicit));
    let transport = with_token(&server, cat(&token_file));
    let tally = post.send(&transport, &clock()).await;
    assert_eq!(tally.deferred, 1);
    assert!(matches!(tally.end, Step::Stopped { .. }));
    assert!(logins(&server).is_empty());
    let log = post.log().await;
    assert!(log[0].reply.contains("token_command cat failed"), "{}", log[0].reply);
    fs::write(&token_file, "ny").unwrap();
    assert_eq!(post.send(&transport, &later(3)).await.sent, 5);
}

#[tokio::test]
async fn under_the_policy_hold_no_message_is_ever_given_to_a_server_twice() {
    let post = Post::new().await;
    post.notices(12).await;
    let cuts = (0..12).map(|n| if n % 2 == 0 { Reaction::TakeAndCut } else { Reaction::Accept });
    let (server, transport) = server(Script::new(Tls::None).on(Stage::Body, cuts));
    let retry = Retry { on_unknown: OnUnknown::Hold, ..RETRY };
    for minutes in [0, 5, 10, 15, 20, 600, 6 * 24 * 60] {
        let clock = later(minutes);
        let outbox = Outbox::begin(&post.store, retry, NO_LIMITS, &clock).await.unwrap();
        drain(&outbox, &mut lanes(&transport, 3), &clock).await.unwrap();
    }
    assert_eq!(server.ledger().len(), 12);
    let tally = post.tally().await;
    assert_eq!((tally["accepted"], tally["held"]), (6, 6), "{tally:?}");
    let counts = post.store.counts(clock().today(), later(-480).now()).await.unwrap();
    assert_eq!((counts.held, counts.unknown), (6, 0));
}

#[tokio::test]
async fn what_an_earlier_policy_left_unknown_is_held_under_the_policy_hold() {
    let post = Post::new().await;
    post.ready([1]).await;
    let (server, transport) =
        server(Script::new(Tls::None).on(Stage::Body, [Reaction::TakeAndCut]));
    assert_eq!(post.send(&transport, &clock()).await.unknown, 1);
    let retry = Retry { on_unknown: OnUnknown::Hold, ..RETRY };
    let outbox = Outbox::begin(&post.store, retry, NO_LIMITS, &later(1)).await.unwrap();
    drain(&outbox, &mut lanes(&transport, 2), &later(1)).await.unwrap();
    assert_eq!(post.states().await, [State::Held.name()]);
    assert_eq!(server.ledger().len(), 1);
}
