//! The bearer of a request: the API key that a program sends.

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;

const SCHEME: &str = "bearer";

/// What stands behind `Bearer` in `Authorization`, which may be nothing or nonsense. None without that scheme: the credentials
/// of another one, such as a proxy's basic authentication, are not for us.
pub(crate) fn bearer(request: &HttpRequest) -> Option<&str> {
    request.headers().get_all(AUTHORIZATION).find_map(|header| credentials(header.as_bytes()))
}

/// Whether a program asks with a key. A browser never sends a bearer by itself.
pub(crate) fn has_bearer(request: &HttpRequest) -> bool {
    bearer(request).is_some()
}

/// The scheme is in either case, and a token (RFC 9110, sections 11.1 and 5.6.2).
fn credentials(header: &[u8]) -> Option<&str> {
    let (scheme, rest) = header.trim_ascii().split_at_checked(SCHEME.len())?;
    let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    if !scheme.eq_ignore_ascii_case(SCHEME.as_bytes()) || rest.first().is_some_and(goes_on) {
        return None;
    }
    // No key has such characters, and another scheme it is not.
    Some(std::str::from_utf8(rest).unwrap_or_default().trim())
}

#[cfg(test)]
mod tests {
    use super::credentials;

    #[test]
    fn another_scheme_is_as_if_absent_and_a_bearer_is_one_however_bad() {
        for (header, bearer) in [
            ("Bearer tsr_x", Some("tsr_x")),
            ("bEARER   tsr_x ", Some("tsr_x")),
            ("Bearer\ttsr_x", Some("tsr_x")),
            ("Bearer", Some("")),
            ("Bearer ", Some("")),
            ("Bearer:tsr_x", Some(":tsr_x")),
            ("Bearer=", Some("=")),
            ("", None),
            (" ", None),
            ("Basic YTpi", None),
            ("Negotiate", None),
            ("Bearers tsr_x", None),
            ("Bear", None),
            ("tsr_x", None),
        ] {
            assert_eq!(credentials(header.as_bytes()), bearer, "{header:?}");
        }
        assert_eq!(credentials(b"Bearer \xff"), Some(""));
        assert_eq!(credentials(b"\xff\xfe basic"), None);
    }
}
