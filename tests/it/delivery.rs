//! From a planned reminder to the log: store, engine and transports together.

mod crash;
mod logins;
mod moves;
mod operator;
mod outbox;
mod passes;
mod servers;
mod storms;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;

use advis::clock::Clock;
use advis::delivery::engine::{Lane, Limits, Outbox, Tally, drain};
use advis::delivery::state::{OnUnknown, Retry, State};
use advis::domain::reminder::{Reminder, ReminderKey};
use advis::domain::rule::Step;
use advis::domain::window::Window;
use advis::domain::zone::Zone;
use advis::mail::transport::smtp::{SmtpSettings, SmtpTransport, Tls};
use advis::mail::transport::{FileTransport, Transport};
use advis::store::Store;
use advis::store::outbox::{Frozen, LogRow, Purpose};
use chrono::{NaiveDate, TimeDelta};
use sqlx::{Connection, SqlSafeStr, SqliteConnection};
use tempfile::TempDir;

use crate::smtp_server::{Script, SmtpServer};

const RETRY: Retry = Retry { give_up_after_days: 5, on_unknown: OnUnknown::ResendOnce };
const NO_LIMITS: Limits = Limits { rate_per_minute: 0, per_person_per_day_max: 0, per_hour_max: 0 };

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn today() -> NaiveDate {
    day("2020-01-02")
}

/// 08:00 in Copenhagen on the day of the tests.
fn clock() -> Clock {
    Clock::on(today(), Zone::COPENHAGEN)
}

fn later(minutes: i64) -> Clock {
    Clock::Fixed(clock().now() + TimeDelta::minutes(minutes), Zone::COPENHAGEN)
}

/// A store in a folder of its own, with the leaders l1 to l9 and the commitments C-1 to C-9: each due on 2020-01-31,
/// each of one leader.
struct Post {
    dir: TempDir,
    store: Store,
}

impl Post {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("advis.db")).await.unwrap();
        let post = Self { dir, store };
        post.sql(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 9)
             INSERT INTO leaders (reference, name, email)
             SELECT 'l' || n, 'Leder ' || n, 'l' || n || '@kommune.example' FROM n;
             INSERT INTO commitments (reference, title) SELECT 'C-' || substr(reference, 2), 'Et løfte' FROM leaders;
             INSERT INTO windows (commitment, opens, due)
             SELECT reference, '2020-01-01', '2020-01-31' FROM commitments;
             INSERT INTO responsibilities (commitment, leader)
             SELECT reference, 'l' || substr(reference, 3) FROM commitments;
             UPDATE agenda SET look_on = '2020-01-02'",
        )
        .await;
        post
    }

    /// The same store after the process died.
    async fn reborn(self) -> Self {
        let Self { dir, store } = self;
        drop(store);
        let store = Store::open(&dir.path().join("advis.db")).await.unwrap();
        Self { dir, store }
    }

    /// Another program beside ours.
    async fn sql(&self, statements: impl SqlSafeStr) {
        let mut connection = self.connect().await;
        sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn connect(&self) -> SqliteConnection {
        let url = format!("sqlite://{}", self.store.path().display());
        SqliteConnection::connect(&url).await.unwrap()
    }

    async fn strings(&self, query: &'static str) -> Vec<String> {
        let mut connection = self.connect().await;
        let rows = sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        rows
    }

    /// Commitments that the planner looks at next on `day`.
    async fn looks_on(&self, day: &'static str) -> Vec<String> {
        let looks =
            self.strings("SELECT commitment || ' ' || coalesce(look_on, 'now') FROM agenda");
        let looks = looks.await.into_iter();
        looks.filter_map(|look| look.strip_suffix(day).map(|one| one.trim().to_owned())).collect()
    }

    /// The states of all messages, by number.
    async fn states(&self) -> Vec<String> {
        self.strings("SELECT state FROM messages ORDER BY id").await
    }

    /// How many messages are in each state.
    async fn tally(&self) -> BTreeMap<String, usize> {
        let mut tally = BTreeMap::new();
        for state in self.states().await {
            *tally.entry(state).or_default() += 1;
        }
        tally
    }

    /// Every reminder as `C-1 before:30 attached`.
    async fn reminders(&self) -> Vec<String> {
        self.strings(
            "SELECT commitment || ' ' || step || ' ' || state FROM reminders ORDER BY commitment, planned_on",
        )
        .await
    }

    /// Plans one reminder of each of these commitments and freezes each into a message of its own.
    async fn ready(&self, numbers: impl IntoIterator<Item = u32>) {
        let reminders: Vec<_> =
            numbers.into_iter().map(|number| reminder(number, Step::Before(30))).collect();
        self.store.plan(&reminders, &[], clock().now()).await.unwrap();
        let messages: Vec<_> =
            reminders.iter().map(|reminder| frozen(std::slice::from_ref(&reminder.key))).collect();
        assert_eq!(self.store.freeze(&messages, clock().now()).await.unwrap(), messages.len());
    }

    /// Freezes `count` notices, which carry no reminders, to as many people.
    async fn notices(&self, count: usize) {
        let notices: Vec<_> =
            (0..count).map(|n| notice(n, &format!("n{n}@kommune.example"))).collect();
        assert_eq!(self.store.freeze(&notices, clock().now()).await.unwrap(), count);
    }

    async fn outbox(&self, clock: &Clock) -> Outbox<'_> {
        Outbox::begin(&self.store, RETRY, NO_LIMITS, clock).await.unwrap()
    }

    fn files(&self) -> Transport {
        Transport::File(FileTransport { dir: self.mail_dir() })
    }

    fn mail_dir(&self) -> PathBuf {
        self.dir.path().join("mail")
    }

    /// A whole life of a sender: it begins, makes one pass, and ends.
    async fn send(&self, transport: &Transport, clock: &Clock) -> Tally {
        let outbox = self.outbox(clock).await;
        drain(&outbox, &mut lanes(transport, 2), clock).await.unwrap()
    }

    async fn log(&self) -> Vec<LogRow> {
        self.store.log(None).await.unwrap()
    }

    /// The last state in the log, and the last state of the only message.
    async fn outcome(&self) -> State {
        let log = self.log().await;
        let last = log.last().unwrap();
        assert_eq!(self.states().await, [last.state.name()]);
        last.state
    }
}

