//! `/sheet.pdf` and what is kept of it: the codes are read off the very bytes that were sent.

use std::sync::Arc;

use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tessera::access::Role;
use tessera::sheet::Area;
use tessera::sheet::mm::Mm;
use tessera::sheet::presets::preset;
use tessera::sheet::raster::RasterPages;
use tessera::store::printing::runs::PrintRun;
use tessera::store::printing::{runs, sheets};
use tessera::work::printing::custom_sheets::sheet_of;
use tessera::work::printing::options::{PrintOptions, TextBeside};

use crate::support::app::{App, add_key, send};
use crate::support::browser::Browser;
use crate::support::printing::{fetch_pdf, read_codes, runs_with_tokens};
use crate::support::process::Place;
use crate::support::settings::save_setting;

/// What stands on which labels, counted from 1 on over all pages.
fn placed(pdf: &[u8], slug: &str) -> Vec<(usize, String)> {
    let all = read_codes(pdf, preset(slug).unwrap(), (0.0, 0.0)).concat();
    all.into_iter().zip(1..).filter(|(says, _)| !says.is_empty()).map(|(says, label)| (label, says)).collect()
}

fn print(app: &App, query: &[(&str, &str)]) -> RequestBuilder {
    app.request(Role::Viewer, Method::GET, "/sheet.pdf").query(query)
}

fn print_options(run: &PrintRun) -> PrintOptions {
    PrintOptions::read(&run.options).unwrap()
}

async fn add_three(app: &App) -> [String; 3] {
    let mut uids = Vec::new();
    for n in 1..=3 {
        uids.push(app.add(&[("value", &format!("T-{n}")), ("label", &format!("Locker {n}"))]).await);
    }
    uids.try_into().unwrap()
}

#[actix_web::test]
async fn tokens_are_printed_in_the_order_given_and_the_run_is_kept() {
    let app = App::start().await;
    let [a, b, _] = add_three(&app).await;
    let query = [("uid", &*b), ("uid", &a), ("uid", &b), ("sheet", "avery-l7160"), ("start", "20")];
    let answer = print(&app, &query).send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/pdf");
    let (disposition, location) = (header("content-disposition"), header("content-location"));
    assert!(disposition.starts_with("inline; filename=\"") && disposition.ends_with(".pdf\""), "{disposition}");
    assert_eq!((header("cache-control").as_str(), header("x-content-type-options").as_str()), ("no-store", "nosniff"));
    let first = answer.bytes().await.unwrap();
    let expected =
        |labels: [usize; 3]| labels.into_iter().zip(["T-2", "T-1", "T-2"].map(str::to_owned)).collect::<Vec<_>>();
    assert_eq!(placed(&first, "avery-l7160"), expected([20, 21, 22]));

    // A form and JSON ask for the same, and it is the same run; as it is when it is asked for again.
    assert!(fetch_pdf(print(&app, &query)).await == first);
    assert!(fetch_pdf(app.request(Role::Viewer, Method::POST, "/sheet.pdf").form(&query)).await == first);
    let body = json!({"uid": [b, a, b], "sheet": "avery-l7160", "start": 20});
    assert!(fetch_pdf(app.request(Role::Viewer, Method::POST, "/sheet.pdf").json(&body)).await == first);
    let one = runs_with_tokens(&app);
    let (run, tokens) = &one[0];
    assert_eq!((one.len(), run.principal.as_str(), run.sheet.as_str()), (1, "key:viewer", "avery-l7160"));
    assert_eq!((run.start, run.count, run.pages, tokens), (20, 3, 2, &vec![b.clone(), a.clone(), b.clone()]));
    assert_eq!(location, format!("/print_runs/{}.pdf", run.uid));
    assert!(fetch_pdf(app.request(Role::Viewer, Method::GET, &location)).await == first);

    // In a session too; and it is another's run.
    let browser = Browser::of(&app, Role::Viewer).await;
    assert!(fetch_pdf(browser.request(Method::POST, "/sheet.pdf").form(&query)).await == first);
    assert!(fetch_pdf(browser.request(Method::GET, "/sheet.pdf").query(&query)).await == first);
    let both = runs_with_tokens(&app);
    assert_eq!((both.len(), both[0].0.principal.as_str()), (2, "user:viewer"));
    let other = print(&app, &[("uid", &*a), ("sheet", "avery-l7160"), ("start", "20")]);
    assert!(fetch_pdf(other).await != first);
    assert_eq!(runs_with_tokens(&app).len(), 3);
}

