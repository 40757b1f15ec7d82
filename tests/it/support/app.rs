//! Starts the application for a test, and talks to it.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use chrono_tz::Tz;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use tessera::access::rate::Rate;
use tessera::access::{Principal, Role, api_key};
use tessera::sheet::fonts::Fonts;
use tessera::store::accounts::keys;
use tessera::store::accounts::keys::NewKey;
use tessera::store::{Connection, Store, connection};
use tessera::token::Micros;
use tessera::token::public_url::PublicUrl;
use tessera::web::client_address::TrustedProxies;
use tessera::web::{session_cookie, state};

use crate::support::database::Database;
use crate::support::described;

/// A running application, which ends with the test.
pub struct App {
    /// `http://127.0.0.1:PORT` and the base path.
    pub base: String,
    /// Its database.
    pub database: Database,
    client: reqwest::Client,
    keys: Vec<(Role, String)>,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

/// A status and a JSON body.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    pub async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        Self { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    /// The status of an answer that came whole, which it need not when the server is killed.
    pub async fn of_any(response: Response) -> Option<u16> {
        let status = response.status().as_u16();
        response.bytes().await.ok().map(|_| status)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Holds that it is the contract's failure `error`, with the status and code of the contract's table.
    #[track_caller]
    pub fn check_failure(&self, error: &str) -> &Self {
        let (code, status) = match error {
            "TokenNotExists" => (Some(1), 404),
            "TokenUsageCountExceeded" => (Some(2), 409),
            "TokenLockTimeViolation" => (Some(3), 423),
            "TokenTimeRangeViolation" => (Some(4), 409),
            "TokenVoided" => (Some(7), 409),
            "TokenValueError" => (Some(5), 422),
            "TokenAPIError" => (Some(6), 400),
            "TooLarge" => (Some(6), 413),
            "UnsupportedType" => (Some(6), 415),
            "Unauthorized" => (None, 401),
            "Forbidden" => (None, 403),
            "Conflict" => (None, 409),
            "NotFound" => (None, 404),
            "MethodNotAllowed" => (None, 405),
            "TooManyRequests" => (None, 429),
            "Exception" => (None, 500),
            "Unavailable" => (None, 503),
            other => panic!("no such failure: {other}"),
        };
        let name = if matches!(error, "TooLarge" | "UnsupportedType") { "TokenAPIError" } else { error };
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.body["success"], false, "{self:?}");
        assert_eq!(self.body["error"], name, "{self:?}");
        assert_eq!(self.body["error_code"], serde_json::json!(code), "{self:?}");
        assert!(self.body["message"].as_str().is_some_and(|text| text.ends_with('.')), "{self:?}");
        self.check_headers()
    }

    /// Holds that it failed at this parameter.
    #[track_caller]
    pub fn check_param(&self, param: &str) -> &Self {
        assert_eq!(self.body["param"], param, "{self:?}");
        self
    }

    #[track_caller]
    pub fn check_success(&self) -> &Self {
        assert_eq!((self.status, &self.body["success"]), (200, &Value::Bool(true)), "{self:?}");
        self.check_headers()
    }

    #[track_caller]
    fn check_headers(&self) -> &Self {
        assert_eq!(self.header("content-type"), "application/json");
        assert_eq!(self.header("cache-control"), "no-store");
        assert!(self.headers.get("access-control-allow-origin").is_none());
        self
    }
}

impl App {
    pub async fn start() -> Self {
        Self::start_at("").await
    }

    /// Starts below a base path.
    #[allow(clippy::unused_async, reason = "a test awaits what it starts")]
    pub async fn start_at(base_path: &str) -> Self {
        Self::run(base_path, None)
    }

    /// Starts as one that is reached under a public URL, behind a proxy as it were.
    #[allow(clippy::unused_async, reason = "a test awaits what it starts")]
    pub async fn start_as(public_url: &str) -> Self {
        let base_path = public_url.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap_or_default();
        Self::run(&base_path, Some(public_url))
    }

