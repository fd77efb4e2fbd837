//! The operator's page: it shows what a person should look at, and changes nothing; and what machines ask beside it.

use std::collections::BTreeSet;

use advis::clock::Clock;
use advis::config::Config;
use advis::delivery::pass::Desk;
use advis::domain::leader::Language;
use advis::planner;
use advis::store::Which;
use chrono::{Datelike, NaiveDate};
use serde_json::Value;

use super::golden::readable;
use super::site::{Got, OLD_KEY, Site, at, exchange, later};
use crate::compose::gallery::LANGUAGES;

/// A Friday; the next mails go on Monday.
const DAY: &str = "2027-03-05";

/// A site in the middle of its work: something of everything that there is to see.
async fn busy() -> Site {
    let site = Site::new().await;
    site.promise("NOR-1", &["nora", "sune"]).await;
    site.promise_as("NOR-2", "Evaluér hjemmeplejen", "status", &["sune"]).await;
    site.promise_as("NOR-3", "Lukket punkt om en enkeltsag", "status", &["nora"]).await;
    site.promise_as("NOR-4", "Den løbende dialog", "follow_up", &["ellen"]).await;
    site.promise_as("NOR-5", "Afløs den tidligere leder", "status", &["kaj"]).await;
    site.sql(
        "UPDATE windows SET opens = '2027-02-01', due = '2027-02-26' WHERE commitment IN ('NOR-2', 'NOR-3');
         UPDATE commitments SET confidential = 1 WHERE reference = 'NOR-3';
         UPDATE commitments SET phrase = 'løbende', revision = 2, entered_on = NULL WHERE reference = 'NOR-4';",
    )
    .await;
    site.read_new().await;
    let link = site.link("NOR-1", "nora");
    site.submit(&format!("{link}/snooze"), &[("until", "week")]).await;
    let wanted = [("deadline", "ultimo maj 2027"), ("reason", "Tallene mangler")];
    site.submit(&format!("{link}/propose"), &wanted).await;
    site.sql("DELETE FROM message_bytes; DELETE FROM messages").await;
    site.at_desk("2027-03-01", async |desk| drop(desk.post().await.unwrap())).await;
    // One message of each fate.
    site.sql(
        "INSERT INTO attempts (message, attempt, at, state, stage, code, reply)
         SELECT id, 1, '2027-03-01T07:00:0' || row_number() OVER (ORDER BY id) || 'Z',
                CASE row_number() OVER (ORDER BY id) WHEN 1 THEN 'accepted' WHEN 2 THEN 'rejected' ELSE 'deferred' END,
                'final', 250, CASE row_number() OVER (ORDER BY id) WHEN 1 THEN '2.0.0 Ok' WHEN 2 THEN '5.1.1 Ukendt postkasse' ELSE '4.2.2 Postkassen er fuld' END
           FROM messages ORDER BY id LIMIT 3;
         UPDATE messages SET attempt = 1, state = (SELECT state FROM attempts WHERE message = messages.id)
          WHERE id IN (SELECT message FROM attempts WHERE state <> 'accepted');
         UPDATE messages SET attempt = 1, state = 'accepted', accepted_on = '2027-03-01'
          WHERE id IN (SELECT message FROM attempts WHERE state = 'accepted');
         UPDATE messages SET next_at = '2027-03-05T10:00:00Z' WHERE state = 'deferred';",
    )
    .await;
    site
}

fn speak(language: Language) -> impl FnOnce(&mut Config) {
    move |config| config.organisation.language = language
}

/// Every page of the operator, by its name.
pub(super) async fn gallery(language: Language) -> Vec<(&'static str, Got)> {
    let site = busy().await;
    site.change(later(DAY, 60 * 60), speak(language));
    let mut pages = Vec::new();
    for (name, path) in [
        ("overview", "/"),
        ("next", "/next"),
        ("commitment", "/c/NOR-1"),
        ("overdue", "/c/NOR-2"),
        ("confidential", "/c/NOR-3"),
        ("undated", "/c/NOR-4"),
        ("no_page", "/c/NOR-9"),
    ] {
        pages.push((name, site.look(path).await));
    }
    pages
}

