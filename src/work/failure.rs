//! Why work beside requests was not done, for people.

use crate::store::Error;

/// Why work that was begun was not done.
pub(super) fn failure_message(error: &Error) -> String {
    match error {
        Error::Token(error) => error.to_string(),
        Error::Refused(why) => why.clone(),
        Error::Busy(why) => (*why).into(),
        Error::Unknown(_) => {
            "The connection to the database was lost, and this may have been done. Check before you try again.".into()
        }
        Error::Failed(_) => "Something went wrong on the server. Nothing was changed.".into(),
        Error::OverQuota { .. }
        | Error::TooSlow
        | Error::KeyInProgress
        | Error::Conflict(_)
        | Error::Unavailable(_)
        | Error::Lost(_) => "The database can't answer right now. Nothing was changed. Try again.".into(),
    }
}
