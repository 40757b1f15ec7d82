//! `/healthz` and `/readyz`.

use reqwest::Method;

use crate::support::app::App;

#[actix_web::test]
async fn health_is_open() {
    for base_path in ["", "/tickets"] {
        let app = App::start_at(base_path).await;
        for path in ["/healthz", "/readyz"] {
            for method in [Method::GET, Method::HEAD] {
                assert_eq!(app.anonymous(method, path).send().await.unwrap().status(), 200);
            }
            let root = app.base.replace("/tickets", "");
            assert_eq!(reqwest::get(format!("{root}{path}")).await.unwrap().status(), 200);
        }
    }
}
