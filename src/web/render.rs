//! From values to pages: the templates, the one stylesheet, and the words for what is refused.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use data_encoding::BASE64;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{
    Environment, Error, Output, State, UndefinedBehavior, Value, context, escape_formatter,
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Pages, Settings};
use crate::domain::address::is_unsafe;
use crate::domain::leader::Language;
use crate::mail::compose::{Sender, office};
use crate::store;
use crate::telemetry;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

const STYLE: &str = include_str!("templates/style.css");

const TEMPLATES: [(&str, &str); 25] = [
    ("base.html", include_str!("templates/base.html")),
    ("facts.html", include_str!("templates/facts.html")),
    ("task.html", include_str!("templates/task.html")),
    ("form.html", include_str!("templates/form.html")),
    ("remark.html", include_str!("templates/remark.html")),
    ("undo-button.html", include_str!("templates/undo-button.html")),
    ("done.html", include_str!("templates/done.html")),
    ("snooze.html", include_str!("templates/snooze.html")),
    ("hand-over.html", include_str!("templates/hand-over.html")),
    ("propose.html", include_str!("templates/propose.html")),
    ("not-mine.html", include_str!("templates/not-mine.html")),
    ("undo.html", include_str!("templates/undo.html")),
    ("refused.html", include_str!("templates/refused.html")),
    ("expired.html", include_str!("templates/expired.html")),
    ("renewed.html", include_str!("templates/renewed.html")),
    ("operator-parts.html", include_str!("templates/operator-parts.html")),
    ("operator.html", include_str!("templates/operator.html")),
    ("operator-base.html", include_str!("templates/operator-base.html")),
    ("operator-next.html", include_str!("templates/operator-next.html")),
    ("operator-story.html", include_str!("templates/operator-story.html")),
    ("timeline.html", include_str!("templates/timeline.html")),
    ("operator.da.html", include_str!("templates/operator.da.html")),
    ("operator.en.html", include_str!("templates/operator.en.html")),
    ("words.da.html", include_str!("templates/words.da.html")),
    ("words.en.html", include_str!("templates/words.en.html")),
];

/// Prints pages.
pub(super) struct Press {
    environment: Environment<'static>,
    policy: HeaderValue,
}

/// Why there is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Refused {
    /// No link of ours.
    NotOurs,
    /// The reader is no leader any more.
    NoLeader,
    /// The commitment is gone.
    NoTask,
    /// The commitment is done or given up.
    Closed,
    /// The form was open too long, or was never ours.
    OldForm,
    /// The form came from elsewhere.
    CrossSite,
    /// Somebody asks without end.
    TooOften,
    /// What was posted is too long.
    TooLong,
    /// The operator asks for a page that there is not.
    NoPage,
    /// The operator's page was asked for by a name that is not this machine's.
    OtherName,
    /// The store fails; later it may not.
    Later,
}

impl Press {
    pub(super) fn new() -> Self {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.unwrap_or_default());
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_debug(true);
        environment.set_formatter(print);
        for (name, source) in TEMPLATES {
            // The golden files would show it if one of ours did not parse.
            let _ = environment.add_template(name, source);
        }
        let hash = BASE64.encode(&Sha256::digest(STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'"
        );
        let policy = HeaderValue::from_str(&policy);
        let policy = policy.unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"));
        Self { environment, policy }
    }

    /// What a page may load: its own stylesheet, known by its digest, and nothing else.
    pub(super) fn policy(&self) -> HeaderValue {
        self.policy.clone()
    }

    fn fill(&self, name: &str, facts: &Value) -> Result<String, Error> {
        self.environment.get_template(name)?.render(facts)
    }
}

/// Prints a value, escaped, and without what would reorder the text around it.
fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let reorders = |c: char| c != '\n' && is_unsafe(c);
    match value.as_str().filter(|text| !value.is_safe() && text.contains(reorders)) {
        Some(text) => escape_formatter(out, state, &Value::from(text.replace(reorders, ""))),
        None => escape_formatter(out, state, value),
    }
}

impl Pages {
    /// A page. `view` is what its template gets as `page`.
    pub(super) fn page(
        &self,
        settings: &Settings,
        language: Language,
        status: StatusCode,
        (name, view): (&str, &impl Serialize),
    ) -> Response<Body> {
        let facts = context! {
            page => Serde(view),
            office => Serde(office(&sender(settings))),
            language => language.code(),
            root => &self.root,
            style => Value::from_safe_string(STYLE.to_owned()),
        };
        match self.press.fill(name, &facts) {
            Ok(text) => answer(status, HTML, text),
            Err(error) => {
                telemetry::page_failed(&format!("{error:#}"));
                answer(StatusCode::INTERNAL_SERVER_ERROR, HTML, String::new())
            }
        }
    }

    /// The page that says why there is no other, in the organisation's language.
    pub(super) fn refuse(
        &self,
        settings: &Settings,
        status: StatusCode,
        refused: Refused,
    ) -> Response<Body> {
        self.refuse_in(settings.config.organisation.language, settings, status, refused)
    }

    /// As [`Self::refuse`], in the reader's language.
    pub(super) fn refuse_in(
        &self,
        language: Language,
        settings: &Settings,
        status: StatusCode,
        refused: Refused,
    ) -> Response<Body> {
        self.page(settings, language, status, ("refused.html", &context! { why => Serde(refused) }))
    }

    /// The store fails: said in the log, and kindly on the page.
    pub(super) fn failed(&self, settings: &Settings, error: &store::Error) -> Response<Body> {
        telemetry::page_failed(&error.to_string());
        self.refuse(settings, StatusCode::SERVICE_UNAVAILABLE, Refused::Later)
    }

    /// Somewhere below the pages, such as `/t/…/receipt`.
    pub(super) fn path(&self, below: &str) -> String {
        format!("{}{below}", self.root)
    }
}

/// A text of that media type.
pub(super) fn answer(status: StatusCode, kind: HeaderValue, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Another page, to be got: whoever loads that anew posts nothing.
pub(super) fn see(path: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    // Tokens and our own words fit into a header.
    if let Ok(path) = HeaderValue::from_str(path) {
        response.headers_mut().insert(header::LOCATION, path);
    }
    response
}

/// Who the pages are from. No Message-ID is made of it.
pub(super) fn sender(settings: &Settings) -> Sender {
    let (mail, organisation) = (&settings.config.mail, &settings.config.organisation);
    Sender {
        from: mail.from.clone(),
        reply_to: mail.reply_to.clone(),
        envelope_sender: mail.envelope_sender.clone(),
        organisation: organisation.name.clone(),
        department: organisation.department.clone(),
        contact: organisation.contact.clone(),
        instance: String::new(),
    }
}
