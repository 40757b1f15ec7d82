//! Parameters and the fields of answers as tables for people, from their schemas.

use serde_json::{Map, Value};

use super::content::{Row, Table};
use super::document::TAG_TEXT;
use super::model::View;
use super::operation::Input;
use super::schema::{EXACTLY_ONE_OF, IN_PATH, ONE_OF, names, one_line, properties, required_without, words};

/// The parameters of a view in their order, the header last; none if it has none. Its token is in the path or not.
pub(super) fn parameters(view: &View, key_text: &str) -> Option<Table> {
    let mut rows: Vec<Row> = view.input.iter().flat_map(|input| rows(view, input)).collect();
    if view.takes_key {
        let cells = ["`Idempotency-Key`", key_text, "header, 1 to 255 characters", "optional"];
        rows.push(Row::new(format!("{}-idempotency-key", view.name), cells.map(str::to_owned)));
    }
    if view.has_tag {
        let cells = ["`If-None-Match`", TAG_TEXT, "header", "optional"];
        rows.push(Row::new(format!("{}-if-none-match", view.name), cells.map(str::to_owned)));
    }
    let columns = ["parameter", "meaning", "type", "needed"];
    (!rows.is_empty()).then(|| Table::new(columns.map(str::to_owned), rows))
}

fn rows<'a>(view: &'a View, input: &'a Input) -> impl Iterator<Item = Row> + 'a {
    let all = properties(&input.schema);
    view.names.iter().flat_map(move |name| {
        let Some(property) = all.get(*name) else { return Vec::new() };
        let id = format!("{}-{name}", view.name);
        let need = need(name, property, input);
        let row = Row::new(id, [format!("`{name}`"), meaning(property), type_of(property), need]);
        [row].into_iter().chain(item_rows(view, name, property)).collect()
    })
}

/// The fields of a list's objects.
fn item_rows(view: &View, list: &str, property: &Value) -> Vec<Row> {
    let Some(item) = property.get("items").filter(|item| item.get("properties").is_some()) else { return Vec::new() };
    let (required, _) = field_order(item);
    let row = |name: String| {
        let property = &item["properties"][&name];
        let need = if required.contains(&name) { "required" } else { "optional" };
        let cells = [format!("`{list}[].{name}`"), meaning(property), type_of(property), need.to_owned()];
        Row::new(format!("{}-{list}-{name}", view.name), cells)
    };
    ordered_names(item).into_iter().map(row).collect()
}

/// Whether a parameter is needed, and what it is if it is left out.
fn need(name: &str, property: &Value, input: &Input) -> String {
    let list = |which| names(&input.schema, which);
    let or = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
    if list(ONE_OF).contains(&name) {
        let in_path =
            list(ONE_OF).iter().any(|name| input.schema.pointer(&format!("/properties/{name}/{IN_PATH}")).is_some());
        return or(&list(ONE_OF)) + if in_path { ", unless the path has the uid" } else { "" };
    }
    if list(EXACTLY_ONE_OF).contains(&name) {
        return format!("either {}", or(&list(EXACTLY_ONE_OF)));
    }
    if property.get(IN_PATH).is_some() {
        return "required, unless the path has it".into();
    }
    if list("required").contains(&name) {
        let may_be_empty = meaning(property).contains("Empty:");
        return if may_be_empty { "required, may be empty".into() } else { "required".into() };
    }
    if let Some((other, _)) = required_without(&input.schema).filter(|(_, names)| names.contains(&name)) {
        return format!("required without `{other}`, may be empty");
    }
    match property.get("default").filter(|default| !default.is_null()) {
        Some(default) => format!("optional, {} by default", number_or_text(default)),
        None => "optional".into(),
    }
}

/// The fields of an object, those that are always there first.
pub(super) fn fields(schema: &Value, without: &[String]) -> Table {
    let object = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let always = field_order(schema).0;
    let rows = ordered_names(schema).into_iter().filter(|name| !without.contains(name)).filter_map(|name| {
        let property = object.get(&name)?;
        let mut kind = type_of(property);
        if may_be_null(property) {
            kind.push_str(" or null");
        }
        if !always.contains(&name) {
            kind.push_str(", not always there");
        }
        let meaning = if name == "success" { "Whether it succeeded.".into() } else { meaning(property) };
        Some(Row::plain([format!("`{name}`"), meaning, kind]))
    });
    Table::new(["field", "meaning", "type"].map(str::to_owned), rows.collect())
}

