//! What each role may do: every view, and every button.

use reqwest::Method;
use tessera::access::{Permission, Role};

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
            ("/".to_owned(), sees),
            (format!("/{uid}"), sees),
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

/// Every view and what it takes to enter.
const VIEWS: [(&str, &str, Permission); 22] = [
    ("POST", "/add_token", Permission::Edit),
    ("POST", "/UID/add_token", Permission::Edit),
    ("POST", "/add_tokens", Permission::Edit),
    ("GET", "/consume_token", Permission::Consume),
    ("POST", "/consume_token", Permission::Consume),
    ("GET", "/UID/consume_token", Permission::Consume),
    ("POST", "/UID/consume_token", Permission::Consume),
    ("POST", "/edit_token", Permission::Edit),
    ("POST", "/UID/edit_token", Permission::Edit),
    ("POST", "/update_token", Permission::Edit),
    ("POST", "/UID/update_token", Permission::Edit),
    ("POST", "/delete_token", Permission::Delete),
    ("POST", "/UID/delete_token", Permission::Delete),
    ("POST", "/delete_tokens", Permission::Delete),
    ("POST", "/void_token", Permission::Delete),
    ("POST", "/UID/void_token", Permission::Delete),
    ("POST", "/restore_token", Permission::Delete),
    ("POST", "/UID/restore_token", Permission::Delete),
    ("GET", "/query_token", Permission::Ask),
    ("GET", "/query_tokens", Permission::See),
    ("GET", "/query_usage", Permission::See),
    ("GET", "/nothing/at/all", Permission::Ask),
];
const UID: &str = "1f0e6c1a-54f7-4b1c-9d5e-0a3b7c2d4e6f";

#[actix_web::test]
async fn the_contracts_table_of_roles() {
    let app = App::start().await;
    for (method, path, permission) in VIEWS {
        let (method, path) = (method.parse::<Method>().unwrap(), path.replace("UID", UID));
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
