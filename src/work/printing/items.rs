//! What is printed for each token: the text of its code and the text beside it.

use super::options::TextBeside;
use crate::sheet::layout::LabelItem;
use crate::token::public_url::CodeTexts;
use crate::token::settle::TokenId;
use crate::token::{Token, shortened};

/// The most labels in one PDF.
pub(crate) const MAX_LABELS: usize = 10_000;

/// Characters of a token's name in a message.
const NAME_CHARS: usize = 40;

/// Tokens, and what is printed for each.
#[derive(Default)]
pub(crate) struct LabelItems {
    /// The tokens in the order of their labels.
    pub(crate) tokens: Vec<(TokenId, Token)>,
    /// What is printed for each.
    pub(crate) items: Vec<LabelItem>,
}

/// What to print for these tokens.
pub(crate) fn label_items(tokens: Vec<(TokenId, Token)>, texts: &CodeTexts, beside: TextBeside) -> LabelItems {
    let item = |(_, token): &(TokenId, Token)| LabelItem {
        name: name(token),
        code: texts.of(token).into_owned(),
        text: beside.text(token),
    };
    LabelItems { items: tokens.iter().map(item).collect(), tokens }
}

/// The name of a token in messages.
fn name(token: &Token) -> String {
    let title = token.label.as_ref().unwrap_or(&token.value);
    format!("“{}”", shortened(title, NAME_CHARS))
}
