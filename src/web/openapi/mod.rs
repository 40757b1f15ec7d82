//! The description of the API: for programs as OpenAPI 3.1, for people as a page, and as docs/API.md.

mod content;
pub mod document;
mod errors;
mod examples;
mod fields;
pub mod file;
mod guide;
mod links;
pub mod markdown;
mod model;
pub(crate) mod operation;
pub(crate) mod page;
mod reference;
pub(crate) mod schema;