#[actix_web::test]
async fn without_uids_what_a_filter_finds_is_printed_oldest_first() {
    let app = App::start().await;
    let [a, b, c] = add_three(&app).await;
    let [voided, gone] = [app.add(&[("value", "V")]).await, app.add(&[("value", "G")]).await];
    app.add(&[("value", "T-4"), ("usage_count", "1")]).await;
    app.post(&format!("/{voided}/void_token"), &[]).await.check_success();
    app.post(&format!("/{gone}/delete_token"), &[]).await.check_success();
    app.consume(&c).await.check_success();
    let says = async |query: &[(&str, &str)]| {
        let query = [query, &[("sheet", "avery-l7160"), ("all", "1")]].concat();
        let all = placed(&fetch_pdf(print(&app, &query)).await, "avery-l7160");
        assert!(all.iter().zip(1..).all(|((label, _), place)| *label == place), "{all:?}");
        all.into_iter().map(|(_, says)| says).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(says(&[]).await, "T-1 T-2 T-3 T-4");
    assert_eq!(says(&[("q", "locker")]).await, "T-1 T-2 T-3");
    assert_eq!(says(&[("q", "locker"), ("state", "active")]).await, "T-1 T-2");
    assert_eq!(
        says(&[("created_from", "2020-01-01"), ("created_to", "9999-12-31"), ("state", "used_up")]).await,
        "T-3"
    );
    assert_eq!(says(&[("uid", &b), ("uid", &a)]).await, "T-2 T-1");
    assert_eq!(says(&[("uids", &format!("{b} {c} {a}"))]).await, "T-2 T-3 T-1");
    assert_eq!(runs_with_tokens(&app)[0].1, [b, c, a]);
}

#[actix_web::test]
async fn what_stands_beside_a_code_is_label_or_value_or_nothing() {
    let app = App::start().await;
    let [a, b, _] = add_three(&app).await;
    let beside = async |uid: &str, text: &str| {
        let bytes = fetch_pdf(print(&app, &[("uid", uid), ("sheet", "avery-l7165"), ("text", text)])).await;
        let sheet = preset("avery-l7165").unwrap();
        let pages = RasterPages::read(Arc::new(bytes)).unwrap();
        // Right of the code's quiet zone, up to the label's edge.
        let (left, top) = (sheet.left.f32() + sheet.height.f32() + 1.0, sheet.top.f32());
        let right = Area { x: left, y: top, width: sheet.width.f32() - sheet.height.f32() - 2.0, height: 60.0 };
        let picture = pages.print(0, 300, right).unwrap();
        // The file's title says which tokens it holds: what is compared is what is on paper.
        let dark = (0..picture.height()).flat_map(|y| (0..picture.width()).map(move |x| (x, y)));
        let dark: Vec<bool> = dark.map(|(x, y)| picture.is_dark(x, y)).collect();
        let has_ink = dark.contains(&true);
        (dark, has_ink)
    };
    let (by_label, has_ink) = beside(&a, "label").await;
    assert!(has_ink && beside(&a, "").await.0 == by_label);
    let (by_value, has_ink) = beside(&a, "value").await;
    assert!(has_ink && by_value != by_label);
    assert!(!beside(&a, "none").await.1);
    // Without a label it is the value.
    app.post(&format!("/{a}/update_token"), &[("label", "")]).await.check_success();
    assert!(beside(&a, "label").await.0 == by_value);
    assert!(beside(&b, "label").await.0 != by_value);
    assert_eq!(print_options(&runs_with_tokens(&app)[0].0).text, TextBeside::Label);
}

#[actix_web::test]
async fn settings_and_printers_say_what_is_left_out() {
    let app = App::start_as("https://tickets.example/shop").await;
    let [a, ..] = add_three(&app).await;
    let mut manager = Browser::of(&app, Role::Manager).await;
    save_setting(&mut manager, "default_sheet", &[("default_sheet", "avery-l7165")])
        .await
        .check_leads_to("/shop/settings");
    save_setting(&mut manager, "default_dpi", &[("default_dpi", "203")]).await.check_leads_to("/shop/settings");
    save_setting(&mut manager, "code_holds", &[("code_holds", "link")]).await.check_leads_to("/shop/settings");
    let name = "HP \"Office\" <2nd floor> & 'more'";
    let printer = [("name", name), ("offset_x", "2.5"), ("offset_y", "-1,25"), ("dpi", "600")];
    manager.post("/printers", &printer).await.check_leads_to("/shop/printers");
    let printed = async |query: &[(&str, &str)]| {
        let query = [query, &[("uid", &*a)]].concat();
        let bytes = fetch_pdf(print(&app, &query)).await;
        (bytes, print_options(&runs_with_tokens(&app)[0].0))
    };
    let link = format!("https://tickets.example/shop/{a}");
    let (bytes, plain) = printed(&[]).await;
    assert_eq!(placed(&bytes, "avery-l7165"), [(1, link.clone())]);
    assert_eq!((plain.sheet.slug.as_str(), plain.dpi, plain.start, plain.outline), ("avery-l7165", 203, 1, false));
    assert_eq!((plain.offset_x, plain.offset_y, plain.printer), (Mm::ZERO, Mm::ZERO, None));

    let (bytes, by_printer) = printed(&[("printer", name)]).await;
    let sheet = preset("avery-l7165").unwrap();
    assert_eq!(read_codes(&bytes, sheet, (2.5, -1.25))[0][0], link);
    let um = |printing: &PrintOptions| (printing.offset_x.micrometres(), printing.offset_y.micrometres(), printing.dpi);
    assert_eq!((um(&by_printer), by_printer.printer.as_deref()), ((2_500, -1_250, 600), Some(name)));
    let own = [("printer", name), ("offset_x", "0"), ("dpi", "300"), ("sheet", "avery-l7163"), ("outline", "1")];
    let (_, explicit) = printed(&own).await;
    assert_eq!((um(&explicit), explicit.sheet.slug.as_str()), ((0, -1_250, 300), "avery-l7163"));
    assert!(explicit.outline);
    let (_, comma) = printed(&[("offset_x", "1,5"), ("offset_y", "−0.125")]).await;
    assert_eq!(um(&comma), (1_500, -125, 203));
    manager.get("/sheet?all=1").await.check(200, &["HP &#34;Office&#34; &#60;2nd floor&#62;"]);
    let chosen =
        manager.get(&format!("/sheet?all=1&printer={}", "HP%20%22Office%22%20%3C2nd%20floor%3E%20%26%20'more'")).await;
    assert_eq!(
        (chosen.field("offset_x"), chosen.field("offset_y"), chosen.field("dpi")),
        ("2.5".into(), "-1.25".into(), "600".into())
    );
}

#[actix_web::test]
async fn offsets_move_and_the_outline_is_drawn() {
    let app = App::start().await;
    let [a, ..] = add_three(&app).await;
    let sheet = preset("avery-l7163").unwrap();
    for (x, y, at) in [("3", "-2", (3.0, -2.0)), ("-4.667", "15.15", (-4.667, 15.15))] {
        let query = [("uid", &*a), ("sheet", "avery-l7163"), ("offset_x", x), ("offset_y", y), ("start", "3")];
        assert_eq!(read_codes(&fetch_pdf(print(&app, &query)).await, sheet, at)[0][2], "T-1");
    }
    let edge = async |outline| {
        let query = [("uid", &*a), ("sheet", "avery-l7163"), ("outline", outline)];
        let pages = RasterPages::read(Arc::new(fetch_pdf(print(&app, &query)).await)).unwrap();
        // Across the lower edge of the last label.
        let (x, y) = sheet.corner(sheet.labels() - 1);
        let area = Area { x: x.f32() + 40.0, y: y.f32() + sheet.height.f32() - 1.0, width: 1.0, height: 2.0 };
        let picture = pages.print(0, 600, area).unwrap();
        (0..picture.height()).any(|y| picture.is_dark(3, y))
    };
    assert!(edge("1").await && !edge("0").await && !edge("").await);
}

#[actix_web::test]
async fn a_run_stays_what_it_was_whatever_changes() {
    let place = Place::new();
    place.works(&["migrate"]);
    let key = place.key("manager");
    let mut server = place.serve();
    let uid = server.add_tokens(&key, &[("count", "1"), ("label", "Before")]).await.remove(0);
    let query = [("uid", &*uid), ("sheet", "avery-l7160"), ("start", "7")];
    let answer = server.get(&key, "/sheet.pdf").query(&query).send().await.unwrap();
    let location = answer.headers()["content-location"].to_str().unwrap().to_owned();
    let first = answer.bytes().await.unwrap();
    send(server.post(&key, &format!("/{uid}/update_token")).form(&[("label", "After")])).await.check_success();
    server.terminate();
    assert_eq!(server.wait(), Some(0));
    let server = place.serve();
    assert!(fetch_pdf(server.get(&key, &location)).await == first);
    assert!(fetch_pdf(server.get(&key, "/sheet.pdf").query(&query)).await != first);
    assert!(fetch_pdf(server.get(&key, &location)).await == first);
    let mut connection = place.connection();
    assert_eq!(runs::page(&mut connection, None, 10).unwrap().len(), 2);
}

#[actix_web::test]
async fn an_own_sheet_that_changes_changes_no_run() {
    let app = App::start().await;
    let [a, ..] = add_three(&app).await;
    let mut manager = Browser::of(&app, Role::Manager).await;
    let mut form = manager.get("/sheets/add?from=avery-l7163").await;
    let names = [
        "columns",
        "rows",
        "page_width",
        "page_height",
        "width",
        "height",
        "left",
        "top",
        "pitch_x",
        "pitch_y",
        "margin",
    ];
    let typed = names.map(|name| (name, form.field(name)));
    let fields = |top: &'static str| {
        let rest = typed.iter().filter(|(name, _)| *name != "top").map(|(name, text)| (*name, text.as_str()));
        rest.chain([("name", "Mine"), ("top", top)]).collect::<Vec<_>>()
    };
    manager.post("/sheets/add", &fields("10")).await.check_leads_to("/sheets?done=added");
    let query = [("uid", &*a), ("sheet", "mine"), ("start", "2")];
    let first = fetch_pdf(print(&app, &query)).await;
    let sheet = |app: &App| sheet_of(&sheets::find(&mut app.connection(), "mine").unwrap().unwrap());
    assert_eq!(read_codes(&first, &sheet(&app), (0.0, 0.0))[0][1], "T-1");
    form = manager.get("/sheets/mine").await;
    let known = form.field("known");
    let changed = [fields("20"), vec![("known", known.as_str())]].concat();
    manager.post("/sheets/mine", &changed).await.check_leads_to("/sheets?done=changed");
    let second = fetch_pdf(print(&app, &query)).await;
    assert!(second != first);
    assert_eq!(read_codes(&second, &sheet(&app), (0.0, 0.0))[0][1], "T-1");
    manager.post("/sheets/mine/remove", &[]).await.check_leads_to("/sheets?done=removed");
    let path = format!("/print_runs/{}.pdf", runs_with_tokens(&app)[1].0.uid);
    assert!(fetch_pdf(app.request(Role::Viewer, Method::GET, &path)).await == first);
    manager.get("/print_runs").await.check(200, &["Mine"]);
    manager.get("/sheet?all=1&sheet=mine").await.check(422, &["There is no sheet"]);
}

