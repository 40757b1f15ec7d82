//! Whether the process is alive, and whether its database answers.

use actix_web::{HttpResponse, web};

use super::error::Error;
use super::state::App;
use crate::store;

/// Alive. Touches nothing.
pub(crate) async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ok\n")
}

/// The database answers.
pub(crate) async fn readyz(app: web::Data<App>) -> Result<HttpResponse, Error> {
    app.store.read_inline(|connection| store::accounts::users::any(connection).map_err(Into::into)).await?;
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready\n"))
}
