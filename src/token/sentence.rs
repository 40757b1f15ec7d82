//! The one place that says in English what is wrong with a request.

use super::error::TokenError;
use super::problem::Problem;
use super::quoted::{grouped, quoted};
use super::uid::Uid;

/// What calls a parameter by its name for people, or by the one for programs.
pub(crate) type Naming<'a> = &'a dyn Fn(&str) -> String;

impl TokenError {
    /// What is wrong, as one sentence that calls parameters as `name` does.
    pub(crate) fn sentence(&self, name: Naming<'_>) -> String {
        match self {
            Self::Unknown(uid) => format!("There is no token {uid}."),
            Self::Value { param, problem } => problem.sentence(&name(param), name),
            Self::Api { param, problem } => {
                let param = param.as_deref().map(name).unwrap_or_default();
                problem.sentence(&param, name)
            }
            Self::InList { item, error, .. } => format!("{item}: {}", error.sentence(name)),
        }
    }
}

impl Problem {
    fn sentence(&self, param: &str, name: Naming<'_>) -> String {
        self.of_request(param, name)
            .or_else(|| self.of_value(param, name))
            .or_else(|| self.of_use(param))
            .unwrap_or_else(|| self.of_print(param))
    }

    /// What is wrong with the request before its values are looked at.
    fn of_request(&self, param: &str, name: Naming<'_>) -> Option<String> {
        Some(match self {
            Self::Missing { unless: Some(other), .. } => {
                format!("The parameter {param} is missing. Send it, even if empty, or send {}=1.", name(other))
            }
            Self::Missing { may_be_empty: true, .. } => {
                format!("The parameter {param} is missing. Send it, even if empty.")
            }
            Self::Missing { may_be_empty: false, .. } => format!("The parameter {param} is missing."),
            Self::MissingOneOf { params } => {
                let params: Vec<String> = params.iter().map(|param| name(param)).collect();
                format!("One of the parameters {} must be given.", params.join(" and "))
            }
            Self::UnknownParameter { known } if known.is_empty() => {
                format!("Unknown parameter {}. There are no parameters here.", quoted(param))
            }
            Self::UnknownParameter { known } => {
                format!("Unknown parameter {}. Known parameters: {}.", quoted(param), known.join(", "))
            }
            Self::GivenTwice => format!("The parameter {} is given twice.", quoted(param)),
            Self::TooManyParameters { max } => format!("The request has more than {} parameters.", grouped(*max)),
            Self::UnreadableBody { why } => why.clone(),
            Self::InvalidJson { line, column } => {
                format!("The body is not valid JSON. See line {line}, column {column}.")
            }
            Self::NotAnObject { line, column } => {
                format!("The body is not a JSON object of parameters. See line {line}, column {column}.")
            }
            Self::BodyTooLarge { max_bytes } => {
                let (size, unit) = match max_bytes / 1_024 {
                    kib if kib >= 1_024 => (kib / 1_024, "MiB"),
                    kib => (kib, "KiB"),
                };
                format!("The body is too large. At most {size} {unit} are allowed here.")
            }
            Self::UnsupportedBody { expected } => expected.to_string(),
            Self::WrongType { expected } if param == TokenError::ITEM => format!("It must be {expected}."),
            Self::WrongType { expected } => format!("The parameter {} must be {expected}.", quoted(param)),
            _ => return None,
        })
    }

    /// What is wrong with a value by itself, or beside the others.
    fn of_value(&self, param: &str, name: Naming<'_>) -> Option<String> {
        Some(match self {
            Self::Empty => format!("{param} must not be empty."),
            Self::TooLong { max, max_bytes: None } => format!("{param} has at most {} characters.", grouped(*max)),
            Self::TooLong { max, max_bytes: Some(bytes) } => {
                format!("{param} has at most {} characters and {} bytes.", grouped(*max), grouped(*bytes))
            }
            Self::ControlCharacters => format!("{param} can't contain line breaks or control characters."),
            Self::InvisibleCharacters => format!("{param} can't contain line breaks or invisible characters."),
            Self::NotAscii => format!("{param} can contain only visible ASCII characters and spaces."),
            Self::OuterWhiteSpace => format!("{param} can't start or end with white space."),
            Self::NotAnInteger { value, min, max } => {
                let bounds = min.zip(*max).map(|(min, max)| format!(" from {min} to {max}")).unwrap_or_default();
                format!("{param} {} is not a whole number{bounds}.", quoted(value))
            }
            Self::OutOfRange { min, max } => format!("{param} must be a whole number from {min} to {max}."),
            Self::NotATime { value } => {
                let hint = if value.contains(' ') { " (a + in a form or an address is written %2B)" } else { "" };
                format!(
                    "{param} {} is not a time. Write 2026-09-22, 2026-09-22T10:30 or 2026-09-22T10:30:00+02:00{hint}.",
                    quoted(value)
                )
            }
            Self::NoSuchLocalTime { value, time_zone } => {
                format!("{param} {} does not exist in the time zone {time_zone}.", quoted(value))
            }
            Self::TimeOutOfRange { value } => {
                format!("{param} {} is outside the years 1970 to 9999 in UTC.", quoted(value))
            }
            Self::NotAUid { value } => {
                format!("{param} {} is not a uid. A uid looks like {}.", quoted(value), Uid::example())
            }
            Self::NotOneOf { allowed, .. } if allowed.len() == 1 => {
                format!("{param} must be {}, or be left out.", allowed.join(""))
            }
            Self::NotOneOf { value, allowed } => {
                format!("{param} {} is not one of {}.", quoted(value), allowed.join(", "))
            }
            Self::TooManyItems { count, max } => {
                format!("{param} has {} items. At most {} are allowed.", grouped(*count), grouped(*max))
            }
            Self::ListedTwice { first } => format!("{param} is already in the list, at place {first}."),
            Self::TooManyValues { max } => {
                format!("{param} can be changed in a list of at most {} tokens.", grouped(*max))
            }
            Self::NotLater { than } => format!("{param} must be later than {}.", name(than)),
            Self::NotEarlier { than } => format!("{param} must be earlier than {}.", name(than)),
            Self::Before { than } => format!("{param} must not be before {}.", name(than)),
            Self::NotTogether { with } => format!("{param} and {} cannot be given together.", name(with)),
            Self::OnlyTogether { with } => format!("{param} works only together with {}.", name(with)),
            Self::Contradicts { with } if with == "path" => format!("{param} is not the uid in the path."),
            Self::Contradicts { with } => format!("{param} and {} contradict each other.", name(with)),
            Self::Unreadable => format!("{param} cannot be read."),
            _ => return None,
        })
    }

