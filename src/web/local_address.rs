//! An address of this application, read so that its browser and the router agree on what it is.

use actix_web::dev::Url as RouterUrl;
use actix_web::http::Uri;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::Url;

/// What may not stand in a path (WHATWG URL, "path percent-encode set"). A `%` stays, as the router leaves it where it
/// means something: before `25` and `2F`.
const NOT_IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A path below the base path, and a query.
pub(crate) struct LocalAddress {
    /// Without dot segments, and decoded as the router decodes it.
    pub(crate) path: String,
    /// Without its question mark.
    pub(crate) query: String,
}

impl LocalAddress {
    /// Reads an address as a browser does that is sent there: dot segments, also encoded ones, lead upwards, a backslash
    /// is a slash, and a fragment goes. None when it is not below `base`, or on another host, as `//evil.example` is.
    pub(crate) fn read(text: &str, base: &str) -> Option<Self> {
        let host = Url::parse("http://localhost/").ok()?;
        let url = host.join(text).ok().filter(|url| text.starts_with('/') && url.origin() == host.origin())?;
        let decoded = RouterUrl::new(url.path().parse::<Uri>().ok()?);
        let path = decoded.path().strip_prefix(base)?;
        let is_path = path.starts_with('/') && !path.starts_with("//") && !path.chars().any(char::is_control);
        is_path.then(|| Self { path: path.to_owned(), query: url.query().unwrap_or_default().to_owned() })
    }
}

/// A decoded path as it stands in an address.
pub(crate) fn encode_path(path: &str) -> String {
    utf8_percent_encode(path, NOT_IN_PATH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str, base: &str) -> Option<String> {
        LocalAddress::read(text, base).map(|address| address.path)
    }

    #[test]
    fn an_address_is_what_its_browser_and_the_router_take_it_for() {
        for (text, read) in [
            ("/sheet", "/sheet"),
            ("/./sheet.pdf?all=1", "/sheet.pdf"),
            ("/x/../sheet.pdf", "/sheet.pdf"),
            ("/%2e/sheet.pdf", "/sheet.pdf"),
            ("/%73heet%2Epdf", "/sheet.pdf"),
            ("/logout#x", "/logout"),
            ("/a%2Fb", "/a%2Fb"),
            ("/ä", "/ä"),
        ] {
            assert_eq!(path(text, "").as_deref(), Some(read), "{text}");
        }
        for foreign in [
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/.//evil.example",
            "x",
            "https:evil",
            "/a%0Ab",
            "",
        ] {
            assert_eq!(path(foreign, ""), None, "{foreign}");
        }
        assert_eq!(path("/t%69ckets/add", "/tickets").as_deref(), Some("/add"));
        for outside in ["/tickets/../other", "/tickets/%2e%2e/x", "/ticketsx", "/"] {
            assert_eq!(path(outside, "/tickets"), None, "{outside}");
        }
    }

    #[test]
    fn a_path_is_encoded_for_an_address() {
        assert_eq!(encode_path("/ä b?#%2F"), "/%C3%A4%20b%3F%23%2F");
    }
}
