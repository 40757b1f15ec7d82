//! Every URL, one line each, read from top to bottom.

use std::collections::BTreeSet;

use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, HttpResponse, web};

use super::accounts::{account, keys, login, user, users};
use super::bulk::{actions, change};
use super::error::Error;
use super::guard::{authenticate, same_origin};
use super::health::{healthz, readyz};
use super::page::see_other;
use super::params::Query;
use super::printing::{browser, calibrate, check, custom_sheets, jobs, pdf, printers, runs, sheet, start_job};
use super::route::{Route, file, page, secret_page, streamed_page, view};
use super::scan::form::AtGate;
use super::session_cookie::sessions;
use super::state::App;
use super::tokens::{api, delete, deleted, edit, list, qr_code, quick_sets, tile, void};
use super::{assets, audit, batches, export, gates, import, openapi, overview, scan, settings, usage};

/// The table.
#[rustfmt::skip]
#[allow(clippy::too_many_lines, reason = "one line each")]
pub fn table() -> Vec<Route> {
    vec![
        file("/static/{address}").show(assets::get).open(),
        secret_page("/login").show(login::show).post(login::sign_in).open(),

        // For programs, by key; and for the pages' scripts, by session.
        view("/{uid}/consume_token").get_view(api::consume::consume_token).post_view(api::consume::consume_token),
        view("/consume_token").get_view(api::consume::consume_token).post_view(api::consume::consume_token),
        view("/undo_consume").post_view(api::undo::undo_consume),
        view("/add_token").post_view(api::add::add_token),
        view("/{uid}/add_token").post_view(api::add::add_token),
        view("/add_tokens").post_view(api::add_many::add_tokens),
        view("/edit_token").post_view(api::edit::edit_token),
        view("/{uid}/edit_token").post_view(api::edit::edit_token),
        view("/update_token").post_view(api::edit::update_token),
        view("/{uid}/update_token").post_view(api::edit::update_token),
        view("/delete_token").post_view(api::delete::delete_token),
        view("/{uid}/delete_token").post_view(api::delete::delete_token),
        view("/delete_tokens").post_view(api::delete::delete_tokens),
        view("/void_token").post_view(api::void::void_token),
        view("/{uid}/void_token").post_view(api::void::void_token),
        view("/restore_token").post_view(api::void::restore_token),
        view("/{uid}/restore_token").post_view(api::void::restore_token),
        view("/update_tokens").post_view(api::lists::update_tokens),
        view("/void_tokens").post_view(api::lists::void_tokens),
        view("/restore_tokens").post_view(api::lists::restore_tokens),
        view("/query_token").get_view(api::query::query_token),
        view("/query_tokens").get_view(api::query::query_tokens),
        view("/query_usage").get_view(usage::api::query_usage),
        view("/scan/read").post_view(scan::read::read),

        file("/openapi.json").show(openapi::file::openapi_json).open(),
        page("/docs").show(openapi::page::docs),

        // Tokens. Those of one token come last, as their first part is a uid.
        page("/").show(list::show),
        page("/add").show(edit::add_form).post(edit::add).comes_back(),
        page("/deleted").show(deleted::show),
        page("/overview").show(overview::pages::show),
        page("/bulk").post(change::bulk).comes_back_to("/"),
        file("/export/tokens").show(export::handlers::tokens),
        page("/actions").show(actions::list),
        page("/actions/{uid}").show(actions::show),
        page("/actions/{uid}/undo").post(actions::undo).comes_back_to("/actions/{uid}"),
        page("/add_many").show(batches::add::form).post(batches::add::add).comes_back(),
        page("/batches").show(batches::pages::list),
        file("/export/batches").show(export::handlers::batches),
        page("/batches/sample").post(batches::sample::add).comes_back_to("/batches"),
        page("/batches/{uid}").show(batches::pages::show),
        page("/batches/{uid}/remove").post(batches::sample::remove).comes_back_to("/batches/{uid}"),
        page("/batches/{uid}/rename").post(batches::pages::rename).comes_back_to("/batches/{uid}"),
        page("/import").show(import::pages::form).post(import::send::send).comes_back(),
        page("/import/{uid}").show(import::pages::show),
        page("/import/{uid}/check").post(import::steps::check).comes_back_to("/import/{uid}"),
        page("/import/{uid}/run").post(import::steps::run).comes_back_to("/import/{uid}"),
        file("/import/{uid}/errors.csv").show(import::steps::rejects),

        // The door.
        page("/scan").show(scan::page::show).post(scan::page::scan).comes_back_with::<Query<AtGate>>("/scan"),
        page("/scan/undo").post(scan::page::undo).comes_back_with::<Query<AtGate>>("/scan"),
        page("/scan/counts").show(scan::counts::show),

        // Usage.
        page("/usage").show(usage::pages::show),
        file("/usage.csv").show(export::handlers::usage_csv),
        file("/export/usage").show(export::handlers::usage),

        // Printing.
        page("/sheet").show(sheet::show).post(sheet::show_form).comes_back(),
        file("/sheet.pdf").get(pdf::print).post(pdf::print).comes_back_to("/sheet"),
        file("/sheet.css").show(browser::paper),
        page("/sheet/browser").post(browser::print).comes_back_to("/sheet"),
        streamed_page("/sheet/check").post(check::check).comes_back_to("/sheet"),
        page("/sheet/calibrate").show(calibrate::show).post(calibrate::save).comes_back(),
        file("/sheet/calibrate.pdf").show(calibrate::test_page),
        page("/print_jobs").post(start_job::print).comes_back_to("/sheet"),
        page("/print_jobs/{uid}").show(jobs::show),
        page("/print_jobs/{uid}/go_on").post(start_job::go_on).comes_back_to("/print_jobs/{uid}"),
        page("/print_jobs/{uid}/dismiss").post(jobs::dismiss).comes_back_to("/print_jobs/{uid}"),
        page("/print_runs").show(runs::list),
        file("/export/print_runs").show(export::handlers::print_runs),
        file("/print_runs/{uid}.pdf").show(runs::pdf),
        page("/print_runs/{uid}").show(runs::show),
        page("/printers").show(printers::show).post(printers::save).comes_back(),
        page("/printers/edit").show(printers::edit_form),
        page("/printers/remove").post(printers::remove).comes_back_to("/printers"),
        page("/sheets").show(custom_sheets::list),
        page("/sheets/add").show(custom_sheets::add_form).post(custom_sheets::add).comes_back(),
        page("/sheets/{slug}").show(custom_sheets::edit_form).post(custom_sheets::edit).comes_back(),
        page("/sheets/{slug}/remove").show(custom_sheets::ask).post(custom_sheets::remove).comes_back(),

        // The account of whoever is signed in.
        page("/account").show(account::show),
        page("/account/password").post(account::change_password).comes_back_to("/account"),
        page("/account/sessions/end").post(account::end_sessions).comes_back_to("/account"),
        page("/logout").post(login::sign_out).comes_back_to("/"),

        // For managers.
        page("/settings").show(settings::pages::show),
        page("/settings/{setting}").post(settings::pages::save).comes_back_to("/settings"),
        page("/users").show(users::show),
        secret_page("/users/add").show(users::add_form).post(users::add).comes_back(),
        page("/users/edit").show(user::show),
        page("/users/role").post(user::change_role).comes_back_to("/users/edit").or_to("/users"),
        secret_page("/users/password").post(user::reset_password).comes_back_to("/users/edit").or_to("/users"),
        page("/users/disable").post(user::disable).comes_back_to("/users/edit").or_to("/users"),
        page("/users/enable").post(user::enable).comes_back_to("/users/edit").or_to("/users"),
        page("/users/remove").show(user::ask).post(user::remove).comes_back().or_to("/users"),
        page("/keys").show(keys::show),
        secret_page("/keys/add").show(keys::add_form).post(keys::add).comes_back(),
        page("/keys/revoke").show(keys::ask).post(keys::revoke).comes_back().or_to("/keys"),
        page("/gates").show(gates::pages::list),
        page("/gates/add").show(gates::pages::add_form).post(gates::pages::add).comes_back(),
        page("/gates/{uid}").show(gates::pages::show).post(gates::pages::save).comes_back(),
        page("/audit").show(audit::pages::show),
        file("/export/audit").show(export::handlers::audit),

        // One token.
        page("/{uid}").show(tile::show),
        page("/{uid}/use").post(tile::use_once).comes_back_to("/{uid}"),
        page("/{uid}/undo_use").post(tile::undo).comes_back_to("/{uid}"),
        page("/{uid}/edit").show(edit::edit_form).post(edit::edit).comes_back(),
        page("/{uid}/delete").show(delete::ask).post(delete::delete).comes_back(),
        page("/{uid}/restore").post(deleted::restore).comes_back_to("/deleted"),
        page("/{uid}/void").show(void::ask).post(void::void).comes_back(),
        page("/{uid}/unvoid").post(void::unvoid).comes_back_to("/{uid}"),
        page("/{uid}/set_range").post(quick_sets::set_range).comes_back_to("/{uid}"),
        page("/{uid}/set_count").post(quick_sets::set_count).comes_back_to("/{uid}"),
        page("/{uid}/add_uses").post(quick_sets::add_uses).comes_back_to("/{uid}"),
        file("/{uid}/qr_code").show(qr_code::png),
        file("/{uid}/qr_code.svg").show(qr_code::svg),
    ]
}

