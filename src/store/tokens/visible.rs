//! Which tokens are there for others: not deleted, and not of a batch that is still being made.

use crate::store::condition::condition;

/// For one token: what has no batch costs nothing.
pub(in crate::store) const IS_ONE_VISIBLE: &str = "(tokens.deleted_at IS NULL AND (tokens.batch IS NULL OR NOT EXISTS \
    (SELECT 1 FROM batches WHERE batches.id = tokens.batch AND batches.made IS NULL)))";
/// The same for tokens that are looked up by their ids, said so that no index of tokens that are not deleted fits: each ends
/// with the id, and as long as PostgreSQL has no statistics of the table it may walk a whole one for a few ids.
const IS_ONE_VISIBLE_BY_ID: &str = "(COALESCE(tokens.deleted_at, 0) = 0 AND (tokens.batch IS NULL OR NOT EXISTS \
    (SELECT 1 FROM batches WHERE batches.id = tokens.batch AND batches.made IS NULL)))";
/// Not deleted, said for tokens that are read by their ids.
pub(in crate::store) const IS_THERE_BY_ID: &str = "COALESCE(tokens.deleted_at, 0) = 0";
const ARE_VISIBLE_BY_ID: &str = "(COALESCE(tokens.deleted_at, 0) = 0 \
    AND COALESCE(tokens.batch, 0) NOT IN (SELECT batches.id FROM batches WHERE batches.made IS NULL))";
/// For many tokens: the few unmade batches are collected once.
pub(in crate::store) const ARE_VISIBLE: &str = "(tokens.deleted_at IS NULL \
    AND COALESCE(tokens.batch, 0) NOT IN (SELECT batches.id FROM batches WHERE batches.made IS NULL))";

condition!(
    /// Whether a token that is looked up by its key is there for others.
    IsOneVisible,
    IS_ONE_VISIBLE
);
condition!(
    /// Whether a token that is looked up by its id is there for others.
    IsOneVisibleById,
    IS_ONE_VISIBLE_BY_ID
);
condition!(
    /// Whether a token of many is there for others.
    AreVisible,
    ARE_VISIBLE
);
condition!(
    /// Whether a token of a range of ids is there for others.
    AreVisibleById,
    ARE_VISIBLE_BY_ID
);
condition!(
    /// Whether a token of a range of ids is not deleted.
    IsThereById,
    IS_THERE_BY_ID
);
