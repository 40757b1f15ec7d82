//! Label sheets: what is printed, what is kept of it, and with what.

mod custom_sheets;
mod job_choices;
mod job_progress;
mod jobs;
mod label_text;
mod printers;
mod proof;
mod quota;
mod refusals;
mod run_store;
mod runs;
mod sheet;
mod titles;
