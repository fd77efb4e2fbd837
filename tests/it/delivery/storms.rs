//! Clocks that jump, machines that sleep, configs that change: nobody gets a storm of mail, and nothing is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use advis::clock::Clock;
use advis::config::{self, Config};
use advis::delivery::firings::Firings;
use advis::delivery::pass::Desk;
use advis::delivery::shift::Shift;
use advis::domain::rule::{Ladder, Step};
use advis::domain::zone::Zone;
use advis::mail::compose::Templates;
use advis::schedule::Schedule;
use advis::store::Store;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tempfile::TempDir;

const PER_PERSON: usize = 3;
const PER_HOUR: usize = 6;

/// Two chiefs under a director, and five leaders under the chiefs.
const LEADERS: &str = "
    INSERT INTO leaders (reference, name, email, manager) VALUES
        ('dir', 'Dorte Dal', 'dir@kommune.example', NULL),
        ('chef1', 'Carl Eng', 'chef1@kommune.example', 'dir'),
        ('chef2', 'Clara Eg', 'chef2@kommune.example', 'dir'),
        ('l0', 'Leder 0', 'l0@kommune.example', 'chef1'),
        ('l1', 'Leder 1', 'l1@kommune.example', 'chef1'),
        ('l2', 'Leder 2', 'l2@kommune.example', 'chef1'),
        ('l3', 'Leder 3', 'l3@kommune.example', 'chef2'),
        ('l4', 'Leder 4', 'l4@kommune.example', 'chef2');";

const DAY_OF_ENTRY: &str = "2026-10-01";
const COMMITMENTS: i64 = 30;

