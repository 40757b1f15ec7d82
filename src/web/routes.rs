//! Every URL, read from top to bottom.

use std::collections::BTreeSet;

use actix_session::SessionMiddleware;
use actix_session::config::{CookieContentSecurity, PersistentSession};
use actix_session::storage::CookieSessionStore;
use actix_web::cookie::SameSite;
use actix_web::cookie::time::Duration;
use actix_web::http::{Method, header};
use actix_web::middleware::{Compress, from_fn};
use actix_web::{HttpRequest, HttpResponse, Resource, Route, guard, web};

use super::assets;
use super::error::Error;
use super::guard::{authenticate, same_origin};
use super::health::{healthz, readyz};
use super::json::{self, add, consume, edit, query};
use super::pages::{
    account, action, add_many, audit, batch, bulk, delete, deleted, form, keys, list, login, overview, print_jobs,
    print_runs, printers, qr_code, quick, settings, sheet, sheets, tile, usage, user, users, void,
};
use super::state::App;
use crate::access::session::AGE_SECONDS;

/// The JSON views: the last part of their addresses. What is asked of them is answered in JSON, errors too.
const VIEWS: [&str; 12] = [
    "add_token",
    "add_tokens",
    "consume_token",
    "edit_token",
    "update_token",
    "delete_token",
    "delete_tokens",
    "void_token",
    "restore_token",
    "query_token",
    "query_tokens",
    "query_usage",
];

/// Every address, below the base path, which is empty or begins with a slash.
pub fn routes(config: &mut web::ServiceConfig, state: &App) {
    let base = &*state.base;
    // A probe asks the process, not the proxy, and need not know the base path.
    for prefix in BTreeSet::from(["", base]) {
        config.configure(|config| health(config, prefix));
    }
    let closed = web::scope("")
        .wrap(from_fn(authenticate))
        .configure(views)
        .configure(voiding)
        .configure(access)
        .configure(settings_pages)
        .configure(printing)
        .configure(labels)
        .configure(log)
        .configure(pages)
        .configure(quick_sets);
    let closed = closed.default_service(web::to(not_found));
    let below = web::scope(base).configure(open).service(closed);
    config.service(below.wrap(sessions(state)).wrap(from_fn(same_origin)));
    config.default_service(web::to(not_found));
}

fn health(config: &mut web::ServiceConfig, prefix: &str) {
    let healthz_at = at(&format!("{prefix}/healthz"), "GET, HEAD");
    let readyz_at = at(&format!("{prefix}/readyz"), "GET, HEAD");
    config.service(healthz_at.route(get().to(healthz)).route(head().to(healthz)));
    config.service(readyz_at.route(get().to(readyz)).route(head().to(readyz)));
}

/// For everybody.
fn open(config: &mut web::ServiceConfig) {
    config
        .service(at("/static/{address}", "GET, HEAD").route(shown().to(assets::get)).wrap(Compress::default()))
        .service(at("/login", "GET, HEAD, POST").route(shown().to(login::show)).route(post().to(login::sign_in)));
}

/// For programs, by key; and for the pages' scripts, by session.
fn views(config: &mut web::ServiceConfig) {
    config
        .service(at("/add_token", "POST").route(post().to(add::add_token)))
        .service(at("/{uid}/add_token", "POST").route(post().to(add::add_token)))
        .service(at("/add_tokens", "POST").route(post().to(add::add_tokens)))
        .service(consuming("/consume_token"))
        .service(consuming("/{uid}/consume_token"))
        .service(at("/edit_token", "POST").route(post().to(edit::edit_token)))
        .service(at("/{uid}/edit_token", "POST").route(post().to(edit::edit_token)))
        .service(at("/update_token", "POST").route(post().to(edit::update_token)))
        .service(at("/{uid}/update_token", "POST").route(post().to(edit::update_token)))
        .service(at("/delete_token", "POST").route(post().to(json::delete::delete_token)))
        .service(at("/{uid}/delete_token", "POST").route(post().to(json::delete::delete_token)))
        .service(at("/delete_tokens", "POST").route(post().to(json::delete::delete_tokens)))
        .service(at("/query_token", "GET").route(get().to(query::query_token)))
        .service(at("/query_tokens", "GET").route(get().to(query::query_tokens)))
        .service(at("/query_usage", "GET").route(get().to(query::query_usage)));
}

