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
use crate::http::{State, layers, routes};
use crate::intake::Intake;
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

pub(super) fn run(args: &Args) -> Result<Outcome> {
    if !args.listen.ip().is_loopback() && !args.expose {
        bail!(
            "{} is not a loopback address: add --expose if a proxy with TLS stands in front of it",
            args.listen
        );
    }
    let filter = tracing_subscriber::EnvFilter::try_from_env("CLAQUE_LOG")
        .unwrap_or_else(|_| "info,actix_http=off".into());
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).json();
    let _ = subscriber.try_init();
    actix_web::rt::System::new().block_on(serve(args))
}

async fn serve(args: &Args) -> Result<Outcome> {
    let (engine, settings) = args.engine.load_with_settings()?;
    let store = Store::open(&args.database.db).map_err(|error| anyhow!("{error}"))?;
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
    server.await?;
    Ok(Outcome::Done)
}

/// Reloads at every SIGHUP; returns when it is time to end.
async fn signals(args: &Args, state: &State) -> std::io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = hangup.recv() => reload(args, state).await,
        }
    }
}

/// Reads rules, model and configuration anew; where something is wrong with them, what was before goes on.
async fn reload(args: &Args, state: &State) {
    let engine = args.engine.clone();
    let read = web::block(move || engine.load_with_settings().map_err(|error| format!("{error:#}"))).await;
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
