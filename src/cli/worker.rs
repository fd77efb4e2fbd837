//! `run`: the worker.

use super::Everywhere;
use super::exit::{Exit, Failure};
use super::setting::{self, Setting};
use crate::delivery::worker::{self, Settings};
use crate::store::Store;
use crate::telemetry;

/// Runs until told to stop.
pub(super) async fn run(everywhere: &Everywhere) -> anyhow::Result<Exit> {
    if everywhere.on.is_some() {
        let text = "run lives in the present; use `advis --on DAY once` to pretend a day";
        return Err(Failure::usage(text).into());
    }
    let settings = settings(everywhere)?;
    setting::log(&settings.config);
    let store = Store::open(&settings.config.store.path).await?;
    let reload = || {
        settings_again(everywhere)
            .inspect_err(|error| telemetry::config_refused(&format!("{error:#}")))
            .ok()
    };
    let ended = worker::run(&store, settings, reload).await;
    // So that its file stands alone and can be moved or replaced; what was done is done, however that ends.
    store.close().await.ok();
    ended?;
    Ok(Exit::Done)
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
