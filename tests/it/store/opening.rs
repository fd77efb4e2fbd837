//! Opening: what is taken for a store, and what is not.

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

#[tokio::test]
async fn only_one_process_may_send() {
    let world = world().await;
    let lock = world.store.lock_sender().unwrap();
    let other = Store::open(&world.path).await.unwrap();
    assert!(matches!(other.lock_sender(), Err(Error::SenderRuns { .. })));
    drop(lock);
    other.lock_sender().unwrap();
}
