//! What pages say that is no part of a template: one constant or function a sentence, by noun, so that another language
//! can be laid beside it. Numbers and plurals, dates and lengths of time come from `format.rs`.

pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod batches;
pub(crate) mod bulk;
pub(crate) mod errors;
pub(crate) mod forms;
pub(crate) mod gates;
pub(crate) mod imports;
pub(crate) mod printing;
pub(crate) mod scan;
pub(crate) mod settings;
pub(crate) mod tile;
pub(crate) mod tokens;
pub(crate) mod usage;
