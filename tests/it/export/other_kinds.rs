//! `/export/usage`, `/export/audit` and `/export/print_runs`.

use serde_json::{Value, json};
use tessera::access::{Principal, Role};
use tessera::store::audit;
use tessera::store::connection::transaction;
use tessera::token::Micros;
use tessera::token::gate::GateRules;

use crate::support::app::App;
use crate::support::browser::Browser;
use crate::support::export::{column, exported, lines, refused, table};
use crate::support::gates::add_gate;
use crate::support::printing::{add_labelled, keep_run_of};
use crate::support::usage_log::{used, write};

#[actix_web::test]
async fn usage_is_what_query_usage_says_in_each_format() {
    let app = App::start().await;
    add_gate(&app, "North", &GateRules { undo_seconds: Some(600), ..GateRules::default() });
    let uid = app.add(&[("value", "=1+1"), ("label", "Anna"), ("usage_count", "1")]).await;
    let use_it = [("token_uid", uid.as_str()), ("gate", "North"), ("nonce", "one")];
    app.post("/consume_token", &use_it).await.check_success();
    app.consume(&uid).await.check_failure("TokenUsageCountExceeded");
    app.post("/undo_consume", &[("nonce", "one")]).await.check_success();
    app.post("/consume_token", &[("value", "ünknown")]).await.check_failure("TokenNotExists");

    let objects = lines(&exported(&app, "/export/usage?format=jsonl").await);
    let known = app.usage(None).await;
    assert_eq!(objects.len(), 4);
    for (object, known) in objects.iter().zip(&known) {
        for (name, value) in known.as_object().unwrap() {
            assert_eq!(object[name], *value, "{name}: {object}");
        }
    }
    let all = |name: &str| -> Vec<Value> { objects.iter().map(|object| object[name].clone()).collect() };
    assert_eq!(all("outcome"), ["refused", "undone", "refused", "used"]);
    assert_eq!(all("uses"), [json!(1), json!(-1), json!(1), json!(1)]);
    assert_eq!(all("token_label"), [json!(null), json!("Anna"), json!("Anna"), json!("Anna")]);

    // For programs a value is exactly what it is; what a spreadsheet may open is made harmless.
    let values = |text: &str, name| -> Vec<String> {
        column(&table(text.trim_start_matches('\u{feff}'), b','), name).into_iter().map(str::to_owned).collect()
    };
    assert_eq!(values(&exported(&app, "/export/usage?format=csv").await, "token_value")[3], "=1+1");
    assert_eq!(values(&exported(&app, "/usage.csv").await, "token_value")[3], "'=1+1");
    let excel = exported(&app, "/export/usage?format=excel").await;
    assert_eq!(values(&excel, "Token value")[3], "'=1+1");
    let rows = table(excel.trim_start_matches('\u{feff}'), b',');
    assert_eq!(column(&rows, "Outcome"), ["Refused: unknown code", "Undone", "Refused: used up", "Used"]);
    assert_eq!(column(&rows, "Uses"), ["1", "-1", "1", "1"]);
    assert_eq!(column(&rows, "User")[0], "API key manager");
    assert!(column(&rows, "Time").iter().all(|time| time.len() == "2026-11-28 14:05:10".len()));

    for (query, count) in [
        ("gate=North", 2),
        ("outcome=refused", 2),
        ("user=key", 4),
        ("q=anna", 3),
        ("from=2020-01-01&to=2020-01-02", 0),
        (&format!("token_uid={uid}"), 3),
    ] {
        assert_eq!(
            lines(&exported(&app, &format!("/export/usage?format=jsonl&{query}")).await).len(),
            count,
            "{query}"
        );
    }
    refused(&app, Role::Manager, "/export/usage?gate=South").await.check_failure("TokenValueError").check_param("gate");
    refused(&app, Role::Manager, "/export/usage?cursor=x").await.check_failure("TokenAPIError").check_param("cursor");
    refused(&app, Role::Manager, "/export/usage?format=CSV")
        .await
        .check_failure("TokenValueError")
        .check_param("format");

    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let page = viewer.get("/usage?outcome=used").await;
    page.check(200, &["/export/usage?outcome=used&#38;format=excel"]);
}

