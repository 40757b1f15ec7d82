//! What was done before a tile was opened.

use crate::access::{Permission, Role};
use crate::store::tokens::Tile;
use crate::token::Uid;
use crate::web::format::uses_left;
use crate::web::notice::Notice;
use crate::web::words::tile as words;

/// The notice that a word of the address stands for.
pub(super) fn notice(done: &str, tile: &Tile, role: Role) -> Option<Notice> {
    let left = || uses_left(tile.token.usage_count);
    Some(match done {
        "added" => Notice::done(words::ADDED),
        "saved" => Notice::done(words::SAVED),
        "saved-printed" => Notice::done(words::SAVED_PRINTED),
        "replayed" => Notice::done(words::USED_BEFORE),
        "use-undone" => Notice::done(words::use_undone(&left())),
        "use-undone-before" => Notice::done(words::USE_UNDONE_BEFORE),
        "use-not-undone" => Notice::refused(words::USE_NOT_UNDONE),
        "same" => Notice::done(words::NO_CHANGE),
        "unlimited" => Notice::refused(words::UNLIMITED_ALREADY),
        "no-range" => Notice::refused(words::NO_SUCH_RANGE),
        "not-today" => Notice::refused(words::NOT_TODAY),
        "undone" => Notice::done(words::UNDONE),
        "restored" => Notice::done(words::RESTORED),
        other => {
            if let Some(entry) = other.strip_prefix("used-") {
                Notice::done(words::used(&left())).with_undo(undo(entry, tile, role))
            } else {
                let code = other.strip_prefix("refused-").and_then(|code| code.parse().ok())?;
                Notice::refused(words::not_used(words::refusal(code)))
            }
        }
    })
}

/// Where this use of the token is undone, if it was one and still counts.
fn undo(entry: &str, tile: &Tile, role: Role) -> Option<String> {
    let is_use = tile.history.iter().any(|one| one.uid == entry && one.error_code.is_none() && one.uses > 0);
    let is_undone = tile.history.iter().any(|one| one.undoes.as_deref() == Some(entry));
    let uid: Uid = entry.parse().ok()?;
    (is_use && !is_undone && role.may(Permission::Consume))
        .then(|| format!("/{}/undo_use?usage_uid={uid}", tile.token.uid))
}
