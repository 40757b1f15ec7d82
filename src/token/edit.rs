//! Detects conflicting edits: which fields has somebody else changed since a form was opened?

use super::input::Change;
use super::record::Token;
use super::time::Micros;

/// The fields of a token as a form showed them. `None` if the form did not send the field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(clippy::option_option, reason = "not sent, none, and a value are three things")]
pub(crate) struct KnownValues {
    /// The value.
    pub(crate) value: Option<String>,
    /// The label, or none.
    pub(crate) label: Option<Option<String>>,
    /// The first moment, or no bound.
    pub(crate) valid_from: Option<Option<Micros>>,
    /// The last moment, or no bound.
    pub(crate) valid_to: Option<Option<Micros>>,
    /// Uses left.
    pub(crate) usage_count: Option<i32>,
    /// Seconds of lock.
    pub(crate) lock_time: Option<i32>,
}

impl KnownValues {
    /// The fields that `change` sets although they have become something other than both the known and the new value.
    /// Overwriting one would undo somebody else's edit, or give a use back.
    pub(crate) fn conflicts(&self, change: &Change, token: &Token) -> Vec<&'static str> {
        let value = change.value.as_ref().map(|value| value.clone().unwrap_or_else(|| token.uid.to_string()));
        let fields = [
            ("value", conflict(value.as_ref(), self.value.as_ref(), &token.value)),
            ("label", conflict(change.label.as_ref(), self.label.as_ref(), &token.label)),
            ("valid_from", conflict(change.valid_from.as_ref(), self.valid_from.as_ref(), &token.valid_from)),
            ("valid_to", conflict(change.valid_to.as_ref(), self.valid_to.as_ref(), &token.valid_to)),
            ("usage_count", conflict(change.usage_count.as_ref(), self.usage_count.as_ref(), &token.usage_count)),
            ("lock_time", conflict(change.lock_time.as_ref(), self.lock_time.as_ref(), &token.lock_time)),
        ];
        fields.into_iter().filter(|(_, conflict)| *conflict).map(|(field, _)| field).collect()
    }
}

fn conflict<T: PartialEq>(wanted: Option<&T>, known: Option<&T>, now: &T) -> bool {
    match (wanted, known) {
        (Some(wanted), Some(known)) => known != now && wanted != now,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::record::tests::token;

    #[test]
    fn only_fields_changed_by_both_conflict() {
        let known =
            KnownValues { label: Some(None), usage_count: Some(5), lock_time: Some(0), ..KnownValues::default() };
        let now = Token { label: Some("Ben".into()), lock_time: 7, ..token(4) };
        let change = |change: Change| known.conflicts(&change, &now);
        assert_eq!(change(Change::default()), [""; 0]);
        assert_eq!(change(Change { label: Some(Some("Anna".into())), ..Change::default() }), ["label"]);
        assert_eq!(change(Change { label: Some(Some("Ben".into())), ..Change::default() }), [""; 0]);
        assert_eq!(change(Change { usage_count: Some(10), ..Change::default() }), ["usage_count"], "it was used");
        assert_eq!(
            change(Change { lock_time: Some(9), usage_count: Some(10), ..Change::default() }),
            ["usage_count", "lock_time"]
        );
        assert_eq!(change(Change { value: Some(None), ..Change::default() }), [""; 0], "the form did not say");
    }
}