/// Voiding and its end: for programs, and for people.
fn voiding(config: &mut web::ServiceConfig) {
    config
        .service(at("/void_token", "POST").route(post().to(json::void::void_token)))
        .service(at("/{uid}/void_token", "POST").route(post().to(json::void::void_token)))
        .service(at("/restore_token", "POST").route(post().to(json::void::restore_token)))
        .service(at("/{uid}/restore_token", "POST").route(post().to(json::void::restore_token)))
        .service(at("/{uid}/void", "GET, HEAD, POST").route(shown().to(void::ask)).route(post().to(void::void)))
        .service(at("/{uid}/unvoid", "POST").route(post().to(void::unvoid)));
}

/// The log of attempts. A download is not compressed: nobody should wait for it to be.
fn log(config: &mut web::ServiceConfig) {
    config
        .service(at("/usage", "GET, HEAD").route(shown().to(usage::show)).wrap(Compress::default()))
        .service(at("/usage.csv", "GET, HEAD").route(shown().to(usage::csv::download)));
}

fn consuming(path: &str) -> Resource {
    at(path, "GET, POST").route(get().to(consume::consume_token)).route(post().to(consume::consume_token))
}

/// For managers.
fn settings_pages(config: &mut web::ServiceConfig) {
    config
        .service(at("/settings", "GET, HEAD").route(shown().to(settings::show)).wrap(Compress::default()))
        .service(at("/settings/{setting}", "POST").route(post().to(settings::save)));
}

/// What was printed, how far it is, on which sheets, by which printers.
fn printing(config: &mut web::ServiceConfig) {
    let packed = Compress::default;
    config
        .service(at("/print_runs", "GET, HEAD").route(shown().to(print_runs::list)).wrap(packed()))
        .service(at("/print_runs/{uid}.pdf", "GET, HEAD").route(shown().to(print_runs::pdf)))
        .service(at("/print_runs/{uid}", "GET, HEAD").route(shown().to(print_runs::show)).wrap(packed()))
        .service(at("/print_jobs/{uid}", "GET, HEAD").route(shown().to(print_jobs::show)).wrap(packed()))
        .service(at("/sheets", "GET, HEAD").route(shown().to(sheets::list)).wrap(packed()))
        .service(
            at("/sheets/add", "GET, HEAD, POST")
                .route(shown().to(sheets::add_form))
                .route(post().to(sheets::add))
                .wrap(packed()),
        )
        .service(
            at("/sheets/{slug}", "GET, HEAD, POST")
                .route(shown().to(sheets::edit_form))
                .route(post().to(sheets::edit))
                .wrap(packed()),
        )
        .service(
            at("/sheets/{slug}/remove", "GET, HEAD, POST")
                .route(shown().to(sheets::ask))
                .route(post().to(sheets::remove)),
        )
        .service(
            at("/printers", "GET, HEAD, POST")
                .route(shown().to(printers::show))
                .route(post().to(printers::save))
                .wrap(packed()),
        )
        .service(at("/printers/edit", "GET, HEAD").route(shown().to(printers::edit_form)).wrap(packed()))
        .service(at("/printers/remove", "POST").route(post().to(printers::remove)));
}

/// What one click on a tile does.
fn quick_sets(config: &mut web::ServiceConfig) {
    config
        .service(at("/{uid}/set_range", "POST").route(post().to(quick::set_range)))
        .service(at("/{uid}/set_count", "POST").route(post().to(quick::set_count)))
        .service(at("/{uid}/add_uses", "POST").route(post().to(quick::add_uses)).wrap(Compress::default()));
}

