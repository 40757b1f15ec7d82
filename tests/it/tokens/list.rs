//! `/`: search, filters, orders and pages.

use tessera::access::Role;

use crate::support::app::App;
use crate::support::browser::Browser;

#[actix_web::test]
async fn the_list_searches_filters_orders_and_turns_its_pages() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Viewer).await;
    app.post("/add_tokens", &[("count", "120"), ("label", "Locker {n:03}")]).await.check_success();
    app.add(&[("value", "zz-last"), ("label", ""), ("valid_to", "2001-01-01")]).await;
    let labels = |text: &str| -> Vec<String> {
        text.split("<td class=\"label\">")
            .skip(1)
            .map(|cell| cell.split("</td>").next().unwrap().replace("<span>", "").replace("</span>", ""))
            .collect()
    };
    let link = |text: &str, words: &str| -> String {
        let end = text.find(&format!(">{words}</a>")).unwrap_or_else(|| panic!("{words} is not in {text}"));
        text[..end].rsplit("href=\"").next().unwrap().split('"').next().unwrap().replace("&#38;", "&")
    };
    for (sort, first, last) in [
        ("newest", "", "Locker 001"),
        ("oldest", "Locker 001", ""),
        ("label", "", "Locker 120"),
        ("valid_to", "", "Locker 120"),
    ] {
        let mut page = browser.get(&format!("/?sort={sort}")).await;
        page.check(200, &["121 tokens"]);
        let mut seen = labels(&page.text);
        while page.text.contains(">Next</a>") {
            let before = labels(&page.text);
            page = browser.get(&link(&page.text, "Next")).await;
            let back = browser.get(&link(&page.text, "Back")).await;
            assert_eq!(labels(&back.text), before, "{sort}: back leads to where one was");
            seen.extend(labels(&page.text));
        }
        assert_eq!(seen.len(), 121, "{sort}");
        assert_eq!((seen[0].as_str(), seen[120].as_str()), (first, last), "{sort}");
        let start = browser.get(&format!("/?sort={sort}")).await;
        let end = browser.get(&link(&start.text, "Last")).await;
        assert_eq!(labels(&end.text), seen[71..], "{sort}: the last page");
        let first_again = browser.get(&link(&end.text, "First")).await;
        assert_eq!(labels(&first_again.text), seen[..50], "{sort}");
    }
    let found = browser.get("/?q=LOCKER+01").await;
    assert_eq!(labels(&found.check(200, &["12 tokens", "Show all tokens"]).text).len(), 12);
    browser.get("/?state=expired").await.check(200, &["1 token<", "zz-last", "Expired", "since 1 Jan 2001"]);
    browser
        .get("/?created_from=2001-01-01&created_to=2001-01-02")
        .await
        .check(200, &["Nothing is found", "Without the first day"]);
    let none = browser.get("/?q=nothing&state=locked").await;
    none.check(200, &["Nothing is found", "Without the search", "/?state=locked"]);
    browser.get("/?state=wrong").await.check(422, &["This filter cannot be used", "href=\"#state\""]);
    browser.get("/?created_to=soon").await.check(422, &["href=\"#created_to\""]);
    browser.get("/?after=made-up").await.check(422, &["cursor is not one"]);
    let today = "2999-01-01";
    browser.get(&format!("/?created_to={today}")).await.check(200, &["121 tokens"]);
}
