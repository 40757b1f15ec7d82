//! `tessera restore`

use std::path::Path;

use super::shell::{Failure, counted, operator, say};
use crate::cli::Common;
use crate::store::backup::restore::{self, GoodAgain, Lost, WhatIsLost};

/// Restores a backup, and says what that brings back and what it forgets.
pub(crate) fn run(common: &Common, file: &Path) -> Result<(), Failure> {
    let url = &common.database_url;
    let restored = restore::restore(url, file, &operator())?;
    let (taken, contents) = (restored.taken, &restored.contents);
    let (tokens, entries) = (contents.rows("tokens"), contents.rows("usage"));
    let mut lines = vec![format!(
        "The backup {} was restored to the {url}, as of {taken}: {} and {}. Nobody is signed in any more.",
        file.display(),
        counted(tokens, "token", "tokens"),
        counted(entries, "log entry", "log entries"),
    )];
    lines.extend(restored.kept.map(|kept| format!("What was there before is kept as {kept}.")));
    match restored.lost {
        WhatIsLost::Nothing => {}
        WhatIsLost::Known(lost) => lines.extend(sentences(&lost, &taken.to_string())),
        WhatIsLost::Unknown(why) => lines.push(format!(
            "Uses since {taken} are forgotten, and what was voided, deleted, revoked or removed since then is good \
             again. How many is not known, as what was there before could not be read: {}.",
            why.trim_end_matches('.')
        )),
    }
    say(&(lines.join("\n") + "\n"));
    Ok(())
}

fn good_again(tokens: &GoodAgain) -> Option<String> {
    let named: Vec<&str> = tokens.first.iter().map(String::as_str).collect();
    let more = match tokens.count - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let (count, named) = (tokens.count, named.join(", "));
    let sentence =
        || format!("Tokens that were voided or deleted since then, and are good again: {count} ({named}{more}).");
    (count > 0).then(sentence)
}

fn sentences(lost: &Lost, taken: &str) -> Vec<String> {
    let forgotten = match (lost.uses, lost.tokens) {
        (0, _) => format!("No use was made since {taken}."),
        (uses, tokens) => {
            let (uses, tokens) = (counted(uses, "use", "uses"), counted(tokens, "token", "tokens"));
            format!("Uses since {taken} are forgotten: {uses} of {tokens}, which can be used again.")
        }
    };
    let naming = |names: &[String], what: &str| (!names.is_empty()).then(|| format!("{what}: {}.", names.join(", ")));
    let named = [
        good_again(&lost.good_again),
        naming(&lost.keys, "Keys that were revoked since then, and work again"),
        naming(&lost.users, "Users who were removed since then, and may sign in again"),
        naming(&lost.changed, "Users who are again as they were then"),
    ];
    [forgotten].into_iter().chain(named.into_iter().flatten()).collect()
}
