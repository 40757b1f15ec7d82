//! The undo of a use by the tile's button.

use tessera::access::Role;

use crate::support::app::App;
use crate::support::browser::{Browser, PageAnswer};

/// Where the notice's button leads.
fn undo_of(tile: &PageAnswer, uid: &str) -> Option<String> {
    let start = tile.text.find(&format!("/{uid}/undo_use?"))?;
    Some(tile.text[start..].chars().take_while(|c| *c != '"').collect())
}

async fn use_once(browser: &mut Browser<'_>, uid: &str) -> PageAnswer {
    let used = browser.post(&format!("/{uid}/use"), &[]).await;
    browser.get(&used.check_leads_to(&format!("/{uid}?done=used-")).location).await
}

#[actix_web::test]
async fn a_use_says_what_is_left_and_is_undone_once() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let uid = app.add(&[("usage_count", "1")]).await;
    let tile = use_once(&mut browser, &uid).await;
    tile.check(200, &["Used. 0 uses left.", "Undo"]);
    let undo = undo_of(&tile, &uid).unwrap();
    let undone = browser.post(&undo, &[]).await;
    let page = browser.get(&undone.check_leads_to(&format!("/{uid}?done=use-undone")).location).await;
    page.check(200, &["Use undone. 1 use left.", "Undone"]);
    assert_eq!(app.token(&uid).await["usage_count"], 1);
    let twice = browser.post(&undo, &[]).await;
    browser.get(&twice.check_leads_to("/").location).await.check(200, &["This use was already undone."]);
    assert_eq!(app.token(&uid).await["usage_count"], 1, "once");
    let entry = undo.split('=').nth(1).unwrap();
    let again = browser.get(&format!("/{uid}?done=used-{entry}")).await;
    assert_eq!(undo_of(&again, &uid), None, "what is undone is not offered");
}

#[actix_web::test]
async fn a_use_is_undone_by_the_doors_rule() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Editor).await;
    let uid = app.add(&[("usage_count", "2")]).await;
    let tile = use_once(&mut browser, &uid).await;
    let undo = undo_of(&tile, &uid).unwrap();
    Browser::of(&app, Role::Viewer).await.post(&undo, &[]).await.check(403, &[]);
    let other = app.add(&[("usage_count", "2")]).await;
    assert_eq!(
        undo_of(&browser.get(&format!("/{other}?done=used-{}", undo.split('=').nth(1).unwrap())).await, &other),
        None
    );
    let unknown = format!("/{uid}/undo_use?usage_uid=0199705f-0b7b-7c3e-9b0d-6f2a8c41d5e7");
    let refused = browser.post(&unknown, &[]).await;
    browser.get(&refused.check_leads_to("/").location).await.check(200, &["This use can&#39;t be undone any more."]);
    assert_eq!(app.token(&uid).await["usage_count"], 1);
}
