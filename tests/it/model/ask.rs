//! A request as the model and the server both get it.

use std::fmt;

use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tessera::access::Role;

use crate::support::app::App;

/// How the parameters are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Form,
    Json,
    /// A POST that has them in its query string.
    Query,
    Get,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Ask {
    pub view: &'static str,
    pub role: Role,
    pub way: Way,
    /// In the path.
    pub uid: Option<String>,
    pub fields: Vec<(&'static str, String)>,
    /// The `Idempotency-Key`.
    pub key: Option<String>,
}

impl Ask {
    /// One that asks for a token by its uid.
    pub fn query_token(uid: &str) -> Self {
        let fields = vec![("token_uid", uid.to_owned())];
        Self { view: "query_token", role: Role::Manager, way: Way::Get, uid: None, fields, key: None }
    }

    /// The principal that asks, by the name of its key.
    pub fn user(&self) -> &'static str {
        if self.role == Role::Scanner { "key:scanner" } else { "key:manager" }
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(given, _)| *given == name).map(|(_, text)| text.as_str())
    }

    pub fn request(&self, app: &App) -> RequestBuilder {
        let method = if self.way == Way::Get { Method::GET } else { Method::POST };
        let request = app.request(self.role, method, &self.path());
        let request = match self.way {
            Way::Form => request.form(&self.fields),
            Way::Json => request.json(&self.json()),
            Way::Query | Way::Get => request.query(&self.fields),
        };
        match &self.key {
            Some(key) => request.header("Idempotency-Key", key),
            None => request,
        }
    }

    fn path(&self) -> String {
        self.uid.as_ref().map_or_else(|| format!("/{}", self.view), |uid| format!("/{uid}/{}", self.view))
    }

    /// As a program would write it: null where a form has an empty field, numbers and lists as such.
    fn json(&self) -> Value {
        let value = |(name, text): &(&'static str, String)| match (*name, text.as_str()) {
            (_, "") => Value::Null,
            ("usage_count" | "lock_time" | "add_uses" | "count" | "token_uids" | "uses", text) => {
                serde_json::from_str(text).unwrap_or_else(|_| text.into())
            }
            (_, text) => text.into(),
        };
        self.fields.iter().map(|field| (field.0.to_owned(), value(field))).collect::<serde_json::Map<_, _>>().into()
    }
}

/// As it stands in the story of a failure.
impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?} {}", self.role.word(), self.way, self.path())?;
        for (name, text) in &self.fields {
            write!(f, " {name}={}", short(text))?;
        }
        self.key.as_ref().map_or(Ok(()), |key| write!(f, " Idempotency-Key: {}", short(key)))
    }
}

/// Long texts are runs of one character.
fn short(text: &str) -> String {
    match text.chars().next() {
        Some(first) if text.chars().count() > 150 => format!("{first:?} {} times", text.chars().count()),
        _ => format!("{text:?}"),
    }
}
