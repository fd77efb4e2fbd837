//! The whole way: from the link to the page, to the form, to the store and the outbox, and back.

use super::site::{Site, body};

#[tokio::test]
async fn done_in_two_clicks_and_taken_back_in_one() {
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    let link = site.link("A", "nora");
    let page = site.get(&link).await;
    page.says(&[
        "Status på dagcentrene",
        "Frist om 133 dage: onsdag den 31. marts 2027.",
        "Vi har læst »ultimo marts 2027« som 21.–31. marts 2027.",
        "Indstilling om dagcentre, dateret 1. oktober 2026",
        "Der gives en status ultimo marts 2027.",
        "Nora Nord",
        "Markér som udført",
        "Udsæt påmindelsen",
    ]);
    let form = site.get(&format!("{link}/done")).await;
    form.says(&["Vil du markere opgaven som udført?", "Ja, markér som udført", "Nej, gå tilbage"]);
    assert_eq!(site.status("A").await, "open", "a form does nothing by being looked at");

    let receipt = site.submit(&format!("{link}/done"), &[("remark", "Sendt til udvalget")]).await;
    receipt.says(&[
        "Tak. Opgaven er markeret som udført",
        "Det er registreret den 18. november 2026 kl. 8.00. Du får ikke flere påmindelser om den.",
        "Din bemærkning: »Sendt til udvalget«",
        "Fortryd",
    ]);
    assert_eq!(site.status("A").await, "done");
    assert_eq!(site.events().await, ["nora (page) done", "nora (page) remarked"]);
    site.get(&link).await.says(&[
        "Opgaven er markeret som udført af dig den 18. november 2026 kl. 8.00.",
        "Frist: onsdag den 31. marts 2027.",
    ]);

    let undo = site.post(&format!("{link}/undo"), &body(&receipt, &[])).await;
    site.follow(undo).await.says(&["Opgaven er åben igen", "Du får påmindelser om den som før."]);
    assert_eq!(site.status("A").await, "open");
    assert_eq!(site.events().await.last().unwrap(), "nora (page) reopened");
    assert_eq!(site.notices().await, ["nora A receipt", "sek A remarked"], "nobody else is told");
}

#[tokio::test]
async fn the_others_hear_who_did_it_and_see_it_on_their_own_page() {
    let site = Site::new().await;
    site.promise("A", &["nora", "ellen"]).await;
    site.submit(&format!("{}/done", site.link("A", "nora")), &[]).await;
    assert_eq!(site.notices().await, ["nora A receipt", "ellen A done"]);
    let mail = site.strings("SELECT CAST(mime AS TEXT) FROM message_bytes ORDER BY message").await;
    assert!(mail[1].contains("Nora Nord marked the task as done."), "{}", mail[1]);
    let page = site.get(&site.link("A", "ellen")).await;
    page.says(&["The task was marked as done by Nora Nord on 18 November 2026 at 8.00.", "Done"]);
    assert!(!page.text().contains("Undo"), "only who did it takes it back");
    assert!(!page.body.contains("/done\""), "there is nothing left to do");
}

#[tokio::test]
async fn what_the_secretariat_did_is_told_as_such_and_not_to_be_undone() {
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    let link = site.link("A", "nora");
    let form = site.get(&format!("{link}/done")).await;
    site.sql(
        "UPDATE commitments SET status = 'done' WHERE reference = 'A';
         UPDATE windows SET closed_on = '2026-11-18', closed_as = 'done';
         INSERT INTO events (at, who, what, commitment) VALUES ('2026-11-18T06:59:00.000Z', 'nora', 'done', 'A')",
    )
    .await;
    let said = "Opgaven er markeret som udført af sekretariatet den 18. november 2026 kl. 7.59.";
    let page = site.get(&link).await;
    page.says(&[said]);
    assert!(!page.text().contains("Fortryd"));
    let posted = site.post(&format!("{link}/done"), &body(&form, &[])).await;
    site.follow(posted).await.says(&["Opgaven er ændret, siden du åbnede siden", said]);
}

#[tokio::test]
async fn reminders_wait_as_long_as_asked_and_no_longer_when_taken_back() {
    let site = Site::new().await;
    site.promise("A", &["nora", "sune"]).await;
    let snooze = format!("{}/snooze", site.link("A", "nora"));
    site.get(&snooze).await.says(&["1 uge", "onsdag den 25. november 2026", "1 måned"]);
    let until = "SELECT leader || ' ' || until FROM snoozes";
    for (fields, day, words) in [
        (&[("until", "week")][..], "2026-11-25", "onsdag den 25. november 2026"),
        (&[("until", "fortnight")][..], "2026-12-02", "onsdag den 2. december 2026"),
        (&[("until", "month")][..], "2026-12-18", "fredag den 18. december 2026"),
        (
            &[("until", "date"), ("date", "2027-01-04")][..],
            "2027-01-04",
            "mandag den 4. januar 2027",
        ),
    ] {
        let receipt = site.submit(&snooze, fields).await;
        receipt.says(&[&format!(
            "Du får ingen påmindelser om opgaven før {words}. Fristen er den samme."
        )]);
        assert_eq!(site.strings(until).await, [format!("nora {day}")]);
    }
    let receipt = site.get(&site.link("A", "nora")).await;
    receipt.says(&["Du har udsat påmindelserne til mandag den 4. januar 2027.", "Fortryd"]);
    let undo = site.post(&format!("{}/undo", site.link("A", "nora")), &body(&receipt, &[])).await;
    site.follow(undo).await.says(&["Påmindelserne venter ikke længere"]);
    assert_eq!(site.strings(until).await, [""; 0]);
}

