//! `claque serve`: the service. SIGTERM and SIGINT let what is under way finish; SIGHUP reads rules, model and configuration anew.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Instant;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use anyhow::{Context, Result, anyhow, bail};
use tokio::signal::unix::{SignalKind, signal};

use super::database::Database;
use super::{EngineArgs, Outcome};
use crate::cms::callback;
use crate::config::Settings;
use crate::engine::Engine;
use crate::http::{State, layers, routes};
use crate::intake::Intake;
use crate::rules::{Source, draft};
use crate::store::Store;
use crate::upkeep;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    database: Database,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787", env = "CLAQUE_LISTEN")]
    listen: SocketAddr,
    /// The address under which people and systems reach it, with the path prefix of a proxy; as `server.public_url`
    #[arg(long, value_name = "URL", env = "CLAQUE_PUBLIC_URL")]
    public_url: Option<String>,
    /// Listen on an address that is not this machine's own; put TLS in front of it
    #[arg(long)]
    expose: bool,
    #[command(flatten)]
    engine: EngineArgs,
}

impl Args {
    /// What the demo serves with.
    pub(super) fn for_demo(database: Database, listen: SocketAddr) -> Self {
        Self { database, listen, public_url: None, expose: false, engine: EngineArgs::default() }
    }
}

pub(super) fn run(args: &Args) -> Result<Outcome> {
    run_with(args, "info,actix_http=off", |_| {})
}

/// Serves; logs what `log` says where the environment says nothing else, and calls `ready` with the public address once it listens.
pub(super) fn run_with(args: &Args, log: &str, ready: impl FnOnce(&str)) -> Result<Outcome> {
    if !args.listen.ip().is_loopback() && !args.expose {
        bail!(
            "{} is not a loopback address: add --expose if a proxy with TLS stands in front of it",
            args.listen
        );
    }
    let filter = tracing_subscriber::EnvFilter::try_from_env("CLAQUE_LOG").unwrap_or_else(|_| log.into());
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).json();
    let _ = subscriber.try_init();
    actix_web::rt::System::new().block_on(serve(args, ready))
}

async fn serve(args: &Args, ready: impl FnOnce(&str)) -> Result<Outcome> {
    let store = Store::open(&args.database.db).map_err(|error| anyhow!("{error}"))?;
    let (engine, settings) = load(&args.engine, drafts(&store).await)?;
    if args.expose && !store.has_credentials().await.map_err(|error| anyhow!("{error}"))? {
        bail!(
            "there is no key and no user yet: make one before the service is exposed (`claque keys create`, `claque users add`)"
        );
    }
    store.probe().await.map_err(|error| anyhow!("the database cannot be written: {error}"))?;
    let configured = Some(settings.service.server.public_url.clone()).filter(|url| !url.is_empty());
    if args.expose && args.public_url.is_none() && configured.is_none() {
        bail!(
            "say with --public-url under which address people reach it: logins from another one are refused"
        );
    }
    if args.expose && settings.service.server.trusted_proxies.is_empty() {
        tracing::warn!(
            "server.trusted_proxies is empty: everybody comes from the proxy's address, and shares its login throttle"
        );
    }
    let started = Instant::now();
    let intake = Intake::start(Arc::new(engine), store.clone(), &settings).await;
    let intake = intake.map_err(|error| anyhow!("{error}"))?;
    let (comments, bytes) = intake.index_size();
    tracing::info!(comments, bytes, millis = started.elapsed().as_millis() as u64, "live index made");
    // Nobody is kept waiting while the index is made: until then the connection is refused, and the CMS publishes as usual.
    let listener =
        TcpListener::bind(args.listen).with_context(|| format!("cannot listen on {}", args.listen))?;
    let address = listener.local_addr()?;
    let public_url = args.public_url.clone().or(configured).unwrap_or_else(|| format!("http://{address}"));
    callback::start(store)?;
    let state = web::Data::new(State::new(Arc::clone(&intake), &settings, &public_url));
    let of_now = state.clone();
    actix_web::rt::spawn(upkeep::fetch(Arc::clone(&intake), move || of_now.settings()));
    let of_now = state.clone();
    actix_web::rt::spawn(upkeep::run(intake, state.public_url.clone(), move || of_now.settings()));
    let (app, prefix) = (state.clone(), state.prefix().to_owned());
    let server = HttpServer::new(move || {
        let app = App::new().app_data(app.clone()).wrap(from_fn(layers::around));
        // A proxy may take its prefix away before it asks, or leave it in.
        let app = if prefix.is_empty() { app } else { app.service(web::scope(&prefix).configure(routes)) };
        app.configure(routes)
    })
    .workers(std::thread::available_parallelism().map_or(2, usize::from))
    .shutdown_timeout(settings.service.server.drain_seconds)
    .disable_signals()
    .listen(listener)?
    .run();
    let handle = server.handle();
    let closing = state.clone();
    let args = args.clone();
    actix_web::rt::spawn(async move {
        match signals(&args, &closing).await {
            Ok(()) => tracing::info!("draining"),
            Err(error) => tracing::error!(%error, "signals cannot be heard"),
        }
        closing.close();
        handle.stop(true).await;
    });
    tracing::info!(%address, "listening");
    ready(&state.public_url);
    server.await?;
    Ok(Outcome::Done)
}

/// The rules that were drafted on the desk. One that cannot be read is left out: it must not keep the service from starting.
async fn drafts(store: &Store) -> Vec<Source> {
    let drafts = store.rule_drafts().await.unwrap_or_else(|error| {
        tracing::error!(%error, "the drafts of rules cannot be read");
        Vec::new()
    });
    let sources = drafts.iter().map(|one| draft::source(&one.id, &one.text));
    sources
        .filter_map(|source| source.map_err(|error| tracing::error!(%error, "a draft is left out")).ok())
        .collect()
}

/// Rules, model, thresholds and settings; without the drafts where those do not go together with the rules.
fn load(engine: &EngineArgs, drafts: Vec<Source>) -> Result<(Engine, Settings)> {
    if drafts.is_empty() {
        return engine.load_with_settings(drafts);
    }
    engine.load_with_settings(drafts).or_else(|error| {
        let without = engine.load_with_settings(Vec::new())?;
        tracing::error!(error = format!("{error:#}"), "the drafts of rules are left out");
        Ok(without)
    })
}

/// Reloads at every SIGHUP and when the desk asks for it; returns when it is time to end.
async fn signals(args: &Args, state: &State) -> std::io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hangup.recv() => reload(args, state).await,
            () = state.reload_wanted.notified() => reload(args, state).await,
        }
    }
}

/// Reads rules, model and configuration anew; where something is wrong with them, what was before goes on.
async fn reload(args: &Args, state: &State) {
    let engine = args.engine.clone();
    let drafts = drafts(state.intake.store()).await;
    let read = web::block(move || load(&engine, drafts).map_err(|error| format!("{error:#}"))).await;
    let read = read.unwrap_or_else(|error| Err(error.to_string()));
    let taken = read.and_then(|(engine, settings)| {
        let digests = (engine.rules.digest().to_owned(), engine.model.digest().to_owned());
        state.intake.reload(engine, &settings)?;
        state.configure(&settings);
        Ok(digests)
    });
    match taken {
        Ok((ruleset, model)) => {
            state.reloads.done.one();
            state.reloads.error.store(Arc::new(None));
            tracing::info!(ruleset, model, "reloaded");
        }
        Err(error) => {
            tracing::error!(error, "the reload failed: what was before goes on");
            state.reloads.error.store(Arc::new(Some(error)));
        }
    }
}
