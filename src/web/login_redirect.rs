//! To the sign-in page and back: to a page that shows what the request was about, with what was chosen or typed. Signing in
//! by itself does and prints nothing.

use std::time::Duration;

use actix_session::SessionExt;
use actix_web::dev::ServiceRequest;
use actix_web::http::{Method, StatusCode, header};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, web};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::page::html;
use super::params::{Form, Params};
use super::query_string;
use super::route::{Back, Kind, RouteIndex};
use super::session_cookie::SESSION_ID;
use super::state::App;

/// Most bytes of a form that is read before anybody has signed in.
const FORM: usize = 16 * 1024;
/// How long such a form may take to be sent.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most bytes of the address to come back to: proxies take 8 KiB of a request line, and it stands encoded within another one.
const LONGEST: usize = 2_500;

/// The form of a POST by a browser whose session has ended.
struct SentForm(Params<FORM>);

/// Reads the form of a request that is about to be refused, so that the page to which its browser comes back can show it
/// again. Only of a browser that had a session, as its signed cookie says: nobody else is listened to.
pub(crate) async fn keep_form(request: &mut ServiceRequest) {
    let had_session = request.get_session().get::<String>(SESSION_ID).is_ok_and(|id| id.is_some());
    if request.method() != Method::POST || !had_session {
        return;
    }
    let (mut payload, http) = (request.take_payload(), request.request().clone());
    let form = tokio::time::timeout(PATIENCE, Form::<FORM>::from_request(&http, &mut payload)).await;
    drop(http);
    if let Ok(Ok(Form(form))) = form {
        request.extensions_mut().insert(SentForm(form));
    }
}

/// Sends a browser to the sign-in page.
pub(crate) fn login_redirect(request: &HttpRequest, https: bool) -> HttpResponse {
    let base = request.app_data::<web::Data<App>>().map(|app| app.base.to_string()).unwrap_or_default();
    let path = request.path().strip_prefix(&base).unwrap_or(request.path());
    let back = if let Some(SentForm(form)) = request.extensions().get() {
        return_address(request, path, None, form)
    } else {
        let query = Params::of_query(request.query_string()).unwrap_or_default();
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        return_address(request, path, Some(request.query_string()).filter(|_| is_read), &query)
    };
    let next = format!("{base}{back}");
    let address = format!("{base}/login?next={}", utf8_percent_encode(&next, NON_ALPHANUMERIC));
    html(StatusCode::SEE_OTHER, https).insert_header((header::LOCATION, address)).finish()
}

/// The address below the base path to which a browser comes back: the same one where that only shows something, else the
/// page of which the route table says that it shows what this was about. `query` is that of a GET.
pub(crate) fn return_address<const L: usize>(
    request: &HttpRequest,
    path: &str,
    query: Option<&str>,
    parameters: &Params<L>,
) -> String {
    let same = || match query {
        Some(query) if !query.is_empty() => format!("{path}?{query}"),
        _ => path.to_owned(),
    };
    let routes = request.app_data::<web::Data<RouteIndex>>();
    // What is not there is an honest 404 after signing in, too.
    let Some((route, places)) = routes.and_then(|routes| routes.find(path)) else { return same() };
    if query.is_some() && route.is_shown() {
        return same();
    }
    if route.kind == Kind::View {
        return "/".into();
    }
    let own = if route.is_shown() { route.path } else { "/" };
    let back = route.back.unwrap_or(Back { page: own, parameters: &[], without: own });
    let at = |page: &str| {
        places.iter().fold(page.to_owned(), |page, (name, value)| page.replace(&format!("{{{name}}}"), value))
    };
    let names = back.parameters.iter().flat_map(|pattern| parameters.names(pattern));
    let values = names.flat_map(|name| {
        let values = parameters.ticked(name).unwrap_or_default();
        values.into_iter().map(move |value| (name, value))
    });
    let values: Vec<(&str, String)> = values.collect();
    let address = query_string::with(&at(back.page), values.iter().map(|(name, value)| (*name, value.as_str())), "");
    // Part of a selection would be another selection.
    if values.is_empty() || address.len() > LONGEST { at(back.without) } else { address }
}
