//! `/openapi.json`.

use std::sync::OnceLock;

use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};

use super::document::openapi;
use super::reference::Reference;
use crate::web::route::Route;

/// A server's description of its API, which is made once somebody asks for it.
pub struct Description {
    routes: fn() -> Vec<Route>,
    server: String,
    json: OnceLock<Bytes>,
    /// What the page says to everybody.
    pub(super) page: OnceLock<String>,
}

impl Description {
    /// Of the views of a table of routes, at a server.
    pub fn new(routes: fn() -> Vec<Route>, server: String) -> Self {
        Self { routes, server, json: OnceLock::new(), page: OnceLock::new() }
    }

    /// The same for people.
    pub(super) fn reference(&self) -> Reference {
        Reference::new(&(self.routes)(), &self.server)
    }

    fn json(&self) -> Bytes {
        self.json.get_or_init(|| Bytes::from(openapi(&(self.routes)(), &self.server).to_string())).clone()
    }
}

/// The description of this server's API.
pub(crate) async fn openapi_json(description: web::Data<Description>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(description.json())
}
