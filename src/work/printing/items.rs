//! What is printed for each token: the text of its code and the texts beside it.

use std::collections::HashMap;

use chrono_tz::Tz;

use super::options::{PrintOptions, SecondLine};
use crate::sheet::layout::LabelItem;
use crate::token::group_title::group_title;
use crate::token::public_url::CodeTexts;
use crate::token::settle::TokenId;
use crate::token::{BatchId, Token, shortened};

/// The most labels in one PDF.
pub(crate) const MAX_LABELS: usize = 10_000;

/// Characters of a token's name in a message.
const NAME_CHARS: usize = 40;

/// What the texts on labels depend on besides the tokens.
pub(crate) struct LabelTexts {
    /// The texts of codes.
    pub(crate) codes: CodeTexts,
    /// The zone of times.
    pub(crate) zone: Tz,
}

/// Tokens, and what is printed for each.
#[derive(Default)]
pub(crate) struct LabelItems {
    /// The tokens in the order of their labels.
    pub(crate) tokens: Vec<(TokenId, Token)>,
    /// What is printed for each.
    pub(crate) items: Vec<LabelItem>,
    /// What they are called together.
    pub(crate) title: String,
}

/// What to print for these tokens, of batches with these names.
pub(crate) fn label_items(
    tokens: Vec<(TokenId, Token)>,
    batches: &HashMap<BatchId, String>,
    texts: &LabelTexts,
    options: &PrintOptions,
) -> LabelItems {
    let item = |(_, token): &(TokenId, Token)| LabelItem {
        name: name(token),
        code: texts.codes.of(token).into_owned(),
        text: options.text.text(token),
        second: second(token, batches, texts.zone, &options.second_line),
    };
    LabelItems { items: tokens.iter().map(item).collect(), title: title(&tokens, batches), tokens }
}

/// The second text of a token.
fn second(token: &Token, batches: &HashMap<BatchId, String>, zone: Tz, line: &SecondLine) -> Option<String> {
    match line {
        SecondLine::None => None,
        SecondLine::ValidUntil => {
            token.valid_to.map(|end| format!("Valid until {}", end.local(zone).format("%-d %b %Y %H:%M")))
        }
        SecondLine::Batch => token.batch.and_then(|id| batches.get(&id)).cloned(),
        SecondLine::Text(text) => Some(text.clone()),
    }
}

/// What these tokens are called together.
fn title(tokens: &[(TokenId, Token)], batches: &HashMap<BatchId, String>) -> String {
    let (Some((_, first)), Some((_, last))) = (tokens.first(), tokens.last()) else { return String::new() };
    let is_one = tokens.iter().all(|(_, token)| token.batch == first.batch);
    let batch = first.batch.filter(|_| is_one).and_then(|id| batches.get(&id));
    group_title(batch.map(String::as_str), token_title(first), token_title(last))
}

/// What people call a token: its label, or else its value.
pub(crate) fn token_title(token: &Token) -> &str {
    token.label.as_ref().unwrap_or(&token.value)
}

/// The name of a token in messages.
fn name(token: &Token) -> String {
    format!("“{}”", shortened(token_title(token), NAME_CHARS))
}