/// The health checks, which ask the process and not the proxy, and need not know the base path.
fn health() -> [Route; 2] {
    [file("/healthz").show(healthz), file("/readyz").show(readyz)]
}

/// Has every route answered below the base path, which is empty or begins with a slash.
pub fn routes(config: &mut web::ServiceConfig, state: &App) {
    let base = &*state.base;
    for prefix in BTreeSet::from(["", base]) {
        for route in health() {
            route.register(config, prefix);
        }
    }
    let (open, closed): (Vec<Route>, Vec<Route>) = table().into_iter().partition(|route| route.info().is_open);
    let register = |routes: Vec<Route>| {
        move |config: &mut web::ServiceConfig| routes.into_iter().for_each(|route| route.register(config, ""))
    };
    if !base.is_empty() {
        file("").show(first_page).register(config, base);
    }
    let closed = web::scope("").wrap(from_fn(authenticate)).configure(register(closed));
    let closed = closed.default_service(web::to(not_found));
    let below = web::scope(base).configure(register(open)).service(closed);
    config.service(below.wrap(sessions(state)).wrap(from_fn(same_origin)));
    config.default_service(web::to(not_found));
}

/// The base path without its slash leads to the first page.
async fn first_page(request: HttpRequest, app: web::Data<App>) -> HttpResponse {
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    see_other(&app, &format!("/{query}"))
}

async fn not_found() -> Result<HttpResponse, Error> {
    Err(Error::NotFound)
}
