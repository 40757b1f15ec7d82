//! What all addresses share: headers, errors, static files, and requests of any kind.

mod assets;
mod bad_input;
mod compression;
mod errors;
mod headers;
mod health;
mod hostile;
