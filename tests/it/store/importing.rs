//! Import: what changes, what stands, what is refused.

use super::*;

fn leader(reference: &str, others: &[(&'static str, &str)]) -> ImportedLeader {
    let email = format!("{reference}@kommune.example");
    let mut all = cells(&[("name", reference), ("email", &email)]);
    all.extend(cells(others));
    ImportedLeader { reference: reference.to_owned(), cells: all }
}

fn both() -> Import {
    let full = [
        ("kind", "status"),
        ("organisation", "Aaby Kommune"),
        ("document", "Budget"),
        ("document_date", "2019-05-15"),
        ("section", "2.1"),
        ("quote", "Planen er klar."),
        ("confidential", "1"),
        ("responsible", "syd;nord"),
    ];
    Import {
        leaders: vec![
            leader("nord", &[("manager", "vest"), ("language", "en")]),
            leader("syd", &[("deputy", "nord"), ("active_to", "2021-12-31")]),
            leader("vest", &[]),
        ],
        commitments: vec![
            row("A", "juni 2020", &full, june()),
            row("B", "løbende", &[], Err(Undated::Ongoing)),
            row(
                "C",
                "5.12.2019",
                &[],
                Ok(deadline(&[Window::day(day("2019-12-05"))], Confidence::High)),
            ),
            row("D", "", &[("status", "done"), ("deadline", "")], Err(Undated::NoDateGiven)),
        ],
    }
}

#[tokio::test]
async fn everything_new_is_counted_and_what_needs_care_is_named() {
    let world = world().await;
    let report = world.store.import(both(), &stamp("2020-01-02"), false).await.unwrap();
    assert_eq!(report.leaders.new, ["nord", "syd", "vest"]);
    assert_eq!(report.commitments.new, ["A", "B", "C", "D"]);
    assert_eq!(report.needs_date, [("B".to_owned(), "ongoing".to_owned())]);
    assert_eq!(report.already_overdue, [("C".to_owned(), day("2019-12-05"))]);
    assert_eq!((report.touched.len(), report.commitments.changed.len()), (0, 0));

    let one = world.one("A").await;
    assert_eq!((one.kind.as_str(), one.organisation.as_str()), ("status", "Aaby Kommune"));
    assert_eq!(
        (one.source.document.as_str(), one.source.quote.as_str()),
        ("Budget", "Planen er klar.")
    );
    assert_eq!((one.confidential, one.phrase.as_str()), (true, "juni 2020"));
    assert_eq!((one.reference_date, one.adoption), (day("2019-05-15"), day("2020-01-02")));
    assert_eq!(leaders_of(&one), [("syd", None), ("nord", None)]);
    assert_eq!(world.one("D").await.status, Status::Done);
    assert_eq!(
        world.value("SELECT adopted_on FROM commitments WHERE reference = 'B'").await,
        "2020-01-02"
    );
}

#[tokio::test]
async fn the_same_sheets_again_change_nothing_at_all() {
    let world = world().await;
    world.store.import(both(), &stamp("2020-01-02"), false).await.unwrap();
    let before = world.dump().await;
    let report = world.store.import(both(), &stamp("2020-02-03"), false).await.unwrap();
    assert_eq!((report.leaders.unchanged, report.commitments.unchanged), (3, 4));
    assert_eq!(world.dump().await, before);
}

#[tokio::test]
async fn a_dry_run_says_the_same_and_does_nothing() {
    let world = world().await;
    let before = world.dump().await;
    let dry = world.store.import(both(), &stamp("2020-01-02"), true).await.unwrap();
    assert_eq!(world.dump().await, before);
    let wet = world.store.import(both(), &stamp("2020-01-02"), false).await.unwrap();
    assert_eq!(dry, wet);
}

#[tokio::test]
async fn only_cells_that_differ_from_the_last_import_change_the_book() {
    let world = staffed().await;
    let first = row("A", "juni 2020", &[("title", "En plan"), ("section", "1")], june());
    world.import(&[first.clone(), row("B", "juni 2020", &[], june())]).await;
    committed(world.store.assign("A", &["syd"], &stamp("2020-01-03"))).await;
    let summer = Window::day(day("2020-08-01"));
    committed(world.store.postpone("A", summer, None, "ferie", &stamp("2020-01-03"))).await;

    let mut second = first;
    second.cells.extend(cells(&[("title", "En ny plan"), ("section", "")]));
    let report = world.import(&[second.clone()]).await;
    let changes: Vec<_> = report
        .commitments
        .changed
        .iter()
        .map(|one| {
            (one.reference.as_str(), one.column.as_str(), one.old.as_str(), one.new.as_str())
        })
        .collect();
    assert_eq!(changes, [("A", "title", "En plan", "En ny plan")]);
    assert_eq!(report.touched, ["A"]);
    let one = world.one("A").await;
    assert_eq!(leaders_of(&one), [("syd", Some(day("2020-01-03")))]);
    assert_eq!((one.revision, one.phrase.as_str()), (2, "2020-08-01"));
    assert_eq!(one.source.section, "1", "an empty cell changes nothing");
    assert_eq!(world.references(Which::All).await, ["A", "B"], "a missing row is left alone");

    second.cells.extend(cells(&[("responsible", "nord;syd"), ("deadline", "2020-08-01")]));
    let report = world.import(&[second]).await;
    let changed: Vec<_> =
        report.commitments.changed.iter().map(|one| one.column.as_str()).collect();
    assert_eq!(changed, ["responsible"], "the sheet caught up with the new deadline");
    let one = world.one("A").await;
    assert_eq!(
        leaders_of(&one),
        [("nord", Some(day("2020-01-02"))), ("syd", Some(day("2020-01-03")))]
    );
    let events = world.store.events("A").await.unwrap();
    let what: Vec<_> = events.iter().map(|event| event.what.as_str()).collect();
    assert_eq!(what, ["imported", "assigned", "postponed", "changed", "changed"]);
    assert_eq!(events[3].detail["title"][1], "En ny plan");
}

#[tokio::test]
async fn a_changed_deadline_is_a_new_revision_and_the_reference_date_follows_the_sheet() {
    let world = staffed().await;
    world.import(&[row("A", "juni 2020", &[("adopted_on", "2019-11-01")], june())]).await;
    world
        .sql(
            "INSERT INTO reminders(commitment, revision, window, step, leader, planned_on, moved_on)
             VALUES ('A', 1, 1, 'due', 'nord', '2020-06-30', '2020-06-30')",
        )
        .await;
    let adopted = Some(day("2019-11-01"));
    let kept = KeptDates { document_date: None, adopted_on: adopted, reference_date: adopted };
    let dates = world.store.kept_dates(&["A", "Z"]).await.unwrap();
    assert_eq!(dates, BTreeMap::from([("A".to_owned(), kept)]));

    let may = Ok(deadline(&[span("2020-05-01", "2020-05-31")], Confidence::AssumedYear));
    let changed = row("A", "maj", &[("adopted_on", "2019-12-01")], may);
    let import = Import { leaders: Vec::new(), commitments: vec![changed] };
    let report = world.store.import(import, &stamp("2020-01-10"), false).await.unwrap();
    assert_eq!(report.touched, ["A"]);
    let one = world.one("A").await;
    assert_eq!((one.revision, one.confidence), (2, Some(Confidence::AssumedYear)));
    assert_eq!(days_of(&one), ["2020-05-01..2020-05-31"]);
    assert_eq!((one.adoption, one.reference_date), (day("2020-01-10"), day("2019-12-01")));
    assert_eq!(world.value("SELECT state FROM reminders").await, "cancelled");

    let undated = row("A", "løbende", &[], Err(Undated::Ongoing));
    let report = world.import(&[undated]).await;
    assert_eq!(report.needs_date, [("A".to_owned(), "ongoing".to_owned())]);
    let one = world.one("A").await;
    assert_eq!((one.status, one.confidence, one.windows.len()), (Status::NeedsDate, None, 0));
}

#[tokio::test]
async fn a_sheet_closes_commitments_and_never_reopens_one() {
    let world = staffed().await;
    let with = |status: &str| row("A", "juni 2020", &[("status", status)], june());
    world.import(&[with("")]).await;
    world.import(&[with("done")]).await;
    let one = world.one("A").await;
    assert_eq!((one.status, open_numbers(&one)), (Status::Done, vec![]));
    let report = world.import(&[with("open")]).await;
    assert_eq!((report.commitments.changed.len(), report.commitments.unchanged), (0, 1));
    assert_eq!(world.one("A").await.status, Status::Done);
    committed(world.store.reopen(&["A"], &stamp("2020-01-05"))).await;
    world.import(&[with("open")]).await;
    assert_eq!(world.one("A").await.status, Status::Open);
    world.import(&[with("needs_date")]).await;
    assert_eq!(world.one("A").await.status, Status::NeedsDate);
    world.import(&[with("open")]).await;
    assert_eq!(world.one("A").await.status, Status::Open, "a sheet may release what it held");
    world.import(&[with("cancelled")]).await;
    assert_eq!(world.one("A").await.status, Status::Cancelled);
}

#[tokio::test]
async fn every_wrong_cell_is_named_and_nothing_is_imported() {
    let world = world().await;
    let before = world.dump().await;
    let import = Import {
        leaders: vec![
            leader(
                "nord",
                &[("manager", "nord"), ("active_from", "2020-02-01"), ("active_to", "2020-01-01")],
            ),
            leader("syd", &[("email", ""), ("language", "kl")]),
        ],
        commitments: vec![
            row(
                "A",
                "juni 2020",
                &[("responsible", "nord;bo"), ("document_date", "i går")],
                june(),
            ),
            row(
                "B",
                "juni 2020",
                &[("title", ""), ("status", "later"), ("confidential", "x")],
                june(),
            ),
        ],
    };
    let error = world.store.import(import, &stamp("2020-01-02"), false).await.unwrap_err();
    let Error::Import { problems } = &error else { panic!("{error}") };
    let mut cells: Vec<_> = problems
        .iter()
        .map(|one| (one.table, one.reference.as_str(), one.column.as_str()))
        .collect();
    cells.sort_unstable();
    for cell in [
        ("commitments", "A", "document_date"),
        ("commitments", "A", "responsible"),
        ("commitments", "B", "confidential"),
        ("commitments", "B", "status"),
        ("commitments", "B", "title"),
        ("leaders", "nord", "active_to"),
        ("leaders", "nord", "manager"),
        ("leaders", "syd", "email"),
        ("leaders", "syd", "language"),
    ] {
        assert!(cells.contains(&cell), "{cell:?} in {cells:?}");
    }
    let told: Vec<_> = problems.iter().map(|one| one.what.as_str()).collect();
    assert!(told.iter().any(|what| what.contains("\"bo\" is no leader")), "{told:?}");
    assert!(!told.iter().any(|what| what.contains("\"nord\" is no leader")), "{told:?}");
    assert!(
        error.to_string().contains("commitments A, document_date: \"i går\" is no day"),
        "{error}"
    );
    assert_eq!(world.dump().await, before);
}

#[tokio::test]
async fn managers_must_be_there_and_form_no_circle() {
    let world = world().await;
    let import = |rows: &[(&str, &str)]| Import {
        leaders: rows.iter().map(|(one, manager)| leader(one, &[("manager", manager)])).collect(),
        commitments: Vec::new(),
    };
    let told = async |rows: &[(&str, &str)]| match world
        .store
        .import(import(rows), &stamp("2020-01-02"), false)
        .await
    {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    };
    assert!(told(&[("nord", "vest")]).await.contains("\"vest\" is no leader"));
    assert_eq!(told(&[("nord", "vest"), ("vest", "top"), ("top", "")]).await, "");
    let circle = told(&[("top", "nord")]).await;
    assert!(circle.contains("leaders top, manager: the chain of managers comes back"), "{circle}");
}

#[tokio::test]
async fn a_large_sheet_goes_in_whole() {
    let world = staffed().await;
    let number: usize = std::env::var("ADVIS_ROWS").map_or(2_500, |rows| rows.parse().unwrap());
    let rows: Vec<ImportedCommitment> = (0..number)
        .map(|number| {
            row(&format!("R-{number:06}"), "juni 2020", &[("responsible", "nord;syd")], june())
        })
        .collect();
    let report = world.import(&rows).await;
    assert_eq!(report.commitments.new.len(), number);
    assert_eq!(world.import(&rows).await.commitments.unchanged, number);
    let book = world.book(Which::Open).await;
    assert_eq!(book.len(), number);
    assert!(book.iter().all(|one| one.responsible.len() == 2 && one.windows.len() == 1));
}

/// Rows in the order of a sheet that is not that of the references.
fn backwards(number: usize, title: &str) -> Vec<ImportedCommitment> {
    let row = |number| row(&format!("R-{number}"), "juni 2020", &[("title", title)], june());
    (0..number).rev().map(row).collect()
}

#[tokio::test]
async fn where_one_page_of_a_sheet_ends_and_the_next_begins_cannot_be_seen() {
    for number in [999, 1_000, 1_001, 2_000] {
        let world = staffed().await;
        let rows = backwards(number, "En plan");
        let report = world.import(&rows).await;
        assert!(report.commitments.new.iter().eq(rows.iter().map(|row| &row.reference)));
        let (mut same, mut other) = (rows, backwards(number, "En anden plan"));
        for at in [0, number / 2, number - 1] {
            std::mem::swap(&mut same[at], &mut other[at]);
        }
        let report = world.import(&same).await;
        let changed: Vec<_> = report.commitments.changed.iter().map(|one| &one.reference).collect();
        let swapped = [0, number / 2, number - 1].map(|at| &same[at].reference);
        assert_eq!((changed.as_slice(), report.touched.len()), (&swapped[..], 3));
        assert_eq!(report.commitments.unchanged, number - 3);
        let told = "SELECT group_concat(commitment) FROM events WHERE what = 'changed'";
        assert_eq!(world.value(told).await, swapped.map(String::as_str).join(","));
    }
}

#[tokio::test]
async fn a_mistake_on_a_later_page_takes_back_the_earlier_ones() {
    let world = staffed().await;
    let before = world.dump().await;
    let mut commitments = backwards(1_500, "En plan");
    commitments[1_200].cells.insert("responsible", "bo".to_owned());
    let import = Import { leaders: Vec::new(), commitments };
    let error = world.store.import(import, &stamp("2020-01-02"), false).await.unwrap_err();
    let Error::Import { problems } = &error else { panic!("{error}") };
    assert_eq!(problems.iter().map(|one| one.reference.as_str()).collect::<Vec<_>>(), ["R-299"]);
    assert_eq!(world.dump().await, before);
}

#[tokio::test]
async fn a_window_that_was_done_stays_so_when_the_new_deadline_has_it_too() {
    let world = staffed().await;
    let (march, june) = (span("2020-03-01", "2020-03-31"), span("2020-06-01", "2020-06-30"));
    let read = |windows: &[Window]| Ok(deadline(windows, Confidence::High));
    world.import(&[row("A", "marts og juni", &[], read(&[march, june]))]).await;
    committed(world.store.done(&["A"], false, &stamp("2020-03-20"))).await;
    let september = span("2020-09-01", "2020-09-30");
    let three = read(&[march, june, september]);
    world.import(&[row("A", "marts, juni og september", &[], three)]).await;
    let one = world.one("A").await;
    assert_eq!((one.revision, open_numbers(&one)), (2, vec![2, 3]));
    assert_eq!(one.windows[0].closed_on, Some(day("2020-03-20")));

    world.import(&[row("A", "marts 2020", &[], read(&[march]))]).await;
    let one = world.one("A").await;
    assert_eq!((one.status, open_numbers(&one)), (Status::Done, vec![]), "nothing is left to do");
}

#[tokio::test]
async fn another_document_date_reads_the_deadline_anew_and_leaves_one_that_people_gave() {
    let world = staffed().await;
    let with = |reference: &str, date: &str, windows: &[Window]| ImportedCommitment {
        is_reread: date == "2021-05-15",
        ..row(
            reference,
            "juni",
            &[("document_date", date)],
            Ok(deadline(windows, Confidence::AssumedYear)),
        )
    };
    let first = [span("2020-06-01", "2020-06-30")];
    world.import(&["A", "B"].map(|one| with(one, "2020-05-15", &first))).await;
    let august = Window::day(day("2020-08-01"));
    committed(world.store.postpone("B", august, None, "", &stamp("2020-01-03"))).await;
    let second = [span("2021-06-01", "2021-06-30")];
    let report = world.import(&["A", "B"].map(|one| with(one, "2021-05-15", &second))).await;
    assert_eq!(report.touched, ["A", "B"]);
    let (one, other) = (world.one("A").await, world.one("B").await);
    assert_eq!((one.revision, days_of(&one)), (2, vec!["2021-06-01..2021-06-30".to_owned()]));
    assert_eq!((one.reference_date, one.status), (day("2021-05-15"), Status::Open));
    assert_eq!((other.revision, days_of(&other)), (2, vec!["2020-06-01..2020-08-01".to_owned()]));
    world.import(&["A"].map(|one| with(one, "2021-05-15", &second))).await;
    assert_eq!(world.one("A").await.revision, 2, "the same sheet again changes nothing");
}
