//! Scanning: for browsers that cannot read codes themselves, photos are read here.

mod photo;
pub(crate) mod rate;
pub(crate) mod read;
