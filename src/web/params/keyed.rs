//! The parameters of a request that is done once, however often it is sent with the same idempotency key.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use validator::Validate;

use super::body::{Fields, object};
use super::raw::{List, Raw, text};
use super::raw_params::{RawParams, SMALL, off_thread};
use super::typed::{Params, explained};
use crate::token::settle::ReplayKey;
use crate::token::{KeyedRequest, Problem, TokenError, Uid};
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::idempotency_key::{IdempotencyKey, header_key};
use crate::web::openapi::operation::{DescribesRequest, Operation, ViewParams};

/// As [`Params`], with the key of the `Idempotency-Key` header, if there is one.
pub(crate) struct KeyedParams<T, const LIMIT: usize = SMALL> {
    /// The parameters.
    pub(crate) params: T,
    /// The key and what it is for.
    pub(crate) request: Option<KeyedRequest>,
}

impl<T, const LIMIT: usize> FromRequest for KeyedParams<T, LIMIT>
where
    T: DeserializeOwned + Validate + ViewParams + Send + 'static,
{
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, raw) = (request.clone(), RawParams::<LIMIT>::from_request(request, payload));
        Box::pin(async move {
            let raw = raw.await?;
            let key = header_key(&request)?;
            let caller = request.extensions().get::<Caller>().cloned();
            let address = (last_part(request.path()).to_owned(), request.match_info().get("uid").map(str::to_owned));
            let is_long = raw.is_long;
            let read = move || {
                let keyed = key.zip(caller).map(|(key, caller)| KeyedRequest {
                    key: caller.own(key),
                    digest: digest(&address.0, address.1.as_deref(), &raw.fields),
                });
                (raw.typed(true).map_err(explained::<T>), keyed)
            };
            let (params, request) = if is_long { off_thread(&request, read).await? } else { read() };
            Ok(Self { params: params?, request })
        })
    }
}

fn last_part(path: &str) -> &str {
    path.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default()
}

/// The parameters that are lists.
const LISTS: [&str; 2] = ["tokens", "token_uids"];

/// A number or a text as it is written, but for `5.0`, which is 5 in JSON.
fn plain(raw: &Raw) -> String {
    let number = if let Raw::Number(_) = raw { raw.integer() } else { None };
    number.map_or_else(|| raw.text().unwrap_or_default().to_owned(), |number| number.to_string())
}

/// Items, whose white space and whose order of fields do not matter.
fn items(list: &List) -> impl Iterator<Item = String> {
    let json = list.items().into_iter().map(|item| match object(item.get()) {
        Ok(fields) => {
            let pair = |(name, raw): (&String, &Raw)| format!("{name:?}:{:?},", uid_or_text(&plain(raw)));
            fields.iter().map(pair).collect::<Vec<_>>().concat()
        }
        Err(_) => text(item.get()).map_or_else(|| item.get().to_owned(), |text| uid_or_text(&text)),
    });
    let texts = list.texts.iter().filter(|_| list.json.is_none()).map(|text| uid_or_text(text));
    json.chain(texts)
}

/// A uid is the same in either case.
fn uid_or_text(text: &str) -> String {
    text.parse::<Uid>().map_or_else(|_: TokenError| text.to_owned(), |uid| uid.to_string())
}

/// Of the view, the token and the parameters, however they were sent. Names that begin with `_` are free.
fn digest(view: &str, path_uid: Option<&str>, fields: &Fields) -> String {
    let mut digest = Sha256::new();
    let mut add = |text: &str| {
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text);
    };
    add(view);
    // The path may name the token instead.
    let token = path_uid.or_else(|| fields.get("token_uid").and_then(Raw::text)).unwrap_or_default();
    add(&uid_or_text(token));
    for (name, raw) in fields.iter().filter(|(name, _)| !name.starts_with('_') && *name != "token_uid") {
        add(name);
        match raw {
            // A form has a list as its text.
            Raw::Text(text) if LISTS.contains(&name.as_str()) => match List::read(text) {
                Ok(list) => items(&list).for_each(|item| add(&item)),
                Err(_) => add(text),
            },
            Raw::List(list) => items(list).for_each(|item| add(&item)),
            Raw::Text(_) | Raw::Number(_) => add(&plain(raw)),
            Raw::Other => {}
        }
    }
    URL_SAFE_NO_PAD.encode(digest.finalize())
}

impl<T: DeserializeOwned + ViewParams, const LIMIT: usize> DescribesRequest for KeyedParams<T, LIMIT> {
    fn describe(operation: &mut Operation) {
        Params::<T, LIMIT>::describe(operation);
        IdempotencyKey::describe(operation);
        operation.errors.push(TokenError::value(ReplayKey::HEADER, Problem::KeyReused).into());
        operation.errors.push(Error::KeyInProgress);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::params::body::{object, pairs};

    #[test]
    fn the_same_request_has_the_same_digest_however_it_is_sent() {
        let uid = Uid::example().to_string();
        let form = |text: &str| pairs(text, "form").unwrap();
        let path = digest("update_token", Some(&uid), &form("add_uses=5&label="));
        let json = format!(r#"{{"label": null, "add_uses": 5, "token_uid": "{}", "_": 7}}"#, uid.to_uppercase());
        assert_eq!(digest("update_token", None, &object(&json).unwrap()), path);
        for other in [
            digest("edit_token", Some(&uid), &form("add_uses=5&label=")),
            digest("update_token", Some(&Uid::random().to_string()), &form("add_uses=5&label=")),
            digest("update_token", Some(&uid), &form("add_uses=6&label=")),
            digest("update_token", Some(&uid), &form("add_uses=5")),
            digest("update_token", Some(&uid), &form("add_uses=5label&=")),
        ] {
            assert_ne!(other, path);
        }
    }

    #[test]
    fn a_list_is_the_same_however_it_is_written() {
        let uid = Uid::example().to_string();
        let json = |text: &str| digest("update_tokens", None, &object(text).unwrap());
        let first = json(&format!(r#"{{"tokens": [{{"token_uid": "{uid}", "add_uses": 5}}]}}"#));
        let again = format!(r#"[ {{ "add_uses":5.0,"token_uid" : "{}" }} ]"#, uid.to_uppercase());
        assert_eq!(json(&format!(r#"{{"tokens": {again}}}"#)), first);
        let encoded: String =
            percent_encoding::utf8_percent_encode(&again, percent_encoding::NON_ALPHANUMERIC).to_string();
        assert_eq!(digest("update_tokens", None, &pairs(&format!("tokens={encoded}"), "form").unwrap()), first);
        for other in [
            format!(r#"{{"tokens": [{{"token_uid": "{uid}", "add_uses": 6}}]}}"#),
            format!(r#"{{"tokens": [{{"token_uid": "{uid}"}}, {{"add_uses": 5}}]}}"#),
            format!(r#"{{"tokens": [{{"token_uid": "{uid}", "add_uses": 5}}, {{}}]}}"#),
        ] {
            assert_ne!(json(&other), first, "{other}");
        }
    }
}
