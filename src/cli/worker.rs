//! `run`: the worker, and the pages beside it.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::Everywhere;
use super::exit::{Exit, Failure};
use super::setting::{self, Setting};
use crate::clock::Clock;
use crate::config::Web;
use crate::delivery::worker::{self, Settings};
use crate::store::Store;
use crate::telemetry;
use crate::web::{self, Limits, Pages};

/// How long pages under way may take to end after SIGTERM.
const STOP_SECONDS_MAX: u64 = 5;

/// Runs until told to stop.
pub(super) async fn run(everywhere: &Everywhere) -> anyhow::Result<Exit> {
    if everywhere.on.is_some() {
        let text = "run lives in the present; use `advis --on DAY once` to pretend a day";
        return Err(Failure::usage(text).into());
    }
    let settings = settings(everywhere)?;
    setting::log(&settings.config);
    let store = Arc::new(Store::open(&settings.config.store.path).await?);
    let served = Served::begin(&store, &settings).await?;
    let reload = || {
        let again = settings_again(everywhere)
            .inspect_err(|error| telemetry::config_refused(&format!("{error:#}")))
            .ok()?;
        renew(served.as_ref(), &again);
        Some(again)
    };
    let ended = worker::run(&store, settings, reload).await;
    if let Some(served) = served {
        served.end().await;
    }
    // So that its file stands alone and can be moved or replaced; what was done is done, however that ends.
    if let Ok(store) = Arc::try_unwrap(store) {
        store.close().await.ok();
    }
    ended?;
    Ok(Exit::Done)
}

/// The pages, while they are served.
struct Served {
    pages: Arc<Pages>,
    web: Web,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Served {
    /// Serves the pages, where the config has any.
    async fn begin(store: &Arc<Store>, settings: &Settings) -> anyhow::Result<Option<Self>> {
        let Some(web) = settings.config.web.clone() else { return Ok(None) };
        let listener = match web::listen(web.listen).await {
            Ok(listener) => listener,
            Err(error) => {
                // Mostly it is another worker that listens there, and that is said in the words it always was.
                drop(store.lock_sender()?);
                return Err(unheard(web.listen, &error).into());
            }
        };
        let pages = Pages::new(Arc::clone(store), for_pages(settings), Limits::default());
        let (stop, stopped) = oneshot::channel();
        let serving = Arc::clone(&pages).serve(listener, async move {
            // Whichever way the worker ends.
            stopped.await.ok();
        });
        let task = tokio::spawn(async move {
            if let Err(error) = serving.await {
                telemetry::pages_ended(&error.to_string());
            }
        });
        telemetry::pages_began(&web.listen.to_string());
        Ok(Some(Self { pages, web, stop, task }))
    }

    /// Lets pages under way end, but not for ever.
    async fn end(self) {
        drop(self.stop);
        let abort = self.task.abort_handle();
        if tokio::time::timeout(Duration::from_secs(STOP_SECONDS_MAX), self.task).await.is_err() {
            abort.abort();
        }
    }
}

/// Gives the pages new settings; says what only a restart can change.
fn renew(served: Option<&Served>, settings: &Settings) {
    let Some(Served { pages, web, .. }) = served else {
        if settings.config.web.is_some() {
            telemetry::pages_stay("there are no pages yet");
        }
        return;
    };
    match &settings.config.web {
        None => telemetry::pages_stay("the address of the pages is still listened on"),
        Some(new) if new.listen != web.listen => {
            telemetry::pages_stay("the pages stay at the address that they have");
        }
        Some(new) if new.public_url.path() != web.public_url.path() => {
            telemetry::pages_stay("the pages stay below the path that they have");
        }
        Some(_) => {}
    }
    pages.renew(for_pages(settings));
}

fn for_pages(settings: &Settings) -> web::Settings {
    web::Settings {
        config: settings.config.clone(),
        templates: settings.templates.clone(),
        clock: Clock::System(settings.config.timezone),
    }
}

fn unheard(address: SocketAddr, error: &io::Error) -> Failure {
    let what = match error.kind() {
        ErrorKind::AddrInUse => "another program listens there".to_owned(),
        ErrorKind::AddrNotAvailable => "this machine does not have that address".to_owned(),
        ErrorKind::PermissionDenied => {
            "this user may not listen there; ports from 1024 on need no rights".to_owned()
        }
        _ => error.to_string(),
    };
    let text = format!("the pages cannot listen on {address}: {what}; change [web] listen");
    Failure { exit: Exit::Config, text }
}

fn settings(everywhere: &Everywhere) -> anyhow::Result<Settings> {
    let config = Setting::config(everywhere)?;
    let templates = setting::templates(config.templates_dir.as_deref())?;
    Ok(Settings { config, templates })
}

/// What SIGHUP reads; broken templates are as good a reason to keep the old settings as a broken config.
fn settings_again(everywhere: &Everywhere) -> anyhow::Result<Settings> {
    let settings = settings(everywhere)?;
    setting::refuse_broken(&settings.templates)?;
    crate::mail::transport::Transport::of(&settings.config)?;
    Ok(settings)
}
