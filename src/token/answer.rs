//! What becomes of an ask: its answer, and its entry in the usage log.

use schemars::JsonSchema;
use serde::Serialize;

use super::ask::{Ask, Deed};
use super::error::{Refusal, TokenError};
use super::gate::GateId;
use super::record::Token;
use super::time::Micros;
use super::uid::Uid;

/// Characters that the usage log stores of a value that no token has: a scanner that reads the wrong codes must not
/// fill the disk.
const UNKNOWN_CHARS: usize = 64;

/// What the bearer of a token may see of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TokenSummary {
    /// Its uid.
    pub token_uid: Uid,
    /// Its value.
    pub(crate) value: String,
    /// Its text for people.
    pub(crate) label: Option<String>,
    /// The uses left.
    pub usage_count: i32,
    /// The last use.
    pub last_used: Option<Micros>,
    /// The first moment at which it may be used.
    pub(crate) valid_from: Option<Micros>,
    /// The last moment at which it may be used.
    pub(crate) valid_to: Option<Micros>,
}

impl TokenSummary {
    /// The token of the API's examples, used at this moment.
    pub(crate) fn example(last_used: Micros) -> Self {
        Self {
            token_uid: Uid::example(),
            value: Uid::example().to_string(),
            label: Some("Anna".into()),
            usage_count: 2,
            last_used: Some(last_used),
            valid_from: None,
            valid_to: None,
        }
    }
}

impl From<&Token> for TokenSummary {
    fn from(token: &Token) -> Self {
        Self {
            token_uid: token.uid,
            value: token.value.clone(),
            label: token.label.clone(),
            usage_count: token.usage_count,
            last_used: token.last_used,
            valid_from: token.valid_from,
            valid_to: token.valid_to,
        }
    }
}

/// What was done: a use, or an undo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The token, as it was afterwards.
    pub summary: TokenSummary,
    /// The uid of the entry in the usage log.
    pub usage_uid: Uid,
    /// How many uses; negative if they were given back.
    pub uses: i32,
    /// At which gate.
    pub gate: Option<GateId>,
}

/// What the log keeps of something that was done, beside what it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UndoData {
    /// How many uses the token lost: none, if they were unlimited. Negative, if it got them back.
    pub(crate) taken: i32,
    /// From when its lock ran before.
    pub(crate) lock_before: Option<Micros>,
    /// The uid of the use that was undone.
    pub(crate) undoes: Option<Uid>,
}

/// Why a token was not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedAsk {
    /// Every reason, in the order in which they are checked: at least one.
    pub refusals: Vec<Refusal>,
    /// The token, if there is one.
    pub summary: Option<TokenSummary>,
    /// The first moment at which the consume would succeed if nothing else changed.
    pub(crate) retry_at: Option<Micros>,
    /// The moment of the decision, by the database's clock.
    pub(crate) at: Micros,
    /// The uid of the entry in the usage log.
    pub(crate) usage_uid: Uid,
}

/// The answer to an ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was done.
    Done(Receipt, UndoData),
    /// It was done earlier, for the same key. Nothing happened now.
    Replayed(Receipt),
    /// Nothing was done earlier for the same key, nor now.
    NotKept,
    /// The token was not used.
    Refused(RefusedAsk),
    /// The ask contradicts itself, or what was done before. It does not count as an attempt.
    Mistaken(TokenError),
    /// Whoever asks may not, or not at that gate. It does not count as an attempt.
    Forbidden(&'static str),
}

/// The content of a usage entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// The entry's uid.
    pub(crate) uid: Uid,
    /// The token's uid, or the one in the request.
    pub(crate) token_uid: Option<Uid>,
    /// The token's value, or the beginning of the one in the request.
    pub(crate) token_value: Option<String>,
    /// The refusal's code.
    pub(crate) error_code: Option<i16>,
    /// How many uses, negative if they were given back.
    pub(crate) uses: i32,
    /// At which gate.
    pub(crate) gate: Option<GateId>,
    /// What else is kept.
    pub(crate) undo: UndoData,
}

/// A code with pictures of its control characters, which another system's may have, in their place.
pub(crate) fn visible(code: &str) -> String {
    let picture = |c: char| match c {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(c),
        '\u{7f}' => '\u{2421}',
        _ if c.is_control() => char::REPLACEMENT_CHARACTER,
        _ => c,
    };
    code.chars().map(picture).collect()
}

impl Answer {
    /// The usage entry for `ask` with this answer; none for what is no attempt.
    pub(crate) fn attempt(&self, ask: &Ask) -> Option<Attempt> {
        let (uses, gate) = match &ask.deed {
            Deed::Use { uses, gate, .. } => (*uses, *gate),
            Deed::Undo { .. } | Deed::Replay { .. } => (0, None),
        };
        let of = |summary: &TokenSummary, uid, error_code| Attempt {
            uid,
            token_uid: Some(summary.token_uid),
            token_value: Some(summary.value.clone()),
            error_code,
            uses,
            gate,
            undo: UndoData::default(),
        };
        match self {
            Self::Done(Receipt { summary, usage_uid, uses, gate }, undo) => {
                Some(Attempt { uses: *uses, gate: *gate, undo: undo.clone(), ..of(summary, *usage_uid, None) })
            }
            Self::Refused(RefusedAsk { refusals, summary, usage_uid, .. }) => {
                let error_code = refusals.first().map(Refusal::code);
                if let Some(summary) = summary {
                    return Some(of(summary, *usage_uid, error_code));
                }
                let what = ask.lookup()?;
                let token_value =
                    what.value.as_deref().map(|value| visible(value).chars().take(UNKNOWN_CHARS).collect());
                let undo = UndoData::default();
                Some(Attempt { uid: *usage_uid, token_uid: what.uid, token_value, error_code, uses, gate, undo })
            }
            Self::Replayed(_) | Self::NotKept | Self::Mistaken(_) | Self::Forbidden(_) => None,
        }
    }
}
