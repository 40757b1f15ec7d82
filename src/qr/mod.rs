//! QR codes (ISO/IEC 18004): modules, outlines, SVG and PNG, and a cache of codes.

mod code;
mod mask;
mod trace;

pub use code::{Code, Codes, Level, MAX_PIXELS_PER_MODULE, QUIET_ZONE, TooLong, xml_escaped};
