//! What every verb works with: config, clock, store, templates, and who is asking.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Everywhere;
use super::exit::{Exit, Failure};
use crate::clock::Clock;
use crate::config::{self, Config, Place, Problem, Problems, TransportKind};
use crate::delivery::pass::Desk;
use crate::domain::zone::Zone;
use crate::mail::compose::{TemplateError, Templates};
use crate::store::{RowProblem, Stamp, Store};
use crate::telemetry;

/// Where the name of the person at the keyboard is looked for.
const WHO_VARIABLES: [&str; 4] = ["SUDO_USER", "USER", "LOGNAME", "USERNAME"];

/// The surroundings of one command.
pub(super) struct Setting {
    pub(super) config: Config,
    pub(super) clock: Clock,
    pub(super) store: Store,
    pub(super) templates: Templates,
    pub(super) who: String,
    pub(super) rehearsal: bool,
}

impl Setting {
    /// The config that holds here.
    pub(super) fn config(everywhere: &Everywhere) -> anyhow::Result<Config> {
        let (config, problems) = Self::look(everywhere)?;
        let invalid = |problems| config::Error::from(Problems(problems)).into();
        if problems.is_empty() { Ok(config) } else { Err(invalid(problems)) }
    }

    /// Every problem of config and environment, and what is sound in them.
    pub(super) fn look(everywhere: &Everywhere) -> anyhow::Result<(Config, Vec<Problem>)> {
        let default = Path::new(config::FILE);
        let file = match &everywhere.config {
            Some(file) => Some(file.as_path()),
            None => Some(default).filter(|file| file.exists()),
        };
        let today = everywhere.on.unwrap_or_else(|| Clock::System(Zone::UTC).today());
        let (variables, unreadable) = environment();
        let (config, mut problems) = config::look(file, variables, today)?;
        problems.extend(unreadable);
        Ok((config, problems))
    }

    /// Opens everything; the store is made when it is not there.
    pub(super) async fn open(everywhere: &Everywhere) -> anyhow::Result<Self> {
        let config = Self::config(everywhere)?;
        Self::of(config, everywhere).await
    }

    /// As [`Self::open`], with a config that was read already.
    pub(super) async fn of(config: Config, everywhere: &Everywhere) -> anyhow::Result<Self> {
        let templates = templates(config.templates_dir.as_deref())?;
        let store = Store::open(&config.store.path).await?;
        Ok(Self::with(config, store, templates, everywhere))
    }

    /// As [`Self::open`], for verbs that make no sense without a store.
    pub(super) async fn open_existing(everywhere: &Everywhere) -> anyhow::Result<Self> {
        let config = Self::config(everywhere)?;
        let store = Store::open_existing(&config.store.path).await?;
        let templates = templates(config.templates_dir.as_deref())?;
        Ok(Self::with(config, store, templates, everywhere))
    }

    /// These, and who is asking.
    pub(super) fn with(
        config: Config,
        store: Store,
        templates: Templates,
        everywhere: &Everywhere,
    ) -> Self {
        let clock = clock(everywhere, &config);
        let (who, rehearsal) = (who(), everywhere.rehearsal);
        Self { config, clock, store, templates, who, rehearsal }
    }

    /// Closes the store, so that its file stands alone and can be moved or replaced. What was done is done, however
    /// that ends.
    pub(super) async fn close(self) {
        self.store.close().await.ok();
    }

    /// Starts the log.
    pub(super) fn log(&self) {
        log(&self.config);
    }

    /// The view of a pass.
    pub(super) fn desk(&self) -> Desk<'_> {
        Desk {
            store: &self.store,
            config: &self.config,
            clock: &self.clock,
            templates: &self.templates,
            rehearsal: self.clock.is_fixed(),
        }
    }

    /// Who does something, and when.
    pub(super) fn stamp(&self) -> Stamp {
        Stamp::now(&self.clock, &self.who)
    }

    /// Refuses to write mails on a pretended day that would reach real people, or stand in a real history.
    pub(super) async fn refuse_pretence(&self) -> anyhow::Result<()> {
        if !self.clock.is_fixed() || self.rehearsal {
            return Ok(());
        }
        let why = if self.config.mail.transport == TransportKind::Smtp {
            "the mails would really go out ([mail] transport = \"smtp\")"
        } else if self.store.has_real_deliveries().await? {
            "the store holds real deliveries, and this would write into their history"
        } else {
            return Ok(());
        };
        let text =
            format!("--on pretends a day, but {why}; add --rehearsal if that is what you want");
        Err(Failure::usage(text).into())
    }

    /// Reads what other systems wrote, so that every verb sees the same book. On a pretended day a store that holds
    /// real deliveries is left as it is: its commitments must not be adopted in the future.
    pub(super) async fn read_new(&self) -> anyhow::Result<Vec<RowProblem>> {
        let pretends = self.clock.is_fixed() && !self.rehearsal;
        if pretends && self.store.has_real_deliveries().await? {
            return Ok(Vec::new());
        }
        Ok(self.desk().read_new().await?)
    }
}

