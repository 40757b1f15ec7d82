//! Changes of many tokens, and their undoing.

mod actions;
mod change;
mod large;
mod pieces;
mod void;
mod void_page;

use std::time::Duration;

use tessera::store::search::SearchLimit;

/// As long as a search may take.
fn limit() -> SearchLimit {
    SearchLimit::new(Duration::from_secs(5))
}
