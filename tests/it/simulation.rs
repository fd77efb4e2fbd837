//! The whole sender under a virtual clock, with a server, a disk and people that do their worst, held against an oracle
//! that knows nothing of the product. Everything is drawn from one seed; what fails prints the command that repeats it.

mod book;
mod check;
mod server;

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use advis::clock::Clock;
use advis::config::{self, Config};
use advis::delivery::engine::{Debt, Lane, Limits, Outbox, Step, step};
use advis::delivery::firings::Firings;
use advis::delivery::pass::Desk;
use advis::delivery::state::{OnUnknown, Retry};
use advis::domain::zone::Zone;
use advis::mail::compose::Templates;
use advis::store::{self, Store};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use fastrand::Rng;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use tempfile::TempDir;

use crate::oracle::World;
use server::Server;

const LANES: usize = 3;

/// What goes wrong with a disk, one table and one verb at a time.
const SICK: [(&str, &str); 9] = [
    ("messages", "INSERT"),
    ("messages", "UPDATE"),
    ("message_bytes", "INSERT"),
    ("reminders", "INSERT"),
    ("reminders", "UPDATE"),
    ("attempts", "INSERT"),
    ("events", "INSERT"),
    ("commitments", "UPDATE"),
    ("firings", "UPDATE"),
];

/// How large a simulation is, and how bad.
#[derive(Debug, Clone, Copy)]
struct Plan {
    seed: u64,
    commitments: usize,
    days: i64,
    /// Of a hundred stages of SMTP, how many go wrong; everything else goes wrong less often.
    faults: u32,
}

/// How it ended, to compare and to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Outcome {
    messages: usize,
    taken: usize,
    repeated: usize,
    firings: usize,
    crashes: usize,
    sick: usize,
    edits: usize,
    /// SHA-256 of the ledger, in hex.
    hash: String,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { messages, taken, repeated, firings, crashes, sick, edits, hash } = self;
        write!(
            f,
            "{messages} messages, {taken} taken by the server, {repeated} of them repeated; "
        )?;
        write!(f, "{firings} firings, {crashes} crashes, {sick} disk faults, {edits} edits; {hash}")
    }
}

/// Why a look at the clock ended early.
enum Broke {
    Killed,
    Store(store::Error),
}

impl From<store::Error> for Broke {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

struct Simulation {
    plan: Plan,
    rng: Rng,
    now: DateTime<Utc>,
    server: Server,
    down_until: DateTime<Utc>,
    model: World,
    settings: Arc<Settings>,
    path: PathBuf,
    /// Looks into the file, and lays hands on it, from outside.
    eye: SqliteConnection,
    outcome: Outcome,
    _dir: TempDir,
}

struct Settings {
    config: Config,
    templates: Templates,
}

impl Settings {
    fn desk<'d>(&'d self, store: &'d Store, clock: &'d Clock) -> Desk<'d> {
        let Self { config, templates } = self;
        Desk { store, config, clock, templates, rehearsal: true }
    }
}