/// Wall time in Copenhagen.
fn at(wall: &str) -> DateTime<Utc> {
    Schedule::resolve(wall.parse().unwrap(), Zone::COPENHAGEN)
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// Looks at the clock on each day from `from` to `to`, as often as matters.
fn days(from: &str, to: &str) -> Vec<DateTime<Utc>> {
    let days = day(from).iter_days().take_while(|one| *one <= day(to));
    days.flat_map(|day| {
        ["07:00:00", "08:00:00", "10:00:00"].map(|time| at(&format!("{day}T{time}")))
    })
    .collect()
}

/// What a message accepted says of what, to whom.
struct Mail {
    ladder: Option<Ladder>,
    to: String,
    accepted_on: String,
    items: Vec<(String, Step)>,
}

struct World {
    folder: TempDir,
    store: Store,
    config: Config,
    templates: Templates,
}

impl World {
    /// A book of commitments due from 20 September to 13 January, some of them overdue when they came.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("advis.db")).await.unwrap();
        let config = load(&folder, "");
        let world = Self { folder, store, config, templates: Templates::built_in() };
        let mut sql = LEADERS.to_owned();
        for number in 0..COMMITMENTS {
            let due = day("2026-09-20") + TimeDelta::days(number * 4);
            let opens = due - TimeDelta::days(if number % 3 == 0 { 20 } else { 0 });
            let kind = if number % 5 == 0 { "status" } else { "decision" };
            write!(
                sql,
                "INSERT INTO commitments (reference, title, kind, adopted_on, written_on)
                     VALUES ('C-{number}', 'Løfte {number}', '{kind}', '2026-06-01', '{DAY_OF_ENTRY}');
                 INSERT INTO windows (commitment, opens, due) VALUES ('C-{number}', '{opens}', '{due}');
                 INSERT INTO responsibilities (commitment, leader) VALUES ('C-{number}', 'l{}');",
                number % 5
            )
            .unwrap();
            if number % 4 == 0 {
                let other = (number + 2) % 5;
                write!(sql, "INSERT INTO responsibilities (commitment, leader, position) VALUES ('C-{number}', 'l{other}', 2);").unwrap();
            }
        }
        world.sql(&sql).await;
        let entry = Clock::on(day(DAY_OF_ENTRY), Zone::COPENHAGEN);
        world.desk(&entry).read_new().await.unwrap();
        world
    }

    /// A copy that goes its own way.
    async fn fork(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("advis.db");
        self.sql(&format!("VACUUM INTO '{}'", copy.display())).await;
        let store = Store::open(&copy).await.unwrap();
        let config = load(&folder, "");
        Self { folder, store, config, templates: Templates::built_in() }
    }

    /// The same after these looks at the clock.
    async fn after(instants: Vec<DateTime<Utc>>) -> Self {
        let world = Self::new().await;
        world.live(instants).await;
        world
    }

    fn desk<'w>(&'w self, clock: &'w Clock) -> Desk<'w> {
        let (store, config, templates) = (&self.store, &self.config, &self.templates);
        Desk { store, config, clock, templates, rehearsal: true }
    }

    /// A worker that looks at the clock at each of these instants.
    async fn live(&self, instants: impl IntoIterator<Item = DateTime<Utc>>) {
        let clocks: Vec<Clock> =
            instants.into_iter().map(|now| Clock::Fixed(now, Zone::COPENHAGEN)).collect();
        let lock = self.store.lock_sender().unwrap();
        let mut shift = Shift::begin(&self.desk(&clocks[0]), &lock).await.unwrap();
        for clock in &clocks {
            let desk = self.desk(clock);
            let firings = Firings::due(&desk).await.unwrap();
            firings.post_report(&desk).await.unwrap();
            shift.pass(&desk, firings.plans(&desk)).await.unwrap();
            firings.record(&desk).await.unwrap();
        }
    }

    /// Another process on the same store.
    async fn reborn(self) -> Self {
        let Self { folder, store, config, templates } = self;
        drop(store);
        let store = Store::open(&folder.path().join("advis.db")).await.unwrap();
        Self { folder, store, config, templates }
    }

    /// The worker reads another config.
    fn reconfigure(&mut self, settings: &str) {
        self.config = load(&self.folder, settings);
    }

    async fn sql(&self, sql: &str) {
        let options = SqliteConnectOptions::new().filename(self.store.path()).foreign_keys(true);
        let mut connection = options.connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Everything that was accepted.
    async fn mails(&self) -> Vec<Mail> {
        let options = SqliteConnectOptions::new().filename(self.store.path());
        let mut connection = options.connect().await.unwrap();
        let rows: Vec<(String, String, String, String)> = sqlx::query_as(
            "SELECT purpose, address_key, substr(at, 1, 10), items FROM messages AS m
             JOIN attempts AS a ON a.message = m.id AND a.state = 'accepted' ORDER BY m.id",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        let mail = |(purpose, to, accepted_on, items): (String, _, _, String)| {
            let items: Vec<(String, String)> = serde_json::from_str(&items).unwrap();
            let ladder = match purpose.as_str() {
                "own" => Some(Ladder::Own),
                "escalation" => Some(Ladder::Escalation),
                _ => None,
            };
            let items = items.into_iter().filter_map(|(one, step)| Some((one, step.parse().ok()?)));
            Mail { ladder, to, accepted_on, items: items.collect() }
        };
        rows.into_iter().map(mail).collect()
    }

    /// No storm, and on the last day nothing waits and nothing is due.
    async fn check(&self, name: &str, last: &str) {
        let mails = self.mails().await;
        let (mut days, mut steps) = (BTreeSet::new(), BTreeSet::new());
        let mut people: BTreeMap<_, usize> = BTreeMap::new();
        for mail in &mails {
            *people.entry((&mail.to, &mail.accepted_on)).or_default() += 1;
            let Some(ladder) = mail.ladder else { continue };
            let to_whom = format!("{ladder:?} {} {}", mail.to, mail.accepted_on);
            assert!(days.insert(to_whom.clone()), "{name}: two messages: {to_whom}");
            for (commitment, step) in &mail.items {
                let item = format!("{} {commitment} {step}", mail.to);
                assert!(steps.insert(item.clone()), "{name}: twice: {item}");
            }
        }
        for (whom, count) in people {
            assert!(count <= PER_PERSON, "{name}: {count} messages: {whom:?}");
        }
        let log = self.store.log(None).await.unwrap();
        let mut times: Vec<_> = log.iter().map(|row| row.at).collect();
        times.sort();
        for hour in times.windows(PER_HOUR + 1) {
            let span = hour[PER_HOUR] - hour[0];
            assert!(span >= TimeDelta::hours(1), "{name}: too many from {} on", hour[0]);
        }
        let clock = Clock::Fixed(at(&format!("{last}T23:00:00")), Zone::COPENHAGEN);
        assert_eq!(self.desk(&clock).rehearse().await.unwrap(), [], "{name}: due and not sent");
        let counts = self.store.waiting(0, 99, clock.now(), clock.today()).await.unwrap();
        assert_eq!(counts, [], "{name}: frozen and not sent");
    }

    /// How far everyone has heard of everything.
    async fn heard(&self) -> BTreeMap<(String, String, bool), (u8, i64)> {
        let mut heard = BTreeMap::new();
        for mail in self.mails().await {
            for (commitment, step) in mail.items {
                let place = match step {
                    Step::Before(days) => (0, -i64::from(days)),
                    Step::Opens => (1, 0),
                    Step::Due => (2, 0),
                    Step::Overdue(number) | Step::Escalate(number) => (3, i64::from(number)),
                };
                let is_escalation = step.ladder() == Ladder::Escalation;
                let key = (mail.to.clone(), commitment, is_escalation);
                let last = heard.entry(key).or_insert(place);
                *last = place.max(*last);
            }
        }
        heard
    }

    /// Everybody has heard of everything that they would have heard of on ordinary days, or of more.
    async fn check_nothing_is_lost(&self, name: &str, ordinary: &Self) {
        let heard = self.heard().await;
        for (what, place) in ordinary.heard().await {
            let got = heard.get(&what);
            assert!(got >= Some(&place), "{name}: {what:?} should be at {place:?}, is at {got:?}");
        }
    }
}

fn load(folder: &TempDir, settings: &str) -> Config {
    let path = |name: &str| folder.path().join(name).display().to_string();
    let base = format!(
        "[store]\npath = {:?}\n[mail]\nfrom = \"Advis <advis@kommune.example>\"\n\
         secretariat = \"Sekretariatet <sek@kommune.example>\"\nfile_dir = {:?}\n\
         [delivery]\nper_person_per_day_max = {PER_PERSON}\nper_hour_max = {PER_HOUR}\n{settings}",
        path("advis.db"),
        path("mail"),
    );
    let file = folder.path().join("advis.toml");
    std::fs::write(&file, base).unwrap();
    config::load(Some(&file), Vec::new(), day(DAY_OF_ENTRY)).unwrap()
}

const FIRST: &str = "2026-11-02";
const LAST: &str = "2026-12-11";

/// Ordinary days from a wall time on, until the last.
fn ordinary_from(wall: &str) -> Vec<DateTime<Utc>> {
    days(FIRST, LAST).into_iter().filter(|now| *now >= at(wall)).collect()
}

/// Ordinary days until a wall time.
fn ordinary_until(wall: &str) -> Vec<DateTime<Utc>> {
    days(FIRST, LAST).into_iter().filter(|now| *now < at(wall)).collect()
}

#[tokio::test]
async fn a_clock_that_jumps_or_sleeps_makes_no_storm_and_loses_nothing() {
    let tuesday = "2026-11-17T09:00:00";
    let start = World::after(ordinary_until(tuesday)).await;
    let ordinary = start.fork().await;
    ordinary.live(ordinary_from(tuesday)).await;
    ordinary.check("ordinary days", LAST).await;
    assert!(ordinary.heard().await.len() > 40);
    for (name, interlude, from) in [
        ("a day forward and back", &["2026-11-18T09:00:00", "2026-11-18T09:01:00"][..], tuesday),
        ("a day forward for a day", &["2026-11-18T09:00:00", "2026-11-19T08:00:00"], tuesday),
        ("an hour back", &["2026-11-17T07:30:00", "2026-11-17T08:00:00"], tuesday),
        ("a day back", &["2026-11-16T07:30:00", "2026-11-16T08:00:00"], tuesday),
        (
            "1970 and back",
            &["1970-01-02T07:30:00", "1970-01-02T08:00:00", "1970-01-05T08:00:00"],
            tuesday,
        ),
        (
            "five years ahead",
            &["2031-11-18T09:00:00", "2031-11-18T10:01:00", "2031-11-19T08:00:00"],
            tuesday,
        ),
        ("asleep for three days", &[], "2026-11-20T09:17:00"),
        ("asleep over a weekend", &["2026-11-21T03:00:00"], "2026-11-23T06:00:00"),
    ] {
        let world = start.fork().await;
        world.live(interlude.iter().map(|wall| at(wall)).chain(ordinary_from(from))).await;
        world.check(name, LAST).await;
        world.check_nothing_is_lost(name, &ordinary).await;
    }
}

/// From 1 December on, when and of what somebody hears about the recurrence.
async fn monthly(world: &World) -> Vec<(String, Vec<(String, Step)>)> {
    let mut mails = world.mails().await;
    mails.retain(|mail| {
        mail.to == "l0@kommune.example" && mail.accepted_on.as_str() >= "2026-12-01"
    });
    let about = |mail: Mail| {
        let items = mail.items.into_iter().filter(|(commitment, _)| commitment == "R-1");
        (mail.accepted_on, items.collect())
    };
    mails.into_iter().map(about).filter(|(_, items): &(_, Vec<_>)| !items.is_empty()).collect()
}

#[tokio::test]
async fn a_recurrence_goes_on_when_a_clock_that_was_years_ahead_is_set_back() {
    let start = World::new().await;
    start
        .sql(
            "INSERT INTO commitments (reference, title, kind, phrase, adopted_on, written_on)
                 VALUES ('R-1', 'Månedligt', 'decision', 'ultimo hver måned', '2026-06-01', '2026-10-01');
             INSERT INTO responsibilities (commitment, leader) VALUES ('R-1', 'l0');",
        )
        .await;
    start.live(ordinary_until("2026-11-17T09:00:00")).await;
    let ordinary = start.fork().await;
    ordinary.live(days("2026-11-18", "2027-03-31")).await;
    start.live(days("2031-11-18", "2031-12-03")).await;
    start.live(days("2026-11-18", "2027-03-31")).await;
    let expected = monthly(&ordinary).await;
    assert!(expected.len() > 5, "{expected:?}");
    let got = monthly(&start).await;
    let while_ahead = |mail: &(String, _)| mail.0.starts_with("2031");
    assert!(got.iter().any(while_ahead), "{got:?}");
    let after: Vec<_> = got.into_iter().filter(|mail| !while_ahead(mail)).collect();
    assert_eq!(after, expected);
}

#[tokio::test]
async fn a_store_begun_in_1970_comes_right_with_the_clock() {
    let start = World::new().await;
    let ordinary = start.fork().await;
    ordinary.live(days(FIRST, LAST)).await;
    start.live(["1970-01-01T01:00:00", "1970-01-02T08:00:00"].map(at)).await;
    start.live(days(FIRST, LAST)).await;
    start.check("begun in 1970", LAST).await;
    start.check_nothing_is_lost("begun in 1970", &ordinary).await;
}

#[tokio::test]
async fn twenty_restarts_in_a_minute_send_what_one_run_sends() {
    let (morning, last) = (at("2026-11-16T08:00:00"), "2026-11-20");
    let start = World::after(ordinary_until("2026-11-16T08:00:00")).await;
    let (ordinary, mut world) = (start.fork().await, start);
    ordinary.live(days("2026-11-16", last).into_iter().filter(|now| *now >= morning)).await;
    for restart in 0..20 {
        world = world.reborn().await;
        world.live([morning + TimeDelta::seconds(3 * restart)]).await;
    }
    world.live(days("2026-11-16", last).into_iter().filter(|now| *now > morning)).await;
    world.check("restarts", last).await;
    assert_eq!(world.heard().await, ordinary.heard().await);
}

#[tokio::test]
async fn a_firing_every_minute_is_one_digest_a_day() {
    let mut world = World::after(days("2026-11-12", "2026-11-13")).await;
    world.reconfigure("[schedule]\nreminders = \"0 * * * * Mon-Fri\"\n");
    for day in ["2026-11-16", "2026-11-17", "2026-11-18"] {
        let minutes = [0, 8, 9].into_iter().flat_map(|hour| {
            let start = at(&format!("{day}T{hour:02}:00:00"));
            (0..60).map(move |minute| start + TimeDelta::minutes(minute))
        });
        world.live(minutes).await;
    }
    world.check("every minute", "2026-11-18").await;
}

#[tokio::test]
async fn the_nights_when_the_clocks_change_send_nothing_twice() {
    for (from, night, to) in
        [("2026-10-22", "2026-10-25", "2026-10-28"), ("2027-03-25", "2027-03-28", "2027-03-31")]
    {
        let mut world = World::new().await;
        // A Sunday is no working day, so what is due waits for Monday; reports and retries go all the same.
        world
            .reconfigure("[schedule]\nreminders = \"0 */30 * * * *\"\nreport = \"0 30 2 * * *\"\n");
        let start = at(&format!("{night}T00:00:00"));
        let night_through = (0..50).map(|tens| start + TimeDelta::minutes(6 * tens));
        let before = days(from, night).into_iter().filter(|now| *now < start);
        let after = days(night, to).into_iter().filter(|now| *now > start + TimeDelta::hours(5));
        world.live(before.chain(night_through).chain(after)).await;
        world.check(night, to).await;
        let mails = world.mails().await;
        let is_report = |mail: &&Mail| mail.ladder.is_none() && mail.accepted_on == night;
        assert!(mails.iter().filter(is_report).count() <= 1, "{night}: two reports");
        assert!(mails.iter().all(|mail| mail.ladder.is_none() || mail.accepted_on != night));
    }
}

const MORE_STEPS: &str = "[rules.default]
before = [60, 30, 21, 14, 10, 7, 3, 1]
overdue = { first = 1, every = 2, at_most = 20 }
escalate = [5, 10, 15, 20]
";
const OTHER_STEPS: &str = "[rules.default]
before = [45]
overdue = { first = 2, every = 3, at_most = 9 }
";
const NO_STEPS: &str = "[rules.default]
before = []
opens = false
due = false
overdue = { first = 1, every = 1, at_most = 0 }
escalate = []
";

#[tokio::test]
async fn a_changed_config_fires_nothing_backwards() {
    let start = World::after(ordinary_until("2026-11-17T09:00:00")).await;
    let known = start.steps_since("2000-01-01").await;
    for (name, settings, last) in [
        ("more steps", MORE_STEPS, LAST),
        ("other steps", OTHER_STEPS, LAST),
        ("no steps", NO_STEPS, LAST),
        ("a later hour", "[schedule]\nreminders = \"0 0 10 * * Mon-Fri\"\n", LAST),
        ("an hour that is over", "[schedule]\nreminders = \"0 30 7 * * Mon-Fri\"\n", LAST),
        ("twice a day", "[schedule]\nreminders = \"0 0 7,10 * * Mon-Fri\"\n", LAST),
        ("Thursdays only", "[schedule]\nreminders = \"0 0 8 * * Thu\"\n", "2026-12-10"),
        ("more days off", "[calendar]\ndays_off = [\"11-18..11-20\"]\n", LAST),
    ] {
        let mut world = start.fork().await;
        world.reconfigure(settings);
        world.live(ordinary_from("2026-11-17T09:00:00")).await;
        world.check(name, last).await;
        if settings.starts_with("[rules") {
            for step in world.steps_since("2026-11-17").await.difference(&known) {
                let moved_on = step.rsplit(' ').next().unwrap();
                assert!(moved_on >= "2026-11-17", "{name}: fired backwards: {step}");
            }
        }
    }
}

impl World {
    /// Every reminder sent on a day or after, as `C-1 l1 due 2026-11-17`.
    async fn steps_since(&self, day: &'static str) -> BTreeSet<String> {
        let options = SqliteConnectOptions::new().filename(self.store.path());
        let mut connection = options.connect().await.unwrap();
        let rows: Vec<String> = sqlx::query_scalar(
            "SELECT r.commitment || ' ' || r.leader || ' ' || r.step || ' ' || r.moved_on
               FROM reminders AS r JOIN messages AS m ON m.id = r.message
              WHERE m.state = 'accepted' AND m.accepted_on >= $1",
        )
        .bind(day)
        .fetch_all(&mut connection)
        .await
        .unwrap();
        rows.into_iter().collect()
    }
}
