//! `/deleted`: what may be restored, and what may not.

use diesel::connection::SimpleConnection;
use tessera::access::Role;

use crate::support::app::App;
use crate::support::browser::Browser;

#[actix_web::test]
async fn a_restored_token_does_not_take_a_value_away() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Admin).await;
    let uid = app.add(&[("value", "T-1")]).await;
    browser.post(&format!("/{uid}/delete"), &[]).await.check_leads_to("/");
    app.add(&[("value", "T-1")]).await;
    browser.post(&format!("/{uid}/restore"), &[]).await.check(409, &["another token has the same value now"]);
    let old = app.add(&[]).await;
    browser.post(&format!("/{old}/delete"), &[]).await.check_leads_to("/");
    let month = format!("UPDATE tokens SET deleted_at = deleted_at - 2592001000000 WHERE uid = '{old}'");
    app.connection().batch_execute(&month).unwrap();
    browser.post(&format!("/{old}/restore"), &[]).await.check(404, &[]);
    assert!(!browser.get("/deleted").await.text.contains(&old), "30 days are over");
}
