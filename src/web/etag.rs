//! Entity tags: an answer that a browser already has is not sent again.

use actix_web::http::header::{EntityTag, IfNoneMatch};

/// Whether a browser has what `tag` stands for already.
pub(crate) fn is_known(known: &IfNoneMatch, tag: &EntityTag) -> bool {
    match known {
        IfNoneMatch::Any => true,
        IfNoneMatch::Items(tags) => tags.iter().any(|other| other.weak_eq(tag)),
    }
}
