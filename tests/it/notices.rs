//! What an edit of the book tells the people it concerns, from the verb to the mail.

mod calendar;
mod failures;
mod report;

use std::fs;
use std::path::PathBuf;

use advis::clock::Clock;
use advis::config::{self, Config};
use advis::delivery::firings::Firings;
use advis::delivery::notices::Concluded;
use advis::delivery::pass::Desk;
use advis::delivery::shift::{PassReport, Shift};
use advis::domain::commitment::Status;
use advis::domain::window::Window;
use advis::domain::zone::Zone;
use advis::mail::compose::Templates;
use advis::store::{Edited, Error, Stamp, Store, Timetable, Which};
use chrono::NaiveDate;
use mailparse::{MailHeaderMap, ParsedMail, parse_mail};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tempfile::TempDir;

use crate::world::{part, program};

/// A Wednesday.
const TODAY: &str = "2026-11-18";

/// Nora and Sune answer to Vera; Ida is away and Sune stands in for her; Kaj has left; Rolf has left and nobody is above
/// him; Nils shares Nora's address.
const LEADERS: &str = "
    INSERT INTO leaders (reference, name, email, manager, deputy, active_to, absent_from, absent_to) VALUES
        ('vera', 'Vera Vest', 'vera@kommune.example', NULL, NULL, NULL, NULL, NULL),
        ('nora', 'Nora Nord', 'nora@kommune.example', 'vera', NULL, NULL, NULL, NULL),
        ('sune', 'Sune Syd', 'sune@kommune.example', 'vera', NULL, NULL, NULL, NULL),
        ('ida', 'Ida Lund', 'ida@kommune.example', 'vera', 'sune', NULL, '2026-11-01', '2026-12-31'),
        ('kaj', 'Kaj Dam', 'kaj@kommune.example', 'vera', NULL, '2026-10-31', NULL, NULL),
        ('rolf', 'Rolf Bro', 'rolf@kommune.example', NULL, NULL, '2026-10-31', NULL, NULL),
        ('nils', 'Nils Nord', 'NORA@kommune.example', 'vera', NULL, NULL, NULL, NULL);";

