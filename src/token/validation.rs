//! What `validator` finds, as errors of this crate.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value;
use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

use super::error::TokenError;
use super::problem::Problem;

/// Whose name an error about several fields goes under.
const PARAM: &str = "param";

/// A length as `validator` and JSON Schema count it: in characters or items.
pub(crate) const fn chars(max: usize) -> u64 {
    max as u64
}

/// What a rule of our own finds.
pub(crate) fn invalid(problem: &Problem) -> ValidationError {
    let mut error = ValidationError::new("");
    if let Ok(Value::Object(detail)) = serde_json::to_value(problem) {
        error.params = detail.into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect();
    }
    error.code = problem.reason().into();
    error
}

/// What a rule about several fields finds; `param` is to blame.
pub(crate) fn invalid_at(param: &'static str, problem: &Problem) -> ValidationError {
    let mut error = invalid(problem);
    error.add_param(PARAM.into(), &param);
    error
}

/// What was found, in the order of the fields; what is about several comes last, and behind that the first item of each list
/// that is wrong.
pub(crate) fn errors_of(found: &ValidationErrors, fields: &[&'static str]) -> Vec<TokenError> {
    let by_field = found.field_errors();
    let about_fields = fields.iter().flat_map(|field| {
        let errors = by_field.get(*field).into_iter().flat_map(|errors| errors.iter());
        errors.map(|error| TokenError::value(*field, problem_of(error)))
    });
    let about_all = by_field.get("__all__").into_iter().flat_map(|errors| errors.iter());
    let about_all = about_all.map(|error| {
        let param = error.params.get(PARAM).and_then(Value::as_str).unwrap_or_default().to_owned();
        TokenError::value(param, problem_of(error))
    });
    let in_lists = found.errors().iter().filter_map(|(list, errors)| match errors {
        ValidationErrorsKind::List(items) => items.iter().next().and_then(|(place, item)| in_item(list, *place, item)),
        ValidationErrorsKind::Field(_) | ValidationErrorsKind::Struct(_) => None,
    });
    about_fields.chain(about_all).chain(in_lists).collect()
}

/// The first error of an item, by the names of its fields.
fn in_item(list: &str, place: usize, item: &ValidationErrors) -> Option<TokenError> {
    let mut fields: Vec<_> = item.field_errors().into_iter().collect();
    fields.sort_unstable_by_key(|(name, _)| name.to_string());
    let (name, errors) = fields.into_iter().next()?;
    let error = TokenError::value(name.to_string(), problem_of(errors.first()?));
    Some(error.in_list(list, place))
}

fn problem_of(error: &ValidationError) -> Problem {
    let number = |name: &str| error.params.get(name).and_then(Value::as_i64);
    let most = || number("max").and_then(|max| u64::try_from(max).ok());
    match &*error.code {
        "range" => {
            Problem::OutOfRange { min: number("min").unwrap_or(i64::MIN), max: number("max").unwrap_or(i64::MAX) }
        }
        "length" => match error.params.get("value") {
            Some(Value::String(text)) if text.is_empty() => Problem::Empty,
            _ => most().map_or(Problem::Empty, |max| Problem::TooLong { max, max_bytes: None }),
        },
        reason => own_problem(reason, &error.params).unwrap_or(Problem::Unreadable),
    }
}

/// The problem that [`invalid`] has written down.
fn own_problem(reason: &str, params: &HashMap<Cow<'static, str>, Value>) -> Option<Problem> {
    let detail = params.iter().map(|(name, value)| (name.to_string(), value.clone()));
    let detail = detail.chain([("reason".to_owned(), Value::from(reason))]).collect();
    serde_json::from_value(Value::Object(detail)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_of_our_own_loses_nothing() {
        let problems = [
            Problem::TooLong { max: 1_000, max_bytes: Some(1_200) },
            Problem::NotLater { than: "valid_from".into() },
            Problem::OuterWhiteSpace,
        ];
        for problem in problems {
            let mut found = ValidationErrors::new();
            found.add("value", invalid(&problem));
            assert_eq!(errors_of(&found, &["value"]), [TokenError::value("value", problem.clone())]);
            let mut found = ValidationErrors::new();
            found.add("__all__", invalid_at("valid_to", &problem));
            assert_eq!(errors_of(&found, &["value"]), [TokenError::value("valid_to", problem)]);
        }
    }
}
