//! The service over HTTP (actix-web): a handler reads its request, calls one function of a floor below, and words the answer.
//!
//! [`error`] is the table of all errors, [`auth`] who may call, `session` how people log in; `comments`, `review`, `desk` and `events` are the API,
//! `hooks`, `akismet` and `perspective` what content systems speak, `operation` what an operator watches, [`openapi`] the contract, [`layers`]
//! what surrounds every request, `pages` the desk for people, `presence` who is on it. [`routes`] is the map of addresses.
#![expect(unused_qualifications, reason = "the macros that make the contract write every path whole")]

mod akismet;
pub mod auth;
mod body;
mod comments;
mod desk;
pub mod error;
mod events;
mod hooks;
pub mod layers;
pub mod openapi;
mod operation;
mod pages;
mod perspective;
mod presence;
mod review;
mod session;
pub mod state;

use actix_web::web::{self, ServiceConfig, delete, get, post, put};

pub use state::State;

use self::error::{ApiError, Code};

/// Every address of the service.
pub fn routes(config: &mut ServiceConfig) {
    config
        .app_data(
            web::PathConfig::default()
                .error_handler(|error, _| ApiError::new(Code::InvalidParameter, error.to_string()).into()),
        )
        .app_data(
            web::QueryConfig::default()
                .error_handler(|error, _| ApiError::new(Code::InvalidParameter, error.to_string()).into()),
        )
        .configure(scoring)
        .configure(desk_routes)
        .service(resource("/hooks/{name}", "POST").route(post().to(hooks::deliver)))
        .service(resource("/1.1/test", "GET").route(get().to(akismet::test)))
        .service(resource("/1.1/{call:[^/]+/?}", "POST").route(post().to(akismet::call)))
        .service(resource("/1.2/usage-limit", "GET").route(get().to(akismet::usage)))
        .service(resource("/1.2/key-sites", "GET").route(get().to(akismet::key_sites)))
        .service(resource("/1.2/{call:get-key-stats}", "POST").route(post().to(akismet::call)))
        .service(resource("/v1alpha1/comments:analyze", "POST").route(post().to(perspective::analyze)))
        .service(resource("/v1alpha1/comments:suggestscore", "POST").route(post().to(perspective::suggest)))
        .service(resource("/healthz", "GET").route(get().to(operation::health)))
        .service(resource("/readyz", "GET").route(get().to(operation::ready)))
        .service(resource("/metrics", "GET").route(get().to(operation::metrics)))
        .service(resource("/openapi.json", "GET").route(get().to(openapi::json)))
        .service(resource("/docs", "GET").route(get().to(openapi::docs)))
        .service(resource("/docs.css", "GET").route(get().to(openapi::style)))
        .configure(pages::routes);
}

/// What is nowhere.
async fn nothing_here() -> Result<String, ApiError> {
    Err(ApiError::new(Code::NotFound, "there is no such address; /docs lists them"))
}

/// What a CMS sends and asks.
fn scoring(config: &mut ServiceConfig) {
    config
        .service(resource("/v1/comments", "POST").route(post().to(comments::post)))
        .service(resource("/v1/comments:batch", "POST").route(post().to(comments::batch)))
        .service(
            resource("/v1/comments/{site}/{id}", "GET, DELETE")
                .route(get().to(comments::get))
                .route(delete().to(comments::delete)),
        )
        .service(resource("/v1/comments/{site}/{id}/status", "POST").route(post().to(comments::status)))
        .service(resource("/v1/score", "POST").route(post().to(comments::score)))
        .service(resource("/v1/articles/{id}", "PUT").route(put().to(comments::put_article)));
}

/// What people and their programs do.
fn desk_routes(config: &mut ServiceConfig) {
    config
        .service(
            resource("/v1/session", "POST, GET, DELETE")
                .app_data(body::BodyLimit(16 << 10))
                .route(post().to(session::begin))
                .route(get().to(session::get))
                .route(delete().to(session::end)),
        )
        .service(resource("/v1/queue", "GET").route(get().to(review::queue)))
        .service(resource("/v1/queue/claims", "POST").route(post().to(review::claim)))
        .service(resource("/v1/queue/{id}", "GET").route(get().to(review::card)))
        .service(
            resource("/v1/decisions", "POST, GET")
                .route(post().to(review::decide))
                .route(get().to(review::decisions)),
        )
        .service(resource("/v1/decisions/{id}/undo", "POST").route(post().to(review::undo)))
        .service(resource("/v1/campaigns", "GET").route(get().to(review::campaigns)))
        .service(resource("/v1/campaigns/{id}", "GET").route(get().to(review::campaign)))
        .service(resource("/v1/stats", "GET").route(get().to(review::stats)))
        .service(resource("/v1/events", "GET").route(get().to(events::stream)))
        .service(resource("/v1/authors/{id}", "GET").route(get().to(desk::author)))
        .service(
            resource("/v1/notes", "POST, GET").route(post().to(desk::add_note)).route(get().to(desk::notes)),
        )
        .service(
            resource("/v1/views", "POST, GET").route(post().to(desk::save_view)).route(get().to(desk::views)),
        )
        .service(resource("/v1/views/{id}", "DELETE").route(delete().to(desk::delete_view)))
        .service(resource("/v1/trusted-authors", "GET").route(get().to(desk::trusted)))
        .service(
            resource("/v1/trusted-authors/{id}", "PUT, DELETE")
                .route(put().to(desk::trust))
                .route(delete().to(desk::distrust)),
        )
        .service(
            resource("/v1/allowed-campaigns", "POST, GET")
                .route(post().to(desk::allow))
                .route(get().to(desk::allowed)),
        )
        .service(resource("/v1/allowed-campaigns/{id}", "DELETE").route(delete().to(desk::disallow)))
        .service(resource("/v1/deliveries", "GET").route(get().to(desk::deliveries)))
        .service(resource("/v1/deliveries/replay", "POST").route(post().to(desk::replay)));
}

/// A resource whose wrong methods get a problem document too, which names the right ones.
fn resource(path: &str, allow: &'static str) -> actix_web::Resource {
    web::resource(path).default_service(web::to(move || async move {
        let error = ApiError::new(Code::MethodNotAllowed, format!("allowed here: {allow}"));
        Err::<String, _>(ApiError { allow: Some(allow), ..error })
    }))
}
