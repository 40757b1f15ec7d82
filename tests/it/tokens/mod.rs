//! Single tokens: their JSON views, pages and lists.

mod add;
mod adding;
mod agreement;
mod consume;
mod delete;
mod deleted;
mod edit;
mod filters;
mod foreign;
mod form;
mod hard_searches;
mod idempotency;
mod list;
mod list_queries;
mod lists;
mod open;
mod qr_code;
mod query;
mod quick_sets;
mod search;
mod tile;
mod undo_use;
mod unseen;
mod void;
mod void_page;
mod words;
