//! What each role may do: every view, every page, and every button.

use std::collections::BTreeSet;

use reqwest::Method;
use tessera::access::{Permission, Role};
use tessera::token::Uid;
use tessera::web::route::{Kind, Route};
use tessera::web::routes;

use crate::support::app::{App, send};
use crate::support::browser::Browser;
use crate::support::tokens::MISSING_UID;

#[actix_web::test]
async fn each_role_sees_its_buttons_and_no_others_doors() {
    let app = App::start().await;
    let uid = app.add(&[("usage_count", "9")]).await;
    for (role, sees, edits, uses, deletes) in [
        (Role::Scanner, false, false, true, false),
        (Role::Viewer, true, false, false, false),
        (Role::Editor, true, true, true, false),
        (Role::Admin, true, true, true, true),
        (Role::Manager, true, true, true, true),
    ] {
        let mut browser = Browser::of(&app, role).await;
        let status = |allowed| if allowed { 200 } else { 403 };
        for (path, allowed) in [
            (format!("/{uid}/qr_code"), sees),
            (format!("/{uid}/qr_code.svg"), sees),
            ("/add".into(), edits),
            (format!("/{uid}/edit"), edits),
            (format!("/{uid}/delete"), deletes),
            ("/deleted".into(), deletes),
            ("/account".into(), true),
        ] {
            let response = browser.request(Method::GET, &path).send().await.unwrap();
            assert_eq!(response.status().as_u16(), status(allowed), "{role} {path}");
        }
        let used = browser.post(&format!("/{uid}/use"), &[]).await;
        assert_eq!(used.status, if uses { 303 } else { 403 }, "{role}");
        for (path, allowed) in [
            ("/add".to_owned(), edits),
            (format!("/{uid}/edit"), edits),
            (format!("/{MISSING_UID}/delete"), deletes),
            (format!("/{MISSING_UID}/restore"), deletes),
        ] {
            assert_eq!(browser.post(&path, &[]).await.status != 403, allowed, "{role} {path}");
        }
        if sees {
            let tile = browser.get(&format!("/{uid}")).await;
            for (words, there) in [("Use once", uses), (">Edit<", edits), (">Delete<", deletes)] {
                assert_eq!(tile.text.contains(words), there, "{role} {words}");
            }
        }
    }
}

/// Where there is nothing.
const UNKNOWN: &str = "/nothing/at/all";
/// Every view and what it takes to enter.
const VIEWS: [(&str, &str, Permission); 27] = [
    ("POST", "/undo_consume", Permission::Consume),
    ("POST", "/add_token", Permission::Edit),
    ("POST", "/{uid}/add_token", Permission::Edit),
    ("POST", "/add_tokens", Permission::Edit),
    ("GET", "/consume_token", Permission::Consume),
    ("POST", "/consume_token", Permission::Consume),
    ("GET", "/{uid}/consume_token", Permission::Consume),
    ("POST", "/{uid}/consume_token", Permission::Consume),
    ("POST", "/edit_token", Permission::Edit),
    ("POST", "/{uid}/edit_token", Permission::Edit),
    ("POST", "/update_token", Permission::Edit),
    ("POST", "/{uid}/update_token", Permission::Edit),
    ("POST", "/delete_token", Permission::Delete),
    ("POST", "/{uid}/delete_token", Permission::Delete),
    ("POST", "/delete_tokens", Permission::Delete),
    ("POST", "/update_tokens", Permission::Edit),
    ("POST", "/void_tokens", Permission::Delete),
    ("POST", "/restore_tokens", Permission::Delete),
    ("POST", "/void_token", Permission::Delete),
    ("POST", "/{uid}/void_token", Permission::Delete),
    ("POST", "/restore_token", Permission::Delete),
    ("POST", "/{uid}/restore_token", Permission::Delete),
    ("GET", "/query_token", Permission::Ask),
    ("GET", "/query_tokens", Permission::See),
    ("GET", "/query_usage", Permission::See),
    ("POST", "/scan/read", Permission::Consume),
    ("GET", UNKNOWN, Permission::Ask),
];

