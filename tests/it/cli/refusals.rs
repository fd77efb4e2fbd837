//! What makes no sense is refused: in plain words, with its exit code, and with the store left as it was.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::{FIRST_DAY, LEADERS, sheet, world};
use crate::world::{Ran, STORE, World};

const GOOD: &str = "G-1,Status på haverne,status,2027-02-05,led";

/// Imports these sheets into an empty folder and into a book: both are refused alike, and nothing stays behind.
#[track_caller]
fn check_import(leaders: &str, commitments: impl AsRef<[u8]>, code: i32, words: &[&str]) {
    let line = format!("import leaders.csv commitments.csv --on {FIRST_DAY}");
    let empty = World::new();
    empty.file("leaders.csv", leaders).file("commitments.csv", &commitments);
    empty.run(&line).refused(code, words);
    assert!(!empty.path(STORE).exists(), "a refused import makes no store");

    let world = world(&[GOOD]);
    let before = world.dump();
    world.file("leaders.csv", leaders).file("commitments.csv", &commitments);
    world.run(&line).refused(code, words);
    assert_eq!(world.dump(), before, "a refused import changes nothing");
}

#[test]
fn a_sheet_with_a_mistake_is_refused_with_its_file_line_and_column() {
    let in_line_3 = |row: &str| sheet(&[GOOD, row]);
    let unknown = "reference,title,kind,deadlin,responsible\nA-1,Status,status,2027-02-05,led\n";
    check_import(
        LEADERS,
        unknown,
        65,
        &[
            "commitments.csv:1, column \"deadlin\": this column is not known. Did you mean \"deadline\"?",
            "nothing was imported",
        ],
    );
    check_import(
        LEADERS,
        in_line_3("A-2,Evaluering,evaluation,2027-03-05,nobody"),
        65,
        &[
            "commitments.csv:3, column \"responsible\": there is no leader \"nobody\"",
            "1 problem; nothing was imported",
        ],
    );
    check_import(
        LEADERS,
        in_line_3("A-2,Evaluering,evaluation,31. april 2027,led"),
        65,
        &[
            "commitments.csv:3, column \"deadline\": 31. april 2027 does not exist",
            "Write a day that exists",
        ],
    );
    check_import(
        LEADERS,
        in_line_3("G-1,Evaluering,evaluation,2027-03-05,led"),
        65,
        &["commitments.csv:3, column \"reference\"", "G-1", "commitments.csv:2"],
    );
    check_import(
        LEADERS,
        in_line_3("A-2,Evaluering,evalution,2027-03-05,led"),
        65,
        &[
            "commitments.csv:3, column \"kind\": there is no kind \"evalution\". Did you mean \"evaluation\"?",
        ],
    );
    check_import(
        &LEADERS.replace("lise@kommune.example", "lise.kommune.example"),
        in_line_3("A-2,Evaluering,evaluation,2027-03-05,led"),
        65,
        &["leaders.csv:5, column \"email\"", "lise.kommune.example"],
    );
    check_import(LEADERS, "", 65, &["commitments.csv: the file is empty"]);
    let windows_1252: Vec<u8> =
        in_line_3("A-2,Måltider,status,2027-03-05,led").chars().map(|c| c as u8).collect();
    check_import(
        LEADERS,
        windows_1252,
        65,
        &["commitments.csv", "Windows-1252, not UTF-8", "Save it as UTF-8"],
    );
}

#[test]
fn every_mistake_is_named_at_once() {
    let rows = ["A-1,,status,2027-02-05,led", "A-2,Evaluering,nope-nope,2027-03-05,nobody"];
    check_import(LEADERS, sheet(&rows), 65, &["commitments.csv:2, column \"title\""]);
    let rows = ["A-1,Status,status,31.2.2027,led", "A-2,Evaluering,nope-nope,2027-03-05,nobody"];
    check_import(
        LEADERS,
        sheet(&rows),
        65,
        &["commitments.csv:2", "column \"kind\"", "column \"responsible\"", "3 problems"],
    );
}

#[test]
fn a_sheet_that_is_not_there_is_named() {
    let world = world(&[GOOD]);
    let before = world.dump();
    world.run("import leaders.csv nowhere.csv").refused(66, &["nowhere.csv cannot be read"]);
    assert_eq!(world.dump(), before);
    let empty = World::new();
    empty.run("import nowhere.csv").refused(66, &["nowhere.csv cannot be read"]);
    assert!(!empty.path(STORE).exists());
}

