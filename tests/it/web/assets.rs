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

/// The tests in a browser look at the dark scheme only for what colours can break.
#[test]
fn the_dark_scheme_changes_colours_and_nothing_else() {
    let style = include_str!("../../../static/style.css");
    let mut parts = style.split("@media (prefers-color-scheme: dark) {");
    let dark = parts.nth(1).unwrap().split_once('}').unwrap().0;
    assert!(parts.next().is_none() && dark.trim_start().starts_with(":root {"), "one block of variables");
    let declarations: Vec<_> = dark.split_once('{').unwrap().1.trim().lines().map(str::trim).collect();
    assert!(declarations.len() > 10);
    for declaration in declarations {
        let (name, value) = declaration.split_once(": ").unwrap();
        assert!(name.starts_with("--") && value.starts_with('#') && value.len() == 8, "{declaration}");
    }
}
