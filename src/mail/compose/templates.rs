//! The templates of the mails: those compiled in, and an administrator's own in their place.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value, context};

use super::calendar::{Attached, Place};
use super::forms::Forms;
use super::letter::OfficeView;
use super::{ComposeError, Page, SUBJECT_CHARS_MAX, Sheet, View, said, sample, text};

/// Every template by its file name. Sentences stand in `words.*`, the order of things in the others.
const BUILT_IN: [(&str, &str); 31] = [
    ("base.html", include_str!("../templates/base.html")),
    ("base.txt", include_str!("../templates/base.txt")),
    ("brief.html", include_str!("../templates/brief.html")),
    ("brief.txt", include_str!("../templates/brief.txt")),
    ("escalation.html", include_str!("../templates/escalation.html")),
    ("escalation.txt", include_str!("../templates/escalation.txt")),
    ("item.html", include_str!("../templates/item.html")),
    ("item.txt", include_str!("../templates/item.txt")),
    ("lead.html", include_str!("../templates/lead.html")),
    ("lead.txt", include_str!("../templates/lead.txt")),
    ("links.da.txt", include_str!("../templates/links.da.txt")),
    ("links.en.txt", include_str!("../templates/links.en.txt")),
    ("links.html", include_str!("../templates/links.html")),
    ("links.txt", include_str!("../templates/links.txt")),
    ("notice.html", include_str!("../templates/notice.html")),
    ("notice.txt", include_str!("../templates/notice.txt")),
    ("own.html", include_str!("../templates/own.html")),
    ("own.txt", include_str!("../templates/own.txt")),
    ("report.html", include_str!("../templates/report.html")),
    ("report.txt", include_str!("../templates/report.txt")),
    ("subject.txt", include_str!("../templates/subject.txt")),
    ("told.da.txt", include_str!("../templates/told.da.txt")),
    ("told.en.txt", include_str!("../templates/told.en.txt")),
    ("told.html", include_str!("../templates/told.html")),
    ("told.txt", include_str!("../templates/told.txt")),
    ("undelivered.html", include_str!("../templates/undelivered.html")),
    ("undelivered.txt", include_str!("../templates/undelivered.txt")),
    ("undo.html", include_str!("../templates/undo.html")),
    ("undo.txt", include_str!("../templates/undo.txt")),
    ("words.da.txt", include_str!("../templates/words.da.txt")),
    ("words.en.txt", include_str!("../templates/words.en.txt")),
];

/// Letters in one language, in one go: reading the words is the dearest part, and all parts of all letters share them as
/// `say` and `pages` (see [`said`]).
const LETTERS: &str = "letters";
const LETTERS_SOURCE: &str = concat!(
    "{% import 'words.' ~ language ~ '.txt' as words %}",
    "{% import 'links.' ~ language ~ '.txt' as links %}",
    "{% for letter, kind, entries in letters %}",
    "{% set say = once(words) %}{% set pages = once(links) %}",
    "{% set subject %}{% include 'subject.txt' %}{% endset %}{{ subject }}{{ part }}",
    "{% include kind ~ '.txt' %}{{ part }}",
    "{% include kind ~ '.html' %}{{ part }}",
    "{% for entry in entries %}{{ words.entry_title(entry) }}{{ part }}{{ words.entry_text(entry) }}{{ part }}{% endfor %}",
    "{% endfor %}",
);

/// Ends a part of the letter; no text that we take in holds a control character.
const PART: &str = "\u{1e}next\u{1e}";

/// How alike two file names must be for the one to be offered in place of the other (Jaro-Winkler).
const LIKENESS_MIN: f64 = 0.7;

/// A template that cannot be used, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template {file}{}: {problem}", line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub struct TemplateError {
    /// Its file name.
    pub file: String,
    /// Counted from 1.
    pub line: Option<usize>,
    /// What is wrong and what to do.
    pub problem: String,
}

