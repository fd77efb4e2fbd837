//! The pages in a real browser: without JavaScript, by keyboard, narrow and wide; skipped where none is installed.

use serde_json::json;

use super::driver::{Browser, DOWN, ENTER, TAB};
use super::site::Site;

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