#[actix_web::test]
async fn the_next_free_label_is_remembered_for_each_person_and_sheet() {
    let app = App::start().await;
    let [a, b, c] = add_three(&app).await;
    let mut viewer = Browser::of(&app, Role::Viewer).await;
    let start = async |browser: &mut Browser<'_>, query: &str| {
        browser.get(&format!("/sheet?all=1&{query}")).await.field("start")
    };
    assert_eq!(start(&mut viewer, "sheet=avery-l7160").await, "1");
    assert!(runs_with_tokens(&app).is_empty(), "to look at a sheet prints nothing");
    let uids = [("uid", &*a), ("uid", &b), ("uid", &c)];
    let query = [&uids[..], &[("sheet", "avery-l7160"), ("start", "4")]].concat();
    fetch_pdf(viewer.request(Method::POST, "/sheet.pdf").form(&query)).await;
    let page = viewer.get("/sheet?all=1&sheet=avery-l7160").await;
    page.check(200, &["Your last sheet ended at label 6.", "Continue at label 7", "Start on a new sheet"]);
    assert_eq!(page.field("start"), "7");
    assert_eq!(start(&mut viewer, "sheet=avery-l7163").await, "1");
    assert_eq!(start(&mut viewer, "sheet=avery-l7160&start=2").await, "2");
    assert_eq!(start(&mut viewer, "sheet=avery-l7160&start=5&for_sheet=avery-l7163").await, "7");
    let mut editor = Browser::of(&app, Role::Editor).await;
    assert_eq!(start(&mut editor, "sheet=avery-l7160").await, "1");
    // A sheet that is used up is followed by a fresh one.
    let last = [&uids[..], &[("sheet", "avery-l7160"), ("start", "19")]].concat();
    fetch_pdf(viewer.request(Method::GET, "/sheet.pdf").query(&last)).await;
    assert_eq!(start(&mut viewer, "sheet=avery-l7160").await, "1");
    let over = [&uids[..], &[("sheet", "avery-l7160"), ("start", "21")]].concat();
    viewer.request(Method::POST, "/sheet/browser").form(&over).send().await.unwrap();
    assert_eq!(start(&mut viewer, "sheet=avery-l7160").await, "3");
    // In an address `start` is 1 where it is left out, whatever was printed before.
    fetch_pdf(viewer.request(Method::GET, "/sheet.pdf").query(&[("uid", &*a), ("sheet", "avery-l7160")])).await;
    assert_eq!((runs_with_tokens(&app).len(), runs_with_tokens(&app)[0].0.start), (4, 1));
}

