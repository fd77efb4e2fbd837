//! A real browser: Debian's chromium, driven by its chromedriver over WebDriver (W3C). A dozen requests in JSON need no
//! client library of fifty crates.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::site::exchange;

/// The key of an element's name in the protocol.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys as the protocol writes them.
pub(super) const TAB: &str = "\u{e004}";
pub(super) const ENTER: &str = "\u{e007}";
pub(super) const DOWN: &str = "\u{e015}";

/// Nothing of ours takes a browser longer, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
}

impl Browser {
    /// A browser of that width; `None`, and a line about it, where none is installed.
    pub(super) async fn start(width: u32, options: Value) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut driver = Command::new("chromedriver");
        driver.arg(format!("--port={port}")).stdout(Stdio::null()).stderr(Stdio::null());
        let has_browser = Command::new("chromium").arg("--version").output().is_ok();
        let driver = match driver.spawn() {
            Ok(driver) if has_browser => driver,
            Err(error) if error.kind() != ErrorKind::NotFound => panic!("{error}"),
            other => {
                eprintln!("skipped: Debian's chromium and chromium-driver are not installed");
                if let Ok(mut driver) = other {
                    driver.kill().ok();
                }
                return None;
            }
        };
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut browser = Self { driver, address, session: String::new() };
        tokio::time::timeout(PATIENCE, browser.open(width, options)).await.expect("a session");
        Some(browser)
    }

    async fn open(&mut self, width: u32, mut options: Value) {
        while TcpStream::connect(self.address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        options["args"] = json!(["--headless", "--no-sandbox", "--disable-gpu"]);
        options["mobileEmulation"] =
            json!({ "deviceMetrics": { "width": width, "height": 900, "pixelRatio": 1 } });
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let session = self.call("POST", "/session", &wanted).await;
        self.session = session["sessionId"].as_str().expect("a session").to_owned();
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.ask(method, path, body).await;
        answer.unwrap_or_else(|problem| panic!("{method} {path}: {problem}"))
    }

    /// As [`Self::call`], where the page may just be giving way to another.
    async fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        let path = match path {
            "/session" => path.to_owned(),
            path => format!("/session/{}{path}", self.session),
        };
        let body = if method == "GET" { String::new() } else { body.to_string() };
        let headers = [("content-type", "application/json")];
        let host = self.address.to_string();
        let calling = exchange(self.address, &host, method, &path, &headers, &body);
        let got = tokio::time::timeout(PATIENCE, calling).await.expect("an answer in time");
        let answer: Value = serde_json::from_str(&got.body).expect(&got.body);
        let value = answer["value"].clone();
        if got.status == 200 { Ok(value) } else { Err(value["message"].clone()) }
    }

    pub(super) async fn visit(&self, address: &str) {
        self.call("POST", "/url", &json!({ "url": address })).await;
    }

    async fn find(&self, selector: &str) -> String {
        let wanted = json!({ "using": "css selector", "value": selector });
        let found = self.call("POST", "/element", &wanted).await;
        found[ELEMENT].as_str().expect(selector).to_owned()
    }

    /// Presses these keys, one after the other, wherever the focus is.
    pub(super) async fn press(&self, keys: &str) {
        let stroke = |key: char| {
            ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key.to_string() }))
        };
        let strokes: Vec<Value> = keys.chars().flat_map(stroke).collect();
        let hands = json!({ "actions": [{ "type": "key", "id": "keys", "actions": strokes }] });
        self.call("POST", "/actions", &hands).await;
    }

    /// Waits until the page is there that has this heading.
    #[track_caller]
    pub(super) fn heads(&self, heading: &str) -> impl Future<Output = ()> {
        let place = std::panic::Location::caller();
        async move {
            let mut found = String::new();
            for _ in 0..100 {
                found = self.heading().await.unwrap_or_default();
                if found == heading {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            panic!("{place}: {found:?} is not {heading:?}");
        }
    }

    async fn heading(&self) -> Result<String, Value> {
        let wanted = json!({ "using": "css selector", "value": "h1" });
        let found = self.ask("POST", "/element", &wanted).await?;
        let element = found[ELEMENT].as_str().unwrap_or_default();
        let text = self.ask("GET", &format!("/element/{element}/text"), &json!({})).await?;
        Ok(text.as_str().unwrap_or_default().replace('\u{a0}', " "))
    }

    /// The name, as a screen reader says it, of the first element that the CSS selector names.
    pub(super) async fn spoken(&self, selector: &str) -> String {
        let element = self.find(selector).await;
        let path = format!("/element/{element}/computedlabel");
        self.call("GET", &path, &json!({})).await.as_str().unwrap().to_owned()
    }

    /// What a script of ours measures.
    pub(super) async fn measure(&self, script: &str) -> Value {
        let call = json!({ "script": format!("return {script}"), "args": [] });
        self.call("POST", "/execute/sync", &call).await
    }

    /// What the browser complains of, a page that breaks its own policy above all.
    pub(super) async fn complaints(&self) -> Value {
        self.call("POST", "/se/log", &json!({ "type": "browser" })).await
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The browser ends with its session, the driver with us.
        let close = format!(
            "DELETE /session/{} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
            self.session, self.address
        );
        if let Ok(mut stream) = std::net::TcpStream::connect(self.address) {
            use std::io::{Read, Write};
            stream.set_read_timeout(Some(Duration::from_secs(5))).ok();
            stream.write_all(close.as_bytes()).ok();
            stream.read_exact(&mut [0; 1]).ok();
        }
        self.driver.kill().ok();
        self.driver.wait().ok();
    }
}