/// The names of an object's fields, as they are answered.
pub(super) fn ordered_names(schema: &Value) -> Vec<String> {
    let (mut first, rest) = field_order(schema);
    first.extend(rest);
    first
}

fn field_order(schema: &Value) -> (Vec<String>, Vec<String>) {
    let list = schema.get("required").and_then(Value::as_array);
    let always: Vec<String> = list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let all = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let rest = all.keys().filter(|name| !always.contains(name)).cloned().collect();
    (always, rest)
}

/// The names of the objects that a schema refers to, in the order of its fields.
pub(super) fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(object) => {
            let own = object.get("$ref").and_then(Value::as_str).map(|reference| last(reference).to_owned());
            own.into_iter().chain(object.values().flat_map(references)).collect()
        }
        Value::Array(list) => list.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// What a field is, in Markdown.
pub(super) fn meaning(property: &Value) -> String {
    one_line(property.get("description").and_then(Value::as_str).unwrap_or_default())
}

/// The type of a value and its bounds, in words.
pub(super) fn type_of(property: &Value) -> String {
    let Some(object) = property.as_object() else { return "anything".into() };
    if let Some(words) = words(object) {
        return words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    }
    if let Some(Value::Bool(always)) = object.get("const") {
        return format!("`{always}`");
    }
    if let Some(name) = object.get("$ref").and_then(Value::as_str) {
        return format!("`{}`", last(name));
    }
    if let Some(list) = object.get("anyOf").and_then(Value::as_array) {
        let some = list.iter().find(|one| one.get("type").is_none_or(|kind| kind != "null"));
        return some.map(type_of).unwrap_or_default();
    }
    match kind(object) {
        "integer" => bounds("whole number", object, "minimum", "maximum"),
        "boolean" => "true or false".into(),
        "array" => {
            let items = match object.get("items") {
                Some(item) if item.get("properties").is_some() => "objects".into(),
                item => item.map(type_of).unwrap_or_default(),
            };
            bounds(&format!("list of {items}"), object, "minItems", "maxItems")
        }
        _ => text(object),
    }
}

fn text(object: &Map<String, Value>) -> String {
    let says = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    if says("format") == "uuid" {
        return "uid".into();
    }
    if says("format") == "date-time" || says("pattern").starts_with("^[0-9]{4}-") {
        return "time".into();
    }
    let unit = if object.contains_key("maxLength") { " characters" } else { "" };
    bounds("text", object, "minLength", "maxLength") + unit
}

/// A bound that is only that of the number's storage says nothing.
fn bounds(what: &str, object: &Map<String, Value>, least: &str, most: &str) -> String {
    let bound = |key: &str| object.get(key).and_then(Value::as_i64);
    match (bound(least), bound(most)) {
        (Some(least), Some(most)) if least > i64::from(i16::MIN) => {
            format!("{what}, {} to {}", grouped(least), grouped(most))
        }
        (None, Some(most)) => format!("{what}, at most {}", grouped(most)),
        _ => what.to_owned(),
    }
}

fn kind(object: &Map<String, Value>) -> &str {
    match object.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("text")
        }
        _ => "text",
    }
}

fn may_be_null(property: &Value) -> bool {
    let is_null = |kind: &Value| kind == "null";
    let own = property.get("type").and_then(Value::as_array).is_some_and(|kinds| kinds.iter().any(is_null));
    let any = property.get("anyOf").and_then(Value::as_array);
    own || any.is_some_and(|any| any.iter().filter_map(|one| one.get("type")).any(is_null))
}

fn last(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or_default()
}

fn number_or_text(value: &Value) -> String {
    value.as_i64().map_or_else(|| value.to_string(), grouped)
}

/// A number with its thousands apart.
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}
