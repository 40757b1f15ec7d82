//! cone.tokens itself: databases that its own code has made (`tests/cone/real.py`). Where `TESSERA_TEST_CONE` names a Python
//! that has it, as in `bin/check --long`.

use std::process::Command;

use diesel::Connection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::Value;

use super::fixture::Cone;
use crate::support::app::send;
use crate::support::cluster::Cluster;
use crate::support::process::{Place, text};

fn real(arguments: &[&str]) -> Option<String> {
    let python = std::env::var("TESSERA_TEST_CONE").ok()?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cone/real.py");
    let output =
        Command::new(python).arg("-Wignore").arg(script).args(arguments).env("TZ", "Europe/Vienna").output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    Some(text(&output.stdout))
}

#[actix_web::test]
async fn what_cone_tokens_has_made_is_moved_in_and_goes_on() {
    for kind in ["file", "server"] {
        let place = Place::new();
        let file = place.path("cone.db");
        let (url, alchemy) = if kind == "file" {
            (format!("sqlite:{}", file.display()), format!("sqlite:///{}", file.display()))
        } else {
            let url = Cluster::shared().create_database("cone_real");
            (url.clone(), url.replacen("postgres:", "postgresql+psycopg2:", 1))
        };
        if real(&["make", &alchemy]).is_none() {
            return;
        }
        let import = ["import-cone", &url, "--source-timezone", "Europe/Vienna"];
        let said = place.works(&import);
        assert!(said.contains("Values that look like a UUID and are not the token's own: 2 (kept)"), "{said}");
        let own = format!("sqlite:{}", place.path("tessera.db").display());
        let own = place.database.as_ref().map_or(own, |database| database.text.clone());
        real(&["compare", &alchemy, &own]);

        let (server, key) = (place.serve(), place.key("scanner"));
        let verdicts: Vec<Value> = serde_json::from_str(&real(&["verdicts", &alchemy]).unwrap()).unwrap();
        for verdict in verdicts {
            let answer =
                send(server.post(&key, "/consume_token").form(&[("value", verdict["value"].as_str().unwrap())])).await;
            assert_eq!(answer.body["token_uid"], verdict["uid"], "{answer:?}");
            let code = answer.body.get("error_code").cloned().unwrap_or_default();
            assert_eq!(code, verdict["code"], "{verdict} {answer:?}");
        }
    }
}

/// The tables that other tests make are those that it makes.
#[test]
fn the_tables_of_these_tests_are_its_own() {
    let place = Place::new();
    let file = place.path("cone.db");
    if real(&["make", &format!("sqlite:///{}", file.display())]).is_none() {
        return;
    }
    let mut by_hand = Cone::file();
    let mut its_own = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let columns = "SELECT group_concat(m.name || '.' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || c.pk, ', ')
        FROM (SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name) AS m, pragma_table_info(m.name) AS c";
    let columns = diesel::dsl::sql::<Text>(columns);
    let right: String = columns.clone().get_result(&mut its_own).unwrap();
    assert_eq!(columns.get_result::<String>(&mut by_hand.connection).unwrap(), right);
}
