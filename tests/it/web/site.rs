//! A site of its own for every test: a store, the pages on a port of this machine, and a small browser.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use advis::clock::Clock;
use advis::config::{self, Config};
use advis::delivery::pass::Desk;
use advis::domain::zone::Zone;
use advis::link::{Claims, Keys, Purpose};
use advis::mail::compose::Templates;
use advis::store::Store;
use advis::web::{self, Limits, Pace, Pages, Settings};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A Wednesday, 08:00 in Copenhagen.
pub(super) const TODAY: &str = "2026-11-18";

pub(super) const OLD_KEY: &str = "2026 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(super) const NEW_KEY: &str = "2027 ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

/// Where the pages say that they are.
pub(super) const ORIGIN: &str = "https://advis.kommune.example";

/// Nora and Sune answer to Vera; Ellen reads English; Ida is away and Sune stands in for her; Kaj has left.
const LEADERS: &str = "
    INSERT INTO leaders (reference, name, email, role, unit, language, manager, deputy, active_to, absent_from, absent_to) VALUES
        ('vera', 'Vera Vest', 'vera@kommune.example', 'Direktør', '', NULL, NULL, NULL, NULL, NULL, NULL),
        ('nora', 'Nora Nord', 'nora@kommune.example', 'Centerchef', 'Center Nord', NULL, 'vera', NULL, NULL, NULL, NULL),
        ('sune', 'Sune Syd', 'sune@kommune.example', 'Centerchef', 'Center Syd', NULL, 'vera', NULL, NULL, NULL, NULL),
        ('ellen', 'Ellen East', 'ellen@kommune.example', 'Head of Centre', '', 'en', 'vera', NULL, NULL, NULL, NULL),
        ('ida', 'Ida Lund', 'ida@kommune.example', '', '', NULL, 'vera', 'sune', NULL, '2026-11-01', '2026-12-31'),
        ('kaj', 'Kaj Dam', 'kaj@kommune.example', '', '', NULL, 'vera', NULL, '2026-10-31', NULL, NULL);";

pub(super) struct Site {
    pub(super) folder: TempDir,
    pub(super) store: Arc<Store>,
    pub(super) pages: Arc<Pages>,
    pub(super) address: SocketAddr,
    /// Where the operator's page is.
    pub(super) operator: SocketAddr,
}

/// What a browser got.
#[derive(Debug, Clone)]
pub(super) struct Got {
    pub(super) status: u16,
    /// Names in small letters.
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

impl Site {
    pub(super) async fn new() -> Self {
        let plenty = Pace { burst: 1e6, per_second: 1e3 };
        Self::with(Limits { link: plenty, peer: plenty, ..Limits::default() }).await
    }

    pub(super) async fn with(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = read_config(&folder, OLD_KEY);
        let store = Arc::new(Store::open(&config.store.path).await.unwrap());
        let listener = web::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let pages = Pages::new(Arc::clone(&store), settings(config, at(TODAY)), limits);
        tokio::spawn(Arc::clone(&pages).serve(listener, std::future::pending()));
        let listener = web::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let operator = listener.local_addr().unwrap();
        tokio::spawn(Arc::clone(&pages).serve_operator(listener, std::future::pending()));
        let site = Self { folder, store, pages, address, operator };
        site.sql(LEADERS).await;
        site
    }

    /// Goes on with these keys, at that time.
    pub(super) fn renew(&self, keys: &str, clock: Clock) {
        self.pages.renew(settings(read_config(&self.folder, keys), clock));
    }

    /// Goes on with a changed config, at that time.
    pub(super) fn change(&self, clock: Clock, change: impl FnOnce(&mut Config)) {
        let mut config = read_config(&self.folder, OLD_KEY);
        change(&mut config);
        self.pages.renew(settings(config, clock));
    }

    /// Opens one of the operator's pages.
    pub(super) async fn look(&self, path: &str) -> Got {
        exchange(self.operator, "localhost", "GET", path, &[], "").await
    }

    /// Another day, 08:00.
    pub(super) fn on(&self, day: &str) {
        self.renew(OLD_KEY, at(day));
    }

    /// A commitment that these leaders answer for, with a source and a phrase, due at the end of March.
    pub(super) async fn promise(&self, reference: &str, responsible: &[&str]) {
        self.promise_as(reference, "Status på dagcentrene", "status", responsible).await;
    }

