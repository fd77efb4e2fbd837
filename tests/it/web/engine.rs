//! The accessibility engine: axe-core, as Debian's chromium carries it in its own developer tools. So it needs no
//! download, and no copy here.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::driver::Browser;
use super::site::exchange;

/// Where the developer tools keep what their "Lighthouse" runs; axe stands in it as a template literal.
const BUNDLE: &str = "/devtools/third_party/lighthouse/lighthouse-dt-bundle.js";

/// How that begins.
const BEGINNING: &str = "`/*! axe v";

/// Every rule of the WCAG up to 2.2 AA, and what is good practice; answers with a line a finding. Some versions (4.11) cannot
/// see the colours of a text area, since they take it to be covered by itself; that is no finding. Nor is it that none can
/// see what lies behind a word in a drawing.
const RUN: &str = "
    const [off, done] = arguments;
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const covers = (check, node) => check.data?.messageKey === 'elmPartiallyObscured'
        && check.relatedNodes.every(other => String(other.target) === String(node.target));
    const draws = (check, node) => check.data?.messageKey === 'imgNode'
        && document.querySelector(String(node.target)).closest('svg');
    const is_real = node => !node.any.some(check => covers(check, node) || draws(check, node));
    const tell = found => found.nodes.filter(is_real).map(node => found.id + ' at ' + node.target + ': ' + node.failureSummary);
    const rules = Object.fromEntries(off.map(rule => [rule, { enabled: false }]));
    axe.run(document, { runOnly: tags, rules, resultTypes: ['violations', 'incomplete'] })
        .then(all => done({
            found: all.violations.concat(all.incomplete).flatMap(tell),
            passed: all.passes.length,
        }))
        .catch(error => done({ found: [String(error)], passed: 0 }));";

/// Looks at pages as people do who see little, or nothing.
pub(super) struct Engine {
    script: String,
}

impl Engine {
    /// The engine of this browser.
    pub(super) async fn of(browser: &Browser) -> Self {
        let options = &browser.client().capabilities().expect("capabilities")["goog:chromeOptions"];
        let address = options["debuggerAddress"].as_str().expect("an address");
        let address = address.replace("localhost", "127.0.0.1");
        let address: SocketAddr = address.parse().expect("an address");
        let bundle = exchange(address, &address.to_string(), "GET", BUNDLE, &[], "").await.body;
        let literal = literal(&bundle).unwrap_or_else(|| {
            panic!("this chromium has no axe at {BUNDLE}: look for it in its developer tools")
        });
        browser.visit("about:blank").await;
        let source = browser.measure(literal).await;
        let source = source.as_str().expect("a text");
        Self { script: format!("{source};\n{RUN}") }
    }

    /// What is wrong with the page that the browser shows, but for what those rules would find.
    pub(super) async fn findings(&self, browser: &Browser, off: &[&str]) -> Vec<String> {
        let told = browser.client().execute_async(&self.script, vec![json!(off)]).await.unwrap();
        assert!(told["passed"].as_u64() > Some(0), "it looked at nothing: {told}");
        let found = told["found"].as_array().expect("a list");
        found.iter().map(|one| one.as_str().unwrap_or_default().to_owned()).collect()
    }
}

/// The template literal with the source of axe.
fn literal(bundle: &str) -> Option<&str> {
    let start = bundle.find(BEGINNING)?;
    let rest = &bundle[start..];
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '`' => return Some(&rest[..=at]),
            _ => {}
        }
    }
    None
}

#[test]
fn a_template_literal_ends_at_the_first_free_backtick() {
    let bundle = r"x=`other`;y=`/*! axe v4 \` \\`;z=`";
    assert_eq!(literal(bundle), Some(r"`/*! axe v4 \` \\`"));
    assert_eq!(literal("`/*! axe v4"), None);
    assert_eq!(json!(literal("")), Value::Null);
}
