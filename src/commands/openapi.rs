//! `tessera openapi`.

use super::shell::{Failure, print};
use crate::web::openapi::document::openapi;
use crate::web::routes::table;

/// Prints the description of the API, for a server at `/`.
pub(super) fn run() -> Result<(), Failure> {
    let description = serde_json::to_string_pretty(&openapi(&table(), "")).unwrap_or_default();
    print(&format!("{description}\n"))
}
