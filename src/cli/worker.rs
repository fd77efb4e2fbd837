//! `run`: the worker, and the pages beside it.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinHandle};

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

/// Ends when the worker does.
type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

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
    web: Option<Web>,
    operator: Option<SocketAddr>,
    /// Whoever listens, until it is dropped.
    stops: Vec<oneshot::Sender<()>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Served {
    /// Serves the pages of the leaders and that of the operator, as far as the config has any.
    async fn begin(store: &Arc<Store>, settings: &Settings) -> anyhow::Result<Option<Self>> {
        let (web, operator) = (settings.config.web.clone(), settings.config.operator);
        if web.is_none() && operator.is_none() {
            return Ok(None);
        }
        let pages = Pages::new(Arc::clone(store), for_pages(settings), Limits::default());
        let (stops, tasks) = (Vec::new(), Vec::new());
        let mut served = Self { pages, web, operator, stops, tasks };
        if let Some(address) = served.web.as_ref().map(|web| web.listen) {
            let listener = listen(store, address, "[web] listen").await?;
            let pages = Arc::clone(&served.pages);
            served.serve(|stop| pages.serve(listener, stop));
            telemetry::pages_began(&address.to_string());
        }
        if let Some(address) = operator {
            let listener = listen(store, address, "[operator] listen").await?;
            let pages = Arc::clone(&served.pages);
            served.serve(|stop| pages.serve_operator(listener, stop));
            telemetry::operator_page_began(&address.to_string(), address.ip().is_loopback());
        }
        Ok(Some(served))
    }

    /// Serves on a task of its own.
    fn serve<F>(&mut self, serve: impl FnOnce(Stop) -> F)
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        // Whichever way the worker ends.
        let serving = serve(Box::pin(async move { drop(stopped.await) }));
        self.stops.push(stop);
        self.tasks.push(tokio::spawn(async move {
            if let Err(error) = serving.await {
                telemetry::pages_ended(&error.to_string());
            }
        }));
    }

    /// Lets pages under way end, but not for ever.
    async fn end(self) {
        drop(self.stops);
        let aborts: Vec<_> = self.tasks.iter().map(JoinHandle::abort_handle).collect();
        let limit = Duration::from_secs(STOP_SECONDS_MAX);
        if tokio::time::timeout(limit, join_all(self.tasks)).await.is_err() {
            aborts.iter().for_each(AbortHandle::abort);
        }
    }
}

async fn listen(store: &Store, address: SocketAddr, key: &str) -> anyhow::Result<TcpListener> {
    match web::listen(address).await {
        Ok(listener) => Ok(listener),
        Err(error) => {
            // Mostly it is another worker that listens there, and that is said in the words it always was.
            drop(store.lock_sender()?);
            Err(unheard(address, key, &error).into())
        }
    }
}

/// Gives the pages new settings; says what only a restart can change.
fn renew(served: Option<&Served>, settings: &Settings) {
    let config = &settings.config;
    let Some(Served { pages, web, operator, .. }) = served else {
        if config.web.is_some() || config.operator.is_some() {
            telemetry::pages_stay("there are no pages yet");
        }
        return;
    };
    match (web, &config.web) {
        (None, Some(_)) => telemetry::pages_stay("there are no pages for leaders yet"),
        (Some(_), None) => telemetry::pages_stay("the address of the pages is still listened on"),
        (Some(old), Some(new)) if new.listen != old.listen => {
            telemetry::pages_stay("the pages stay at the address that they have");
        }
        (Some(old), Some(new)) if new.public_url.path() != old.public_url.path() => {
            telemetry::pages_stay("the pages stay below the path that they have");
        }
        _ => {}
    }
    if config.operator != *operator {
        telemetry::pages_stay("the operator's page stays where it is, or is not");
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

fn unheard(address: SocketAddr, key: &str, error: &io::Error) -> Failure {
    let what = match error.kind() {
        ErrorKind::AddrInUse => "another program listens there".to_owned(),
        ErrorKind::AddrNotAvailable => "this machine does not have that address".to_owned(),
        ErrorKind::PermissionDenied => {
            "this user may not listen there; ports from 1024 on need no rights".to_owned()
        }
        _ => error.to_string(),
    };
    let text = format!("the pages cannot listen on {address}: {what}; change {key}");
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
