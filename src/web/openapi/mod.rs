//! The description of the API: for programs as OpenAPI 3.1, for people as a page, and as docs/API.md.

pub mod document;
mod errors;
pub mod file;
mod links;
mod model;
pub(crate) mod operation;
pub(crate) mod schema;
