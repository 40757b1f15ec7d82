//! `/usage.csv`: the log as a table for a spreadsheet.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use actix_web::body::{BodyStream, BoxBody, MessageBody};
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use csv::{Terminator, WriterBuilder};
use futures_util::stream::{TryStreamExt, try_unfold};

use super::query::UsageQuery;
use crate::store;
use crate::store::cursor::Cursor;
use crate::store::usage::list::{UsageScan, UsageSlice, newest_id, slice_part};
use crate::store::usage::{Entry, UsageFilter, labels};
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::guard::{Allowed, See};
use crate::web::params::Params;
use crate::web::state::App;

/// Entries that are in memory at once, however long the log is.
const PIECE: i64 = 1_000;
/// Pieces of the log that are looked at for one of them. Where few entries match, a piece has fewer, and the table takes
/// longer instead of none coming.
const LOG_PIECES: usize = 20;
const HEAD: [&str; 12] = [
    "timestamp",
    "token_uid",
    "token_value",
    "token_label",
    "user",
    "outcome",
    "error",
    "error_code",
    "uid",
    "gate",
    "uses",
    "undoes",
];

/// Sends the entries of a filter, newest first, without those that are added meanwhile.
///
/// # Errors
/// A value error for a filter that cannot be used; unavailable, when the database cannot be asked.
pub(crate) async fn download(
    who: Allowed<See>,
    request: HttpRequest,
    params: Params,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let mut errors = FormErrors::default();
    let filter = UsageQuery::read(&params)?.filter(&app, &mut errors).await?;
    if let Some((name, message)) = errors.first() {
        return Err(crate::token::TokenError::value(name.to_owned(), message).into());
    }
    let rest = Rest::new(&app, who.caller, filter).await?;
    let day = app.store.now().local(app.zone).date();
    let body = match *request.method() {
        Method::HEAD => BoxBody::new(()),
        _ => BodyStream::new(try_unfold(Some(rest), piece).map_err(actix_web::Error::from)).boxed(),
    };
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8; header=present")
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"usage-{day}.csv\"")))
        .body(body))
}

/// What has not been sent yet.
struct Rest {
    app: web::Data<App>,
    caller: Caller,
    filter: UsageFilter,
    scan: UsageScan,
    after: Option<Cursor>,
    begun: bool,
}

impl Rest {
    /// Everything of the filter up to the newest entry there is now.
    async fn new(app: &web::Data<App>, caller: Caller, filter: UsageFilter) -> Result<Self, store::Error> {
        let found = app.store.search(move |connection, limit| {
            let filter = filter.resolved(connection, limit)?;
            let newest = newest_id(connection)?;
            let scan = UsageScan::new(connection, &filter, None)?.until(newest);
            Ok((filter, scan))
        });
        let (filter, scan) = found.await?;
        Ok(Self { app: web::Data::clone(app), caller, filter, scan, after: None, begun: false })
    }
}

/// The next piece, and what is left then. It is asked for when the one before has gone to the client, and not at all when
/// the client has gone.
async fn piece(rest: Option<Rest>) -> Result<Option<(web::Bytes, Option<Rest>)>, Error> {
    let Some(rest) = rest else { return Ok(None) };
    rest.app.recheck(&rest.caller).await?;
    let (filter, scan) = (rest.filter.clone(), rest.scan.clone());
    let wanted = UsageSlice { oldest_first: false, after: rest.after.clone(), limit: PIECE };
    let read = rest.app.store.search(move |connection, limit| {
        let (entries, stopped) = slice_part(connection, &filter, &scan, &wanted, (LOG_PIECES, limit))?;
        let uids: BTreeSet<String> = entries.iter().filter_map(|(_, entry)| entry.token_uid.clone()).collect();
        let labels = labels(connection, uids.into_iter().collect())?;
        Ok((entries, labels, stopped))
    });
    let (entries, labels, stopped) = read.await?;
    let text = written(entries.iter().map(|(_, entry)| entry), &labels, !rest.begun)?;
    let is_last = stopped.is_none() && i64::try_from(entries.len()).unwrap_or(PIECE) < PIECE;
    let after = stopped.or_else(|| entries.into_iter().last().map(|(place, _)| place));
    Ok(Some((text.into(), (!is_last).then_some(Rest { after, begun: true, ..rest }))))
}

/// Lines by RFC 4180.
fn written<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    labels: &HashMap<String, Option<String>>,
    with_head: bool,
) -> Result<Vec<u8>, Error> {
    let fault = |error: csv::Error| Error::from(store::Error::Failed(error.to_string()));
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    if with_head {
        writer.write_record(HEAD).map_err(fault)?;
    }
    for entry in entries {
        let code = entry.error_code.map(|code| code.to_string()).unwrap_or_default();
        let (at, uses) = (entry.timestamp.to_string(), entry.uses.to_string());
        let label = entry.token_uid.as_ref().and_then(|uid| labels.get(uid)?.as_deref());
        let cells = [
            at.as_str(),
            entry.token_uid.as_deref().unwrap_or_default(),
            entry.token_value.as_deref().unwrap_or_default(),
            label.unwrap_or_default(),
            &entry.user,
            outcome(entry),
            entry.error.unwrap_or_default(),
            &code,
            &entry.uid,
            entry.gate.as_deref().unwrap_or_default(),
            &uses,
            entry.undoes.as_deref().unwrap_or_default(),
        ];
        let cells = cells.map(|cell| if cell == uses { cell.into() } else { harmless(cell) });
        writer.write_record(cells.map(Cow::into_owned)).map_err(fault)?;
    }
    writer.into_inner().map_err(|error| Error::fault(error.to_string()))
}

fn outcome(entry: &Entry) -> &'static str {
    match (entry.error, entry.uses) {
        (Some(_), _) => "refused",
        (None, ..0) => "undone",
        (None, _) => "used",
    }
}

/// A cell that no spreadsheet takes for a formula. A value is anybody's text, and one like `=HYPERLINK(…)` would be run by
/// the machine of whoever opens the file (CSV injection, see OWASP's page of that name): so what begins with `=`, `+`,
/// `-`, `@`, a tab or a carriage return gets a `'` before it, which spreadsheets take for "this is text". Who reads
/// the file with a program and needs such values exactly asks `query_usage`.
fn harmless(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}").into() } else { cell.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_made_text_and_all_else_stays() {
        for bad in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(harmless(bad), format!("'{bad}"));
        }
        for good in ["", "a=b", "1-1", "'=1", "user:anna", " =1"] {
            assert_eq!(harmless(good), good);
        }
    }
}