#[tokio::test]
async fn every_page_reads_as_in_its_golden_file() {
    for language in LANGUAGES {
        for (name, got) in gallery(language).await {
            let name = format!("operator_{name}_{}", language.code());
            insta::assert_snapshot!(name, readable(&got));
        }
    }
}

#[tokio::test]
async fn the_overview_names_what_a_person_should_look_at() {
    let site = busy().await;
    site.change(at(DAY), |_| ());
    site.look("/").await.says(&[
        "mandag den 8. marts 2027 kl. 8.00",
        "4 åbne",
        "heraf 2 over fristen",
        "Over fristen (2)",
        "Evaluér hjemmeplejen",
        "5.1.1 Ukendt postkasse",
        "advis resend",
        "4.2.2 Postkassen er fuld",
        "Prøves igen 5. marts 2027 kl. 11.00",
        "Ubesatte (1)",
        "Kaj Dam",
        "Mangler en dato (1)",
        "løbende",
    ]);
}

#[tokio::test]
async fn what_is_confidential_is_shown_by_its_reference_alone() {
    let site = busy().await;
    site.change(at(DAY), |_| ());
    for path in ["/", "/next", "/c/NOR-3"] {
        let got = site.look(path).await;
        assert_eq!(got.status, 200);
        assert!(!got.body.contains("enkeltsag"), "{path}: {}", got.body);
        assert!(!got.body.contains("ultimo marts 2027.") || path != "/c/NOR-3", "{}", got.body);
    }
    site.look("/").await.says(&["NOR-3", "Fortrolig"]);
}

#[tokio::test]
async fn looking_changes_nothing_and_nothing_can_be_posted() {
    let site = busy().await;
    site.change(at(DAY), |_| ());
    let before = site.dump().await;
    for path in ["/", "/next", "/c/NOR-1", "/c/NOR-2", "/c/none", "/health", "/metrics", "/t/x"] {
        for method in ["GET", "HEAD"] {
            let got = exchange(site.operator, "localhost", method, path, &[], "").await;
            assert!(got.status < 500, "{method} {path}: {}", got.status);
            assert_eq!(got.headers["cache-control"], "no-store", "{path}");
            assert!(got.headers["content-security-policy"].starts_with("default-src 'none'"));
        }
        let got = exchange(site.operator, "localhost", "POST", path, &[], "x=1").await;
        assert!([404, 405].contains(&got.status), "POST {path}: {}", got.status);
    }
    assert!(site.dump().await == before, "looking changed the store");
}

#[tokio::test]
async fn a_name_that_is_not_this_machines_is_answered_with_nothing() {
    let site = busy().await;
    for path in ["/", "/c/NOR-1", "/metrics", "/health"] {
        let got = exchange(site.operator, "rebound.example", "GET", path, &[], "").await;
        assert_eq!(got.status, 421, "{path}");
        assert!(!got.body.contains("NOR-"), "{path}");
        got.says(&["localhost eller 127.0.0.1"]);
    }
    // Nor are the pages of the leaders at the operator's door, or the other way round.
    assert_eq!(site.look(&site.link("NOR-1", "nora")).await.status, 404);
    assert_eq!(site.get("/metrics").await.status, 404);
}

