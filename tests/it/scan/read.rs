//! `/scan/read`.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder};
use tessera::access::Role;

use crate::support::app::{App, send};
use crate::support::browser::Browser;
use crate::support::frames::{Frame, HEIGHT, WIDTH, frame};

pub const PHOTO: &[u8] = include_bytes!("photo.jpg");
const CMYK: &[u8] = include_bytes!("cmyk.jpg");
const PROGRESSIVE: &[u8] = include_bytes!("progressive.jpg");
pub const SAYS: &str = "Straße nach Überlingen 3";

fn photo(app: &App, role: Role, kind: &str, bytes: impl Into<reqwest::Body>) -> RequestBuilder {
    app.request(role, Method::POST, "/scan/read").header("Content-Type", kind).body(bytes)
}

fn png(frame: &Frame) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, WIDTH.try_into().unwrap(), HEIGHT.try_into().unwrap());
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_compression(png::Compression::Fast);
    encoder.write_header().unwrap().write_image_data(&frame.pixels).unwrap();
    file
}

/// Longer than what two photos of a device are counted for.
async fn wait() {
    tokio::time::sleep(Duration::from_millis(1_050)).await;
}

#[actix_web::test]
async fn a_photo_says_what_its_code_does_and_nothing_is_used() {
    let app = App::start_at("/tickets").await;
    let uid = app.add(&[("value", SAYS), ("usage_count", "1")]).await;
    // Of a uid, of one in upper case, of a link, and white on black.
    let frames: Vec<Frame> = [0, 1, 2, 83].map(frame).into();
    let files = frames.iter().map(|frame| ("image/png", png(frame), &*frame.text));
    let photos = [("image/jpeg", PHOTO), ("Image/JPEG; q=1", PROGRESSIVE), ("image/jpeg", CMYK)];
    let photos = photos.map(|(kind, bytes)| (kind, bytes.to_vec(), SAYS));
    for (role, (kind, bytes, says)) in [Role::Scanner, Role::Editor, Role::Admin, Role::Manager]
        .into_iter()
        .cycle()
        .zip(photos.into_iter().chain(files))
    {
        let answer = send(photo(&app, role, kind, bytes)).await;
        assert_eq!(answer.check_success().body["text"], says);
    }
    assert_eq!(app.token(&uid).await["usage_count"], 1);
    let usage = app.get("/query_usage", &[]).await;
    assert_eq!(usage.check_success().body["usage"], serde_json::json!([]));
}

#[actix_web::test]
async fn a_photo_without_a_code_says_nothing() {
    let app = App::start().await;
    let grey = Frame { name: String::new(), text: String::new(), pixels: vec![120; WIDTH * HEIGHT] };
    let answer = send(photo(&app, Role::Scanner, "image/png", png(&grey))).await;
    assert_eq!(answer.check_success().body, serde_json::json!({"success": true, "text": null}));
}

#[actix_web::test]
async fn what_is_no_photo_is_refused() {
    let app = App::start().await;
    // A photo of fifty megapixels, by its frame header.
    let mut large = PHOTO.to_vec();
    let frame = large.windows(2).position(|bytes| bytes == [0xFF, 0xC0]).unwrap();
    large[frame + 5..frame + 9].copy_from_slice(&[0x18, 0x6A, 0x1F, 0x40]);
    let roles = [Role::Scanner, Role::Editor, Role::Admin, Role::Manager].into_iter().cycle();
    for (role, (kind, bytes, error)) in roles.zip([
        ("image/jpeg", &b""[..], "TokenAPIError"),
        ("image/jpeg", b"hello", "TokenValueError"),
        ("image/png", PHOTO, "TokenValueError"),
        ("image/jpeg", &PHOTO[..300], "TokenValueError"),
        ("image/jpeg", &PHOTO[..PHOTO.len() - 200], "TokenValueError"),
        ("image/jpeg", &large, "TokenValueError"),
        ("image/webp", PHOTO, "UnsupportedType"),
        ("application/json", b"{}", "UnsupportedType"),
        ("application/x-www-form-urlencoded", b"photo=x", "UnsupportedType"),
        ("", PHOTO, "UnsupportedType"),
    ]) {
        let answer = send(photo(&app, role, kind, bytes.to_vec())).await;
        answer.check_failure(error);
        if error != "UnsupportedType" {
            answer.check_param("photo");
        }
    }
    let packed = photo(&app, Role::Scanner, "image/jpeg", PHOTO).header("Content-Encoding", "gzip");
    let packed = send(packed).await;
    assert!(packed.check_failure("UnsupportedType").body["message"].as_str().unwrap().contains("Content-Encoding"));
    send(photo(&app, Role::Admin, "image/jpeg", vec![0; 8 * 1024 * 1024 + 1])).await.check_failure("TooLarge");
    let unknown = app.request(Role::Editor, Method::POST, "/scan/read?uid=1").header("Content-Type", "image/jpeg");
    send(unknown.body(PHOTO)).await.check_failure("TokenAPIError").check_param("uid");
}

#[actix_web::test]
async fn two_photos_of_a_device_are_read_a_second() {
    let app = App::start().await;
    let one = async || send(photo(&app, Role::Scanner, "image/jpeg", PHOTO)).await;
    let answers = join_all([one(), one(), one()]).await;
    let (refused, read): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 429);
    for answer in &read {
        answer.check_success();
    }
    assert_eq!((read.len(), refused.len()), (2, 1));
    assert_eq!(refused[0].check_failure("TooManyRequests").header("retry-after"), "1");
    send(photo(&app, Role::Editor, "image/jpeg", PHOTO)).await.check_success();
    // Two phones of one user are two devices.
    let user = Browser::of(&app, Role::Scanner).await;
    let mut second = Browser::new(&app);
    second.sign_in(Role::Scanner.word()).await;
    for phone in [&user, &user, &second, &second] {
        let request = phone.request(Method::POST, "/scan/read").header("Content-Type", "image/jpeg").body(PHOTO);
        send(request).await.check_success();
    }
    wait().await;
    one().await.check_success();
}

#[actix_web::test]
async fn a_page_sends_a_photo_by_its_session_and_another_site_does_not() {
    let app = App::start().await;
    let mut browser = Browser::of(&app, Role::Scanner).await;
    let send = async |browser: &Browser<'_>| {
        let request = browser.request(Method::POST, "/scan/read").header("Content-Type", "image/jpeg");
        let answer = request.body(PHOTO).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(send(&browser).await, (200, format!("{{\"success\":true,\"text\":\"{SAYS}\"}}")));
    browser.site = Some("cross-site");
    assert_eq!(send(&browser).await.0, 403);
    let viewer = photo(&app, Role::Viewer, "image/jpeg", PHOTO);
    crate::support::app::send(viewer).await.check_failure("Forbidden");
    let nobody = app.anonymous(Method::POST, "/scan/read").header("Content-Type", "image/jpeg").body(PHOTO);
    crate::support::app::send(nobody).await.check_failure("Unauthorized");
}
