//! Static files.

use reqwest::Method;

use crate::support::app::App;
use crate::support::browser::Browser;

#[actix_web::test]
async fn static_files_are_kept_for_ever_and_packed() {
    let app = App::start_at("/tickets").await;
    let mut browser = Browser::new(&app);
    let login = browser.get("/login").await;
    let path = login.text.split("href=\"/tickets").find(|part| part.starts_with("/static/style-")).unwrap();
    let path = path.split('"').next().unwrap();
    let packed = browser.request(Method::GET, path).header("Accept-Encoding", "br").send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "br");
    let style = browser.get(path).await;
    style.check(200, &["--accent"]);
    assert_eq!(style.headers["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
    browser.get("/static/style-000000000000.css").await.check(404, &["Nothing is here"]);
    browser.get("/static/..%2fCargo.toml").await.check(404, &[]);
}