#[tokio::test]
async fn hostile_texts_are_shown_and_do_nothing() {
    let site = Site::new().await;
    let hostile = "<script>alert(1)</script> {{ 7 * 7 }} </title></style> \u{202e}kcab";
    let reference = "A<b>\"'/../x ?#%41";
    site.promise_as(reference, hostile, "status", &["nora", "kaj"]).await;
    site.promise_as("B", hostile, "status", &["nora"]).await;
    site.sql(&format!(
        "UPDATE windows SET opens = '2026-01-01', due = '2026-01-31' WHERE commitment <> 'B';
         UPDATE windows SET opens = '2026-12-01', due = '2026-12-19' WHERE commitment = 'B';
         UPDATE leaders SET name = '{hostile}' WHERE reference IN ('nora', 'kaj');
         UPDATE commitments SET document = '{hostile}', section = '{hostile}', quote = '{hostile}';
         INSERT INTO events (at, who, what, commitment, detail)
         SELECT '2026-11-01T08:00:00.000Z', '{hostile}', '{hostile}', reference, json_object('{hostile}', '{hostile}') FROM commitments;"
    ))
    .await;
    let front = site.look("/").await;
    let (_, rest) = front.body.split_once("href=\"/c/").unwrap();
    let path = format!("/c/{}", rest.split_once('"').unwrap().0);
    for got in [front, site.look("/next").await, site.look(&path).await] {
        assert_eq!(got.status, 200, "{path}");
        for bad in ["<script", "<b>", "49 ", "\u{202e}"] {
            assert!(!got.body.contains(bad), "{bad:?}: {}", got.body);
        }
        for tag in ["</title>", "</style>", "<h1", "</html>", "<main>"] {
            let (before, _) = got.body.split_once("<svg").unwrap_or((&got.body, ""));
            assert!(before.matches(tag).count() <= 1, "{tag}: {}", got.body);
        }
        assert!(got.body.contains("&lt;script&gt;alert(1)&lt;"), "{}", got.body);
    }
}

/// Whether all is well at that time, or what is late.
async fn health(site: &Site, clock: Clock) -> (u16, Vec<String>) {
    health_with(site, clock, |_| ()).await
}

async fn health_with(
    site: &Site,
    clock: Clock,
    change: impl FnOnce(&mut Config),
) -> (u16, Vec<String>) {
    site.change(clock, change);
    let got = site.look("/health").await;
    let said: Value = serde_json::from_str(&got.body).unwrap();
    assert_eq!(got.headers["content-type"], "application/json");
    assert_eq!(said["status"] == "ok", got.status == 200, "{said}");
    (got.status, serde_json::from_value(said["problems"].clone()).unwrap())
}

const MINUTE: i64 = 60;

#[tokio::test]
async fn health_fails_when_a_firing_is_a_quarter_of_an_hour_late_and_no_mail_arrives() {
    let site = Site::new().await;
    let day = "2026-11-18";
    assert_eq!(health(&site, later(day, 60 * MINUTE)).await, (200, vec![]), "it never looked");
    site.sql("INSERT INTO firings VALUES ('reminders', '2026-11-17T08:00:00')").await;
    assert_eq!(health(&site, later(day, -MINUTE)).await, (200, vec![]), "not yet");
    assert_eq!(health(&site, later(day, 14 * MINUTE)).await, (200, vec![]), "perhaps under way");
    let late = "the reminders of 2026-11-18T07:00:00Z have not gone out".to_owned();
    assert_eq!(health(&site, later(day, 15 * MINUTE)).await, (503, vec![late.clone()]));
    let next_day = later("2026-11-19", -MINUTE);
    assert_eq!(health(&site, next_day).await, (503, vec![late]));
    site.sql(&message(1, "nora", "accepted", "NULL")).await;
    site.sql("INSERT INTO attempts (message, attempt, at, state) VALUES (1, 1, '2026-11-18T07:10:00Z', 'accepted')").await;
    assert_eq!(health(&site, later(day, 20 * MINUTE)).await, (200, vec![]), "mails arrive");
    site.sql("UPDATE firings SET wall = '2026-11-18T08:00:00'").await;
    assert_eq!(health(&site, later(day, 60 * MINUTE)).await, (200, vec![]), "it has fired");
}

/// Statements for a message that is frozen at 08:00.
fn message(id: u32, to: &str, state: &str, next_at: &str) -> String {
    let accepted = if state == "accepted" { "'2026-11-18'" } else { "NULL" };
    format!(
        "INSERT INTO messages (id, purpose, day, sender, recipient, address_key, name, subject,
             message_id, state, frozen_at, next_at, accepted_on)
         VALUES ({id}, 'own', '2026-11-18', 's', '{to}', '{to}', '', '', 'm{id}', '{state}',
             '2026-11-18T07:00:00Z', {next_at}, {accepted})"
    )
}

