//! Who asks, and may they? A handler says by the type of an argument what it takes to enter.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::Next;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

use super::error::Error;
use super::state::App;
use crate::access::{Permission, Principal, Role};

/// Who sent a request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The name in the log.
    pub principal: Principal,
    /// What the caller may do.
    pub role: Role,
}

/// Lets nobody in whom it does not know: around every address but the open ones, so that one that is added without
/// a thought is closed. What is inside is decided by [`Allowed`].
///
/// # Errors
/// Unauthorized without a key, or with one that is not good.
pub async fn authenticate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    match caller(request.request()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.call(request).await.map(ServiceResponse::map_into_left_body)
        }
        Err(error) => Ok(request.error_response(error).map_into_right_body()),
    }
}

async fn caller(request: &HttpRequest) -> Result<Caller, Error> {
    let app = request.app_data::<web::Data<App>>().ok_or_else(|| Error::fault("no state"))?;
    let Some(header) = request.headers().get(AUTHORIZATION) else { return Err(Error::Unauthorized("Bearer")) };
    // The scheme in either case: RFC 9110, section 11.1.
    let bearer = header.to_str().ok().and_then(|text| text.split_once(' '));
    let key = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, key)| key.trim());
    // RFC 6750, section 3.1.
    let wrong = || Error::Unauthorized("Bearer error=\"invalid_token\"");
    app.bearers.caller(&app.store, key.ok_or_else(wrong)?).await?.ok_or_else(wrong)
}

/// What it takes to enter a handler.
pub trait Entry {
    /// The permission.
    const PERMISSION: Permission;
    /// What is told to who does not have it.
    const REFUSAL: &'static str;
}

macro_rules! entries {
    ($($(#[$doc:meta])* $name:ident: $refusal:literal;)*) => {$(
        $(#[$doc])*
        pub struct $name;

        impl Entry for $name {
            const PERMISSION: Permission = Permission::$name;
            const REFUSAL: &'static str = $refusal;
        }
    )*};
}

entries! {
    /// To see tokens and usage.
    See: "You may not see tokens and usage with this role.";
    /// To ask for one exact value.
    Ask: "You may not ask for tokens with this role.";
    /// To use a token.
    Consume: "You may not consume tokens with this role.";
    /// To add and edit tokens.
    Edit: "You may not add or edit tokens with this role.";
    /// To delete tokens.
    Delete: "You may not delete tokens with this role.";
}

/// A caller whose role has a permission. Comes first among a handler's arguments: who may not enter learns nothing of
/// what is wrong with the rest.
pub struct Allowed<E> {
    /// Who it is.
    pub principal: Principal,
    entry: PhantomData<E>,
}

impl<E: Entry> FromRequest for Allowed<E> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Caller>().cloned();
        ready(match caller {
            None => Err(Error::Unauthorized("Bearer")),
            Some(caller) if caller.role.may(E::PERMISSION) => {
                Ok(Self { principal: caller.principal, entry: PhantomData })
            }
            Some(_) => Err(Error::Forbidden(E::REFUSAL.into())),
        })
    }
}
