//! A task that somebody else should have: given to a colleague, or back to the secretariat.

use super::site::{Site, body};

const ANSWERING: &str =
    "SELECT leader FROM responsibilities WHERE commitment = 'A' ORDER BY position";

#[tokio::test]
async fn a_task_is_given_to_a_colleague_and_taken_back() {
    let site = Site::new().await;
    site.promise("A", &["nora", "vera"]).await;
    let link = site.link("A", "nora");
    let form = site.get(&format!("{link}/hand-over")).await;
    form.says(&["Hvem skal have opgaven?", "Sune Syd, Centerchef, Center Syd", "Ida Lund"]);
    for absent in ["Nora Nord, ", "Vera Vest", "Kaj Dam"] {
        assert!(!form.text().contains(absent), "{absent} has it already, or has left");
    }
    let receipt = site.submit(&format!("{link}/hand-over"), &[("to", "sune")]).await;
    receipt.says(&[
        "Tak. Opgaven er givet videre til Sune Syd",
        "Sune Syd og sekretariatet får besked, og du får ikke flere påmindelser om den.",
    ]);
    assert_eq!(site.strings(ANSWERING).await, ["sune", "vera"], "in the same place");
    let told = ["sune A handed_over", "nora A taken_over", "sek A given_on"];
    assert_eq!(site.notices().await, told);
    let page = site.get(&link).await;
    page.says(&["Du gav opgaven videre til Sune Syd den 18. november 2026 kl. 8.00.", "Fortryd"]);
    assert!(!page.body.contains("/done\""), "there is nothing left to do but that");
    site.get(&site.link("A", "sune")).await.says(&["Markér som udført", "Sune Syd og Vera Vest"]);

    let undo = site.post(&format!("{link}/undo"), &body(&receipt, &[])).await;
    site.follow(undo).await.says(&["Opgaven er din igen"]);
    assert_eq!(site.strings(ANSWERING).await, ["nora", "vera"]);
    assert_eq!(site.notices().await[3..], ["sune A taken_over", "sek A taken_back"]);
}

#[tokio::test]
async fn who_has_given_a_confidential_task_away_sees_no_more_of_it() {
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    site.sql("UPDATE commitments SET confidential = 1").await;
    let link = site.link("A", "nora");
    site.get(&link).await.says(&["Status på dagcentrene", "Der gives en status"]);
    let receipt = site.submit(&format!("{link}/hand-over"), &[("to", "sune")]).await;
    for page in [receipt, site.get(&link).await] {
        page.says(&["Sune Syd", "Fortryd", "onsdag den 31. marts 2027"]);
        for secret in ["dagcentrene", "Der gives en status", "Opfølgning"] {
            assert!(!page.body.contains(secret), "{secret}: {}", page.text());
        }
    }
}

#[tokio::test]
async fn a_task_goes_to_nobody_who_is_not_there_and_only_once() {
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    let hand_over = format!("{}/hand-over", site.link("A", "nora"));
    for to in ["", "kaj", "nora", "nobody", "sune' OR 1"] {
        let page = site.submit(&hand_over, &[("to", to)]).await;
        assert_eq!(page.status, 422, "{to}");
        page.says(&["Vælg en leder på listen."]);
    }
    assert_eq!(site.strings(ANSWERING).await, ["nora"]);
    let form = site.get(&hand_over).await;
    let (to_sune, to_ellen) = (body(&form, &[("to", "sune")]), body(&form, &[("to", "ellen")]));
    for posted in [&to_sune, &to_sune, &to_ellen] {
        let got = site.post(&hand_over, posted).await;
        site.follow(got).await.says(&["Tak. Opgaven er givet videre til Sune Syd"]);
    }
    assert_eq!(site.strings(ANSWERING).await, ["sune"]);
    assert_eq!(site.events().await, ["nora (page) assigned"]);
}

#[tokio::test]
async fn what_the_heir_has_done_is_not_undone_by_who_gave_it() {
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    let link = site.link("A", "nora");
    let receipt = site.submit(&format!("{link}/hand-over"), &[("to", "sune")]).await;
    site.submit(&format!("{}/done", site.link("A", "sune")), &[]).await;
    let got = site.post(&format!("{link}/undo"), &body(&receipt, &[])).await;
    site.follow(got).await.says(&["Opgaven er ændret", "markeret som udført af Sune Syd"]);
    assert_eq!(site.strings(ANSWERING).await, ["sune"]);
}

#[tokio::test]
async fn not_my_task_tells_the_secretariat_once_and_leaves_the_book_alone() {
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    let link = site.link("A", "nora");
    let not_mine = format!("{link}/not-mine");
    let form = site.get(&not_mine).await;
    form.says(&["Er det ikke din opgave?", "Nej, giv sekretariatet besked", "Jo, gå tilbage"]);
    let posted = body(&form, &[("remark", "Det er Center Syd")]);
    for _ in 0..2 {
        let got = site.post(&not_mine, &posted).await;
        site.follow(got).await.says(&["Tak. Sekretariatet får besked", "Det er Center Syd"]);
    }
    assert_eq!(site.notices().await, ["sek A not_mine"]);
    let mails = site.strings("SELECT subject FROM messages").await;
    assert_eq!(mails, ["Mangler en ansvarlig: Status på dagcentrene"]);
    assert_eq!(site.strings(ANSWERING).await, ["nora"]);
    let page = site.get(&link).await;
    page.says(&["Du har svaret, at det ikke er din opgave.", "Markér som udført", "Fortryd"]);
    assert!(!page.body.contains("/not-mine"), "it is said once");

    let undo = site.post(&format!("{link}/undo"), &body(&page, &[])).await;
    site.follow(undo).await.says(&["Opgaven er stadig din"]);
    assert_eq!(site.notices().await, ["sek A not_mine", "sek A mine_after_all"]);
    // And it may be said again.
    site.submit(&not_mine, &[]).await.says(&["Tak. Sekretariatet får besked"]);
    assert_eq!(site.notices().await.len(), 3);
}

#[tokio::test]
async fn a_remark_reaches_the_secretariat() {
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    let done = format!("{}/done", site.link("A", "nora"));
    site.submit(&done, &[("remark", "Se referatet")]).await;
    assert_eq!(site.notices().await, ["nora A receipt", "sek A remarked"]);
    let mail = site.strings("SELECT CAST(mime AS TEXT) FROM message_bytes ORDER BY message").await;
    let parsed = mailparse::parse_mail(mail[1].as_bytes()).unwrap();
    let text = crate::world::part(&parsed, "text/plain").unwrap();
    assert!(text.contains("Nora Nord skriver: »Se referatet«"), "{text}");
}
