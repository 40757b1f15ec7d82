//! A body or a query string, read into fields.

use std::collections::BTreeMap;
use std::fmt;

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::{HttpRequest, web};
use futures_util::StreamExt;
use percent_encoding::percent_decode_str;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::raw::{List, Raw};
use crate::token::{Problem, TokenError, shown};
use crate::web::error::Error;
use crate::web::middleware::RequestInProgress;

/// Reads the whole body. Meanwhile the request does not count as being served: a body that never ends must not delay the
/// shutdown of the server.
pub(crate) async fn read(
    request: &HttpRequest,
    mut payload: web::Payload,
    limit: usize,
    count: &mut dyn FnMut(usize) -> Result<(), Error>,
) -> Result<Vec<u8>, Error> {
    let _paused = RequestInProgress::pause(request);
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > limit) {
        return Err(Error::TooLarge(limit));
    }
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(unreadable)?;
        if body.len() + chunk.len() > limit {
            return Err(Error::TooLarge(limit));
        }
        count(chunk.len())?;
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

pub(crate) fn unreadable(error: impl fmt::Display) -> Error {
    // What the library says of it is for its authors.
    tracing::debug!(%error, "a body did not come whole");
    TokenError::unreadable("The body did not come whole, or not as the request's head says.").into()
}

/// The kinds of body that are read.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Json,
    Form,
}

/// The kinds in words.
pub(crate) const BODY_KINDS: &str =
    "The body must be application/json or application/x-www-form-urlencoded, in UTF-8 and not compressed.";

/// What is said of a body in another charset.
const CHARSET: &str = "The body must be in UTF-8, but its Content-Type names another charset.";

/// What kind of body a request says that it has.
pub(super) fn body_kind(request: &HttpRequest) -> Result<Kind, Error> {
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("?").to_ascii_lowercase());
    let kind = header(CONTENT_TYPE).unwrap_or_default();
    let (kind, options) = kind.split_once(';').unwrap_or((&kind, ""));
    let mut options = options.split(';').filter_map(|option| option.split_once('='));
    let charset = options.find(|(name, _)| name.trim() == "charset").map(|(_, charset)| charset.trim());
    // Python and MySQL call it utf8.
    if charset.is_some_and(|charset| !matches!(charset.trim_matches('"'), "utf-8" | "utf8")) {
        return Err(Error::UnsupportedType(CHARSET));
    }
    if header(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(Error::UnsupportedType(BODY_KINDS));
    }
    match kind.trim() {
        "application/json" => Ok(Kind::Json),
        "application/x-www-form-urlencoded" => Ok(Kind::Form),
        _ => Err(Error::UnsupportedType(BODY_KINDS)),
    }
}

/// The fields of a body.
pub(super) fn body_fields(kind: Kind, body: &[u8]) -> Result<Fields, Error> {
    let text = std::str::from_utf8(body).map_err(|_| TokenError::unreadable("The body is not UTF-8 text."))?;
    // Editors on Windows begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match kind {
        Kind::Json => object(text),
        Kind::Form => pairs(text, "form"),
    }
}

/// Parameters by their names.
pub(super) type Fields = BTreeMap<String, Raw>;

/// Names that a request may have. No form has more; each costs a hundred bytes, however short it is.
const MAX_NAMES: usize = 1_000;

fn check_names(fields: &Fields) -> Result<(), Error> {
    if fields.len() <= MAX_NAMES {
        return Ok(());
    }
    Err(TokenError::Api { param: None, problem: Problem::TooManyParameters { max: MAX_NAMES as u64 } }.into())
}

/// The one name that may come many times, once for each box that is ticked.
pub(crate) const TICKED: &str = "uid";

/// Reads `a=b&c=d`. A name that comes twice is refused as ambiguous.
pub(super) fn pairs(text: &str, place: &str) -> Result<Fields, Error> {
    let decode = |part: &str| {
        let part = part.replace('+', " ");
        let decoded = percent_decode_str(&part).decode_utf8().map(std::borrow::Cow::into_owned);
        decoded.map_err(|_| Error::from(TokenError::unreadable(format!("The {place} is not UTF-8 text."))))
    };
    let mut fields = Fields::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?, decode(value)?);
        if name == TICKED {
            let ticked = fields.entry(name).or_insert_with(|| Raw::List(List::default()));
            if let Raw::List(list) = ticked {
                list.push(value);
            }
        } else if fields.insert(name.clone(), Raw::Text(value)).is_some() && !name.starts_with('_') {
            return Err(twice(&name));
        }
        check_names(&fields)?;
    }
    Ok(fields)
}

fn twice(name: &str) -> Error {
    TokenError::Api { param: Some(shown(name)), problem: Problem::GivenTwice }.into()
}

/// A text that is none, such as half of a surrogate pair (RFC 8259, section 8.2).
fn unreadable_value(name: &str) -> Error {
    TokenError::Api { param: Some(shown(name)), problem: Problem::Unreadable }.into()
}

