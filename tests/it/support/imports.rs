//! Files that are sent to be imported.

use reqwest::{Method, RequestBuilder};
use tessera::access::Role;

use crate::support::app::App;

const BOUNDARY: &str = "----------------tile-and-token";

/// A form with a file, as a browser sends it.
pub fn with_file(request: RequestBuilder, name: &str, bytes: &[u8]) -> RequestBuilder {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: text/csv\r\n\r\n"
    );
    let body = [head.as_bytes(), bytes, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat();
    request.header("Content-Type", format!("multipart/form-data; boundary={BOUNDARY}")).body(body)
}

/// Sends a file, and returns its uid.
pub async fn send_file(app: &App, name: &str, bytes: &[u8]) -> String {
    let answer = with_file(app.request(Role::Editor, Method::POST, "/import"), name, bytes).send().await.unwrap();
    // The client has followed to the file's page.
    let uid = answer.url().path().rsplit('/').next().unwrap().to_owned();
    assert!(uid.parse::<tessera::token::Uid>().is_ok(), "{}", answer.text().await.unwrap());
    uid
}

/// Pastes a list as a user with this role, and returns its page, and its uid if there is one.
pub async fn paste(app: &App, role: Role, list: &str) -> (String, String) {
    let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"list\"\r\n\r\n");
    let body = [head.as_bytes(), list.as_bytes(), format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat();
    let request = app.request(role, Method::POST, "/import").header("Accept", "text/html");
    let request = request.header("Content-Type", format!("multipart/form-data; boundary={BOUNDARY}")).body(body);
    let answer = request.send().await.unwrap();
    let uid = answer.url().path().rsplit('/').next().unwrap().to_owned();
    let mut page = answer.text().await.unwrap();
    while page.contains("<progress") {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let again = app.request(role, Method::GET, &format!("/import/{uid}")).header("Accept", "text/html");
        page = again.send().await.unwrap().text().await.unwrap();
    }
    (page, uid)
}

/// Checks a file, and returns its page.
pub async fn check_file(app: &App, file: &str, form: &[(&str, &str)]) -> String {
    step(app, Role::Editor, file, ("check", form)).await
}

/// Imports a checked file, and returns its page.
pub async fn run_file(app: &App, role: Role, file: &str) -> String {
    step(app, role, file, ("run", &[])).await
}

/// Takes a step, waits until it is done, and returns the file's page.
pub async fn step(app: &App, role: Role, file: &str, (step, form): (&str, &[(&str, &str)])) -> String {
    let path = format!("/import/{file}/{step}");
    let answer = app.request(role, Method::POST, &path).form(form).header("Accept", "text/html").send().await.unwrap();
    let (path, text) = (answer.url().path().to_owned(), answer.text().await.unwrap());
    if path.ends_with(step) {
        return text;
    }
    loop {
        let page = app.request(role, Method::GET, &format!("/import/{file}")).header("Accept", "text/html");
        let page = page.send().await.unwrap().text().await.unwrap();
        if !page.contains("<progress") {
            return page;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// So many lines, each made from its number, counted from 0.
pub fn numbered(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect::<Vec<String>>().concat()
}
