//! The fields that say which text labels have, and how large.

use crate::sheet::text_size::TextSize;
use crate::token::limits::line_problem;
use crate::token::{Problem, TokenError};
use crate::web::choice::Choice;
use crate::web::form_errors::FormErrors;
use crate::web::words::printing as words;
use crate::work::printing::options::{SECOND_TEXT_MAX, SecondLine, TextBeside};

/// The words for a second line, in URLs and on the page.
const SECOND_LINES: [(&str, &str); 4] = [
    ("none", words::SECOND_NONE),
    ("valid_until", words::SECOND_VALID_UNTIL),
    ("batch", words::SECOND_BATCH),
    ("text", words::SECOND_TEXT),
];

/// The texts of labels.
pub(crate) struct LabelText {
    /// What stands beside a code.
    pub(crate) beside: TextBeside,
    /// How large it is.
    pub(crate) size: TextSize,
    /// What stands below it.
    pub(crate) second: SecondLine,
}

/// The choice whose word was sent, or the default; an error is added if there is no such word.
fn choice<T: Copy + Default, const N: usize>(
    name: &'static str,
    text: &str,
    all: [(T, &'static str); N],
    errors: &mut FormErrors,
) -> T {
    let known = all.iter().find(|(_, word)| *word == text);
    if known.is_none() && !text.is_empty() {
        errors.add_all(&[TokenError::value(name, Problem::not_one_of(text, all.map(|(_, word)| word)))]);
    }
    known.map_or_else(T::default, |(choice, _)| *choice)
}

impl LabelText {
    /// Reads the fields `text`, `text_size`, `second_line` and `second_text`; errors are added.
    pub(crate) fn read([text, size, line, own]: [&str; 4], errors: &mut FormErrors) -> Self {
        Self {
            beside: choice("text", text, TextBeside::ALL, errors),
            size: choice("text_size", size, TextSize::ALL, errors),
            second: second_line(line, own, errors),
        }
    }
}

fn second_line(line: &str, text: &str, errors: &mut FormErrors) -> SecondLine {
    if let Some(problem) = line_problem(text, SECOND_TEXT_MAX) {
        errors.add_all(&[TokenError::value("second_text", problem)]);
        return SecondLine::None;
    }
    match line {
        "" | "none" => SecondLine::None,
        "valid_until" => SecondLine::ValidUntil,
        "batch" => SecondLine::Batch,
        // On the page, the text is typed after the choice was made.
        "text" if text.is_empty() => SecondLine::None,
        "text" => SecondLine::Text(text.to_owned()),
        other => {
            let words = SECOND_LINES.map(|(word, _)| word);
            errors.add_all(&[TokenError::value("second_line", Problem::not_one_of(other, words))]);
            SecondLine::None
        }
    }
}

/// Whether this is a word for what stands beside a code.
pub(crate) fn is_beside(word: &str) -> bool {
    word.is_empty() || TextBeside::ALL.iter().any(|(_, known)| *known == word)
}

/// The choices of what stands beside a code.
pub(crate) fn beside_choices(chosen: TextBeside) -> [Choice; 3] {
    TextBeside::ALL.map(|(text, word)| Choice::new(word, words::beside(text), text == chosen))
}

/// The choices of sizes.
pub(crate) fn size_choices(chosen: TextSize) -> [Choice; 3] {
    TextSize::ALL.map(|(size, word)| Choice::new(word, words::text_size(size), size == chosen))
}

/// The choices of a second line.
pub(crate) fn second_line_choices(chosen: &str) -> Vec<Choice> {
    Choice::list(SECOND_LINES, chosen)
}

/// A second line in words.
pub(crate) fn second_line_words(second: &SecondLine) -> Option<String> {
    match second {
        SecondLine::None => None,
        SecondLine::ValidUntil => Some(words::SECOND_VALID_UNTIL.into()),
        SecondLine::Batch => Some(words::SECOND_BATCH.into()),
        SecondLine::Text(text) => Some(format!("“{text}”")),
    }
}
