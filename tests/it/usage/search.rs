//! `q` of the usage log, where it finds so many tokens that they are not collected before the log is read.

use reqwest::Method;
use tessera::access::Role;
use tessera::store::connection::transaction;
use tessera::store::index::refresh::refresh;
use tessera::store::tokens;
use tessera::token::{Token, Uid};

use crate::support::app::App;
use crate::support::tokens::token;

/// More than are collected.
const TOKENS: usize = 20_100;

async fn rows(app: &App, q: &str) -> usize {
    let request = app.request(Role::Viewer, Method::GET, "/usage.csv").query(&[("q", q)]);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap().lines().count() - 1
}

#[actix_web::test]
async fn q_means_the_same_however_many_tokens_it_finds() {
    let app = App::start().await;
    let nth = |n: usize| Token { label: Some(format!("Gäste {}", n % 3)), ..token(5) };
    let all: Vec<Token> = (0..TOKENS).map(nth).collect();
    let used: Vec<Uid> = all.iter().step_by(TOKENS / 9).map(|token| token.uid).collect();
    let mut connection = app.connection();
    transaction(&mut connection, |connection| tokens::add_all(connection, &all)).unwrap();
    for uid in &used {
        app.consume(&uid.to_string()).await.check_success();
    }
    app.consume(&app.add(&[("label", "Other")]).await).await.check_success();
    while transaction(&mut connection, refresh).unwrap() {}
    for (q, found) in [
        ("GÄSTE", 10),
        ("gaste", 10),
        ("1 gaste", 3),
        ("0  gäste", 4),
        ("aste", 10),
        ("0 g", 4),
        ("ga", 10),
        ("ast g", 10),
    ] {
        assert_eq!(rows(&app, q).await, found, "{q}");
        let page = app.request(Role::Viewer, Method::GET, "/usage").query(&[("q", q)]).send().await.unwrap();
        let page = page.text().await.unwrap();
        assert!(found == 0 || page.contains(&format!("{found} entries")), "{q}");
    }
}
