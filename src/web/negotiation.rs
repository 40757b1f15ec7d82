//! Whether an answer is JSON or a page.

use actix_web::http::header::{ACCEPT, Accept, Header, Quality};
use actix_web::{HttpRequest, web};

use super::route::RouteIndex;

/// Whether a program asks: one of the JSON views, or anything else while preferring JSON to HTML.
pub(crate) fn answers_json(request: &HttpRequest) -> bool {
    let routes = request.app_data::<web::Data<RouteIndex>>();
    routes.is_some_and(|routes| routes.is_view(request.path())) || prefers_json(request)
}

/// Whether the `Accept` header ranks JSON before HTML (RFC 9110, section 12.5.1).
fn prefers_json(request: &HttpRequest) -> bool {
    // Reading the header costs more than most pages' other middleware, and browsers name neither.
    let headers = request.headers().get_all(ACCEPT);
    let names_json = |header: &str| ["json", "application/*"].iter().any(|range| header.contains(range));
    if !headers.into_iter().any(|header| header.to_str().is_ok_and(|header| names_json(&header.to_ascii_lowercase()))) {
        return false;
    }
    let Ok(Accept(ranges)) = Accept::parse(request) else { return false };
    // A weight of 0 means "not acceptable", and ranking would only put it last.
    let accept = Accept(ranges.into_iter().filter(|range| range.quality > Quality::ZERO).collect());
    let mut preferred = accept.ranked().into_iter().filter_map(|range| {
        let fits = |kind: &str, subtype: &str| {
            (range.type_() == kind && (range.subtype() == subtype || range.subtype() == "*")) || range.type_() == "*"
        };
        let (json, html) = (fits("application", "json"), fits("text", "html"));
        (json || html).then_some(json && !html)
    });
    preferred.next().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn prefers(accept: &str) -> bool {
        prefers_json(&TestRequest::default().insert_header((ACCEPT, accept)).to_http_request())
    }

    #[test]
    fn json_is_preferred_by_its_weight() {
        for json in ["application/json", "application/json, text/html;q=0.9", "application/*, text/html;q=0.1"] {
            assert!(prefers(json), "{json}");
        }
        for html in
            ["", "*/*", "text/html", "text/html,application/xhtml+xml,*/*;q=0.8", "application/json;q=0.5, text/html"]
        {
            assert!(!prefers(html), "{html}");
        }
        assert!(!prefers("application/json;q=0"), "not acceptable");
    }
}