#[tokio::test]
async fn health_fails_when_a_message_may_go_and_none_does() {
    let day = "2026-11-18";
    let late = "messages have been waiting to go since 2026-11-18T07:00:00Z";
    for (state, next_at, minutes, expected) in [
        ("ready", "NULL", 14, None),
        ("ready", "NULL", 15, Some(late)),
        ("open", "NULL", 15, Some(late)),
        ("body", "NULL", 15, Some(late)),
        ("unknown", "NULL", 15, Some(late)),
        ("deferred", "'2026-11-18T08:00:00Z'", 60, None),
        ("deferred", "'2026-11-18T07:00:00Z'", 15, Some(late)),
        ("held", "NULL", 600, None),
        ("rejected", "NULL", 600, None),
        ("accepted", "NULL", 600, None),
    ] {
        let site = Site::new().await;
        site.sql(&message(1, "nora", state, next_at)).await;
        let (_, problems) = health(&site, later(day, minutes * MINUTE)).await;
        assert_eq!(problems, Vec::from_iter(expected), "{state} {next_at} {minutes}");
    }
}

#[tokio::test]
async fn a_server_that_is_down_is_not_healthy_however_often_it_is_asked() {
    let site = Site::new().await;
    for id in 1..=2 {
        site.sql(&message(id, "nora", "ready", "NULL")).await;
    }
    site.sql(
        "UPDATE messages SET state = 'deferred', next_at = '2026-11-18T08:00:00Z' WHERE id = 1;
         INSERT INTO attempts (message, attempt, at, state) VALUES (1, 1, '2026-11-18T07:19:00Z', 'deferred')",
    )
    .await;
    let (status, problems) = health(&site, later("2026-11-18", 20 * MINUTE)).await;
    assert_eq!((status, problems.len()), (503, 1), "{problems:?}");
}

#[tokio::test]
async fn what_a_cap_holds_back_is_not_late() {
    let site = Site::new().await;
    let clock = || later("2026-11-18", 20 * MINUTE);
    site.sql(&message(1, "nora", "ready", "NULL")).await;
    for id in 2..=5 {
        site.sql(&message(id, "nora", "accepted", "NULL")).await;
    }
    assert_eq!(health(&site, clock()).await, (200, vec![]), "four a day are enough");
    site.sql(&message(6, "sune", "ready", "NULL")).await;
    assert_eq!(health(&site, clock()).await.0, 503, "sune had none");
    let accepted = "INSERT INTO attempts (message, attempt, at, state) VALUES (2, 1, '2026-11-18T07:01:00Z', 'accepted')";
    site.sql(accepted).await;
    let full = |config: &mut Config| config.delivery.per_hour_max = 1;
    assert_eq!(health_with(&site, clock(), full).await, (200, vec![]), "the hour is full");
    assert_eq!(health(&site, clock()).await.0, 503);
}

#[tokio::test]
async fn health_fails_while_a_restored_store_waits_for_an_answer() {
    let site = Site::new().await;
    site.sql("INSERT INTO meta VALUES ('restored_at', '2026-11-17T08:00:00.000Z')").await;
    let (status, problems) = health(&site, at("2026-11-18")).await;
    assert_eq!(status, 503);
    assert!(problems[0].contains("advis release --restored"), "{problems:?}");
    site.look("/").await.says(&["Noget ligger over", "17. november 2026 kl. 9.00"]);
}

#[tokio::test]
async fn a_store_that_cannot_be_read_is_not_healthy() {
    let site = Site::new().await;
    site.sql("DROP TABLE firings").await;
    site.change(at("2026-11-18"), |_| ());
    let got = site.look("/health").await;
    assert_eq!(got.status, 503);
    assert!(got.body.contains("\"unknown\"") && got.body.contains("firings"), "{}", got.body);
    assert_eq!(site.look("/metrics").await.status, 503);
    assert_eq!(site.look("/").await.status, 503);
}

#[tokio::test]
async fn the_figures_are_those_of_the_store() {
    let site = busy().await;
    site.change(at(DAY), |_| ());
    let got = site.look("/metrics").await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!((got.status, got.headers["content-type"].as_str()), (200, kind));
    assert!(got.body.ends_with("# EOF\n"), "{}", got.body);
    for line in [
        "advis_commitments{status=\"open\"} 4",
        "advis_commitments{status=\"needs_date\"} 1",
        "advis_commitments_overdue 2",
        "advis_messages_unsent{state=\"deferred\"} 1",
        "advis_next_firing_timestamp_seconds 1804489200",
        "advis_backlog 0",
        "# TYPE advis_attempts counter",
    ] {
        assert!(got.body.lines().any(|one| one == line), "{line}: {}", got.body);
    }
    let names_an_address = got.body.contains('@') || got.body.contains("NOR-");
    assert!(!names_an_address, "{}", got.body);
}

