//! The import rule of `src/lib.rs`: rooms point one way, and no two files import each other in a circle. And what else
//! holds for every file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::support::sources::files;

/// Each room and the rooms that it may name.
const ROOMS: [(&str, &[&str]); 12] = [
    ("main", &["cli", "commands", "log"]),
    ("commands", &["cli", "app", "web", "work", "sheet", "store", "token", "access"]),
    ("log", &[]),
    ("cli", &["web", "work", "store", "token", "access"]),
    ("app", &["web", "work"]),
    ("web", &["work", "store", "token", "access", "sheet", "qr"]),
    ("work", &["store", "sheet", "token", "access"]),
    ("sheet", &["qr"]),
    ("store", &["token", "access"]),
    ("token", &["access"]),
    ("access", &[]),
    ("qr", &[]),
];

/// A path of modules, without `crate`: `["store", "tokens", "list"]`.
type Module = Vec<String>;

/// The crate's files by their modules.
struct Files {
    by_module: BTreeMap<Module, String>,
    /// What a file passes on from another by `pub use`.
    reexports: BTreeMap<Module, Module>,
}

/// Every file: its module and its text.
fn all() -> Vec<(Module, String)> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    files(&source, "rs", &mut found);
    let module = |path: &Path| -> Module {
        let below = path.strip_prefix(&source).unwrap().with_extension("");
        let parts = below.iter().map(|part| part.to_str().unwrap().to_owned());
        parts.filter(|part| part != "mod").collect()
    };
    found.into_iter().map(|path| (module(&path), fs::read_to_string(path).unwrap())).collect()
}

/// The code of a file: without comments, and without its tests, which may use anything.
fn code(text: &str) -> String {
    let tests = ["#[cfg(test)]\nmod tests", "#[cfg(test)]\npub(crate) mod tests", "#[cfg(test)]\n#[path"];
    let end = tests.iter().filter_map(|start| text.find(start)).min().unwrap_or(text.len());
    let lines = text[..end].lines().map(|line| line.split("//").next().unwrap_or_default());
    // Who may see something is no import.
    lines.collect::<Vec<_>>().join("\n").replace("pub(in crate::", "pub(in ")
}

/// The paths of a `use`, with its braces taken apart.
fn leaves(tree: &str, before: &[String], found: &mut Vec<Module>) {
    let parts = |text: &str| -> Module {
        text.split("::").map(str::trim).filter(|part| !part.is_empty() && *part != "self").map(str::to_owned).collect()
    };
    let Some((prefix, rest)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        found.push([before, &parts(path)].concat());
        return;
    };
    let (before, inner) = ([before, &parts(prefix)].concat(), rest.trim_end().strip_suffix('}').unwrap());
    let (mut depth, mut start) = (0, 0);
    for (at, letter) in inner.char_indices().chain([(inner.len(), ',')]) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                if !inner[start..at].trim().is_empty() {
                    leaves(inner[start..at].trim(), &before, found);
                }
                start = at + 1;
            }
            _ => {}
        }
    }
}

/// The paths that are imported, and those that stand in the code itself.
fn paths(code: &str) -> (Vec<(bool, Module)>, Vec<Module>) {
    let (mut imports, mut rest) = (Vec::new(), String::new());
    for statement in code.split_inclusive(';') {
        let line = statement.rfind("use ").filter(|at| {
            let before = statement[..*at].rsplit('\n').next().unwrap_or_default().trim();
            before.is_empty() || before.starts_with("pub")
        });
        let Some(at) = line else {
            rest.push_str(statement);
            continue;
        };
        let begin = statement[..at].rfind('\n').unwrap_or(0);
        rest.push_str(&statement[..begin]);
        let mut found = Vec::new();
        leaves(statement[at + 4..].trim_end_matches(';'), &[], &mut found);
        imports.extend(found.into_iter().map(|path| (statement[begin..at].contains("pub"), path)));
    }
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    let words = rest.split(|letter| !is_part(letter)).filter(|word| word.contains("::"));
    let inline = words.map(|word| word.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect());
    (imports, inline.collect())
}

/// A path as `module` means it, from the crate's root; none if it leads out of the crate.
fn absolute(path: &[String], module: &[String], files: &BTreeMap<Module, String>) -> Option<Module> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" | "tessera" => Some(rest.to_vec()),
        "self" => Some([module, rest].concat()),
        "super" => {
            let ups = path.iter().take_while(|part| *part == "super").count();
            let above = module.get(..module.len().checked_sub(ups)?)?;
            Some([above, &path[ups..]].concat())
        }
        _ => {
            let child = [module, std::slice::from_ref(first)].concat();
            files.contains_key(&child).then(|| [module, path].concat())
        }
    }
}