    pub(super) async fn promise_as(
        &self,
        reference: &str,
        title: &str,
        kind: &str,
        responsible: &[&str],
    ) {
        let mut connection = self.connect().await;
        sqlx::query(
            "INSERT INTO commitments (reference, title, kind, phrase, document, document_date, section,
                 quote, adopted_on)
             VALUES ($1, $2, $3, 'ultimo marts 2027', 'Indstilling om dagcentre', '2026-10-01',
                 'Opfølgning', 'Der gives en status ultimo marts 2027.', '2026-11-01')",
        )
        .bind(reference)
        .bind(title)
        .bind(kind)
        .execute(&mut connection)
        .await
        .unwrap();
        for (position, leader) in (1_i64..).zip(responsible) {
            sqlx::query(
                "INSERT INTO responsibilities (commitment, leader, position) VALUES ($1, $2, $3)",
            )
            .bind(reference)
            .bind(leader)
            .bind(position)
            .execute(&mut connection)
            .await
            .unwrap();
        }
        connection.close().await.unwrap();
        self.read_new().await;
    }

    /// Has Advis read what was written.
    pub(super) async fn read_new(&self) {
        self.at_desk(TODAY, async |desk| drop(desk.read_new().await.unwrap())).await;
    }

    /// Does what is done at the desk on a day.
    pub(super) async fn at_desk(&self, day: &str, work: impl AsyncFnOnce(Desk<'_>)) {
        let config = read_config(&self.folder, OLD_KEY);
        let (clock, templates) = (at(day), Templates::built_in());
        work(Desk {
            store: &self.store,
            config: &config,
            clock: &clock,
            templates: &templates,
            rehearsal: true,
        })
        .await;
    }

    /// A token for a commitment and a person, in a mail of today.
    pub(super) fn token(&self, commitment: &str, person: &str) -> String {
        sign(OLD_KEY, commitment, person, Purpose::Task, "2027-02-16T00:00:00Z")
    }

    /// The page of a task, and what its links are relative to.
    pub(super) fn link(&self, commitment: &str, person: &str) -> String {
        format!("/t/{}", self.token(commitment, person))
    }

    pub(super) async fn get(&self, path: &str) -> Got {
        self.request("GET", path, &[], "").await
    }

    /// Fetches a form and posts it with these fields, as a browser would; answers with the page that follows.
    pub(super) async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Got {
        let page = self.get(path).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let posted = self.post(path, &body(&page, fields)).await;
        self.follow(posted).await
    }

    /// Posts from one of our own pages.
    pub(super) async fn post(&self, path: &str, body: &str) -> Got {
        let headers = [("origin", "null"), ("sec-fetch-site", "same-origin")];
        self.request("POST", path, &headers, body).await
    }

    /// The page that an answer leads to.
    pub(super) async fn follow(&self, got: Got) -> Got {
        match got.headers.get("location") {
            Some(path) if got.status == 303 => self.get(path).await,
            _ => got,
        }
    }

    pub(super) async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Got {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let headers = [headers, if method == "POST" { &form[..] } else { &[] }].concat();
        exchange(self.address, "advis.kommune.example", method, path, &headers, body).await
    }

    pub(super) async fn sql(&self, sql: &str) {
        let mut connection = self.connect().await;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    pub(super) async fn strings(&self, sql: &'static str) -> Vec<String> {
        let mut connection = self.connect().await;
        sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap()
    }

    /// Every notice in the outbox as `nora A done`, in its order.
    pub(super) async fn notices(&self) -> Vec<String> {
        self.strings(
            "SELECT substr(recipient, 1, instr(recipient, '@') - 1) || ' ' || (
                 SELECT group_concat(value ->> 0 || ' ' || (value ->> 1), ', ') FROM json_each(items))
               FROM messages WHERE purpose = 'notice' ORDER BY id",
        )
        .await
    }

    /// Who did what, without what the import and the passes did.
    pub(super) async fn events(&self) -> Vec<String> {
        self.strings("SELECT who || ' ' || what FROM events WHERE who <> 'advis' ORDER BY id").await
    }

    pub(super) async fn status(&self, reference: &str) -> String {
        let mut connection = self.connect().await;
        sqlx::query_scalar("SELECT status FROM commitments WHERE reference = $1")
            .bind(reference)
            .fetch_one(&mut connection)
            .await
            .unwrap()
    }

    /// Every row of every table.
    pub(super) async fn dump(&self) -> String {
        let mut connection = self.connect().await;
        let tables: Vec<String> =
            sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
                .fetch_all(&mut connection)
                .await
                .unwrap();
        let mut dump = String::new();
        for table in tables {
            let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info($1)")
                .bind(&table)
                .fetch_all(&mut connection)
                .await
                .unwrap();
            let columns: Vec<String> =
                columns.iter().map(|column| format!("quote(\"{column}\")")).collect();
            let sql = format!("SELECT {} FROM \"{table}\" ORDER BY 1", columns.join(" || ',' || "));
            let rows: Vec<String> =
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
            writeln!(dump, "{table}\n{}", rows.join("\n")).unwrap();
        }
        dump
    }

    async fn connect(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.store.path()).foreign_keys(true);
        options.connect().await.unwrap()
    }
}

