//! `tessera export --all`: everything, and every file explained.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;
use tessera::store::whole::{LEFT_OUT, tables};

use crate::support::app::send;
use crate::support::database::on_postgres;
use crate::support::export::{column, lines, table};
use crate::support::process::Place;

const SCHEMA: &str = include_str!("../../../src/store/schema.rs");

/// Every table of the schema with its columns.
fn schema() -> Vec<(String, Vec<String>)> {
    let tables = SCHEMA.split("diesel::table! {\n").skip(1).map(|rest| {
        let (head, columns) = rest.split_once("\n}\n").unwrap().0.split_once('{').unwrap();
        let columns =
            columns.lines().filter_map(|line| line.split_once(" -> ")).map(|(name, _)| name.trim().to_owned());
        (head.split_whitespace().next().unwrap().to_owned(), columns.collect())
    });
    tables.collect()
}

#[test]
fn every_column_is_written_or_left_out_for_a_reason() {
    let mut left_out: BTreeSet<&str> = LEFT_OUT.iter().map(|(what, _)| *what).collect();
    let mut known = 0;
    for (table, columns) in schema() {
        if left_out.remove(table.as_str()) {
            continue;
        }
        for column in columns {
            let name = format!("{table}.{column}");
            let is_left_out = left_out.remove(name.as_str());
            let is_written = tables().any(|table| table.names(&name));
            assert!(is_left_out != is_written, "{name} is neither written nor left out by src/store/whole, or both");
            known += 1;
        }
    }
    // The key that seals cookies is a row.
    assert_eq!(left_out.into_iter().collect::<Vec<_>>(), ["settings.cookie_key"], "there are no such columns");
    assert!(known > 120, "the schema was read: {known}");
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[actix_web::test]
async fn everything_is_there_twice_and_explained() {
    let place = Place::new();
    let server = place.serve();
    let key = place.key("manager");
    let party = [("count", "3"), ("batch_name", "Party; \"1\""), ("label", "Größe {n}"), ("usage_count", "2")];
    let uids = server.add_tokens(&key, &party).await;
    let more = server.add_tokens(&key, &[("count", "2500"), ("batch_name", "Many"), ("usage_count", "1")]).await;
    send(server.post(&key, &format!("/{}/consume_token", uids[0]))).await.check_success();
    send(server.post(&key, &format!("/{}/void_token", uids[1])).form(&[("reason", "=1+1")])).await.check_success();
    send(server.post(&key, &format!("/{}/delete_token", uids[2]))).await.check_success();
    send(server.post(&key, "/consume_token").form(&[("value", "ünknown")])).await;
    let deleted = serde_json::to_string(&more[..30]).unwrap();
    send(server.post(&key, "/delete_tokens").form(&[("token_uids", deleted)])).await.check_success();
    let set =
        server.post(&key, &format!("/{}/set_count", more[40])).form(&[("usage_count", "5")]).send().await.unwrap();
    assert!(set.status().is_success(), "{}", set.status());
    let printed = server.post(&key, "/sheet.pdf").form(&[("uid", uids[0].as_str())]).send().await.unwrap();
    let pdf = printed.bytes().await.unwrap();
    assert!(pdf.starts_with(b"%PDF"));

    fs::create_dir(place.path("all")).unwrap();
    assert!(place.works(&["export", "--all", "all/"]).is_empty());
    let folder = place.path("all");
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let readme = read(&folder, "README.txt");
    let moment = if on_postgres() { "at that moment" } else { "one after the other" };
    assert!(readme.contains(moment) && readme.contains("tokens.csv can be imported"), "{readme}");
    for table_of in tables() {
        let csv = table(&read(&folder, &format!("{}.csv", table_of.name)), b',');
        let objects = lines(&read(&folder, &format!("{}.jsonl", table_of.name)));
        let names: Vec<&str> = table_of.columns.iter().map(|column| column.name).collect();
        assert_eq!(
            (csv[0].iter().map(String::as_str).collect::<Vec<_>>(), csv.len()),
            (names.clone(), objects.len() + 1)
        );
        assert!(readme.contains(&format!("\n{0}.csv, {0}.jsonl: {1} row", table_of.name, objects.len())), "{readme}");
        let section =
            readme.split(&format!("\n{}.csv, ", table_of.name)).nth(1).unwrap().split("\n\n\n").next().unwrap();
        for name in names {
            assert!(section.contains(&format!("\n  {name} ")), "{name} in {section}");
            let same = column(&csv, name).iter().zip(&objects).all(|(cell, object)| match &object[name] {
                serde_json::Value::Null => cell.is_empty(),
                serde_json::Value::String(text) => cell == text,
                other => cell.parse() == Ok(other.as_i64().unwrap()),
            });
            assert!(same, "{}.{name}", table_of.name);
        }
    }
    let of = |name: &str| lines(&read(&folder, &format!("{name}.jsonl")));
    let tokens = of("tokens");
    assert_eq!(
        (tokens.len(), &tokens[0]["uid"], &tokens[0]["batch"]),
        (2_472, &json!(uids[0]), &json!("Party; \"1\""))
    );
    assert_eq!(
        (&tokens[0]["used"], &tokens[0]["usage_count"], &tokens[1]["void_reason"]),
        (&json!(1), &json!(1), &json!("=1+1"))
    );
    assert_eq!((of("deleted_tokens").len(), of("usage").len(), of("batches").len()), (31, 2, 2));
    assert_eq!((of("actions").len(), of("action_tokens").len()), (1, 1));
    assert_eq!((of("users")[0]["name"].as_str(), of("keys").len()), (Some("admin"), 1));
    assert_eq!((of("print_runs").len(), of("print_run_labels").len()), (1, 1));
    let run = of("print_runs")[0]["uid"].as_str().unwrap().to_owned();
    assert_eq!(fs::read(folder.join(format!("print_runs/{run}.pdf"))).unwrap(), pdf);
    assert!(of("audit").iter().any(|entry| entry["action"] == "token void"));

    // No secrets.
    let everything: String = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for secret in ["$argon2", &key, "\"cookie_key\""] {
        assert!(!everything.contains(secret), "{secret}");
    }
    place.fails(&["export", "--all", "all"], 1, "all is not empty");
}
