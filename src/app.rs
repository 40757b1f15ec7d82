//! Builds the server: middleware in order, routes, state.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::{App as ActixApp, HttpServer, web};
use tracing_actix_web::TracingLogger;

use crate::web::error_pages::error_pages;
use crate::web::headers::common;
use crate::web::middleware::{RequestLog, faults, track_requests};
use crate::web::openapi::file::Description;
use crate::web::route::RouteIndex;
use crate::web::routes::{routes, table};
use crate::web::state::App;
use crate::work::shutdown::Shutdown;
use crate::work::{actions, indexer};

/// Seconds that requests in progress get when the server shuts down.
pub(crate) const ENDING_SECONDS: u64 = 30;

/// A listening server.
pub struct Running {
    /// The server, to be awaited.
    pub server: Server,
    /// The address it is bound to.
    pub(crate) address: SocketAddr,
    /// For a graceful shutdown.
    pub(crate) shutdown: Shutdown,
}

/// How long a connection may be idle. Longer than proxies keep theirs (60 seconds: nginx, `keepalive_timeout` of an
/// upstream), so that they close it: a request that meets the server's closing is lost.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Serves `state` on `listener`. Ends through the server's handle; the caller handles signals.
///
/// # Errors
/// The socket cannot be used.
pub fn serve(listener: TcpListener, state: App) -> std::io::Result<Running> {
    let address = listener.local_addr()?;
    let shutdown = state.background.shutdown.clone();
    actions::watch(&state.background);
    indexer::spawn(&state.background);
    let state = web::Data::new(state);
    let index = web::Data::new(RouteIndex::new(&table()));
    let description = web::Data::new(Description::new(table, state.public_url.to_string()));
    let server = HttpServer::new(move || {
        let for_routes = web::Data::clone(&state);
        ActixApp::new()
            .app_data(web::Data::clone(&state))
            .app_data(web::Data::clone(&index))
            .app_data(web::Data::clone(&description))
            .configure(move |config| routes(config, &for_routes))
            .wrap(from_fn(faults))
            .wrap(from_fn(error_pages))
            .wrap(headers(state.public_url.is_https()))
            .wrap(from_fn(track_requests))
            .wrap(TracingLogger::<RequestLog>::new())
    });
    // A head that is sent before its body would otherwise be acknowledged late, and the body wait for that (RFC 896).
    let server = server
        .tcp_nodelay(true)
        .keep_alive(KEEP_ALIVE)
        .disable_signals()
        .shutdown_timeout(ENDING_SECONDS)
        .listen(listener)?
        .run();
    Ok(Running { server, address, shutdown })
}

/// Headers of every response that does not set its own.
fn headers(https: bool) -> DefaultHeaders {
    let policy = DefaultHeaders::new().add(("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"));
    common(https).fold(policy, DefaultHeaders::add)
}
