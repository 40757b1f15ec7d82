//! What is wrapped around every request: its log line, its end when the server ends, and what becomes of a panic.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, web};
use futures_util::FutureExt;
use tokio::sync::Notify;
use tracing::Span;
use tracing_actix_web::{RequestId, RootSpanBuilder};

use super::callers::Caller;
use super::error::Error;
use super::state::App;
use crate::token::Uid;

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

impl RootSpanBuilder for RequestLog {
    fn on_request_start(request: &ServiceRequest) -> Span {
        request.extensions_mut().insert(Started(Instant::now()));
        let id = request.extensions().get::<RequestId>().map(ToString::to_string);
        tracing::info_span!("request", id, method = %request.method(), path = shown(request.path()))
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
        let client = request.app_data::<web::Data<App>>().and_then(|app| app.proxies.client(request));
        tracing::info!(status = response.status().as_u16(), micros, who, client = client.map(tracing::field::display));
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

/// Which requests are under way, so that the server can end when none is.
#[derive(Default)]
pub struct Drain {
    under_way: AtomicUsize,
    ending: AtomicBool,
    left: Notify,
}

/// How long a finished answer gets to leave the machine.
const FLUSH: Duration = Duration::from_millis(200);

impl Drain {
    fn enter(&self) {
        self.under_way.fetch_add(1, Ordering::SeqCst);
    }

    fn leave(&self) {
        if self.under_way.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.left.notify_waiters();
        }
    }

    /// Whether the server is to end: what takes long should.
    pub fn is_ending(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    /// From now on every answer closes its connection.
    pub fn begin(&self) {
        self.ending.store(true, Ordering::SeqCst);
    }

    /// Returns when no request is under way.
    pub async fn end(&self) {
        loop {
            let left = self.left.notified();
            if self.under_way.load(Ordering::SeqCst) == 0 {
                tokio::time::sleep(FLUSH).await;
                if self.under_way.load(Ordering::SeqCst) == 0 {
                    return;
                }
            } else {
                left.await;
            }
        }
    }
}

/// Counts a request as under way, from its head until its answer is written.
pub struct UnderWay(Arc<Drain>);

impl UnderWay {
    /// From now on until it is dropped: also for what goes on when a request has its answer.
    pub fn enter(drain: &Arc<Drain>) -> Self {
        drain.enter();
        Self(Arc::clone(drain))
    }

    /// Until the returned value is dropped, the request does not count: it has not been sent whole.
    pub fn pause(request: &HttpRequest) -> Paused {
        let drain = request.app_data::<web::Data<App>>().map(|app| Arc::clone(&app.drain));
        if let Some(drain) = &drain {
            drain.leave();
        }
        Paused(drain)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// See [`UnderWay::pause`].
pub struct Paused(Option<Arc<Drain>>);

impl Drop for Paused {
    fn drop(&mut self) {
        if let Some(drain) = &self.0 {
            drain.enter();
        }
    }
}

/// Counts requests, and closes connections once the server is to end.
///
/// # Errors
/// Those of what it wraps.
pub async fn under_way<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<Counted<B>>, actix_web::Error> {
    let drain = request.app_data::<web::Data<App>>().map(|app| Arc::clone(&app.drain)).unwrap_or_default();
    let counted = UnderWay::enter(&drain);
    let mut response = next.call(request).await?;
    if drain.is_ending() {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(response.map_body(|_, body| Counted { body: Box::pin(body), _counted: counted }))
}

/// A body whose request counts as under way until it is written.
pub struct Counted<B> {
    body: Pin<Box<B>>,
    _counted: UnderWay,
}

impl<B: MessageBody> MessageBody for Counted<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<web::Bytes, B::Error>>> {
        self.get_mut().body.as_mut().poll_next(cx)
    }
}
