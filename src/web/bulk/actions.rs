//! `/actions`: what was done to many tokens at once, or to one by a click, and undoing it.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::describe::describe;
use super::done::may_undo;
use crate::access::{Role, who};
use crate::store::actions::past;
use crate::store::actions::past::{Contents, PastAction};
use crate::store::cursor::Cursor;
use crate::store::{self, Connection};
use crate::token::action::{Action, UndoSkip};
use crate::token::{Token, Uid};
use crate::web::cursor::{After, CursorCodec};
use crate::web::error::Error;
use crate::web::format::{FormattedTime, TimeFormatter, grouped, tokens};
use crate::web::guard::{Allowed, Edit, See};
use crate::web::navigation::Section;
use crate::web::notice::{Done, Notice};
use crate::web::page::{Page, page, see_other};
use crate::web::paging::{cut, more_than};
use crate::web::params::Query;
use crate::web::state::App;
use crate::web::tokens::view::{short_title, title};
use crate::web::words::bulk as words;
use crate::work;
use crate::work::actions::CarriedOut;

/// Actions on a page.
const ROWS: usize = 50;
/// Tokens of one action that its page names.
const NAMED: i64 = 100;
/// How long an answer waits for an action to be carried out. Whoever waits longer wants to see how far it is.
const MOMENT: Duration = Duration::from_secs(2);

#[derive(Template)]
#[template(path = "bulk/actions.html")]
struct ActionsPage {
    page: Page,
    rows: Vec<ActionView>,
    older: Option<String>,
}

#[derive(Template)]
#[template(path = "bulk/action.html")]
struct ActionPage {
    page: Page,
    action: ActionView,
    kept_count: i64,
    tokens: Vec<TokenView>,
    more: Option<String>,
    /// What was selected has been changed.
    is_changed: bool,
}

/// An action, as the pages show it.
struct ActionView {
    uid: String,
    /// As in `Locker 001 – Locker 300`.
    name: String,
    /// As in `Uses set to 10`.
    what: String,
    /// As in `Changed`.
    did: &'static str,
    by: String,
    at: FormattedTime,
    count: String,
    refused: i32,
    undone: Option<(FormattedTime, String)>,
    may_undo: bool,
    progress: Option<ProgressView>,
}

/// Actions with their names, and the place of the last one if there are more.
type NamedActions = (Vec<(PastAction, String)>, Option<Cursor>);

/// How far an action is, or its undoing.
struct ProgressView {
    /// As in `Deleting` and `Undoing`.
    doing: &'static str,
    /// The address that tells how it ended.
    end: String,
    total: i32,
    done: i32,
    /// As in `1,200 of 4,000 tokens`.
    far: String,
}

impl ProgressView {
    fn new(action: &PastAction, done: i32) -> Self {
        let (doing, end) = match &action.action {
            _ if action.undone.is_some() => (words::UNDOING, "undone"),
            Some(action) => (words::verb(action).doing, "done"),
            None => (words::CHANGING.doing, "done"),
        };
        Self {
            doing,
            end: format!("/actions/{}?done={end}", action.uid),
            total: action.count,
            done,
            far: words::progress(done, action.count),
        }
    }
}

/// A token of an action.
struct TokenView {
    uid: String,
    title: String,
    why: Option<&'static str>,
    exists: bool,
}

impl TokenView {
    /// A token of an action; `kept` is why its undo left the token as it is, `is_gone` whether the action deleted it.
    fn new(token: &Token, kept: Option<UndoSkip>, is_gone: bool) -> Self {
        Self {
            uid: token.uid.to_string(),
            title: title(token.label.as_deref(), &token.value),
            why: kept.map(why),
            exists: !is_gone && !matches!(kept, Some(UndoSkip::Deleted | UndoSkip::ValueTaken)),
        }
    }
}

impl ActionView {
    fn new(done: PastAction, name: String, role: Role, clock: TimeFormatter) -> Self {
        Self {
            name,
            may_undo: may_undo(role, done.action.as_ref()) && done.can_be_undone(clock.now),
            progress: done.progress.map(|far| ProgressView::new(&done, far)),
            what: done.action.as_ref().map_or_else(|| words::UNKNOWN.into(), |action| describe(action, clock)),
            did: done.action.as_ref().map_or(words::CHANGING, words::verb).did,
            count: tokens(done.count),
            uid: done.uid,
            by: who(&done.by),
            at: clock.format(done.at),
            refused: done.refused,
            undone: done.undone.map(|(at, by)| (clock.format(at), who(&by))),
        }
    }
}

/// Why an undo left a token as it is.
fn why(kept: UndoSkip) -> &'static str {
    match kept {
        UndoSkip::Changed => words::CHANGED_LATER,
        UndoSkip::Deleted => words::DELETED_LATER,
        UndoSkip::Restored => words::RESTORED_LATER,
        UndoSkip::ValueTaken => words::VALUE_TAKEN,
    }
}

/// Lists what was done, newest first.
pub(crate) async fn list(
    who: Allowed<See>,
    request: HttpRequest,
    Query(place): Query<After>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let cursors = CursorCodec::new("actions", &[]);
    let after = cursors.after(&place)?;
    let (actions, last) = app.store.read(move |connection| page_of(connection, after.as_ref())).await?;
    let clock = app.time_formatter();
    let role = who.caller.role;
    let template = ActionsPage {
        page: Page::new(&request, Section::Tokens),
        rows: actions.into_iter().map(|(action, name)| ActionView::new(action, name, role, clock)).collect(),
        older: last.map(|place| format!("{}/actions?after={}", app.base, cursors.write(&place))),
    };
    page(&app, StatusCode::OK, &template)
}

