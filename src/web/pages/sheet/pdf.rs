//! `/sheet.pdf`: the labels as a PDF, which is kept as a print run.

use std::ops::ControlFlow;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};

use super::asked::NAMES;
use super::order::{Order, Printed, refusals};
use super::sheet_page;
use crate::access::Principal;
use crate::sheet::fonts::Fonts;
use crate::sheet::layout::{Item, Plan};
use crate::sheet::pdf;
use crate::sheet::refused::Refused;
use crate::store::print_jobs::Progress;
use crate::store::print_runs::{self, NewRun, PrintRun};
use crate::token::TokenError;
use crate::web::error::Error;
use crate::web::guard::{Allowed, See};
use crate::web::pages::see_other;
use crate::web::params::{LARGE, Params};
use crate::web::press::Work;
use crate::web::printing::Printing;
use crate::web::routes::answers_json;
use crate::web::state::App;

/// The names of the parameters that say which tokens, and of those that a form of ours sends besides.
const OTHERS: [&str; 13] = [
    "uid",
    "uids",
    "select",
    "q",
    "state",
    "created_from",
    "created_to",
    "batch",
    "print_run",
    "printed",
    "sort",
    "do",
    "job_uid",
];

/// Prints labels: makes the PDF, keeps it as a print run, and remembers the next free label.
///
/// # Errors
/// What is wrong with the sheet or its tokens, to programs; people get the page with it. Unavailable, when the database
/// cannot be asked.
pub async fn print(
    who: Allowed<See>,
    request: HttpRequest,
    params: Params<LARGE>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    if is_from_elsewhere(&request)? {
        return Ok(see_other(&app, &format!("/sheet?{}", request.query_string())));
    }
    params.only(&[&NAMES[..], &OTHERS[..]].concat())?;
    let by = who.caller.principal.clone();
    let mut order = Order::read(&params, &app, &by, false).await?;
    let Some((printed, made, ())) = make_all(&app, &mut order, |_, _| ()).await? else {
        return refused(&who, &request, &app, order).await;
    };
    let (run, kept) = keep(&app, &order.how, &by, (printed, made), None).await?;
    let name = format!("labels-{}.pdf", run.uid.get(..8).unwrap_or_default());
    Ok(HttpResponse::Ok()
        .content_type("application/pdf")
        .insert_header((header::CONTENT_DISPOSITION, format!("inline; filename=\"{name}\"")))
        .insert_header((header::CONTENT_LOCATION, format!("{}/print_runs/{}.pdf", app.base, run.uid)))
        .body(Arc::unwrap_or_clone(kept).pdf))
}

/// Whether a page of another site leads here. A run would be kept that nobody wanted: its reader is asked first. What a browser
/// fetches before anybody wants it is refused.
fn is_from_elsewhere(request: &HttpRequest) -> Result<bool, Error> {
    let said = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if ["sec-purpose", "purpose", "x-moz"].into_iter().any(|name| said(name).contains("prefetch")) {
        return Err(Error::Forbidden("This prints, and is not to be fetched ahead.".into()));
    }
    Ok(matches!(said("sec-fetch-site"), "cross-site" | "same-site"))
}

/// What is wrong: as an error to programs, and as the page to people.
///
/// # Errors
/// What is wrong; unavailable, when the database cannot be asked.
pub async fn refused(
    who: &Allowed<See>,
    request: &HttpRequest,
    app: &web::Data<App>,
    order: Order,
) -> Result<HttpResponse, Error> {
    if let Some((field, message)) = order.problems.list().first()
        && answers_json(request)
    {
        return Err(TokenError::value(field.clone(), message.clone()).into());
    }
    sheet_page(who, request, app, order, (1, None)).await
}

/// A PDF.
pub struct Made {
    /// The file.
    pub pdf: Vec<u8>,
    /// Its pages.
    pub pages: usize,
    /// The first free label behind it, counted from 1.
    pub next: u32,
}

/// Makes the PDF of an order, and something else of the same plan; or none, and adds what is wrong to its problems.
///
/// # Errors
/// No such token; unavailable.
pub async fn make_all<T: Send + 'static>(
    app: &web::Data<App>,
    order: &mut Order,
    also: impl FnOnce(&Plan, &Fonts) -> T + Send + 'static,
) -> Result<Option<(Printed, Made, T)>, Error> {
    if !order.problems.is_empty() {
        return Ok(None);
    }
    let Some(mut printed) = order.all(app).await? else { return Ok(None) };
    match make_with(app, &order.how, std::mem::take(&mut printed.items), also).await? {
        Ok((made, other)) => Ok(Some((printed, made, other))),
        Err(refused) => {
            refusals(&refused, &mut order.problems);
            Ok(None)
        }
    }
}

/// Makes a PDF, in its turn.
///
/// # Errors
/// A fault; unavailable, when too much waits already.
pub async fn make(app: &web::Data<App>, how: &Printing, items: Vec<Item>) -> Result<Result<Made, Vec<Refused>>, Error> {
    Ok(make_with(app, how, items, |_, _| ()).await?.map(|(made, ())| made))
}

/// Makes a PDF, in its turn, and something else of the same plan.
///
/// # Errors
/// As [`make`].
async fn make_with<T: Send + 'static>(
    app: &web::Data<App>,
    how: &Printing,
    items: Vec<Item>,
    also: impl FnOnce(&Plan, &Fonts) -> T + Send + 'static,
) -> Result<Result<(Made, T), Vec<Refused>>, Error> {
    let (how, shared, labels) = (how.clone(), web::Data::clone(app), items.len());
    let work = move |work: &mut Work| {
        let plan = match Plan::new(&how.sheet, &how.options(), &shared.fonts, how.has_text(), items) {
            Ok(plan) => plan,
            Err(refused) => return Ok(Err(refused)),
        };
        let made = write(&plan, &shared.fonts, work)?;
        Ok(Ok((made, also(&plan, &shared.fonts))))
    };
    let made: Result<_, pdf::Unwritten> = app.press.make(labels, work).await?;
    made.map_err(|error| Error::fault(error.to_string()))
}

fn write(plan: &Plan, fonts: &Fonts, work: &mut Work) -> Result<Made, pdf::Unwritten> {
    let pages = plan.pages();
    let go_on = &mut |drawn| {
        // Whoever waits for a single page has it at once.
        if drawn == pages || work.goes_on() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let pdf = pdf::write("Labels", fonts, (0..pages).map(|page| plan.page(page)), go_on)?;
    Ok(Made { pdf, pages, next: plan.next_start() })
}

/// Keeps a PDF as a print run, or as the part of a job, and remembers where its sheet goes on. Gives back what was kept, with
/// the PDF.
///
/// # Errors
/// Unavailable, when the database cannot take it.
pub async fn keep(
    app: &App,
    how: &Printing,
    by: &Principal,
    (printed, made): (Printed, Made),
    job: Option<(i64, i32, Progress)>,
) -> Result<(PrintRun, Arc<NewRun>), Error> {
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let (job, progress) = job.map(|(job, part, progress)| ((job, part), progress)).unzip();
    let new = Arc::new(NewRun {
        job,
        by: by.clone(),
        sheet: how.sheet.slug.clone(),
        options: how.json()?,
        start: number(how.start),
        pages: i32::try_from(made.pages).unwrap_or(i32::MAX),
        tokens: printed.tokens.iter().map(|(id, token)| (*id, token.uid)).collect(),
        pdf: made.pdf,
        next_label: Some(number(made.next)),
        progress,
    });
    let run = print_runs::keep(&app.store, Arc::clone(&new)).await?;
    Ok((run, new))
}
