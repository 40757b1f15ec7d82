//! What the door says: one word that is read from two metres, and a short sentence.

use crate::token::UNLIMITED;
use crate::token::gate::GateRules;
use crate::web::format::grouped;

/// A token was used, or would be.
pub(crate) const GOOD: &str = "Good";
/// A token may not be used.
pub(crate) const REFUSED: &str = "Refused";
/// The same gate used it a moment ago.
pub(crate) const ALREADY_USED: &str = "Already used";
/// A token was looked up, and not used.
pub(crate) const LOOKED_UP: &str = "Looked up";
/// Several tokens were found.
pub(crate) const CHOOSE: &str = "Choose";
/// Several tokens have the text in their label or value.
pub(crate) const CHOOSE_SENTENCE: &str =
    "No token has exactly this code. Choose a token with this text in its label or value:";
/// A use was undone.
pub(crate) const UNDONE: &str = "Undone";
/// Nothing was done.
pub(crate) const NOT_DONE: &str = "Not done";
/// Uses the token that was looked up.
pub(crate) const USE_ONCE: &str = "Use once";
/// Uses the token that was used a moment ago.
pub(crate) const USE_AGAIN: &str = "Use again";
/// Before the time at which a lock ends.
pub(crate) const FREE_AGAIN: &str = "Free again";
/// Before the time at which a token becomes valid.
pub(crate) const STARTS: &str = "Starts";
/// A fact: the token's value.
pub(crate) const VALUE: &str = "Value";
/// A fact: from when the token is valid.
pub(crate) const VALID_FROM: &str = "Valid from";
/// A fact: until when the token is valid.
pub(crate) const VALID_UNTIL: &str = "Valid until";
/// There is no such token.
pub(crate) const UNKNOWN_CODE: &str = "Unknown code.";
/// What the page calls the parameter `value`.
pub(crate) const CODE: &str = "The code";
/// What the page calls the parameter `uses`.
pub(crate) const NUMBER_OF_USES: &str = "The number of uses";
/// The gate wants codes to be scanned.
pub(crate) const NO_TYPING: &str = "Typing codes is off at this gate. Scan the code.";

/// The body of a request is no photo.
pub(crate) const PHOTO_KINDS: &str = "The body must be a photo: image/jpeg or image/png.";
/// The body of a request is a compressed photo.
pub(crate) const PHOTO_NOT_COMPRESSED: &str = "The photo must be sent without Content-Encoding.";
/// One user or API key sends photos too quickly.
pub(crate) const PHOTOS_TOO_QUICK: &str =
    "Only two photos a second are read for each user or API key. Wait a second, then try again.";
/// One user or API key sends photos before others of it are read.
pub(crate) const OWN_PHOTOS_WAIT: &str =
    "Two photos of this user or API key are still being read. Wait for an answer, then try again.";
/// Too many photos wait.
pub(crate) const PHOTOS_WAIT: &str = "Other photos are being read. Try again in a second.";
/// The server ends.
pub(crate) const RESTARTING: &str = "The server is restarting. Try again in a moment.";

/// The uses that are left.
pub(crate) fn left(count: i32) -> String {
    match count {
        UNLIMITED => "Unlimited uses.".into(),
        1 => "1 use left.".into(),
        count => format!("{} uses left.", grouped(count)),
    }
}

/// A token was used so many times at once, and has so many uses left.
pub(crate) fn used(uses: i32, left_after: i32) -> String {
    match uses {
        1 => format!("Used. {}", left(left_after)),
        uses => format!("Used {} times. {}", grouped(uses), left(left_after)),
    }
}

/// A token could be used now.
pub(crate) fn can_be_used(left_now: i32) -> String {
    format!("Can be used. {}", left(left_now))
}

/// Why a token that was looked up could not be used now.
pub(crate) fn cannot_be_used(why: &str) -> String {
    format!("Cannot be used. {why}")
}

/// How long ago a use was, where another one follows at once.
pub(crate) fn used_before(seconds: i64, is_at_gate: bool) -> String {
    let ago = if seconds <= 1 { "1 second ago".to_owned() } else { format!("{seconds} seconds ago") };
    if is_at_gate { format!("Used at this gate {ago}.") } else { format!("Used here {ago}.") }
}

/// When, where and by whom a token was last used.
pub(crate) fn last_used(when: &str, gate: Option<&str>, by: Option<&str>) -> String {
    format!("Last used {when}{}{}.", at_gate(gate), by_whom(by))
}

/// A token was voided: when, by whom, and why.
pub(crate) fn voided(when: &str, by: Option<&str>, reason: Option<&str>) -> String {
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("Voided {when}{}{reason}.", by_whom(by))
}

/// A token has no uses left; `last_used` is the sentence that says when it had.
pub(crate) fn used_up(last_used: &str) -> String {
    format!("Used up. {last_used}").trim_end().to_owned()
}

/// More uses were wanted than are left.
pub(crate) fn too_few_left(count: i32) -> String {
    format!("Only {}", left(count))
}

/// A token is locked; `last_used` is the sentence that says since when.
pub(crate) fn locked(until: &str, last_used: &str) -> String {
    format!("Locked until {until}. {last_used}").trim_end().to_owned()
}

/// A token is not valid yet.
pub(crate) fn not_yet_valid(from: &str) -> String {
    format!("Not yet valid. Valid from {from}.")
}

/// A token is no longer valid.
pub(crate) fn expired(to: &str) -> String {
    format!("Expired. Was valid until {to}.")
}

/// Why the gate of a request cannot be used, and what to do.
pub(crate) fn choose_a_gate(why: &str) -> String {
    format!("{why} Choose a gate.")
}

/// What is off at a gate, and who can turn it on; none if nothing is.
pub(crate) fn off(rules: &GateRules) -> Option<String> {
    let parts = [
        (rules.typing, "typing codes"),
        (rules.look_up, "looking up and testing"),
        (rules.several, "several uses at once"),
    ];
    let off: Vec<_> = parts.into_iter().filter(|(is_on, _)| !is_on).map(|(_, what)| what).collect();
    (!off.is_empty()).then(|| format!("Off at this gate: {}. A manager can turn this on.", off.join(", ")))
}

fn at_gate(gate: Option<&str>) -> String {
    gate.map(|gate| format!(" at {gate}")).unwrap_or_default()
}

fn by_whom(by: Option<&str>) -> String {
    by.map(|by| format!(" by {by}")).unwrap_or_default()
}
