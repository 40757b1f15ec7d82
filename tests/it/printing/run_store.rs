//! Print runs, print jobs, own sheets and printers on the store: what is kept, what comes back, and what it costs.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tessera::access::Principal;
use tessera::store::actions::ActionRequest;
use tessera::store::connection::transaction;
use tessera::store::printing::jobs::NewPrintJob;
use tessera::store::printing::printers::Printer;
use tessera::store::printing::runs::{NewPrintRun, PrintRun, RunCounts};
use tessera::store::printing::{jobs, printers, runs, sheets};
use tessera::store::schema::{print_run_parts, print_run_tokens, print_runs};
use tessera::store::tokens::list;
use tessera::store::tokens::list::TokenFilter;
use tessera::store::tokens::selection::Selection;
use tessera::store::{Connection, Store, actions, copy, tokens};
use tessera::token::action::Action;
use tessera::token::print::PrintedFilter;
use tessera::token::settle::{Answer, Ask, Deed, Lookup, NamedUse, TokenId};
use tessera::token::{Micros, Token, Uid};
use tessera::work::printing::save_run::save_run;

use crate::support::database::Database;
use crate::support::printing::{anna, measures, new_run, placeholder_pdf};
use crate::support::tokens::token;

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
        save_run(&self.store, new_run(&self.ids[from..to], placeholder_pdf(size))).await.unwrap()
    }

    /// Uses a token, and returns the entry in the log.
    async fn consume(&self, n: usize) -> Uid {
        let what = Lookup { uid: Some(self.ids[n].1), ..Lookup::default() };
        let Answer::Done(receipt, _) = self.store.consume(Ask::once(anna(), what)).await.unwrap() else {
            panic!("not used")
        };
        receipt.usage_uid
    }

    async fn undo(&self, usage_uid: Uid) {
        let deed = Deed::Undo { which: NamedUse::Entry(usage_uid), anybody: false };
        let undone = self.store.consume(Ask::new(anna(), deed, None)).await.unwrap();
        assert!(matches!(undone, Answer::Done(..)), "{undone:?}");
    }

    fn matching(&mut self, print_run: Option<&PrintRun>, printed: Option<PrintedFilter>) -> Vec<usize> {
        let print_run = print_run.map(|run| run.uid.parse().unwrap());
        let filter = TokenFilter { print_run, printed, ..TokenFilter::default() };
        let part = list::TokenSlice::newest(None, 1_000);
        let found = list::page(&mut self.connection, &filter, Micros::now(), &part).unwrap();
        let place = |uid| self.ids.iter().position(|(_, of)| *of == uid).unwrap();
        let mut found: Vec<usize> = found.into_iter().map(|(_, token)| place(token.uid)).collect();
        found.sort_unstable();
        found
    }

    fn counts(&mut self, run: &PrintRun) -> RunCounts {
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
        assert!(runs::pdf(&mut table.connection, &run).unwrap() == placeholder_pdf(size));
        let piece = |n| runs::pdf_chunk(&mut table.database.connect(), run.id, n).unwrap();
        let found: Vec<Vec<u8>> = (0..).map_while(piece).collect();
        assert_eq!(found.len(), pieces);
        assert!(found.concat() == placeholder_pdf(size));
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
        new_run(&table.ids[..2], placeholder_pdf(500_000)),
        new_run(&table.ids, placeholder_pdf(500_001)),
        NewPrintRun { by: Principal::user("bob"), ..new_run(&table.ids, placeholder_pdf(500_000)) },
        NewPrintRun { job: Some((1, 1)), ..new_run(&table.ids, placeholder_pdf(500_000)) },
        NewPrintRun { job: Some((2, 1)), ..new_run(&table.ids, placeholder_pdf(500_000)) },
    ];
    for other in others.clone() {
        assert_ne!(save_run(&table.store, other).await.unwrap().id, first.id);
    }
    assert_eq!(runs::page(&mut table.connection, None, 100).unwrap().len(), 6);
    assert_eq!(runs::of_job(&mut table.connection, 2).unwrap().len(), 1);
    // All at once, it is still one.
    let at_once = (0..6).map(|_| save_run(&table.store, new_run(&table.ids[1..], placeholder_pdf(300_000))));
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
    assert_eq!(table.matching(Some(&broken), None), [0; 0]);
    assert_eq!(table.matching(None, Some(PrintedFilter::NeverUsed)), [0, 1, 2, 3]);

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
        ActionRequest { uid: Uid::random(), selection: lost, action: Action::Void { reason: None }, digest: None };
    transaction(&mut table.connection, |c| actions::perform(c, &wanted, &anna(), Micros::now())).unwrap();
    let counts = RunCounts { printed: 6, never_used: 3, used: 2, voided: 1, deleted: 1, batch: None };
    assert_eq!(table.counts(&first), counts);
    assert_eq!(
        table.counts(&second),
        RunCounts { printed: 4, never_used: 3, used: 1, voided: 0, deleted: 0, batch: None }
    );
    let both = runs::count_tokens(&mut table.connection, &[first.id, second.id]).unwrap();
    assert_eq!(both.len(), 2);
    let labels = runs::labels(&mut table.connection, first.id, 0, 9).unwrap();
    assert_eq!(labels.iter().filter(|label| label.is_deleted).map(|label| label.position).collect::<Vec<_>>(), [2]);

    assert_eq!(table.matching(Some(&first), None), [0, 2, 3, 4, 5]);
    assert_eq!(table.matching(Some(&second), Some(PrintedFilter::NeverUsed)), [4, 6, 7]);
    assert_eq!(table.matching(Some(&second), Some(PrintedFilter::Never)), [0; 0]);
    assert_eq!(table.matching(None, Some(PrintedFilter::NeverUsed)), [2, 3, 4, 6, 7]);
    assert_eq!(table.matching(None, Some(PrintedFilter::Never)), [8, 9]);
    let nobodys = PrintRun { uid: Uid::random().to_string(), ..first };
    assert_eq!(table.matching(Some(&nobodys), None), [0; 0]);
}