#[test]
fn verbs_that_need_a_store_say_that_there_is_none_and_make_none() {
    let world = World::new();
    for line in
        ["list", "plan", "log", "once", "explain A-1", "done A-1", "snooze A-1 led --to 2027-02-01"]
    {
        world.run(line).refused(66, &["there is no store at data/advis.db", "advis import FILE"]);
        assert!(!world.path("data").exists(), "{line}");
    }
    world.run("--config nowhere.toml list").refused(66, &["nowhere.toml", "--config"]);
}

/// A config with a mistake stops every verb.
#[track_caller]
fn check_config(toml: &str, words: &[&str]) {
    let world = world(&[GOOD]);
    let before = world.dump();
    world.config(toml);
    for line in ["check", "once", "run", "list", "import commitments.csv"] {
        world.run(line).refused(78, words);
    }
    assert_eq!(world.dump(), before);
    assert!(world.mails().is_empty());
}

#[test]
fn a_config_with_a_mistake_is_refused_with_its_line_and_what_was_probably_meant() {
    check_config(
        "[mail]\ntransport = \"file\"\nfrm = \"Advis <advis@kommune.example>\"\n",
        &["config/advis.toml:3: mail.frm", "there is no such key", "did you mean mail.from?"],
    );
    check_config("[shedule]\n", &["config/advis.toml:1", "did you mean [schedule]?"]);
    check_config(
        "[schedule]\nreminders = \"0 8 * * 1-5\"\n",
        &["config/advis.toml:2: schedule.reminders", "names", "Mon-Fri instead of 1-5"],
    );
    check_config(
        "[schedule]\nreminders = \"0 0 8 31 Feb *\"\n",
        &["config/advis.toml:2: schedule.reminders", "never fires"],
    );
    check_config(
        "[schedule]\nreminders = \"0 0 8 * * Sun\"\n",
        &["config/advis.toml:2: schedule.reminders", "no working day"],
    );
    check_config("[mail\n", &["config/advis.toml:1", "this is no TOML"]);
}

#[test]
fn a_mistyped_variable_is_refused_with_the_name_that_was_probably_meant() {
    let world = world(&[GOOD]);
    let before = world.dump();
    let refused = |name, words: &[&str]| world.run_with("once", &[(name, "x")]).refused(78, words);
    refused("ADVIS__MAIL__FORM", &["ADVIS__MAIL__FORM", "did you mean ADVIS__MAIL__FROM?"]);
    refused("ADVIS_MAIL__FROM", &["ADVIS_MAIL__FROM", "did you mean ADVIS__MAIL__FROM?"]);
    refused("ADVIS__CALENDAR__TIMEZONE", &["ADVIS__CALENDAR__TIMEZONE", "\"x\" is no time zone"]);
    assert_eq!(world.dump(), before);
    let right = [("ADVIS__MAIL__FROM", "Bud <bud@kommune.example>")];
    world.run_with("list --on 2027-01-05", &right).ok();
}

#[test]
fn a_secret_that_cannot_be_read_stops_the_sender() {
    let world = world(&[GOOD]);
    world.config(
        "[mail]\ntransport = \"smtp\"\n[smtp]\nhost = \"localhost\"\ntls = \"starttls\"\nca_file = \"nowhere.pem\"\n",
    );
    for line in ["check", "once", "run"] {
        world.run(line).refused(78, &["nowhere.pem"]);
    }
}

#[test]
fn a_place_that_takes_no_writing_is_named_with_what_to_do() {
    let world = World::new();
    world.file("leaders.csv", LEADERS).file("commitments.csv", sheet(&[GOOD]));
    // Even root cannot make a folder below a file.
    world.file("plain", "a file").config("[store]\npath = \"plain/advis.db\"\n");
    let words = ["plain", "cannot be written", "[store] path"];
    world.run("import leaders.csv commitments.csv").refused(78, &words);
    world.run("run").refused(78, &words);
}

