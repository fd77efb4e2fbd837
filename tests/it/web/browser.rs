//! The pages in a real browser: without JavaScript, by keyboard, narrow and wide; skipped where none is installed.

use std::fs;

use advis::delivery::shift::Shift;
use serde_json::json;

use super::driver::{Browser, DOWN, ENTER, TAB};
use super::site::{ORIGIN, Site};
use crate::world::part;

#[tokio::test]
async fn by_keyboard_and_without_javascript_a_task_is_ended_and_opened_again() {
    let off = json!({ "prefs": { "profile.managed_default_content_settings.javascript": 2 } });
    let Some(browser) = Browser::start(320, off).await else { return };
    let site = Site::new().await;
    site.promise("A", &["nora"]).await;
    browser.visit(&format!("http://{}{}", site.address, site.link("A", "nora"))).await;
    browser.heads("Status på dagcentrene").await;
    browser.press(&[TAB, ENTER].concat()).await;
    browser.heads("Vil du markere opgaven som udført?").await;
    browser.press(&[TAB, "Sendt til udvalget", TAB, ENTER].concat()).await;
    browser.heads("Tak. Opgaven er markeret som udført").await;
    assert_eq!(site.status("A").await, "done");
    browser.press(&[TAB, ENTER].concat()).await;
    browser.heads("Opgaven er åben igen").await;
    assert_eq!(site.status("A").await, "open");

    browser.press(&[TAB, TAB, ENTER].concat()).await;
    browser.heads("Hvor længe skal påmindelsen vente?").await;
    browser.press(&[TAB, DOWN, ENTER].concat()).await;
    browser.heads("Tak. Påmindelserne venter").await;
    assert_eq!(site.strings("SELECT until FROM snoozes").await, ["2026-12-02"]);

    // The browser's own forms pass where those of other sites are refused.
    let posted = site.events().await;
    assert_eq!(posted.len(), 4, "{posted:?}");
    assert_eq!(browser.complaints().await, json!([]));
}

#[tokio::test]
async fn no_page_is_wider_than_the_screen_and_every_field_has_a_name() {
    for width in [320, 1024] {
        let Some(browser) = Browser::start(width, json!({})).await else { return };
        let site = Site::new().await;
        site.promise("A", &["nora"]).await;
        let long = "Overordentligtlangtordudenmellemrum".repeat(14);
        site.promise_as("LONG", &long, "status", &["nora"]).await;
        for reference in ["A", "LONG"] {
            let link = format!("http://{}{}", site.address, site.link(reference, "nora"));
            for page in ["", "/done", "/snooze", "/propose", "/hand-over", "/not-mine"] {
                browser.visit(&format!("{link}{page}")).await;
                let measured = browser
                    .measure(
                        "[document.documentElement.scrollWidth, innerWidth, document.documentElement.lang, \
                         document.querySelectorAll('h1').length, getComputedStyle(document.querySelector('h1')).fontWeight]",
                    )
                    .await;
                let expected = json!([width, width, "da", 1, "700"]);
                assert_eq!(
                    measured, expected,
                    "{reference}{page}: as wide as the screen, and with its style"
                );
                let targets = browser
                    .measure("[...document.querySelectorAll('a, button')].map(e => e.getBoundingClientRect().height)")
                    .await;
                let is_large = |height: &serde_json::Value| height.as_f64().unwrap() >= 44.0;
                assert!(targets.as_array().unwrap().iter().all(is_large), "{page}: {targets}");
            }
        }
        let link = format!("http://{}{}", site.address, site.link("A", "nora"));
        for (page, field, name) in [
            ("/done", "textarea", "Bemærkning (kan udelades)"),
            ("/snooze", "#until-week", "1 uge til onsdag den 25. november 2026"),
            ("/snooze", "#date", "Dato"),
            ("/snooze", "fieldset", "Vælg, hvor længe"),
            ("/hand-over", "select", "Leder"),
            ("/propose", "#deadline", "Ny frist"),
            ("/propose", "#reason", "Begrundelse"),
        ] {
            browser.visit(&format!("{link}{page}")).await;
            assert_eq!(browser.spoken(field).await.replace('\u{a0}', " "), name, "{page} {field}");
        }
        assert_eq!(browser.complaints().await, json!([]));
    }
}