struct World {
    folder: TempDir,
    store: Store,
    config: Config,
    templates: Templates,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let settings = format!(
            "[store]\npath = {:?}\n[mail]\nfrom = \"Advis <advis@kommune.example>\"\n\
             secretariat = \"Sekretariatet <sek@kommune.example>\"\nfile_dir = {:?}\n",
            path("advis.db"),
            path("mail")
        );
        let file = folder.path().join("advis.toml");
        fs::write(&file, settings).unwrap();
        let config = config::load(Some(&file), Vec::new(), day(TODAY)).unwrap();
        let store = Store::open(&config.store.path).await.unwrap();
        let world = Self { folder, store, config, templates: Templates::built_in() };
        world.sql(LEADERS).await;
        world
    }

    fn desk<'w>(&'w self, clock: &'w Clock) -> Desk<'w> {
        let (store, config, templates) = (&self.store, &self.config, &self.templates);
        Desk { store, config, clock, templates, rehearsal: true }
    }

    /// Makes an edit final on a day, with its notices.
    async fn make<'s>(
        &'s self,
        on: &str,
        edit: impl Future<Output = Result<Edited<'s>, Error>>,
    ) -> Concluded {
        self.desk(&clock(on)).conclude(edit.await.unwrap()).await.unwrap()
    }

    /// Another system puts a commitment into the book that these leaders answer for, due at the end of some months.
    async fn promise(&self, reference: &str, responsible: &[&str], months: &[u32]) {
        let mut sql = format!(
            "INSERT INTO commitments (reference, title, kind, adopted_on) VALUES ('{reference}', \
             'Løfte {reference}', 'decision', '2026-11-01');"
        );
        for (number, month) in (1..).zip(months) {
            let due = format!("2027-{month:02}-28");
            sql += &format!(
                "INSERT INTO windows (commitment, number, opens, due) VALUES ('{reference}', {number}, '{due}', '{due}');"
            );
        }
        for (position, leader) in (1..).zip(responsible) {
            sql += &format!(
                "INSERT INTO responsibilities (commitment, leader, position) VALUES ('{reference}', '{leader}', {position});"
            );
        }
        self.sql(&sql).await;
        self.desk(&clock(TODAY)).read_new().await.unwrap();
    }

    async fn sql(&self, sql: &str) {
        let options = SqliteConnectOptions::new().filename(self.store.path()).foreign_keys(true);
        let mut connection = options.connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn strings(&self, sql: &'static str) -> Vec<String> {
        let options = SqliteConnectOptions::new().filename(self.store.path());
        let mut connection = options.connect().await.unwrap();
        sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap()
    }

    /// Every notice in the outbox as `nora A done, B done`, in its order.
    async fn notices(&self) -> Vec<String> {
        self.strings(
            "SELECT substr(recipient, 1, instr(recipient, '@') - 1) || ' ' || (
                 SELECT group_concat(value ->> 0 || ' ' || (value ->> 1), ', ') FROM json_each(items))
               FROM messages WHERE purpose = 'notice' ORDER BY id",
        )
        .await
    }

    /// One pass of a sender of its own.
    async fn pass(&self, on: &str, plans: bool) -> PassReport {
        let (lock, clock) = (self.store.lock_sender().unwrap(), clock(on));
        let desk = self.desk(&clock);
        let mut shift = Shift::begin(&desk, &lock).await.unwrap();
        shift.pass(&desk, plans).await.unwrap()
    }

    /// The plain text of the only mail to that person, decoded.
    async fn text(&self, who: &str) -> String {
        self.text_of(who, "").await
    }

    /// The same of the mail whose subject begins so.
    async fn text_of(&self, who: &str, subject: &str) -> String {
        let mails = self.mails();
        let to = |mail: &&String| mail.contains(&format!("<{who}@kommune.example>"));
        let mails = mails.iter().filter(to).map(|mail| parse_mail(mail.as_bytes()).unwrap());
        let begins = |mail: &ParsedMail<'_>| {
            mail.headers.get_first_value("Subject").unwrap().starts_with(subject)
        };
        let mail = mails.into_iter().find(begins).expect("a mail");
        part(&mail, "text/plain").unwrap().replace('\u{a0}', " ")
    }

    fn mails(&self) -> Vec<String> {
        let Ok(folder) = fs::read_dir(self.folder.path().join("mail")) else { return Vec::new() };
        let files = folder.map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> =
            files.filter(|path| path.extension().is_some_and(|one| one == "eml")).collect();
        files.sort();
        files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
    }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// 08:00 in Copenhagen.
fn clock(on: &str) -> Clock {
    Clock::on(day(on), Zone::COPENHAGEN)
}

fn stamp(on: &str) -> Stamp {
    Stamp::now(&clock(on), "lis")
}

#[tokio::test]
async fn what_else_was_in_a_message_taken_back_goes_the_same_day_in_another() {
    let world = World::new().await;
    for reference in ["DONE", "STAYS"] {
        world.promise(reference, &["nora"], &[6]).await;
    }
    // 30 days before the deadline, a Friday.
    let day = "2027-05-28";
    let own = "SELECT state || ' ' || items FROM messages WHERE purpose = 'own' ORDER BY id";
    world.desk(&clock(day)).post().await.unwrap();
    assert_eq!(world.strings(own).await.len(), 1);
    world.make(day, world.store.done(&["DONE"], false, &stamp(day))).await;
    for (time, plans) in [("07:59", false), ("08:01", true)] {
        let now = format!("{day}T{time}:00+02:00").parse().unwrap();
        let clock = Clock::Fixed(now, Zone::COPENHAGEN);
        let desk = world.desk(&clock);
        // The first start of a store has missed no firing.
        desk.store.record_firing(Timetable::Reminders, clock.wall()).await.unwrap();
        assert_eq!(Firings::due(&desk).await.unwrap().plans(&desk), plans, "{time}");
    }
    world.pass(day, true).await;
    let messages = [
        r#"cancelled [["DONE","before:30"],["STAYS","before:30"]]"#,
        r#"accepted [["STAYS","before:30"]]"#,
    ];
    assert_eq!(world.strings(own).await, messages);
    assert!(!world.store.has_freed().await.unwrap());
}