impl Simulation {
    async fn new(plan: Plan) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut rng = Rng::with_seed(plan.seed);
        let path = dir.path().join("advis.db");
        let toml =
            format!("[store]\npath = {path:?}\n[mail]\nsecretariat = {:?}\n", book::SECRETARIAT);
        let file = dir.path().join("advis.toml");
        std::fs::write(&file, toml).unwrap();
        let first: NaiveDate = "2018-01-02".parse().unwrap();
        let config = config::load(Some(&file), Vec::new(), first).unwrap();
        let last = first + TimeDelta::days(plan.days);
        let model = book::model(&mut rng, plan.commitments, first, last);
        let now = Clock::on(first, Zone::COPENHAGEN).now() - TimeDelta::hours(2);
        let server = Server::new(rng.fork(), plan.faults, now);
        let outcome = Outcome::default();
        let settings = Arc::new(Settings { config, templates: Templates::built_in() });
        let store = Store::open(&path).await.unwrap();
        let eye = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
        let mut simulation = Self {
            plan,
            rng,
            now,
            server,
            down_until: now,
            model,
            settings,
            path,
            eye,
            outcome,
            _dir: dir,
        };
        let rows = book::sql(&simulation.model, first);
        simulation.sql(&rows).await;
        // Message-IDs, and with them the jitter of retries, hang on it.
        let instance =
            format!("UPDATE meta SET value = '{:032x}' WHERE key = 'instance'", plan.seed);
        simulation.sql(&instance).await;
        store.close().await.unwrap();
        simulation
    }

    async fn sql(&mut self, statements: &str) {
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut self.eye).await.unwrap();
    }

    fn clock(&self) -> Clock {
        Clock::Fixed(self.now, Zone::COPENHAGEN)
    }

    fn chance(&mut self, per_thousand: u32) -> bool {
        self.plan.faults > 0 && self.rng.u32(0..1000) < per_thousand
    }

    async fn run(mut self) -> Outcome {
        let end = self.now + TimeDelta::days(self.plan.days);
        let mut debts = Vec::new();
        while self.now < end {
            self.life(end, &mut debts).await;
        }
        // All is well again: what still waits must come to its end.
        self.plan.faults = 0;
        self.server.heal();
        self.down_until = self.now;
        self.sql("DROP TRIGGER IF EXISTS sick").await;
        self.life(self.now + TimeDelta::days(12), &mut debts).await;
        check::all_is_told(&mut self.eye, &self.server.ledger(), self.outcome).await
    }

    /// A process, from its start to its death, or until `end`. What it could not record dies with it.
    async fn life(&mut self, end: DateTime<Utc>, debts: &mut Vec<Debt>) {
        debts.clear();
        let store = Store::open(&self.path).await.unwrap();
        while self.now < end {
            match self.shift(&store, end, debts).await {
                Ok(()) => {}
                Err(Broke::Killed) => {
                    self.outcome.crashes += 1;
                    return;
                }
                Err(Broke::Store(error)) => {
                    assert!(error.to_string().contains("sick"), "{error}");
                    self.now += TimeDelta::minutes(1);
                    self.recover_disk().await;
                }
            }
            if self.chance(5) {
                self.now += TimeDelta::minutes(self.rng.i64(0..90));
                return;
            }
        }
    }

    /// A sender, until something breaks.
    async fn shift(
        &mut self,
        store: &Store,
        end: DateTime<Utc>,
        debts: &mut Vec<Debt>,
    ) -> Result<(), Broke> {
        Debt::settle(debts, store).await?;
        let retry = Retry { give_up_after_days: 5, on_unknown: OnUnknown::ResendOnce };
        let limits = Limits { rate_per_minute: 0, per_person_per_day_max: 4, per_hour_max: 40 };
        let outbox = Outbox::begin(store, retry, limits, &self.clock()).await?;
        let transport = self.server.transport();
        let mut lanes: Vec<Lane> = (0..LANES).map(|_| Lane::new(&transport)).collect();
        let mut broke = Ok(());
        while self.now < end && broke.is_ok() && !self.chance(3) {
            self.server.set(self.now, self.now < self.down_until);
            broke = self.tick(store, &outbox, &mut lanes).await;
            if broke.is_ok() {
                self.meanwhile(store).await;
                self.wait(end).await;
            }
        }
        debts.append(&mut outbox.into_debts().await);
        broke
    }

    /// One look at the clock, as the worker makes it, but lane by lane.
    async fn tick(
        &mut self,
        store: &Store,
        outbox: &Outbox<'_>,
        lanes: &mut [Lane],
    ) -> Result<(), Broke> {
        let (clock, settings) = (self.clock(), Arc::clone(&self.settings));
        let desk = settings.desk(store, &clock);
        self.look(&desk, outbox, lanes).await
    }

    async fn look(
        &mut self,
        desk: &Desk<'_>,
        outbox: &Outbox<'_>,
        lanes: &mut [Lane],
    ) -> Result<(), Broke> {
        let firings = Firings::due(desk).await?;
        firings.post_report(desk).await?;
        if firings.plans(desk) {
            self.post(desk).await?;
        }
        self.deliver(desk, outbox, lanes).await?;
        Ok(firings.record(desk).await?)
    }

    /// Plans and freezes what is due, which must be what the oracle says.
    async fn post(&mut self, desk: &Desk<'_>) -> Result<(), Broke> {
        let today = desk.today();
        let was_ahead = check::is_ahead(&mut self.eye, today).await;
        let as_it_was = was_ahead.then(|| book::set_back(&mut self.model, today));
        let near = book::near(&self.model, today);
        let before = check::written(&mut self.eye, &near, today).await;
        let posted = desk.post().await;
        if let (Err(_), Some(as_it_was)) = (&posted, as_it_was)
            && check::is_ahead(&mut self.eye, today).await
        {
            self.model = as_it_was;
        }
        posted?;
        let after = check::written(&mut self.eye, &near, today).await;
        check::posted(&near, &before, &after, today);
        self.outcome.firings += 1;
        Ok(())
    }

    /// Steps the lanes in an order drawn by lot, while people change what is on its way.
    async fn deliver(
        &mut self,
        desk: &Desk<'_>,
        outbox: &Outbox<'_>,
        lanes: &mut [Lane],
    ) -> Result<(), Broke> {
        outbox.begin_pass(desk.clock).await?;
        let mut working: BTreeSet<usize> = (0..lanes.len()).collect();
        while !working.is_empty() {
            let turns: Vec<usize> = working.iter().copied().collect();
            let turn = *self.rng.choice(&turns).unwrap();
            let result = tokio::select! {
                biased;
                result = step(&mut lanes[turn], outbox, desk.clock) => result,
                () = killed(&self.server, desk.store) => return Err(Broke::Killed),
            };
            if matches!(result?, Step::Idle | Step::Waiting { .. } | Step::Stopped { .. }) {
                working.remove(&turn);
            }
            if self.chance(10) {
                book::edit(&mut self.model, desk, &mut self.rng).await;
                self.outcome.edits += 1;
            }
        }
        Ok(())
    }

    /// What happens between two looks at the clock.
    async fn meanwhile(&mut self, store: &Store) {
        let (clock, settings) = (self.clock(), Arc::clone(&self.settings));
        let desk = settings.desk(store, &clock);
        while self.chance(150) {
            book::edit(&mut self.model, &desk, &mut self.rng).await;
            self.outcome.edits += 1;
        }
        if self.chance(10) {
            self.down_until = self.now + TimeDelta::minutes(self.rng.i64(5..12_000));
        }
        if self.chance(30) {
            let (table, verb) = *self.rng.choice(&SICK).unwrap();
            self.sql(&format!(
                "CREATE TRIGGER IF NOT EXISTS sick BEFORE {verb} ON {table} \
                 BEGIN SELECT RAISE(ABORT, 'the disk is sick'); END"
            ))
            .await;
            self.outcome.sick += 1;
        }
    }

    async fn recover_disk(&mut self) {
        if self.rng.u32(0..3) > 0 || self.plan.faults == 0 {
            self.sql("DROP TRIGGER IF EXISTS sick").await;
        }
    }

    /// Sleeps until something is to be done, or a minute more; now and then the clock jumps, or the machine sleeps.
    async fn wait(&mut self, end: DateTime<Utc>) {
        let zone = Zone::COPENHAGEN;
        let schedules = [&self.settings.config.reminders, &self.settings.config.report];
        let firing = schedules.into_iter().filter_map(|one| one.next_runs(self.now, zone, 1).pop());
        let waiting = check::next_attempt(&mut self.eye, self.now).await;
        let next = firing.chain(waiting).filter(|at| *at > self.now).min().unwrap_or(end);
        let late = TimeDelta::seconds(self.rng.i64(0..60));
        self.now = (next + late).min(end.max(self.now + TimeDelta::minutes(1)));
        if self.chance(10) {
            let minutes = self.rng.i64(-3000..6000);
            self.now += TimeDelta::minutes(minutes);
        }
        // A trigger that nothing has touched since goes away too.
        if self.chance(200) {
            self.sql("DROP TRIGGER IF EXISTS sick").await;
        }
    }
}

