//! What leads to tokens that no index of the table leads to: words in values and labels ([`grams`]), and states ([`zones`]).
//!
//! Both are made from the tokens, in pieces, by a thread that waits for nobody ([`refresh`]), and never in a consume. What they
//! do not know yet stands in a [`queue`], or behind a place in the log ([`uses`]): whoever asks looks at that as well, and at
//! each token that was found. It asks in this order, since what is taken from the queue stands in the index from then on.

pub(crate) mod grams;
pub(crate) mod queue;
pub mod refresh;
pub(crate) mod uses;
pub(crate) mod zones;

use crate::token::settle::TokenId;

/// Ids of tokens in a row, both ends included.
pub(crate) type Ids = (TokenId, TokenId);
