//! Every URL, read from top to bottom.

use actix_web::http::{Method, header};
use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, Resource, Route, web};

use super::error::Error;
use super::guard::authenticate;
use super::health::{healthz, readyz};
use super::json::{add, consume, delete, edit, query};

/// The addresses below `base_path`, which is empty or begins with a slash.
pub fn routes(config: &mut web::ServiceConfig, base_path: &str) {
    let open = |config: &mut web::ServiceConfig| {
        config
            .service(at("/healthz", "GET, HEAD").route(get().to(healthz)).route(head().to(healthz)))
            .service(at("/readyz", "GET, HEAD").route(get().to(readyz)).route(head().to(readyz)));
    };
    let closed = |config: &mut web::ServiceConfig| {
        config
            .service(at("/add_token", "POST").route(post().to(add::add_token)))
            .service(at("/add_tokens", "POST").route(post().to(add::add_tokens)))
            .service(
                at("/consume_token", "GET, POST")
                    .route(get().to(consume::consume_token))
                    .route(post().to(consume::consume_token)),
            )
            .service(at("/edit_token", "POST").route(post().to(edit::edit_token)))
            .service(at("/update_token", "POST").route(post().to(edit::update_token)))
            .service(at("/delete_token", "POST").route(post().to(delete::delete_token)))
            .service(at("/delete_tokens", "POST").route(post().to(delete::delete_tokens)))
            .service(at("/query_token", "GET").route(get().to(query::query_token)))
            .service(at("/query_tokens", "GET").route(get().to(query::query_tokens)))
            .service(at("/query_usage", "GET").route(get().to(query::query_usage)))
            .service(at("/{uid}/add_token", "POST").route(post().to(add::add_token)))
            .service(
                at("/{uid}/consume_token", "GET, POST")
                    .route(get().to(consume::consume_token))
                    .route(post().to(consume::consume_token)),
            )
            .service(at("/{uid}/edit_token", "POST").route(post().to(edit::edit_token)))
            .service(at("/{uid}/update_token", "POST").route(post().to(edit::update_token)))
            .service(at("/{uid}/delete_token", "POST").route(post().to(delete::delete_token)));
    };
    if !base_path.is_empty() {
        // A probe asks the process, not the proxy, and need not know the base path.
        config.configure(open);
    }
    config.service(
        web::scope(base_path)
            .configure(open)
            .service(web::scope("").wrap(from_fn(authenticate)).configure(closed).default_service(web::to(not_found))),
    );
    config.default_service(web::to(not_found));
}

fn get() -> Route {
    web::route().method(Method::GET)
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

/// Answers in JSON who asks for it rather than for HTML.
async fn not_found(request: HttpRequest) -> HttpResponse {
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if prefers_json(&accept.to_ascii_lowercase()) {
        return Error::NotFound.json();
    }
    HttpResponse::NotFound().content_type("text/plain; charset=utf-8").body(format!("{}\n", Error::NotFound))
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
