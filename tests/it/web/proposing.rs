//! Another deadline: proposed on the page, answered by the secretariat, told by mail.

use super::site::{Site, body};
use crate::world::{Ran, program};

const WHY: (&str, &str) = ("reason", "Tallene kommer først i april");

impl Site {
    /// A verb at the keyboard, beside the pages.
    fn verb(&self, words: &[&str]) -> Ran {
        let mut command = program(self.folder.path());
        command.args(["--config", "advis.toml", "--on", "2026-11-18", "--rehearsal"]).args(words);
        Ran::of(command.output().unwrap())
    }

    async fn proposed(&self, deadline: &str) -> super::site::Got {
        let propose = format!("{}/propose", self.link("A", "nora"));
        self.submit(&propose, &[("deadline", deadline), WHY]).await
    }
}

const WINDOW: &str = "SELECT opens || '..' || due FROM windows w JOIN commitments c ON c.reference = w.commitment \
      AND c.revision = w.revision";

#[tokio::test]
async fn an_accepted_proposal_is_the_deadline_and_all_hear_of_it() {
    let site = Site::new().await;
    site.promise("A", &["nora", "sune"]).await;
    let form = site.get(&format!("{}/propose", site.link("A", "nora"))).await;
    form.says(&["Hvilken frist passer bedre?", "»ultimo maj 2027«", "Send forslaget"]);
    let receipt = site.proposed("ultimo maj 2027").await;
    let said = "Du har foreslået en ny frist: 21.–31. maj 2027.";
    receipt.says(&["Tak. Sekretariatet får dit forslag", said, "Fortryd"]);
    assert_eq!(site.notices().await, ["sek A proposed"]);
    assert_eq!(site.strings(WINDOW).await, ["2027-03-21..2027-03-31"], "the book stays as it is");

    let waiting = site.verb(&["proposals"]).ok();
    for word in [
        "A: Nora Nord proposes 2027-05-21..2027-05-31 (ultimo maj 2027)",
        WHY.1,
        "advis accept REF",
    ] {
        assert!(waiting.contains(word), "{word}: {waiting}");
    }
    let other = site.get(&site.link("A", "sune")).await;
    other.says(&["Nora Nord har foreslået en ny frist: 21.–31. maj 2027."]);
    assert!(!other.body.contains("/propose"), "one at a time");

    let accepted = site.verb(&["accept", "A"]).ok();
    assert!(accepted.contains("A: the deadline is now"), "{accepted}");
    assert!(accepted.contains("Nora Nord and Sune Syd are told"), "{accepted}");
    assert_eq!(site.strings(WINDOW).await, ["2027-03-21..2027-05-31"]);
    assert_eq!(site.notices().await[1..], ["nora A new_deadline", "sune A new_deadline"]);
    site.get(&site.link("A", "nora")).await.says(&["mandag den 31. maj 2027", "Foreslå ny frist"]);
    assert_eq!(site.verb(&["proposals"]).ok(), "no proposal waits for an answer\n");
    site.verb(&["accept", "A"]).refused(65, &["no proposal about A waits"]);
}

#[tokio::test]
async fn a_refused_proposal_leaves_the_deadline_and_its_leader_hears_why() {
    let site = Site::new().await;
    site.promise("A", &["nora", "sune"]).await;
    let receipt = site.proposed("31.5.2027").await;
    receipt.says(&["Du har foreslået en ny frist: 31. maj 2027."]);
    let refused = site.verb(&["refuse", "A", "--reason", "Udvalget skal bruge den i april"]).ok();
    assert!(refused.contains("Nora Nord is told by mail"), "{refused}");
    assert_eq!(site.notices().await, ["sek A proposed", "nora A proposal_refused"]);
    let mails = site.strings("SELECT CAST(mime AS TEXT) FROM message_bytes ORDER BY message").await;
    let parsed = mailparse::parse_mail(mails[1].as_bytes()).unwrap();
    let text = crate::world::part(&parsed, "text/plain").unwrap().replace('\u{a0}', " ");
    for words in ["sagt nej til en ny frist (31. maj 2027)", "Begrundelse: Udvalget skal bruge den"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    let page = site.get(&site.link("A", "nora")).await;
    page.says(&["Sekretariatet har sagt nej til en ny frist", "onsdag den 31. marts 2027"]);
    assert!(!page.text().contains("Fortryd"));
    // What was answered is not taken back by an old form.
    let undo = format!("{}/undo", site.link("A", "nora"));
    let got = site.post(&undo, &body(&receipt, &[])).await;
    site.follow(got).await.says(&["Opgaven er ændret"]);
    site.proposed("juni 2027").await.says(&["Tak. Sekretariatet får dit forslag"]);
}

#[tokio::test]
async fn a_proposal_is_replaced_taken_back_and_never_doubled() {
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    let propose = format!("{}/propose", site.link("A", "nora"));
    let posted = body(&site.get(&propose).await, &[("deadline", "maj 2027"), WHY]);
    for _ in 0..3 {
        let got = site.post(&propose, &posted).await;
        site.follow(got).await.says(&["1.–31. maj 2027"]);
    }
    assert_eq!(site.notices().await, ["sek A proposed"]);
    let receipt = site.proposed("juni 2027").await;
    let states = "SELECT phrase || ' ' || state FROM proposals ORDER BY id";
    assert_eq!(site.strings(states).await, ["maj 2027 replaced", "juni 2027 open"]);
    let undo = format!("{}/undo", site.link("A", "nora"));
    let got = site.post(&undo, &body(&receipt, &[])).await;
    site.follow(got).await.says(&["Dit forslag er trukket tilbage"]);
    assert_eq!(site.strings(states).await, ["maj 2027 replaced", "juni 2027 withdrawn"]);
    let told = ["sek A proposed", "sek A proposed", "sek A proposal_withdrawn"];
    assert_eq!(site.notices().await, told);
    site.verb(&["refuse", "A", "--reason", "x"]).refused(65, &["no proposal about A waits"]);
}

#[tokio::test]
async fn what_cannot_be_read_is_said_and_what_is_overtaken_is_gone() {
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    let propose = format!("{}/propose", site.link("A", "nora"));
    for (fields, words) in [
        (&[("deadline", ""), WHY][..], "Skriv den nye frist."),
        (&[("deadline", "snarest muligt"), WHY][..], "Vi kan ikke læse fristen med sikkerhed."),
        (&[("deadline", "1.1.2026"), WHY][..], "der ligger efter i dag"),
        (&[("deadline", "maj 2027")][..], "Skriv, hvorfor fristen bør flyttes."),
    ] {
        let page = site.submit(&propose, fields).await;
        assert_eq!(page.status, 422);
        page.says(&[words]);
    }
    site.proposed("maj 2027").await;
    site.verb(&["postpone", "A", "--to", "2027-08-31"]).ok();
    assert_eq!(site.verb(&["proposals"]).ok(), "no proposal waits for an answer\n");
    site.verb(&["accept", "A"]).refused(65, &["no proposal about A waits"]);
    site.verb(&["accept", "NONE"]).refused(66, &["not in the book: NONE"]);
    // The one that was overtaken does not stand in the way of the next.
    site.proposed("september 2027").await.says(&["1.–30. september 2027"]);
    site.submit(&format!("{}/done", site.link("A", "nora")), &[]).await;
    assert_eq!(site.verb(&["proposals"]).ok(), "no proposal waits for an answer\n");
}
