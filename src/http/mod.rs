//! The service over HTTP (actix-web): a handler reads its request, calls one function of a floor below, and words the answer.
//!
//! [`error`] is the table of all errors, `auth` who may call, `comments` and `review` the API, `hooks`, `akismet` and `perspective` what
//! content systems speak, `operation` what an operator watches. [`routes`] is the map of addresses.

mod akismet;
pub mod auth;
mod body;
mod comments;
pub mod error;
mod hooks;
mod operation;
mod perspective;
mod review;
pub mod state;

use actix_web::web::{self, ServiceConfig};

pub use state::State;

use self::error::{ApiError, Code};

/// Every address of the service.
pub fn routes(config: &mut ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(body::LARGEST))
        .app_data(
            web::PathConfig::default()
                .error_handler(|error, _| ApiError::new(Code::InvalidParameter, error.to_string()).into()),
        )
        .app_data(
            web::QueryConfig::default()
                .error_handler(|error, _| ApiError::new(Code::InvalidParameter, error.to_string()).into()),
        )
        .service(resource("/v1/comments").route(web::post().to(comments::post)))
        .service(resource("/v1/comments:batch").route(web::post().to(comments::batch)))
        .service(resource("/v1/score").route(web::post().to(comments::score)))
        .service(resource("/v1/articles/{id}").route(web::put().to(comments::put_article)))
        .service(resource("/v1/comments/{site}/{id}/status").route(web::post().to(comments::status)))
        .service(
            resource("/v1/comments/{site}/{id}")
                .route(web::get().to(comments::get))
                .route(web::delete().to(comments::delete)),
        )
        .service(resource("/v1/queue").route(web::get().to(review::queue)))
        .service(resource("/v1/queue/claims").route(web::post().to(review::claim)))
        .service(resource("/v1/decisions").route(web::post().to(review::decide)))
        .service(resource("/v1/decisions/{id}/undo").route(web::post().to(review::undo)))
        .service(resource("/v1/campaigns").route(web::get().to(review::campaigns)))
        .service(resource("/v1/campaigns/{id}").route(web::get().to(review::campaign)))
        .service(resource("/v1/stats").route(web::get().to(review::stats)))
        .service(resource("/hooks/{name}").route(web::post().to(hooks::deliver)))
        .service(resource("/1.1/{call}").route(web::post().to(akismet::call)))
        .service(resource("/1.2/usage-limit").route(web::get().to(akismet::usage)))
        .service(resource("/v1alpha1/comments:analyze").route(web::post().to(perspective::analyze)))
        .service(resource("/v1alpha1/comments:suggestscore").route(web::post().to(perspective::suggest)))
        .service(resource("/healthz").route(web::get().to(operation::health)))
        .service(resource("/readyz").route(web::get().to(operation::ready)))
        .service(resource("/metrics").route(web::get().to(operation::metrics)))
        .default_service(web::to(|| async {
            Err::<String, _>(ApiError::new(Code::NotFound, "there is no such address; the README lists them"))
        }));
}

/// A resource whose wrong methods get a problem document too.
fn resource(path: &str) -> actix_web::Resource {
    web::resource(path).default_service(web::to(|| async {
        Err::<String, _>(ApiError::new(Code::MethodNotAllowed, "another method is needed here"))
    }))
}
