//! Parameters: form fields, a JSON object or the query string become raw text; the body wins.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::StreamExt;
use percent_encoding::percent_decode_str;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::error::Error;
use super::layers::UnderWay;
use crate::token::{LIST_MAX, TokenError, Uid, quoted};

/// Most bytes of a body.
pub const SMALL: usize = 64 * 1024;
/// Most bytes of a body that holds a list.
pub const LARGE: usize = 8 * 1024 * 1024;

/// How long a body may take to be sent: a client that never ends must not hold its connection for ever.
const PATIENCE: Duration = Duration::from_mins(1);

/// A request's parameters, of a body of at most `LIMIT` bytes.
pub struct Params<const LIMIT: usize = SMALL> {
    fields: BTreeMap<String, Raw>,
}

enum Raw {
    Text(String),
    List(Vec<Value>),
    /// What no view takes.
    Other,
}

/// A page's form: its fields come from the body alone. A link with fields in its query string must not decide what a
/// form writes that somebody else fills in.
pub struct Form(pub Params);

impl FromRequest for Form {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let params = Params::read(request, payload, false);
        Box::pin(async move { Ok(Self(params.await?)) })
    }
}

impl<const LIMIT: usize> FromRequest for Params<LIMIT> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        Self::read(request, payload, true)
    }
}

impl<const LIMIT: usize> Params<LIMIT> {
    fn read(request: &HttpRequest, payload: &mut Payload, with_query: bool) -> <Self as FromRequest>::Future {
        let request = request.clone();
        let body = web::Payload::from_request(&request, payload).into_inner();
        Box::pin(async move {
            let body = match body {
                Ok(payload) => tokio::time::timeout(PATIENCE, read(&request, payload, LIMIT))
                    .await
                    .map_err(|_| TokenError::unreadable("The body was not sent whole in time."))??,
                Err(error) => return Err(unreadable(error)),
            };
            let query = if with_query { request.query_string() } else { "" };
            let mut fields = pairs(query, "query string")?;
            if !body.is_empty() {
                fields.append(&mut body_fields(&request, &body)?);
            }
            Ok(Self { fields })
        })
    }
}

