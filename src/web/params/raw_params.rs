//! A request's parameters as they were sent: form fields, a JSON object or the query string, of which the body wins.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use serde::de::DeserializeOwned;
use validator::Validate;

use super::body::{Fields, body_fields, body_kind, pairs, read, unreadable};
use super::names::names_of;
use super::raw::{List, Raw};
use super::reader;
use crate::token::validation::errors_of;
use crate::token::{LIST_MAX, Problem, TokenError, shown};
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::state::App;

/// Most bytes of a body.
pub(crate) const SMALL: usize = 64 * 1024;
/// Most bytes of a body that holds a list.
pub(crate) const LARGE: usize = 8 * 1024 * 1024;

/// How long a body may take to be sent: a client that never ends must not hold its connection for ever.
const PATIENCE: Duration = Duration::from_mins(1);

/// A request's parameters, of a body of at most `LIMIT` bytes.
#[derive(Default)]
pub(crate) struct RawParams<const LIMIT: usize = SMALL> {
    pub(super) fields: Fields,
    /// Whether they came in a body that takes long to be read.
    pub(super) is_long: bool,
}

/// The parameters of a body alone.
pub(crate) struct RawForm<const LIMIT: usize = SMALL>(pub(crate) RawParams<LIMIT>);

impl<const LIMIT: usize> FromRequest for RawForm<LIMIT> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let params = RawParams::<LIMIT>::read(request, payload, false);
        Box::pin(async move { Ok(Self(params.await?)) })
    }
}

impl<const LIMIT: usize> FromRequest for RawParams<LIMIT> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        Self::read(request, payload, true)
    }
}

impl RawParams {
    /// Of a query string.
    pub(crate) fn of_query(text: &str) -> Result<Self, Error> {
        Ok(Self { fields: pairs(text, "query string")?, is_long: false })
    }
}

impl<const LIMIT: usize> RawParams<LIMIT> {
    fn read(request: &HttpRequest, payload: &mut Payload, with_query: bool) -> <Self as FromRequest>::Future {
        let request = request.clone();
        let body = web::Payload::from_request(&request, payload).into_inner();
        Box::pin(async move {
            let body = match body {
                Ok(payload) => whole_body(&request, payload, LIMIT).await?,
                Err(error) => return Err(unreadable(error)),
            };
            let query = if with_query { request.query_string() } else { "" };
            let mut fields = pairs(query, "query string")?;
            let is_long = body.len() > SMALL;
            if !body.is_empty() {
                fields.append(&mut fields_of(&request, body).await?);
                recheck_caller(&request).await?;
            }
            Ok(Self { fields, is_long })
        })
    }
}

/// The bytes of a body that is sent whole in time, and has at most `limit` of them.
async fn whole_body(request: &HttpRequest, payload: web::Payload, limit: usize) -> Result<Vec<u8>, Error> {
    counted_body(request, payload, limit, &mut |_| Ok(())).await
}

/// The same; `count` hears of each piece before it is kept, and may refuse it.
pub(crate) async fn counted_body(
    request: &HttpRequest,
    payload: web::Payload,
    limit: usize,
    count: &mut dyn FnMut(usize) -> Result<(), Error>,
) -> Result<Vec<u8>, Error> {
    let body = tokio::time::timeout(PATIENCE, read(request, payload, limit, count)).await;
    body.map_err(|_| TokenError::unreadable("The body was not sent whole in time."))?
}

/// The fields of a body. A large one is read off the request's thread.
async fn fields_of(request: &HttpRequest, body: Vec<u8>) -> Result<Fields, Error> {
    let kind = body_kind(request)?;
    if body.len() <= SMALL {
        return body_fields(kind, &body);
    }
    off_thread(request, move || body_fields(kind, &body)).await?
}

/// Reads something long off the request's thread, and few at a time: a door may be waiting for it.
pub(super) async fn off_thread<R: Send + 'static>(
    request: &HttpRequest,
    read: impl FnOnce() -> R + Send + 'static,
) -> Result<R, Error> {
    let app = request.app_data::<web::Data<App>>().ok_or_else(|| Error::fault("there is no state"))?;
    let permit = app.background.long_list_permit().await?;
    let read = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        read()
    });
    read.await.map_err(|error| Error::fault(error.to_string()))
}

