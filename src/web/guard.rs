//! Who asks, and may they? A handler says by the type of an argument what it takes to enter.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_session::SessionExt;
use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HOST, ORIGIN};
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

use super::bearer::{bearer, has_bearer};
use super::callers::{Caller, Via};
use super::error::Error;
use super::login_redirect::keep_form;
use super::negotiation::answers_json;
use super::openapi::operation::{DescribesRequest, Operation};
use super::rate_headers;
use super::session_cookie::SESSION_ID;
use super::state::App;
use crate::access::Permission;
use crate::access::rate::Allowance;

/// What is repeated of a header that anybody may have written.
const SHOWN_CHARS: usize = 200;

/// Rejects unauthenticated requests. Wrapped around every route but the open ones, so that a route that is added without a
/// thought is closed. What an authenticated caller may do is decided by [`Allowed`].
pub(crate) async fn authenticate(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    match caller(request.request()).await {
        Ok(caller) => {
            let counted = count(request.request(), &caller);
            read_organisation(request.request()).await;
            request.extensions_mut().insert(caller);
            let allowance = match counted {
                Ok(allowance) => allowance,
                Err(error) => return Ok(request.error_response(error).map_into_right_body()),
            };
            let mut response = next.call(request).await?;
            if let Some(allowance) = allowance {
                rate_headers::add(response.headers_mut(), allowance);
            }
            Ok(response.map_into_left_body())
        }
        Err(error) => {
            if matches!(error, Error::Unauthorized(_)) {
                keep_form(&mut request).await;
            }
            Ok(request.error_response(error).map_into_right_body())
        }
    }
}

/// Reads the organisation's name, which the page that answers will show, unless it was read within the last second. Pages
/// are there without it, too.
pub(crate) async fn read_organisation(request: &HttpRequest) {
    let app = request.app_data::<web::Data<App>>();
    if let Some(app) = app.filter(|_| request.method() == Method::GET && !answers_json(request)) {
        let _ = app.settings.get(&app.store).await;
    }
}

async fn caller(request: &HttpRequest) -> Result<Caller, Error> {
    let app = request.app_data::<web::Data<App>>().ok_or_else(|| Error::fault("no state"))?;
    let Some(key) = bearer(request) else {
        let id = request.get_session().get::<String>(SESSION_ID).ok().flatten();
        let id = id.ok_or(Error::Unauthorized("Bearer"))?;
        return app.callers.by_session(&app.store, &id).await?.ok_or(Error::Unauthorized("Bearer"));
    };
    // A wrong bearer never falls back to the cookie (RFC 6750, section 3.1).
    let caller = app.callers.by_key(&app.store, key, || app.proxies.client(request)).await?;
    caller.ok_or(Error::Unauthorized("Bearer error=\"invalid_token\""))
}

/// Counts a request against its key's limit, if the key has one; then says what is left of it.
///
/// # Errors
/// The key is over its limit.
fn count(request: &HttpRequest, caller: &Caller) -> Result<Option<Allowance>, Error> {
    let Via::Key { hash, rate: Some(rate), .. } = &caller.via else { return Ok(None) };
    let app = request.app_data::<web::Data<App>>().ok_or_else(|| Error::fault("no state"))?;
    app.callers.rate_limits.count(hash, *rate).map(Some).ok_or(Error::OverRate(*rate))
}

/// Refuses what another site's page makes a browser send: the cookie would come along, and the user not know of it.
pub(crate) async fn same_origin(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if reads || has_bearer(request.request()) || is_same_origin(request.request()) {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    }
    let error = foreign_origin(request.request());
    Ok(request.error_response(error).map_into_right_body())
}

/// By `Sec-Fetch-Site` (W3C Fetch Metadata), which no page can forge; by `Origin` where a browser is too old for it. Who
/// sends neither is no browser, and has no cookie that it does not know of.
fn is_same_origin(request: &HttpRequest) -> bool {
    if let Some(site) = text(request, "sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(request, ORIGIN.as_str()) else { return true };
    let is_host = |host: &str| origin.split_once("://").is_some_and(|(_, of)| of.eq_ignore_ascii_case(host));
    let app = request.app_data::<web::Data<App>>();
    text(request, HOST.as_str()).is_some_and(is_host) || app.is_some_and(|app| app.public_url.origin() == origin)
}

fn text<'r>(request: &'r HttpRequest, header: &str) -> Option<&'r str> {
    request.headers().get(header).map(|value| value.to_str().unwrap_or("?"))
}

