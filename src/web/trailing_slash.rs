//! An address with a slash at its end is served as the one without.

use actix_web::dev::ServiceRequest;
use actix_web::http::Uri;
use actix_web::http::uri::PathAndQuery;

/// Takes a slash from the end of the path, before anything is routed: what is behind this sees one address. The first page
/// keeps its slash, and `//` stays what it is, which is nothing.
pub(crate) fn trim(request: &mut ServiceRequest, base: &str) {
    let decoded = request.match_info().get_ref().path();
    if without_slash(decoded).is_none_or(|path| path == base) {
        return;
    }
    if let Some(uri) = trimmed(request.uri()) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
}

/// The path without its slash, if it has one that may go.
fn without_slash(path: &str) -> Option<&str> {
    path.strip_suffix('/').filter(|path| !path.is_empty() && !path.ends_with('/') && !path.starts_with("//"))
}

fn trimmed(uri: &Uri) -> Option<Uri> {
    let path = without_slash(uri.path())?;
    let address = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(address).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn one_slash_goes_from_the_end_of_a_path() {
        for (base, address, served) in [
            ("", "/add/", "/add"),
            ("", "/add", "/add"),
            ("", "/add/?x=a/&y=/", "/add?x=a/&y=/"),
            ("", "/add?x=a/", "/add?x=a/"),
            ("", "/a/b%2F/", "/a/b%2F"),
            ("", "/", "/"),
            ("", "//", "//"),
            ("", "/add//", "/add//"),
            ("", "//evil.example/", "//evil.example/"),
            ("", "/add%2F", "/add%2F"),
            ("/tickets", "/tickets/", "/tickets/"),
            ("/tickets", "/t%69ckets/", "/t%69ckets/"),
            ("/tickets", "/tickets/add/?x", "/tickets/add?x"),
        ] {
            let mut request = TestRequest::with_uri(address).to_srv_request();
            trim(&mut request, base);
            assert_eq!(request.uri(), served, "{address}");
            let routed = served.split('?').next().unwrap().replace("%69", "i");
            assert_eq!(request.match_info().unprocessed(), routed, "{address}");
        }
    }
}
