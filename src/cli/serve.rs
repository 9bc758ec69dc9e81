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
use crate::store::records::RuleDraft;
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
    let drafts = store.rule_drafts().await.map_err(|error| anyhow!("{error}"))?;
    let Loaded { engine, settings, left_out } = load(&args.engine, &drafts)?;
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
    state.reloads.error.store(Arc::new(told(&left_out)));
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

/// What was loaded, and which drafts of rules were left out, why.
struct Loaded {
    engine: Engine,
    settings: Settings,
    left_out: Vec<String>,
}

/// Rules, model, thresholds and settings, with the rules drafted on the desk. A draft that does not go together with the rest is left out and told
/// of: it must not keep the service from starting, nor the other drafts from being matched.
fn load(args: &EngineArgs, drafts: &[RuleDraft]) -> Result<Loaded> {
    let mut taken: Vec<Source> = Vec::new();
    let mut left_out = Vec::new();
    for one in drafts {
        match draft::source(&one.id, &one.text) {
            Ok(source) => taken.push(source),
            Err(error) => left_out.push(format!("draft {}: {error}", one.id)),
        }
    }
    let all = args.load_with_settings(taken.clone());
    let (engine, settings) = match all {
        Ok(loaded) => loaded,
        Err(_) if !taken.is_empty() => {
            let mut loaded = args.load_with_settings(Vec::new())?;
            let mut good = Vec::new();
            for source in taken {
                let name = source.name.clone();
                let with_it: Vec<Source> = good.iter().cloned().chain([source.clone()]).collect();
                match args.load_with_settings(with_it) {
                    Ok(more) => {
                        loaded = more;
                        good.push(source);
                    }
                    Err(error) => left_out.push(format!("draft {name}: {error:#}")),
                }
            }
            loaded
        }
        Err(error) => return Err(error),
    };
    for why in &left_out {
        tracing::error!(why, "a draft of a rule is left out");
    }
    Ok(Loaded { engine, settings, left_out })
}

/// What a reload tells of drafts that were left out.
fn told(left_out: &[String]) -> Option<String> {
    (!left_out.is_empty()).then(|| left_out.join("; "))
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
    let read = match state.intake.store().rule_drafts().await {
        Ok(drafts) => {
            let work = web::block(move || load(&engine, &drafts).map_err(|error| format!("{error:#}")));
            work.await.unwrap_or_else(|error| Err(error.to_string()))
        }
        Err(error) => Err(error.to_string()),
    };
    let taken = read.and_then(|Loaded { engine, settings, left_out }| {
        let digests = (engine.rules.digest().to_owned(), engine.model.digest().to_owned());
        state.intake.reload(engine, &settings)?;
        state.configure(&settings);
        Ok((digests, left_out))
    });
    match taken {
        Ok(((ruleset, model), left_out)) => {
            state.reloads.done.one();
            state.reloads.error.store(Arc::new(told(&left_out)));
            tracing::info!(ruleset, model, "reloaded");
        }
        Err(error) => {
            tracing::error!(error, "the reload failed: what was before goes on");
            state.reloads.error.store(Arc::new(Some(error)));
        }
    }
}
