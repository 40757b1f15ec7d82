//! Parameters: each view and each form has one struct that serde reads, and that nothing else repeats.

mod body;
pub(crate) mod filters;
mod keyed;
mod names;
mod parts;
mod raw;
mod raw_params;
mod reader;
mod typed;

pub(crate) use body::{BODY_KINDS, TICKED};
pub(crate) use keyed::KeyedParams;
pub(crate) use parts::{NoParams, Parts, trimmed};
pub(crate) use raw_params::{LARGE, RawForm, RawParams, SMALL, counted_body};
pub(crate) use typed::{FileParams, Form, Params, Query, TriedForm};