    fn run(base_path: &str, public_url: Option<&str>) -> Self {
        let database = Database::new();
        let mut connection = database.connect();
        let keys = Role::ALL.map(|role| (role, add_key(&mut connection, role.word(), role, None))).to_vec();

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}{base_path}", listener.local_addr().unwrap());
        let public_url = public_url.map_or_else(|| PublicUrl::assumed(&base), str::parse).unwrap();
        let store = Store::start(&database.url).unwrap();
        let key = session_cookie::key(&session_cookie::generate()).unwrap();
        let fonts = Arc::new(Fonts::new(Vec::new()).unwrap());
        let state = state::App::new(store, key, Tz::Europe__Vienna, public_url, TrustedProxies::default(), fonts);
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let running = tessera::app::serve(listener, state).unwrap();
                sender.send(running.server.handle()).unwrap();
                running.server.await.unwrap();
            });
        });
        let handle = receiver.recv().unwrap();
        let client = reqwest::Client::new();
        Self { base, database, client, keys, handle, thread: Some(thread) }
    }

    /// A request as `role`, through its key.
    pub fn request(&self, role: Role, method: Method, path: &str) -> RequestBuilder {
        let key = &self.keys.iter().find(|(known, _)| *known == role).unwrap().1;
        self.anonymous(method, path).bearer_auth(key)
    }

    /// A request of nobody.
    pub fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// Posts a form as a manager.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        send(self.request(Role::Manager, Method::POST, path).form(form)).await
    }

    /// Posts JSON as a manager.
    pub async fn post_json(&self, path: &str, body: Value) -> Answer {
        send(self.request(Role::Manager, Method::POST, path).json(&body)).await
    }

    /// Gets as a manager.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Answer {
        send(self.request(Role::Manager, Method::GET, path).query(query)).await
    }

    /// Adds a token with some fields beside the four that must be present, and returns its uid.
    pub async fn add(&self, fields: &[(&str, &str)]) -> String {
        let answer = self.post("/add_token", &with_required(fields)).await;
        answer.check_success().body["token_uid"].as_str().unwrap().to_owned()
    }

    pub async fn consume(&self, uid: &str) -> Answer {
        self.post(&format!("/{uid}/consume_token"), &[]).await
    }

    /// The token object, or null.
    pub async fn token(&self, uid: &str) -> Value {
        self.get("/query_token", &[("token_uid", uid)]).await.check_success().body["token"].clone()
    }

    /// The usage log of a token, or the whole one, newest first.
    pub async fn usage(&self, uid: Option<&str>) -> Vec<Value> {
        let mut entries = Vec::new();
        let mut cursor = String::new();
        loop {
            let query = [("token_uid", uid.unwrap_or_default()), ("limit", "1000"), ("cursor", &cursor)];
            let answer = self.get("/query_usage", &query).await;
            entries.extend(answer.check_success().body["usage"].as_array().unwrap().clone());
            match answer.body["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => return entries,
            }
        }
    }

    /// A connection of another process, as it were, which waits for its turn to write.
    pub fn connection(&self) -> Connection {
        self.database.connect()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let stopped = self.handle.stop(false);
        let _ = std::thread::spawn(move || actix_web::rt::System::new().block_on(stopped)).join();
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The four fields that must be present, empty where `fields` does not name them, and then `fields`.
pub fn with_required<'a>(fields: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let missing = described::Operation::named("add_token")
        .required()
        .into_iter()
        .filter(|name| !fields.iter().any(|(given, _)| given == name));
    missing.map(|name| (name, "")).chain(fields.iter().copied()).collect()
}

/// Sends a request, and holds the answer of a JSON view against the description of the API.
pub async fn send(request: RequestBuilder) -> Answer {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    let (method, address) = (request.method().clone(), request.url().path().to_owned());
    let answer = Answer::of(client.execute(request).await.unwrap()).await;
    // The head alone says nothing of the body.
    if method != Method::HEAD {
        described::check(&method, &address, (answer.status, &answer.headers), &answer.body);
    }
    answer
}

pub fn add_key(connection: &mut Connection, name: &str, role: Role, expires: Option<Micros>) -> String {
    add_key_with(connection, name, role, (expires, None))
}

/// Makes a key that may send so many requests a second.
pub fn add_limited_key(connection: &mut Connection, name: &str, role: Role, rate: &str) -> String {
    add_key_with(connection, name, role, (None, Some(rate.parse().unwrap())))
}

fn add_key_with(
    connection: &mut Connection,
    name: &str,
    role: Role,
    (expires, rate): (Option<Micros>, Option<Rate>),
) -> String {
    let key = api_key::generate();
    let hash = api_key::hash(&key).unwrap();
    let prefix = api_key::shown_prefix(&key);
    let new = NewKey { name, hash: &hash, prefix, role, expires, gate: None, rate };
    let by = Principal::shell("test");
    connection::transaction(connection, |connection| keys::add(connection, &new, &by, Micros::now())).unwrap();
    key
}