#[tokio::test]
async fn the_others_hear_that_it_is_done_or_given_up_and_one_who_is_alone_hears_nothing() {
    let world = World::new().await;
    world.promise("ALONE", &["nora"], &[6]).await;
    world.promise("SHARED", &["nora", "sune"], &[6]).await;
    world.promise("LIST", &["sune", "nora"], &[6, 9]).await;
    world.promise("OVER", &["nora", "sune"], &[6]).await;
    let (store, now) = (&world.store, &stamp(TODAY));

    let all = ["ALONE", "LIST", "SHARED"];
    let concluded = world.make(TODAY, store.done(&all, false, now)).await;
    assert_eq!(concluded.touched, all);
    assert_eq!(concluded.told, ["Sune Syd", "Nora Nord"]);
    assert_eq!(world.make(TODAY, store.done(&["SHARED"], false, now)).await, Concluded::default());
    world.make(TODAY, store.cancel(&["ALONE", "OVER"], now)).await;
    let expected = [
        "sune LIST done, SHARED done",
        "nora LIST done, SHARED done",
        "nora OVER cancelled",
        "sune OVER cancelled",
    ];
    assert_eq!(world.notices().await, expected);
}

#[tokio::test]
async fn all_hear_of_a_new_deadline_with_the_old_one_and_the_reason() {
    let world = World::new().await;
    world.promise("A", &["nora"], &[6, 9]).await;
    let (store, now) = (&world.store, &stamp(TODAY));
    let august = Window::day(day("2027-08-31"));
    let moved = world.make(TODAY, store.postpone("A", august, None, "Vi mangler tal", now)).await;
    assert_eq!(moved.told, ["Nora Nord"]);
    let same = world.make(TODAY, store.postpone("A", august, None, "", now)).await;
    assert_eq!((same.touched, same.told), (vec!["A".to_owned()], Vec::new()));

    world.pass(TODAY, false).await;
    let text = world.text("nora").await;
    for part in [
        "Fristen er flyttet fra den 28. juni 2027 til den 31. august 2027.",
        "Begrundelse: Vi mangler tal",
        "Reference: A",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test]
async fn who_is_new_hears_how_it_stands_and_who_goes_hears_who_has_it() {
    let world = World::new().await;
    world.promise("A", &["nora", "sune"], &[6]).await;
    let (store, now) = (&world.store, &stamp(TODAY));
    world.make(TODAY, store.assign("A", &["sune", "nora"], now)).await;
    assert_eq!(world.notices().await, [""; 0], "another order is nobody's news");
    let concluded = world.make(TODAY, store.assign("A", &["sune", "vera"], now)).await;
    assert_eq!(concluded.told, ["Vera Vest", "Nora Nord"]);
    assert_eq!(world.notices().await, ["vera A handed_over", "nora A taken_over"]);

    world.pass(TODAY, false).await;
    let vera = world.text("vera").await;
    assert!(vera.contains("givet opgaven videre til dig"), "{vera}");
    assert!(vera.contains("mandag den 28. juni 2027"), "{vera}");
    let nora = world.text("nora").await;
    assert!(nora.contains("Sune Syd og Vera Vest har overtaget opgaven."), "{nora}");
}

#[tokio::test]
async fn what_was_not_being_reminded_of_and_what_changes_nothing_for_others_sends_nothing() {
    let world = World::new().await;
    world.promise("A", &["nora", "sune"], &[6, 9]).await;
    world
        .sql(
            "INSERT INTO commitments (reference, title, phrase) VALUES ('LATER', 'Senere', 'løbende');
             INSERT INTO responsibilities (commitment, leader) VALUES ('LATER', 'nora'), ('LATER', 'sune')",
        )
        .await;
    let clock = clock(TODAY);
    world.desk(&clock).read_new().await.unwrap();
    let (store, now) = (&world.store, &stamp(TODAY));
    let (book, _) = store.book(Which::These(&["LATER"])).await.unwrap();
    assert_eq!(book[0].status, Status::NeedsDate);

    world.make(TODAY, store.assign("LATER", &["vera", "sune"], now)).await;
    world.make(TODAY, store.cancel(&["LATER"], now)).await;
    world.make(TODAY, store.reopen(&["LATER"], now)).await;
    let july = Window::day(day("2027-07-01"));
    world.make(TODAY, store.postpone("LATER", july, None, "", now)).await;
    world.make(TODAY, store.snooze("A", "nora", day("2027-06-20"), now)).await;
    assert_eq!(world.notices().await, [""; 0]);
    world.make(TODAY, store.done(&["A"], false, now)).await;
    let told = world.notices().await;
    world.make(TODAY, store.reopen(&["A"], now)).await;
    assert_eq!((told.len(), world.notices().await), (2, told));
}

#[tokio::test]
async fn a_whole_desk_handed_over_is_one_mail_to_each() {
    let world = World::new().await;
    for reference in ["A", "B", "C"] {
        world.promise(reference, &["nora"], &[6]).await;
    }
    let (store, now) = (&world.store, &stamp(TODAY));
    let concluded = world.make(TODAY, store.assign_all("nora", &["sune"], now.day, now)).await;
    assert_eq!(concluded.told, ["Sune Syd", "Nora Nord"]);
    let expected = [
        "sune A handed_over, B handed_over, C handed_over",
        "nora A taken_over, B taken_over, C taken_over",
    ];
    assert_eq!(world.notices().await, expected);
}

#[tokio::test]
async fn a_hand_over_on_a_day_to_come_is_told_on_that_day_once() {
    let world = World::new().await;
    world.promise("A", &["nora", "vera"], &[6]).await;
    world.promise("B", &["nora", "sune"], &[6]).await;
    let (store, now) = (&world.store, &stamp(TODAY));
    let friday = day("2026-11-20");
    let concluded = world.make(TODAY, store.assign_all("nora", &["sune"], friday, now)).await;
    assert_eq!((concluded.touched.len(), concluded.told.len()), (2, 0));
    world.pass("2026-11-19", true).await;
    assert_eq!(world.notices().await, [""; 0]);

    // The worker was down on the day itself.
    world.pass("2026-11-23", true).await;
    let expected = ["sune A handed_over", "nora A taken_over", "nora B taken_over"];
    let mut told = world.notices().await;
    told.sort();
    let mut expected = expected.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!(told, expected, "Sune had B already, and A is Sune's and Vera's from now on");
    world.pass("2026-11-24", true).await;
    assert_eq!(world.notices().await.len(), 3);
}

#[tokio::test]
async fn who_takes_over_later_hears_nothing_before() {
    let world = World::new().await;
    world.promise("A", &["nora"], &[6]).await;
    let (store, now) = (&world.store, &stamp(TODAY));
    world.make(TODAY, store.assign_all("nora", &["sune"], day("2026-12-01"), now)).await;
    world.make(TODAY, store.done(&["A"], false, now)).await;
    assert_eq!(world.notices().await, [""; 0]);
}

#[tokio::test]
async fn a_notice_finds_its_reader_as_a_reminder_does() {
    for (responsible, readers) in [
        (["nora", "ida"], ["nora", "sune"]),
        (["nora", "kaj"], ["nora", "vera"]),
        (["nora", "rolf"], ["nora", "sek"]),
    ] {
        let world = World::new().await;
        world.promise("A", &responsible, &[6]).await;
        world.make(TODAY, world.store.done(&["A"], false, &stamp(TODAY))).await;
        assert_eq!(world.notices().await, readers.map(|reader| format!("{reader} A done")));
    }
}

#[tokio::test]
async fn two_with_one_address_get_one_mail_and_who_gets_what_was_theirs_to_pass_on_too() {
    let world = World::new().await;
    world.promise("A", &["nora", "nils"], &[6]).await;
    world.promise("B", &["kaj"], &[6]).await;
    let (store, now) = (&world.store, &stamp(TODAY));
    let done = world.make(TODAY, store.done(&["A"], false, now)).await;
    assert_eq!(done.told, ["Nora Nord"]);
    // Vera got Kaj's mails; now the task is hers.
    let assigned = world.make(TODAY, store.assign("B", &["vera"], now)).await;
    assert_eq!(assigned.told, ["Vera Vest"]);
    assert_eq!(world.notices().await, ["nora A done", "vera B handed_over"]);
}

#[tokio::test]
async fn who_stands_in_is_told_for_whom() {
    let world = World::new().await;
    world.promise("A", &["nora"], &[6]).await;
    world.make(TODAY, world.store.assign("A", &["ida"], &stamp(TODAY))).await;
    world.pass(TODAY, false).await;
    let text = world.text("sune").await;
    assert!(text.contains("givet opgaven videre til Ida Lund."), "{text}");
    assert!(text.contains("som stedfortræder for Ida Lund"), "{text}");
}

#[tokio::test]
async fn a_notice_goes_with_the_next_delivery_and_is_no_digest() {
    let world = World::new().await;
    world.promise("A", &["nora", "sune"], &[6]).await;
    world.promise("SOON", &["nora"], &[6]).await;
    world
        .sql(
            "UPDATE windows SET opens = '2026-12-18', due = '2026-12-18' WHERE commitment = 'SOON'",
        )
        .await;
    world.make(TODAY, world.store.done(&["A"], false, &stamp(TODAY))).await;
    let today = clock(TODAY);
    let planned = world.desk(&today).rehearse().await.unwrap();
    assert_eq!(planned.len(), 1, "only the reminder of SOON is in the plan");

    assert_eq!(world.pass(TODAY, false).await.tally.sent, 2);
    let report = world.pass(TODAY, true).await;
    assert_eq!((report.posted.unwrap().messages, report.tally.sent), (1, 1));
    let noras = world.mails().into_iter().filter(|mail| mail.contains("<nora@"));
    assert_eq!(noras.count(), 2);
    assert_eq!(world.pass(TODAY, true).await.tally.sent, 0);
}

#[tokio::test]
async fn an_edit_and_its_notices_stand_together_or_not_at_all() {
    let world = World::new().await;
    world.promise("A", &["nora", "sune"], &[6]).await;
    let store = &world.store;
    // The process dies between the edit and its end.
    drop(store.done(&["A"], false, &stamp(TODAY)).await.unwrap());
    let (book, _) = store.book(Which::All).await.unwrap();
    assert_eq!((book[0].status, world.notices().await.len()), (Status::Open, 0));
    world.make(TODAY, store.done(&["A"], false, &stamp(TODAY))).await;
    let (book, _) = store.book(Which::All).await.unwrap();
    assert_eq!((book[0].status, world.notices().await.len()), (Status::Done, 2));
}

#[tokio::test]
async fn a_notice_that_cannot_be_written_does_not_hold_up_the_edit() {
    let mut world = World::new().await;
    world.promise("A", &["nora", "sune"], &[6]).await;
    let broken = [("notice.txt".to_owned(), "{{ letter.nothing }}".to_owned())];
    world.templates = Templates::with(broken.into_iter().collect()).unwrap();
    let concluded = world.make(TODAY, world.store.done(&["A"], false, &stamp(TODAY))).await;
    assert_eq!((concluded.touched.len(), concluded.told.len()), (1, 0));
    let [(nora, why), (sune, _)] = concluded.untold.as_slice() else { panic!("{concluded:?}") };
    assert_eq!([nora, sune], ["Nora Nord", "Sune Syd"]);
    assert!(why.contains("notice.txt"), "{why}");
}

#[tokio::test]
async fn the_verbs_say_who_is_told_and_once_delivers_it() {
    let world = World::new().await;
    world.promise("A", &["nora", "sune"], &[6]).await;
    world.promise("B", &["nora"], &[6]).await;
    let advis = |arguments: &str| {
        let output = program(world.folder.path())
            .args(["--config", "advis.toml", "--on", TODAY])
            .args(arguments.split(' '))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let told = "A: done
Nora Nord and Sune Syd are told by mail
";
    assert_eq!(advis("done A --all"), told);
    assert_eq!(
        advis("done A"),
        "A: nothing to change
"
    );
    assert_eq!(
        advis("assign --from nora sune --on-day 2026-12-01"),
        "B: from 2026-12-01 on sune answers for it, and will be told that day
"
    );
    assert_eq!(
        advis("done B"),
        "B: the earliest open window is done
"
    );
    assert_eq!(world.notices().await, ["nora A done", "sune A done"]);
    advis("once");
    let log = advis("log");
    assert_eq!((world.mails().len(), log.matches(" A done").count()), (2, 2), "{log}");
    assert!(advis("explain A").contains("done to sune@kommune.example: accepted"));
}
