//! `deny.toml` holds: licences, banned crates and sources, read off `cargo metadata`. The part of `cargo deny` that needs
//! no network; cargo-deny takes minutes to build, and this no time.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

#[derive(Deserialize)]
struct Rules {
    graph: Graph,
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Graph {
    targets: Vec<String>,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    wildcards: String,
    deny: Vec<Banned>,
}

#[derive(Deserialize)]
struct Banned {
    name: String,
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    unknown_registry: String,
    unknown_git: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    req: String,
}

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Whether an SPDX expression is satisfied by licences that are allowed. A slash is an old way to write OR.
fn is_allowed(expression: &str, allow: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let is_allowed = any_of(&mut words, allow);
    assert_eq!(words.next(), None, "{expression}");
    is_allowed
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any_of(words: &mut Words<'_>, allow: &[String]) -> bool {
    let mut is_allowed = all_of(words, allow);
    while words.next_if_eq(&"OR").is_some() {
        is_allowed |= all_of(words, allow);
    }
    is_allowed
}

fn all_of(words: &mut Words<'_>, allow: &[String]) -> bool {
    let mut is_allowed = one(words, allow);
    while words.next_if_eq(&"AND").is_some() {
        is_allowed &= one(words, allow);
    }
    is_allowed
}

fn one(words: &mut Words<'_>, allow: &[String]) -> bool {
    let word = words.next().expect("a licence");
    if word == "(" {
        let is_allowed = any_of(words, allow);
        assert_eq!(words.next(), Some(")"));
        return is_allowed;
    }
    // A licence with an exception is another one.
    let exception = words.next_if_eq(&"WITH").map(|_| words.next().expect("an exception"));
    exception.is_none() && allow.iter().any(|allowed| allowed == word)
}

#[test]
fn an_expression_is_read_as_spdx_has_it() {
    let allow = ["MIT", "ISC"].map(str::to_owned);
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("MIT AND GPL-3.0", false),
        ("MIT AND ISC", true),
        ("(MIT OR GPL-3.0) AND ISC", true),
        ("GPL-3.0 OR MIT AND Unknown", false),
        ("MIT WITH some-exception", false),
        ("Unknown WITH some-exception OR MIT", true),
    ] {
        assert_eq!(is_allowed(expression, &allow), expected, "{expression}");
    }
}

#[test]
fn licences_banned_crates_and_sources_are_as_deny_toml_says() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rules: Rules = basic_toml::from_str(&std::fs::read_to_string(project.join("deny.toml")).unwrap()).unwrap();
    let denied = [&rules.bans.wildcards, &rules.sources.unknown_registry, &rules.sources.unknown_git];
    assert_eq!(denied, ["deny"; 3], "this holds nothing less strict");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--locked", "--format-version", "1"]).current_dir(project);
    for target in &rules.graph.targets {
        cargo.args(["--filter-platform", target]);
    }
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Metadata = serde_json::from_slice(&output.stdout).unwrap();
    assert!(metadata.packages.len() > 300, "all that Cargo.lock has for these targets");
    for package in &metadata.packages {
        let name = format!("{} {}", package.name, package.version);
        let license = package.license.as_ref().unwrap_or_else(|| panic!("{name} names no licence"));
        assert!(is_allowed(license, &rules.licenses.allow), "{name} is under {license}");
        let banned = rules.bans.deny.iter().find(|banned| banned.name == package.name);
        assert!(banned.is_none(), "{name} is banned: {}", banned.unwrap().reason);
        let is_ours = package.name == env!("CARGO_PKG_NAME");
        assert!(is_ours || package.source.as_deref() == Some(CRATES_IO), "{name} is from {:?}", package.source);
        let any = package.dependencies.iter().find(|dependency| dependency.req == "*");
        assert!(any.is_none(), "{name} takes any version of {}", any.unwrap().name);
    }
}
