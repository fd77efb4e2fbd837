//! Every statement against the tables, and the tables against nonsense.

use super::*;

/// The text of every `const NAME: &str = "…";` in `source` that is a statement.
fn statements(source: &str) -> Vec<(String, String)> {
    source
        .split("const ")
        .skip(1)
        .filter_map(|rest| {
            let (name, rest) = rest.split_once(": &str = \"")?;
            let (text, _) = rest.split_once("\";")?;
            let text = text.replace("\\\n", "\n");
            let verb = text.split_whitespace().next()?;
            let is_sql = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].contains(&verb);
            (is_sql && !name.contains('\n')).then(|| (name.to_owned(), text))
        })
        .collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .collect()
}

#[tokio::test]
async fn every_statement_fits_the_tables_and_counts_its_parameters_from_one() {
    let world = world().await;
    let mut connection = connect(&world.path).await;
    let mut count = 0;
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store")) {
        for (name, sql) in statements(&fs::read_to_string(&path).unwrap()) {
            let what = format!("{name} in {}", path.display());
            let prepared =
                (&mut connection).prepare(AssertSqlSafe(sql.clone()).into_sql_str()).await;
            let prepared = prepared.unwrap_or_else(|error| panic!("{what}: {error}"));
            let bound = prepared.parameters().unwrap().right().unwrap();
            let named: BTreeSet<usize> = sql
                .split('$')
                .skip(1)
                .filter_map(|rest| {
                    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                    rest[..digits].parse().ok()
                })
                .collect();
            assert_eq!(named, (1..=bound).collect(), "{what}");
            count += 1;
        }
    }
    assert!(count > 40, "only {count} statements were found");
}

#[tokio::test]
async fn the_tables_refuse_what_makes_no_sense() {
    let world = staffed().await;
    world
        .sql(
            "INSERT INTO commitments(reference, title) VALUES ('A', 'a');
             INSERT INTO messages(id, purpose, day, sender, recipient, address_key, name, subject,
                 message_id, state, frozen_at)
             VALUES (1, 'own', '2020-01-31', '', '', '', '', '', 'm', 'ready', '')",
        )
        .await;
    for sql in [
        "INSERT INTO commitments(reference, title) VALUES (' ', 'a')",
        "INSERT INTO commitments(reference, title, status) VALUES ('B', 'b', 'later')",
        "INSERT INTO commitments(reference, title, document_date) VALUES ('B', 'b', '2020-02-30')",
        "INSERT INTO windows(commitment, opens, due) VALUES ('A', '2020-02-01', '2020-01-31')",
        "INSERT INTO windows(commitment, opens, due) VALUES ('A', '1.2.2020', '2020-01-31')",
        "INSERT INTO windows(commitment, opens, number) VALUES ('A', '2020-01-31', 5000000000)",
        "INSERT INTO windows(commitment, opens, revision) VALUES ('A', '2020-01-31', 5000000000)",
        "INSERT INTO commitments(reference, title, revision) VALUES ('B', 'b', 5000000000)",
        "INSERT INTO commitments(reference, title, written_on) VALUES ('B', 'b', 'today')",
        "INSERT INTO responsibilities(commitment, leader, position) VALUES ('A', 'nord', 5000000000)",
        "INSERT INTO responsibilities(commitment, leader) VALUES ('A', 'nobody')",
        "INSERT INTO events(at, who, what) VALUES ('', '', ''); DELETE FROM events",
        "INSERT INTO rule_steps(kind, step, days) VALUES ('k', 'later', 1)",
        "INSERT INTO reminders(commitment, revision, window, step, leader, planned_on, moved_on)
         VALUES ('A', 1, 1, 'before:', 'nord', '2020-01-31', '2020-01-31')",
        "INSERT INTO messages(purpose, day, sender, recipient, address_key, name, subject, message_id,
             state, frozen_at) VALUES ('own', '2020-01-31', '', '', '', '', '', 'x', 'accepted', '')",
        "INSERT INTO attempts(message, attempt, at, state) VALUES (1, 1, '', 'open')",
        "INSERT INTO attempts(message, attempt, at, state)
         VALUES (1, 1, '', 'held'), (1, 1, '', 'held')",
        "UPDATE leaders SET deputy = reference",
    ] {
        assert!(world.try_sql(sql).await.is_err(), "{sql}");
    }
}
