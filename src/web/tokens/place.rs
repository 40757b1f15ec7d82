//! Which page of the list it is, and how it is shown: forms and links carry it, so that everything leads back there.

use serde::{Deserialize, Deserializer, Serialize};
use validator::Validate;

/// The word of the tiles in an address.
pub(crate) const TILES: &str = "tiles";
/// Rows of a page of the list.
const ROWS: usize = 50;
/// How many tiles can be shown on a page.
const TILE_ROWS: [usize; 3] = [60, 240, 1_000];

/// How the list is shown, and where it begins, as an address says it.
#[derive(Clone, Default, Deserialize, Serialize, Validate)]
#[serde(default)]
pub(crate) struct ListPlace {
    /// [`TILES`], or empty for the list.
    #[serde(deserialize_with = "known_view")]
    view: String,
    /// How many tiles a page has; empty for the fewest.
    #[serde(deserialize_with = "known_rows")]
    show: String,
    after: String,
    before: String,
    last: String,
}

/// The tiles' word; any other is left out of addresses.
fn known_view<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let view = String::deserialize(deserializer)?;
    Ok(if view == TILES { view } else { String::new() })
}

/// A number of tiles; the fewest and any other are left out of addresses.
fn known_rows<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let show = String::deserialize(deserializer)?;
    Ok(if TILE_ROWS.iter().skip(1).any(|rows| rows.to_string() == show) { show } else { String::new() })
}

impl ListPlace {
    /// The same way of showing it, from its first page.
    pub(crate) fn first(&self) -> Self {
        if self.is_tiles() {
            Self { view: self.view.clone(), show: self.show.clone(), ..Self::default() }
        } else {
            Self::default()
        }
    }

    /// Whether it is a page behind the first.
    pub(crate) fn is_behind(&self) -> bool {
        !(self.after.is_empty() && self.before.is_empty() && self.last.is_empty())
    }

    /// Whether tokens are shown as tiles.
    pub(crate) fn is_tiles(&self) -> bool {
        self.view == TILES
    }

    /// Tokens on a page.
    pub(crate) fn rows(&self) -> usize {
        if self.is_tiles() { self.show.parse().unwrap_or(TILE_ROWS[0]) } else { ROWS }
    }

    /// How many tiles can be shown.
    pub(crate) fn tile_rows() -> [usize; 3] {
        TILE_ROWS
    }
}
