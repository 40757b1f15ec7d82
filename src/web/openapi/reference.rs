//! The API as people read it: one value, of which the page and docs/API.md are made.

use std::collections::BTreeSet;

use serde_json::Value;

use super::content::{Block, Code, Markdown, Row, Section, Table};
use super::document::{GUIDE, KEY_TEXT};
use super::errors::kinds;
use super::fields::{fields, meaning, ordered_names, parameters, references, type_of};
use super::model::{Api, View};
use super::operation::DescribedAnswer;
use super::{examples, guide};
use crate::access::{Permission, Role};
use crate::token::Uid;
use crate::web::route::Route;

/// The documentation of the API at a server.
pub(crate) struct Reference {
    /// The address of the server, without a slash at its end.
    pub(crate) server: String,
    /// What is said before anything else.
    pub(crate) lead: Markdown,
    /// How the examples get their key.
    pub(crate) key_command: Code,
    /// The token of the examples.
    pub(crate) example_uid: Uid,
    /// The two calls that most need.
    pub(crate) first_steps: Vec<Code>,
    /// What to know before a call.
    pub(crate) before: Vec<Section>,
    /// The views, one for each name.
    pub(crate) views: Vec<ViewReference>,
    /// What to know beyond the views.
    pub(crate) after: Vec<Section>,
}

