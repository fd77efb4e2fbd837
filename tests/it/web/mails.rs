//! The way from the mail: its links lead to the pages of its reader, and stay what they were when it was frozen.

use super::site::{NEW_KEY, OLD_KEY, Site, at};
use crate::world::part;

impl Site {
    /// Plans and freezes what is due on a day, as a pass does.
    async fn post_mails(&self, day: &str) {
        self.at_desk(day, async |desk| drop(desk.post().await.unwrap())).await;
        self.on(day);
    }

    /// Plain text and HTML of the only mail to that person.
    async fn mail(&self, who: &str) -> (String, String) {
        let mails = self.strings("SELECT CAST(mime AS TEXT) FROM message_bytes").await;
        let to = format!("<{who}@kommune.example>");
        let mail = mails.iter().find(|mail| mail.contains(&to)).expect("a mail");
        let parsed = mailparse::parse_mail(mail.as_bytes()).unwrap();
        (part(&parsed, "text/plain").unwrap(), part(&parsed, "text/html").unwrap())
    }
}

/// The addresses in a text.
pub(super) fn links(text: &str) -> Vec<String> {
    let ours = "https://advis.kommune.example";
    let pieces = text.split(ours).skip(1);
    pieces.map(|rest| rest.split([' ', '\n', '"']).next().unwrap().to_owned()).collect()
}

/// 30 days before the deadline.
const DAY: &str = "2027-03-01";

#[tokio::test]
async fn a_reminder_leads_to_the_page_and_the_page_to_the_end_of_the_matter() {
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    site.post_mails(DAY).await;
    let (text, html) = site.mail("nora").await;
    let in_text = links(&text);
    assert_eq!(in_text, links(&html), "both parts have the same links");
    let [done, task] = in_text.as_slice() else { panic!("{text}") };
    assert_eq!(done, &format!("{task}/done"));
    assert!(text.contains("Markér som udført:\nhttps://"), "{text}");
    site.get(task).await.says(&["Status på dagcentrene"]);
    let frozen = site.strings("SELECT sha256 FROM message_bytes").await;
    // The second click.
    site.submit(done, &[]).await.says(&["Tak. Opgaven er markeret som udført"]);
    assert_eq!(site.status("A").await, "done");
    let now = site.strings("SELECT sha256 FROM message_bytes ORDER BY message").await;
    assert_eq!(now[..1], frozen);
    let states = site.strings("SELECT state FROM messages ORDER BY id").await;
    assert_eq!(states, ["cancelled", "ready"], "it is moot now, and the receipt goes");
}

#[tokio::test]
async fn links_go_on_to_work_after_the_keys_were_changed() {
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    site.post_mails(DAY).await;
    let task = links(&site.mail("nora").await.0).pop().unwrap();
    site.renew(&format!("{NEW_KEY}\n{OLD_KEY}\n"), at("2027-05-29"));
    assert_eq!(site.get(&task).await.status, 200);
    site.renew(&format!("{NEW_KEY}\n{OLD_KEY}\n"), at("2027-05-30"));
    site.get(&task).await.says(&["Linket er udløbet"]);
}

#[tokio::test]
async fn every_reader_has_links_of_their_own_and_a_manager_who_is_only_told_has_none() {
    let site = Site::new().await;
    site.promise("A", &["nora", "ellen"]).await;
    site.promise("B", &["ida"]).await;
    site.post_mails(DAY).await;
    let (nora, ellen) = (site.mail("nora").await.0, site.mail("ellen").await.0);
    assert_ne!(links(&nora), links(&ellen));
    site.get(&links(&ellen)[1]).await.says(&["registered in your name", "Ellen East"]);
    site.submit(&links(&nora)[0].replace("/done", "/hand-over"), &[("to", "sune")]).await;
    let sune = links(&site.mail("sune").await.0);
    site.get(&sune[0]).await.says(&["Vil du markere opgaven som udført?", "Sune Syd"]);

    // Three weeks over the deadline, the manager of the leaders is told.
    for day in ["2027-03-31", "2027-04-21"] {
        site.post_mails(day).await;
        site.sql(&format!(
            "UPDATE messages SET state = 'accepted', accepted_on = '{day}' WHERE state = 'ready'"
        ))
        .await;
    }
    let told = "SELECT CAST(b.mime AS TEXT) FROM messages m JOIN message_bytes b ON b.message = m.id \
                WHERE m.purpose = 'escalation'";
    let mails = site.strings(told).await;
    assert!(!mails.is_empty());
    assert!(mails.iter().all(|mail| !mail.contains("advis.kommune.example/t/")), "{mails:#?}");
}

#[tokio::test]
async fn a_mail_with_links_reads_as_in_its_golden_file() {
    for (language, reader) in [("da", "nora"), ("en", "ellen")] {
        let site = Site::new().await;
        site.promise("A", &[reader]).await;
        site.promise_as("B", "Tredje møde i styregruppen", "meeting", &[reader]).await;
        site.post_mails(DAY).await;
        let (text, html) = site.mail(reader).await;
        let both = format!("{text}\n{html}").replace('\u{a0}', " ");
        insta::assert_snapshot!(format!("mail_{language}"), both);
    }
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    site.post_mails("2027-04-05").await;
    let (text, html) = site.mail("nora").await;
    insta::assert_snapshot!("mail_overdue_da", format!("{text}\n{html}").replace('\u{a0}', " "));
}
