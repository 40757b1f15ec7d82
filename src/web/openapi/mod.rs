//! The description of the API to programs: OpenAPI 3.1.

pub(crate) mod operation;