/// The refusal of another site's request, which names both addresses: often they are one, and a proxy or `--public-url`
/// says otherwise.
fn foreign_origin(request: &HttpRequest) -> Error {
    let shown = |text: &str| text.chars().take(SHOWN_CHARS).collect::<String>();
    let public = request.app_data::<web::Data<App>>().map(|app| app.public_url.origin());
    let host = text(request, HOST.as_str()).map(shown);
    let is_other = |host: &String| public.as_ref().is_none_or(|public| !public.ends_with(&format!("://{host}")));
    let accepted = public.clone().into_iter().chain(host.filter(is_other)).collect();
    Error::ForeignOrigin { origin: text(request, ORIGIN.as_str()).map(shown), accepted }
}

/// Holds that a GET that changes something was sent by a page of ours or by a key's owner, and not by a link elsewhere.
///
/// # Errors
/// Forbidden.
pub(crate) fn refuse_foreign_get(request: &HttpRequest) -> Result<(), Error> {
    let says = |name: &str, value: &str| request.headers().get(name).is_some_and(|given| given == value);
    // A page of ours fetches; a navigation may have been sent here from elsewhere, by way of our own redirects.
    let is_ours = says("sec-fetch-site", "same-origin") && !says("sec-fetch-mode", "navigate");
    if request.method() != Method::GET || has_bearer(request) || is_ours {
        return Ok(());
    }
    Err(Error::Forbidden(
        "A signed-in browser can use a token only by POST, or by GET from a page of this site.".into(),
    ))
}

/// Whether a browser loads this ahead, before anybody has asked for it (the `Sec-Purpose` header of the Fetch standard, and
/// what older browsers send).
pub(crate) fn is_prefetch(request: &HttpRequest) -> bool {
    let says = |name| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| {
            ["prefetch", "prerender"].iter().any(|ahead| value.to_ascii_lowercase().contains(ahead))
        })
    };
    ["sec-purpose", "purpose", "x-moz"].into_iter().any(says)
}

/// Holds that nobody's browser loads this ahead: before a click it must not use up a ticket.
///
/// # Errors
/// Forbidden.
pub(crate) fn refuse_prefetch(request: &HttpRequest) -> Result<(), Error> {
    if is_prefetch(request) {
        return Err(Error::Forbidden("Loading a link ahead of time does not use a token.".into()));
    }
    Ok(())
}

/// What it takes to enter a handler.
pub(crate) trait Entry {
    /// The permission, or none where being known is enough.
    const PERMISSION: Option<Permission>;
    /// What is told to who does not have it.
    const REFUSAL: &'static str;
}

macro_rules! entries {
    ($($(#[$doc:meta])* $name:ident, $permission:expr, $refusal:literal;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl Entry for $name {
            const PERMISSION: Option<Permission> = $permission;
            const REFUSAL: &'static str = $refusal;
        }
    )*};
}

entries! {
    /// To be anybody who is known.
    Anybody, None, "";
    /// To see tokens and usage.
    See, Some(Permission::See), "Your role can't see tokens or usage.";
    /// To ask for one exact value.
    Ask, Some(Permission::Ask), "Your role can't look up tokens.";
    /// To use a token.
    Consume, Some(Permission::Consume), "Your role can't use tokens.";
    /// To add and edit tokens.
    Edit, Some(Permission::Edit), "Your role can't add or edit tokens.";
    /// To save printers and what was measured of them, which all others print with.
    SavePrinters, Some(Permission::Edit), "Your role can't save printers.";
    /// To delete tokens.
    Delete, Some(Permission::Delete), "Your role can't delete tokens.";
    /// To void tokens and to restore them.
    Void, Some(Permission::Delete), "Your role can't void or restore tokens.";
    /// To look after settings, users and keys.
    Manage, Some(Permission::Manage), "Only managers can open settings, users and keys.";
}

/// A caller whose role has a permission. Comes first among a handler's arguments: who may not enter learns nothing of
/// what is wrong with the rest.
pub(crate) struct Allowed<E> {
    /// Who it is.
    pub(crate) caller: Caller,
    entry: PhantomData<E>,
}

impl<E: Entry> DescribesRequest for Allowed<E> {
    fn describe(operation: &mut Operation) {
        operation.needs_caller = true;
        operation.permission = E::PERMISSION;
        operation.errors.push(Error::Unauthorized("Bearer"));
        if !E::REFUSAL.is_empty() {
            operation.errors.push(Error::Forbidden(E::REFUSAL.into()));
        }
    }
}

impl<E: Entry> FromRequest for Allowed<E> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Caller>().cloned();
        ready(match caller {
            None => Err(Error::Unauthorized("Bearer")),
            Some(caller) if E::PERMISSION.is_none_or(|permission| caller.role.may(permission)) => {
                Ok(Self { caller, entry: PhantomData })
            }
            Some(_) => Err(Error::Forbidden(E::REFUSAL.into())),
        })
    }
}
