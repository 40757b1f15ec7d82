//! The schemas of parameters, from those of the structs that they are read into. The reader takes more than the structs say:
//! numbers as text, texts as numbers, and null or nothing where a parameter may be empty (`params/reader.rs`).

use schemars::Schema;
use serde_json::{Map, Value, json};

/// A whole number as text; white space around it is passed over.
const INTEGER: &str = r"^\s*[+-]?0*[0-9]{1,10}\s*$";
const UUID: &str = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$";

/// Marks a parameter that need not be given where the path has it.
pub(crate) const IN_PATH: &str = "x-in-path";
/// Marks a parameter that must not be empty, though whoever reads it tells that apart from one that is not given.
pub(crate) const NOT_EMPTY: &str = "x-not-empty";
/// Marks a struct of which one of these parameters must be given.
pub(crate) const ONE_OF: &str = "x-one-of";
/// As [`ONE_OF`], where no other of them may be given beside it.
pub(crate) const EXACTLY_ONE_OF: &str = "x-exactly-one-of";

/// Marks a struct of which parameters must be present unless another one is `1`: that one's name, and theirs.
pub(crate) const REQUIRED_WITHOUT: &str = "x-required-without";

/// How parameters are sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// As a JSON object.
    Json,
    /// As the fields of a form, which are text.
    Form,
    /// In the query string, which is text.
    Query,
}

/// The properties of a struct's schema.
pub(crate) fn properties(schema: &Schema) -> Map<String, Value> {
    schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// The parameters that must be present, and the one without which they must.
pub(crate) fn required_without(schema: &Schema) -> Option<(&str, Vec<&str>)> {
    let (other, required) = schema.get(REQUIRED_WITHOUT)?.as_object()?.iter().next()?;
    Some((other, required.as_array()?.iter().filter_map(Value::as_str).collect()))
}

/// The names of a list in a schema.
pub(crate) fn names<'a>(schema: &'a Schema, list: &str) -> Vec<&'a str> {
    let names = schema.get(list).and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A description without the line breaks of the source; paragraphs stay.
pub(crate) fn one_line(text: &str) -> String {
    text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect::<Vec<_>>().join("\n\n")
}

/// A parameter as it is sent.
pub(crate) fn property(read: &Value, sent: Sent) -> Value {
    let mut property = read.as_object().cloned().unwrap_or_default();
    property.retain(|name, _| name != IN_PATH && name != NOT_EMPTY);
    // Of what is left out, and not a value that could be sent.
    property.retain(|name, value| name != "default" || !value.is_null());
    if let Some(description) = property.get_mut("description") {
        *description = one_line(description.as_str().unwrap_or_default()).into();
    }
    property.remove("format").filter(|format| format == "uuid").map(|_| property.insert("pattern".into(), UUID.into()));
    let kinds = kinds(&property);
    let is = |kind: &str| kinds.iter().any(|known| known == kind);
    let may_be_empty = may_be_empty(read);
    if is("integer") {
        integer(&mut property, may_be_empty, sent);
    } else if is("array") {
        if sent != Sent::Json {
            let description = property.get("description").cloned().unwrap_or_default();
            return json!({"type": "string", "contentMediaType": "application/json", "description": description});
        }
        if let Some(object) = property.get("items").filter(|items| items.get("properties").is_some()) {
            let read = Schema::try_from(object.clone()).unwrap_or_default();
            property.insert("items".into(), body(&read, sent, false));
        }
    } else {
        text(&mut property, may_be_empty, sent);
    }
    Value::Object(property)
}

/// Whether a parameter may be empty where it is given.
pub(crate) fn may_be_empty(read: &Value) -> bool {
    let kinds = read.as_object().map(kinds).unwrap_or_default();
    kinds.iter().any(|kind| kind == "null") && read.get(NOT_EMPTY).is_none()
}

