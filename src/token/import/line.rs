//! What a line of a file says of a token.

use std::borrow::Cow;

use chrono_tz::Tz;

use super::field::{Cells, Field};
use crate::token::action::Target;
use crate::token::input::{Change, Defaults, Mistakes, Origin, RawFields, read_time};
use crate::token::public_url::PublicUrl;
use crate::token::void::read_reason;
use crate::token::{Micros, Problem, Token, TokenError, Uid, Voided, batch, quoted};

/// What is wrong with a cell, or with the whole line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CellError {
    /// The column; none if it is about the line.
    pub(crate) field: Option<Field>,
    /// A sentence.
    pub(crate) message: String,
}

impl CellError {
    pub(crate) fn new(field: Field, message: impl Into<String>) -> Self {
        Self { field: Some(field), message: message.into() }
    }

    /// About the line as a whole.
    pub(crate) fn of_line(message: impl Into<String>) -> Self {
        Self { field: None, message: message.into() }
    }
}

/// How lines are read.
#[derive(Clone, Debug)]
pub(crate) struct LineReader {
    /// The zone of times without an offset.
    pub(crate) zone: Tz,
    /// For numbers that are left empty in new tokens.
    pub(crate) defaults: Defaults,
    /// The principal who imports.
    pub(crate) by: String,
    /// When the import was begun: what is made has this time.
    pub(crate) now: Micros,
    /// Whether the principal may void tokens, and change voided ones.
    pub(crate) may_void: bool,
    /// The address under which codes with links lead here, where it is known: no value may be another token's link.
    pub(crate) public_url: Option<PublicUrl>,
}

/// A new token, and the name of its batch.
pub(crate) type NewLine = (Token, Option<String>);

impl LineReader {
    /// The new token that a line describes, which has the uid `otherwise` if the line has none.
    ///
    /// # Errors
    /// Everything that is wrong with the line.
    pub(crate) fn new_token(&self, cells: &Cells, otherwise: Uid) -> Result<NewLine, Vec<CellError>> {
        let mut errors = Vec::new();
        let uid = Self::uid(cells, &mut errors).unwrap_or(otherwise);
        // What was moved in with such a value, and exported, comes in again with it.
        let foreign =
            cells.filled(Field::Value).and_then(|value| value.parse::<Uid>().ok()).filter(|value| *value != uid);
        if foreign.is_some() && cells.filled(Field::Uid).is_none() {
            errors.push(CellError::new(Field::Value, "A value that looks like an ID must be the token's own ID."));
        }
        let linked = cells.filled(Field::Value).and_then(|value| self.public_url.as_ref()?.linked_uid(value));
        if linked.is_some_and(|linked| linked != uid) {
            errors.push(CellError::new(Field::Value, "This value is the address of another token."));
        }
        let voided = self.voided(cells, None, &mut errors);
        let batch = Self::batch(cells, &mut errors);
        let origin = Origin { uid, creator: self.by.clone(), created: self.now };
        let mut fields = fields(cells);
        fields.value = fields.value.filter(|_| foreign.is_none());
        match (fields.new_token(origin, self.defaults, self.zone), errors.is_empty()) {
            (Ok(token), true) => {
                let value = foreign.map_or(token.value, |value| value.to_string());
                Ok((Token { value, voided, ..token }, batch))
            }
            (Err(mistakes), _) => Err(with(errors, mistakes, cells)),
            (Ok(_), false) => Err(errors),
        }
    }

