//! `claque serve`: the service.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::{App, HttpServer, web};
use anyhow::{Context, Result, anyhow, bail};

use super::database::Database;
use super::{EngineArgs, Outcome};
use crate::cms::callback;
use crate::http::{State, routes};
use crate::intake::Intake;
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    database: Database,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787", env = "CLAQUE_LISTEN")]
    listen: SocketAddr,
    /// The address under which people and systems reach it, for links
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
    let filter = tracing_subscriber::EnvFilter::try_from_env("CLAQUE_LOG").unwrap_or_else(|_| "info".into());
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).json();
    let _ = subscriber.try_init();
    let engine = Arc::new(args.engine.load()?);
    actix_web::rt::System::new().block_on(serve(args, engine))
}

async fn serve(args: &Args, engine: Arc<crate::engine::Engine>) -> Result<Outcome> {
    let store = Store::open(&args.database.db).map_err(|error| anyhow!("{error}"))?;
    let listener =
        TcpListener::bind(args.listen).with_context(|| format!("cannot listen on {}", args.listen))?;
    let address = listener.local_addr()?;
    let public_url = args.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let started = std::time::Instant::now();
    let intake = Intake::start(engine, store.clone()).await.map_err(|error| anyhow!("{error}"))?;
    let (comments, bytes) = intake.index_size();
    tracing::info!(comments, bytes, millis = started.elapsed().as_millis() as u64, "live index made");
    callback::start(store)?;
    let state = web::Data::new(State::new(Arc::new(intake), &public_url));
    tracing::info!(%address, "listening");
    HttpServer::new(move || App::new().app_data(state.clone()).configure(routes))
        .workers(std::thread::available_parallelism().map_or(2, usize::from))
        .shutdown_timeout(20)
        .listen(listener)?
        .run()
        .await?;
    Ok(Outcome::Done)
}
