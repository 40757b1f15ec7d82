//! Parameters: form fields, a JSON object or the query string become raw text; the body wins.

mod body;
pub(crate) mod filters;
mod raw;
mod time_bound;

use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

use super::callers::Caller;
use super::error::Error;
use super::state::App;
use crate::token::{LIST_MAX, TokenError, Uid, quoted};
pub(crate) use time_bound::time_bound;

pub(crate) use body::TICKED;
use body::{Fields, body_fields, body_kind, pairs, read, unreadable};
use raw::{List, Raw};

/// Most bytes of a body.
pub(crate) const SMALL: usize = 64 * 1024;
/// Most bytes of a body that holds a list.
pub(crate) const LARGE: usize = 8 * 1024 * 1024;

/// How long a body may take to be sent: a client that never ends must not hold its connection for ever.
const PATIENCE: Duration = Duration::from_mins(1);

/// A request's parameters, of a body of at most `LIMIT` bytes.
#[derive(Default)]
pub(crate) struct Params<const LIMIT: usize = SMALL> {
    fields: Fields,
}

/// A page's form: its fields come from the body alone. A link with fields in its query string must not decide what a
/// form writes that somebody else fills in.
pub(crate) struct Form<const LIMIT: usize = SMALL>(pub(crate) Params<LIMIT>);

impl<const LIMIT: usize> FromRequest for Form<LIMIT> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let params = Params::<LIMIT>::read(request, payload, false);
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

impl Params {
    /// Of a query string.
    pub(crate) fn of_query(text: &str) -> Result<Self, Error> {
        Ok(Self { fields: pairs(text, "query string")? })
    }
}

impl<const LIMIT: usize> Params<LIMIT> {
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
            if !body.is_empty() {
                fields.append(&mut fields_of(&request, body).await?);
                recheck_caller(&request).await?;
            }
            Ok(Self { fields })
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

/// The fields of a body. A large one is read off the request's thread, and few at a time: a door may be waiting for it.
async fn fields_of(request: &HttpRequest, body: Vec<u8>) -> Result<Fields, Error> {
    let kind = body_kind(request)?;
    let app = request.app_data::<web::Data<App>>().filter(|_| body.len() > SMALL);
    let Some(app) = app else { return body_fields(kind, &body) };
    let permit = app.background.long_list_permit().await?;
    let read = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        body_fields(kind, &body)
    });
    read.await.unwrap_or_else(|error| Err(Error::fault(error.to_string())))
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
fn wrong_kind(name: &str, wanted: &str) -> Error {
    let name: String = name.chars().take(64).collect();
    let message = format!("The parameter {} must be {wanted}", quoted(&name));
    TokenError::value(name, message).into()
}

/// Holds that a list is not longer than any view takes.
fn check_length(name: &str, list: &List) -> Result<(), Error> {
    if list.length <= LIST_MAX {
        return Ok(());
    }
    let message = format!("{name} has {} items; at most {LIST_MAX} are taken", list.length);
    Err(TokenError::value(name.to_owned(), message).into())
}

impl<const LIMIT: usize> Params<LIMIT> {
    /// Holds that there is no parameter but these: one that is written wrong must not be passed over. Those that
    /// begin with `_` are free.
    ///
    /// # Errors
    /// An API error that names the first unknown one.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Error> {
        let unknown = self.fields.keys().find(|name| !name.starts_with('_') && !known.contains(&name.as_str()));
        let Some(name) = unknown else { return Ok(()) };
        let message = match known {
            [] => format!("The parameter {} is unknown here; there are none.", quoted(name)),
            known => format!("The parameter {} is unknown here; known are {}.", quoted(name), known.join(", ")),
        };
        Err(TokenError::Api { param: Some(name.chars().take(64).collect()), message }.into())
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
    pub(crate) fn filled(&self, name: &str) -> Result<Option<String>, Error> {
        Ok(self.text(name)?.filter(|text| !text.is_empty()))
    }

    /// What a parameter that is present and not empty is read as.
    pub(crate) fn parsed<T: FromStr<Err = TokenError>>(&self, name: &str) -> Result<Option<T>, Error> {
        Ok(self.filled(name)?.map(|text| text.parse()).transpose()?)
    }

    /// A whole number in a range, if the parameter is present and not empty.
    ///
    /// # Errors
    /// A value error when it is none, or outside.
    pub(crate) fn number(
        &self,
        name: &'static str,
        range: std::ops::RangeInclusive<usize>,
    ) -> Result<Option<usize>, Error> {
        let Some(text) = self.filled(name)? else { return Ok(None) };
        let number = text.trim().parse().ok().filter(|number| range.contains(number));
        let (least, most) = (range.start(), range.end());
        let refused = || {
            TokenError::value(name, format!("{name} {} is not a whole number from {least} to {most}", quoted(&text)))
        };
        Ok(Some(number.ok_or_else(refused)?))
    }

    /// The values of all boxes of that name that are ticked, in the order of the page.
    ///
    /// # Errors
    /// A value error when it is no list of texts.
    pub(crate) fn ticked(&self, name: &str) -> Result<Vec<String>, Error> {
        match self.fields.get(name) {
            None => Ok(Vec::new()),
            Some(Raw::Text(text)) => Ok(vec![text.clone()]),
            Some(Raw::List(list)) if list.wrong.is_none() => {
                check_length(name, list)?;
                Ok(list.texts.clone())
            }
            Some(Raw::List(_) | Raw::Other) => Err(wrong_kind(name, "a list of texts")),
        }
    }

    /// The uids of a JSON list, which a form or a query string holds as text.
    ///
    /// # Errors
    /// An API error when the parameter is missing; a value error when it is no list of uids, or too long a one.
    pub(crate) fn uids(&self, name: &'static str) -> Result<Vec<Uid>, Error> {
        let read: List;
        let list = match self.fields.get(name) {
            None => {
                let why = format!("The parameter {name} is missing; it must have a list of uids.");
                return Err(TokenError::unnamed(name, &why).into());
            }
            Some(Raw::List(list)) => list,
            Some(Raw::Other) => return Err(wrong_kind(name, "a JSON list of uids")),
            Some(Raw::Text(text)) => {
                read = List::read(text).map_err(|_| wrong_kind(name, "a JSON list of uids"))?;
                &read
            }
        };
        check_length(name, list)?;
        let wrong = |item: &str| TokenError::value(name, format!("{} in {name} is not a uid", quoted(item))).into();
        if let Some(item) = &list.wrong {
            return Err(wrong(item));
        }
        list.texts.iter().map(|text| text.parse().map_err(|_| wrong(text))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::body::pairs;
    use super::*;

    fn params(fields: Fields) -> Params {
        Params { fields }
    }

    #[test]
    fn what_is_not_known_is_named() {
        let read = params(pairs("value=1&_=2&valeu=3", "form").unwrap());
        let Err(Error::Token(error)) = read.only(&["value"]) else { panic!("refused") };
        assert_eq!(error.param(), Some("valeu"));
    }
}
