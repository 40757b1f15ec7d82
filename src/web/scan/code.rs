//! What a scanner reads, as the name of a token.

use crate::token::settle::Lookup;
use crate::token::{TokenError, Uid, VALUE_MAX_CHARS};
use crate::web::state::App;
use crate::web::tokens::api::lookup_value;

/// Some scanners write down that a code is UTF-8 (ECI 26, ISO/IEC 18004, section 7.4.2) as this text before it.
const UTF_8: &str = "\\000026";

/// The token that a code names: by its value, by the address of its tile, or by its uid, which the page itself sends.
///
/// # Errors
/// A value error when it is empty.
pub(super) fn lookup(app: &App, code: &str) -> Result<Lookup, TokenError> {
    let code = without_eci(code);
    let what = match lookup_value(app, code) {
        Err(_) if !code.trim().is_empty() => foreign(code),
        what => what?,
    };
    let uid = what.value.as_deref().and_then(|value| value.parse::<Uid>().ok());
    Ok(Lookup { link: what.link.or(uid), ..what })
}

/// A code that no token can have, of another system: it is too long, or has control characters, as GS1's have. It is
/// nobody's, and logged as such. As much of it as no token can have either is looked for; and PostgreSQL's texts cannot hold
/// a NUL.
fn foreign(code: &str) -> Lookup {
    let value = code.trim().chars().map(|c| if c == '\0' { '\u{1}' } else { c }).take(VALUE_MAX_CHARS + 1).collect();
    Lookup { value: Some(value), ..Lookup::default() }
}

fn without_eci(code: &str) -> &str {
    code.trim_start().strip_prefix(UTF_8).unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use super::without_eci;

    #[test]
    fn what_scanners_write_before_a_code_is_cut() {
        for (scanned, value) in
            [("\\000026Straße", "Straße"), (" \\000026T-1\n", "T-1\n"), ("a\\000026", "a\\000026"), ("T-1", "T-1")]
        {
            assert_eq!(without_eci(scanned), value, "{scanned:?}");
        }
    }
}
