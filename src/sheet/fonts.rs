//! The fonts that sheets are printed with.

use std::borrow::Cow;
use std::sync::Arc;

/// The fonts, in the order in which a character is looked for in them.
#[derive(Clone, Debug)]
pub struct Fonts {
    /// The one that comes with the program, and those of `--font`.
    pub faces: Vec<Face>,
}

/// A font.
#[derive(Clone, Debug)]
pub struct Face {
    /// What it is called in messages: its file.
    pub name: String,
    /// The file.
    pub data: Arc<Cow<'static, [u8]>>,
}
