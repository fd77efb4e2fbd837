//! Every page and every mail as pictures, for the eye.

use std::fs;
use std::path::PathBuf;

use data_encoding::BASE64;
use serde_json::json;

use super::driver::Browser;
use super::golden::{READERS, gallery};
use super::operator;
use crate::compose::gallery::{LANGUAGES, letters};

struct Studio {
    browser: Browser,
    folder: PathBuf,
}

impl Studio {
    /// Takes a document in every look, from top to bottom.
    async fn take(&self, name: &str, html: &str) {
        let file = self.folder.join(format!("{name}.html"));
        fs::write(&file, html).unwrap();
        for width in [320, 1024] {
            for scheme in ["light", "dark"] {
                self.browser.look(width, scheme).await;
                self.browser.visit(&format!("file://{}", file.display())).await;
                let height = self.browser.measure("document.documentElement.scrollHeight").await;
                let whole = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
                let wanted = json!({ "captureBeyondViewport": true, "clip": whole });
                let picture = self.browser.command("Page.captureScreenshot", wanted).await;
                let picture = BASE64.decode(picture["data"].as_str().unwrap().as_bytes()).unwrap();
                let name = format!("{name}_{width}_{scheme}.png");
                fs::write(self.folder.join(name), picture).unwrap();
            }
        }
    }
}

/// Run by `tests/screenshots`.
#[tokio::test]
#[ignore = "writes every page and mail as pictures into a folder"]
async fn all_there_is_to_see() {
    let folder = PathBuf::from(std::env::var_os("ADVIS_PICTURES").expect("ADVIS_PICTURES"));
    let Some(browser) = Browser::start(320, json!({})).await else { return };
    let studio = Studio { browser, folder };
    for language in LANGUAGES {
        for (name, mail) in letters(language) {
            studio.take(&format!("mail_{name}_{}", language.code()), &mail.html).await;
        }
    }
    for (language, reader) in READERS {
        for (name, got) in gallery(reader).await {
            studio.take(&format!("page_{name}_{language}"), &got.body).await;
        }
    }
    for language in LANGUAGES {
        for (name, got) in operator::gallery(language).await {
            studio.take(&format!("operator_{name}_{}", language.code()), &got.body).await;
        }
    }
}
