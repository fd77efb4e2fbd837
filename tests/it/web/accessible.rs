//! Every page and every mail under the eyes of an accessibility engine, in light and dark, on a phone and on a desk;
//! skipped where no browser is installed.

use std::fs;

use serde_json::json;

use super::driver::Browser;
use super::engine::Engine;
use super::golden::{READERS, gallery};
use super::operator;
use crate::compose::gallery::{LANGUAGES, letters};

/// Width and scheme; each document is seen in two of them, so that each kind of document is seen in all four.
const LOOKS: [[(u32, &str); 2]; 2] =
    [[(320, "light"), (1024, "dark")], [(320, "dark"), (1024, "light")]];

/// What loads something.
const LOADS: [&str; 6] = [" src=", "url(", "@import", "<link", "<iframe", "<script"];

/// A mail is shown within the landmarks of a mail program, and has none of its own.
const OFF_FOR_MAILS: [&str; 2] = ["landmark-one-main", "region"];

struct Inspection {
    browser: Browser,
    engine: Engine,
    found: Vec<String>,
    folder: tempfile::TempDir,
}

impl Inspection {
    async fn begin() -> Option<Self> {
        let browser = Browser::start(320, json!({})).await?;
        let engine = Engine::of(&browser).await;
        let folder = tempfile::tempdir().unwrap();
        Some(Self { browser, engine, found: Vec::new(), folder })
    }

    /// Looks at a document in two looks.
    async fn look_at(&mut self, name: &str, html: &str, looks: [(u32, &str); 2], off: &[&str]) {
        let file = self.folder.path().join("page.html");
        fs::write(&file, html).unwrap();
        for (width, scheme) in looks {
            self.browser.look(width, scheme).await;
            self.browser.visit(&format!("file://{}", file.display())).await;
            let findings = self.engine.findings(&self.browser, off).await;
            let findings =
                findings.into_iter().map(|one| format!("{name} {width} {scheme}: {one}"));
            self.found.extend(findings);
            let wide = self.browser.measure("document.documentElement.scrollWidth").await;
            if wide != json!(width) {
                self.found.push(format!("{name} {width} {scheme}: too wide, {wide}"));
            }
        }
        let loads = LOADS.into_iter().filter(|load| html.contains(load));
        self.found.extend(loads.map(|load| format!("{name}: loads by {load}")));
    }

    fn end(self) {
        assert!(self.found.is_empty(), "{}", self.found.join("\n"));
    }
}

#[tokio::test]
async fn every_mail_can_be_read_by_everybody() {
    let Some(mut inspection) = Inspection::begin().await else { return };
    for (language, looks) in LANGUAGES.into_iter().zip(LOOKS) {
        for (name, mail) in letters(language) {
            let name = format!("{name}_{}", language.code());
            inspection.look_at(&name, &mail.html, looks, &OFF_FOR_MAILS).await;
        }
    }
    inspection.end();
}

#[tokio::test]
async fn every_page_can_be_used_by_everybody() {
    let Some(mut inspection) = Inspection::begin().await else { return };
    for ((_, reader), looks) in READERS.into_iter().zip(LOOKS) {
        for (name, got) in gallery(reader).await {
            inspection.look_at(&format!("{name} of {reader}"), &got.body, looks, &[]).await;
        }
    }
    for (language, looks) in LANGUAGES.into_iter().zip(LOOKS) {
        for (name, got) in operator::gallery(language).await {
            let name = format!("operator's {name} {}", language.code());
            inspection.look_at(&name, &got.body, looks, &[]).await;
        }
    }
    inspection.end();
}

#[tokio::test]
async fn the_engine_finds_what_is_wrong() {
    let Some(mut inspection) = Inspection::begin().await else { return };
    let page = "<!doctype html><html><head><title>x</title>\
                <meta name=\"viewport\" content=\"width=device-width\"></head><body>\
                <p style=\"color:#999; background:#fff\">For lyst</p><img src=\"x.png\"><div style=\"width:2000px\">Bred</div></body></html>";
    inspection.look_at("bad", page, LOOKS[0], &[]).await;
    let all = inspection.found.join("\n");
    for rule in ["color-contrast", "html-has-lang", "image-alt", "too wide", "loads by  src="] {
        assert!(all.contains(rule), "{rule}: {all}");
    }
}