/// Reads the body whole. While it does, the request does not count as under way: one that is never sent whole must
/// not hold up the end of the server.
async fn read(request: &HttpRequest, mut payload: web::Payload, limit: usize) -> Result<Vec<u8>, Error> {
    let _paused = UnderWay::pause(request);
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

fn unreadable(error: impl fmt::Display) -> Error {
    TokenError::unreadable(format!("The body cannot be read: {error}.")).into()
}

fn body_fields(request: &HttpRequest, body: &[u8]) -> Result<BTreeMap<String, Raw>, Error> {
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

/// Reads `a=b&c=d`. A name that comes twice is refused: which of the two would be meant?
fn pairs(text: &str, place: &str) -> Result<BTreeMap<String, Raw>, Error> {
    let decode = |part: &str| {
        let part = part.replace('+', " ");
        let decoded = percent_decode_str(&part).decode_utf8().map(std::borrow::Cow::into_owned);
        decoded.map_err(|_| Error::from(TokenError::unreadable(format!("The {place} is not UTF-8 text."))))
    };
    let mut fields = BTreeMap::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = decode(name)?;
        let value = Raw::Text(decode(value)?);
        if fields.insert(name.clone(), value).is_some() && !name.starts_with('_') {
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
fn object(text: &str) -> Result<BTreeMap<String, Raw>, Error> {
    let Object(members) = serde_json::from_str(text).map_err(|error| {
        // Its own sentence would repeat the body, be it megabytes.
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

/// A parameter whose JSON is of another kind than the view takes. The name is the caller's and is cut.
fn wrong_kind(name: &str, wanted: &str) -> Error {
    let name: String = name.chars().take(64).collect();
    let message = format!("The parameter {} must be {wanted}", quoted(&name));
    TokenError::value(name, message).into()
}

/// The members of an object in their order; serde's own maps would drop the first of two of one name in silence.
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

impl<const LIMIT: usize> Params<LIMIT> {
    /// Holds that there is no parameter but these: one that is written wrong must not be passed over. Those that
    /// begin with `_` are free.
    ///
    /// # Errors
    /// An API error that names the first unknown one.
    pub fn only(&self, known: &[&str]) -> Result<(), Error> {
        let unknown = self.fields.keys().find(|name| !name.starts_with('_') && !known.contains(&name.as_str()));
        let Some(name) = unknown else { return Ok(()) };
        let message = format!("The parameter {} is unknown here; known are {}.", quoted(name), known.join(", "));
        Err(TokenError::Api { param: Some(name.chars().take(64).collect()), message }.into())
    }

    /// The text of a parameter, if it is present.
    ///
    /// # Errors
    /// A value error when it is a list.
    pub fn text(&self, name: &str) -> Result<Option<String>, Error> {
        match self.fields.get(name) {
            None => Ok(None),
            Some(Raw::Text(text)) => Ok(Some(text.clone())),
            Some(Raw::List(_) | Raw::Other) => Err(wrong_kind(name, "a text or a number")),
        }
    }

    /// The text of a parameter, if it is present and not empty.
    ///
    /// # Errors
    /// A value error when it is a list.
    pub fn filled(&self, name: &str) -> Result<Option<String>, Error> {
        Ok(self.text(name)?.filter(|text| !text.is_empty()))
    }

    /// What a parameter that is present and not empty is read as.
    ///
    /// # Errors
    /// `T`'s own.
    pub fn parsed<T: FromStr<Err = TokenError>>(&self, name: &str) -> Result<Option<T>, Error> {
        Ok(self.filled(name)?.map(|text| text.parse()).transpose()?)
    }

    /// A whole number in a range, if the parameter is present and not empty.
    ///
    /// # Errors
    /// A value error when it is none, or outside.
    pub fn number(&self, name: &'static str, range: std::ops::RangeInclusive<usize>) -> Result<Option<usize>, Error> {
        let Some(text) = self.filled(name)? else { return Ok(None) };
        let number = text.trim().parse().ok().filter(|number| range.contains(number));
        let (least, most) = (range.start(), range.end());
        let refused = || {
            TokenError::value(name, format!("{name} {} is not a whole number from {least} to {most}", quoted(&text)))
        };
        Ok(Some(number.ok_or_else(refused)?))
    }

    /// The uids of a JSON list, which a form or a query string holds as text.
    ///
    /// # Errors
    /// An API error when the parameter is missing; a value error when it is no list of uids, or too long a one.
    pub fn uids(&self, name: &'static str) -> Result<Vec<Uid>, Error> {
        let read: Vec<Value>;
        let items = match self.fields.get(name) {
            None => return Err(TokenError::missing(name).into()),
            Some(Raw::List(items)) => items,
            Some(Raw::Other) => return Err(wrong_kind(name, "a JSON list of uids")),
            Some(Raw::Text(text)) => {
                read = serde_json::from_str(text).map_err(|_| wrong_kind(name, "a JSON list of uids"))?;
                &read
            }
        };
        if items.len() > LIST_MAX {
            return Err(TokenError::value(
                name,
                format!("{name} has {} uids; at most {LIST_MAX} are taken", items.len()),
            )
            .into());
        }
        let uid = |item: &Value| item.as_str().and_then(|text| text.parse().ok());
        let wrong =
            |item: &Value| TokenError::value(name, format!("{} in {name} is not a uid", quoted(&item.to_string())));
        items.iter().map(|item| uid(item).ok_or_else(|| wrong(item).into())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn what_is_not_known_is_named() {
        let read = params(pairs("value=1&_=2&valeu=3", "form").unwrap());
        let Err(Error::Token(error)) = read.only(&["value"]) else { panic!("refused") };
        assert_eq!(error.param(), Some("valeu"));
    }
}
