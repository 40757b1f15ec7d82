//! Sends an export while it is read.

use actix_web::body::{BodyStream, BoxBody, MessageBody};
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream::{TryStreamExt, try_unfold};

use crate::store::audit;
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::state::App;
use crate::work::export::format::Format;
use crate::work::export::rows::{Layout, RowWriter};
use crate::work::export::source::Source;

/// What has not been sent yet.
struct Rest {
    app: web::Data<App>,
    caller: Caller,
    layout: Layout<'static>,
    source: Box<dyn Source>,
    is_begun: bool,
}

/// A file called `name` with all rows of `source`. If it breaks off in the middle, so does the connection, and nobody takes
/// a part for the whole.
///
/// The audit has that it was begun, and by which filters.
///
/// # Errors
/// When that cannot be recorded.
pub(crate) async fn send(
    request: &HttpRequest,
    app: &web::Data<App>,
    caller: Caller,
    (name, filters): (&'static str, &[(&'static str, String)]),
    (layout, source): (Layout<'static>, Box<dyn Source>),
) -> Result<HttpResponse, Error> {
    if *request.method() != Method::HEAD {
        record(app, &caller, name, layout.format(), filters).await?;
    }
    let (day, ending) = (app.store.now().local(app.zone).date(), layout.format().ending());
    let rest = Rest { app: web::Data::clone(app), caller, layout, source, is_begun: false };
    let body = match *request.method() {
        Method::HEAD => BoxBody::new(()),
        _ => BodyStream::new(try_unfold(Some(rest), piece).map_err(actix_web::Error::from)).boxed(),
    };
    Ok(HttpResponse::Ok()
        .content_type(content_type(layout.format()))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}-{day}{ending}\"")))
        .body(body))
}

async fn record(
    app: &web::Data<App>,
    caller: &Caller,
    name: &'static str,
    format: Format,
    filters: &[(&'static str, String)],
) -> Result<(), Error> {
    let filters = filters.iter().map(|(name, value)| format!("{name}={value}"));
    let detail = std::iter::once(format.words().to_owned()).chain(filters).collect::<Vec<_>>().join("; ");
    let (by, now) = (caller.principal.clone(), app.store.now());
    let record = move |connection: &mut _| audit::record(connection, &by, "export", name, &detail, now);
    Ok(app.store.write(record).await?)
}

/// RFC 4180 names the one; the other is what <https://jsonlines.org> recommends.
fn content_type(format: Format) -> &'static str {
    match format {
        Format::Csv | Format::Excel => "text/csv; charset=utf-8; header=present",
        Format::JsonLines => "application/jsonl",
    }
}

/// The next piece, and what is left then. It is asked for when the one before has gone to the client, and not at all when
/// the client has gone.
async fn piece(rest: Option<Rest>) -> Result<Option<(web::Bytes, Option<Rest>)>, Error> {
    let Some(Rest { app, caller, layout, mut source, is_begun }) = rest else { return Ok(None) };
    app.recheck(&caller).await?;
    let read = app.store.search(move |connection, limit| {
        let mut bytes = if is_begun { Vec::new() } else { layout.head()? };
        let mut rows = RowWriter::new(layout);
        let is_more = source.write_piece(connection, &mut rows, limit)?;
        bytes.append(&mut rows.into_bytes()?);
        Ok((bytes, is_more.then_some(source)))
    });
    let (bytes, source) = read.await?;
    Ok(Some((bytes.into(), source.map(|source| Rest { app, caller, layout, source, is_begun: true }))))
}
