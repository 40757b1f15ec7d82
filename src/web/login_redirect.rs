//! To the sign-in page and back: to a page that shows what the request was about, with what was chosen or typed. Signing in
//! by itself does and prints nothing.

use std::sync::Arc;
use std::time::Duration;

use actix_session::SessionExt;
use actix_web::dev::ServiceRequest;
use actix_web::http::{Method, StatusCode, header};
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse, web};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::bearer::has_bearer;
use super::bulk::selection::Ticks;
use super::local_address::{LocalAddress, encode_path};
use super::negotiation::{answers_json, vary_by_accept};
use super::page::html;
use super::params::{RawForm, RawParams, TICKED};
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
struct SentForm(RawParams<FORM>);

/// Reads the form of a request that is about to be refused, so that the page to which its browser comes back can show it
/// again. Only of a browser that had a session, as its signed cookie says, and only where there is such a page: nobody
/// else is listened to.
pub(crate) async fn keep_form(request: &mut ServiceRequest) {
    let had_session = request.get_session().get::<String>(SESSION_ID).is_ok_and(|id| id.is_some());
    if request.method() != Method::POST || !had_session || !comes_back_with_form(request.request()) {
        return;
    }
    let (mut payload, http) = (request.take_payload(), request.request().clone());
    let form = tokio::time::timeout(PATIENCE, RawForm::<FORM>::from_request(&http, &mut payload)).await;
    drop(http);
    if let Ok(Ok(RawForm(form))) = form {
        request.extensions_mut().insert(SentForm(form));
    }
}

fn comes_back_with_form(request: &HttpRequest) -> bool {
    if has_bearer(request) || answers_json(request) {
        return false;
    }
    let routes = request.app_data::<web::Data<RouteIndex>>();
    let address = LocalAddress::read(request.path(), &base(request));
    let route = routes.zip(address).and_then(|(routes, address)| Some(routes.find(&address.path)?.0.back.clone()));
    route.flatten().is_some_and(|back| back.parameters.is_some_and(|names| !names.is_empty()))
}

fn base(request: &HttpRequest) -> Arc<str> {
    request.app_data::<web::Data<App>>().map(|app| Arc::clone(&app.base)).unwrap_or_default()
}

/// Sends a browser to the sign-in page.
pub(crate) fn login_redirect(request: &HttpRequest, https: bool) -> HttpResponse {
    let base = base(request);
    let asked = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let back = match (request.extensions().get(), LocalAddress::read(&asked, &base)) {
        (Some(SentForm(form)), Some(address)) => return_address(request, &address, false, form),
        _ => return_to(request, &asked, is_read),
    };
    let next = format!("{base}{back}");
    let address = format!("{base}/login?next={}", utf8_percent_encode(&next, NON_ALPHANUMERIC));
    let mut response = html(StatusCode::SEE_OTHER, https).insert_header((header::LOCATION, address)).finish();
    vary_by_accept(response.headers_mut());
    response
}

/// The address below the base path to which a browser comes back that asked for `asked`, which has all its parameters; the
/// first page for an address that is not ours.
pub(crate) fn return_to(request: &HttpRequest, asked: &str, is_read: bool) -> String {
    let Some(address) = LocalAddress::read(asked, &base(request)) else { return "/".into() };
    let parameters = RawParams::of_query(&address.query).unwrap_or_default();
    return_address(request, &address, is_read, &parameters)
}

/// The address below the base path to which a browser comes back: the same one where that only shows something and the
/// browser read it, else the page of which the route table says that it shows what this was about.
fn return_address<const L: usize>(
    request: &HttpRequest,
    address: &LocalAddress,
    is_read: bool,
    parameters: &RawParams<L>,
) -> String {
    let routes = request.app_data::<web::Data<RouteIndex>>();
    // What is not there is an honest 404 after signing in, too.
    let Some((route, places)) = routes.and_then(|routes| routes.find(&address.path)) else {
        return encode_path(&address.path);
    };
    // Signing in has its page behind it, and a program's answer is no page.
    if route.is_open || route.kind == Kind::View {
        return "/".into();
    }
    if is_read && route.is_shown() {
        return same(address, parameters);
    }
    let own = if route.is_shown() { route.path } else { "/" };
    let back = route.back.clone().unwrap_or(Back { page: own, parameters: None, without: own });
    let at = |page: &str| {
        let fill = |page: String, (name, value): &(String, String)| page.replace(&format!("{{{name}}}"), value);
        encode_path(&places.iter().fold(page.to_owned(), fill))
    };
    let names = back.parameters.iter().flatten().flat_map(|pattern| parameters.names(pattern));
    let ticks: Ticks = parameters.typed(false).unwrap_or_default();
    let values = names.filter(|name| !ticks.overrule(name)).flat_map(|name| {
        let values = match name {
            TICKED => parameters.ticked(name).unwrap_or_default(),
            name => parameters.text(name).ok().flatten().into_iter().collect(),
        };
        values.into_iter().filter(|value| !value.is_empty()).map(move |value| (name, value))
    });
    let values: Vec<(&str, String)> = values.collect();
    let address = query_string::with(&at(back.page), values.iter().map(|(name, value)| (*name, value.as_str())), "");
    // Part of a selection would be another selection.
    if values.is_empty() || address.len() > LONGEST { at(back.without) } else { address }
}

/// The same address, without a query that is too long for others, or has a password that should never have been in it.
fn same<const L: usize>(address: &LocalAddress, parameters: &RawParams<L>) -> String {
    let path = encode_path(&address.path);
    let is_kept = !address.query.is_empty() && address.query.len() <= LONGEST && !parameters.has_any("password");
    if is_kept { format!("{path}?{}", address.query) } else { path }
}
