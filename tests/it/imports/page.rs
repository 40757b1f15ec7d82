//! `/import`: a file is sent, its columns are chosen, what it would do is seen, and then it is done.

use reqwest::Method;
use tessera::access::Role;

use crate::support::app::{App, add_key};
use crate::support::browser::Browser;
use crate::support::database::number;
use crate::support::imports::{check_file, numbered, run_file, send_file, step, with_file};

async fn tokens(app: &App) -> Vec<serde_json::Value> {
    let all = app.get("/query_tokens", &[("limit", "1000")]).await;
    all.check_success().body["tokens"].as_array().unwrap().clone()
}

#[actix_web::test]
async fn a_file_is_sent_seen_and_imported() {
    let app = App::start().await;
    let file = "Name;Code;uses;Room\r\n\"Locker; 1\";A1;3;x\r\nSpind Größe;A2;unlimited;\r\n;;;\r\nLocker 3;;;\r\n";
    let uid = send_file(&app, "lockers.csv", file.as_bytes()).await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let page = browser.get(&format!("/import/{uid}")).await;
    page.check(200, &["lockers.csv", "Spind Größe", "Check the file", "<option value=\"Code\">Code</option>"]);
    let chosen = [
        ("mode", "add"),
        ("column_label", "Name"),
        ("column_value", "Code"),
        ("column_usage_count", "uses"),
        ("batch_name", "Summer"),
    ];
    let page = check_file(&app, &uid, &chosen).await;
    for words in ["Create 3 tokens?", "Locker; 1", "Summer", "Room", "All lines are imported together"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(tokens(&app).await.len(), 0, "nothing is done yet");
    let page = run_file(&app, Role::Editor, &uid).await;
    assert!(page.contains("3 tokens added"), "{page}");
    let made = tokens(&app).await;
    let of = |n: usize, field: &str| made[n][field].clone();
    assert_eq!((of(2, "label"), of(2, "value"), of(2, "usage_count")), ("Locker; 1".into(), "A1".into(), 3.into()));
    assert_eq!((of(1, "label"), of(1, "usage_count")), ("Spind Größe".into(), (-1).into()));
    assert_eq!((of(0, "label"), of(0, "value")), ("Locker 3".into(), of(0, "uid")));
    assert_eq!(of(0, "creator"), "key:editor");
    app.post("/consume_token", &[("value", "A1")]).await.check_success();
    browser.get("/batches").await.check(200, &["Summer"]);
    let mut manager = Browser::of(&app, Role::Manager).await;
    manager.get("/audit").await.check(200, &["imported", "3 tokens", "lockers.csv"]);
    browser.get("/import").await.check(200, &["lockers.csv", "Imported"]);
    // Sent once more, it is not done again.
    run_file(&app, Role::Editor, &uid).await;
    assert_eq!(tokens(&app).await.len(), 3);
}

#[actix_web::test]
async fn errors_are_told_with_their_lines_and_nothing_is_imported() {
    let app = App::start().await;
    let taken = [("value", "taken"), ("usage_count", "1"), ("lock_time", ""), ("valid_from", ""), ("valid_to", "")];
    app.post("/add_token", &taken).await.check_success();
    let file = "value,label,usage_count\ntaken,a,1\ngood,b,1\ngood,c,1\n1.23E+15,d,1\ne,\"two\nlines\",x\nshort\n";
    let uid = send_file(&app, "codes.csv", file.as_bytes()).await;
    let page = check_file(&app, &uid, &[("mode", "add")]).await;
    for words in [
        "6 errors in 6 lines",
        "in use by another token",
        "Line 3 has the same value",
        "a long number that a spreadsheet has shortened",
        "not a whole number",
        "1 cell, and the first line of the file names 3",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("/run\""), "{page}");
    let page = run_file(&app, Role::Editor, &uid).await;
    assert!(page.contains("6 errors"), "{page}");
    assert_eq!(tokens(&app).await.len(), 1);
    let request = app.request(Role::Editor, Method::GET, &format!("/import/{uid}/errors.csv"));
    let lines = request.send().await.unwrap().text().await.unwrap();
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(lines.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let numbers: Vec<&str> = rows.iter().map(|row| &row[0]).collect();
    assert_eq!(numbers, ["2", "4", "5", "6", "8"]);
    assert_eq!((&rows[3][2], &rows[3][3]), ("e", "two\nlines"));
    assert!(rows[3][1].contains("label:") && rows[3][1].contains("usage_count:"), "{:?}", rows[3]);
}

#[actix_web::test]
async fn voiding_by_a_file_needs_the_role_for_it() {
    let app = App::start().await;
    let file = b"value,voided,void_reason\nA,2026-01-02T03:04:05.678901Z,Lost\nB,,\n";
    let uid = send_file(&app, "voided.csv", file).await;
    let page = check_file(&app, &uid, &[("mode", "add")]).await;
    assert!(page.contains("Only an admin or a manager can void"), "{page}");
    let page = step(&app, Role::Admin, &uid, ("check", &[("mode", "add")])).await;
    assert!(page.contains("Create 2 tokens?"), "{page}");
    let page = run_file(&app, Role::Editor, &uid).await;
    assert!(page.contains("Ask an administrator to import this file"), "{page}");
    assert_eq!(tokens(&app).await.len(), 0);
    run_file(&app, Role::Admin, &uid).await;
    let made = tokens(&app).await;
    assert_eq!(made[1]["voided"], "2026-01-02T03:04:05.678901Z");
    assert_eq!((made[1]["void_reason"].clone(), made[1]["voided_by"].clone()), ("Lost".into(), "key:admin".into()));
    assert!(made[0]["voided"].is_null());
}

#[actix_web::test]
async fn a_value_that_is_given_meanwhile_stops_the_whole_import() {
    let app = App::start().await;
    let lines = numbered(450, |n| format!("A{n}\n"));
    let uid = send_file(&app, "codes.csv", format!("value\n{lines}").as_bytes()).await;
    check_file(&app, &uid, &[("mode", "add")]).await;
    let taken = [("value", "A449"), ("usage_count", "1"), ("lock_time", ""), ("valid_from", ""), ("valid_to", "")];
    app.post("/add_token", &taken).await.check_success();
    let page = run_file(&app, Role::Editor, &uid).await;
    assert!(page.contains("Nothing was imported") && page.contains("after the file was checked"), "{page}");
    assert_eq!(tokens(&app).await.len(), 1);
    let page = check_file(&app, &uid, &[("mode", "add")]).await;
    assert!(page.contains("1 error in 450 lines") && page.contains("A449"), "{page}");
}

#[actix_web::test]
async fn two_clicks_at_once_import_once() {
    let app = App::start().await;
    let lines = "label,batch\n".to_owned() + &"x,Winter\n".repeat(1_000);
    let uid = send_file(&app, "many.csv", lines.as_bytes()).await;
    check_file(&app, &uid, &[("mode", "add")]).await;
    let clicks = (0..6).map(|_| run_file(&app, Role::Editor, &uid));
    for page in futures_util::future::join_all(clicks).await {
        assert!(page.contains("1,000 tokens added"), "{page}");
    }
    assert_eq!(number(&mut app.connection(), "SELECT COUNT(*) FROM tokens"), 1_000);
    assert_eq!(number(&mut app.connection(), "SELECT COUNT(*) FROM batches"), 1);
}

#[actix_web::test]
async fn what_is_no_file_of_tokens_is_refused_in_words() {
    let app = App::start().await;
    let request = || app.request(Role::Editor, Method::POST, "/import").header("Accept", "text/html");
    let text = |answer: reqwest::Response| async { (answer.status().as_u16(), answer.text().await.unwrap()) };
    let (status, page) = text(with_file(request(), "empty.csv", b"").send().await.unwrap()).await;
    assert!(status == 422 && page.contains("Choose a file that is not empty"), "{page}");
    let (status, page) = text(request().form(&[("file", "x")]).send().await.unwrap()).await;
    assert!(status == 400 && page.contains("The file could not be read"), "{status} {page}");
    for (bytes, words) in [
        (&b"PK\x03\x04rest"[..], "a spreadsheet"),
        (b"label\nGr\xf6\xdfe\n", "choose windows-1252"),
        (b"a\0b\0", "UTF-16 without a byte order mark"),
        (b"Name,Code\nx,y\n", "has no column with a known name"),
        (b"label\n\"never ends\nx\ny\n", "A quote opens here and never closes"),
    ] {
        let uid = send_file(&app, "file.csv", bytes).await;
        let page = check_file(&app, &uid, &[("mode", "add")]).await;
        assert!(page.contains(words), "{words}: {page}");
        run_file(&app, Role::Editor, &uid).await;
    }
    assert_eq!(tokens(&app).await.len(), 0);
    let uid = send_file(&app, "file.csv", b"label\nGr\xf6\xdfe\n").await;
    let page = check_file(&app, &uid, &[("mode", "add"), ("encoding", "windows-1252")]).await;
    assert!(page.contains("Größe"), "{page}");
}

#[actix_web::test]
async fn a_file_that_is_not_sent_whole_is_not_there() {
    let app = App::start().await;
    let mut connection = app.connection();
    let address = app.base.trim_start_matches("http://").to_owned();
    let key = add_key(&mut connection, "sender", Role::Editor, None);
    let send = move || {
        use std::io::Write;
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        let head = format!(
            "POST /import HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\nContent-Length: 9000000\r\n\
             Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; \
             filename=\"a.csv\"\r\n\r\nlabel\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&vec![b'x'; 600_000]).unwrap();
    };
    tokio::task::spawn_blocking(send).await.unwrap();
    for _ in 0..100 {
        if number(&mut connection, "SELECT COUNT(*) FROM import_parts") > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let mut browser = Browser::of(&app, Role::Editor).await;
    let page = browser.get("/import").await;
    assert!(!page.text.contains("a.csv"), "{}", page.text);
}

/// A code must not lead to another token than it says.
#[actix_web::test]
async fn nobody_takes_over_the_code_of_another_token() {
    let app = App::start().await;
    let other = app.add(&[("value", "other"), ("usage_count", "1")]).await;
    let link = format!("{}/{other}", app.base);
    let own = tessera::token::Uid::random();
    let file = format!("uid,value\n,{other}\n{own},{other}\n,{link}\n");
    let uid = send_file(&app, "codes.csv", file.as_bytes()).await;
    let page = check_file(&app, &uid, &[("mode", "add")]).await;
    for words in [
        "3 errors in 3 lines",
        "must be the token&#39;s own ID",
        "the ID of another token",
        "the address of another token",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
}

#[actix_web::test]
async fn an_import_whose_server_ended_is_started_again() {
    use diesel::connection::SimpleConnection;
    let app = App::start().await;
    let uid = send_file(&app, "a.csv", b"value\r\nA\r\nB\r\n").await;
    check_file(&app, &uid, &[("mode", "add")]).await;
    app.connection().batch_execute("UPDATE imports SET stage = 'importing', touched = 1").unwrap();
    let mut browser = Browser::of(&app, Role::Editor).await;
    browser
        .get(&format!("/import/{uid}"))
        .await
        .check(200, &["The server ended before this was done", "Create 2 tokens"]);
    let page = run_file(&app, Role::Editor, &uid).await;
    assert!(page.contains("2 tokens added"), "{page}");
    // Tokens of an import that was given up are in the way until they are removed: said once, and not for each line.
    app.connection().batch_execute("UPDATE batches SET made = NULL, failure = 'x'").unwrap();
    let uid = send_file(&app, "a.csv", b"value\nA\nB\n").await;
    let page = check_file(&app, &uid, &[("mode", "add")]).await;
    assert!(page.contains("Another import is adding these values") && !page.contains("errors in"), "{page}");
}
