//! The domain: what a token is, when it may be used, and which values it may have.
//!
//! Nothing here does I/O, and nothing here knows of HTTP, SQL or HTML.

pub mod action;
pub(crate) mod answer;
mod ask;
pub(crate) mod batch;
pub(crate) mod calendar;
pub(crate) mod combining;
pub(crate) mod cone;
pub mod consume;
pub(crate) mod edit;
pub(crate) mod error;
pub mod gate;
mod given;
pub(crate) mod group_title;
pub(crate) mod import;
pub mod input;
pub(crate) mod json_number;
mod keyed_request;
pub(crate) mod label;
pub(crate) mod limits;
pub(crate) mod list_change;
pub(crate) mod odd;
mod parsed_time;
pub mod print;
mod problem;
pub mod public_url;
mod quoted;
mod record;
pub mod search_words;
mod sentence;
pub mod settings;
pub mod settle;
pub mod soon;
mod state;
pub(crate) mod time;
pub(crate) mod time_range;
mod uid;
pub(crate) mod undo;
pub(crate) mod usage_outcome;
pub(crate) mod uses_left;
pub(crate) mod validation;
pub mod value_prefix;
pub(crate) mod void;
mod written_time;

pub use error::{Refusal, TokenError};
pub use given::Given;
pub(crate) use keyed_request::KeyedRequest;
pub use problem::Problem;
pub(crate) use problem::shown;
pub use quoted::quoted;
pub(crate) use quoted::{grouped, shortened};
pub use record::{
    BatchId, EntryId, LABEL_MAX_CHARS, LIST_MAX, Token, UNLIMITED, VALUE_MAX_BYTES, VALUE_MAX_CHARS, Voided,
};
pub use state::State;
pub use time::Micros;
pub use uid::Uid;
pub use usage_outcome::UsageOutcome;
pub use written_time::WrittenTime;
