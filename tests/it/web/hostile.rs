//! What an office's pages make of parameters, cursors and rows that are not what they give out themselves.

use diesel::connection::SimpleConnection;
use reqwest::Method;
use tessera::access::Role;
use tessera::token::Uid;

use crate::support::app::App;
use crate::support::browser::Browser;

/// Addresses of the office, and the least role that may open them.
const OPENED: [(&str, Role); 20] = [
    ("/overview", Role::Viewer),
    ("/sheet", Role::Viewer),
    ("/sheet.pdf", Role::Viewer),
    ("/sheet.css?width=1&height=1", Role::Scanner),
    ("/sheet/calibrate", Role::Viewer),
    ("/print_runs", Role::Viewer),
    ("/print_jobs/{uid}", Role::Viewer),
    ("/printers", Role::Viewer),
    ("/usage", Role::Viewer),
    ("/batches", Role::Viewer),
    ("/actions", Role::Viewer),
    ("/actions/{uid}", Role::Viewer),
    ("/batches/{uid}", Role::Viewer),
    ("/add_many", Role::Editor),
    ("/{uid}/void", Role::Admin),
    ("/settings", Role::Manager),
    ("/users", Role::Manager),
    ("/users/edit?name=admin", Role::Manager),
    ("/keys", Role::Manager),
    ("/audit", Role::Manager),
];
/// Addresses that change something, and the least role that may.
const CHANGED: [(&str, Role); 23] = [
    ("/sheet", Role::Viewer),
    ("/sheet.pdf", Role::Viewer),
    ("/sheet/check", Role::Viewer),
    ("/sheet/browser", Role::Viewer),
    ("/print_jobs", Role::Viewer),
    ("/printers", Role::Viewer),
    ("/bulk", Role::Editor),
    ("/add_many", Role::Editor),
    ("/{uid}/set_range", Role::Editor),
    ("/{uid}/set_count", Role::Editor),
    ("/{uid}/add_uses", Role::Editor),
    ("/actions/{uid}/undo", Role::Editor),
    ("/{uid}/void", Role::Admin),
    ("/{uid}/unvoid", Role::Admin),
    ("/batches/{uid}/rename", Role::Editor),
    ("/settings/usage_days", Role::Manager),
    ("/users/add", Role::Manager),
    ("/users/role", Role::Manager),
    ("/users/password", Role::Manager),
    ("/users/disable", Role::Manager),
    ("/users/remove", Role::Manager),
    ("/keys/add", Role::Manager),
    ("/keys/revoke", Role::Manager),
];

#[actix_web::test]
async fn every_address_of_the_office_holds_its_role_and_takes_nothing_from_another_site() {
    let app = App::start().await;
    let path = |path: &str| path.replace("{uid}", &Uid::random().to_string());
    for role in Role::ALL {
        let mut browser = Browser::of(&app, role).await;
        for (address, least) in OPENED {
            let answer = browser.get(&path(address)).await;
            assert_eq!(answer.status == 403, (role as u8) < (least as u8), "{role:?} {address} {}", answer.status);
        }
        for (address, least) in CHANGED {
            browser.site = Some("cross-site");
            assert_eq!(browser.post(&path(address), &[]).await.status, 403, "{role:?} {address} of another site");
            browser.site = Some("same-origin");
            let answer = browser.post(&path(address), &[]).await;
            assert_eq!(answer.status == 403, (role as u8) < (least as u8), "{role:?} {address} {}", answer.status);
            assert!(answer.status < 500, "{role:?} {address}: {}", answer.text);
        }
    }
}