#[actix_web::test]
async fn an_undone_use_does_not_count() {
    let mut table = Table::of(3);
    let run = table.keep(0, 3, 100).await;
    let uses = [table.consume(0).await, table.consume(1).await, table.consume(1).await];
    assert_eq!(table.matching(Some(&run), Some(PrintedFilter::NeverUsed)), [2]);
    table.undo(uses[0]).await;
    table.undo(uses[1]).await;
    assert_eq!(table.matching(Some(&run), Some(PrintedFilter::NeverUsed)), [0, 2]);
    assert_eq!(table.matching(None, Some(PrintedFilter::NeverUsed)), [0, 2]);
    let counts = RunCounts { printed: 3, never_used: 2, used: 1, voided: 0, deleted: 0, batch: None };
    assert_eq!(table.counts(&run), counts);
    table.undo(uses[2]).await;
    assert_eq!(table.counts(&run), RunCounts { never_used: 3, used: 0, ..counts });
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
        title: String::new(),
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
    assert!(runs::pdf(&mut to, &there).unwrap() == placeholder_pdf(600_000));
    // What is new follows.
    let store = Store::start(&target.url).unwrap();
    assert_ne!(save_run(&store, new_run(&table.ids[..2], placeholder_pdf(9))).await.unwrap().id, run.id);
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
    assert_eq!(table.matching(Some(&run), None).len(), 500);
    assert_eq!(table.matching(None, Some(PrintedFilter::NeverUsed)).len(), 500);
    let filter = TokenFilter { printed: Some(PrintedFilter::Never), ..TokenFilter::default() };
    let count = list::count(&mut table.connection, &filter, Micros::now(), 100_000).unwrap();
    assert_eq!(usize::try_from(count), Ok(MANY));
    // A quadratic walk would be fifteen million looks.
    assert!(at.elapsed().as_secs() < 5, "{:?}", at.elapsed());
}