/// Labels on paper. A PDF is compressed in itself.
fn labels(config: &mut web::ServiceConfig) {
    let packed = Compress::default;
    config
        .service(
            at("/sheet", "GET, HEAD, POST").route(shown().to(sheet::show)).route(post().to(sheet::show)).wrap(packed()),
        )
        .service(at("/sheet.pdf", "GET, POST").route(get().to(sheet::pdf::print)).route(post().to(sheet::pdf::print)))
        .service(at("/sheet/browser", "POST").route(post().to(sheet::browser::print)).wrap(packed()))
        .service(at("/sheet.css", "GET, HEAD").route(shown().to(sheet::browser::paper)))
        .service(
            at("/sheet/calibrate", "GET, HEAD, POST")
                .route(shown().to(sheet::calibrate::show))
                .route(post().to(sheet::calibrate::save))
                .wrap(packed()),
        )
        .service(at("/sheet/calibrate.pdf", "GET, HEAD").route(shown().to(sheet::calibrate::test_page)))
        .service(at("/sheet/check", "POST").route(post().to(sheet::check::check)))
        .service(at("/print_jobs", "POST").route(post().to(sheet::job::print)))
        .service(at("/print_jobs/{uid}/go_on", "POST").route(post().to(sheet::job::go_on)));
}

/// For people: sent compressed to whoever takes it so. No other site can have a page made with the cookie but by
/// navigating to it (`SameSite`), and so none can measure what its text compresses to.
fn pages(config: &mut web::ServiceConfig) {
    let packed = Compress::default;
    config
        .service(at("/", "GET, HEAD").route(shown().to(list::show)).wrap(packed()))
        .service(
            at("/add", "GET, HEAD, POST").route(shown().to(form::add_form)).route(post().to(form::add)).wrap(packed()),
        )
        .service(at("/deleted", "GET, HEAD").route(shown().to(deleted::show)).wrap(packed()))
        .service(at("/account", "GET, HEAD").route(shown().to(account::show)).wrap(packed()))
        .service(at("/account/password", "POST").route(post().to(account::change_password)))
        .service(at("/account/sessions/end", "POST").route(post().to(account::end_sessions)))
        .service(
            at("/add_many", "GET, HEAD, POST")
                .route(shown().to(add_many::form))
                .route(post().to(add_many::add))
                .wrap(packed()),
        )
        .service(at("/overview", "GET, HEAD").route(shown().to(overview::show)).wrap(packed()))
        .service(at("/bulk", "POST").route(post().to(bulk::bulk)).wrap(packed()))
        .service(at("/batches", "GET, HEAD").route(shown().to(batch::list)).wrap(packed()))
        .service(at("/batches/{uid}", "GET, HEAD").route(shown().to(batch::show)).wrap(packed()))
        .service(at("/batches/{uid}/rename", "POST").route(post().to(batch::rename)))
        .service(at("/actions", "GET, HEAD").route(shown().to(action::list)).wrap(packed()))
        .service(at("/actions/{uid}", "GET, HEAD").route(shown().to(action::show)).wrap(packed()))
        .service(at("/actions/{uid}/undo", "POST").route(post().to(action::undo)))
        .service(at("/logout", "POST").route(post().to(login::sign_out)))
        .service(at("/{uid}", "GET, HEAD").route(shown().to(tile::show)).wrap(packed()))
        .service(at("/{uid}/use", "POST").route(post().to(tile::use_once)))
        .service(at("/{uid}/edit", "GET, HEAD, POST").route(shown().to(form::edit_form)).route(post().to(form::edit)))
        .service(at("/{uid}/delete", "GET, HEAD, POST").route(shown().to(delete::ask)).route(post().to(delete::delete)))
        .service(at("/{uid}/restore", "POST").route(post().to(deleted::restore)))
        .service(at("/{uid}/qr_code", "GET, HEAD").route(shown().to(qr_code::png)))
        .service(at("/{uid}/qr_code.svg", "GET, HEAD").route(shown().to(qr_code::svg)));
}

/// For managers: users, keys and the audit. Before the pages of tokens, whose first part is a uid.
fn access(config: &mut web::ServiceConfig) {
    let packed = Compress::default;
    config
        .service(at("/users", "GET, HEAD").route(shown().to(users::show)).wrap(packed()))
        .service(at("/users/add", "GET, HEAD, POST").route(shown().to(users::add_form)).route(post().to(users::add)))
        .service(at("/users/edit", "GET, HEAD").route(shown().to(user::show)).wrap(packed()))
        .service(at("/users/role", "POST").route(post().to(user::change_role)))
        .service(at("/users/password", "POST").route(post().to(user::reset_password)))
        .service(at("/users/disable", "POST").route(post().to(user::disable)))
        .service(at("/users/enable", "POST").route(post().to(user::enable)))
        .service(at("/users/remove", "GET, HEAD, POST").route(shown().to(user::ask)).route(post().to(user::remove)))
        .service(at("/keys", "GET, HEAD").route(shown().to(keys::show)).wrap(packed()))
        .service(at("/keys/add", "GET, HEAD, POST").route(shown().to(keys::add_form)).route(post().to(keys::add)))
        .service(at("/keys/revoke", "GET, HEAD, POST").route(shown().to(keys::ask)).route(post().to(keys::revoke)))
        .service(at("/audit", "GET, HEAD").route(shown().to(audit::show)).wrap(packed()));
}

