//! Print runs, print jobs, own sheets and printers on the store: what is kept, what comes back, and what it costs.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tessera::access::Principal;
use tessera::store::actions::ActionRequest;
use tessera::store::connection::transaction;
use tessera::store::printing::jobs::{JobProgress, JobStage, NewPrintJob};
use tessera::store::printing::printers::Printer;
use tessera::store::printing::runs::{NewPrintRun, PrintRun, RunCounts};
use tessera::store::printing::sheets::{Measures, SheetChange};
use tessera::store::printing::{jobs, printers, runs, sheets};
use tessera::store::schema::{print_run_parts, print_run_tokens, print_runs};
use tessera::store::tokens::list;
use tessera::store::tokens::list::TokenFilter;
use tessera::store::tokens::selection::Selection;
use tessera::store::{Connection, Error, Store, actions, copy, settings, tokens};
use tessera::token::action::Action;
use tessera::token::print::PrintedFilter;
use tessera::token::settle::{Ask, Lookup, TokenId};
use tessera::token::{Micros, Token, Uid};
use tessera::work::printing::save_run::save_run;

use crate::database::Database;
use crate::store::token;

pub fn anna() -> Principal {
    Principal::user("anna")
}

/// Bytes that begin as a PDF, `size` of them.
pub fn pdf(size: usize) -> Vec<u8> {
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

struct Table {
    database: Database,
    connection: Connection,
    store: Store,
    ids: Vec<(TokenId, Uid)>,
}

impl Table {
    fn of(count: usize) -> Self {
        let database = Database::new();
        let mut connection = database.connect();
        let made: Vec<Token> = (0..count).map(|_| token(2)).collect();
        transaction(&mut connection, |connection| tokens::add_all(connection, &made)).unwrap();
        let id = |token: &Token| (tokens::id_of(&mut connection, token.uid).unwrap().unwrap(), token.uid);
        let ids = made.iter().map(id).collect();
        let store = Store::start(&database.url).unwrap();
        Self { database, connection, store, ids }
    }

    async fn keep(&self, from: usize, to: usize, size: usize) -> PrintRun {
        save_run(&self.store, new_run(&self.ids[from..to], pdf(size))).await.unwrap()
    }

    async fn consume(&self, n: usize) {
        let what = Lookup { uid: Some(self.ids[n].1), ..Lookup::default() };
        self.store.consume(Ask { who: anna(), what, key: None }).await.unwrap();
    }

    fn found(&mut self, print_run: Option<&PrintRun>, printed: Option<PrintedFilter>) -> Vec<usize> {
        let print_run = print_run.map(|run| run.uid.parse().unwrap());
        let filter = TokenFilter { print_run, printed, ..TokenFilter::default() };
        let part = list::TokenSlice::newest(None, 1_000);
        let found = list::page(&mut self.connection, &filter, Micros::now(), part).unwrap();
        let place = |uid| self.ids.iter().position(|(_, of)| *of == uid).unwrap();
        let mut found: Vec<usize> = found.into_iter().map(|(_, token)| place(token.uid)).collect();
        found.sort_unstable();
        found
    }

    fn standing(&mut self, run: &PrintRun) -> RunCounts {
        runs::count_tokens(&mut self.connection, &[run.id]).unwrap().pop().unwrap().1
    }

    fn rows(&mut self) -> (i64, i64, i64) {
        let connection = &mut self.connection;
        (
            print_runs::table.count().get_result(connection).unwrap(),
            print_run_tokens::table.count().get_result(connection).unwrap(),
            print_run_parts::table.count().get_result(connection).unwrap(),
        )
    }
}

#[actix_web::test]
async fn a_run_comes_back_as_it_was_kept_however_long() {
    let mut table = Table::of(2_100);
    for (count, size, pieces) in [(3, 10, 1), (1, 256 * 1024, 1), (2_100, 600 * 1024 + 7, 3)] {
        let kept = table.keep(0, count, size).await;
        let uid = kept.uid.parse().unwrap();
        let run = runs::find(&mut table.connection, uid).unwrap().unwrap();
        assert_eq!(run, kept);
        assert_eq!((run.count, run.start, run.pages, run.part, run.job), (count.try_into().unwrap(), 3, 2, 1, None));
        assert!(runs::pdf(&mut table.connection, &run).unwrap() == pdf(size));
        let piece = |n| runs::pdf_chunk(&mut table.database.connect(), run.id, n).unwrap();
        let found: Vec<Vec<u8>> = (0..).map_while(piece).collect();
        assert_eq!(found.len(), pieces);
        assert!(found.concat() == pdf(size));
        let labels = runs::labels(&mut table.connection, run.id, 0, 5_000).unwrap();
        assert_eq!(labels.len(), count);
        assert!(
            labels
                .iter()
                .zip(&table.ids)
                .zip(1..)
                .all(|((label, (_, uid)), n)| { label.token.uid == *uid && label.position == n && !label.is_deleted })
        );
        let second = runs::labels(&mut table.connection, run.id, 1, 1).unwrap();
        assert_eq!(second.first().map(|label| label.position), (count > 1).then_some(2));
    }
    let page = runs::page(&mut table.connection, None, 2).unwrap();
    assert_eq!(page.iter().map(|(_, run)| run.count).collect::<Vec<_>>(), [2_100, 1]);
    let behind = runs::page(&mut table.connection, Some(&page[1].0), 2).unwrap();
    assert_eq!(behind.iter().map(|(_, run)| run.count).collect::<Vec<_>>(), [3]);
}

#[actix_web::test]
async fn the_same_of_the_same_person_is_the_same_run_and_of_a_job_its_own() {
    let mut table = Table::of(3);
    let first = table.keep(0, 3, 500_000).await;
    assert_eq!(table.keep(0, 3, 500_000).await, first);
    let others = [
        new_run(&table.ids[..2], pdf(500_000)),
        new_run(&table.ids, pdf(500_001)),
        NewPrintRun { by: Principal::user("bob"), ..new_run(&table.ids, pdf(500_000)) },
        NewPrintRun { job: Some((1, 1)), ..new_run(&table.ids, pdf(500_000)) },
        NewPrintRun { job: Some((2, 1)), ..new_run(&table.ids, pdf(500_000)) },
    ];
    for other in others.clone() {
        assert_ne!(save_run(&table.store, other).await.unwrap().id, first.id);
    }
    assert_eq!(runs::page(&mut table.connection, None, 100).unwrap().len(), 6);
    assert_eq!(runs::of_job(&mut table.connection, 2).unwrap().len(), 1);
    // All at once, it is still one.
    let at_once = (0..6).map(|_| save_run(&table.store, new_run(&table.ids[1..], pdf(300_000))));
    let kept = futures_util::future::join_all(at_once).await;
    assert!(kept.iter().all(|run| run.as_ref().unwrap().id == kept[0].as_ref().unwrap().id));
    assert_eq!(runs::page(&mut table.connection, None, 100).unwrap().len(), 7);
}

#[actix_web::test]
async fn what_a_crash_left_is_seen_by_nobody_and_tidied_later() {
    let mut table = Table::of(1_500);
    let whole = table.keep(0, 4, 100).await;
    let broken = table.keep(2, 1_500, 256 * 1024 * 20).await;
    diesel::update(print_runs::table.find(broken.id))
        .set(print_runs::done.eq(None::<i64>))
        .execute(&mut table.connection)
        .unwrap();
    assert_eq!(runs::find(&mut table.connection, broken.uid.parse().unwrap()).unwrap(), None);
    assert_eq!(runs::page(&mut table.connection, None, 9).unwrap().len(), 1);
    assert_eq!(table.found(Some(&broken), None), [0; 0]);
    assert_eq!(table.found(None, Some(PrintedFilter::NeverUsed)), [0, 1, 2, 3]);

    let tidy = |table: &mut Table, now: Micros| {
        transaction(&mut table.connection, |connection| Ok(runs::remove_abandoned(connection, now)?)).unwrap()
    };
    let now = Micros::now();
    assert!(!tidy(&mut table, now), "it may still be being written");
    assert_eq!(table.rows(), (2, 4 + 1_498, 1 + 20));
    let later = now.plus_micros(3_700_000_000);
    let turns = std::iter::repeat_with(|| tidy(&mut table, later)).take_while(|more| *more).count();
    assert!((3..9).contains(&turns), "{turns}");
    assert_eq!(table.rows(), (1, 4, 1));
    assert_eq!(runs::find(&mut table.connection, whole.uid.parse().unwrap()).unwrap(), Some(whole));
}

#[actix_web::test]
async fn a_run_tells_how_its_tokens_stand_and_filters_find_them() {
    let mut table = Table::of(10);
    let (first, second) = (table.keep(0, 6, 100).await, table.keep(4, 8, 200).await);
    table.consume(0).await;
    table.consume(5).await;
    table.consume(9).await;
    let gone = table.ids[1].1;
    transaction(&mut table.connection, |connection| tokens::delete(connection, &[gone], &anna(), Micros::now()))
        .unwrap();
    let lost = Selection::Uids(vec![table.ids[2].1, table.ids[8].1]);
    let wanted =
        ActionRequest { uid: Uid::random(), selection: lost, action: Action::Void { reason: None }, seal: None };
    transaction(&mut table.connection, |c| actions::perform(c, &wanted, &anna(), Micros::now())).unwrap();
    let standing = RunCounts { printed: 6, never_used: 3, used: 2, voided: 1, deleted: 1 };
    assert_eq!(table.standing(&first), standing);
    assert_eq!(table.standing(&second), RunCounts { printed: 4, never_used: 3, used: 1, voided: 0, deleted: 0 });
    let both = runs::count_tokens(&mut table.connection, &[first.id, second.id]).unwrap();
    assert_eq!(both.len(), 2);
    let labels = runs::labels(&mut table.connection, first.id, 0, 9).unwrap();
    assert_eq!(labels.iter().filter(|label| label.is_deleted).map(|label| label.position).collect::<Vec<_>>(), [2]);

    assert_eq!(table.found(Some(&first), None), [0, 2, 3, 4, 5]);
    assert_eq!(table.found(Some(&second), Some(PrintedFilter::NeverUsed)), [4, 6, 7]);
    assert_eq!(table.found(Some(&second), Some(PrintedFilter::Never)), [0; 0]);
    assert_eq!(table.found(None, Some(PrintedFilter::NeverUsed)), [2, 3, 4, 6, 7]);
    assert_eq!(table.found(None, Some(PrintedFilter::Never)), [8, 9]);
    let nobodys = PrintRun { uid: Uid::random().to_string(), ..first };
    assert_eq!(table.found(Some(&nobodys), None), [0; 0]);
}

#[test]
fn a_job_goes_on_ends_and_is_told_as_lost_when_nobody_works_on_it() {
    let database = Database::new();
    let mut connection = database.connect();
    let options = r#"{"sheet":{}}"#.to_owned();
    let new = NewPrintJob {
        uid: Uid::random(),
        sheet: "a".into(),
        options,
        selection: Selection::Uids(Vec::new()),
        total: 25_000,
        parts: 3,
    };
    let now = Micros::now();
    let (job, is_new) = transaction(&mut connection, |c| jobs::add(c, &new, &anna(), now)).unwrap();
    assert!(is_new);
    assert_eq!(
        (job.total, job.printed, job.parts, job.cursor.as_str(), job.stage(now)),
        (25_000, 0, 3, "", JobStage::UnderWay)
    );
    let again = transaction(&mut connection, |c| jobs::add(c, &new, &anna(), now)).unwrap();
    assert_eq!(again, (job.clone(), false));

    let after = |seconds: i64| now.plus_micros(seconds * 1_000_000);
    let part = |was: &str, printed, cursor: &str| JobProgress {
        uid: new.uid,
        previous_cursor: was.into(),
        printed,
        cursor: cursor.into(),
    };
    jobs::advance(&mut connection, &part("", 10_000, "10000"), after(60)).unwrap();
    assert!(jobs::advance(&mut connection, &part("", 9_000, "9000"), after(61)).is_err(), "another one goes on");
    let found = jobs::find(&mut connection, new.uid).unwrap().unwrap();
    assert_eq!((found.printed, found.cursor.as_str(), found.stage(after(170))), (10_000, "10000", JobStage::UnderWay));
    assert_eq!(found.stage(after(181)), JobStage::Lost);
    jobs::touch(&mut connection, new.uid, after(170)).unwrap();
    let found = jobs::by_id(&mut connection, job.id).unwrap().unwrap();
    assert_eq!(found.stage(after(181)), JobStage::UnderWay);
    assert_eq!(jobs::open(&mut connection, 9).unwrap().len(), 1);

    jobs::end(&mut connection, new.uid, Some("The disk is full."), after(200)).unwrap();
    jobs::end(&mut connection, new.uid, None, after(300)).unwrap();
    let found = jobs::find(&mut connection, new.uid).unwrap().unwrap();
    assert_eq!(found.stage(after(9_999)), JobStage::Failed("The disk is full.".into()));
    assert!(jobs::advance(&mut connection, &part("10000", 20_000, ""), after(400)).is_err(), "it has ended");
    assert!(jobs::open(&mut connection, 9).unwrap().is_empty());

    let other = NewPrintJob { uid: Uid::random(), ..new };
    transaction(&mut connection, |c| jobs::add(c, &other, &anna(), now)).unwrap();
    jobs::end(&mut connection, other.uid, None, after(1)).unwrap();
    let page = jobs::page(&mut connection, None, 1).unwrap();
    assert_eq!(page[0].1.stage(after(9_999)), JobStage::Done);
    assert_eq!(jobs::page(&mut connection, Some(&page[0].0), 9).unwrap().len(), 1);
}

fn measures(name: &str) -> Measures {
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

#[test]
fn own_sheets_have_slugs_of_their_own_and_keep_them() {
    let database = Database::new();
    let mut connection = database.connect();
    let is_preset = |slug: &str| slug == "avery-l7160";
    let add = |connection: &mut Connection, name: &str| {
        transaction(connection, |c| sheets::add(c, &measures(name), is_preset, &anna(), Micros::now()))
    };
    let slugs =
        ["Avery L7160", "Kärtchen <1>", "Kartchen 1", "Ярлык", "標籤"].map(|name| add(&mut connection, name).unwrap());
    assert_eq!(slugs, ["avery-l7160-2", "kartchen-1", "kartchen-1-2", "sheet", "sheet-2"]);
    assert!(matches!(add(&mut connection, "Ярлык"), Err(Error::Refused(why)) if why.contains("Ярлык")));
    let known = sheets::find(&mut connection, "kartchen-1").unwrap().unwrap();
    assert_eq!(known.measures, measures("Kärtchen <1>"));
    assert_eq!(sheets::find(&mut connection, "avery-l7160").unwrap(), None);

    let wanted = Measures { name: "Other".into(), margin: 0, ..known.measures.clone() };
    let change = |connection: &mut Connection, known: Micros, wanted: &Measures| {
        transaction(connection, |c| sheets::change(c, "kartchen-1", known, wanted, &anna(), Micros::now()))
    };
    assert!(matches!(change(&mut connection, known.changed, &wanted), Ok(SheetChange::Saved)));
    assert!(matches!(change(&mut connection, known.changed, &wanted), Ok(SheetChange::Saved)), "it is so already");
    let conflict = change(&mut connection, known.changed, &measures("Mine"));
    assert!(matches!(conflict, Ok(SheetChange::Conflict(now)) if now.measures == wanted));
    let now = sheets::find(&mut connection, "kartchen-1").unwrap().unwrap();
    assert!(matches!(change(&mut connection, now.changed, &measures("Ярлык")), Err(Error::Refused(_))));

    sheets::remember_label(&mut connection, &anna(), "kartchen-1", 5).unwrap();
    sheets::remember_label(&mut connection, &anna(), "kartchen-1", 7).unwrap();
    sheets::remember_label(&mut connection, &Principal::user("bob"), "sheet", 2).unwrap();
    assert_eq!(sheets::next_label(&mut connection, &anna(), "kartchen-1").unwrap(), Some(7));
    assert_eq!(sheets::next_label(&mut connection, &anna(), "sheet").unwrap(), None);
    assert_eq!(sheets::next_labels(&mut connection, &anna()).unwrap(), [("kartchen-1".to_owned(), 7)]);
    transaction(&mut connection, |c| sheets::remove(c, "kartchen-1", &anna(), Micros::now())).unwrap();
    assert_eq!(sheets::next_label(&mut connection, &anna(), "kartchen-1").unwrap(), None);
    let again = transaction(&mut connection, |c| sheets::remove(c, "kartchen-1", &anna(), Micros::now()));
    assert!(matches!(again, Err(Error::Refused(_))));
    assert!(matches!(change(&mut connection, now.changed, &wanted), Ok(SheetChange::Gone)));
    assert_eq!(sheets::all(&mut connection).unwrap().len(), 4);
}

#[test]
fn printers_are_saved_renamed_and_removed_by_their_names() {
    let database = Database::new();
    let mut connection = database.connect();
    let printer = |name: &str, offset_x| Printer { name: name.into(), offset_x, offset_y: -1_250, dpi: 600 };
    let save = |connection: &mut Connection, was: Option<&str>, printer: &Printer| {
        transaction(connection, |c| printers::save(c, was, printer, &anna(), Micros::now()))
    };
    let name = "HP \"Office\" <2>'; DROP TABLE printers --";
    save(&mut connection, None, &printer(name, 500)).unwrap();
    save(&mut connection, None, &printer(name, 700)).unwrap();
    save(&mut connection, None, &printer("Zebra", 0)).unwrap();
    let known = printers::find(&mut connection, name).unwrap().unwrap();
    assert_eq!((&known.printer, known.changed_by.as_str()), (&printer(name, 700), "user:anna"));
    save(&mut connection, Some(name), &printer("Office", 700)).unwrap();
    let taken = save(&mut connection, Some("Office"), &printer("Zebra", 1));
    assert!(matches!(taken, Err(Error::Refused(why)) if why.contains("Zebra")));
    assert!(matches!(save(&mut connection, Some(name), &printer("X", 1)), Err(Error::Refused(_))), "it is gone");
    transaction(&mut connection, |c| printers::remove(c, "Zebra", &anna(), Micros::now())).unwrap();
    let again = transaction(&mut connection, |c| printers::remove(c, "Zebra", &anna(), Micros::now()));
    assert!(matches!(again, Err(Error::Refused(_))));
    let names: Vec<String> =
        printers::all(&mut connection).unwrap().into_iter().map(|known| known.printer.name).collect();
    assert_eq!(names, ["Office"]);
    assert_eq!(settings::all(&mut connection).unwrap().settings.default_dpi, 300);
}

#[actix_web::test]
async fn a_copy_takes_along_what_was_printed_and_all_that_printing_knows() {
    let mut table = Table::of(1_200);
    let run = table.keep(0, 1_200, 600_000).await;
    let (sheet, printer) = (measures("Ярлык"), Printer { name: "\"P\"".into(), offset_x: 1, offset_y: -2, dpi: 300 });
    let (sheet_text, none) = ("a".to_owned(), String::new());
    let job = NewPrintJob {
        uid: Uid::random(),
        sheet: sheet_text,
        options: none,
        selection: Selection::Uids(Vec::new()),
        total: 1,
        parts: 1,
    };
    transaction(&mut table.connection, |c| {
        sheets::add(c, &sheet, |_| false, &anna(), Micros::now())?;
        printers::save(c, None, &printer, &anna(), Micros::now())?;
        sheets::remember_label(c, &anna(), "sheet", 5)?;
        jobs::add(c, &job, &anna(), Micros::now()).map(drop)
    })
    .unwrap();

    let target = Database::new();
    let (from, mut to) = (RefCell::new(table.database.connect()), target.connect());
    let copied = transaction(&mut to, |to| copy::copy(&mut from.borrow_mut(), to)).unwrap();
    let rows = |table: &str| copied.iter().find(|copied| copied.table == table).unwrap().rows;
    let tables =
        ["print_runs", "print_run_tokens", "print_run_parts", "print_jobs", "sheets", "printers", "next_labels"];
    assert_eq!(tables.map(rows), [1, 1_200, 3, 1, 1, 1, 1]);
    let there = runs::find(&mut to, run.uid.parse().unwrap()).unwrap().unwrap();
    assert_eq!(there, run);
    assert!(runs::pdf(&mut to, &there).unwrap() == pdf(600_000));
    // What is new follows.
    let store = Store::start(&target.url).unwrap();
    assert_ne!(save_run(&store, new_run(&table.ids[..2], pdf(9))).await.unwrap().id, run.id);
}

/// How long a hundred consumes take, one after the other, while `work` is done beside them.
async fn consumes_beside(table: &Table, work: impl Future<Output = ()>) -> Duration {
    let consumes = async {
        let at = Instant::now();
        for n in 0..100 {
            table.consume(n).await;
        }
        at.elapsed()
    };
    futures_util::future::join(consumes, work).await.0
}

#[actix_web::test]
async fn consumes_go_on_while_a_long_run_is_kept() {
    let table = Table::of(10_000);
    let alone = consumes_beside(&table, std::future::ready(())).await;
    let beside = consumes_beside(&table, async { drop(table.keep(0, 10_000, 8_000_000).await) }).await;
    // Each step is a short transaction of its own, and what comes meanwhile has its turn before the next one.
    assert!(beside < alone * 4 + Duration::from_secs(1), "{beside:?}, and alone {alone:?}");
    println!("{alone:?} alone, {beside:?} beside");
}

#[actix_web::test]
async fn filters_by_print_are_quick_among_many_tokens() {
    const MANY: usize = 30_000;
    let mut table = Table::of(500);
    let made: Vec<Token> = (0..MANY).map(|_| token(1)).collect();
    transaction(&mut table.connection, |connection| tokens::add_all(connection, &made)).unwrap();
    let run = table.keep(0, 500, 1_000).await;
    table.connection.batch_execute("ANALYZE").unwrap();
    let at = Instant::now();
    assert_eq!(table.found(Some(&run), None).len(), 500);
    assert_eq!(table.found(None, Some(PrintedFilter::NeverUsed)).len(), 500);
    let filter = TokenFilter { printed: Some(PrintedFilter::Never), ..TokenFilter::default() };
    let count = list::count(&mut table.connection, &filter, Micros::now(), 100_000).unwrap();
    assert_eq!(usize::try_from(count), Ok(MANY));
    // A quadratic walk would be fifteen million looks.
    assert!(at.elapsed().as_secs() < 5, "{:?}", at.elapsed());
}