    /// What is wrong about tokens, gates and uses.
    fn of_use(&self, param: &str) -> Option<String> {
        Some(match self {
            Self::NotUnique => format!("{param} is already in use. Choose another."),
            Self::UidUsed => "This uid is or was in use. Choose another: uids are never reused.".into(),
            Self::NamesAnotherToken => {
                format!("{param} must not be the uid of another token, or the address of its page.")
            }
            Self::Unlimited => "The token has unlimited uses, so none can be added.".into(),
            Self::UsesLeftOutOfRange { uses_left, add_uses } => {
                format!("With {add_uses} added, the {uses_left} uses left would not be from 0 to {}.", i32::MAX)
            }
            Self::NothingToChange => format!("{param} would change nothing."),
            Self::NoSuchGate { gate } => format!("There is no gate {}.", quoted(gate)),
            Self::GateClosed { gate } => format!("The gate {gate} is closed."),
            Self::ForeignCursor => {
                format!("{param} was not given by this view for this filter. Start again without it.")
            }
            Self::LostCursor => {
                format!("{param} is past the end of this log. Was the database restored? Start again without it.")
            }
            Self::KeyReused => "This idempotency key was already used for a different request.".into(),
            Self::KeyUndone => "The use with this idempotency key was undone.".into(),
            Self::NoSuchUse => "There is no such use in the log.".into(),
            Self::AlreadyUndone => "This use was already undone.".into(),
            Self::TooLateToUndo { seconds_ago, max_seconds } if *seconds_ago < 0 => {
                format!("Too late to undo: the clock went back by more than {max_seconds} seconds.")
            }
            Self::TooLateToUndo { seconds_ago, max_seconds } => {
                format!("Too late to undo: used {seconds_ago} seconds ago, and the limit is {max_seconds} seconds.")
            }
            Self::MalformedNumber => "Write a running number as {n}, or with a width as in {n:04}.".into(),
            Self::UnreadablePhoto { format } => {
                format!("The photo is not a readable {format} file, or not complete.")
            }
            Self::PhotoTooLarge { width, height, max_side, max_pixels } => format!(
                "The photo has {} by {} pixels. At most {} on a side and {} in total are allowed: send a smaller one.",
                grouped(*width),
                grouped(*height),
                grouped(*max_side),
                grouped(*max_pixels)
            ),
            Self::SearchTooSlow => "The search takes too long. Narrow it by a batch, a token or a shorter time.".into(),
            Self::AddedBefore { what, is_deleted } => {
                let now = if *is_deleted { "was deleted since" } else { "has other values now" };
                format!(
                    "This form already added a {what}, which {now}. Nothing was changed. Save the form again to add another \
                     {what}."
                )
            }
            _ => return None,
        })
    }

    /// What is wrong about printing, and about many tokens at once.
    fn of_print(&self, param: &str) -> String {
        match self {
            Self::NoTokensNamed => "Choose the tokens to print: by uid, by a filter, or with all=1.".into(),
            Self::NothingToPrint => "No tokens to print. Voided tokens are not printed. Choose other tokens.".into(),
            Self::TooManyTokens { max } => {
                format!("At most {} tokens can be changed at once. Narrow the filter.", grouped(*max))
            }
            Self::VoidedNotPrinted { token_uid, others } => {
                let them = match others {
                    0 => format!("The token {token_uid} is voided"),
                    1 => format!("The token {token_uid} and another one are voided"),
                    others => format!("The token {token_uid} and {} others are voided", grouped(*others)),
                };
                format!("{them} and can't be printed. Choose tokens that are not voided.")
            }
            Self::NoSuchSheet { sheet } => format!("There is no sheet {}.", quoted(sheet)),
            Self::NoSuchPrinter { printer } => format!("There is no printer {}.", quoted(printer)),
            Self::NotMillimetres { value } => {
                format!("{param} {} is not a number of millimetres such as 1.5 or -0.3.", quoted(value))
            }
            Self::TooManyLabels { count, max } => {
                format!("At most {} labels can be printed at once. You chose {}.", grouped(*max), grouped(*count))
            }
            Self::NotPrintable { remedy: why } | Self::Refused { why } => why.clone(),
            _ => format!("{param} is not valid."),
        }
    }
}
