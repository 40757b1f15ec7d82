//! QR codes (ISO/IEC 18004): modules, outlines, SVG and PNG, a cache of codes, and reading them off pictures.

mod code;
mod mask;
pub mod read;
mod trace;

pub use code::{Code, Codes, Level, MAX_PIXELS_PER_MODULE, QUIET_ZONE, TooLong, xml_escaped};