/// The session cookie: it holds a random id and nothing else. Its name's prefix has browsers hold what it says (RFC 6265bis,
/// section 4.1.3), where they can: by https, and `__Host-` without a base path only.
fn sessions(state: &App) -> SessionMiddleware<CookieSessionStore> {
    let (https, base) = (state.public_url.is_https(), &*state.base);
    let name = match (https, base) {
        (true, "") => "__Host-tessera",
        (true, _) => "__Secure-tessera",
        (false, _) => "tessera",
    };
    let age = PersistentSession::default().session_ttl(Duration::seconds(AGE_SECONDS.into()));
    SessionMiddleware::builder(CookieSessionStore::default(), state.cookie_key.clone())
        .cookie_name(name.to_owned())
        .cookie_path(if base.is_empty() { "/".to_owned() } else { base.to_owned() })
        // Signed, not encrypted: the id is random, and its owner may see it.
        .cookie_content_security(CookieContentSecurity::Signed)
        .cookie_secure(https)
        .cookie_http_only(true)
        .cookie_same_site(SameSite::Lax)
        .session_lifecycle(age)
        .build()
}

fn get() -> Route {
    web::route().method(Method::GET)
}

/// A page or a file: HEAD asks for what GET would answer, without its body. It consumes nothing.
fn shown() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

fn head() -> Route {
    web::route().method(Method::HEAD)
}

fn post() -> Route {
    web::route().method(Method::POST)
}

/// An address that takes these methods, and names them when it is sent another one.
fn at(path: &str, methods: &'static str) -> Resource {
    web::resource(path)
        .default_service(web::to(move || async move { Err::<HttpResponse, _>(Error::MethodNotAllowed(methods)) }))
}

async fn not_found() -> Result<HttpResponse, Error> {
    Err(Error::NotFound)
}

/// Whether a path is one of the JSON views.
pub fn is_view(path: &str) -> bool {
    VIEWS.contains(&path.rsplit('/').next().unwrap_or_default())
}

/// Whether a program asks: one of the JSON views, or anything by whoever prefers JSON to HTML.
pub fn answers_json(request: &HttpRequest) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    is_view(request.path()) || prefers_json(&accept.to_ascii_lowercase())
}

/// Whether an `Accept` header gives JSON a greater weight than HTML (RFC 9110, section 12.5.1).
fn prefers_json(accept: &str) -> bool {
    let weight = |wanted: &str| {
        let group = wanted.split('/').next().unwrap_or_default();
        let fits = |range: &str| match range {
            range if range == wanted => 3,
            range if range.strip_suffix("/*") == Some(group) => 2,
            "*/*" => 1,
            _ => 0,
        };
        let ranges = accept.split(',').map(|part| {
            let mut words = part.split(';').map(str::trim);
            let fit = fits(words.next().unwrap_or_default());
            let q = words.find_map(|word| word.strip_prefix("q=")).and_then(|q| q.parse().ok()).unwrap_or(1.0f32);
            (fit, q)
        });
        ranges.filter(|(fit, _)| *fit > 0).max_by_key(|(fit, _)| *fit).map_or(0.0, |(_, q)| q)
    };
    weight("application/json") > weight("text/html")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_preferred_by_its_weight() {
        for json in ["application/json", "application/json, text/html;q=0.9", "application/*, text/html;q=0.1"] {
            assert!(prefers_json(json), "{json}");
        }
        for html in
            ["", "*/*", "text/html", "text/html,application/xhtml+xml,*/*;q=0.8", "application/json;q=0.5, text/html"]
        {
            assert!(!prefers_json(html), "{html}");
        }
    }
}