#[tokio::test]
async fn what_was_typed_wrong_is_said_beside_the_field_and_kept() {
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    let snooze = format!("{}/snooze", site.link("A", "nora"));
    for (date, words) in [
        ("2026-11-18", "Vælg en dato, der ligger efter i dag."),
        ("i overmorgen", "Skriv en dato"),
        ("2028-01-01", "Vælg en dato inden for det næste år."),
    ] {
        let page = site.submit(&snooze, &[("until", "date"), ("date", date)]).await;
        assert_eq!(page.status, 422);
        page.says(&[words, "Der mangler noget"]);
        for part in ["aria-invalid=\"true\"", "role=\"alert\"", &format!("value=\"{date}\"")] {
            assert!(page.body.contains(part), "{part}: {}", page.body);
        }
    }
    let long = "æ".repeat(1_001);
    let page = site.submit(&format!("{}/done", site.link("A", "nora")), &[("remark", &long)]).await;
    page.says(&["Teksten er for lang", &long]);
    assert_eq!(site.events().await, [""; 0]);
}

#[tokio::test]
async fn a_deputy_acts_for_the_one_who_is_away() {
    let site = Site::new().await;
    site.promise("A", &["ida"]).await;
    let link = site.link("A", "sune");
    site.get(&link).await.says(&["registreret på dig som stedfortræder for Ida Lund"]);
    site.submit(&format!("{link}/snooze"), &[("until", "week")]).await;
    assert_eq!(site.strings("SELECT leader FROM snoozes").await, ["ida"]);
    site.on("2027-01-05");
    let page = site.get(&link).await;
    page.says(&["Du står ikke længere som ansvarlig for opgaven."]);
    assert!(!page.body.contains("/done\""));
}

#[tokio::test]
async fn a_list_of_deadlines_is_done_one_at_a_time() {
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    site.sql("INSERT INTO windows (commitment, number, opens, due) VALUES ('A', 2, '2027-06-01', '2027-06-30')").await;
    let link = site.link("A", "nora");
    let receipt = site.submit(&format!("{link}/done"), &[]).await;
    receipt.says(&[
        "Tak. Fristen er markeret som udført",
        "har en frist til",
        "onsdag den 30. juni 2027",
    ]);
    let page = site.get(&link).await;
    page.says(&["Du markerede den forrige frist som udført", "Markér som udført", "Fortryd"]);
}

#[tokio::test]
async fn what_comes_again_is_done_for_this_time_and_its_next_time_is_shown() {
    let site = Site::new().await;
    site.sql(
        "INSERT INTO commitments (reference, title, kind, phrase, adopted_on)
             VALUES ('R', 'Brandtilsyn', 'status', 'hvert år i november', '2025-01-01');
         INSERT INTO responsibilities (commitment, leader) VALUES ('R', 'nora');",
    )
    .await;
    site.read_new().await;
    let link = site.link("R", "nora");
    site.get(&link).await.says(&["mandag den 30. november 2026", "denne gang læst"]);
    let form = site.get(&format!("{link}/done")).await;
    let posted = body(&form, &[]);
    for _ in 0..2 {
        let got = site.post(&format!("{link}/done"), &posted).await;
        site.follow(got).await.says(&["Tak. Fristen er markeret som udført"]);
    }
    assert_eq!(site.status("R").await, "open");
    site.on("2026-11-19");
    let page = site.get(&link).await;
    page.says(&["Du markerede den forrige frist som udført", "tirsdag den 30. november 2027"]);
    // An old form is about the time before.
    let got = site.post(&format!("{link}/done"), &posted).await;
    assert_eq!(got.status, 403, "or too old anyway");
    site.submit(&format!("{link}/snooze"), &[("until", "week")]).await.says(&["Tak. Påm"]);
    let receipt = site.submit(&format!("{link}/done"), &[]).await;
    receipt.says(&["Tak. Fristen er markeret som udført"]);
    let closed = "SELECT due FROM windows WHERE closed_as = 'done' ORDER BY due";
    assert_eq!(site.strings(closed).await, ["2026-11-30", "2027-11-30"]);
}