#[actix_web::test]
async fn line_ends_of_the_log_stay_within_their_cell() {
    let app = App::start().await;
    write(&mut app.connection(), &[used("2026-10-24", "a\r\nb,\"c\";d")]);
    for (format, name) in [("csv", "token_value"), ("excel", "Token value")] {
        let text = exported(&app, &format!("/export/usage?format={format}")).await;
        assert_eq!(column(&table(text.trim_start_matches('\u{feff}'), b','), name), ["a\r\nb,\"c\";d"]);
    }
    let text = exported(&app, "/export/usage?format=jsonl").await;
    assert_eq!((text.lines().count(), &lines(&text)[0]["token_value"]), (1, &json!("a\r\nb,\"c\";d")));
}

#[actix_web::test]
async fn the_audit_is_for_managers_and_has_what_its_page_shows() {
    let app = App::start().await;
    let by = Principal::user("anna");
    transaction(&mut app.connection(), |connection| {
        for n in 0..1_200 {
            let at = Micros::stored(1_800_000_000_000_000 + n);
            audit::record(connection, &by, "token void", &format!("=subject-{n}"), "a; b", at)?;
        }
        audit::record(connection, &by, "of another version", "x", "", Micros::stored(1_800_000_100_000_000))
    })
    .unwrap();
    let rows = table(&exported(&app, "/export/audit?who=anna").await, b',');
    assert_eq!(rows[0], ["timestamp", "user", "action", "subject", "detail"]);
    let subjects = column(&rows, "subject");
    assert_eq!(
        (subjects.len(), subjects[0], subjects[1], subjects[1_200]),
        (1_201, "x", "=subject-1199", "=subject-0")
    );
    let excel = exported(&app, "/export/audit?format=excel&what=token+void").await;
    let rows = table(excel.trim_start_matches('\u{feff}'), b',');
    assert_eq!(rows[0], ["Time", "User", "Action", "Subject", "Details"]);
    assert_eq!(rows[1], ["2027-01-15 09:00:00", "anna", "Token voided", "'=subject-1199", "a; b"]);
    assert_eq!(lines(&exported(&app, "/export/audit?format=jsonl&what=of+another+version").await).len(), 1);
    assert_eq!(table(&exported(&app, "/export/audit?to=2020-01-01").await, b',').len(), 1);

    for role in [Role::Scanner, Role::Viewer, Role::Editor, Role::Admin] {
        refused(&app, role, "/export/audit").await.check_failure("Forbidden");
    }
    refused(&app, Role::Manager, "/export/audit?after=x").await.check_failure("TokenAPIError").check_param("after");
    refused(&app, Role::Manager, "/export/audit?from=soon").await.check_failure("TokenValueError").check_param("from");
    let mut manager = Browser::of(&app, Role::Manager).await;
    manager
        .get("/audit?who=anna")
        .await
        .check(200, &["/export/audit?who=anna&#38;format=csv", "CSV for Excel", "CSV for programs"]);
}

#[actix_web::test]
async fn print_runs_have_what_became_of_their_tokens() {
    let app = App::start().await;
    let uids = add_labelled(&app, 4).await;
    let mut runs = Vec::new();
    for n in 0..12 {
        runs.push(keep_run_of(&app, &uids[..=n % 4], 100 + n, None).await.uid);
    }
    app.consume(&uids[0].to_string()).await.check_success();
    app.post(&format!("/{}/delete_token", uids[1]), &[]).await.check_success();
    app.post(&format!("/{}/void_token", uids[2]), &[]).await.check_success();
    runs.reverse();

    let rows = table(&exported(&app, "/export/print_runs").await, b',');
    assert_eq!(column(&rows, "uid"), runs);
    let of = |name| column(&rows, name)[0];
    assert_eq!((of("labels"), of("used"), of("never_used"), of("voided"), of("deleted")), ("4", "1", "2", "1", "1"));
    assert_eq!(
        (of("sheet"), of("sheet_name"), of("size"), of("user")),
        ("avery-l7160", "Käse <1>", "111", "user:anna")
    );
    let objects = lines(&exported(&app, "/export/print_runs?format=jsonl").await);
    assert_eq!((objects.len(), &objects[0]["labels"]), (12, &json!(4)));
    refused(&app, Role::Manager, "/export/print_runs?q=x").await.check_failure("TokenAPIError").check_param("q");
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    viewer.get("/print_runs").await.check(200, &["/export/print_runs?format=jsonl"]);
}

