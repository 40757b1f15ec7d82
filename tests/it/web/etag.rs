//! Entity tags of queries: who has an answer already is not sent it again.

use reqwest::Method;
use tessera::access::Role;

use crate::support::app::{Answer, App, send};

async fn ask(app: &App, path: &str, known: Option<&str>) -> Answer {
    let request = app.request(Role::Manager, Method::GET, path);
    send(known.iter().fold(request, |request, known| request.header("If-None-Match", *known))).await
}

#[actix_web::test]
async fn an_answer_that_is_known_is_a_304() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "9")]).await;
    app.consume(&uid).await.check_success();
    for path in [
        format!("/query_token?token_uid={uid}"),
        "/query_tokens?count=1".into(),
        "/query_usage".into(),
        "/query_usage?order=oldest".into(),
    ] {
        let first = ask(&app, &path, None).await;
        let tag = first.check_success().header("etag").to_owned();
        assert!(tag.len() > 10 && tag.starts_with('"') && tag.ends_with('"'), "strong: {tag}");
        for known in
            [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), format!("\"x\",W/{tag} , \"y\""), "*".into()]
        {
            let again = ask(&app, &path, Some(&known)).await;
            assert_eq!((again.status, &again.body), (304, &"".into()), "{path} {known}");
            assert_eq!((again.header("etag"), again.header("cache-control")), (tag.as_str(), "no-store"));
            assert_eq!(again.header("content-type"), "", "there is no body");
        }
        for unknown in ["\"x\"", "W/\"x\"", "x", "", &tag[1..], &tag.replace('"', "")] {
            assert_eq!(ask(&app, &path, Some(unknown)).await.check_success().body, first.body, "{path} {unknown}");
        }
        app.consume(&uid).await.check_success();
        let other = ask(&app, &path, Some(&tag)).await;
        assert_ne!(other.check_success().header("etag"), tag, "{path}");
    }
    let anonymous = app.anonymous(Method::GET, "/query_tokens").header("If-None-Match", "*");
    send(anonymous).await.check_failure("Unauthorized");
    ask(&app, "/query_tokens?limit=0", Some("*")).await.check_failure("TokenValueError");
}
