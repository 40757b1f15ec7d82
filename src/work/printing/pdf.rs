//! Renders the PDF of labels off the request threads, and saves it as a print run.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::items::LabelItems;
use super::options::PrintOptions;
use super::save_run::save_run;
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

/// A rendered PDF.
pub(crate) struct LabelPdf {
    /// The file.
    pub(crate) pdf: Vec<u8>,
    /// The number of pages.
    pub(crate) pages: usize,
    /// The next free label, counted from 1.
    pub(crate) next: u32,
}

/// Renders a PDF of labels with this title in the render pool.
///
/// # Errors
/// Unavailable when too many tasks wait.
pub(crate) async fn make(
    background: &Arc<Background>,
    options: &PrintOptions,
    labels: (Vec<LabelItem>, &str),
) -> Result<Result<LabelPdf, Vec<SheetRefusal>>, Error> {
    Ok(make_with(background, options, labels, |_, _| ()).await?.map(|(pdf, ())| pdf))
}

/// Renders a PDF in the render pool, and calls `also` with the same layout.
pub(crate) async fn make_with<T: Send + 'static>(
    background: &Arc<Background>,
    options: &PrintOptions,
    (items, title): (Vec<LabelItem>, &str),
    also: impl FnOnce(&SheetLayout, &Fonts) -> T + Send + 'static,
) -> Result<Result<(LabelPdf, T), Vec<SheetRefusal>>, Error> {
    let (options, shared, labels, title) = (options.clone(), Arc::clone(background), items.len(), title.to_owned());
    let render = move |task: &mut RenderTask| {
        let layout =
            match SheetLayout::new(&options.sheet, &options.layout_options(), &shared.fonts, options.has_text(), items)
            {
                Ok(layout) => layout,
                Err(refusals) => return Ok(Err(refusals)),
            };
        let pdf = write(&title, &layout, &shared.fonts, task)?;
        Ok(Ok((pdf, also(&layout, &shared.fonts))))
    };
    let pdf: Result<_, pdf::PdfError> = background.render_pool.run(labels, render).await?;
    pdf.map_err(|error| Error::Failed(error.to_string()))
}

fn write(title: &str, layout: &SheetLayout, fonts: &Fonts, task: &mut RenderTask) -> Result<LabelPdf, pdf::PdfError> {
    let pages = layout.pages();
    let progress = &mut |drawn| {
        // The last page needs no pause: somebody waits for a single page.
        if drawn == pages || task.should_continue() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let pdf = pdf::write(title, fonts, (0..pages).map(|page| layout.page(page)), progress)?;
    Ok(LabelPdf { pdf, pages, next: layout.next_start() })
}

/// Saves a PDF as a print run, possibly as part of a job, together with the next free label of its sheet.
///
/// # Errors
/// Over quota, when somebody prints too much; otherwise as those of [`save_run`].
pub(crate) async fn save_pdf(
    store: &Store,
    options: &PrintOptions,
    by: &Principal,
    (labels, pdf): (LabelItems, LabelPdf),
    job: Option<(i64, i32, JobProgress)>,
) -> Result<PrintRun, Error> {
    let integer = |integer: u32| i32::try_from(integer).unwrap_or(i32::MAX);
    let (job, progress) = job.map(|(job, part, progress)| ((job, part), progress)).unzip();
    let new = NewPrintRun {
        job,
        by: by.clone(),
        sheet: options.sheet.slug.clone(),
        options: options.json()?,
        start: integer(options.start),
        pages: i32::try_from(pdf.pages).unwrap_or(i32::MAX),
        tokens: labels.tokens.iter().map(|(id, token)| (*id, token.uid)).collect(),
        pdf: pdf.pdf,
        next_label: Some(integer(pdf.next)),
        progress,
    };
    save_run(store, new).await
}
