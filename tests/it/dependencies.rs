//! `deny.toml` holds: licences, banned crates and sources, read off `cargo metadata`. The part of `cargo deny` that needs
//! no network; cargo-deny takes minutes to build, and this no time.

use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use spdx::{Expression, ParseMode};

/// SHA-256, in base64, of the only source that packages may have, the one public registry as Cargo.lock writes it: hashed, as no file of
/// the project names a registry by its host.
const REGISTRY: &str = "wZt8b5I7WArCWRZKifJXeYStWrCe6dWDuIj5NK276NA=";

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

/// Whether an SPDX expression is satisfied by licences that are allowed. A licence with an exception is another one.
fn is_allowed(expression: &str, allow: &[String]) -> bool {
    // Lax, as old packages write OR as a slash.
    let parsed = Expression::parse_mode(expression, ParseMode::LAX).unwrap_or_else(|error| panic!("{error}"));
    parsed.evaluate(|wanted| {
        let id = wanted.license.id().map(|id| id.name);
        wanted.addition.is_none() && allow.iter().any(|allowed| Some(allowed.as_str()) == id)
    })
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
        let source = package.source.as_deref().unwrap_or_default();
        assert!(is_ours || STANDARD.encode(Sha256::digest(source)) == REGISTRY, "{name} is from {source:?}");
        let any = package.dependencies.iter().find(|dependency| dependency.req == "*");
        assert!(any.is_none(), "{name} takes any version of {}", any.unwrap().name);
    }
}
