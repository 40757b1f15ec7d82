//! Print runs and their PDFs.

use std::sync::Arc;

use reqwest::RequestBuilder;
use tessera::access::Principal;
use tessera::sheet::geometry::Sheet;
use tessera::sheet::raster::RasterPages;
use tessera::sheet::{Area, proof};
use tessera::store::connection::transaction;
use tessera::store::printing::jobs::{NewPrintJob, PrintJob};
use tessera::store::printing::runs::{NewPrintRun, PrintRun};
use tessera::store::printing::sheets::Measures;
use tessera::store::printing::{jobs, runs};
use tessera::store::tokens::selection::Selection;
use tessera::store::{Store, tokens};
use tessera::token::settle::TokenId;
use tessera::token::{Micros, Uid};
use tessera::work::printing::save_run::save_run;

use crate::support::app::App;

pub fn anna() -> Principal {
    Principal::user("anna")
}

/// Bytes that begin as a PDF, `size` of them.
pub fn placeholder_pdf(size: usize) -> Vec<u8> {
    b"%PDF-1.7 ".iter().copied().chain((0_u8..251).cycle()).take(size).collect()
}

pub fn new_run(tokens: &[(TokenId, Uid)], pdf: Vec<u8>) -> NewPrintRun {
    let options = r#"{"sheet":{"slug":"avery-l7160"}}"#.to_owned();
    let (sheet, tokens) = ("avery-l7160".to_owned(), tokens.to_vec());
    NewPrintRun {
        job: None,
        by: anna(),
        sheet,
        options,
        start: 3,
        pages: 2,
        tokens,
        pdf,
        next_label: None,
        progress: None,
    }
}

/// What the codes of a PDF say: of each page, of each label, and nothing where there is none.
pub fn read_codes(pdf: &[u8], sheet: &Sheet, (right, down): (f32, f32)) -> Vec<Vec<String>> {
    let pages = RasterPages::read(Arc::new(pdf.to_vec())).unwrap();
    let whole = Area { x: 0.0, y: 0.0, width: sheet.page_width.f32(), height: sheet.page_height.f32() };
    let page = |page| {
        let picture = pages.print(page, 300, whole).unwrap();
        let label = |label| {
            let (x, y) = sheet.corner(label);
            let (width, height) = (sheet.width.f32(), sheet.height.f32());
            let read = proof::read(&picture, Area { x: x.f32() + right, y: y.f32() + down, width, height });
            assert!(read.len() < 2, "{read:?}");
            read.into_iter().next().map_or_else(String::new, |code| code.says)
        };
        (0..sheet.labels()).map(label).collect()
    };
    (0..pages.count()).map(page).collect()
}

/// The bytes of a PDF, or what is said instead.
pub async fn fetch_pdf(request: RequestBuilder) -> Vec<u8> {
    let answer = request.send().await.unwrap();
    let (status, bytes) = (answer.status(), answer.bytes().await.unwrap().to_vec());
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&bytes));
    assert!(bytes.starts_with(b"%PDF-"));
    bytes
}

/// Every run, newest first, and its tokens.
pub fn runs_with_tokens(app: &App) -> Vec<(PrintRun, Vec<String>)> {
    let mut connection = app.connection();
    let all = runs::page(&mut connection, None, 1_000).unwrap();
    let mut tokens = |run: &PrintRun| {
        let labels = runs::labels(&mut connection, run.id, 0, 100_000).unwrap();
        labels.into_iter().map(|label| label.token.uid.to_string()).collect()
    };
    all.into_iter().map(|(_, run)| (tokens(&run), run)).map(|(tokens, run)| (run, tokens)).collect()
}

/// Adds tokens with labels and two uses each.
pub async fn add_labelled(app: &App, count: usize) -> Vec<Uid> {
    let mut uids = Vec::new();
    for n in 0..count {
        uids.push(app.add(&[("label", &format!("Locker <{n}>")), ("usage_count", "2")]).await.parse().unwrap());
    }
    uids
}

/// Keeps a run of tokens, as if it had been printed.
pub async fn keep_run_of(app: &App, uids: &[Uid], size: usize, job: Option<(i64, i32)>) -> PrintRun {
    let mut connection = app.connection();
    let id = |uid: &Uid| (tokens::id_of(&mut connection, *uid).unwrap().unwrap(), *uid);
    let tokens: Vec<_> = uids.iter().map(id).collect();
    let options = r#"{"sheet":{"slug":"avery-l7160","name":"Käse <1>","page_width":210000,"page_height":297000,
        "columns":3,"rows":7,"width":63500,"height":38100,"left":7200,"top":15150,"pitch_x":66040,"pitch_y":38100,
        "margin":5000},"start":1,"offset_x":-500,"offset_y":0,"text":"value","outline":false,"dpi":600,
        "printer":"HP \"Office\"","leave_out":false}"#;
    let new = NewPrintRun { options: options.into(), job, ..new_run(&tokens, placeholder_pdf(size)) };
    let store = Store::start(&app.database.url).unwrap();
    save_run(&store, new).await.unwrap()
}

pub fn add_job(app: &App, total: i32, parts: i32) -> PrintJob {
    let (sheet, options, selection) = ("avery-l7160".to_owned(), "{}".to_owned(), Selection::Uids(Vec::new()));
    let title = String::new();
    let new = NewPrintJob { uid: Uid::random(), sheet, options, selection, title, total, parts };
    let by = Principal::user("anna");
    transaction(&mut app.connection(), |c| jobs::add(c, &new, &by, Micros::now())).unwrap().0
}

pub fn measures(name: &str) -> Measures {
    Measures {
        name: name.into(),
        page_width: 210_000,
        page_height: 297_000,
        across: 3,
        down: 7,
        width: 63_500,
        height: 38_100,
        from_left: 7_200,
        from_top: 15_150,
        pitch_x: 66_040,
        pitch_y: 38_100,
        margin: 5_000,
    }
}