    /// What a line makes of a token that there is, whose batch has this name.
    ///
    /// # Errors
    /// Everything that is wrong with the line.
    pub(crate) fn change(&self, cells: &Cells, token: &Token, batch: Option<&str>) -> Result<Target, Vec<CellError>> {
        let mut errors = Vec::new();
        let uid = Self::uid(cells, &mut errors);
        if uid.is_some_and(|uid| uid != token.uid) {
            errors.push(CellError::new(Field::Uid, format!("The token with this value has the ID {}.", token.uid)));
        }
        if cells.filled(Field::Value).is_some_and(|value| value != token.value) {
            let message = format!("The token's value is {}; an import can't change values.", quoted(&token.value));
            errors.push(CellError::new(Field::Value, message));
        }
        if cells.get(Field::Batch).is_some_and(|name| name != batch.unwrap_or_default()) {
            let message = batch.map_or_else(
                || "The token is in no batch; an import can't move tokens to another batch.".to_owned(),
                |name| {
                    format!("The token is in the batch {}; an import can't move tokens to another batch.", quoted(name))
                },
            );
            errors.push(CellError::new(Field::Batch, message));
        }
        let used = Self::used(cells, &mut errors);
        let voided = self.voided(cells, token.voided.as_ref(), &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        let change = fields(cells).change(self.zone).map_err(|mistakes| with(Vec::new(), mistakes, cells))?;
        // The value is the token's own here, and its uid is written where it has none.
        let change = Change { value: None, ..change };
        let changed = change.apply(token).map_err(|mistakes| with(Vec::new(), mistakes, cells))?;
        let changed = Token { voided, ..changed };
        if token.voided.is_some() && changed != *token && !self.may_void {
            let why = "Only an admin or a manager can change voided tokens.";
            return Err(vec![CellError::of_line(why)]);
        }
        Ok(Target::new(&changed, change.usage_count.map(|count| (count, used.unwrap_or(token.used)))))
    }

    fn uid(cells: &Cells, errors: &mut Vec<CellError>) -> Option<Uid> {
        let read = cells.filled(Field::Uid)?.parse::<Uid>();
        read.map_err(|error| errors.push(CellError::new(Field::Uid, error.to_string()))).ok()
    }

    /// How often the token had been used when the file was written, if it says so.
    fn used(cells: &Cells, errors: &mut Vec<CellError>) -> Option<i64> {
        let text = cells.filled(Field::Used)?;
        let used = text.trim().parse::<i64>().ok().filter(|used| *used >= 0);
        if used.is_none() {
            errors.push(CellError::new(Field::Used, format!("{} is not a number of uses.", quoted(text))));
        }
        used
    }

    fn batch(cells: &Cells, errors: &mut Vec<CellError>) -> Option<String> {
        let name = cells.filled(Field::Batch).map(str::trim).filter(|name| !name.is_empty())?;
        if let Err(error) = batch::check_name(name) {
            errors.push(CellError::new(Field::Batch, error.to_string()));
        }
        Some(name.to_owned())
    }

    /// Whether the token is voided after the line; as it was, as far as the line does not say it.
    fn voided(&self, cells: &Cells, before: Option<&Voided>, errors: &mut Vec<CellError>) -> Option<Voided> {
        let reason = match cells.get(Field::VoidReason).map(read_reason) {
            Some(Err(error)) => {
                errors.push(CellError::new(Field::VoidReason, error.to_string()));
                None
            }
            Some(Ok(reason)) => Some(reason),
            None => None,
        };
        let since = match cells.get(Field::Voided) {
            None => before.map(|voided| voided.at),
            Some(text) => self.voided_since(text, before, errors),
        };
        let is_reason_alone = since.is_none() && reason.as_ref().is_some_and(Option::is_some);
        if is_reason_alone {
            errors.push(CellError::new(Field::VoidReason, "There is a reason, but the token is not voided."));
        }
        let same_reason = || before.and_then(|voided| voided.reason.clone());
        let by = before.map_or_else(|| self.by.clone(), |voided| voided.by.clone());
        let after = since.map(|at| Voided { at, by, reason: reason.unwrap_or_else(same_reason) });
        if after.as_ref() != before && !self.may_void {
            let why = "Only an admin or a manager can void and restore tokens.";
            errors.push(CellError::new(Field::Voided, why));
        }
        after
    }

    /// A moment, or a word for yes or no. What is voided already stays voided since then.
    fn voided_since(&self, text: &str, before: Option<&Voided>, errors: &mut Vec<CellError>) -> Option<Micros> {
        match text.trim().to_lowercase().as_str() {
            "" | "no" | "false" | "0" => None,
            "yes" | "true" | "1" => Some(before.map_or(self.now, |voided| voided.at)),
            _ => match read_time("voided", &time(text), self.zone) {
                Ok(at) => Some(before.map_or(at, |voided| voided.at)),
                Err(error) => {
                    let message = format!("{} Or write yes or no.", not_a_time(text, &error));
                    errors.push(CellError::new(Field::Voided, message));
                    None
                }
            },
        }
    }
}

/// A token's fields of a line, as a form would send them.
fn fields(cells: &Cells) -> RawFields {
    let text = |field| cells.get(field).map(str::to_owned);
    let moment = |field| cells.get(field).map(|text| time(text).into_owned());
    RawFields {
        value: text(Field::Value),
        label: text(Field::Label),
        valid_from: moment(Field::ValidFrom),
        valid_to: moment(Field::ValidTo),
        usage_count: cells.get(Field::UsageCount).map(|text| uses(text).to_owned()),
        lock_time: text(Field::LockTime),
        add_uses: None,
    }
}

/// Uses as a spreadsheet has them, which says in words that there is no limit.
fn uses(text: &str) -> &str {
    if text.trim().eq_ignore_ascii_case("unlimited") { "-1" } else { text }
}

/// A time as it is parsed. Spreadsheets write days with dots (`30.11.2026 22:15`), which is never ambiguous, and a blank
/// before the time.
fn time(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    let (day, rest) = text.split_once([' ', 'T']).map_or((text, None), |(day, rest)| (day, Some(rest.trim_start())));
    let parts: Vec<&str> = day.split('.').collect();
    let is_number = |part: &str, longest: usize| {
        (1..=longest).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let [day, month, year] = parts[..] else { return text.into() };
    if !is_number(day, 2) || !is_number(month, 2) || year.len() != 4 || !is_number(year, 4) {
        return text.into();
    }
    let clock = rest.map_or(String::new(), |rest| {
        let hour = rest.split(':').next().unwrap_or_default();
        if hour.len() == 1 { format!("T0{rest}") } else { format!("T{rest}") }
    });
    format!("{year}-{month:0>2}-{day:0>2}{clock}").into()
}

/// Why a text is no time, where a spreadsheet's way of writing one is the reason.
fn not_a_time(text: &str, error: &TokenError) -> String {
    let text = text.trim();
    if text.contains('/') {
        return format!(
            "{} has a day and a month that could be either; write it as in 2026-09-22 or 22.09.2026.",
            quoted(text)
        );
    }
    // Days since 1900, as spreadsheets count.
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number(&text.replacen([',', '.'], "", 1)) {
        let shown = quoted(text);
        return format!("{shown} is a number; format the column as a date, and save the file again.");
    }
    error.to_string()
}

/// Errors of a token's fields, beside those that were found before.
fn with(mut errors: Vec<CellError>, mistakes: Mistakes, cells: &Cells) -> Vec<CellError> {
    for mistake in mistakes.into_all() {
        let field = mistake.param().and_then(Field::of_param);
        let text = field.and_then(|field| cells.get(field)).unwrap_or_default();
        let message = match mistake.problem() {
            Some(Problem::NotATime { .. }) => not_a_time(text, &mistake),
            _ => mistake.to_string(),
        };
        errors.push(CellError { field, message });
    }
    errors
}

#[cfg(test)]
#[path = "line_tests.rs"]
mod tests;