/// A view at all its addresses.
pub(crate) struct ViewReference {
    /// Its name, which is its place in the address.
    pub(crate) name: String,
    /// Method and path of each address.
    pub(crate) addresses: Vec<(String, &'static str)>,
    /// What it does, in a sentence.
    pub(crate) summary: Markdown,
    /// Who may call it.
    pub(crate) roles: String,
    /// What else is to be known.
    pub(crate) description: Markdown,
    /// Its parameters.
    pub(crate) parameters: Option<Table>,
    /// A request, in each language.
    pub(crate) examples: Vec<Code>,
    /// What it answers.
    pub(crate) answers: Vec<AnswerReference>,
    /// Errors of its own.
    pub(crate) errors: Option<Table>,
    /// The statuses of errors that it has as other views have them.
    pub(crate) common: String,
}

/// An answer of a view.
pub(crate) struct AnswerReference {
    /// Its status or statuses.
    pub(crate) title: String,
    /// One.
    pub(crate) example: Option<Code>,
    /// Its fields, and those of the objects in it.
    pub(crate) tables: Vec<Table>,
}

/// The objects that have a place of their own, or whose fields every answer with them has.
const KNOWN: [&str; 7] = ["Token", "State", "Failure", "Detail", "Problem", "RefusalDetail", "Facts"];
/// The first section that comes after the views.
const AFTER_VIEWS: &str = "errors";

impl Reference {
    /// Of a table of routes, at a server.
    pub(crate) fn new(routes: &[Route], server: &str) -> Self {
        let api = Api::new(routes);
        let server = server.trim_end_matches('/').to_owned();
        let (lead, mut before) = guide::sections(GUIDE);
        for section in &mut before {
            add_tables(section, &api);
        }
        let end = before.iter().position(|section| section.id == AFTER_VIEWS).unwrap_or(before.len());
        let after = before.split_off(end);
        let mut names: Vec<&str> = Vec::new();
        for view in &api.views {
            if !names.contains(&&*view.name) {
                names.push(&view.name);
            }
        }
        let views = names.into_iter().filter_map(|name| view_reference(name, &api, &server)).collect();
        let key_command = Code { language: "sh", name: "command", text: "export TESSERA_KEY=tsr_…".into() };
        let example_uid = Uid::example();
        Self {
            key_command,
            example_uid,
            first_steps: examples::first_steps(&server),
            server,
            lead,
            before,
            views,
            after,
        }
    }
}

/// The tables that are made of what the code says.
fn add_tables(section: &mut Section, api: &Api) {
    match section.id.as_str() {
        "authentication-and-roles" => section.blocks.insert(1, Block::Table(roles())),
        "the-token" => section.blocks.extend(api.schemas.get("Token").map(|token| Block::Table(fields(token, &[])))),
        AFTER_VIEWS => {
            let failure = kinds().into_iter().find(|kind| kind.example.param.is_some());
            let example = failure.and_then(|kind| serde_json::to_value(kind.example).ok());
            let schema = api.schemas.get("Failure").cloned().unwrap_or_default();
            let example = example.map(|value| Block::Code(json_code(&value, &ordered_names(&schema))));
            section.blocks.splice(1..1, example);
            section.blocks.insert(2, Block::Table(errors()));
            section.blocks.push(Block::Table(reasons(api)));
        }
        _ => {}
    }
}

fn roles() -> Table {
    let columns: [(&str, Permission); 6] = [
        ("see tokens and usage, print", Permission::See),
        ("consume", Permission::Consume),
        ("look up one exact token", Permission::Ask),
        ("add, edit, save printers", Permission::Edit),
        ("void, restore, delete", Permission::Delete),
        ("settings, users, keys", Permission::Manage),
    ];
    let row = |role: Role| {
        let may = columns.iter().map(|(_, permission)| if role.may(*permission) { "yes" } else { "no" }.to_owned());
        Row::plain([role.word().to_owned()].into_iter().chain(may))
    };
    let names = ["role"].into_iter().chain(columns.iter().map(|(name, _)| *name)).map(str::to_owned);
    Table::new(names.collect::<Vec<_>>(), Role::ALL.map(row).into())
}

fn errors() -> Table {
    let rows = kinds().into_iter().map(|kind| {
        let code = kind.example.error_code.map_or_else(|| "null".to_owned(), |code| code.to_string());
        let texts = [kind.meaning, kind.remedy].map(str::to_owned);
        let [meaning, remedy] = texts;
        Row::plain([format!("`{}`", kind.example.error), code, kind.status.to_string(), meaning, remedy])
    });
    let columns = ["error", "error_code", "status", "meaning", "what to do"];
    Table::new(columns.map(str::to_owned), rows.collect()).titled("Every error")
}

/// The words of `reason`, with what belongs to them.
fn reasons(api: &Api) -> Table {
    let words = api.schemas.get("Problem").and_then(|problem| problem.get("oneOf")).and_then(Value::as_array);
    let rows = words.into_iter().flatten().filter_map(|problem| {
        let data = problem.get("properties")?.as_object()?;
        let word = data.get("reason")?.get("const")?.as_str()?;
        let detail = ordered_names(problem).into_iter().filter(|name| name != "reason");
        let detail = detail.map(|name| {
            let (meaning, kind) = data.get(&name).map(|data| (meaning(data), type_of(data))).unwrap_or_default();
            format!("`{name}` ({kind}): {meaning}")
        });
        let detail = detail.collect::<Vec<_>>().join(" ");
        Some(Row::new(format!("reason-{word}"), [format!("`{word}`"), meaning(problem), detail]))
    });
    let columns = ["reason", "meaning", "what detail has"];
    Table::new(columns.map(str::to_owned), rows.collect()).titled("Every reason")
}

fn view_reference(name: &str, api: &Api, server: &str) -> Option<ViewReference> {
    let mut all: Vec<&View> = api.views.iter().filter(|view| view.name == name).collect();
    all.sort_by_key(|view| (view.has_path_uid(), !view.has_body()));
    // POST, and without a token in the path: there its parameters are complete.
    let view = all.first()?;
    let adds = view.input.as_ref().is_some_and(|input| input.example.get("token_uid").is_none());
    let by_uid = all.iter().find(|other| adds && other.has_path_uid()).unwrap_or(view);
    let roles: Vec<&str> = view.roles.iter().map(|role| role.word()).collect();
    Some(ViewReference {
        name: name.to_owned(),
        addresses: all.iter().map(|view| (view.method.to_string(), view.path)).collect(),
        summary: Markdown(view.summary.clone()),
        roles: match &roles[..] {
            _ if view.is_open => "everybody, without a key".into(),
            all if all.len() == Role::ALL.len() => "all".into(),
            roles => roles.join(", "),
        },
        description: Markdown(view.description.clone()),
        parameters: parameters(view, KEY_TEXT),
        examples: examples::of_view(by_uid, server),
        answers: answers(view, api),
        errors: own_errors(view),
        common: common_statuses(view),
    })
}

/// The answers, those with the same fields as one.
fn answers(view: &View, api: &Api) -> Vec<AnswerReference> {
    let groups = view.answers.chunk_by(|one, other| one.schema == other.schema);
    groups.filter_map(|group| Some(answer(group.first()?, group, api))).collect()
}

fn answer(first: &DescribedAnswer, group: &[DescribedAnswer], api: &Api) -> AnswerReference {
    let mut statuses: Vec<u16> = group.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    statuses.dedup();
    let statuses = statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let kind = if first.status.is_success() { "Answer" } else { "Refusal" };
    let schema = resolved(first.schema.as_value(), api);
    let common = match (first.status.is_success(), api.schemas.get("Failure")) {
        (false, Some(failure)) => ordered_names(failure),
        _ => Vec::new(),
    };
    let own = fields(schema, &common);
    let title = if common.is_empty() { "Fields" } else { "Fields besides those of every error" };
    // `success` alone says nothing that the example does not.
    let mut tables: Vec<Table> = Some(own.titled(title)).filter(|table| table.rows.len() > 1).into_iter().collect();
    let mut names = references(schema);
    names.dedup();
    for name in names.iter().filter(|name| !KNOWN.contains(&name.as_str())) {
        tables.extend(api.schemas.get(name).map(|object| fields(object, &[]).titled(format!("`{name}`"))));
    }
    // The last one says most: the first is of a token that does not exist.
    let example = group.last().and_then(|answer| answer.example.as_ref());
    let example = example.map(|value| json_code(value, &ordered_names(schema)));
    AnswerReference { title: format!("{kind}, {statuses}"), example, tables }
}

fn resolved<'a>(schema: &'a Value, api: &'a Api) -> &'a Value {
    let reference = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
    reference.and_then(|name| api.schemas.get(name)).unwrap_or(schema)
}

/// Errors of who may enter, which are described in one place.
const OF_ENTRY: [u16; 2] = [401, 403];

/// The statuses of errors that a view has as others have them.
fn common_statuses(view: &View) -> String {
    let of_entry = OF_ENTRY.into_iter().filter(|status| view.errors.contains_key(status));
    let all: BTreeSet<u16> = view.common_errors.keys().copied().chain(of_entry).collect();
    all.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

fn own_errors(view: &View) -> Option<Table> {
    let own = view.errors.iter().filter(|(status, _)| !OF_ENTRY.contains(status));
    let rows = own.flat_map(|(status, errors)| errors.iter().map(move |error| (status, error.failure())));
    let code = |text: Option<String>| text.map(|text| format!("`{text}`")).unwrap_or_default();
    let rows: Vec<Row> = rows
        .map(|(status, failure)| {
            let (param, reason) = (code(failure.param), code(failure.reason));
            Row::plain([status.to_string(), format!("`{}`", failure.error), reason, param, failure.message])
        })
        .collect();
    let columns = ["status", "error", "reason", "param", "for example"];
    (!rows.is_empty()).then(|| Table::new(columns.map(str::to_owned), rows))
}

/// An object in JSON, with its fields in an order.
fn json_code(value: &Value, order: &[String]) -> Code {
    let of = |name: &String| {
        let value = serde_json::to_string_pretty(value.get(name)?).ok()?;
        Some(format!("  \"{name}\": {}", value.replace('\n', "\n  ")))
    };
    let fields: Vec<String> = order.iter().filter_map(of).collect();
    Code { language: "json", name: "JSON", text: format!("{{\n{}\n}}", fields.join(",\n")) }
}
