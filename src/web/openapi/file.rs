//! `/openapi.json`.

use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};

use super::document::openapi;
use crate::web::routes::table;
use crate::web::state::App;

/// The description of this server's API.
pub(crate) async fn openapi_json(app: web::Data<App>) -> HttpResponse {
    let description =
        app.openapi.get_or_init(|| Bytes::from(openapi(&table(), &app.public_url.to_string()).to_string()));
    HttpResponse::Ok().content_type("application/json").body(description.clone())
}
