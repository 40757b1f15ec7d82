//! Tokens: the list, tiles, forms, and the JSON views.

pub mod api;
pub mod counts;
pub mod delete;
pub mod deleted;
pub mod edit;
pub mod form;
pub mod list;
pub mod page;
pub mod qr_code;
pub mod query;
pub mod quick_buttons;
pub mod quick_sets;
pub mod tile;
pub mod tile_view;
pub mod view;
pub mod void;