#[actix_web::test]
async fn who_may_see_tokens_may_print_them() {
    let app = App::start().await;
    add_three(&app).await;
    for role in Role::ALL {
        let key = add_key(&mut app.connection(), &format!("print-{}", role.word()), role, None);
        for (method, path) in [
            (Method::GET, "/sheet"),
            (Method::POST, "/sheet"),
            (Method::GET, "/sheet.pdf"),
            (Method::POST, "/sheet.pdf"),
            (Method::POST, "/sheet/check"),
            (Method::POST, "/sheet/browser"),
        ] {
            let asked = app.anonymous(method.clone(), path).bearer_auth(&key);
            let all = [("all", "1")];
            let asked = if method == Method::GET { asked.query(&all) } else { asked.form(&all) };
            let answer = asked.send().await.unwrap();
            let status = if role == Role::Scanner { 403 } else { 200 };
            assert_eq!(answer.status(), status, "{role:?} {method} {path}");
        }
    }
    Browser::new(&app).get("/sheet.pdf?q=x").await.check_leads_to("/login?next=%2Fsheet%3Fq%3Dx");
    let nobody = app.anonymous(Method::GET, "/sheet.pdf").header("Accept", "application/json");
    send(nobody).await.check_failure("Unauthorized");
    assert_eq!(runs_with_tokens(&app).len(), 4, "each key's but the scanner's");
}
