//! Which column of a file says what.

use std::collections::BTreeMap;

use super::field::Field;
use super::options::{ImportOptions, Mode};
use crate::token::quoted;

/// The columns of a file that are imported, and those that are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    fields: BTreeMap<String, Field>,
    /// The names of the columns that are not imported.
    pub ignored: Vec<String>,
}

impl Columns {
    /// Of a file with these columns.
    ///
    /// # Errors
    /// A sentence: two columns say the same, a chosen one is not there, none says anything of a token, or the one is missing
    /// by which tokens are found.
    pub fn resolve(head: &[String], options: &ImportOptions) -> Result<Self, String> {
        let mut fields = BTreeMap::new();
        // A new token was never used.
        let fields_of_mode = |field: &Field| *field != Field::Used || options.mode != Mode::Add;
        for field in Field::ALL.into_iter().filter(fields_of_mode) {
            let Some(name) = column_of(field, head, options)? else { continue };
            if let Some(other) = fields.insert(name.clone(), field) {
                let (one, other) = (field.name(), other.name());
                return Err(format!("The column {} is chosen for {other} and for {one}; choose one.", quoted(&name)));
            }
        }
        if fields.is_empty() {
            return Err(format!(
                "The file has no column with a known name. It has: {}. Choose the column for the label, the value or \
                 another field.",
                named(head)
            ));
        }
        if let Some(key) = options.mode.key()
            && !fields.values().any(|field| *field == key)
        {
            let key = key.name();
            return Err(format!("Tokens are found by {key}: choose the column for it."));
        }
        let ignored = head.iter().filter(|name| !name.is_empty() && !fields.contains_key(*name)).cloned().collect();
        Ok(Self { fields, ignored })
    }

    /// What a column says.
    pub fn field(&self, name: &str) -> Option<Field> {
        self.fields.get(name).copied()
    }

    /// Whether a field has a column.
    pub fn has(&self, field: Field) -> bool {
        self.fields.values().any(|one| *one == field)
    }

    /// The name of a field's column.
    pub fn name_of(&self, field: Field) -> &str {
        let found = self.fields.iter().find(|(_, one)| **one == field);
        found.map_or(field.name(), |(name, _)| name)
    }
}

/// Whether one of these cells is the name of a column, so that they are a file's first line and not its first token.
pub(crate) fn are_names(cells: &[String]) -> bool {
    cells.iter().any(|cell| Field::ALL.iter().any(|field| plain(cell) == field.name()))
}

/// The column that a form suggests for a field.
pub(crate) fn suggested(field: Field, head: &[String], options: &ImportOptions) -> Option<String> {
    column_of(field, head, options).ok().flatten()
}

/// The column of a field: the chosen one, or the one that is named as it, in any case and with blanks or hyphens.
fn column_of(field: Field, head: &[String], options: &ImportOptions) -> Result<Option<String>, String> {
    let (mut same, what) = match options.columns.get(&field) {
        Some(chosen) if chosen.is_empty() => return Ok(None),
        Some(chosen) => {
            let same: Vec<&String> = head.iter().filter(|name| *name == chosen).collect();
            if same.is_empty() {
                let (chosen, field) = (quoted(chosen), field.name());
                return Err(format!("The file has no column {chosen} for {field}. It has: {}.", named(head)));
            }
            (same, chosen.as_str())
        }
        None => (head.iter().filter(|name| plain(name) == field.name()).collect(), field.name()),
    };
    match (same.pop(), same.is_empty()) {
        (_, false) => Err(format!("The file has several columns {}; give them different names.", quoted(what))),
        (found, true) => Ok(found.cloned()),
    }
}

fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-'], "_")
}

/// The names of columns, for a message.
fn named(head: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut names: Vec<String> = head.iter().take(SHOWN).map(|name| quoted(name)).collect();
    if head.len() > SHOWN {
        names.push(format!("and {} more", head.len() - SHOWN));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn choosing(choices: &[(Field, &str)]) -> ImportOptions {
        let columns = choices.iter().map(|(field, name)| (*field, (*name).to_owned())).collect();
        ImportOptions { columns, ..ImportOptions::default() }
    }

    #[test]
    fn columns_are_taken_by_name_and_others_are_ignored() {
        let options = ImportOptions::default();
        let columns = Columns::resolve(&head(&["Label", "Valid from", "usage-count", "Room", ""]), &options).unwrap();
        assert_eq!(columns.field("Label"), Some(Field::Label));
        assert_eq!(columns.field("Valid from"), Some(Field::ValidFrom));
        assert_eq!(columns.field("usage-count"), Some(Field::UsageCount));
        assert_eq!(columns.ignored, ["Room"]);
    }

    #[test]
    fn a_choice_comes_before_a_name_and_can_be_none() {
        let options = choosing(&[(Field::Label, "Room"), (Field::Value, "")]);
        let columns = Columns::resolve(&head(&["label", "value", "Room"]), &options).unwrap();
        assert_eq!(columns.field("Room"), Some(Field::Label));
        assert_eq!(columns.ignored, ["label", "value"]);
        assert_eq!(columns.name_of(Field::Label), "Room");
    }

    #[test]
    fn what_cannot_be_told_is_refused_by_name() {
        let why = |names: &[&str], options: &ImportOptions| Columns::resolve(&head(names), options).unwrap_err();
        let plain = ImportOptions::default();
        assert!(why(&["Name", "Code"], &plain).contains("It has: \"Name\", \"Code\"."));
        assert!(why(&["label", "Label"], &plain).contains("several columns \"label\""));
        assert!(why(&["label"], &choosing(&[(Field::Value, "Code")])).contains("no column \"Code\" for value"));
        let twice = choosing(&[(Field::Label, "Code"), (Field::Value, "Code")]);
        assert!(why(&["Code"], &twice).contains("for value and for label"));
        let change = ImportOptions { mode: Mode::ChangeByUid, ..ImportOptions::default() };
        assert!(why(&["value", "label"], &change).contains("found by uid"));
    }
}