#[test]
fn a_damaged_store_is_named_once_with_what_to_do() {
    let world = World::new();
    world.import("2027-01-04", LEADERS, &sheet(&[GOOD])).ok();
    let mut bytes = fs::read(world.path(STORE)).unwrap();
    bytes[100..4096].fill(0xff);
    fs::write(world.path(STORE), bytes).unwrap();
    fs::remove_file(world.path(STORE).with_extension("db-wal")).ok();
    for line in ["list", "once", "run"] {
        let ran = world.run(line);
        assert_eq!(ran.err.matches("malformed").count(), 1, "{}", ran.err);
        ran.refused(65, &["the store is damaged", "restore a backup"]);
    }
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_alone() {
    let world = World::new();
    world.file("leaders.csv", LEADERS).file(STORE, "Kære Lise, her er min liste. ".repeat(100));
    let before = fs::read(world.path(STORE)).unwrap();
    for line in ["list", "once", "run", "import leaders.csv"] {
        world.run(line).refused(78, &["data/advis.db is no store of Advis", "[store] path"]);
    }
    assert_eq!(fs::read(world.path(STORE)).unwrap(), before);

    let other = World::new();
    other.file("leaders.csv", LEADERS).file("data/here", "");
    if other.sql("CREATE TABLE theirs (x)").is_some() {
        other.run("import leaders.csv").refused(78, &["data/advis.db is no store of Advis"]);
        assert_eq!(other.sql(".tables").unwrap().trim(), "theirs");
    }
}

#[test]
fn a_damaged_store_is_refused_and_left_alone() {
    let world = world(&[GOOD]);
    let whole = fs::read(world.path(STORE)).unwrap();
    for kept in [0, 100, 5_000, whole.len() - 1] {
        world.file(STORE, &whole[..kept]);
        for line in ["list", "once", "done G-1", "check", "backup copy.db"] {
            let ran = world.run(line);
            ran.refused(65, &["the store is damaged: data/advis.db", "restore a backup"]);
        }
        assert_eq!(fs::read(world.path(STORE)).unwrap(), &whole[..kept], "{kept}");
        assert!(!world.path("copy.db").exists());
    }
    // What lies behind the list of tables is seen by whoever reads it.
    let mut bytes = whole.clone();
    let from = bytes.len() / 2;
    bytes[from..].fill(0xa5);
    world.file(STORE, &bytes);
    world.run("check").refused(65, &["the store is damaged", "restore a backup"]);
    assert_eq!(fs::read(world.path(STORE)).unwrap(), bytes);
}

/// Runs a line as somebody who may not write what others own; `None`, and a line about it, where that cannot be tried.
fn as_nobody(world: &World, line: &str) -> Option<Ran> {
    let own = fs::File::options().append(true).open(world.path("locked"));
    if own.is_err() {
        return Some(world.run(line));
    }
    let advis = world.advis(line.split_whitespace());
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(advis.get_program());
    command.args(advis.get_args()).current_dir(world.path(""));
    match command.output() {
        Ok(output) if output.status.code() != Some(127) => Some(Ran::of(output)),
        _ => {
            eprintln!("skipped: this user may write any file, and there is no setpriv");
            None
        }
    }
}

#[test]
fn a_store_that_may_only_be_read_is_refused_whether_it_is_the_file_or_its_folder() {
    for (folder, file) in [(0o755, 0o444), (0o555, 0o644), (0o555, 0o444)] {
        let world = world(&[GOOD]);
        world.file("locked", "");
        let set = |name: &str, mode| {
            fs::set_permissions(world.path(name), Permissions::from_mode(mode)).unwrap();
        };
        set("locked", 0o444);
        set("", 0o755);
        let before = fs::read(world.path(STORE)).unwrap();
        set(STORE, file);
        set("data", folder);
        for line in ["list", "once", "run", "done G-1", "hold 1"] {
            if let Some(ran) = as_nobody(&world, line) {
                ran.refused(78, &["advis.db cannot be written", "and its folder"]);
            }
        }
        set("data", 0o755);
        assert_eq!(fs::read(world.path(STORE)).unwrap(), before);
        assert!(!world.path("data/advis.db.lock").exists());
    }
}

#[test]
fn a_lock_file_that_cannot_be_written_stops_the_sender_alone() {
    let world = world(&[GOOD]);
    fs::create_dir(world.path("data/advis.db.lock")).unwrap();
    let before = world.dump();
    for line in ["once --on 2027-02-05", "run"] {
        world.run(line).refused(78, &["data/advis.db.lock cannot be written"]);
    }
    assert_eq!(world.dump(), before);
    world.run("list").ok();
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_left_alone() {
    let world = world(&[GOOD]);
    let newer = "INSERT INTO _sqlx_migrations SELECT 99, 'later', installed_on, success, checksum, execution_time
        FROM _sqlx_migrations WHERE version = 1";
    if world.sql(newer).is_none() {
        return;
    }
    let before = world.dump();
    for line in ["list", "once", "run", "import leaders.csv"] {
        world.run(line).refused(78, &["newer Advis (schema 99", "install that version"]);
    }
    assert_eq!(world.dump(), before);
}

#[test]
fn a_reference_that_is_not_in_the_book_changes_nothing_at_all() {
    let world = world(&[GOOD, "G-2,Evaluering,evaluation,2027-03-05,led"]);
    let before = world.dump();
    for line in [
        "done G-1 X-9 G-2",
        "done --all X-9 G-1",
        "reopen X-9",
        "cancel G-1 X-9",
        "confirm X-9",
        "postpone X-9 --to 2027-04-01",
        "snooze X-9 led --to 2027-02-01",
        "snooze G-1 X-9 --to 2027-02-01",
        "assign X-9 led",
        "assign G-1 X-9",
        "assign --from X-9 led",
        "assign --from led X-9",
        "explain X-9",
    ] {
        let ran = world.run(&format!("{line} --on {FIRST_DAY}"));
        ran.refused(66, &["X-9", "nothing was changed"]);
        assert_eq!(world.dump(), before, "{line}");
    }
}

#[test]
fn a_change_that_makes_no_sense_changes_nothing() {
    let world = world(&[GOOD, "G-2,Evaluering,evaluation,2027-03-05,led"]);
    let before = world.dump();
    for (words, said) in [
        (vec!["postpone", "G-1", "--to", "løbende"], "no new deadline"),
        (vec!["postpone", "G-1", "--to", "31. april 2027"], "31. april 2027"),
        (vec!["postpone", "G-1", "--to", "2027-02-30"], "no such day"),
        (vec!["postpone", "G-1", "--to", "12027-01-01"], "YYYY-MM-DD"),
        (vec!["snooze", "G-1", "chef", "--to", "2027-02-01"], "chef"),
        (vec!["snooze", "G-1", "led", "--to", "2026-12-01"], "nothing was changed"),
    ] {
        let ran = world.run_words(words.iter().copied().chain(["--on", FIRST_DAY]));
        ran.refused(65, &[said]);
        assert_eq!(world.dump(), before, "{words:?}");
    }
}

#[test]
fn pretending_a_day_never_reaches_people_nor_a_real_history() {
    let world = world(&[GOOD]);
    let before = world.dump();
    world.run("run --on 2027-02-05").refused(2, &["run lives in the present"]);
    let smtp = [("ADVIS__MAIL__TRANSPORT", "smtp"), ("ADVIS__SMTP__PORT", "1")];
    let refused = world.run_with("once --on 2027-02-05", &smtp);
    refused.refused(2, &["really go out", "--rehearsal"]);
    assert_eq!(world.dump(), before);
    // With --rehearsal it is tried: nothing listens there.
    let tried = world.run_with("once --on 2027-02-05 --rehearsal", &smtp).ended(75);
    assert!(tried.out.contains("due 1, sent 0"), "{}", tried.out);

    world.once_on(["2027-02-08"]);
    let real = "UPDATE messages SET rehearsal = 0";
    if world.sql(real).is_some() {
        world.run("once --on 2027-02-22").refused(2, &["real deliveries", "--rehearsal"]);
    }
}

#[test]
fn a_second_sender_is_sent_away_while_the_other_verbs_go_on() {
    let world = world(&[GOOD]);
    let before = world.dump();
    let lock = File::create(world.path("data/advis.db.lock")).unwrap();
    lock.lock().unwrap();
    for line in ["once --on 2027-02-05", "run"] {
        world.run(line).refused(75, &["another advis is sending from data/advis.db"]);
    }
    assert_eq!(world.dump(), before);
    world.run("list").ok();
    world.run("postpone G-1 --to 2027-03-05 --on 2027-01-05").ok();
    lock.unlock().unwrap();
    world.run("once --on 2027-02-05").ok();
}
