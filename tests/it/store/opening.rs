//! Opening: what is taken for a store, and what is not.

use std::os::unix::fs::FileExt;
use std::time::Duration;

use super::*;

#[tokio::test]
async fn a_new_store_gets_its_folder_its_tables_and_a_name_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/book/advis.db");
    let store = Store::open(&path).await.unwrap();
    let instance = store.instance().await.unwrap();
    assert_eq!(instance.len(), 32);
    store.close().await.unwrap();
    let names: Vec<_> =
        fs::read_dir(path.parent().unwrap()).unwrap().map(|one| one.unwrap().file_name()).collect();
    assert_eq!(names, ["advis.db"], "a closed store is one file");
    let again = Store::open_existing(&path).await.unwrap();
    assert_eq!(again.instance().await.unwrap(), instance);
}

#[tokio::test]
async fn what_is_no_store_of_ours_is_refused_in_words_that_help() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.db");
    let text = Store::open_existing(&missing).await.unwrap_err().to_string();
    assert!(text.contains("none.db") && text.contains("advis import"), "{text}");
    assert!(!missing.exists());

    let letter = folder.path().join("letter.db");
    fs::write(&letter, "Kære alle sammen, her er et brev og ikke en database. ".repeat(20))
        .unwrap();
    assert!(matches!(Store::open(&letter).await, Err(Error::NotADatabase { .. })));
    assert!(fs::read_to_string(&letter).unwrap().starts_with("Kære"));

    let foreign = folder.path().join("foreign.db");
    let options = SqliteConnectOptions::new().filename(&foreign).create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    connection.execute("CREATE TABLE songs (name TEXT)").await.unwrap();
    connection.close().await.unwrap();
    assert!(matches!(Store::open(&foreign).await, Err(Error::NotADatabase { .. })));

    let blocked = letter.join("advis.db");
    assert!(matches!(Store::open(&blocked).await, Err(Error::Unwritable { .. })));
    let text = Store::open(folder.path()).await.unwrap_err().to_string();
    assert!(text.contains("cannot be written"), "{text}");
}

#[tokio::test]
async fn a_file_that_may_only_be_read_is_refused() {
    let world = world().await;
    let World { store, path, _folder } = world;
    store.close().await.unwrap();
    let mut rights = fs::metadata(&path).unwrap().permissions();
    rights.set_readonly(true);
    fs::set_permissions(&path, rights).unwrap();
    match fs::File::options().append(true).open(&path).map_err(|error| error.kind()) {
        Err(io::ErrorKind::PermissionDenied) => {
            let result = Store::open(&path).await;
            assert!(matches!(result, Err(Error::Unwritable { .. })), "{result:?}");
        }
        _ => eprintln!("skipped: this user may write any file"),
    }
}

#[tokio::test]
async fn the_store_of_a_newer_advis_is_left_alone() {
    let world = world().await;
    world.sql("INSERT INTO _sqlx_migrations VALUES (99, 'later', '2030-01-01', 1, x'00', 1)").await;
    let text = Store::open(&world.path).await.unwrap_err().to_string();
    assert!(text.contains("newer Advis (schema 99"), "{text}");
}

/// A store with some pages in it, closed.
async fn grown() -> (TempDir, PathBuf) {
    let World { store, path, _folder } = staffed().await;
    let text = "x".repeat(300);
    let sql = format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2000)
         INSERT INTO commitments (reference, title) SELECT 'C-' || n, '{text}' FROM n"
    );
    let mut connection = connect(&path).await;
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
    connection.close().await.unwrap();
    store.close().await.unwrap();
    (_folder, path)
}

#[tokio::test]
async fn a_store_that_was_cut_short_is_damaged_wherever_the_cut_is_and_is_left_as_it_is() {
    let (_folder, path) = grown().await;
    let whole = fs::read(&path).unwrap();
    assert!(whole.len() > 100_000, "{}", whole.len());
    for kept in [0, 1, 50, 100, 512, 4_095, 4_096, 4_097, 8_192, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..kept]).unwrap();
        let error = Store::open_existing(&path).await.unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{kept} bytes: {error}");
        assert_eq!(fs::read(&path).unwrap(), &whole[..kept], "{kept} bytes");
    }
    fs::write(&path, &whole).unwrap();
    Store::open_existing(&path).await.unwrap();
}

