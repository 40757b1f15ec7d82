//! `tessera export`

mod folder;
mod readme;
mod rows;
pub(in crate::commands) mod target;
mod whole;

use super::shell::Failure;
use crate::cli::Common;
use crate::cli::moving::Export;

/// Writes tokens, the usage log, or everything.
pub(crate) fn run(common: &Common, wanted: &Export) -> Result<(), Failure> {
    match &wanted.all {
        Some(folder) => whole::run(common, folder),
        None => rows::run(common, wanted),
    }
}
