//! Labels on paper: sheets, print runs and jobs, printers.

pub mod browser;
pub mod calibrate;
pub mod check;
pub mod custom_sheet_form;
pub mod custom_sheets;
pub mod form;
pub mod job_view;
pub mod jobs;
pub mod order;
pub mod pdf;
pub mod preview;
pub mod printers;
pub mod run_view;
pub mod runs;
pub mod sheet;
pub mod sheet_page;
pub mod start_job;
