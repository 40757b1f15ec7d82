//! What the pages say of errors that any page can meet.

use actix_web::http::StatusCode;

/// A title, and what to do.
pub(crate) type TitleAndAdvice = (&'static str, &'static str);

pub(crate) const OTHER_ADDRESS: TitleAndAdvice = ("This form came from another address", "");
pub(crate) const NO_SUCH_TOKEN: &str = "There is no token with this ID.";
pub(crate) const OUTCOME_UNKNOWN: &str =
    "The connection to the database was lost. Your change may have been saved. Check before you try again.";

/// What an error's page says above and below the error's own sentence.
pub(crate) fn title_and_advice(status: StatusCode) -> TitleAndAdvice {
    match status {
        StatusCode::UNAUTHORIZED => ("This API key is not valid", ""),
        StatusCode::FORBIDDEN => ("You don't have access to this page", "Ask an administrator."),
        StatusCode::NOT_FOUND => ("Page not found", "Check the address. The page may have been deleted."),
        StatusCode::METHOD_NOT_ALLOWED => {
            ("This address can't be opened directly", "Go back and use the buttons on the page.")
        }
        StatusCode::CONFLICT => ("Someone else made a change", "Reload the page to see the current state."),
        StatusCode::PAYLOAD_TOO_LARGE => ("Too much data", "Go back and send less at once."),
        StatusCode::TOO_MANY_REQUESTS => ("Please wait", ""),
        StatusCode::SERVICE_UNAVAILABLE => ("Tessera can't answer right now", "Wait a moment, then reload the page."),
        StatusCode::INTERNAL_SERVER_ERROR => {
            ("Something went wrong", "Try again. If this keeps happening, tell an administrator.")
        }
        _ => ("This request can't be read", "Go back and check your entries."),
    }
}
