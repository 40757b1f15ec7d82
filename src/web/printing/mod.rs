//! Labels on paper: sheets, print runs and jobs, printers.

pub(crate) mod browser;
pub(crate) mod calibrate;
pub(crate) mod check;
pub(crate) mod choose;
pub(crate) mod custom_sheet_form;
pub(crate) mod custom_sheets;
pub(crate) mod form;
pub(crate) mod job_view;
pub(crate) mod jobs;
pub(crate) mod label_text;
pub(crate) mod order;
pub(crate) mod pdf;
pub(crate) mod preview;
pub(crate) mod printers;
pub(crate) mod run_view;
pub(crate) mod runs;
pub(crate) mod sheet;
pub(crate) mod sheet_page;
pub(crate) mod start_job;
pub(crate) mod tabs;
