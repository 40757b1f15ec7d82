//! Parameters: form fields, a JSON object or the query string become raw text; the body wins.

mod body;
pub(crate) mod filters;
mod raw;
mod time_bound;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use serde_json::Value;

use super::callers::Caller;
use super::error::Error;
use super::state::App;
use crate::token::{LIST_MAX, TokenError, Uid, quoted};
pub(crate) use time_bound::time_bound;

pub(crate) use body::TICKED;
use body::{body_fields, pairs, read, unreadable};
use raw::Raw;

/// Most bytes of a body.
pub(crate) const SMALL: usize = 64 * 1024;
/// Most bytes of a body that holds a list.
pub(crate) const LARGE: usize = 8 * 1024 * 1024;

/// How long a body may take to be sent: a client that never ends must not hold its connection for ever.
const PATIENCE: Duration = Duration::from_mins(1);

/// A request's parameters, of a body of at most `LIMIT` bytes.
#[derive(Default)]
pub(crate) struct Params<const LIMIT: usize = SMALL> {
    fields: BTreeMap<String, Raw>,
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
                Ok(payload) => tokio::time::timeout(PATIENCE, read(&request, payload, LIMIT))
                    .await
                    .map_err(|_| TokenError::unreadable("The body was not sent whole in time."))??,
                Err(error) => return Err(unreadable(error)),
            };
            if !body.is_empty() {
                recheck_caller(&request).await?;
            }
            let query = if with_query { request.query_string() } else { "" };
            let mut fields = pairs(query, "query string")?;
            if !body.is_empty() {
                fields.append(&mut body_fields(&request, &body)?);
            }
            Ok(Self { fields })
        })
    }
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

impl<const LIMIT: usize> Params<LIMIT> {
    /// Holds that there is no parameter but these: one that is written wrong must not be passed over. Those that
    /// begin with `_` are free.
    ///
    /// # Errors
    /// An API error that names the first unknown one.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Error> {
        let unknown = self.fields.keys().find(|name| !name.starts_with('_') && !known.contains(&name.as_str()));
        let Some(name) = unknown else { return Ok(()) };
        let message = format!("The parameter {} is unknown here; known are {}.", quoted(name), known.join(", "));
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
        let text = |item: &Value| item.as_str().map(str::to_owned).ok_or_else(|| wrong_kind(name, "a list of texts"));
        match self.fields.get(name) {
            None => Ok(Vec::new()),
            Some(Raw::Text(text)) => Ok(vec![text.clone()]),
            Some(Raw::List(items)) => items.iter().map(text).collect(),
            Some(Raw::Other) => Err(wrong_kind(name, "a list of texts")),
        }
    }

    /// The uids of a JSON list, which a form or a query string holds as text.
    ///
    /// # Errors
    /// An API error when the parameter is missing; a value error when it is no list of uids, or too long a one.
    pub(crate) fn uids(&self, name: &'static str) -> Result<Vec<Uid>, Error> {
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
    use super::body::pairs;
    use super::*;

    fn params(fields: BTreeMap<String, Raw>) -> Params {
        Params { fields }
    }

    #[test]
    fn what_is_not_known_is_named() {
        let read = params(pairs("value=1&_=2&valeu=3", "form").unwrap());
        let Err(Error::Token(error)) = read.only(&["value"]) else { panic!("refused") };
        assert_eq!(error.param(), Some("valeu"));
    }
}
