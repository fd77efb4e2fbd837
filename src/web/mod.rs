//! The pages on which leaders answer: reached by the links in the mails, acting only when a form is posted. And the page
//! of the operator, on a listener of its own, which only shows. The only room that knows axum. It never sends: what it
//! changes, and whom it tells, goes through the store and the desk, as the verbs do.

mod act;
mod door;
mod form;
mod guard;
mod history;
mod operator;
mod pace;
mod page;
mod render;
mod renew;
mod view;
mod visit;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::get;
use chrono::{DateTime, Timelike, Utc};
use tokio::net::TcpListener;

use self::door::{Door, Peer};
use self::pace::Paces;
pub use self::pace::{Limits, Pace};
use self::render::Press;
use crate::clock::Clock;
use crate::config::{Config, Web};
use crate::delivery::pass::Desk;
use crate::domain::leader::Language;
use crate::link::TASK_PATH;
use crate::mail::compose::{Templates, words};
use crate::store::Store;

/// Most bytes that a form may post; the longest of ours is far shorter.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// What the pages go by; a reload replaces it as a whole.
pub struct Settings {
    /// The config. Without `[web]` every link is refused.
    pub config: Config,
    /// The texts of the notices.
    pub templates: Templates,
    /// Today.
    pub clock: Clock,
}

/// The pages of one store.
pub struct Pages {
    store: Arc<Store>,
    settings: RwLock<Arc<Settings>>,
    paces: Mutex<Paces>,
    press: Press,
    limits: Limits,
    /// Where the pages are below the host, such as `/advis`; fixed when they begin.
    root: String,
}

impl Settings {
    /// The view of an edit.
    fn desk<'d>(&'d self, store: &'d Store) -> Desk<'d> {
        Desk {
            store,
            config: &self.config,
            clock: &self.clock,
            templates: &self.templates,
            rehearsal: self.clock.is_fixed(),
        }
    }

    fn web(&self) -> Option<&Web> {
        self.config.web.as_ref()
    }

    /// `26. juni 2020` and `9.15`, where the municipality is.
    fn moment(&self, language: Language, at: DateTime<Utc>) -> (String, String) {
        let local = at.with_timezone(&self.clock.zone());
        (words::day(language, local.date_naive()), time(local))
    }
}

impl Pages {
    /// The pages of `store`.
    #[must_use]
    pub fn new(store: Arc<Store>, settings: Settings, limits: Limits) -> Arc<Self> {
        let root = settings.web().map_or("", |web| web.public_url.path()).to_owned();
        Arc::new(Self {
            store,
            settings: RwLock::new(Arc::new(settings)),
            paces: Mutex::new(Paces::new(limits)),
            press: Press::new(),
            limits,
            root,
        })
    }

    /// Goes by other settings from the next request on. Where it listens, and below which path, stays as it is.
    pub fn renew(&self, settings: Settings) {
        let mut place = self.settings.write().unwrap_or_else(PoisonError::into_inner);
        *place = Arc::new(settings);
    }

    fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn router(self: &Arc<Self>) -> Router {
        let pages = Router::new()
            .route(&format!("{TASK_PATH}{{token}}"), get(page::task))
            .route(&format!("{TASK_PATH}{{token}}/receipt"), get(page::receipt))
            .route(&format!("{TASK_PATH}{{token}}/renew"), get(page::task).post(renew::renew))
            .route(&format!("{TASK_PATH}{{token}}/{{act}}"), get(page::form).post(page::post));
        let router = match self.root.as_str() {
            "" => pages,
            root => Router::new().nest(root, pages),
        };
        router
            .fallback(page::nowhere)
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .layer(middleware::from_fn_with_state(Arc::clone(self), guard::guard))
            .with_state(Arc::clone(self))
    }

    /// Serves the pages of the leaders until `stop` ends, and then those that are under way.
    ///
    /// # Errors
    /// When the listener fails for good.
    pub async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        self.serve_routes(self.router(), listener, stop).await
    }

    /// Serves the page of the operator likewise.
    ///
    /// # Errors
    /// When the listener fails for good.
    pub async fn serve_operator(
        self: Arc<Self>,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let is_local = listener.local_addr()?.ip().is_loopback();
        self.serve_routes(operator::router(&self, is_local), listener, stop).await
    }

    async fn serve_routes(
        &self,
        routes: Router,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let door = Door::new(listener, self.limits);
        let service = routes.into_make_service_with_connect_info::<Peer>();
        axum::serve(door, service).with_graceful_shutdown(stop).await
    }
}

/// `9.15`
fn time(at: impl Timelike) -> String {
    format!("{}.{:02}", at.hour(), at.minute())
}

/// Takes the address for the pages.
///
/// # Errors
/// When it cannot be had, as when somebody else listens there.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}
