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
            .map(|cell| cell.split("</td>").next().unwrap())
            .map(|cell| cell.split_once('>').map_or("", |(_, label)| label.trim_end_matches("</a>")).to_owned())
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
        ("label_desc", "Locker 120", ""),
        ("valid_to", "", "Locker 120"),
        ("valid_to_desc", "Locker 120", ""),
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
        .check(200, &["No tokens match", "Created from: 1 Jan 2001", "Created to: 2 Jan 2001", "Remove a filter:"]);
    let none = browser.get("/?q=nothing&state=locked").await;
    none.check(200, &["No tokens match", "Search: nothing", "State: Locked", "href=\"/?state=locked\""]);
    browser.get("/?state=wrong").await.check(422, &["These filters can’t be used", "href=\"#state\""]);
    browser.get("/?created_to=soon").await.check(422, &["href=\"#created_to\""]);
    browser.get("/?after=made-up").await.check(422, &["cursor was not given by this view"]);
    let today = "2999-01-01";
    browser.get(&format!("/?created_to={today}")).await.check(200, &["121 tokens"]);
}

/// The values on a page, in its order.
fn values(text: &str) -> Vec<&str> {
    text.split("data-copy=\"").skip(1).map(|value| value.split('"').next().unwrap()).collect()
}

#[actix_web::test]
async fn headings_sort_and_the_second_click_reverses() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Viewer).await;
    for (value, label, valid_to) in [("b", "2", "2031-01-01"), ("a", "3", ""), ("c", "1", "2030-01-01")] {
        app.add(&[("value", value), ("label", label), ("valid_to", valid_to)]).await;
    }
    let heading = |text: &str, words: &str| -> (String, String) {
        let end = text.find(&format!("\">{words}</a></th>")).unwrap_or_else(|| panic!("{words} in {text}"));
        let (_, cell) = text[..end].rsplit_once("<th").unwrap();
        let (attributes, href) = cell.split_once("href=\"").unwrap();
        let direction = attributes.split_once("aria-sort=\"").map_or("", |(_, rest)| rest.split('"').next().unwrap());
        (href.replace("&#38;", "&"), direction.to_owned())
    };
    for (words, up, down) in [
        ("Label", ["c", "b", "a"], ["a", "b", "c"]),
        ("Value", ["a", "b", "c"], ["c", "b", "a"]),
        ("Valid", ["c", "b", "a"], ["a", "b", "c"]),
    ] {
        let newest = browser.get("/?state=active&view=tiles").await;
        assert!(!newest.text.contains("aria-sort"), "tiles have no headings");
        let plain = browser.get("/?state=active").await;
        let (href, direction) = heading(&plain.text, words);
        assert_eq!(direction, "", "{words}");
        let sorted = browser.get(&href).await;
        assert_eq!(values(&sorted.text), up, "{words}");
        let (href, direction) = heading(&sorted.text, words);
        assert_eq!(direction, "ascending");
        let reversed = browser.get(&href).await;
        assert_eq!(values(&reversed.text), down, "{words}");
        assert_eq!(heading(&reversed.text, words).1, "descending");
        assert!(href.contains("state=active"), "the filter stays: {href}");
    }
    // The same orders where there are no headings to see.
    browser.get("/").await.check(200, &["<option value=\"label_desc\">Label Z to A</option>"]);
}

#[actix_web::test]
async fn a_row_says_what_a_desk_needs() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let fields = [("count", "2"), ("label", "Locker {n:03}"), ("batch_name", "Summer & party"), ("usage_count", "3")];
    let made = app.post("/add_tokens", &fields).await;
    let batch = made.check_success().body["batch_uid"].as_str().unwrap().to_owned();
    let uid = made.body["token_uids"][0].as_str().unwrap().to_owned();
    let bare = app.add(&[("usage_count", "-1"), ("valid_to", "2999-11-30T18:00"), ("label", "")]).await;
    app.add(&[("value", "short"), ("usage_count", "0")]).await;
    let page = browser.get("/?sort=label").await;
    let short = |uid: &str| format!("{}…{}", &uid[..4], &uid[34..]);
    page.check(
        200,
        &[
            &format!("href=\"/{uid}\" title=\"Locker 001\">Locker 001</a>"),
            &format!("title=\"{uid}\">{}</bdi>", short(&uid)),
            &format!("data-copy=\"{uid}\""),
            &format!("href=\"/{bare}\" title=\"{bare}\">{}</a>", short(&bare)),
            ">short</a>",
            ">3 left</bdi>",
            ">unlimited uses</bdi>",
            "Used up",
            &format!("href=\"/?batch={batch}\" title=\"Summer &#38; party\">"),
            ">until 30 Nov 2999</td>",
            "title=\"until 30 Nov 2999 18:00\"",
            ">always</td>",
            "<span class=\"muted\">never</span>",
        ],
    );
}

