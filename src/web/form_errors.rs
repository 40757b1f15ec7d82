//! What is wrong with a form, field by field.

use actix_web::http::StatusCode;

use crate::token::TokenError;

/// One error of a form.
pub(crate) struct FormError {
    /// The field, or the parameter.
    pub(crate) field: String,
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
        self.0.push(FormError { field: field.to_owned(), message: message.into(), has_field: !field.is_empty() });
    }

    /// Adds an error of a parameter that the page has no field for.
    pub(crate) fn add_without_field(&mut self, parameter: &str, message: impl Into<String>) {
        self.0.push(FormError { field: parameter.to_owned(), message: message.into(), has_field: false });
    }

    /// Adds errors that name their fields, in the words of the form.
    pub(crate) fn add_all(&mut self, errors: &[TokenError]) {
        for error in errors {
            self.add(error.param().unwrap_or("value"), in_words_of_form(error));
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
            self.add_without_field(error.param().unwrap_or_default(), in_words_of_form(&error));
            None
        })
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

    /// The first error: its field and its message.
    pub(crate) fn first(&self) -> Option<(&str, &str)> {
        self.0.first().map(|error| (&*error.field, &*error.message))
    }

    /// The message of one field.
    pub(crate) fn of(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|error| error.field == field).map(|error| &*error.message)
    }
}

fn in_words_of_form(error: &TokenError) -> String {
    match error.param() {
        Some("usage_count") => "Uses must be a whole number from 0 to 2,147,483,647, or unlimited.".into(),
        Some("lock_time") => "The lock must be a whole number of up to 2,147,483,647 seconds, and 0 for none.".into(),
        _ => with_labels(&error.to_string()),
    }
}

/// What the pages call parameters.
const NAMES: [(&str, &str); 6] = [
    ("valid_from", "“Valid from”"),
    ("valid_to", "“Valid to”"),
    ("usage_count", "“Uses”"),
    ("lock_time", "“Lock after each use”"),
    ("created_from", "“Created from”"),
    ("created_to", "“Created to”"),
];

/// A message with the labels of the page in place of parameters. What the user wrote stands in quotes, and is left alone.
fn with_labels(message: &str) -> String {
    let (sentence, quoted) = message.split_at(message.find('"').unwrap_or(message.len()));
    NAMES.iter().fold(sentence.to_owned(), |sentence, (name, label)| sentence.replace(name, label)) + quoted
}

#[cfg(test)]
mod tests {
    use super::with_labels;

    #[test]
    fn messages_call_the_fields_as_the_page_does() {
        let message = with_labels("valid_to must be later than valid_from.");
        assert_eq!(message, "“Valid to” must be later than “Valid from”.");
        assert_eq!(with_labels("lock_time \"lock_time\" is no"), "“Lock after each use” \"lock_time\" is no");
    }
}
