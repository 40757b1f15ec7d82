//! The users, API keys and gates that the filters of logs offer.

use crate::access::{Principal, who};
use crate::store::accounts::{keys, users};
use crate::web::choice::Choice;
use crate::web::error::Error;
use crate::web::state::App;

/// Every user, then every API key, by name; and who is selected, though there is nobody of that name any more.
pub(crate) async fn users(app: &App, selected: &str) -> Result<Vec<Choice>, Error> {
    let find = |connection: &mut _| Ok((users::names(connection)?, keys::names(connection)?));
    let (users, keys) = app.store.read(find).await?;
    let users = users.iter().map(|name| Principal::user(name));
    let known =
        users.chain(keys.iter().map(|name| Principal::key(name))).map(|principal| principal.as_str().to_owned());
    let all = with_selected(known.collect(), selected);
    Ok(Choice::list(all.into_iter().map(|principal| (principal.clone(), who(&principal))), selected))
}

/// Every gate, by name; and the selected one, though it is not there any more.
pub(super) async fn gates(app: &App, selected: &str) -> Result<Vec<Choice>, Error> {
    let gates = app.gates.get(&app.store).await?;
    let known = gates.iter().map(|gate| gate.name.clone()).collect();
    Ok(Choice::words(with_selected(known, selected), selected))
}

fn with_selected(mut known: Vec<String>, selected: &str) -> Vec<String> {
    if !selected.is_empty() && !known.iter().any(|name| name == selected) {
        known.push(selected.to_owned());
    }
    known
}
