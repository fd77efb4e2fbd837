//! A real browser: Debian's chromium, driven by its chromedriver over WebDriver (W3C).

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::http::Method;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use url::{ParseError, Url};

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
    client: Option<Client>,
}

/// A command that fantoccini has no name for.
#[derive(Debug)]
struct Named {
    path: String,
    method: Method,
    body: Value,
}

impl WebDriverCompatibleCommand for Named {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = (self.method == Method::POST).then(|| self.body.to_string());
        (self.method.clone(), body)
    }
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
        let mut browser = Self { driver, address, session: String::new(), client: None };
        tokio::time::timeout(PATIENCE, browser.open(width, options)).await.expect("a session");
        Some(browser)
    }

    async fn open(&mut self, width: u32, mut options: Value) {
        while TcpStream::connect(self.address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        options["args"] = json!(["--headless", "--no-sandbox", "--disable-gpu"]);
        let wanted = json!({
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let Value::Object(wanted) = wanted else { unreachable!() };
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let connecting = builder.capabilities(wanted);
        let client = connecting.connect(&format!("http://{}", self.address)).await.unwrap();
        self.session = client.session_id().await.unwrap().expect("a session");
        self.client = Some(client);
        self.look(width, "light").await;
    }

    pub(super) fn client(&self) -> &Client {
        self.client.as_ref().expect("a session")
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Value {
        let command = Named { path: path.to_owned(), method, body };
        self.client().issue_cmd(command).await.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// A command of the browser's own protocol, for what WebDriver has no words for.
    pub(super) async fn command(&self, name: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": name, "params": parameters });
        self.call(Method::POST, "goog/cdp/execute", body).await
    }

    pub(super) async fn visit(&self, address: &str) {
        self.client().goto(address).await.unwrap();
    }

    /// Clicks what the CSS selector finds first.
    pub(super) async fn click(&self, selector: &str) {
        let found = self.client().find(Locator::Css(selector)).await;
        found.unwrap_or_else(|_| panic!("no {selector}")).click().await.unwrap();
    }

    /// Types into the field that the CSS selector finds first.
    pub(super) async fn fill(&self, selector: &str, text: &str) {
        let found = self.client().find(Locator::Css(selector)).await;
        found.unwrap_or_else(|_| panic!("no {selector}")).send_keys(text).await.unwrap();
    }

    /// Presses these keys, one after the other, wherever the focus is.
    pub(super) async fn press(&self, keys: &str) {
        let mut strokes = KeyActions::new("keys".to_owned());
        for value in keys.chars() {
            strokes = strokes.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        self.client().perform_actions(strokes).await.unwrap();
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

    /// `None` while the page is just giving way to another.
    async fn heading(&self) -> Option<String> {
        let heading = self.client().find(Locator::Css("h1")).await.ok()?;
        Some(heading.text().await.ok()?.replace('\u{a0}', " "))
    }

    /// The name, as a screen reader says it, of the first element that the CSS selector names.
    pub(super) async fn spoken(&self, selector: &str) -> String {
        let element = self.client().find(Locator::Css(selector)).await.expect(selector);
        let path = format!("element/{}/computedlabel", element.element_id().as_ref() as &str);
        self.call(Method::GET, &path, Value::Null).await.as_str().unwrap().to_owned()
    }

    /// What a script of ours measures.
    pub(super) async fn measure(&self, script: &str) -> Value {
        self.client().execute(&format!("return {script}"), Vec::new()).await.unwrap()
    }

    /// What the browser complains of, a page that breaks its own policy above all.
    pub(super) async fn complaints(&self) -> Value {
        self.call(Method::POST, "se/log", json!({ "type": "browser" })).await
    }

    /// As wide as that, in that scheme of colours.
    pub(super) async fn look(&self, width: u32, scheme: &str) {
        let metrics =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": true });
        self.command("Emulation.setDeviceMetricsOverride", metrics).await;
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.command("Emulation.setEmulatedMedia", json!({ "features": features })).await;
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