#[actix_web::test]
async fn no_parameter_is_a_fault_of_the_server() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let uid = app.add(&[("usage_count", "3")]).await;
    let opened = [
        "/",
        "/overview",
        "/sheet",
        "/sheet.pdf",
        "/sheet.css",
        "/usage",
        "/usage.csv",
        "/batches",
        "/actions",
        "/deleted",
        "/users",
        "/keys",
        "/audit",
        "/settings",
        "/login",
    ];
    let opened =
        opened.map(str::to_owned).into_iter().chain([format!("/{uid}"), "/users/edit".into(), "/keys/revoke".into()]);
    let names = [
        "q",
        "state",
        "batch",
        "sort",
        "created_from",
        "created_to",
        "after",
        "before",
        "last",
        "show",
        "size",
        "done",
        "who",
        "what",
        "from",
        "to",
        "name",
        "next",
        "token_uid",
        "outcome",
        "range",
        "user",
        "cursor",
        "sheet",
        "start",
        "offset_x",
        "text",
        "dpi",
        "printer",
        "page",
        "uid",
        "width",
    ];
    let long = "9".repeat(300);
    for path in opened {
        for name in names {
            for value in
                ["%00", "a%00b", "-1", "99999999999999999999", "%F0%9F%98%80%22%3E%3Cscript", "9999-12-31", &long]
            {
                let answer = browser.get(&format!("{path}?{name}={value}")).await;
                assert!(answer.status < 500, "{path}?{name}={value}: {} {}", answer.status, answer.text);
                assert!(!answer.text.contains("\"><script"), "{path}?{name}={value}");
            }
        }
    }
    let odd = [
        "\0",
        "a\0b",
        "-1",
        "99999999999999999999",
        "\\N\t\"😀\u{202e}",
        "{\"set_uses\":-5}",
        "{\"set_label\":\"a\\u0000\"}",
    ];
    let mut fields = names.to_vec();
    fields.extend([
        "batch_name",
        "label",
        "count",
        "batch_uid",
        "uids",
        "job_uid",
        "outline",
        "leave_out",
        "for_sheet",
        "for_printer",
        "print_run",
        "printed",
        "select",
        "action",
        "seal",
        "action_uid",
        "nonce",
        "usage_count",
        "add_uses",
        "no_limits",
        "valid_from",
        "valid_to",
        "change_from",
        "was",
        "name-new",
        "from-new",
        "quick_counts",
        "role",
        "password",
        "expires",
        "do",
    ]);
    for (address, _) in CHANGED {
        let path = address.replace("{uid}", &uid);
        for field in &fields {
            for value in odd {
                let mut form = vec![(*field, value)];
                for known in [
                    ("do", "label"),
                    ("step", "do"),
                    ("uid", &*uid),
                    ("count", "2"),
                    ("usage_count", "1"),
                    ("name", "x"),
                    ("role", "viewer"),
                    ("action", "{\"set_uses\":5}"),
                    ("was", "400"),
                    ("usage_days", "400"),
                ] {
                    if known.0 != *field {
                        form.push(known);
                    }
                }
                let answer = browser.request(Method::POST, &path).form(&form).send().await.unwrap();
                let status = answer.status().as_u16();
                assert!(status < 500, "{path} {form:?}: {}", answer.text().await.unwrap());
            }
        }
    }
}

#[actix_web::test]
async fn what_another_version_wrote_breaks_no_page() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Manager).await;
    let uid = app.add(&[("usage_count", "3")]).await;
    let done = browser.post(&format!("/{uid}/set_count"), &[("usage_count", "5")]).await;
    let action = done.location.rsplit('-').take(5).collect::<Vec<_>>();
    let action: Vec<&str> = action.into_iter().rev().collect();
    let action = action.join("-");
    let sql = "UPDATE actions SET what = '{\"paint\":\"blue\"}';
               INSERT INTO settings (name, value, changed, changed_by) VALUES ('quick_counts', '{}', 1, 'x'), ('colour', '1', 1, 'x')";
    app.connection().batch_execute(sql).unwrap();
    for path in ["/", "/overview", "/settings", "/actions", &done.location, &format!("/actions/{action}")] {
        let page = browser.get(path).await;
        assert_eq!(page.status, 200, "{path} {}", page.text);
    }
    browser.get("/actions").await.check(200, &["another version"]);
    browser
        .post(&format!("/actions/{action}/undo"), &[])
        .await
        .check(403, &["Only the version of Tessera that did this"]);
    let again = [("usage_count", "7"), ("nonce", &*action)];
    browser.post(&format!("/{uid}/set_count"), &again).await.check_leads_to("/");
    assert_eq!(app.token(&uid).await["usage_count"], 7);
}
