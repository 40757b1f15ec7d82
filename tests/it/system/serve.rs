//! `tessera serve`: how it begins, what it logs, how it ends, and what it does when the machine fails it.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::app::{send, with_required};
use crate::support::database::{on_postgres, tables};
use crate::support::process::{Place, check_failed};

#[actix_web::test]
async fn serve_on_nothing_just_works() {
    let place = Place::new();
    let mut server = place.serve();
    let said = server.log();
    let password = said.lines().find_map(|line| line.trim().strip_prefix("password  ")).unwrap();
    assert!(password.ends_with("(shown only this once)") && password.split('-').count() == 5, "{said}");
    assert!(said.contains("key add first --role manager") && said.contains("/consume_token"), "{said}");

    // What it says to do next is done, by a shell.
    let said = said.replace("\\\n", "");
    let command = |begins: &str| {
        said.lines().map(str::trim).filter(|line| line.starts_with(begins)).map(str::to_owned).collect::<Vec<_>>()
    };
    let shell = |script: String| {
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &script]).current_dir(place.path(""));
        let database = place.database.iter().map(|database| ("TESSERA_DATABASE_URL", &database.text));
        let done = shell.envs(database).output().unwrap();
        String::from_utf8(done.stdout).unwrap()
    };
    let (key, curls) = (command("KEY=").remove(0), command("curl "));
    let key = format!("KEY={}", shell(format!("{key}; echo $KEY")).trim());
    let added: serde_json::Value = serde_json::from_str(&shell(format!("{key}; {} -s", curls[0]))).unwrap();
    let used = curls[1].replace("TOKEN_UID", added["token_uid"].as_str().unwrap());
    let used: serde_json::Value = serde_json::from_str(&shell(format!("{key}; {used} -s"))).unwrap();
    assert_eq!((&used["consumed"], &used["usage_count"]), (&true.into(), &2.into()));

    server.terminate();
    assert_eq!(server.wait(), Some(0));
    let again = place.serve();
    assert!(!again.log().contains("password"), "{}", again.log());
}

#[test]
fn the_admins_password_can_be_given_and_must_be_good() {
    let place = Place::new();
    let serve = ["serve", "--bind", "127.0.0.1:0"];
    let bad = place.run_with(&serve, &[("TESSERA_ADMIN_PASSWORD", "password1234")], "");
    check_failed(&bad, 1, "TESSERA_ADMIN_PASSWORD cannot be used");
    assert!(!place.path("tessera.db").exists(), "nothing is begun");
    assert!(!on_postgres() || tables(&mut place.connection()) == 0, "nothing is begun");
    let server = place.serve_after("export TESSERA_ADMIN_PASSWORD='correct horse battery'");
    assert!(server.log().contains("the one in TESSERA_ADMIN_PASSWORD"));
    assert!(!server.log().contains("correct horse"));
    assert!(place.works(&["user", "list"]).contains("admin"));
}

#[test]
fn a_port_in_use_is_said_and_costs_nothing() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    place.fails(&["serve", "--bind", &address], 1, "another program listens there");
    assert!(place.serve().log().contains("(shown only this once)"), "the first admin is still to come");
}

#[actix_web::test]
async fn each_request_is_one_line_with_an_id_and_without_values() {
    let place = Place::new();
    let server = place.serve();
    let key = place.key("viewer");
    send(server.get(&key, "/query_token?value=secret-value")).await.check_success();
    let uid = "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f";
    send(server.get(&key, &format!("/{uid}/consume_token"))).await.check_failure("Forbidden");
    let log = server.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("/query_token")).collect();
    assert_eq!(lines.len(), 1, "{log}");
    for part in ["id=", "method=GET", "status=200", "micros=", "who=\"key:viewer", "client=127.0.0.1"] {
        assert!(lines[0].contains(part), "{part} is not in {}", lines[0]);
    }
    assert!(!log.contains("secret-value") && !log.contains(&key) && !log.contains(uid));
    assert!(log.contains("path=\"/1f0e6c1a…/consume_token\""), "{log}");
}

