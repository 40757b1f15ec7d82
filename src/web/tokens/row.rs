//! A token as a row of the list shows it.

use std::collections::HashMap;

use super::view::{StateView, shortened, title, valid, valid_exactly};
use crate::store::batches::Batch;
use crate::token::consume::state;
use crate::token::{BatchId, Token};
use crate::web::format::{FormattedTime, TimeFormatter};

/// A row of the list.
pub(crate) struct ListRow {
    pub(crate) uid: String,
    pub(crate) label: Option<String>,
    /// What its code says.
    pub(crate) value: String,
    /// The same, as in `7f3c…9a` if it is long.
    pub(crate) short_value: String,
    pub(crate) state: StateView,
    /// How many uses are left, or why it cannot be used.
    pub(crate) why: String,
    /// When it is valid, by the day.
    pub(crate) valid: String,
    /// The same to the minute.
    pub(crate) valid_exactly: String,
    /// Its batch: the name, and the uid.
    pub(crate) batch: Option<(String, String)>,
    pub(crate) last_used: Option<FormattedTime>,
    /// Its box is ticked.
    pub(crate) is_selected: bool,
}

impl ListRow {
    /// The row of a token; `is_selected` says whose boxes are ticked.
    pub(crate) fn new(
        token: &Token,
        batches: &HashMap<BatchId, Batch>,
        clock: TimeFormatter,
        is_selected: impl Fn(&str) -> bool,
    ) -> Self {
        let (state, uid) = (state(token, clock.now), token.uid.to_string());
        let batch = token.batch.and_then(|id| batches.get(&id));
        Self {
            is_selected: is_selected(&uid),
            uid,
            label: token.label.clone(),
            short_value: shortened(&token.value),
            value: token.value.clone(),
            why: clock.short_reason(token, state),
            state: state.into(),
            valid: valid(token, |moment| clock.day(moment), |moment| clock.last_day(moment)),
            valid_exactly: valid_exactly(token, clock),
            batch: batch.map(|batch| (batch.name.clone(), batch.uid.clone())),
            last_used: token.last_used.map(|used| clock.format(used)),
        }
    }

    /// What people call it.
    pub(crate) fn title(&self) -> String {
        title(self.label.as_deref(), &self.value)
    }
}
