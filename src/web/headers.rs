//! The headers of every answer.

/// What a page may ask a browser for: the camera, to scan.
const PERMISSIONS: &str = "camera=(self), geolocation=(), microphone=(), payment=(), usb=()";

/// Names and values: nothing is kept, sniffed or read by other sites; for a year only by https, where that is how we are
/// reached.
pub(crate) fn common(https: bool) -> impl Iterator<Item = (&'static str, &'static str)> {
    let always = [
        ("Cache-Control", "no-store"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Permissions-Policy", PERMISSIONS),
        ("Referrer-Policy", "same-origin"),
        ("X-Content-Type-Options", "nosniff"),
    ];
    always.into_iter().chain(https.then_some(("Strict-Transport-Security", "max-age=31536000")))
}
