//! `/overview`: how many tokens are valid, what was used and refused today, and what is odd.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::numbers::{Links, NumbersView};
use super::odd::{Odd, odd};
use crate::store;
use crate::store::overview::Numbers;
use crate::token::calendar::days_before;
use crate::web::error::Error;
use crate::web::guard::{Allowed, See};
use crate::web::navigation::Section;
use crate::web::page::{Page, page};
use crate::web::state::App;

#[derive(Template)]
#[template(path = "overview/overview.html")]
struct OverviewPage {
    page: Page,
    day: String,
    zone: String,
    /// There are no tokens, and nothing was ever tried.
    is_empty: bool,
    /// None when counting took too long.
    numbers: Option<NumbersView>,
    odd: Vec<Odd>,
}

/// Shows the numbers of today.
pub(crate) async fn show(_who: Allowed<See>, request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, Error> {
    let clock = app.time_formatter();
    let midnight = days_before(clock.now, 1, clock.zone);
    let numbers: Option<Arc<Numbers>> = match app.overview.get(&app.store, midnight).await {
        Err(store::Error::TooSlow | store::Error::Busy(_)) => None,
        found => Some(found?),
    };
    let day = midnight.local(clock.zone).date().to_string();
    let links = Links { base: &app.base, day: &day };
    let template = OverviewPage {
        page: Page::new(&request, Section::Overview),
        day: clock.long_day(midnight),
        zone: clock.zone.to_string(),
        is_empty: numbers.as_ref().is_some_and(|numbers| numbers.total == (0, true) && numbers.is_log_empty),
        odd: numbers.as_ref().map(|numbers| odd(numbers, links, clock)).unwrap_or_default(),
        numbers: numbers.as_ref().map(|numbers| NumbersView::new(numbers, links, clock)),
    };
    page(&app, StatusCode::OK, &template)
}