#[actix_web::test]
async fn the_contracts_table_of_roles() {
    let app = App::start().await;
    for (method, path, permission) in VIEWS {
        let (method, path) = (method.parse::<Method>().unwrap(), path.replace("{uid}", MISSING_UID));
        for role in Role::ALL {
            // What is wrong with the request is told only to who may make it.
            let wrong = app.request(role, method.clone(), &path).query(&[("wrong", "x")]);
            let answer = send(wrong.header("Accept", "application/json")).await;
            if role.may(permission) {
                assert!(matches!(answer.status, 400 | 404), "{role} {method} {path}: {answer:?}");
            } else {
                answer.check_failure("Forbidden");
            }
        }
        let nobody = send(app.anonymous(method.clone(), &path).header("Accept", "application/json")).await;
        nobody.check_failure("Unauthorized");
        assert_eq!(nobody.header("www-authenticate"), "Bearer");
    }
}

/// Every page and file that shows something, and what it takes to open it.
const SHOWN: &[(&str, Permission)] = &[
    ("/", Permission::Ask),
    ("/add", Permission::Edit),
    ("/deleted", Permission::Delete),
    ("/overview", Permission::See),
    ("/actions", Permission::See),
    ("/actions/{uid}", Permission::See),
    ("/add_many", Permission::Edit),
    ("/batches", Permission::See),
    ("/batches/{uid}", Permission::See),
    ("/import", Permission::Edit),
    ("/import/{uid}", Permission::Edit),
    ("/import/{uid}/errors.csv", Permission::Edit),
    ("/scan", Permission::Consume),
    ("/scan/counts", Permission::Consume),
    ("/usage", Permission::See),
    ("/usage.csv", Permission::See),
    ("/export/batches", Permission::See),
    ("/export/tokens", Permission::See),
    ("/export/usage", Permission::See),
    ("/export/print_runs", Permission::See),
    ("/sheet", Permission::See),
    ("/sheet.pdf", Permission::See),
    ("/sheet.css", Permission::Ask),
    ("/sheet/calibrate", Permission::See),
    ("/sheet/calibrate.pdf", Permission::See),
    ("/print_jobs/{uid}", Permission::See),
    ("/print_runs", Permission::See),
    ("/print_runs/{uid}.pdf", Permission::See),
    ("/print_runs/{uid}", Permission::See),
    ("/printers", Permission::See),
    ("/printers/edit", Permission::Edit),
    ("/sheets", Permission::Manage),
    ("/sheets/add", Permission::Manage),
    ("/sheets/{slug}", Permission::Manage),
    ("/sheets/{slug}/remove", Permission::Manage),
    ("/account", Permission::Ask),
    ("/docs", Permission::Ask),
    ("/settings", Permission::Manage),
    ("/users", Permission::Manage),
    ("/users/add", Permission::Manage),
    ("/users/edit", Permission::Manage),
    ("/users/remove", Permission::Manage),
    ("/keys", Permission::Manage),
    ("/keys/add", Permission::Manage),
    ("/keys/revoke", Permission::Manage),
    ("/gates", Permission::Manage),
    ("/gates/add", Permission::Manage),
    ("/gates/{uid}", Permission::Manage),
    ("/audit", Permission::Manage),
    ("/export/audit", Permission::Manage),
    ("/{uid}", Permission::Ask),
    ("/{uid}/edit", Permission::Edit),
    ("/{uid}/delete", Permission::Delete),
    ("/{uid}/void", Permission::Delete),
    ("/{uid}/qr_code", Permission::See),
    ("/{uid}/qr_code.svg", Permission::See),
];
/// Every page and file that is posted to, and what that takes.
const POSTED: &[(&str, Permission)] = &[
    ("/add", Permission::Edit),
    ("/bulk", Permission::Edit),
    ("/actions/{uid}/undo", Permission::Edit),
    ("/add_many", Permission::Edit),
    ("/batches/sample", Permission::Edit),
    ("/batches/{uid}/rename", Permission::Edit),
    ("/batches/{uid}/remove", Permission::Delete),
    ("/import", Permission::Edit),
    ("/import/{uid}/check", Permission::Edit),
    ("/import/{uid}/run", Permission::Edit),
    ("/sheet", Permission::See),
    ("/sheet.pdf", Permission::See),
    ("/sheet/browser", Permission::See),
    ("/sheet/check", Permission::See),
    ("/sheet/calibrate", Permission::Edit),
    ("/print_jobs", Permission::See),
    ("/print_jobs/{uid}/go_on", Permission::See),
    ("/print_jobs/{uid}/dismiss", Permission::See),
    ("/printers", Permission::Edit),
    ("/printers/remove", Permission::Edit),
    ("/sheets/add", Permission::Manage),
    ("/sheets/{slug}", Permission::Manage),
    ("/sheets/{slug}/remove", Permission::Manage),
    ("/account/password", Permission::Ask),
    ("/account/sessions/end", Permission::Ask),
    ("/logout", Permission::Ask),
    ("/settings/{setting}", Permission::Manage),
    ("/users/add", Permission::Manage),
    ("/users/role", Permission::Manage),
    ("/users/password", Permission::Manage),
    ("/users/disable", Permission::Manage),
    ("/users/enable", Permission::Manage),
    ("/users/remove", Permission::Manage),
    ("/keys/add", Permission::Manage),
    ("/gates/add", Permission::Manage),
    ("/gates/{uid}", Permission::Manage),
    ("/keys/revoke", Permission::Manage),
    ("/scan", Permission::Consume),
    ("/scan/undo", Permission::Consume),
    ("/{uid}/use", Permission::Consume),
    ("/{uid}/undo_use", Permission::Consume),
    ("/{uid}/edit", Permission::Edit),
    ("/{uid}/delete", Permission::Delete),
    ("/{uid}/restore", Permission::Delete),
    ("/{uid}/void", Permission::Delete),
    ("/{uid}/unvoid", Permission::Delete),
    ("/{uid}/set_range", Permission::Edit),
    ("/{uid}/set_count", Permission::Edit),
    ("/{uid}/add_uses", Permission::Edit),
];

