//! HTTP: addresses, who may enter, what is sent, and how it is answered.

pub mod assets;
pub mod callers;
pub mod client;
pub mod counts;
pub mod cursor;
pub mod error;
pub mod guard;
pub mod headers;
pub mod health;
pub mod json;
pub mod layers;
pub mod makings;
pub mod pages;
pub mod params;
pub mod press;
pub mod printing;
pub mod routes;
pub mod seal;
pub mod settings;
pub mod state;
