//! What was used today: at a gate, at all gates, hour by hour.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::form::{AtGate, gate};
use crate::store::gates::Gate;
use crate::token::calendar::{Step, Tally, days_before, fold, spans};
use crate::web::error::Error;
use crate::web::format::grouped;
use crate::web::guard::{Allowed, Consume};
use crate::web::page::html;
use crate::web::params::Query;
use crate::web::state::App;

/// Counts of today.
#[derive(Template)]
#[template(path = "scan/counts.html")]
pub(super) struct Counts {
    /// At the gate: used and refused.
    here: Option<(String, String)>,
    /// At all gates.
    all: (String, String),
    /// Hours at the gate: from when, used, refused.
    hours: Vec<(String, String, String)>,
}

impl Counts {
    /// What was used until now.
    pub(super) async fn find(app: &App, gate: Option<&Gate>) -> Result<Self, Error> {
        let clock = app.time_formatter();
        let midnight = days_before(clock.now, 1, clock.zone);
        let id = gate.map(|gate| gate.id);
        let counted = app.gates_today.count(&app.store, midnight).await?;
        let (mut quarters, mut all): (&[_], _) = (&[], Tally::default());
        for (gate, counts) in counted.iter() {
            for (_, tally) in counts {
                all.add(*tally);
            }
            if id == Some(gate.id) {
                quarters = counts;
            }
        }
        let spans = spans(midnight, clock.now, clock.zone, Step::Hour);
        let tallies = fold(&spans, quarters);
        let mut total = Tally::default();
        for tally in &tallies {
            total.add(*tally);
        }
        let words = |tally: Tally| (grouped(tally.used), grouped(tally.refused));
        let hours = spans.iter().zip(&tallies).filter(|(_, tally)| tally.used != 0 || tally.refused != 0);
        let hour = |from: crate::token::Micros| from.local(clock.zone).format("%H:%M").to_string();
        Ok(Self {
            here: id.map(|_| words(total)),
            all: words(all),
            hours: hours.map(|(span, tally)| (hour(span.from), grouped(tally.used), grouped(tally.refused))).collect(),
        })
    }
}

/// The counts alone, for the page's script.
pub(crate) async fn show(
    who: Allowed<Consume>,
    Query(at): Query<AtGate>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let gate = gate(&app, &who.caller, &at).await?.ok().flatten();
    let counts = Counts::find(&app, gate.as_ref()).await?;
    let text = counts.render().map_err(|error| Error::fault(error.to_string()))?;
    Ok(html(StatusCode::OK, app.public_url.is_https()).body(text))
}
