//! `GET /v1/events`: what happens on the desk, as server-sent events. Every event is stored with a number; a watcher who comes back
//! with `Last-Event-ID` misses nothing (events are kept for two days).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt;
use serde::Deserialize;
use utoipa::IntoParams;

use super::auth::{Caller, CanLook, Identity, identify};
use super::error::{ApiError, Code};
use super::presence::{Here, Presence};
use super::state::State;
use crate::access::Permission;
use crate::store::records::{Event, Sites};
use crate::store::{Store, StoreError};

/// Events read at a time.
const AT_ONCE: usize = 200;
/// The shortest time between two looks, so that a flood of commits is not a flood of queries.
const BREATH: Duration = Duration::from_millis(150);
/// Without anything to tell, a line is sent to keep proxies from closing the connection.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Where to begin.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Begin {
    /// The number of the last event that was seen; the header `Last-Event-ID` says the same. Without either: from now on.
    last_event_id: Option<i64>,
}

/// A watcher's place.
struct Watch {
    /// Asked anew now and then whether its sender may still look.
    request: HttpRequest,
    asked: Instant,
    store: Store,
    sites: Sites,
    after: i64,
    waiting: VecDeque<Event>,
    commits: tokio::sync::watch::Receiver<u64>,
    greeted: bool,
    /// Who is here, and that the watcher is.
    presence: Presence,
    changes: tokio::sync::watch::Receiver<u64>,
    _here: Option<Here>,
}

/// What happens on the desk
///
/// Server-sent events `queue.opened`, `queue.changed`, `queue.closed`, `queue.claimed`, `queue.released`, `decision`, `decision.undone`,
/// `comment.status`, `note`, `campaign.allowed`; `data` is JSON with the `site`. To people also `presence`, without an id: `{"people": [name]}`.
#[utoipa::path(get, path = "/v1/events", tag = "review", params(Begin),
    responses((status = 200, description = "The stream", content_type = "text/event-stream", body = String)))]
pub(super) async fn stream(
    request: HttpRequest,
    state: web::Data<State>,
    caller: Caller<CanLook>,
    begin: web::Query<Begin>,
) -> Result<HttpResponse, ApiError> {
    let header = request.headers().get("last-event-id").and_then(|value| value.to_str().ok());
    let header = header
        .map(str::parse)
        .transpose()
        .map_err(|_| ApiError::new(Code::InvalidParameter, "`Last-Event-ID` is the number of an event"))?;
    let store = state.intake.store().clone();
    let after = match header.or(begin.last_event_id) {
        Some(after) => after,
        None => store.last_event().await?,
    };
    let watch = Watch {
        request: request.clone(),
        asked: Instant::now(),
        commits: store.commits(),
        store,
        sites: caller.sites(),
        after,
        waiting: VecDeque::new(),
        greeted: false,
        changes: {
            let mut changes = state.presence.changes();
            changes.mark_changed();
            changes
        },
        presence: state.presence.clone(),
        _here: match &caller.identity {
            Identity::Person { user, .. } => Some(state.presence.enter(&user.name, caller.sites())),
            Identity::Key(_) => None,
        },
    };
    let mut closing = state.closing();
    let stream = futures_util::stream::unfold(watch, |mut watch| async move {
        let line = watch.next().await?;
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(line)), watch))
    });
    let stream = stream.take_until(async move {
        let _ = closing.wait_for(|closing| *closing).await;
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("cache-control", "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(stream))
}

impl Watch {
    /// Reads what is new; what is other sites' is passed over once and not again.
    async fn look(&mut self) -> Result<(), StoreError> {
        let newest = self.store.last_event().await?;
        if newest <= self.after {
            return Ok(());
        }
        self.waiting = self.store.events(self.sites.clone(), self.after, AT_ONCE).await?.into();
        if self.waiting.is_empty() {
            self.after = newest;
        }
        Ok(())
    }

    /// The next lines to send; none when the watcher may look no more.
    async fn next(&mut self) -> Option<String> {
        if !self.greeted {
            self.greeted = true;
            return Some(format!("retry: 2000\nid: {}\n: hello\n\n", self.after));
        }
        loop {
            if self.asked.elapsed() >= HEARTBEAT {
                self.asked = Instant::now();
                let identity = identify(&self.request).await.ok();
                self.sites = identity.filter(|identity| identity.may(Permission::Look))?.sites();
            }
            if let Some(event) = self.waiting.pop_front() {
                self.after = event.seq;
                let data = serde_json::json!({ "site": event.site, "at": event.at, "data": event.data });
                return Some(format!("id: {}\nevent: {}\ndata: {data}\n\n", event.seq, event.kind));
            }
            if self.changes.has_changed().unwrap_or(false) {
                self.changes.borrow_and_update();
                // Not stored: it has no number, and nobody misses it.
                let data = serde_json::json!({ "people": self.presence.names(&self.sites) });
                return Some(format!("event: presence\ndata: {data}\n\n"));
            }
            self.commits.borrow_and_update();
            match self.look().await {
                Ok(()) if !self.waiting.is_empty() => {}
                Ok(()) => tokio::select! {
                    _ = self.changes.changed() => self.changes.mark_changed(),
                    waited = tokio::time::timeout(HEARTBEAT, self.commits.changed()) => match waited {
                        // Another process (the command line) may have written: it is looked at next time round.
                        Err(_) => return Some(": still here\n\n".to_owned()),
                        Ok(_) => tokio::time::sleep(BREATH).await,
                    },
                },
                Err(error) => {
                    tracing::warn!(%error, "events cannot be read");
                    tokio::time::sleep(HEARTBEAT).await;
                }
            }
        }
    }
}
