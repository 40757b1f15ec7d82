//! Whether an answer is JSON or a page.

use actix_web::http::header::{ACCEPT, Accept, Header, HeaderMap, HeaderValue, Quality, VARY};
use actix_web::{HttpRequest, web};

use super::bearer::has_bearer;
use super::route::RouteIndex;

/// Whether errors of this request are JSON: those of a JSON view, of whoever prefers JSON to HTML, and of whoever sends a
/// bearer and does not prefer HTML.
pub(crate) fn answers_json(request: &HttpRequest) -> bool {
    is_view(request) || prefers_json(request)
}

/// Whether this is the address of a JSON view, or one like it.
pub(crate) fn is_view(request: &HttpRequest) -> bool {
    let routes = request.app_data::<web::Data<RouteIndex>>();
    // As the router reads it, which decodes it.
    routes.is_some_and(|routes| routes.is_view(request.match_info().get_ref().path()))
}

/// Whether a program asks, where the address does not say.
pub(crate) fn prefers_json(request: &HttpRequest) -> bool {
    match preferred(request) {
        Some(Kind::Json) => true,
        Some(Kind::Html) => false,
        None => has_bearer(request),
    }
}

/// Says that another `Accept` may be answered otherwise (RFC 9110, section 12.5.5).
pub(crate) fn vary_by_accept(headers: &mut HeaderMap) {
    headers.append(VARY, HeaderValue::from_static("accept"));
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Json,
    Html,
}

/// Which of both the `Accept` header ranks first (RFC 9110, section 12.5.1), if it ranks one of them.
fn preferred(request: &HttpRequest) -> Option<Kind> {
    let first = request.headers().get(ACCEPT)?.as_bytes();
    // Reading all of the header costs more than most pages' other middleware, and what browsers send begins so.
    if first.starts_with(b"text/html,") && !first.windows(4).any(|part| part == b"json") {
        return Some(Kind::Html);
    }
    let Accept(ranges) = Accept::parse(request).ok()?;
    // A weight of 0 means "not acceptable", and ranking would only put it last.
    let (acceptable, refused) = ranges.into_iter().partition(|range| range.quality > Quality::ZERO);
    let kinds = |ranges: Vec<_>| {
        let ranked = Accept(ranges).ranked().into_iter();
        ranked
            .map(|range| covered(range.type_().as_str(), range.subtype().as_str()))
            .filter(|covered| !covered.is_empty())
    };
    let mut acceptable = kinds(acceptable);
    match acceptable.next()? {
        [kind] => Some(*kind),
        // Of what one wildcard covers, whatever is also named by itself is wanted less.
        _ => acceptable.chain(kinds(refused)).find_map(|covered| match covered {
            [Kind::Json] => Some(Kind::Html),
            [Kind::Html] => Some(Kind::Json),
            _ => None,
        }),
    }
}

/// What a media range covers.
fn covered(kind: &str, subtype: &str) -> &'static [Kind] {
    match (kind, subtype) {
        ("*", _) => &[Kind::Json, Kind::Html],
        ("application", "json" | "*") => &[Kind::Json],
        ("text", "html" | "*") => &[Kind::Html],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::AUTHORIZATION;
    use actix_web::test::TestRequest;

    use super::*;

    fn of(accept: &str) -> Option<Kind> {
        preferred(&TestRequest::default().insert_header((ACCEPT, accept)).to_http_request())
    }

    #[test]
    fn json_and_html_are_preferred_by_their_weight() {
        for accept in [
            "application/json",
            "APPLICATION/JSON",
            "application/json, text/html;q=0.9",
            "application/*, text/html;q=0.1",
            "application/json, text/plain, */*",
            "text/html;q=0, */*",
            "*/*, text/html;q=0.5",
        ] {
            assert_eq!(of(accept), Some(Kind::Json), "{accept}");
        }
        for accept in [
            "text/html",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "text/html, application/json;q=0.9",
            "application/json;q=0.5, text/html",
            "*/*, application/json;q=0",
        ] {
            assert_eq!(of(accept), Some(Kind::Html), "{accept}");
        }
        for accept in ["", "*/*", "*/*;q=0.1", "image/png, */*;q=0.1", "application/json;q=0", "image/png", ";;q"] {
            assert_eq!(of(accept), None, "{accept}");
        }
    }

    #[test]
    fn a_bearer_decides_where_accept_does_not() {
        let asks = |authorization: &str, accept: Option<&str>| {
            let request = TestRequest::default().insert_header((AUTHORIZATION, authorization));
            let request = accept.into_iter().fold(request, |request, accept| request.insert_header((ACCEPT, accept)));
            prefers_json(&request.to_http_request())
        };
        for (accept, by_bearer, by_other) in [
            (None, true, false),
            (Some("*/*"), true, false),
            (Some("text/html"), false, false),
            (Some("application/json"), true, true),
        ] {
            assert_eq!(asks("Bearer x", accept), by_bearer, "{accept:?}");
            assert_eq!(asks("Bearer", accept), by_bearer, "{accept:?}");
            assert_eq!(asks("Basic x", accept), by_other, "{accept:?}");
        }
    }
}
