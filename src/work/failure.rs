//! Why work beside requests was not done, for people.

use crate::store::Error;

/// Why work that was begun was not done.
pub(super) fn failure_message(error: &Error) -> String {
    match error {
        Error::Token(error) => error.to_string(),
        Error::Refused(why) => why.clone(),
        Error::Busy(why) => (*why).into(),
        Error::Unknown(_) => "The database went away meanwhile, and it is not known whether this was done.".into(),
        Error::Failed(_) => "Something went wrong here, and nothing was changed.".into(),
        Error::OverQuota { .. }
        | Error::TooSlow
        | Error::KeyInProgress
        | Error::Conflict(_)
        | Error::Unavailable(_)
        | Error::Lost(_) => "The database cannot take this now; try again.".into(),
    }
}
