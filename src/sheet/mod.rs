//! Label sheets: the positions and contents of labels, and pages as SVG and PDF.
//!
//! Knows about codes, but not about tokens, the database or HTTP.

pub mod calibrate;
pub mod draw;
pub mod fonts;
pub mod geometry;
mod label_layout;
pub mod layout;
pub mod mm;
pub mod pdf;
pub mod presets;
pub mod proof;
pub mod raster;
pub(crate) mod refusal;
pub(crate) mod svg;
mod text;
mod text_shaper;
pub mod text_size;
mod viewer_preferences;

pub use crate::sheet::label_layout::Area;
