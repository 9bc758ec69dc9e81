//! The desk: pages that the same program serves at `/`, for people. A page's handler asks the floors below, makes a plain view of the answer and
//! lets a template word it; nothing is decided here that the API would decide otherwise.
//!
//! What all pages share: [`frame`] (navigation, who is there, settings), [`words`] (every text, in one file), [`assets`] (style, scripts; named by
//! their digest), [`form`] (what a form posts: read only with its token; one with a mistake is shown again), [`layer`] (errors as pages, the way to the
//! login), `sure` (the question before something large), `card` and `text` (a comment with its evidence marked). The pages: `queue`, `card_page`, `band`, `campaign`, `comment`, `article`, `author`, `history`,
//! `find`, `morning`, `settings`, `tester`, and those of an administrator in `admin`. Without a script they are read and decided by links and
//! forms; the modules in `assets/` put keys, live updates and the next card before one's eyes on top.

pub(super) mod admin;
mod article;
mod assets;
mod author;
mod band;
mod campaign;
mod card;
mod card_page;
mod comment;
mod find;
mod form;
mod frame;
mod history;
mod layer;
mod login;
mod morning;
mod queue;
mod rule_draft;
mod settings;
mod sure;
mod tester;
mod text;
mod words;

use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig, get, post};

use super::resource;

/// The addresses of the pages. They come last: what nothing else answers is answered here, as a page where one is wanted.
pub(super) fn routes(config: &mut ServiceConfig) {
    let pages = web::scope("")
        .wrap(from_fn(layer::for_people))
        .service(resource("/", "GET").route(get().to(queue::home)))
        .service(resource("/assets/{digest}/{name}", "GET").route(get().to(assets::asset)))
        .service(
            resource("/login", "GET, POST")
                .app_data(super::body::BodyLimit(16 << 10))
                .route(get().to(login::page))
                .route(post().to(login::log_in)),
        )
        // Under a prefix, the prefix without a slash.
        .service(resource("", "GET").route(get().to(queue::home)))
        .service(resource("/logout", "POST").route(post().to(login::log_out)))
        .configure(queues)
        .configure(things)
        .configure(around)
        .configure(administration)
        .default_service(web::to(super::nothing_here));
    config.service(pages);
}

fn queues(config: &mut ServiceConfig) {
    config
        .service(resource("/queue", "GET").route(get().to(queue::page)))
        .service(resource("/queue/rows", "GET").route(get().to(queue::rows)))
        .service(resource("/queue/counts", "GET").route(get().to(queue::counts)))
        .service(resource("/queue/bulk", "POST").route(post().to(queue::bulk)))
        .service(resource("/queue/{id}", "GET").route(get().to(card_page::page)))
        .service(resource("/queue/{id}/decide", "POST").route(post().to(card_page::decide)))
        .service(resource("/queue/{id}/take", "POST").route(post().to(card_page::take)))
        .service(resource("/band", "GET, POST").route(get().to(band::page)).route(post().to(band::decide)))
        .service(resource("/views", "POST").route(post().to(queue::save_view)))
        .service(resource("/views/{id}/delete", "POST").route(post().to(queue::delete_view)));
}

fn things(config: &mut ServiceConfig) {
    config
        .service(resource("/campaigns", "GET").route(get().to(campaign::list)))
        .service(resource("/campaigns/{site}/{id}", "GET").route(get().to(campaign::page)))
        .service(resource("/campaigns/{site}/{id}/members", "GET").route(get().to(campaign::members)))
        .service(resource("/campaigns/{site}/{id}/decide", "POST").route(post().to(campaign::decide)))
        .service(resource("/campaigns/{site}/{id}/allow", "POST").route(post().to(campaign::allow)))
        .service(
            resource("/campaigns/{site}/{id}/rule", "GET, POST")
                .route(get().to(rule_draft::page))
                .route(post().to(rule_draft::save)),
        )
        .service(resource("/comments/{site}/{id}", "GET").route(get().to(comment::page)))
        .service(resource("/comments/{site}/{id}/decide", "POST").route(post().to(comment::decide)))
        .service(resource("/articles/{site}/{id}", "GET").route(get().to(article::page)))
        .service(resource("/authors/{site}/{id}", "GET").route(get().to(author::page)))
        .service(resource("/authors/{site}/{id}/decide", "POST").route(post().to(author::decide)))
        .service(resource("/authors/{site}/{id}/trust", "POST").route(post().to(author::trust)))
        .service(resource("/notes", "POST").route(post().to(author::add_note)));
}

fn around(config: &mut ServiceConfig) {
    config
        .service(resource("/history", "GET").route(get().to(history::decisions)))
        .service(resource("/decisions/{id}/undo", "POST").route(post().to(history::undo)))
        .service(resource("/audit", "GET").route(get().to(history::audit)))
        .service(resource("/search", "GET").route(get().to(find::search)))
        .service(resource("/find", "GET").route(get().to(find::find)))
        .service(resource("/morning", "GET").route(get().to(morning::page)))
        .service(resource("/morning.csv", "GET").route(get().to(morning::csv)))
        .service(
            resource("/settings", "GET, POST")
                .route(get().to(settings::page))
                .route(post().to(settings::save)),
        )
        .service(resource("/help", "GET").route(get().to(settings::help)))
        .service(resource("/try", "GET, POST").route(get().to(tester::page)).route(post().to(tester::try_it)))
        .service(resource("/try/{id}", "GET").route(get().to(tester::tried)));
}

fn administration(config: &mut ServiceConfig) {
    use admin::{accounts, connections, plans, rules, status, thresholds};
    config
        .service(
            resource("/admin/users", "GET, POST")
                .route(get().to(accounts::users))
                .route(post().to(accounts::change_user)),
        )
        .service(
            resource("/admin/sites", "GET, POST")
                .route(get().to(accounts::sites))
                .route(post().to(accounts::add_site)),
        )
        .service(
            resource("/admin/keys", "GET, POST")
                .route(get().to(accounts::keys))
                .route(post().to(accounts::change_key)),
        )
        .service(
            resource("/admin/connections", "GET, POST")
                .route(get().to(connections::page))
                .route(post().to(connections::change)),
        )
        .service(
            resource("/admin/plans", "GET, POST")
                .route(get().to(plans::page))
                .route(post().to(plans::change)),
        )
        .service(resource("/admin/thresholds", "GET").route(get().to(thresholds::page)))
        .service(
            resource("/admin/rules", "GET, POST")
                .route(get().to(rules::page))
                .route(post().to(rules::change)),
        )
        .service(
            resource("/admin/status", "GET, POST")
                .route(get().to(status::page))
                .route(post().to(status::reload)),
        );
}