/// Who was known at the request's head is looked up again when its body is whole: that can be a minute later.
async fn recheck_caller(request: &HttpRequest) -> Result<(), Error> {
    let caller = request.extensions().get::<Caller>().cloned();
    match (caller, request.app_data::<web::Data<App>>()) {
        (Some(caller), Some(app)) => app.recheck(&caller).await,
        _ => Ok(()),
    }
}

/// A parameter whose JSON is of another kind than the view takes. The name is the caller's and is cut.
fn wrong_kind(name: &str, wanted: &'static str) -> Error {
    TokenError::value(shown(name), Problem::WrongType { expected: wanted.into() }).into()
}

/// Holds that a list is not longer than any view takes.
fn check_length(name: &str, list: &List) -> Result<(), Error> {
    if list.length <= LIST_MAX {
        return Ok(());
    }
    let too_many = Problem::TooManyItems { count: list.length as u64, max: LIST_MAX as u64 };
    Err(TokenError::value(name.to_owned(), too_many).into())
}

impl<const LIMIT: usize> RawParams<LIMIT> {
    /// Holds that there is no parameter but these: one that is written wrong must not be passed over. Those that
    /// begin with `_` are free.
    ///
    /// # Errors
    /// An API error that names the first unknown one.
    pub(crate) fn only(&self, known: &[&'static str]) -> Result<(), TokenError> {
        Ok(reader::check_known(&self.fields, known)?)
    }

    /// The parameters as a struct's fields, behind its rules.
    ///
    /// # Errors
    /// The first that is wrong, in the order of the struct; those that the struct does not have, if it `is_strict`.
    pub(crate) fn typed<T: DeserializeOwned + Validate>(&self, is_strict: bool) -> Result<T, TokenError> {
        let typed: T = reader::read(&self.fields, is_strict)?;
        match typed.validate() {
            Ok(()) => Ok(typed),
            Err(found) => {
                let first = errors_of(&found, &names_of::<T>()).into_iter().next();
                Err(first.unwrap_or_else(|| TokenError::unreadable("The parameters cannot be taken.")))
            }
        }
    }

    /// The names of the parameters that `pattern` means: that one, or with a `*` at its end all that begin so.
    pub(crate) fn names<'a>(&'a self, pattern: &'a str) -> Vec<&'a str> {
        match pattern.strip_suffix('*') {
            None => vec![pattern],
            Some(start) => self.fields.keys().map(String::as_str).filter(|name| name.starts_with(start)).collect(),
        }
    }

    /// Whether there is a parameter of those that `pattern` means.
    pub(crate) fn has_any(&self, pattern: &str) -> bool {
        self.names(pattern).iter().any(|name| self.fields.contains_key(*name))
    }

    /// The text of a parameter, if it is present.
    ///
    /// # Errors
    /// A value error when it is a list.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Error> {
        let Some(raw) = self.fields.get(name) else { return Ok(None) };
        let text = raw.text().ok_or_else(|| wrong_kind(name, "a text or a number"))?;
        Ok(Some(text.to_owned()))
    }

    /// The values of all boxes of that name that are ticked, in the order of the page.
    ///
    /// # Errors
    /// A value error when it is no list of texts.
    pub(crate) fn ticked(&self, name: &str) -> Result<Vec<String>, Error> {
        match self.fields.get(name) {
            None => Ok(Vec::new()),
            Some(Raw::Text(text) | Raw::Number(text)) => Ok(vec![text.clone()]),
            Some(Raw::List(list)) if list.wrong.is_none() => {
                check_length(name, list)?;
                Ok(list.texts.clone())
            }
            Some(Raw::List(_) | Raw::Other) => Err(wrong_kind(name, "a list of texts")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(fields: Fields) -> RawParams {
        RawParams { fields, is_long: false }
    }

    #[test]
    fn what_is_not_known_is_named() {
        let read = params(pairs("value=1&_=2&valeu=3", "form").unwrap());
        let Err(error) = read.only(&["value"]) else { panic!("refused") };
        assert_eq!(error.param(), Some("valeu"));
    }
}