impl Files {
    fn read() -> Self {
        let by_module: BTreeMap<Module, String> = all().into_iter().map(|(at, text)| (at, code(&text))).collect();
        let mut reexports = BTreeMap::new();
        for (module, code) in &by_module {
            for (is_public, path) in paths(code).0 {
                let origin = absolute(&path, module, &by_module).filter(|_| is_public);
                if let (Some(origin), Some(name)) = (origin, path.last()) {
                    reexports.insert([&module[..], std::slice::from_ref(name)].concat(), origin);
                }
            }
        }
        Self { by_module, reexports }
    }

    /// The file in which something stands.
    fn file_of(&self, path: &Module) -> Option<Module> {
        for length in (1..=path.len()).rev() {
            let (head, tail) = path.split_at(length);
            if self.by_module.contains_key(head) {
                return Some(head.to_vec());
            }
            if let Some(origin) = self.reexports.get(head) {
                return self.file_of(&[origin, tail].concat());
            }
        }
        None
    }

    /// The files that a file names.
    fn named_by(&self, module: &Module) -> BTreeSet<Module> {
        let (imports, inline) = paths(&self.by_module[module]);
        let imports: Vec<Module> =
            imports.iter().filter_map(|(_, path)| absolute(path, module, &self.by_module)).collect();
        let imported = |path: &Module| {
            let found = imports.iter().find(|import| import.last() == path.first())?;
            Some([found, &path[1..]].concat())
        };
        let inline =
            inline.iter().filter_map(|path| imported(path).or_else(|| absolute(path, module, &self.by_module)));
        // A module that is imported by its name is used by it, and counts where it is.
        let items = imports.iter().filter(|path| !self.by_module.contains_key(*path)).cloned();
        items.chain(inline).filter_map(|path| self.file_of(&path)).filter(|file| file != module).collect()
    }
}

#[test]
fn imports_point_one_way() {
    let files = Files::read();
    for (module, code) in &files.by_module {
        let room = module[0].as_str();
        if room == "lib" {
            continue;
        }
        let (_, allowed) = ROOMS.iter().find(|(name, _)| *name == room).unwrap_or_else(|| panic!("{room} is no room"));
        let (imports, inline) = paths(code);
        let named = imports.into_iter().map(|(_, path)| path).chain(inline);
        let others = named.filter_map(|path| absolute(&path, module, &files.by_module)?.into_iter().next());
        for other in others.filter(|other| ROOMS.iter().any(|(name, _)| name == other)) {
            assert!(other == room || allowed.contains(&other.as_str()), "{} names {other}", module.join("::"));
        }
    }
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let files = Files::read();
    let mut named: BTreeMap<&Module, BTreeSet<Module>> =
        files.by_module.keys().map(|module| (module, files.named_by(module))).collect();
    // Whoever names nobody is in no circle, and neither is whoever names only those.
    loop {
        let done: Vec<&Module> = named.iter().filter(|(_, of)| of.is_empty()).map(|(module, _)| *module).collect();
        if done.is_empty() {
            break;
        }
        for module in done {
            named.remove(module);
            for of in named.values_mut() {
                of.remove(module);
            }
        }
    }
    // Those that are left, but for whoever is only before a circle.
    while let Some(module) = named.keys().find(|module| !named.values().any(|of| of.contains(**module))) {
        named.remove(&(*module).clone());
    }
    let left: Vec<String> = named.keys().map(|module| module.join("::")).collect();
    assert!(left.is_empty(), "these import each other in a circle: {left:?}");
}

#[test]
fn the_domain_and_access_know_nothing_of_the_outside() {
    let outside = ["actix", "diesel", "askama", "tokio::", "std::net", "std::fs"];
    for (module, text) in all() {
        let (name, code) = (module.join("::"), code(&text));
        for word in outside.iter().filter(|_| matches!(module[0].as_str(), "token" | "access")) {
            assert!(!code.contains(word), "{name} names {word}");
        }
        assert!(module[0] == "store" || !text.contains("diesel"), "{name} names diesel outside of store/");
        assert!(module[0] != "work" || !code.contains("actix"), "{name} names actix: work knows no HTTP");
    }
}

#[test]
fn files_stay_short() {
    // What diesel prints grows with the schema.
    for (module, text) in all().into_iter().filter(|(module, _)| module.join("::") != "store::schema") {
        let lines = text.lines().count();
        assert!(lines <= 400, "{} has {lines} lines", module.join("::"));
    }
}

#[test]
fn templates_do_not_compare() {
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut found = Vec::new();
    files(&templates, "html", &mut found);
    assert!(found.len() > 50, "only {} templates", found.len());
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        let tags = |open, close| text.split(open).skip(1).filter_map(move |rest: &str| rest.split(close).next());
        for tag in tags("{%", "%}").chain(tags("{{", "}}")) {
            let compares = ["==", "!=", "when \""].iter().any(|operator| tag.contains(operator));
            assert!(!compares, "{} compares in {tag:?}: decide it in Rust", path.display());
        }
    }
}