/// The templates in use; cheap to clone.
#[derive(Debug, Clone)]
pub struct Templates {
    environment: Arc<Environment<'static>>,
    /// None where an administrator's own texts are among them.
    forms: Option<Arc<Mutex<Forms>>>,
}

/// The parts of a letter, as they come from the templates.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
    /// Title and text of each entry in the calendar.
    pub(super) entries: Vec<(String, String)>,
}

impl Templates {
    /// Those compiled in.
    #[must_use]
    pub fn built_in() -> Self {
        Self { environment: Arc::new(built_in()), forms: Some(Arc::default()) }
    }

    /// An administrator's own texts, by file name, in the place of those compiled in.
    ///
    /// # Errors
    /// Every text with a name that no mail uses, and every one that is no template.
    pub fn with(overrides: BTreeMap<String, String>) -> Result<Self, Vec<TemplateError>> {
        if overrides.is_empty() {
            return Ok(Self::built_in());
        }
        let mut environment = built_in();
        let mut problems = Vec::new();
        for (name, source) in overrides {
            if !Self::names().any(|known| known == name) {
                problems.push(unknown_name(name));
            } else if let Err(error) = environment.add_template_owned(name, source) {
                problems.push(TemplateError::from(error));
            }
        }
        let environment = Arc::new(environment);
        if problems.is_empty() { Ok(Self { environment, forms: None }) } else { Err(problems) }
    }

    /// Names of the files an administrator may replace, sorted.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// Writes a mail of every sort in every language about awkward sample facts.
    ///
    /// # Errors
    /// Everything that went wrong, each problem once.
    pub fn check(&self) -> Result<(), Vec<TemplateError>> {
        let mut problems: Vec<TemplateError> = Vec::new();
        for failure in sample::compose_all(self).into_iter().filter_map(Result::err) {
            let problem = match failure {
                ComposeError::Template(problem) => problem,
                other => TemplateError { file: "*".into(), line: None, problem: other.to_string() },
            };
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Renders one letter.
    pub(super) fn render(
        &self,
        office: &OfficeView,
        sheet: &Sheet,
    ) -> Result<Draft, TemplateError> {
        let rendered = self.fill(office, &[sheet])?;
        Ok(Draft::read(&mut rendered.split(PART), sheet))
    }

    /// Renders letters, each as [`Self::render`] does; `None` where that is yet to be done, since one of them failed.
    pub(super) fn render_all(&self, office: &OfficeView, sheets: Vec<Sheet>) -> Vec<Option<Draft>> {
        match &self.forms {
            Some(forms) => {
                let mut forms = forms.lock().unwrap_or_else(PoisonError::into_inner);
                forms.fill(office, sheets, |office, sheets| self.render_each(office, sheets))
            }
            None => self.render_each(office, &sheets.iter().collect::<Vec<_>>()),
        }
    }

    fn render_each(&self, office: &OfficeView, sheets: &[&Sheet]) -> Vec<Option<Draft>> {
        let mut drafts = Vec::with_capacity(sheets.len());
        for run in sheets.chunk_by(|one, next| one.language == next.language) {
            match self.fill(office, run) {
                Ok(rendered) => {
                    let mut parts = rendered.split(PART);
                    drafts.extend(run.iter().map(|sheet| Some(Draft::read(&mut parts, sheet))));
                }
                Err(_) => drafts.extend(run.iter().map(|_| None)),
            }
        }
        drafts
    }

    /// The parts of letters in the language of the first, each ended by [`PART`].
    fn fill(&self, office: &OfficeView, sheets: &[&Sheet]) -> Result<String, TemplateError> {
        let letter = |sheet: &&Sheet| {
            let entries = Value::from(Serde(&sheet.entries));
            let view = match &sheet.view {
                View::Reminders(view) => Value::from(Serde(view)),
                View::Other(view) => view.clone(),
            };
            Value::from_iter([view, Value::from(sheet.kind), entries])
        };
        let facts = context! {
            part => PART,
            office => Serde(office),
            language => sheets.first().map(|sheet| sheet.language.code()),
            letters => sheets.iter().map(letter).collect::<Vec<Value>>(),
        };
        Ok(self.environment.get_template(LETTERS)?.render(&facts)?)
    }
}

impl Draft {
    /// Takes a letter from the rendered parts.
    fn read<'p>(parts: &mut impl Iterator<Item = &'p str>, sheet: &Sheet) -> Self {
        let mut part = || parts.next().unwrap_or_default();
        Self {
            subject: part().to_owned(),
            text: text::tidy(part()),
            html: text::tidy(part()),
            entries: sheet
                .entries
                .iter()
                .map(|_| (part().to_owned(), text::tidy(part())))
                .collect(),
        }
    }

    /// The page, with the entries where they stand in the calendar.
    pub(super) fn page(self, places: Vec<Place>) -> Result<Page, TemplateError> {
        let Self { subject, text, html, entries } = self;
        let subject = text::fit(&subject, SUBJECT_CHARS_MAX);
        if subject.is_empty() {
            let problem = "it gives no text; a mail needs a subject".to_owned();
            let file = "subject.txt".to_owned();
            return Err(TemplateError { file, line: None, problem });
        }
        let attach = |(place, (title, text)): (Place, (String, String))| Attached {
            place,
            title: text::one_line(&title),
            text: text.trim_end().to_owned(),
        };
        let entries = places.into_iter().zip(entries).map(attach).collect();
        Ok(Page { subject, text, html, entries })
    }
}

/// Strict, so that a mistyped name is an error and not a gap in a mail; with positions, so that the error can say where.
fn built_in() -> Environment<'static> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.unwrap_or_default());
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_debug(true);
    environment.add_function("once", said::once);
    for (name, source) in BUILT_IN.into_iter().chain([(LETTERS, LETTERS_SOURCE)]) {
        // Every golden file would show it if one of ours did not parse.
        let _ = environment.add_template(name, source);
    }
    environment
}

