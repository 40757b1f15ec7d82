//! The form for a file, and the page of a file that was sent.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use tokio::runtime::Handle;

use super::form::OptionsForm;
use super::report::ReportView;
use crate::access::who;
use crate::store::imports::{self, Import, Stage};
use crate::store::{Error as StoreError, Store};
use crate::token::Uid;
use crate::token::import::options::Mode;
use crate::web::error::Error;
use crate::web::form_errors::FormErrors;
use crate::web::format::{FormattedTime, TimeFormatter, grouped, tokens};
use crate::web::guard::{Allowed, Edit};
use crate::web::navigation::Section;
use crate::web::page::{Page, page};
use crate::web::state::App;
use crate::web::words::imports as words;
use crate::work::import::lines::{self, line::Head};
use crate::work::import::source::StoredFile;

/// Imports on the page of the form.
const NEWEST: i64 = 10;
/// First lines of a file on its page.
const FIRST_LINES: usize = 5;

#[derive(Template)]
#[template(path = "import/send.html")]
struct SendPage {
    page: Page,
    errors: FormErrors,
    rows: Vec<ImportView>,
}

#[derive(Template)]
#[template(path = "import/file.html")]
struct FilePage {
    page: Page,
    file: ImportView,
    failure: Option<String>,
    errors: FormErrors,
    form: OptionsForm,
    /// Why the first lines cannot be read.
    unreadable: Option<String>,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    report: Option<ReportView>,
}

#[derive(Template)]
#[template(path = "import/progress.html")]
struct ProgressPage {
    page: Page,
    file: ImportView,
    is_check: bool,
    total: Option<String>,
    count: usize,
    handled: i64,
    far: String,
}

#[derive(Template)]
#[template(path = "import/done.html")]
struct DonePage {
    page: Page,
    file: ImportView,
    tokens: String,
    is_new: bool,
}

/// An import, as the pages show it.
struct ImportView {
    uid: String,
    name: String,
    size: String,
    by: String,
    at: FormattedTime,
    what: &'static str,
}

impl ImportView {
    fn new(import: &Import, clock: TimeFormatter) -> Self {
        let what = match (import.stage, import.report.as_ref().is_some_and(|report| report.error_count > 0)) {
            (Stage::Sending, _) => words::SENDING,
            (Stage::Sent, _) => words::SENT,
            (Stage::Checking, _) => words::CHECKING,
            (Stage::Checked, true) => words::HAS_ERRORS,
            (Stage::Checked, false) => words::CHECKED,
            (Stage::Importing, _) => words::IMPORTING,
            (Stage::Done, _) => words::DONE,
            (Stage::Failed, _) => words::FAILED,
        };
        Self {
            uid: import.uid.to_string(),
            name: import.name.clone(),
            size: size(import.size),
            by: who(&import.by.to_string()),
            at: clock.format(import.created),
            what,
        }
    }
}

/// As in `1.2 MiB`.
fn size(bytes: i64) -> String {
    match bytes {
        ..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => format!("{} KiB", bytes / 1_024),
        _ => format!("{}.{} MiB", grouped(bytes / 1_048_576), bytes % 1_048_576 * 10 / 1_048_576),
    }
}

/// Shows the form for a file, and what was imported lately.
pub(crate) async fn form(
    _who: Allowed<Edit>,
    request: HttpRequest,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    form_page(&request, &app, FormErrors::default()).await
}

pub(super) async fn form_page(request: &HttpRequest, app: &App, errors: FormErrors) -> Result<HttpResponse, Error> {
    let now = app.store.now();
    let newest = app.store.read(move |connection| imports::newest(connection, NEWEST, now)).await?;
    let (clock, status) = (app.time_formatter(), errors.status());
    let rows = newest.iter().map(|import| ImportView::new(import, clock)).collect();
    page(app, status, &SendPage { page: Page::new(request, Section::Tokens), errors, rows })
}

/// The import with this uid, of which the whole file is there.
pub(super) async fn find(uid: &str, app: &App) -> Result<Import, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let now = app.store.now();
    let found = app.store.read(move |connection| imports::find(connection, uid, now)).await?;
    found.filter(|import| import.stage != Stage::Sending).ok_or(Error::NotFound)
}

/// Shows a file: its columns, what was found in it, how far it is, or what became of it.
pub(crate) async fn show(
    _who: Allowed<Edit>,
    uid: web::Path<String>,
    request: HttpRequest,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let import = find(&uid, &app).await?;
    match import.stage {
        Stage::Checking | Stage::Importing | Stage::Sending => progress(&import, &request, &app),
        Stage::Done => done(&import, &request, &app),
        Stage::Sent | Stage::Checked | Stage::Failed => file_page(import, &request, &app, FormErrors::default()).await,
    }
}

/// The page on which a file's columns are chosen, with what was found in it.
pub(super) async fn file_page(
    import: Import,
    request: &HttpRequest,
    app: &App,
    errors: FormErrors,
) -> Result<HttpResponse, Error> {
    let (head, unreadable) = match head(&app.store, &import).await {
        Ok(head) => (Some(head), None),
        Err(StoreError::Refused(why)) => (None, Some(why)),
        Err(error) => return Err(error.into()),
    };
    let clock = app.time_formatter();
    let report = import.report.as_ref().filter(|_| import.stage == Stage::Checked || import.stage == Stage::Failed);
    let template = FilePage {
        page: Page::new(request, Section::Tokens),
        file: ImportView::new(&import, clock),
        failure: import.failure.clone(),
        form: OptionsForm::new(&import.options, head.as_ref()),
        unreadable,
        report: report.map(|report| ReportView::new(report, import.options.mode, clock)),
        head: head.as_ref().map(|head| head.columns.clone()).unwrap_or_default(),
        rows: head.map(|head| head.rows).unwrap_or_default(),
        errors,
    };
    let status = template.errors.status();
    page(app, status, &template)
}

/// What a file is, and its first lines.
async fn head(store: &Store, import: &Import) -> Result<Head, StoreError> {
    let source = StoredFile { store: store.clone(), runtime: Handle::current(), import: import.id, size: import.size };
    let (name, options) = (import.name.clone(), import.options.clone());
    let read = tokio::task::spawn_blocking(move || lines::head(&source, &name, &options, FIRST_LINES));
    read.await.unwrap_or_else(|error| Err(StoreError::Failed(error.to_string())))
}

fn progress(import: &Import, request: &HttpRequest, app: &App) -> Result<HttpResponse, Error> {
    let is_check = import.stage == Stage::Checking;
    let count = import.report.as_ref().map_or(0, |report| report.tokens);
    let total = (!is_check).then(|| grouped(count));
    let template = ProgressPage {
        page: Page::new(request, Section::Tokens),
        file: ImportView::new(import, app.time_formatter()),
        is_check,
        total,
        count,
        handled: import.handled,
        far: grouped(import.handled),
    };
    page(app, StatusCode::OK, &template)
}

fn done(import: &Import, request: &HttpRequest, app: &App) -> Result<HttpResponse, Error> {
    let template = DonePage {
        page: Page::new(request, Section::Tokens),
        file: ImportView::new(import, app.time_formatter()),
        tokens: tokens(import.report.as_ref().map_or(0, |report| report.tokens)),
        is_new: import.options.mode == Mode::Add,
    };
    page(app, StatusCode::OK, &template)
}