#[tokio::test]
async fn an_emptied_file_becomes_no_new_store_where_senders_were_at_work() {
    let world = staffed().await;
    let lock = world.store.lock_sender().unwrap();
    world.store.begin_generation(&lock).await.unwrap();
    drop(lock);
    let World { store, path, _folder } = world;
    store.close().await.unwrap();
    fs::write(&path, "").unwrap();
    let text = Store::open(&path).await.unwrap_err().to_string();
    assert!(text.contains("is empty") && text.contains("restore a backup"), "{text}");
    assert_eq!(fs::read(&path).unwrap(), b"");

    fs::remove_file(folder_file(&path, "advis.db.lock")).unwrap();
    Store::open(&path).await.unwrap();
}

fn folder_file(path: &Path, name: &str) -> PathBuf {
    path.with_file_name(name)
}

#[tokio::test]
async fn pages_that_contradict_each_other_are_told_as_damage_by_check_and_by_whoever_meets_them() {
    let (_folder, path) = grown().await;
    let mut bytes = fs::read(&path).unwrap();
    // The header and the list of tables stay whole.
    let from = bytes.len() * 3 / 4;
    bytes[from..].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    let store = Store::open_existing(&path).await.unwrap();
    let text = store.check_file().await.unwrap_err().to_string();
    assert!(text.contains("the store is damaged") && text.contains("restore a backup"), "{text}");
    let met = store.book(Which::All).await;
    assert!(matches!(met, Err(Error::Damaged { .. })), "{met:?}");
    let copy = folder_file(&path, "copy.db");
    assert!(matches!(store.back_up(&copy).await, Err(Error::Damaged { .. })));
    assert!(!copy.exists() && !folder_file(&path, "copy.db.part").exists());
    drop(store);
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[tokio::test]
async fn a_sound_file_is_sound() {
    let (_folder, path) = grown().await;
    Store::open_existing(&path).await.unwrap().check_file().await.unwrap();
}

#[tokio::test]
async fn another_program_that_does_not_let_go_is_waited_for_and_then_named() {
    let World { store, path, _folder } = staffed().await;
    store.close().await.unwrap();
    let patience = Duration::from_millis(50);
    let store = Store::open_patiently(&path, patience).await.unwrap();
    let mut other = connect(&path).await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let result = store.hold_restored(&stamp("2020-01-02")).await;
    let text = result.unwrap_err().to_string();
    assert!(
        text.contains("another process is writing into") && text.contains("try again"),
        "{text}"
    );
    // Reading goes on, and so does opening.
    store.book(Which::All).await.unwrap();
    Store::open_patiently(&path, patience).await.unwrap();
    other.execute("ROLLBACK").await.unwrap();
    assert!(store.hold_restored(&stamp("2020-01-02")).await.unwrap());
    other.close().await.unwrap();
    store.close().await.unwrap();

    // A program that has the file to itself lets nobody in at all.
    let mut other = connect(&path).await;
    other.execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").await.unwrap();
    let shut_out = Store::open_patiently(&path, patience).await;
    assert!(matches!(shut_out, Err(Error::Busy { .. })), "{shut_out:?}");
    other.close().await.unwrap();
    Store::open_patiently(&path, patience).await.unwrap();
}

#[tokio::test]
async fn only_one_process_may_send() {
    let world = world().await;
    let lock = world.store.lock_sender().unwrap();
    let other = Store::open(&world.path).await.unwrap();
    assert!(matches!(other.lock_sender(), Err(Error::SenderRuns { .. })));
    drop(lock);
    other.lock_sender().unwrap();
}

#[tokio::test]
async fn a_lock_file_that_cannot_be_written_is_named() {
    let world = world().await;
    let lock = folder_file(&world.path, "advis.db.lock");
    fs::create_dir(&lock).unwrap();
    let text = world.store.lock_sender().unwrap_err().to_string();
    assert!(text.contains("advis.db.lock cannot be written"), "{text}");
}

#[tokio::test]
async fn each_generation_is_in_the_store_before_it_is_beside_it() {
    let world = world().await;
    let lock = world.store.lock_sender().unwrap();
    let path = folder_file(&world.path, "advis.db.lock");
    let instance = world.store.instance().await.unwrap();
    for generation in 1..=12 {
        world.store.begin_generation(&lock).await.unwrap();
        assert_eq!(world.store.meta("generation").await.unwrap(), Some(generation.to_string()));
        let left = fs::read_to_string(&path).unwrap();
        assert_eq!(left, format!("{instance} {generation:019}\n"));
        assert_eq!(world.store.on_hold().await.unwrap(), None);
        // Killed before the file was written.
        let written = fs::File::options().write(true).open(&path).unwrap();
        written.write_all_at(format!("{instance} {:019}\n", generation - 1).as_bytes(), 0).unwrap();
        assert_eq!(world.store.on_hold().await.unwrap(), None);
    }
}
