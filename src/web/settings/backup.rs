//! The last good backup, as the page of the settings shows it.

use crate::store::settings::LastBackup;
use crate::token::Micros;
use crate::web::format::{FormattedTime, TimeFormatter, tokens};

/// The last good backup.
pub(crate) struct BackupView {
    /// The moment that it is of.
    pub(crate) when: FormattedTime,
    /// How many tokens are in it.
    pub(crate) tokens: String,
    /// A day has passed without another one.
    pub(crate) is_old: bool,
}

impl BackupView {
    pub(crate) fn new(backup: &LastBackup, clock: TimeFormatter) -> Self {
        let is_old = clock.now.get() - backup.taken.get() > Micros::DAY;
        Self { when: clock.format(backup.taken), tokens: tokens(backup.tokens), is_old }
    }
}