impl Site {
    /// Delivers what is due on a day into the folder, as `once` does, and answers with the mail to that person, which
    /// its file holds.
    async fn delivered(&self, day: &str, who: &str) -> String {
        let lock = self.store.lock_sender().unwrap();
        self.at_desk(day, async |desk| {
            let mut shift = Shift::begin(&desk, &lock).await.unwrap();
            shift.pass(&desk, true).await.unwrap();
        })
        .await;
        self.on(day);
        let folder = fs::read_dir(self.folder.path().join("mail")).unwrap();
        let mails = folder.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
        let to = format!("<{who}@kommune.example>");
        mails.into_iter().find(|mail| mail.contains(&to)).expect("a mail")
    }

    /// Where the links in the HTML of a mail lead, on this machine.
    fn hrefs(&self, mail: &str) -> Vec<String> {
        let mail = mailparse::parse_mail(mail.as_bytes()).unwrap();
        let html = part(&mail, "text/html").unwrap();
        let here = format!("http://{}", self.address);
        let links = html.split("<a href=\"").skip(1);
        links.map(|rest| rest.split('"').next().unwrap().replace(ORIGIN, &here)).collect()
    }
}

#[tokio::test]
async fn from_the_link_in_a_mail_that_was_sent_every_answer_reaches_its_end() {
    let Some(browser) = Browser::start(1024, json!({})).await else { return };
    let site = Site::new().await;
    for reference in ["DONE", "LATER", "MOVE", "GIVE"] {
        site.promise(reference, &["nora"]).await;
    }
    let mail = site.delivered("2027-03-01", "nora").await;
    let hrefs = site.hrefs(&mail);
    let pages: Vec<&String> = hrefs.iter().filter(|href| !href.ends_with("/done")).collect();
    // In the order of the mail: by reference.
    let [done, give, later, move_] = pages.as_slice() else { panic!("{hrefs:?}") };

    browser.visit(&format!("{done}/done")).await;
    browser.heads("Vil du markere opgaven som udført?").await;
    browser.fill("textarea", "Sendt til udvalget").await;
    browser.click("main button").await;
    browser.heads("Tak. Opgaven er markeret som udført").await;
    assert_eq!(site.status("DONE").await, "done");
    browser.click("main button").await;
    browser.heads("Opgaven er åben igen").await;
    assert_eq!(site.status("DONE").await, "open");

    browser.visit(later).await;
    browser.click("a[href$='/snooze']").await;
    browser.heads("Hvor længe skal påmindelsen vente?").await;
    browser.click("#until-fortnight").await;
    browser.click("main button").await;
    browser.heads("Tak. Påmindelserne venter").await;
    let snoozed = "SELECT commitment || ' ' || until FROM snoozes";
    assert_eq!(site.strings(snoozed).await, ["LATER 2027-03-15"]);

    browser.visit(move_).await;
    browser.click("a[href$='/propose']").await;
    browser.heads("Hvilken frist passer bedre?").await;
    browser.fill("#deadline", "ultimo maj 2027").await;
    browser.fill("#reason", "Tallene mangler").await;
    browser.click("main button").await;
    browser.heads("Tak. Sekretariatet får dit forslag").await;
    let proposed = "SELECT commitment || ' ' || opens || ' ' || due FROM proposals";
    assert_eq!(site.strings(proposed).await, ["MOVE 2027-05-21 2027-05-31"]);

    browser.visit(give).await;
    browser.click("a[href$='/hand-over']").await;
    browser.heads("Hvem skal have opgaven?").await;
    browser.click("option[value='sune']").await;
    browser.click("main button").await;
    browser.heads("Tak. Opgaven er givet videre til Sune Syd").await;
    let answers = "SELECT leader FROM responsibilities WHERE commitment = 'GIVE'";
    assert_eq!(site.strings(answers).await, ["sune"]);

    let acts = ["done", "remarked", "reopened", "snoozed", "proposed", "assigned"];
    assert_eq!(site.events().await, acts.map(|act| format!("nora (page) {act}")));
    assert_eq!(browser.complaints().await, json!([]));
}