/// One request and its answer.
pub(super) async fn exchange(
    address: SocketAddr,
    host: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Got {
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers {
        write!(request, "{name}: {value}\r\n").unwrap();
    }
    if method == "POST" {
        write!(request, "content-length: {}\r\n", body.len()).unwrap();
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("{request}\r\n{body}").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // Not every server closes when it is asked to.
    while !is_whole(&answer) && stream.read_buf(&mut answer).await.unwrap() > 0 {}
    Got::read(&answer)
}

/// Whether as much of an answer is there as its head announces.
fn is_whole(answer: &[u8]) -> bool {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let announced = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    announced.is_some_and(|length| answer.len() - end - 4 >= length.trim().parse().unwrap())
}

impl Got {
    fn read(answer: &[u8]) -> Self {
        let text = String::from_utf8(answer.to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let pairs = lines.filter_map(|line| line.split_once(": "));
        let headers = pairs.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        Self {
            status: status.unwrap_or_else(|| panic!("no answer: {text:?}")),
            headers,
            body: body.to_owned(),
        }
    }

    /// The text as it is read, without tags and with plain blanks.
    pub(super) fn text(&self) -> String {
        let start = self.body.find("<body").unwrap_or_default();
        let mut text = String::new();
        let mut is_tag = false;
        for c in self.body[start..].chars() {
            match c {
                '<' => is_tag = true,
                '>' => is_tag = false,
                '\u{a0}' => text.push(' '),
                c if !is_tag => text.push(c),
                _ => {}
            }
        }
        let text = text.replace("&#x27;", "'").replace("&amp;", "&");
        text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    }

    #[track_caller]
    pub(super) fn says(&self, words: &[&str]) -> &Self {
        let text = self.text();
        for word in words {
            assert!(text.contains(word), "{word:?} is not in: {text}");
        }
        self
    }

    /// The value of the hidden field of the form that posts there.
    #[track_caller]
    pub(super) fn form_for(&self, act: &str) -> String {
        let (_, rest) = self.body.split_once(&format!("/{act}\">")).expect("a form");
        rest.split_once("name=\"form\" value=\"")
            .and_then(|(_, rest)| rest.split_once('"'))
            .expect("a token")
            .0
            .to_owned()
    }
}

/// What a browser posts: the hidden field of the page's form, and these.
pub(super) fn body(page: &Got, fields: &[(&str, &str)]) -> String {
    let hidden =
        page.body.split_once("name=\"form\" value=\"").and_then(|(_, rest)| rest.split_once('"'));
    encode(hidden.map_or("", |(token, _)| token), fields)
}

pub(super) fn encode(form: &str, fields: &[(&str, &str)]) -> String {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.append_pair("form", form).extend_pairs(fields);
    body.finish()
}

/// A token of that key.
pub(super) fn sign(
    key: &str,
    commitment: &str,
    person: &str,
    purpose: Purpose,
    expires: &str,
) -> String {
    let keys = Keys::parse(key).unwrap();
    keys.sign(&Claims {
        purpose,
        commitment: commitment.to_owned(),
        person: person.to_owned(),
        expires: expires.parse().unwrap(),
        stand: String::new(),
    })
}

pub(super) fn at(day: &str) -> Clock {
    Clock::on(day.parse().unwrap(), Zone::COPENHAGEN)
}

/// So many seconds after 08:00 of that day.
pub(super) fn later(day: &str, seconds: i64) -> Clock {
    let now: DateTime<Utc> = at(day).now();
    Clock::Fixed(now + TimeDelta::seconds(seconds), Zone::COPENHAGEN)
}

fn settings(config: Config, clock: Clock) -> Settings {
    Settings { config, templates: Templates::built_in(), clock }
}

pub(super) fn read_config(folder: &TempDir, keys: &str) -> Config {
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("keys"), keys).unwrap();
    let text = format!(
        "[store]\npath = {:?}\n[mail]\nfrom = \"Advis <advis@kommune.example>\"\n\
         secretariat = \"Sekretariatet <sek@kommune.example>\"\nfile_dir = {:?}\n\
         [web]\npublic_url = {ORIGIN:?}\nkey_file = {:?}\n",
        path("advis.db"),
        path("mail"),
        path("keys"),
    );
    fs::write(path("advis.toml"), text).unwrap();
    let file = folder.path().join("advis.toml");
    config::load(Some(&file), Vec::new(), TODAY.parse().unwrap()).unwrap()
}
