//! What the pages say of changes of many tokens, and the list of such changes.

use crate::token::action::Action;
use crate::web::format::{grouped, tokens};

// What can be done to many tokens: on the page, and short on the bar of a selection.
pub(crate) const CHANGE_VALIDITY: (&str, &str) = ("Change validity", "Validity");
pub(crate) const SET_USES: (&str, &str) = ("Set uses", "Set uses");
pub(crate) const ADD_USES: (&str, &str) = ("Add uses", "Add uses");
pub(crate) const CHANGE_LOCK: (&str, &str) = ("Change lock", "Lock");
pub(crate) const CHANGE_LABEL: (&str, &str) = ("Change label", "Label");
pub(crate) const VOID: (&str, &str) = ("Void", "Void");
pub(crate) const RESTORE: (&str, &str) = ("Restore", "Restore");
pub(crate) const DELETE: (&str, &str) = ("Delete", "Delete");
pub(crate) const IMPORT: (&str, &str) = ("Import", "Import");

/// A verb: on a button, in what will be, in what was done, and in what is being done.
pub(crate) struct Verb {
    /// As in `Change 40 tokens`.
    pub(crate) button: &'static str,
    /// As in `Will change 40 tokens`.
    pub(crate) will: &'static str,
    /// As in `40 tokens changed.`
    pub(crate) past: &'static str,
    /// As in `Changed`.
    pub(crate) did: &'static str,
    /// As in `Changing 40 tokens`.
    pub(crate) doing: &'static str,
}

pub(crate) const CHANGING: Verb =
    Verb { button: "Change", will: "change", past: "changed", did: "Changed", doing: "Changing" };
pub(crate) const VOIDING: Verb = Verb { button: "Void", will: "void", past: "voided", did: "Voided", doing: "Voiding" };
pub(crate) const RESTORING: Verb =
    Verb { button: "Restore", will: "restore", past: "restored", did: "Restored", doing: "Restoring" };
pub(crate) const DELETING: Verb =
    Verb { button: "Delete", will: "delete", past: "deleted", did: "Deleted", doing: "Deleting" };
pub(crate) const UNDOING: &str = "Undoing";

impl Verb {
    /// As in `Will change 299 tokens`.
    pub(crate) fn will(&self, count: usize) -> String {
        format!("Will {} {}", self.will, tokens(count))
    }

    /// As in `Change 299 tokens`.
    pub(crate) fn button(&self, count: usize) -> String {
        format!("{} {}", self.button, tokens(count))
    }

    /// As in `40 tokens changed.`, and how many were not.
    pub(crate) fn done(&self, count: i32, refused: i32) -> String {
        let done = format!("{} {}.", tokens(count), self.past);
        if refused == 0 { done } else { format!("{done} {} refused.", grouped(refused)) }
    }
}

/// How far a change is.
pub(crate) fn progress(done: i32, total: i32) -> String {
    format!("{} of {}", grouped(done), tokens(total))
}

// One end of the validity.
pub(crate) const KEEP_BOUND: &str = "No change";
pub(crate) const SET_BOUND: &str = "Set to the time below";
pub(crate) const REMOVE_BOUND: &str = "Remove";

// What an action does.
pub(crate) const NO_START: &str = "no start date";
pub(crate) const NO_END: &str = "no end date";

pub(crate) fn start(moment: &str) -> String {
    format!("start {moment}")
}

pub(crate) fn end(moment: &str) -> String {
    format!("end {moment}")
}

pub(crate) fn validity_set(bounds: &str) -> String {
    format!("Validity set to {bounds}")
}

pub(crate) const USES_UNLIMITED: &str = "Uses set to unlimited";

pub(crate) fn uses_set(uses: i32) -> String {
    format!("Uses set to {}", grouped(uses))
}

pub(crate) fn uses_added(uses: i32) -> String {
    let (count, done) = (i64::from(uses).abs(), if uses < 0 { "removed" } else { "added" });
    match count {
        1 => format!("One use {done}"),
        count => format!("{} uses {done}", grouped(count)),
    }
}