fn kinds(property: &Map<String, Value>) -> Vec<String> {
    // An optional choice of words is described as either the words or null.
    let kinds_of = |value: &Value| match value.get("type") {
        Some(Value::String(kind)) => vec![kind.clone()],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let own = kinds_of(&Value::Object(property.clone()));
    let any = property.get("anyOf").and_then(Value::as_array).into_iter().flatten().flat_map(kinds_of);
    own.into_iter().chain(any).collect()
}

fn integer(property: &mut Map<String, Value>, may_be_empty: bool, sent: Sent) {
    let mut kinds = vec!["integer", "string"];
    kinds.extend((may_be_empty && sent == Sent::Json).then_some("null"));
    property.insert("type".into(), json!(kinds));
    property.insert("pattern".into(), if may_be_empty { format!("{INTEGER}|^$") } else { INTEGER.into() }.into());
}

fn text(property: &mut Map<String, Value>, may_be_empty: bool, sent: Sent) {
    if let Some(words) = words(property) {
        property.retain(|name, _| matches!(name.as_str(), "description" | "default"));
        let numbers = words.iter().filter_map(|word| word.parse::<i64>().ok()).map(Value::from);
        let numbers: Vec<Value> = numbers.filter(|_| sent == Sent::Json).collect();
        let nothing = [json!(""), Value::Null].into_iter().take(if sent == Sent::Json { 2 } else { 1 });
        let all = words.iter().map(|word| json!(word)).chain(numbers).chain(nothing.filter(|_| may_be_empty));
        property.insert("enum".into(), all.collect());
        return;
    }
    let pattern = property.get("pattern").and_then(Value::as_str).map(str::to_owned);
    let mut kinds = vec!["string"];
    // What has no form of its own is taken as it is written.
    kinds.extend((pattern.is_none() && sent == Sent::Json).then_some("number"));
    kinds.extend((may_be_empty && sent == Sent::Json).then_some("null"));
    property.insert("type".into(), json!(kinds));
    if let Some(pattern) = pattern.filter(|_| may_be_empty) {
        property.insert("pattern".into(), format!("{pattern}|^$").into());
    }
    if may_be_empty {
        property.remove("minLength");
    }
}

/// The words of a choice.
pub(crate) fn words(property: &Map<String, Value>) -> Option<Vec<String>> {
    fn collect(value: &Value, words: &mut Vec<String>) {
        for list in ["oneOf", "anyOf"] {
            value.get(list).and_then(Value::as_array).into_iter().flatten().for_each(|one| collect(one, words));
        }
        let listed = value.get("enum").and_then(Value::as_array).into_iter().flatten();
        words.extend(listed.chain(value.get("const")).filter_map(Value::as_str).map(str::to_owned));
    }
    let mut words = Vec::new();
    collect(&Value::Object(property.clone()), &mut words);
    Some(words).filter(|words| !words.is_empty())
}

/// The object of a body. Names that begin with `_` are free.
pub(crate) fn body(read: &Schema, sent: Sent, has_path: bool) -> Value {
    let mut all = properties(read);
    let one_of = names(read, ONE_OF);
    let mut required: Vec<String> = names(read, "required").into_iter().map(str::to_owned).collect();
    for (name, read) in &mut all {
        if read.get(IN_PATH).is_some() && !has_path && !one_of.contains(&name.as_str()) {
            required.push(name.clone());
            read[NOT_EMPTY] = true.into();
        }
    }
    let properties: Map<String, Value> = all.iter().map(|(name, read)| (name.clone(), property(read, sent))).collect();
    let mut object = json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "patternProperties": {"^_": {}},
        "additionalProperties": false
    });
    for rule in ["dependentRequired", "not"] {
        if let Some(rule_of) = read.get(rule) {
            object[rule] = rule_of.clone();
        }
    }
    if !one_of.is_empty() && !has_path {
        let given = |name: &&str| json!({"required": [name], "properties": {*name: filled()}});
        object["anyOf"] = one_of.iter().map(given).collect();
    }
    if let Some((other, required)) = required_without(read) {
        let one = json!({"required": [other], "properties": {other: {"enum": ["1", 1]}}});
        object["anyOf"] = json!([{"required": required}, one]);
    }
    let exactly = names(read, EXACTLY_ONE_OF);
    if !exactly.is_empty() {
        let nothing = if sent == Sent::Json { json!({"enum": ["", null]}) } else { json!({"const": ""}) };
        let only = |name: &&str| {
            let is = |other: &&str| if other == name { filled() } else { nothing.clone() };
            let properties: Map<String, Value> = exactly.iter().map(|other| ((*other).to_owned(), is(other))).collect();
            json!({"required": [name], "properties": properties})
        };
        object["oneOf"] = exactly.iter().map(only).collect();
    }
    object
}

/// What is neither null nor empty.
fn filled() -> Value {
    json!({"type": ["string", "number", "array"], "minLength": 1, "minItems": 1})
}
