//! What is wrong with a form, field by field.

use actix_web::http::StatusCode;

use crate::token::TokenError;

/// What is wrong with a form, by field.
#[derive(Default)]
pub(crate) struct FormErrors(Vec<(String, String)>);

impl FormErrors {
    /// Adds what is wrong with a field.
    pub(crate) fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push((field.to_owned(), message.into()));
    }

    /// Adds errors that name their fields, in the words of the form.
    pub(crate) fn add_all(&mut self, errors: &[TokenError]) {
        for error in errors {
            let (field, told) = (error.param().unwrap_or("value"), error.to_string());
            let told = match field {
                "usage_count" => "Uses must be a whole number from 0 to 2,147,483,647, or unlimited.".into(),
                "lock_time" => "The lock must be a whole number of up to 2,147,483,647 seconds, and 0 for none.".into(),
                _ => as_labelled(&told),
            };
            self.add(field, told);
        }
    }

    /// What was read, or none when it could not be: then it is noted why.
    pub(crate) fn note<T>(&mut self, read: Result<Option<T>, TokenError>) -> Option<T> {
        read.unwrap_or_else(|error| {
            self.add_all(&[error]);
            None
        })
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The status of the page that tells it.
    pub(crate) fn status(&self) -> StatusCode {
        if self.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }
    }

    /// All of it: field and sentence.
    pub(crate) fn list(&self) -> &[(String, String)] {
        &self.0
    }

    /// What is wrong with one field.
    pub(crate) fn of(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(of, _)| of == field).map(|(_, message)| message.as_str())
    }
}

/// What the pages call the parameters.
const NAMES: [(&str, &str); 6] = [
    ("valid_from", "“Valid from”"),
    ("valid_to", "“Valid to”"),
    ("usage_count", "“Uses”"),
    ("lock_time", "“Lock after each use”"),
    ("created_from", "“Created from”"),
    ("created_to", "“Created to”"),
];

/// A message with the fields called as on the page. What was typed stands in quotes, and as it was typed.
fn as_labelled(message: &str) -> String {
    let (ours, typed) = message.split_at(message.find('"').unwrap_or(message.len()));
    NAMES.iter().fold(ours.to_owned(), |ours, (name, label)| ours.replace(name, label)) + typed
}

#[cfg(test)]
mod tests {
    use super::as_labelled;

    #[test]
    fn messages_call_the_fields_as_the_page_does() {
        let told = as_labelled("valid_to must be later than valid_from.");
        assert_eq!(told, "“Valid to” must be later than “Valid from”.");
        assert_eq!(as_labelled("lock_time \"lock_time\" is no"), "“Lock after each use” \"lock_time\" is no");
    }
}
