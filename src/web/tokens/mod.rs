//! Tokens: the list, tiles, forms, and the JSON views.

pub(crate) mod api;
mod bar;
mod chips;
pub(crate) mod counts;
pub(crate) mod delete;
pub(crate) mod deleted;
pub(crate) mod edit;
pub(crate) mod form;
mod form_page;
mod gone;
mod headings;
pub(crate) mod list;
pub(crate) mod open;
pub(crate) mod page;
pub(crate) mod place;
pub(crate) mod presets;
pub(crate) mod qr_code;
pub(crate) mod query;
pub(crate) mod quick_buttons;
pub(crate) mod quick_sets;
mod row;
pub(crate) mod tile;
mod tile_notice;
pub(crate) mod tile_view;
pub(crate) mod tiles;
pub(crate) mod view;
pub(crate) mod void;
