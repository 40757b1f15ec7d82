//! The PDF of labels, rendered off the request threads, and kept as a print run.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::items::LabelItems;
use super::keep_run::keep_run;
use super::options::PrintOptions;
use crate::access::Principal;
use crate::sheet::fonts::Fonts;
use crate::sheet::layout::{LabelItem, SheetLayout};
use crate::sheet::pdf;
use crate::sheet::refusal::SheetRefusal;
use crate::store::printing::jobs::JobProgress;
use crate::store::printing::runs::{NewPrintRun, PrintRun};
use crate::store::{Error, Store};
use crate::work::Background;
use crate::work::render_pool::RenderTask;

/// A PDF.
pub(crate) struct LabelPdf {
    /// The file.
    pub(crate) pdf: Vec<u8>,
    /// Its pages.
    pub(crate) pages: usize,
    /// The first free label behind it, counted from 1.
    pub(crate) next: u32,
}

/// Makes a PDF, in its turn.
///
/// # Errors
/// A fault; unavailable, when too much waits already.
pub(crate) async fn make(
    background: &Arc<Background>,
    how: &PrintOptions,
    items: Vec<LabelItem>,
) -> Result<Result<LabelPdf, Vec<SheetRefusal>>, Error> {
    Ok(make_with(background, how, items, |_, _| ()).await?.map(|(made, ())| made))
}

/// Makes a PDF, in its turn, and something else of the same plan.
///
/// # Errors
/// As [`make`].
pub(crate) async fn make_with<T: Send + 'static>(
    background: &Arc<Background>,
    how: &PrintOptions,
    items: Vec<LabelItem>,
    also: impl FnOnce(&SheetLayout, &Fonts) -> T + Send + 'static,
) -> Result<Result<(LabelPdf, T), Vec<SheetRefusal>>, Error> {
    let (how, shared, labels) = (how.clone(), Arc::clone(background), items.len());
    let render = move |task: &mut RenderTask| {
        let plan = match SheetLayout::new(&how.sheet, &how.options(), &shared.fonts, how.has_text(), items) {
            Ok(plan) => plan,
            Err(refused) => return Ok(Err(refused)),
        };
        let made = write(&plan, &shared.fonts, task)?;
        Ok(Ok((made, also(&plan, &shared.fonts))))
    };
    let made: Result<_, pdf::PdfError> = background.render_pool.run(labels, render).await?;
    made.map_err(|error| Error::Failed(error.to_string()))
}

fn write(plan: &SheetLayout, fonts: &Fonts, task: &mut RenderTask) -> Result<LabelPdf, pdf::PdfError> {
    let pages = plan.pages();
    let go_on = &mut |drawn| {
        // Whoever waits for a single page has it at once.
        if drawn == pages || task.should_continue() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let pdf = pdf::write("Labels", fonts, (0..pages).map(|page| plan.page(page)), go_on)?;
    Ok(LabelPdf { pdf, pages, next: plan.next_start() })
}

/// Keeps a PDF as a print run, or as the part of a job, and remembers where its sheet goes on. Gives back what was kept, with
/// the PDF.
///
/// # Errors
/// Unavailable, when the database cannot take it.
pub(crate) async fn keep_pdf(
    store: &Store,
    how: &PrintOptions,
    by: &Principal,
    (printed, made): (LabelItems, LabelPdf),
    job: Option<(i64, i32, JobProgress)>,
) -> Result<(PrintRun, Arc<NewPrintRun>), Error> {
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    let (job, progress) = job.map(|(job, part, progress)| ((job, part), progress)).unzip();
    let new = Arc::new(NewPrintRun {
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
    let run = keep_run(store, Arc::clone(&new)).await?;
    Ok((run, new))
}
