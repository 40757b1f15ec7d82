//! Real servers behind proxies: whose address is logged, and who stays signed in.

use std::time::Duration;

use reqwest::{Client, redirect};
use tessera::access::Role;

use crate::support::database::on_postgres;
use crate::support::process::{Place, Server};
use crate::support::raw::{header, until_closed};

const PASSWORD: &str = "mosaic-tile-1887";

/// The logged addresses of the requests that have this path.
fn clients(server: &Server, path: &str) -> Vec<String> {
    let log = server.log();
    let lines = log.lines().filter(|line| line.contains(&format!("path=\"{path}\"")) && line.contains("status="));
    let client =
        |line: &str| line.split("client=").nth(1).map(|rest| rest.split([' ', '}']).next().unwrap().to_owned());
    lines.map(|line| client(line).unwrap_or_else(|| panic!("{line}"))).collect()
}

#[actix_web::test]
async fn each_line_of_the_log_has_the_clients_address() {
    let place = Place::new();
    for (trusted, forwarded, client) in [
        ("127.0.0.1", "203.0.113.7:5678", "203.0.113.7"),
        ("127.0.0.1", "1.2.3.4, [2001:db8::1]:443, ", "2001:db8::1"),
        ("127.0.0.1,10.0.0.0/8", "1.2.3.4\r\nX-Forwarded-For: 203.0.113.7, 10.0.0.2:80", "203.0.113.7"),
        ("127.0.0.1", "1.2.3.4, unknown", "127.0.0.1"),
        ("10.0.0.0/8", "203.0.113.7", "127.0.0.1"),
        ("", "203.0.113.7", "127.0.0.1"),
    ] {
        let server = place.serve_after(&format!("export TESSERA_TRUSTED_PROXIES='{trusted}'"));
        for path in ["/healthz", "/readyz", "/login", "/nothing", "/add_token"] {
            let request = format!("GET {path} HTTP/1.0\r\nHost: x\r\nX-Forwarded-For: {forwarded}\r\n\r\n");
            until_closed(&server.base, &request).await;
            // The log is written beside the answer.
            for _ in 0..100 {
                if !clients(&server, path).is_empty() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            assert_eq!(clients(&server, path), [client], "{trusted} {forwarded}");
        }
    }
}

async fn sign_in(server: &Server, cookie: &str) -> String {
    let client = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    let form = [("name", "anna"), ("password", PASSWORD)];
    let answer =
        client.post(format!("{}/login", server.base)).header("Cookie", cookie).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
}

async fn status(server: &Server, cookie: &str) -> u16 {
    let client = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    client.get(format!("{}/account", server.base)).header("Cookie", cookie).send().await.unwrap().status().as_u16()
}

/// On a server, two instances of one database behind one name are one to a browser; on SQLite each has its port.
#[actix_web::test]
async fn instances_share_a_session_or_leave_each_others_alone() {
    let place = Place::new();
    let servers = [place.serve(), place.serve()];
    let added =
        place.run_with(&["user", "add", "anna", "--role", Role::Viewer.word(), "--password-stdin"], &[], PASSWORD);
    assert!(added.status.success());
    let first = sign_in(&servers[0], "").await;
    let port = servers[0].base.rsplit(':').next().unwrap();
    assert!(
        first.starts_with(&if on_postgres() { "tessera=".to_owned() } else { format!("tessera_{port}=") }),
        "{first}"
    );
    if on_postgres() {
        assert_eq!(status(&servers[1], &first).await, 200);
        return;
    }
    let second = sign_in(&servers[1], &first).await;
    let both = format!("{first}; {second}");
    assert_eq!((status(&servers[0], &both).await, status(&servers[1], &both).await), (200, 200));
    assert_eq!(status(&servers[1], &first).await, 303, "the other's cookie is nobody's here");
}

/// With a public URL all that stand behind it have one name for the cookie.
#[actix_web::test]
async fn instances_behind_one_name_share_a_session() {
    let place = Place::new();
    let serve = || place.serve_after("export TESSERA_PUBLIC_URL=http://tickets.example.org:8443");
    let servers = [serve(), serve()];
    let added =
        place.run_with(&["user", "add", "anna", "--role", Role::Viewer.word(), "--password-stdin"], &[], PASSWORD);
    assert!(added.status.success());
    let cookie = sign_in(&servers[0], "").await;
    assert!(cookie.starts_with("tessera_8443="), "{cookie}");
    assert_eq!(status(&servers[1], &cookie).await, 200);
}

/// Asks as nginx does that has basic authentication before a base path, and speaks HTTP/1.0 to its upstream.
async fn by_nginx(server: &Server, method: &str, path: &str, more: &str, form: &str) -> (String, Vec<u8>) {
    let request = format!(
        "{method} /tickets{path} HTTP/1.0\r\nHost: tickets.example.org:81\r\nX-Forwarded-For: 1.2.3.4, 203.0.113.7\r\n\
         Connection: close\r\nContent-Length: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n{more}\r\n{form}",
        form.len()
    );
    let (head, body) = until_closed(&server.base, &request).await;
    assert_eq!(header(&head, "transfer-encoding"), "", "{path}: {head}");
    (head, body)
}

#[actix_web::test]
async fn behind_nginx_people_and_programs_do_all_they_do() {
    let place = Place::new();
    let server = place.serve_after(
        "export TESSERA_ADMIN_PASSWORD='mosaic-tile-1887' TESSERA_PUBLIC_URL=http://tickets.example.org:81/tickets \
         TESSERA_TRUSTED_PROXIES=127.0.0.1",
    );
    let browser =
        "Authorization: Basic YW5uYTpkb29yd2F5\r\nOrigin: http://tickets.example.org:81\r\nAccept: text/html\r\n";
    let (led, _) = by_nginx(&server, "GET", "?q=x", browser, "").await;
    assert_eq!(header(&led, "location"), "/tickets/?q=x", "{led}");
    let (led, _) = by_nginx(&server, "GET", "/", browser, "").await;
    assert!(header(&led, "location").starts_with("/tickets/login?next="), "{led}");
    let form = format!("name=admin&password={PASSWORD}&next=%2Ftickets%2Fadd%2F");
    let (signed_in, _) = by_nginx(&server, "POST", "/login", browser, &form).await;
    assert_eq!(header(&signed_in, "location"), "/tickets/add/", "{signed_in}");
    let cookie = header(&signed_in, "set-cookie").split(';').next().unwrap();
    assert!(cookie.starts_with("tessera_81="), "{cookie}");

    let session = format!("{browser}Cookie: {cookie}\r\n");
    let (added, _) = by_nginx(&server, "POST", "/add/", &session, "usage_count=3&lock_time=0&label=Anna").await;
    let tile = header(&added, "location").split('?').next().unwrap().trim_start_matches("/tickets").to_owned();
    assert_eq!(tile.len(), 37, "{added}");
    let (used, _) = by_nginx(&server, "POST", &format!("{tile}/use"), &session, "").await;
    assert!(header(&used, "location").contains("?done=used-"), "{used}");
    let (printed, pdf) = by_nginx(&server, "GET", "/sheet.pdf?all=1", &session, "").await;
    assert!(printed.starts_with("HTTP/1.0 200 ") && pdf.starts_with(b"%PDF-"), "{printed}");
    assert_eq!(header(&printed, "content-length"), pdf.len().to_string());
    let (exported, rows) = by_nginx(&server, "GET", "/export/tokens", &session, "").await;
    assert!(exported.starts_with("HTTP/1.0 200 ") && String::from_utf8_lossy(&rows).contains("Anna"), "{exported}");

    let program = format!("Authorization: Bearer {}\r\n", place.key("editor"));
    let (used, body) = by_nginx(&server, "POST", &format!("{tile}/consume_token/"), &program, "").await;
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&body["usage_count"], header(&used, "content-type")), (&1.into(), "application/json"));
    let (mistyped, body) = by_nginx(&server, "GET", "/query_tokenz", &program, "").await;
    assert!(mistyped.starts_with("HTTP/1.0 404 ") && body.starts_with(b"{"), "{mistyped}");
    let log = server.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("status=")).collect();
    assert!(lines.len() >= 9 && lines.iter().all(|line| line.contains("client=203.0.113.7")), "{log}");
}