#[actix_web::test]
async fn batches_have_what_became_of_their_tokens() {
    let app = App::start().await;
    let mut uids = Vec::new();
    for n in 0..12 {
        let form = [("count", "4"), ("batch_name", &*format!("=Batch {n}")), ("usage_count", "1")];
        let added = app.post("/add_tokens", &form).await;
        uids = added.check_success().body["token_uids"].as_array().unwrap().clone();
    }
    app.post("/add_tokens", &[("count", "2")]).await.check_success();
    app.consume(uids[0].as_str().unwrap()).await.check_success();
    app.post("/void_token", &[("token_uid", uids[1].as_str().unwrap())]).await.check_success();
    app.post("/delete_token", &[("token_uid", uids[2].as_str().unwrap())]).await.check_success();

    let rows = table(&exported(&app, "/export/batches").await, b',');
    assert_eq!(rows.len(), 13, "those with a name");
    let of = |name| column(&rows, name)[0];
    assert_eq!((of("name"), of("creator"), of("count"), of("present")), ("=Batch 11", "key:manager", "4", "3"));
    assert_eq!((of("used"), of("used_up"), of("voided"), of("deleted")), ("1", "1", "1", "1"));
    let excel = exported(&app, "/export/batches?format=excel").await;
    let rows = table(excel.strip_prefix('\u{feff}').unwrap(), b',');
    assert_eq!(rows[0][..5], ["ID", "Name", "Created", "Created by", "Tokens created"]);
    assert_eq!((&*rows[1][1], &*rows[1][3]), ("'=Batch 11", "API key manager"));
    assert_eq!(lines(&exported(&app, "/export/batches?format=jsonl").await)[0]["count"], json!(4));
    refused(&app, Role::Scanner, "/export/batches").await.check_failure("Forbidden");
    refused(&app, Role::Viewer, "/export/batches?q=x").await.check_failure("TokenAPIError").check_param("q");
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    viewer.get("/batches").await.check(200, &["/export/batches?format=excel"]);
}

#[actix_web::test]
async fn a_cell_for_people_is_no_formula_wherever_it_is_divided() {
    let app = App::start().await;
    let values = ["a;=1+1;b", "x, \"@SUM(A1)", "a\t-2", "ok; fine, too"];
    write(&mut app.connection(), &values.map(|value| used("2026-10-24", value)));
    let excel = exported(&app, "/export/usage?format=excel").await;
    let rows = table(excel.trim_start_matches('\u{feff}'), b',');
    let mut cells = column(&rows, "Token value");
    cells.reverse();
    assert_eq!(cells, ["a;'=1+1;b", "x, \"'@SUM(A1)", "a\t'-2", "ok; fine, too"]);
    for divided in excel.split([';', ',', '\t', '\n']) {
        let begins = divided.trim_start_matches([' ', '"']);
        let is_number = begins.trim_end().parse::<i64>().is_ok();
        assert!(is_number || !begins.starts_with(['=', '+', '-', '@']), "{divided:?} in {excel}");
    }
    let csv = exported(&app, "/export/usage").await;
    let rows = table(&csv, b',');
    let mut cells = column(&rows, "token_value");
    cells.reverse();
    assert_eq!(cells, values, "for programs, every text is what it is");
}