/// A page of actions, each with its name, and the place of the last one if there are more.
fn page_of(connection: &mut Connection, after: Option<&Cursor>) -> Result<NamedActions, store::Error> {
    let (actions, last) = cut(past::page(connection, after, more_than(ROWS))?, ROWS);
    let mut named = |action: PastAction| {
        let name = name(connection, &action)?;
        Ok((action, name))
    };
    Ok((actions.into_iter().map(|(_, action)| named(action)).collect::<Result<_, store::Error>>()?, last))
}

/// What people call an action: its batch, its first and last token, or else how many there were.
fn name(connection: &mut Connection, action: &PastAction) -> Result<String, store::Error> {
    let Some(Contents { first, last, batch }) = past::contents(connection, action)? else {
        return Ok(tokens(action.count));
    };
    let titles = [&first, &last].map(short_title);
    Ok(match (batch, titles) {
        (Some(batch), _) => batch,
        (None, [first, last]) if first == last => first,
        (None, [first, last]) => words::first_to_last(&first, &last),
    })
}

/// Shows what an action did, and what its undoing left.
pub(crate) async fn show(
    who: Allowed<See>,
    uid: web::Path<String>,
    request: HttpRequest,
    Query(Done { done }): Query<Done>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let found = app.store.read(move |connection| find(connection, uid)).await?;
    let (action, name, kept_count, tokens) = found.ok_or(Error::NotFound)?;
    let is_gone = action.action == Some(Action::Delete) && action.undone.is_none();
    let total = if kept_count > 0 { kept_count } else { i64::from(action.count) };
    let notice = notice(&done, &action, kept_count);
    let is_changed = notice.is_some() && done == "done";
    let template = ActionPage {
        page: Page::new(&request, Section::Tokens).with_notice(notice),
        more: Some(total - i64::try_from(tokens.len()).unwrap_or_default()).filter(|more| *more > 0).map(grouped),
        tokens: tokens.into_iter().map(|(token, kept)| TokenView::new(&token, kept, is_gone)).collect(),
        kept_count,
        is_changed,
        action: ActionView::new(action, name, who.caller.role, app.time_formatter()),
    };
    page(&app, StatusCode::OK, &template)
}

/// An action, its name, how many tokens its undo left as they are, and the first tokens: those, or else all.
type ActionWithTokens = (PastAction, String, i64, Vec<(Token, Option<UndoSkip>)>);

fn find(connection: &mut Connection, uid: Uid) -> Result<Option<ActionWithTokens>, store::Error> {
    let Some(action) = past::find(connection, uid)? else { return Ok(None) };
    let kept_count = if action.progress.is_some() { 0 } else { past::skipped_count(connection, &action)? };
    let tokens = past::tokens_of(connection, &action, kept_count > 0, NAMED)?;
    let name = name(connection, &action)?;
    Ok(Some((action, name, kept_count, tokens)))
}

/// What was done before the page was opened. An action that is sent again after its undo is not done again.
fn notice(done: &str, action: &PastAction, kept: i64) -> Option<Notice> {
    if action.progress.is_some() {
        return (done == "under-way").then(|| Notice::refused(words::STILL_UNDER_WAY));
    }
    match (done, action.undone.is_some()) {
        ("done", false) => {
            let verb = action.action.as_ref().map_or(words::CHANGING, words::verb);
            Some(Notice::done(verb.done(action.count, action.refused)))
        }
        ("undone", true) if kept == 0 => Some(Notice::done(words::UNDONE)),
        ("undone", true) => Some(Notice::done(words::undone_in_part(i64::from(action.count) - kept, kept))),
        ("undone", false) => Some(Notice::refused(words::NOTHING_UNDONE)),
        _ => None,
    }
}

/// Undoes an action; a click on one token leads back to its tile.
///
/// # Errors
/// No such action; forbidden, when it is too old or was a deletion and the role may not restore; unavailable, when the
/// database cannot take it.
pub(crate) async fn undo(
    who: Allowed<Edit>,
    uid: web::Path<String>,
    app: web::Data<App>,
) -> Result<HttpResponse, Error> {
    let uid: Uid = uid.parse().map_err(|_| Error::NotFound)?;
    let done =
        app.store.read_inline(move |connection| Ok(past::find(connection, uid)?)).await?.ok_or(Error::NotFound)?;
    if !may_undo(who.caller.role, done.action.as_ref()) {
        return Err(Error::Forbidden(words::MAY_NOT_UNDO.into()));
    }
    let (past, carried_out) = work::actions::undo(&app.background, uid, who.caller.principal).await?;
    if past.progress.is_some() && past.undone.is_none() {
        return Ok(see_other(&app, &format!("/actions/{uid}?done=under-way")));
    }
    wait_a_moment(carried_out).await;
    app.counts.forget();
    let only = app.store.read_inline(move |connection| {
        let Some(done) = past::find(connection, uid)?.filter(|done| done.count == 1) else { return Ok(None) };
        Ok(past::tokens_of(connection, &done, false, 1)?.pop().filter(|(_, kept)| kept.is_none()))
    });
    Ok(match only.await? {
        Some((token, _)) => see_other(&app, &format!("/{}?done=undone", token.uid)),
        None => see_other(&app, &format!("/actions/{uid}?done=undone")),
    })
}

/// Waits until an action is carried out, but not for long; whether it is.
pub(super) async fn wait_a_moment(carried_out: Option<CarriedOut>) -> bool {
    match carried_out {
        Some(carried_out) => tokio::time::timeout(MOMENT, carried_out).await.is_ok(),
        None => true,
    }
}
