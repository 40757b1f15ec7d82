//! Which token a line means, and what a report remembers of the tokens that it is about.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::job::Job;
use crate::store::Error;
use crate::store::imports::look_up::{Named, by_uids, by_values};
use crate::token::Uid;
use crate::token::import::field::{Cells, Field};
use crate::token::import::options::Mode;
use crate::token::limits::plain_value;

/// The key of the token that a line names, found as the mode says.
pub(super) fn find(job: &Job, lines: &[&Cells]) -> Result<HashMap<String, Named>, Error> {
    if job.options.mode == Mode::ChangeByValue {
        let values: Vec<String> =
            lines.iter().filter_map(|cells| cells.filled(Field::Value)).map(str::to_owned).collect();
        return job.read(move |connection| by_values(connection, &values));
    }
    let uids: Vec<Uid> = lines.iter().filter_map(|cells| cells.filled(Field::Uid)?.parse().ok()).collect();
    let found = job.read(move |connection| by_uids(connection, &uids))?;
    Ok(found.into_iter().map(|(uid, named)| (uid.to_string(), named)).collect())
}

/// The text by which a line names a token.
pub(super) fn key(job: &Job, cells: &Cells) -> Option<String> {
    match job.options.mode {
        Mode::ChangeByValue => cells.filled(Field::Value).map(str::to_owned),
        _ => cells.filled(Field::Uid).map(|uid| plain_value(uid.to_owned())),
    }
}

/// The value that the token of a line will have, unless it is a uid that is still to be made.
pub(super) fn said_value(cells: &Cells) -> Option<String> {
    let said = cells.filled(Field::Value).or_else(|| cells.filled(Field::Uid))?;
    Some(plain_value(said.to_owned()))
}

/// Adds a token to the digest of those that are changed. A use is no change; but a line that sets the uses left, and does not
/// say how often the token had been used by then, would give it back.
pub(super) fn add_to_digest(digest: &mut Sha256, named: &Named, cells: &Cells) {
    digest.update(named.id.to_le_bytes());
    digest.update(named.token.modified.get().to_le_bytes());
    if cells.get(Field::UsageCount).is_some() && cells.filled(Field::Used).is_none() {
        digest.update(named.token.used.to_le_bytes());
    }
}

/// The digest of the tokens that are changed.
pub(super) fn digest(digest: &Sha256) -> String {
    use base64::Engine;
    let digest: [u8; 32] = digest.clone().finalize().into();
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&digest[..16])
}
