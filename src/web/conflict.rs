//! Forms of what somebody else may have changed since they were opened.

use crate::web::form_errors::FormErrors;
use actix_web::http::StatusCode;

/// A field that both sides changed, and not to the same.
pub(crate) struct Conflict {
    /// The field.
    pub(crate) field: &'static str,
    /// What the page calls it.
    pub(crate) name: &'static str,
    /// As somebody else saved it.
    pub(crate) now: String,
    /// As the form has it.
    pub(crate) yours: String,
}

/// What becomes of the fields of a form, and where both sides changed one.
#[derive(Default)]
pub(crate) struct Merge(pub(crate) Vec<Conflict>);

impl Merge {
    /// A field as the form knew it, as it is now, and as it was sent: what its user did not change stays as it is now.
    pub(crate) fn field<T: PartialEq + Clone>(
        &mut self,
        (field, name): (&'static str, &'static str),
        [was, now, yours]: [&T; 3],
        words: impl Fn(&T) -> String,
    ) -> T {
        if yours == was {
            return now.clone();
        }
        if now != was && now != yours {
            self.0.push(Conflict { field, name, now: words(now), yours: words(yours) });
        }
        yours.clone()
    }
}

/// The status of a form's page.
pub(crate) fn status(conflicts: &[Conflict], errors: &FormErrors) -> StatusCode {
    if conflicts.is_empty() { errors.status() } else { StatusCode::CONFLICT }
}

#[cfg(test)]
mod tests {
    use super::Merge;

    #[test]
    fn only_what_both_changed_to_different_things_is_a_conflict() {
        let merged = |was: &str, now: &str, yours: &str| {
            let mut merge = Merge::default();
            let fields = [was.to_owned(), now.to_owned(), yours.to_owned()];
            let kept = merge.field(("name", "Name"), fields.each_ref(), Clone::clone);
            (kept, merge.0.len())
        };
        assert_eq!(merged("a", "a", "a"), ("a".into(), 0));
        assert_eq!(merged("a", "b", "a"), ("b".into(), 0), "somebody else's change stays");
        assert_eq!(merged("a", "a", "c"), ("c".into(), 0));
        assert_eq!(merged("a", "b", "b"), ("b".into(), 0), "both changed it to the same");
        assert_eq!(merged("a", "b", "c"), ("c".into(), 1));
    }
}