/// The lines of the page about what comes next.
async fn coming(site: &Site, change: impl FnOnce(&mut Config)) -> String {
    site.change(at(DAY), change);
    site.look("/next").await.text()
}

#[tokio::test]
async fn what_comes_next_follows_rules_that_no_pass_has_seen_yet() {
    let site = Site::new().await;
    site.promise("NOR-1", &["nora"]).await;
    site.renew(OLD_KEY, at("2027-03-04"));
    site.at_desk("2027-03-04", async |desk| drop(desk.post().await.unwrap())).await;
    let before = coming(&site, |_| ()).await;
    assert!(before.contains("Der er ikke noget at sende"), "{before}");
    // A day off moves nothing; a rule that was not there does.
    let rules = "ADVIS__RULES__STATUS__BEFORE";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("advis.toml");
    std::fs::write(&file, "").unwrap();
    let environment = vec![(rules.to_owned(), "[30, 23, 14, 3]".to_owned())];
    let other = advis::config::load(Some(&file), environment, DAY.parse().unwrap()).unwrap();
    let after = coming(&site, |config| config.rules = other.rules).await;
    assert!(after.contains("23 dage før fristen") && after.contains("1 mail om 1"), "{after}");
}

#[tokio::test]
async fn what_comes_next_is_what_the_forecast_of_the_whole_book_says() {
    let site = Site::new().await;
    let leaders = ["nora", "sune", "ellen", "ida", "kaj"];
    for number in 0..40 {
        let reference = format!("N-{number:02}");
        let responsible = [leaders[number % 5], leaders[(number + 2) % 5]];
        site.promise(&reference, &responsible[..1 + number % 2]).await;
        site.sql(&format!(
            "UPDATE windows SET opens = date('2026-11-20', '+{} days'), due = date('2026-11-20', '+{} days')
              WHERE commitment = '{reference}'",
            number * 3,
            number * 4
        ))
        .await;
    }
    let mut messages = 0;
    let days: NaiveDate = "2026-11-18".parse().unwrap();
    for day in days.iter_days().step_by(3).take(30) {
        let is_worked = day.ordinal() % 2 > 0;
        site.at_desk(&day.to_string(), async |desk| {
            // With what the last pass left in the agenda, and on the day of a pass before and after it.
            messages += next_by_both(&desk).await;
            if is_worked {
                desk.post().await.unwrap();
                messages += next_by_both(&desk).await;
            }
        })
        .await;
    }
    assert!(messages > 50, "only {messages} messages were compared");
}

/// How many messages go next, by the outlook and by the forecast alike.
async fn next_by_both(desk: &Desk<'_>) -> usize {
    let outlook = desk.outlook(usize::MAX).await.unwrap().unwrap();
    let facts = desk.facts(Which::Open).await.unwrap();
    let day = outlook.at.date();
    let (book, sent) = (facts.book, facts.sent);
    let forecast =
        planner::forecast(book, &facts.people, &facts.rules, sent, desk.today(), (day, day));
    let expected: Vec<_> = forecast.flat_map(|(_, messages)| messages).collect();
    assert_eq!(outlook.messages, expected, "{day} seen on {}", desk.today());
    let items = expected.iter().flat_map(|message| &message.items);
    let commitments: BTreeSet<&str> = items.map(|item| item.commitment.as_str()).collect();
    assert_eq!((outlook.count, outlook.commitments), (expected.len(), commitments.len()), "{day}");
    let first = desk.outlook(2).await.unwrap().unwrap();
    assert_eq!(first.messages, expected[..expected.len().min(2)], "{day}");
    assert_eq!((first.count, first.commitments), (outlook.count, outlook.commitments), "{day}");
    expected.len()
}