impl From<minijinja::Error> for TemplateError {
    /// The innermost cause says where it happened; those around it only who included whom.
    fn from(error: minijinja::Error) -> Self {
        let mut cause = &error;
        while let Some(inner) = cause.source().and_then(|inner| inner.downcast_ref()) {
            cause = inner;
        }
        let what = match cause.detail() {
            Some(detail) => format!("{}: {detail}", cause.kind()),
            None => cause.kind().to_string(),
        };
        let at = cause.range().zip(cause.template_source());
        let text = at.and_then(|(range, source)| source.get(range)).map(text::one_line);
        let near = text.map(|text| format!(" at `{text}`")).unwrap_or_default();
        Self {
            file: cause.name().unwrap_or("?").to_owned(),
            line: cause.line(),
            problem: format!("{what}{near}; {}", advice(cause.kind())),
        }
    }
}

fn advice(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::UndefinedError => {
            "use only names that the built-in template of this file uses, or delete the file to return to it"
        }
        ErrorKind::SyntaxError => {
            "close every {{ and {% as the built-in template of this file does"
        }
        ErrorKind::UnknownFunction | ErrorKind::UnknownMethod => {
            "compare with the built-in template: a macro it calls may be missing from words.da.txt or words.en.txt"
        }
        _ => "compare with the built-in template of this file, or delete the file to return to it",
    }
}

fn unknown_name(file: String) -> TemplateError {
    let likeness = |name: &&str| strsim::jaro_winkler(name, &file);
    let nearest = Templates::names()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
        .filter(|name| likeness(name) >= LIKENESS_MIN);
    let problem = match nearest {
        Some(nearest) => format!("no mail uses a file of this name; did you mean {nearest}?"),
        None => {
            let names: Vec<&str> = Templates::names().collect();
            format!("no mail uses a file of this name; those used are {}", names.join(", "))
        }
    };
    TemplateError { file, line: None, problem }
}
