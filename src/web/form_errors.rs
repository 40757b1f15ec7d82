//! What is wrong with a form, field by field.

use actix_web::http::StatusCode;

use crate::token::{Problem, TokenError};
use crate::web::words::forms as words;

/// One error of a form.
pub(crate) struct FormError {
    /// The key of the field, or the parameter.
    pub(crate) field: String,
    /// What is wrong, if a program is told.
    problem: Option<Problem>,
    /// One sentence.
    pub(crate) message: String,
    /// The page has this field, and the summary links to it.
    pub(crate) has_field: bool,
}

/// What is wrong with a form, by field.
#[derive(Default)]
pub(crate) struct FormErrors(Vec<FormError>);

impl FormErrors {
    /// Adds an error of a field.
    pub(crate) fn add(&mut self, field: &str, message: impl Into<String>) {
        self.push(field, None, message.into(), !field.is_empty());
    }

    /// Adds an error of a parameter that the page has no field for.
    pub(crate) fn add_without_field(&mut self, parameter: &str, message: impl Into<String>) {
        self.push(parameter, None, message.into(), false);
    }

    /// Adds errors that name their fields, in the words of the form.
    pub(crate) fn add_all(&mut self, errors: &[TokenError]) {
        for error in errors {
            let field = error.param().unwrap_or("value");
            self.push(field, error.problem().cloned(), in_words_of_pages(error), true);
        }
    }

    /// The value that was read; an error is added.
    pub(crate) fn note<T>(&mut self, result: Result<Option<T>, TokenError>) -> Option<T> {
        result.unwrap_or_else(|error| {
            self.add_all(&[error]);
            None
        })
    }

    /// As [`FormErrors::note`], for a parameter that the page has no field for.
    pub(crate) fn note_without_field<T>(&mut self, result: Result<Option<T>, TokenError>) -> Option<T> {
        result.unwrap_or_else(|error| {
            let parameter = error.param().unwrap_or_default();
            self.push(parameter, error.problem().cloned(), in_words_of_pages(&error), false);
            None
        })
    }

    fn push(&mut self, field: &str, problem: Option<Problem>, message: String, has_field: bool) {
        self.0.push(FormError { field: field.to_owned(), problem, message, has_field });
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The status of the page that shows them.
    pub(crate) fn status(&self) -> StatusCode {
        if self.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }
    }

    /// All errors.
    pub(crate) fn list(&self) -> &[FormError] {
        &self.0
    }

    /// The first error, for a program.
    pub(crate) fn first(&self) -> Option<TokenError> {
        let FormError { field, problem, message, .. } = self.0.first()?;
        let problem = problem.clone().unwrap_or_else(|| Problem::Refused { why: message.clone() });
        Some(TokenError::value(field.clone(), problem))
    }

    /// The message of one field.
    pub(crate) fn of(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|error| error.field == field).map(|error| &*error.message)
    }
}

/// An error in the words of the pages.
pub(crate) fn in_words_of_pages(error: &TokenError) -> String {
    match (error.param(), error.problem()) {
        (Some("usage_count"), Some(Problem::NotAnInteger { .. } | Problem::OutOfRange { .. } | Problem::Empty)) => {
            words::USES.into()
        }
        (Some("lock_time"), Some(Problem::NotAnInteger { .. } | Problem::OutOfRange { .. } | Problem::Empty)) => {
            words::LOCK.into()
        }
        _ => error.sentence(&label),
    }
}

/// What the pages call a parameter.
fn label(param: &str) -> String {
    let label = words::LABELS.iter().find(|(name, _)| *name == param).map(|(_, label)| *label);
    label.map_or_else(|| param.to_owned(), |label| format!("“{label}”"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_call_the_fields_as_the_page_does() {
        let later = TokenError::value("valid_to", Problem::NotLater { than: "valid_from".into() });
        assert_eq!(in_words_of_pages(&later), "“Valid to” must be later than “Valid from”.");
        let time = TokenError::value("valid_to", Problem::NotATime { value: "valid_to".into() });
        assert!(in_words_of_pages(&time).starts_with("“Valid to” \"valid_to\" is not a time"));
    }
}
