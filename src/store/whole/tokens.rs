//! Tokens, what was done with them, and the log of their uses.

use super::table::{Column, Key, Table, moment, number, text};
use crate::store::tokens::visible::ARE_VISIBLE;

/// Of a token, first those that an import takes.
macro_rules! token_columns {
    ($($more:expr),*) => {&[
        text("uid", "tokens.uid", "Its ID, which never changes and is never given again."),
        text("value", "COALESCE(tokens.value, tokens.uid)", "What its QR code says; the ID if nothing else was chosen."),
        text("label", "tokens.label", "The text for people, if there is one."),
        moment("valid_from", "tokens.valid_from", "Valid from this moment on; empty if there is no such bound."),
        moment("valid_to", "tokens.valid_to", "Valid up to this moment, inclusive; empty if there is no such bound."),
        number("usage_count", "tokens.usage_count", "Uses that are left; -1 is unlimited."),
        number("lock_time", "tokens.lock_time", "Seconds for which it is locked after a use."),
        text("batch", "NULLIF(batches.name, '')", "The name of the batch that it was made with, if it has one."),
        moment("voided", "tokens.voided_at", "Since when it is voided; empty if it is not."),
        text("void_reason", "tokens.void_reason", "Why it was voided, if that was said."),
        text("voided_by", "tokens.voided_by", "Who voided it."),
        number("used", "tokens.used", "How often it was used, without uses that were undone."),
        moment("last_used", "tokens.last_used", "Its last use."),
        moment("lock_start", "tokens.lock_start", "From when its lock runs: the last use, or when the clock had jumped back."),
        text("creator", "tokens.creator", "Who made it, as in user:anna or key:door-3."),
        moment("created", "tokens.created", "When it was made."),
        moment("modified", "tokens.modified", "When a person or a program last changed it; a use is no change."),
        text("batch_uid", "batches.uid", "The ID of its batch.")
        $(, $more)*
    ]};
}

const TOKENS: &[Column] = token_columns!();
const DELETED: &[Column] = token_columns!(
    moment("deleted", "tokens.deleted_at", "When it was deleted."),
    text("deleted_by", "tokens.deleted_by", "Who deleted it.")
);

const FROM: &str = "tokens LEFT JOIN batches ON batches.id = tokens.batch";

/// The tables.
pub(super) const TABLES: &[Table] = &[
    Table {
        name: "tokens",
        about: "The tokens, oldest first.",
        columns: TOKENS,
        from: FROM,
        condition: ARE_VISIBLE,
        key: Key::Number("tokens.id"),
    },
    Table {
        name: "deleted_tokens",
        about: "Tokens that were deleted. Their IDs are never given again; their values may be.",
        columns: DELETED,
        from: FROM,
        condition: "tokens.deleted_at IS NOT NULL",
        key: Key::Number("tokens.id"),
    },
    Table {
        name: "usage",
        about: "Every attempt to use a token, oldest first, refused ones included, as far back as the settings keep them.",
        columns: &[
            text("uid", "usage.uid", "The entry's ID."),
            moment("timestamp", "usage.timestamp", "When it was."),
            text("token_uid", "usage.token_uid", "The ID of the token, or the one that was asked for."),
            text(
                "token_value",
                "usage.token_value",
                "The token's value at that time, or the start of what was asked for.",
            ),
            text("user", "usage.principal", "Who asked, as in user:anna or key:door-3."),
            number(
                "error_code",
                "usage.error_code",
                "Why it was refused: 1 no such token, 2 used up, 3 locked, 4 not valid at that time, 7 voided; empty if it \
                 was used.",
            ),
            text("gate", "gates.name", "At which gate."),
            number("uses", "usage.uses", "How many uses; negative if the entry gives uses back."),
            number("taken", "usage.taken", "By how many the uses left went down; 0 if they are unlimited."),
            moment("lock_before", "usage.lock_before", "From when the token's lock ran before."),
            text("undoes", "usage.undoes", "The ID of the entry that this one undoes."),
        ],
        from: "usage LEFT JOIN gates ON gates.id = usage.gate",
        condition: "1 = 1",
        key: Key::Number("usage.id"),
    },
    Table {
        name: "batches",
        about: "Tokens that were made together. A batch without a name was made by a program.",
        columns: &[
            text("uid", "batches.uid", "Its ID."),
            text("name", "batches.name", "Its name."),
            number("count", "batches.count", "How many tokens were made."),
            text("creator", "batches.creator", "Who made it."),
            moment("created", "batches.created", "When that was begun."),
            moment("made", "batches.made", "When all of its tokens were there."),
        ],
        from: "batches",
        condition: "batches.made IS NOT NULL",
        key: Key::Number("batches.id"),
    },
    Table {
        name: "actions",
        about: "Changes of many tokens at once, or of one by a click.",
        columns: &[
            text("uid", "actions.uid", "Its ID."),
            text("what", "actions.what", "What was to be changed, as JSON."),
            text("user", "actions.principal", "Who did it."),
            moment("timestamp", "actions.timestamp", "When it was decided."),
            number("count", "actions.count", "How many tokens were changed."),
            number("refused", "actions.refused", "How many were not, as it was not allowed."),
            moment("undone", "actions.undone", "When it was undone."),
            text("undone_by", "actions.undone_by", "Who undid it."),
            text("pending", "actions.pending", "What was still to be done: changing or undoing; empty if nothing was."),
        ],
        from: "actions",
        condition: "(actions.pending IS NULL OR actions.pending IN ('changing', 'undoing'))",
        key: Key::Number("actions.id"),
    },
    Table {
        name: "action_tokens",
        about: "What each token was before an action changed it.",
        columns: &[
            text("action_uid", "actions.uid", "The action."),
            text("token_uid", "tokens.uid", "The token."),
            number("number", "action_tokens.number", "The token's place in the selection, counted from 1."),
            moment("stamp", "action_tokens.stamp", "The token's modified after the action; empty if that was undone."),
            moment("modified", "action_tokens.modified", "The token's modified before it."),
            text("label", "action_tokens.label", "Its label before it; so with the columns that follow."),
            moment("valid_from", "action_tokens.valid_from", ""),
            moment("valid_to", "action_tokens.valid_to", ""),
            number("usage_count", "action_tokens.usage_count", ""),
            number("lock_time", "action_tokens.lock_time", ""),
            number("used", "action_tokens.used", ""),
            moment("voided", "action_tokens.voided_at", ""),
            text("voided_by", "action_tokens.voided_by", ""),
            text("void_reason", "action_tokens.void_reason", ""),
            text("kept", "action_tokens.kept", "Why an undo left the token as it was."),
            text("target", "action_tokens.target", "What an import made of it, as JSON."),
        ],
        from: "action_tokens JOIN actions ON actions.id = action_tokens.action \
               JOIN tokens ON tokens.id = action_tokens.token",
        condition: "(actions.pending IS NULL OR actions.pending IN ('changing', 'undoing'))",
        key: Key::Numbers("action_tokens.action", "action_tokens.token"),
    },
];