pub(crate) const LOCK_REMOVED: &str = "Lock removed";

pub(crate) fn lock_set(length: &str) -> String {
    format!("Lock set to {length}")
}

pub(crate) fn label_set(label: &str) -> String {
    format!("Label set to “{label}”")
}

pub(crate) const LABEL_REMOVED: &str = "Label removed";
pub(crate) const NO_LABEL: &str = "No label";
pub(crate) const DELETED: &str = "Deleted";
pub(crate) const VOIDED: &str = "Voided";

pub(crate) fn voided_for(reason: &str) -> String {
    format!("Voided: “{reason}”")
}

pub(crate) const RESTORED: &str = "Restored";
pub(crate) const BY_A_PROGRAM: &str = "Changed by a program";

pub(crate) fn by_import(file: &str) -> String {
    format!("Changed by importing {file}")
}

/// A change that this version does not know.
pub(crate) const UNKNOWN: &str = "A change made by another version of Tessera";

/// A state with its reason, as in `Voided (Lost)`.
pub(crate) fn state_for(state: &str, reason: &str) -> String {
    format!("{state} ({reason})")
}

/// What an action holds, by its first and its last token.
pub(crate) fn first_to_last(first: &str, last: &str) -> String {
    format!("{first} – {last}")
}

/// Why tokens are not changed.
#[derive(Clone, Copy)]
pub(crate) enum Refusal {
    Unlimited,
    TooFewUses,
    EndBeforeStart,
    LongLabel,
    Other,
}

/// As in `2 tokens have unlimited uses`.
pub(crate) fn refused(why: Refusal, count: usize) -> String {
    let (who, is_one) = (tokens(count), count == 1);
    match why {
        Refusal::Unlimited if is_one => format!("{who} has unlimited uses"),
        Refusal::Unlimited => format!("{who} have unlimited uses"),
        Refusal::TooFewUses => format!("{who} would have fewer than 0 uses left, or too many"),
        Refusal::EndBeforeStart if is_one => format!("{who} would end before its start"),
        Refusal::EndBeforeStart => format!("{who} would end before their start"),
        Refusal::LongLabel => format!("{who} would have a label that is too long"),
        Refusal::Other => format!("{who} can’t be changed like this"),
    }
}

/// The selection is empty.
pub(crate) const NOTHING_SELECTED: &str =
    "No tokens selected. Go back and select tokens, or apply the action to all results.";
/// The role may not do this.
pub(crate) const MAY_NOT_VOID_OR_DELETE: &str = "Your role can’t void, restore or delete tokens. Ask an administrator.";
pub(crate) const MAY_NOT_UNDO: &str = "Your role can’t undo this. Ask an administrator.";

// What became of an undo.
pub(crate) const UNDONE: &str = "Change undone.";
pub(crate) const STILL_UNDER_WAY: &str = "This change isn’t finished yet. You can undo it once it is.";
pub(crate) const NOTHING_UNDONE: &str =
    "Nothing was undone: all tokens were changed or deleted later. Undo those changes first.";

pub(crate) fn undone_in_part(undone: i64, kept: i64) -> String {
    let kept = tokens(kept);
    format!("Change undone for {}. Left unchanged: {kept}, listed below.", tokens(undone))
}

// Why an undo left a token as it is.
pub(crate) const CHANGED_LATER: &str = "changed later";
pub(crate) const DELETED_LATER: &str = "deleted later";
pub(crate) const RESTORED_LATER: &str = "restored or deleted again";
pub(crate) const VALUE_TAKEN: &str = "another token has this value now";

/// The verb of an action.
pub(crate) fn verb(action: &Action) -> Verb {
    match action {
        Action::Void { .. } => VOIDING,
        Action::Unvoid => RESTORING,
        Action::Delete => DELETING,
        _ => CHANGING,
    }
}
