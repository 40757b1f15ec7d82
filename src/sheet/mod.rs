//! Label sheets: where a label lies on its page, what stands on it, and the page as SVG and PDF.
//!
//! Knows codes and nothing of tokens, the database or HTTP.

pub mod calibrate;
pub mod draw;
pub mod fonts;
pub mod geometry;
pub mod layout;
pub mod mm;
pub mod pdf;
mod place;
mod presets;
mod press;
pub mod print;
pub mod proof;
pub mod refused;
pub mod svg;
mod text;
mod unscaled;

pub use place::Area;
