//! Tessera, a token server: a token with n uses is used n times.
pub mod access;
pub mod token;