/// Reads a JSON object of numbers, texts, nulls and lists.
pub(super) fn object(text: &str) -> Result<Fields, Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = deserializer.deserialize_map(Members).and_then(|fields| deserializer.end().map(|()| fields));
    read.map_err(|error| {
        // serde's message would repeat the body, even of megabytes.
        let (line, column) = (error.line(), error.column());
        let (line, column) = (line as u64, column as u64);
        let is_object = text.trim_start().starts_with('{');
        let problem =
            if is_object { Problem::InvalidJson { line, column } } else { Problem::NotAnObject { line, column } };
        Error::from(TokenError::Api { param: None, problem })
    })?
}

/// The members of an object; serde's own maps would silently drop the first of two with one name.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Result<Fields, Error>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut fields, mut refused) = (Fields::new(), None);
        while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
            let Ok(raw) = Raw::read(value) else {
                refused = refused.or_else(|| Some(unreadable_value(&name)));
                continue;
            };
            let is_free = name.starts_with('_');
            if refused.is_none() && fields.insert(name.clone(), raw).is_some() && !is_free {
                refused = Some(twice(&name));
            }
            refused = refused.or_else(|| check_names(&fields).err());
        }
        Ok(refused.map_or(Ok(fields), Err))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    use crate::token::Uid;
    use crate::web::params::{RawParams, reader};

    #[derive(Debug, Deserialize)]
    struct Uids {
        #[expect(dead_code, reason = "it is never read so far")]
        uids: Vec<Uid>,
    }

    fn params(fields: Fields) -> RawParams {
        RawParams { fields, is_long: false }
    }

    #[test]
    fn pairs_are_decoded_and_a_repeat_is_refused() {
        let read = params(pairs("a=1+2&b=%C3%A4&c&&d=%zz", "form").unwrap());
        let text = |name| read.text(name).unwrap();
        assert_eq!(text("a").as_deref(), Some("1 2"));
        assert_eq!(text("b").as_deref(), Some("ä"));
        assert_eq!(text("c").as_deref(), Some(""));
        assert_eq!(text("d").as_deref(), Some("%zz"));
        assert_eq!(text("e"), None);
        assert!(pairs("a=1&a=1", "form").is_err());
        let ticked = params(pairs("uid=a&b=1&uid=c", "form").unwrap());
        assert_eq!(ticked.ticked("uid").unwrap(), ["a", "c"]);
        assert!(pairs("a=%ff", "form").is_err());
    }

    #[test]
    fn an_object_has_texts_numbers_nulls_and_lists() {
        let read = params(
            object(r#"{"a": 1, "b": null, "c": "x", "d": 1.5, "e": 99999999999999999999.50, "_f": true}"#).unwrap(),
        );
        let text = |name| read.text(name).unwrap();
        assert_eq!(text("a").as_deref(), Some("1"));
        assert_eq!(text("b").as_deref(), Some(""));
        assert_eq!(text("d").as_deref(), Some("1.5"));
        assert_eq!(text("e").as_deref(), Some("99999999999999999999.50"));
        let other = object(r#"{"a": true, "b": {"c": [1]}, "d": [[1], "x"], "e": ["x", "y"]}"#).unwrap();
        assert!(matches!((&other["a"], &other["b"]), (Raw::Other, Raw::Other)));
        let Raw::List(list) = &other["d"] else { panic!("a list") };
        assert_eq!((list.length, list.wrong.as_deref()), (2, Some("[1]")));
        assert_eq!(params(other).ticked("e").unwrap(), ["x", "y"]);
        for bad in ["", "[]", "1", "null", "{", r#"{"a": 1, "a": 2}"#, "{} x"] {
            assert!(object(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_byte_order_mark_at_the_beginning_is_skipped() {
        for (kind, body) in [(Kind::Json, "\u{feff} {\"a\": \"1\"}"), (Kind::Form, "\u{feff}a=1")] {
            assert_eq!(params(body_fields(kind, body.as_bytes()).unwrap()).text("a").unwrap().as_deref(), Some("1"));
        }
        assert!(body_fields(Kind::Json, "\u{feff}\u{feff}{}".as_bytes()).is_err(), "there is one");
    }

    #[test]
    fn what_no_view_takes_is_kept_nowhere() {
        let megabytes = 1_000_000;
        let long = |item: &str| format!(r#"{{"uids": [{}{item}]}}"#, format!("{item},").repeat(megabytes));
        for item in ["[]", "{}", "0", "null", r#""""#] {
            let fields = object(&long(item)).unwrap();
            let Raw::List(list) = &fields["uids"] else { panic!("a list") };
            assert_eq!(list.length, megabytes + 1);
            assert!(list.texts.len() <= crate::token::LIST_MAX, "{}", list.texts.len());
            assert!(reader::read::<Uids>(&fields, true).is_err());
        }
        let deep = format!(r#"{{"value": {}{}}}"#, "[".repeat(megabytes), "]".repeat(megabytes));
        let Raw::List(list) = &object(&deep).unwrap()["value"] else { panic!("a list") };
        assert!(list.texts.is_empty() && list.wrong.as_ref().is_some_and(|item| item.len() <= 200));
        let names: Vec<String> = (0..2_000).map(|n| format!("n{n}")).collect();
        assert!(pairs(&names.join("=&"), "form").is_err());
        assert!(object(&format!("{{\"{}\": 0}}", names.join("\": 0, \""))).is_err());
        let ticked = pairs(&"&uid=".repeat(megabytes), "form").unwrap();
        assert!(params(ticked).ticked("uid").is_err());
    }
}