#[actix_web::test]
async fn chips_remove_one_part_of_the_filter_each() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Viewer).await;
    app.add(&[("label", "Anna <1>")]).await;
    let page = browser.get("/?q=Anna&state=active&sort=label&view=tiles").await;
    page.check(
        200,
        &[
            "<summary class=\"button\">Filters (1)</summary>",
            "href=\"/?state=active&#38;sort=label&#38;view=tiles\"",
            "href=\"/?q=Anna&#38;sort=label&#38;view=tiles\"",
            "<bdi>Search: Anna</bdi>",
            "<bdi>State: Active</bdi>",
        ],
    );
    let all = browser.get("/").await;
    all.check(200, &["<summary class=\"button\">Filters</summary>"]);
    assert!(!all.text.contains("Remove filter"), "{}", all.text);
    browser.get("/?q=%3Cb%3E").await.check(200, &["No tokens match", "Search: &#60;b&#62;"]);
    browser.get("/?state=lost").await.check(422, &["<details class=\"menu filters\" open>"]);
}

#[actix_web::test]
async fn without_a_script_each_button_says_which_tokens_it_is_for() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Admin).await;
    app.post("/add_tokens", &[("count", "60"), ("label", "Locker {n}")]).await.check_success();
    let page = browser.get("/?q=Locker&sort=label").await;
    page.check(
        200,
        &[
            "name=\"select\" value=\"ticked\">Selected<",
            "name=\"select\" value=\"page\">This page: 50<",
            "name=\"select\" value=\"found\">All 60 results<",
            "name=\"sort\" value=\"label\"",
        ],
    );
    // A ticked box beside "All results": the button says what is meant, and the form says it again before anything is done.
    let uid = page.text.split("name=\"uid\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let form = [("q", "Locker"), ("sort", "label"), ("uid", uid.as_str()), ("do", "lock")];
    let uids = page.field("page");
    for (select, says) in
        [("ticked", "1 token selected."), ("page", "50 tokens selected."), ("found", "60 tokens selected.")]
    {
        let form = [&form[..], &[("select", select), ("page", uids.as_str())]].concat();
        browser.post("/bulk", &form).await.check(200, &[says]);
    }
    // Cancel leads back to the same page of the same list, with the same box ticked.
    let asked = browser.post("/bulk", &[&form[..], &[("select", "ticked")]].concat()).await;
    let cancel = asked.text.split(">Cancel</a>").next().unwrap().rsplit("href=\"").next().unwrap();
    let cancel = cancel.trim_end_matches('"').replace("&#38;", "&");
    assert!(cancel.starts_with("/?q=Locker&sort=label&uids="), "{cancel}");
    let back = browser.get(&cancel).await;
    back.check(200, &["60 tokens", &format!("value=\"{uid}\" checked")]);
    assert_eq!(back.text.matches(" checked>").count(), 1);
}

#[actix_web::test]
async fn the_form_leads_back_to_its_page_of_the_list() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Admin).await;
    app.post("/add_tokens", &[("count", "120"), ("label", "Locker {n:03}")]).await.check_success();
    let first = browser.get("/?sort=label").await;
    let next = first.text.split(">Next</a>").next().unwrap().rsplit("href=\"").next().unwrap();
    let second = browser.get(&next.trim_end_matches('"').replace("&#38;", "&")).await;
    second.check(200, &["Locker 051"]);
    let (after, uid) = (second.field("after"), second.text.split("name=\"uid\" value=\"").nth(1).unwrap());
    let uid = uid.split('"').next().unwrap();
    let form = [("sort", "label"), ("after", after.as_str()), ("uid", uid), ("select", "ticked"), ("do", "void")];
    let preview = browser.post("/bulk", &[&form[..], &[("step", "preview")]].concat()).await;
    let hidden = ["after", "sort", "action", "action_uid", "seal"].map(|name| (name, preview.field(name)));
    let hidden: Vec<(&str, &str)> = hidden.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let sent = [&hidden[..], &[("uids", uid), ("do", "void"), ("step", "do")]].concat();
    let done = browser.post("/bulk", &sent).await;
    done.check_leads_to("/?sort=label&after=");
    browser.get(&done.location).await.check(200, &["1 token voided.", "Locker 051", ">Undo<"]);
    // A page of which nothing is left says so.
    let gone = browser.get(&format!("/?q=nothing&after={after}")).await;
    assert_eq!(gone.status, 422, "a cursor of another filter");
}
