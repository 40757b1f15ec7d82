//! A body or a query string, read into fields.

use std::collections::BTreeMap;
use std::fmt;

use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::{HttpRequest, web};
use futures_util::StreamExt;
use percent_encoding::percent_decode_str;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::raw::Raw;
use crate::token::{TokenError, quoted};
use crate::web::error::Error;
use crate::web::middleware::RequestInProgress;

/// Reads the whole body. Meanwhile the request does not count as being served: a body that never ends must not delay the
/// shutdown of the server.
pub(crate) async fn read(request: &HttpRequest, mut payload: web::Payload, limit: usize) -> Result<Vec<u8>, Error> {
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
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

pub(crate) fn unreadable(error: impl fmt::Display) -> Error {
    TokenError::unreadable(format!("The body cannot be read: {error}.")).into()
}

pub(crate) fn body_fields(request: &HttpRequest, body: &[u8]) -> Result<BTreeMap<String, Raw>, Error> {
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("?").to_ascii_lowercase());
    let kind = header(CONTENT_TYPE).unwrap_or_default();
    let (kind, options) = kind.split_once(';').unwrap_or((&kind, ""));
    let charset = options.split(';').find_map(|option| option.trim().strip_prefix("charset="));
    let plain = header(CONTENT_ENCODING).is_none_or(|coding| coding == "identity");
    if !plain || charset.is_some_and(|charset| charset.trim_matches('"') != "utf-8") {
        return Err(Error::UnsupportedType);
    }
    let text = |body| {
        std::str::from_utf8(body).map_err(|_| Error::from(TokenError::unreadable("The body is not UTF-8 text.")))
    };
    match kind.trim() {
        "application/json" => object(text(body)?),
        "application/x-www-form-urlencoded" => pairs(text(body)?, "form"),
        _ => Err(Error::UnsupportedType),
    }
}

/// The one name that may come many times, once for each box that is ticked.
pub(crate) const TICKED: &str = "uid";

/// Reads `a=b&c=d`. A name that comes twice is refused as ambiguous.
pub(crate) fn pairs(text: &str, place: &str) -> Result<BTreeMap<String, Raw>, Error> {
    let decode = |part: &str| {
        let part = part.replace('+', " ");
        let decoded = percent_decode_str(&part).decode_utf8().map(std::borrow::Cow::into_owned);
        decoded.map_err(|_| Error::from(TokenError::unreadable(format!("The {place} is not UTF-8 text."))))
    };
    let mut fields = BTreeMap::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?, decode(value)?);
        if name == TICKED {
            let ticked = fields.entry(name).or_insert_with(|| Raw::List(Vec::new()));
            if let Raw::List(items) = ticked {
                items.push(Value::String(value));
            }
        } else if fields.insert(name.clone(), Raw::Text(value)).is_some() && !name.starts_with('_') {
            return Err(twice(&name));
        }
    }
    Ok(fields)
}

fn twice(name: &str) -> Error {
    let message = format!("The parameter {} is given twice.", quoted(name));
    TokenError::Api { param: Some(name.chars().take(64).collect()), message }.into()
}

/// Reads a JSON object of numbers, texts, nulls and lists.
pub(crate) fn object(text: &str) -> Result<BTreeMap<String, Raw>, Error> {
    let Object(members) = serde_json::from_str(text).map_err(|error| {
        // serde's message would repeat the body, even of megabytes.
        let (line, column) = (error.line(), error.column());
        let message = format!("The body is not a JSON object of parameters; see line {line}, column {column}.");
        Error::from(TokenError::unreadable(message))
    })?;
    let mut fields = BTreeMap::new();
    for (name, value) in members {
        let raw = match value {
            Value::Null => Raw::Text(String::new()),
            Value::String(text) => Raw::Text(text),
            Value::Number(number) => Raw::Text(number.to_string()),
            Value::Array(items) => Raw::List(items),
            Value::Bool(_) | Value::Object(_) => Raw::Other,
        };
        if fields.insert(name.clone(), raw).is_some() && !name.starts_with('_') {
            return Err(twice(&name));
        }
    }
    Ok(fields)
}

/// The members of an object in their order; serde's own maps would silently drop the first of two with one name.
struct Object(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::params::Params;

    fn params(fields: BTreeMap<String, Raw>) -> Params {
        Params { fields }
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
        for bad in ["", "[]", "1", "null", "{", r#"{"a": 1, "a": 2}"#, "{} x"] {
            assert!(object(bad).is_err(), "{bad}");
        }
    }
}