/// Ends when the sender is killed while it waits for an answer. What the disk has been given by then it keeps: whether
/// it does is a matter of luck in life, but here of the seed alone.
async fn killed(server: &Server, store: &Store) {
    server.killing().await;
    // Waits for its turn to write.
    store.set_meta("killed", "").await.ok();
}

/// Runs a simulation; what fails says how to see it again.
fn simulate(plan: Plan) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let Plan { seed, commitments, days, faults } = plan;
    let run = || runtime.block_on(async { Simulation::new(plan).await.run().await });
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        eprintln!(
            "to see it again: ADVIS_SIMULATION=\"{seed} {commitments} {days} {faults}\" \
             cargo test --test it simulation::again -- --ignored --nocapture"
        );
        std::panic::resume_unwind(panic)
    })
}

#[test]
fn whatever_goes_wrong_everything_due_is_sent_once_and_nothing_else() {
    for seed in 0..4 {
        let outcome = simulate(Plan { seed, commitments: 50, days: 200, faults: 20 });
        println!("seed {seed}: {outcome}");
        assert!(outcome.taken > 30 && outcome.firings > 100, "{outcome}");
    }
}

#[test]
fn the_same_seed_gives_the_same_ledger() {
    let plan = Plan { seed: 7, commitments: 30, days: 100, faults: 20 };
    assert_eq!(simulate(plan), simulate(plan));
}

#[test]
fn where_nothing_goes_wrong_nothing_is_repeated() {
    let outcome = simulate(Plan { seed: 8, commitments: 50, days: 200, faults: 0 });
    assert_eq!((outcome.repeated, outcome.crashes, outcome.sick), (0, 0, 0), "{outcome}");
}

/// The plan in `ADVIS_SIMULATION`: seed, commitments, days, and faults in a hundred.
#[test]
#[ignore = "repeats what failed"]
fn again() {
    let plan = std::env::var("ADVIS_SIMULATION").expect("ADVIS_SIMULATION names the plan");
    let numbers: Vec<u64> = plan.split(' ').map(|number| number.parse().unwrap()).collect();
    let [seed, commitments, days, faults] = numbers[..] else { panic!("four numbers, not {plan}") };
    let commitments = usize::try_from(commitments).unwrap();
    let (days, faults) = (i64::try_from(days).unwrap(), u32::try_from(faults).unwrap());
    println!("{}", simulate(Plan { seed, commitments, days, faults }));
}

/// Ten years of a thousand commitments, for as many seeds as `ADVIS_SIMULATION_SEEDS` says.
#[test]
#[ignore = "takes a minute a seed"]
fn ten_years() {
    let seeds = std::env::var("ADVIS_SIMULATION_SEEDS").unwrap_or_else(|_| "1".to_owned());
    for seed in 0..seeds.parse().unwrap() {
        let outcome = simulate(Plan { seed, commitments: 1000, days: 3653, faults: 20 });
        println!("seed {seed}: {outcome}");
    }
}