/// Today, pretended or not.
pub(super) fn clock(everywhere: &Everywhere, config: &Config) -> Clock {
    match everywhere.on {
        Some(day) => Clock::on(day, config.timezone),
        None => Clock::System(config.timezone),
    }
}

/// The built-in templates, with those of the folder in their place.
pub(super) fn templates(dir: Option<&Path>) -> anyhow::Result<Templates> {
    Ok(Templates::with(template_texts(dir)?).map_err(|errors| broken(&errors))?)
}

/// Every problem of the templates, also those of the texts beside one that is no template.
pub(super) fn template_problems(dir: Option<&Path>) -> Vec<String> {
    let mut texts = match template_texts(dir) {
        Ok(texts) => texts,
        Err(failure) => return vec![failure.text],
    };
    let mut errors = Templates::with(texts.clone()).err().unwrap_or_default();
    texts.retain(|name, _| errors.iter().all(|error| error.file != *name));
    if let Err(more) = Templates::with(texts).and_then(|templates| templates.check()) {
        errors.extend(more);
    }
    errors.iter().map(ToString::to_string).collect()
}

/// The texts in the folder by file name; those that cannot be read are all named.
fn template_texts(dir: Option<&Path>) -> Result<BTreeMap<String, String>, Failure> {
    let Some(dir) = dir else { return Ok(BTreeMap::new()) };
    let refusal = |text: String| Failure { exit: Exit::Config, text };
    let unreadable = |error: std::io::Error| {
        refusal(format!("the templates in {} cannot be read: {error}", dir.display()))
    };
    let (mut texts, mut problems) = (BTreeMap::new(), Vec::new());
    for entry in std::fs::read_dir(dir).map_err(unreadable)? {
        let path: PathBuf = entry.map_err(unreadable)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if path.is_file() && !name.starts_with('.') {
            match std::fs::read_to_string(&path) {
                Ok(text) => drop(texts.insert(name.to_owned(), text)),
                Err(error) => {
                    problems.push(format!("template {} cannot be read: {error}", path.display()));
                }
            }
        }
    }
    if problems.is_empty() { Ok(texts) } else { Err(refusal(problems.join("\n"))) }
}

/// Our variables, and those that are no text.
fn environment() -> (Vec<(String, String)>, Vec<Problem>) {
    let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ADVIS_"));
    let (mut variables, mut problems) = (Vec::new(), Vec::new());
    for (name, value) in ours {
        let place = Place::Variable(name.to_string_lossy().into_owned());
        match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => variables.push((name, value)),
            _ => {
                let what = "this is no text in UTF-8".to_owned();
                let hint = Some("write it in UTF-8, or unset it".to_owned());
                problems.push(Problem { place, what, hint });
            }
        }
    }
    (variables, problems)
}

/// The person at the keyboard, for the record.
fn who() -> String {
    WHO_VARIABLES
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_else(|| "unknown".to_owned())
}

/// Starts the log on standard error, as the config has it.
pub(super) fn log(config: &Config) {
    let format = match config.log.format {
        config::Format::Text => telemetry::Format::Text,
        config::Format::Json => telemetry::Format::Json,
    };
    telemetry::init(format, config.log.level);
}

/// Refuses templates that cannot be rendered.
pub(super) fn refuse_broken(templates: &Templates) -> anyhow::Result<()> {
    Ok(templates.check().map_err(|errors| broken(&errors))?)
}

fn broken(errors: &[TemplateError]) -> Failure {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    Failure { exit: Exit::Config, text: lines.join("\n") }
}