#[actix_web::test]
async fn sigterm_finishes_what_is_under_way() {
    let place = Place::new();
    let mut server = place.serve();
    let key = place.key("editor");
    let long = server.post(&key, "/add_tokens").form(&[("count", "100000")]);
    let under_way = tokio::spawn(async move { send(long).await });
    tokio::time::sleep(Duration::from_millis(150)).await;
    let since = Instant::now();
    server.terminate();
    while TcpStream::connect(server.address()).await.is_ok() {
        assert!(since.elapsed() < Duration::from_secs(10), "new connections are still accepted");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    under_way.await.unwrap().check_success();
    assert_eq!(server.wait(), Some(0));
    assert!(since.elapsed() < Duration::from_secs(25), "{:?}", since.elapsed());
}

#[actix_web::test]
async fn sigterm_finishes_a_batch_whose_request_has_its_answer() {
    let place = Place::new();
    let mut server = place.serve();
    let key = place.key("editor");
    let batch = tessera::token::Uid::random().to_string();
    let form = [("batch_uid", &*batch), ("count", "100000"), ("usage_count", "1"), ("lock_time", "0")];
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let add = client.post(format!("{}/add_many", server.base)).bearer_auth(&key).form(&form);
    assert_eq!(add.send().await.unwrap().status().as_u16(), 303);
    drop(client);
    server.terminate();
    assert_eq!(server.wait(), Some(0));
    let server = place.serve();
    let found = send(server.get(&key, &format!("/query_tokens?batch={batch}&limit=1"))).await;
    assert_eq!(found.check_success().body["tokens"].as_array().map(Vec::len), Some(1));
}

#[actix_web::test]
async fn sigterm_waits_for_no_request_that_was_never_sent_whole() {
    let place = Place::new();
    let mut server = place.serve();
    let key = place.key("editor");
    let mut half_head = TcpStream::connect(server.address()).await.unwrap();
    half_head.write_all(b"GET /healthz HT").await.unwrap();
    let mut half_body = TcpStream::connect(server.address()).await.unwrap();
    let head = format!(
        "POST /add_tokens HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    );
    half_body.write_all(head.as_bytes()).await.unwrap();
    let mut idle = TcpStream::connect(server.address()).await.unwrap();
    ask_health(&mut idle).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let since = Instant::now();
    server.terminate();
    assert_eq!(server.wait(), Some(0));
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
}

#[actix_web::test]
async fn a_full_disk_is_503_and_loses_nothing() {
    // A server's disk is the server's.
    only_on_sqlite!();
    let place = Place::new();
    // The shell's limit is in blocks of 512 bytes: files may grow to 1 MiB and no further.
    let server = place.serve_after("trap '' XFSZ; ulimit -f 2048");
    let key = place.key("manager");
    let add =
        |count: &'static str| send(server.post(&key, "/add_tokens").form(&[("count", count), ("usage_count", "-1")]));
    let first = add("10").await;
    let uid = first.check_success().body["token_uids"][0].as_str().unwrap().to_owned();
    let full = add("100000").await;
    full.check_failure("Unavailable");
    assert_eq!(full.header("retry-after"), "1");
    let mut acknowledged = 0;
    loop {
        let answer = send(server.post(&key, &format!("/{uid}/consume_token"))).await;
        if answer.status != 200 {
            answer.check_failure("Unavailable");
            break;
        }
        acknowledged += 1;
        assert!(acknowledged < 20_000, "the disk is never full");
    }
    drop(server);
    let server = place.serve();
    let listed = send(server.get(&key, "/query_tokens?limit=1000")).await;
    assert_eq!(listed.check_success().body["tokens"].as_array().unwrap().len(), 10, "nothing of what failed was kept");
    let used = usage_count(&server, &key, &uid).await;
    assert_eq!(used, acknowledged);
    send(server.post(&key, &format!("/{uid}/consume_token"))).await.check_success();
}

/// How many successful uses of a token the log has.
async fn usage_count(server: &crate::support::process::Server, key: &str, uid: &str) -> usize {
    server.usage(key, uid).await.iter().filter(|entry| entry["error_code"].is_null()).count()
}

#[actix_web::test]
async fn a_database_in_the_way_of_another_writer_is_503_and_heals() {
    // PostgreSQL locks rows.
    only_on_sqlite!();
    let place = Place::new();
    let server = place.serve();
    let key = place.key("editor");
    let mut other = place.connection();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let form = with_required(&[]);
    let since = Instant::now();
    let waiting = (0..40).map(|_| send(server.post(&key, "/add_token").form(&form)));
    for told in futures_util::future::join_all(waiting).await {
        told.check_failure("Unavailable");
    }
    assert!(since.elapsed() < Duration::from_secs(15), "each waited for its own turn: {:?}", since.elapsed());
    send(server.get(&key, "/query_tokens")).await.check_success();
    other.batch_execute("ROLLBACK").unwrap();
    send(server.post(&key, "/add_token").form(&form)).await.check_success();
}

#[actix_web::test]
async fn a_log_that_cannot_be_written_costs_nothing_but_the_log() {
    let place = Place::migrated();
    let key = place.key("editor");
    let mut server = place.serve_after("exec 2>/dev/full");
    let added = send(server.post(&key, "/add_token").form(&with_required(&[]))).await;
    let uid = added.check_success().body["token_uid"].as_str().unwrap().to_owned();
    send(server.post(&key, &format!("/{uid}/consume_token"))).await.check_success();
    server.terminate();
    assert_eq!(server.wait(), Some(0));
}

#[actix_web::test]
async fn a_log_that_nobody_reads_stops_nothing_and_says_what_was_dropped() {
    let place = Place::new();
    let mut server = place.serve_after("mkfifo log.fifo; exec 2<>log.fifo");
    let client = reqwest::Client::new();
    // More than the pipe and the queue hold.
    for _ in 0..300 {
        let asks =
            (0..20).map(|_| client.get(format!("{}/nothing", server.base)).header("Accept", "application/json").send());
        for answer in futures_util::future::join_all(asks).await {
            assert_eq!(answer.unwrap().status(), 401);
        }
    }
    let pipe = std::fs::File::open(place.path("log.fifo")).unwrap();
    let told = std::io::BufRead::lines(std::io::BufReader::new(pipe)).map_while(Result::ok);
    assert!(told.take(100_000).any(|line| line.contains("log lines were dropped")));
    server.terminate();
    assert_eq!(server.wait(), Some(0));
}

#[actix_web::test]
async fn sigterm_answers_what_lies_in_the_sockets() {
    let place = Place::new();
    for _ in 0..3 {
        let mut server = place.serve();
        let mut sockets = Vec::new();
        for _ in 0..100 {
            let mut socket = TcpStream::connect(server.address()).await.unwrap();
            ask_health(&mut socket).await;
            sockets.push(socket);
        }
        for socket in &mut sockets {
            socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        }
        server.terminate();
        for socket in &mut sockets {
            let mut answer = String::new();
            socket.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
        }
        assert_eq!(server.wait(), Some(0));
    }
}

/// Asks for the health over a connection that is kept, and reads the answer.
async fn ask_health(socket: &mut TcpStream) {
    socket.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"ok\n") {
        let mut part = [0; 512];
        let read = socket.read(&mut part).await.unwrap();
        assert_ne!(read, 0);
        answer.extend_from_slice(&part[..read]);
    }
}

#[actix_web::test]
async fn a_database_that_was_moved_away_is_503_until_it_is_back() {
    only_on_sqlite!();
    let place = Place::new();
    let server = place.serve();
    let key = place.key("editor");
    let added = send(server.post(&key, "/add_token").form(&with_required(&[("usage_count", "5")]))).await;
    let uid = added.check_success().body["token_uid"].as_str().unwrap().to_owned();
    let consume = || send(server.post(&key, &format!("/{uid}/consume_token")));
    consume().await.check_success();
    std::fs::rename(place.path("tessera.db"), place.path("away.db")).unwrap();
    consume().await.check_failure("Unavailable");
    send(server.get(&key, "/query_tokens")).await.check_failure("Unavailable");
    let ready = || async { reqwest::get(format!("{}/readyz", server.base)).await.unwrap().status().as_u16() };
    assert_eq!(ready().await, 503);
    assert_eq!(reqwest::get(format!("{}/healthz", server.base)).await.unwrap().status(), 200);
    std::fs::rename(place.path("away.db"), place.path("tessera.db")).unwrap();
    assert_eq!(ready().await, 200);
    assert_eq!(consume().await.check_success().body["usage_count"], 3);
}
