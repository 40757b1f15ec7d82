//! What is wrapped around every request: its log line, its end when the server ends, and what becomes of a panic.

use std::cell::RefCell;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{ConnectionType, Version};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, web};
use futures_util::FutureExt;
use tracing::Span;
use tracing_actix_web::{RequestId, RootSpanBuilder};

use super::callers::Caller;
use super::error::Error;
use super::state::App;
use super::trailing_slash;
use crate::token::Uid;
use crate::work::shutdown::{InProgress, Shutdown};

/// One line a request. The query string is left out, and uids are cut: they are what codes say, and who reads a
/// log should not be able to use tokens.
pub struct RequestLog;

/// Characters of a uid that tell two of them apart, and do not open a door.
const UID_SHOWN: usize = 8;

fn shown(path: &str) -> String {
    let cut = |part: &str| match part.parse::<Uid>() {
        Ok(_) => format!("{}…", part.get(..UID_SHOWN).unwrap_or_default()),
        Err(_) => part.chars().take(UID_SHOWN * 8).collect(),
    };
    path.split('/').map(cut).collect::<Vec<_>>().join("/")
}

struct Started(Instant);

fn client(request: &ServiceRequest) -> Option<IpAddr> {
    let app = request.app_data::<web::Data<App>>()?;
    Some(app.proxies.client_of(request.peer_addr()?.ip(), request.headers()))
}

impl RootSpanBuilder for RequestLog {
    fn on_request_start(request: &ServiceRequest) -> Span {
        request.extensions_mut().insert(Started(Instant::now()));
        let id = request.extensions().get::<RequestId>().map(ToString::to_string);
        let client = client(request).map(tracing::field::display);
        tracing::info_span!("request", id, client, method = %request.method(), path = shown(request.path()))
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, actix_web::Error>) {
        let _entered = span.enter();
        let response = match outcome {
            Ok(response) => response,
            Err(error) => return tracing::info!(status = error.as_response_error().status_code().as_u16()),
        };
        let request = response.request();
        let extensions = request.extensions();
        let micros = extensions.get::<Started>().map_or(0, |started| started.0.elapsed().as_micros());
        let who = extensions.get::<Caller>().map(|caller| caller.principal.as_str());
        tracing::info!(status = response.status().as_u16(), micros, who);
    }
}

/// Makes a panic a 500 while the process lives on, logs what a client is not told, and tells it the request's id.
///
/// # Errors
/// A fault, when something panicked. Nothing of the request may be kept over the call, since routing wants it alone.
pub async fn faults<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let id = request.extensions().get::<RequestId>().map(ToString::to_string);
    let outcome = AssertUnwindSafe(next.call(request)).catch_unwind().await;
    let response = if let Ok(response) = outcome {
        response?.map_into_boxed_body()
    } else {
        tracing::error!("a handler panicked");
        return Err(Error::Fault { detail: "a panic".into(), request_id: id }.into());
    };
    let fault = match response.response().error().and_then(|error| error.as_error::<Error>()) {
        Some(Error::Fault { detail, .. }) => {
            tracing::error!(detail, "a fault");
            Error::Fault { detail: detail.clone(), request_id: id }
        }
        Some(Error::Unavailable(detail) | Error::Unknown(detail)) => {
            tracing::warn!(detail, "not available");
            return Ok(response);
        }
        _ => return Ok(response),
    };
    let (request, _) = response.into_parts();
    Ok(ServiceResponse::from_err(fault, request))
}

/// A request that is in progress, from its head until its answer is written.
#[derive(Clone)]
pub(crate) struct RequestInProgress {
    shutdown: Shutdown,
    counted: Rc<RefCell<Option<InProgress>>>,
}

impl RequestInProgress {
    fn new(shutdown: Shutdown) -> Self {
        let counted = Rc::new(RefCell::new(Some(shutdown.track())));
        Self { shutdown, counted }
    }

    /// Until the returned value is dropped, the request does not count: it has not been sent whole, and may never be.
    pub(crate) fn pause(request: &HttpRequest) -> Option<Paused> {
        let in_progress = request.extensions().get::<Self>().cloned()?;
        in_progress.counted.take();
        Some(Paused(in_progress))
    }
}

/// See [`RequestInProgress::pause`].
pub(crate) struct Paused(RequestInProgress);

impl Drop for Paused {
    fn drop(&mut self) {
        self.0.counted.replace(Some(self.0.shutdown.track()));
    }
}

/// Counts requests, serves an address with a slash at its end, and closes connections once the server is to end.
pub(crate) async fn track_requests<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<Tracked<B>>, actix_web::Error> {
    let app = request.app_data::<web::Data<App>>().cloned();
    let shutdown = app.as_ref().map(|app| app.background.shutdown.clone()).unwrap_or_default();
    trailing_slash::trim(&mut request, app.as_ref().map_or("", |app| &app.base));
    let version = request.version();
    let in_progress = RequestInProgress::new(shutdown);
    request.extensions_mut().insert(in_progress.clone());
    let mut response = next.call(request).await?;
    // HTTP/1.0 knows no chunks (RFC 9112, section 6.1): what has no length ends with its connection.
    let ends_by_closing = version < Version::HTTP_11 && response.response().body().size() == BodySize::Stream;
    let head = response.response_mut().head_mut();
    if ends_by_closing {
        head.no_chunking(true);
    }
    if ends_by_closing || in_progress.shutdown.is_ending() {
        head.set_connection_type(ConnectionType::Close);
    }
    Ok(response.map_body(|_, body| Tracked { body: Box::pin(body), _in_progress: in_progress }))
}

/// A body whose request counts as in progress until it is written.
pub(crate) struct Tracked<B> {
    body: Pin<Box<B>>,
    _in_progress: RequestInProgress,
}

impl<B: MessageBody> MessageBody for Tracked<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<web::Bytes, B::Error>>> {
        self.get_mut().body.as_mut().poll_next(cx)
    }
}
