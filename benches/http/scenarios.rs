//! The scenarios: fills the database, and prepares the requests before anything is measured.

use std::io;
use std::net::SocketAddr;

use crate::client::{Client, browse, get, post};
use crate::server::PASSWORD;

/// The scenario with which all others are compared.
pub const HEALTH: &str = "health check";

/// Tokens in the database, and tokens created by one request.
pub const TOKENS: usize = 1_000_000;
pub const PER_REQUEST: usize = 100_000;
/// Tokens consumed in rotation.
pub const ROTATION: usize = 10_000;

/// Requests sent in rotation.
pub struct Scenario {
    pub name: &'static str,
    pub requests: Vec<Vec<u8>>,
    /// Whether they go to the server whose consumes do not share commits.
    pub single_commits: bool,
}

/// The tokens in the database that the scenarios need.
pub struct Seed {
    /// The tokens consumed in rotation, from all over the database.
    pub many: Vec<String>,
    /// The token consumed repeatedly.
    pub one: String,
}

/// Adds a million tokens, each with a label and unlimited uses.
pub fn seed(server: SocketAddr, key: &str) -> io::Result<Seed> {
    let mut client = Client::connect(server, key)?;
    let mut many = Vec::new();
    for _ in 0..TOKENS / PER_REQUEST {
        let form = format!("count={PER_REQUEST}&usage_count=-1&label=Ticket+%7Bn%3A06%7D");
        let made = client.post("/add_tokens", &form)?;
        let uids = made["token_uids"].as_array().into_iter().flatten().filter_map(|uid| uid.as_str());
        many.extend(uids.step_by(TOKENS / ROTATION).map(str::to_owned));
    }
    let one = many.get(ROTATION / 2).cloned().ok_or_else(|| io::Error::other("no tokens were made"))?;
    Ok(Seed { many, one })
}

/// A request that does nothing: the cost of HTTP alone on this machine.
pub fn health(server: SocketAddr) -> Scenario {
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {server}\r\n\r\n").into_bytes();
    Scenario { name: HEALTH, requests: vec![request], single_commits: false }
}

/// All other scenarios.
pub fn all(server: SocketAddr, key: &str, seed: &Seed) -> io::Result<Vec<Scenario>> {
    let get = |path: &str| vec![get(server, key, path)];
    let each =
        |path: &str| seed.many.iter().map(|uid| crate::client::get(server, key, &format!("{path}{uid}"))).collect();
    let consume = |uid: &String| post(server, key, &format!("/{uid}/consume_token"), "");
    let add = "valid_from=&valid_to=&usage_count=3&lock_time=";
    let scenario = |name, requests| Scenario { name, requests, single_commits: false };
    let (one, last) = (&seed.one, last_page(server, key)?);
    let cookie = Client::connect(server, key)?.sign_in("admin", PASSWORD)?;
    let browse = |path: &str| vec![browse(server, &cookie, path)];
    Ok(vec![
        scenario("consume one token", vec![consume(one)]),
        scenario("consume 10,000 tokens in turn", seed.many.iter().map(consume).collect()),
        Scenario { name: "consume one token, a commit for each", requests: vec![consume(one)], single_commits: true },
        scenario("add a token", vec![post(server, key, "/add_token", add)]),
        scenario("query a token by value", get(&format!("/query_token?value={one}"))),
        scenario("query 10,000 tokens by value in turn", each("/query_token?value=")),
        scenario("tile page", get(&format!("/{one}"))),
        scenario("tile pages of 10,000 tokens in turn", each("/")),
        scenario("tile page, by a browser", browse(&format!("/{one}"))),
        scenario("list, first page", get("/")),
        scenario("list, first page, by a browser", browse("/")),
        scenario("list, last page", get(&last)),
        scenario("list, 50 pages in turn", pages(server, key, 50)?),
    ])
}

/// The URL of the last page as reached from the one before it, with a cursor after nearly all tokens. The link "Last"
/// would not do, because it walks the list from the other end.
fn last_page(server: SocketAddr, key: &str) -> io::Result<String> {
    let mut client = Client::connect(server, key)?;
    let mut address = "/".to_owned();
    for text in ["Last", "Back", "Next"] {
        address = link(&client.get(&address)?, text)
            .ok_or_else(|| io::Error::other(format!("the page {address} has no link {text}")))?;
    }
    match link(&client.get(&address)?, "Next") {
        None => Ok(address),
        Some(_) => Err(io::Error::other(format!("{address} is not the last page"))),
    }
}

/// The first pages of the list: equal pages that are asked for at the same time can share an answer.
fn pages(server: SocketAddr, key: &str, count: usize) -> io::Result<Vec<Vec<u8>>> {
    let mut client = Client::connect(server, key)?;
    let (mut address, mut pages) = ("/".to_owned(), Vec::new());
    for _ in 0..count {
        pages.push(get(server, key, &address));
        let page = client.get(&address)?;
        address = link(&page, "Next").ok_or_else(|| io::Error::other(format!("the page {address} has no next one")))?;
    }
    Ok(pages)
}

/// The target of the link with this text.
pub fn link(page: &str, text: &str) -> Option<String> {
    let before = page.split_once(&format!(">{text}</a>"))?.0;
    let (href, _) = before.rsplit_once(" href=\"")?.1.split_once('"')?;
    Some(href.replace("&#38;", "&").replace("&amp;", "&"))
}