fn reminder(number: u32, step: Step) -> Reminder {
    let key = ReminderKey {
        commitment: format!("C-{number}"),
        revision: 1,
        window: 1,
        step,
        leader: format!("l{number}"),
    };
    let on = match step {
        Step::Before(days) => day("2020-01-31") - TimeDelta::days(i64::from(days)),
        _ => day("2020-01-31"),
    };
    let span = Window::span(day("2020-01-01"), day("2020-01-31"));
    let reader = format!("l{number}@kommune.example");
    Reminder { key, span, planned_on: on, moved_on: on, reader }
}

/// A message with these reminders, to the leader of the first.
fn frozen(reminders: &[ReminderKey]) -> Frozen {
    let id: Vec<_> =
        reminders.iter().map(|key| format!("{}-{}", key.commitment, key.step)).collect();
    let id = id.join("-").replace(':', "_");
    let leader = &reminders[0].leader;
    let mime = mime(&id, leader);
    Frozen {
        purpose: Purpose::Own,
        day: today(),
        sender: "advis@kommune.example".parse().unwrap(),
        recipient: format!("{leader}@kommune.example").parse().unwrap(),
        name: leader.clone(),
        subject: "Husk".to_owned(),
        message_id: format!("<{id}.advis@kommune.example>"),
        sha256: "0".repeat(64),
        mime,
        items: reminders.iter().map(|key| (key.commitment.clone(), key.step.to_string())).collect(),
        reminders: reminders.to_vec(),
        book_version: None,
        rehearsal: true,
    }
}

fn notice(number: usize, to: &str) -> Frozen {
    let id = format!("notice-{number}");
    Frozen {
        purpose: Purpose::Notice,
        recipient: to.parse().unwrap(),
        message_id: format!("<{id}.advis@kommune.example>"),
        mime: mime(&id, to),
        items: Vec::new(),
        reminders: Vec::new(),
        ..frozen(&[reminder(1, Step::Due).key])
    }
}

fn mime(id: &str, to: &str) -> Vec<u8> {
    format!(
        "Date: Thu, 02 Jan 2020 08:00:00 +0100\r\nMessage-ID: <{id}.advis@kommune.example>\r\n\r\nKære {to}\r\n.\r\n..\r\n"
    )
    .into_bytes()
}

fn lanes(transport: &Transport, count: usize) -> Vec<Lane> {
    (0..count).map(|_| Lane::new(transport)).collect()
}

fn smtp(settings: SmtpSettings) -> Transport {
    Transport::Smtp(SmtpTransport::new(settings).unwrap())
}

fn server(script: Script) -> (SmtpServer, Transport) {
    let server = SmtpServer::start(script);
    let transport = smtp(server.settings());
    (server, transport)
}

/// A server that agrees to everything.
fn willing() -> (SmtpServer, Transport) {
    server(Script::new(Tls::None))
}

/// A transport to a port where nobody listens.
fn nobody() -> Transport {
    let settings = willing().0.settings();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    smtp(SmtpSettings { port: free, ..settings })
}

/// The Message-IDs that the server took, in order.
fn taken(server: &SmtpServer) -> Vec<String> {
    let taken = server.ledger().into_iter().filter(|received| received.taken);
    let mut ids: Vec<_> = taken.map(|received| received.message_id).collect();
    ids.sort();
    ids
}