/// Each table names every address of its kind, in whatever order, so that none can be left out.
#[test]
fn the_tables_of_roles_name_every_route() {
    let table = routes::table();
    let closed = |method: &str, is_view: bool| {
        let routes = table.iter().map(Route::info).filter(|route| !route.is_open && route.allow().contains(method));
        let routes = routes.filter(|route| (route.kind == Kind::View) == is_view);
        routes.map(|route| route.path).collect::<BTreeSet<_>>()
    };
    let named = |table: &[(&'static str, Permission)]| table.iter().map(|(path, _)| *path).collect::<BTreeSet<_>>();
    assert_eq!(named(SHOWN), closed("GET", false));
    assert_eq!(named(POSTED), closed("POST", false));
    for method in ["GET", "POST"] {
        let views = VIEWS.iter().filter(|(by, path, _)| *by == method && *path != UNKNOWN);
        assert_eq!(views.map(|(_, path, _)| *path).collect::<BTreeSet<_>>(), closed(method, true));
    }
}

#[actix_web::test]
async fn every_page_holds_its_role_and_takes_nothing_from_another_site() {
    let app = App::start().await;
    let path = |path: &str| {
        let path = path.replace("{uid}", &Uid::random().to_string()).replace("{slug}", "none");
        path.replace("{setting}", "usage_days")
    };
    for role in Role::ALL {
        let mut browser = Browser::of(&app, role).await;
        for (address, permission) in SHOWN {
            let answer = browser.get(&path(address)).await;
            assert_eq!(answer.status == 403, !role.may(*permission), "{role:?} {address} {}", answer.status);
            assert!(answer.status < 500, "{role:?} {address}: {}", answer.text);
        }
        for (address, permission) in POSTED {
            browser.site = Some("cross-site");
            assert_eq!(browser.post(&path(address), &[]).await.status, 403, "{role:?} {address} of another site");
            browser.site = Some("same-origin");
            let answer = browser.post(&path(address), &[]).await;
            assert_eq!(answer.status == 403, !role.may(*permission), "{role:?} {address} {}", answer.status);
            assert!(answer.status < 500, "{role:?} {address}: {}", answer.text);
            if browser.cookie().is_none() {
                browser.sign_in(role.word()).await.check_leads_to("/");
            }
        }
        browser.site = Some("cross-site");
        for (method, address, _) in VIEWS.iter().filter(|(method, ..)| *method == "POST") {
            assert_eq!(browser.post(&path(address), &[]).await.status, 403, "{role:?} {method} {address}");
        }
    }
}
