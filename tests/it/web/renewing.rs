//! A new link in the place of an expired one: by mail, to the reader alone.

use advis::link::Purpose;

use super::site::{OLD_KEY, Site, TODAY, later, sign};
use crate::world::part;

/// A link that ended an hour ago.
fn expired(person: &str) -> String {
    format!("/t/{}", sign(OLD_KEY, "A", person, Purpose::Task, "2026-11-18T06:00:00Z"))
}

impl Site {
    async fn renew_link(&self, link: &str) -> super::site::Got {
        self.post(&format!("{link}/renew"), "").await
    }

    /// The links in the last mail of the outbox.
    async fn last_links(&self) -> Vec<String> {
        let mails =
            self.strings("SELECT CAST(mime AS TEXT) FROM message_bytes ORDER BY message").await;
        let mail = mailparse::parse_mail(mails.last().unwrap().as_bytes()).unwrap();
        super::mails::links(&part(&mail, "text/plain").unwrap())
    }
}

#[tokio::test]
async fn who_has_an_old_link_gets_a_new_one_by_mail_in_one_click() {
    let site = Site::new().await;
    site.promise("A", &["nora", "ellen"]).await;
    let old = expired("nora");
    let page = site.get(&format!("{old}/done")).await;
    assert_eq!(page.status, 410);
    page.says(&["Linket er udløbet", "Send mig et nyt link"]);
    assert!(page.body.contains(&format!("action=\"{old}/renew\"")), "{}", page.body);

    let renewed = site.renew_link(&old).await;
    assert_eq!(renewed.status, 200);
    renewed.says(&["Tak. Et nyt link er på vej", "som Nora Nord er registreret med"]);
    assert!(!renewed.body.contains("/t/"), "the link itself goes by mail alone");
    assert_eq!(site.notices().await, ["nora A new_link"]);
    assert_eq!(site.events().await, ["nora (page) link sent"]);
    let links = site.last_links().await;
    site.get(&links[0]).await.says(&["Vil du markere opgaven som udført?"]);
    site.renew_link(&expired("ellen")).await.says(&["Thank you. A new link is on its way"]);
    assert_eq!(site.notices().await, ["nora A new_link", "ellen A new_link"]);
}

#[tokio::test]
async fn asking_again_within_the_hour_sends_no_second_mail() {
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    let old = expired("nora");
    let both = tokio::join!(site.renew_link(&old), site.renew_link(&old));
    assert_eq!((both.0.status, both.1.status), (200, 200));
    site.renew(OLD_KEY, later(TODAY, 59 * 60));
    site.renew_link(&old).await.says(&["Et nyt link er på vej"]);
    assert_eq!(site.notices().await.len(), 1);
    site.renew(OLD_KEY, later(TODAY, 60 * 60));
    site.renew_link(&old).await;
    assert_eq!(site.notices().await.len(), 2);
}

#[tokio::test]
async fn only_a_link_of_ours_that_is_too_old_is_renewed() {
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    let before = site.dump().await;
    let good = site.link("A", "nora");
    let to_task = site.renew_link(&good).await;
    assert_eq!((to_task.status, &to_task.headers["location"]), (303, &good));
    let old = expired("nora");
    for (link, status, words) in [
        (format!("{}x", &old[..old.len() - 1]), 404, "Linket virker ikke"),
        (expired("kaj"), 410, "Linket gælder ikke længere for dig"),
    ] {
        let got = site.renew_link(&link).await;
        assert_eq!(got.status, status, "{link}");
        got.says(&[words]);
    }
    let elsewhere = [("origin", "https://other.example")];
    let got = site.request("POST", &format!("{old}/renew"), &elsewhere, "").await;
    assert_eq!(got.status, 403);
    assert!(site.dump().await == before);
    site.submit(&format!("{good}/done"), &[]).await;
    let closed = site.renew_link(&old).await;
    assert_eq!(closed.status, 410);
    closed.says(&["Opgaven er afsluttet", "Du skal ikke gøre mere."]);
    assert_eq!(site.notices().await, ["nora A receipt"]);
}
