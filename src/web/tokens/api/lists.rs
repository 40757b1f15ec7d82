//! `update_tokens`, `void_tokens` and `restore_tokens`: lists of which all tokens are changed or none.

use actix_web::web;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use validator::Validate;

use super::{ChangedMany, check_link, kept};
use crate::token::input::TokenFields;
use crate::token::list_change::{ListChange, VALUES_MAX};
use crate::token::validation::chars;
use crate::token::void::{REASON_MAX_CHARS, read_reason};
use crate::token::{
    Given, KeyedRequest, LABEL_MAX_CHARS, LIST_MAX, Problem, TokenError, UNLIMITED, Uid, VALUE_MAX_CHARS, WrittenTime,
};
use crate::web::callers::Caller;
use crate::web::error::Error;
use crate::web::guard::{Allowed, Edit, Void};
use crate::web::json::{Answer, Once};
use crate::web::openapi::operation::ViewParams;
use crate::web::params::{KeyedParams, LARGE};
use crate::web::state::App;
use crate::work::lists;

/// Changes of many tokens what is given for each, and nothing else: all or none.
///
/// An error names the place in the list, from 0, and then nothing is changed. Until the answer comes, some tokens of a long list
/// may be changed and others not yet. Values can be changed in lists of at most 200 tokens; each must be free when its turn comes,
/// in the order of the list.
#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct UpdateTokens {
    /// The tokens and what is to be changed, as a JSON list of objects; in a form and in a query string as its text. No token
    /// may be listed twice.
    #[validate(nested)]
    #[schemars(length(max = LIST_MAX))]
    tokens: Vec<TokenUpdate>,
}

/// A token of the list. What is left out stays.
#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct TokenUpdate {
    /// The token's uid.
    token_uid: Uid,
    /// The first moment at which it is valid. Empty: no bound.
    #[serde(default)]
    valid_from: Given<WrittenTime>,
    /// The last moment at which it is valid, later than `valid_from`. Empty: no bound.
    #[serde(default)]
    valid_to: Given<WrittenTime>,
    /// The uses that are left; -1 is unlimited. It must not be empty.
    #[serde(default)]
    #[validate(range(min = UNLIMITED, max = i32::MAX))]
    #[schemars(extend("x-not-empty" = true))]
    usage_count: Given<i32>,
    /// Seconds for which it is locked after a use. It must not be empty.
    #[serde(default)]
    #[validate(range(min = 0, max = i32::MAX))]
    #[schemars(extend("x-not-empty" = true))]
    lock_time: Given<i32>,
    /// What its QR code says, as in `add_token`. Empty: the uid.
    #[serde(default)]
    #[validate(length(max = chars(VALUE_MAX_CHARS)))]
    value: Given<String>,
    /// Text for people. Empty: no label.
    #[serde(default)]
    #[validate(length(max = chars(LABEL_MAX_CHARS)))]
    label: Given<String>,
    /// Added to the uses that are left, as in `update_token`.
    #[serde(default)]
    #[validate(range(min = i32::MIN, max = i32::MAX))]
    #[schemars(extend("x-not-empty" = true))]
    add_uses: Given<i32>,
}

impl ViewParams for UpdateTokens {
    fn example() -> Value {
        json!({"tokens": [{"token_uid": Uid::example(), "label": "Anna B.", "add_uses": 1}]})
    }

    fn errors() -> Vec<Error> {
        let too_many = Problem::TooManyValues { max: VALUES_MAX as u64 };
        vec![
            TokenError::Unknown(Uid::example()).in_list("tokens", 6).into(),
            TokenError::value("token_uid", Problem::ListedTwice { first: 0 }).in_list("tokens", 6).into(),
            TokenError::value("value", too_many).in_list("tokens", 6).into(),
        ]
    }
}

/// Voids many tokens: all or none.
///
/// An unknown uid refuses the list. Until the answer comes, some tokens of a long list may be voided and others not yet.
#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct VoidTokens {
    /// Their uids, as a JSON list; in a form and in a query string as its text. Repeats count once.
    #[validate(length(max = chars(LIST_MAX)))]
    token_uids: Vec<Uid>,
    /// Why, for people: one line. Empty: no reason. It replaces the reason of those that are voided already.
    #[validate(length(max = chars(REASON_MAX_CHARS)))]
    reason: Option<String>,
}

impl ViewParams for VoidTokens {
    fn example() -> Value {
        json!({"token_uids": [Uid::example()], "reason": "Lost"})
    }

    fn errors() -> Vec<Error> {
        vec![TokenError::Unknown(Uid::example()).in_list("token_uids", 6).into()]
    }
}

/// Restores many voided tokens: all or none.
///
/// Those that are not voided stay as they are. An unknown uid refuses the list. Until the answer comes, some tokens of a long
/// list may be restored and others not yet.
#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct RestoreTokens {
    /// Their uids, as a JSON list; in a form and in a query string as its text. Repeats count once.
    #[validate(length(max = chars(LIST_MAX)))]
    token_uids: Vec<Uid>,
}

impl ViewParams for RestoreTokens {
    fn example() -> Value {
        json!({"token_uids": [Uid::example()]})
    }

    fn errors() -> Vec<Error> {
        vec![TokenError::Unknown(Uid::example()).in_list("token_uids", 6).into()]
    }
}

/// Changes of each token of a list what is given for it.
pub(crate) async fn update_tokens(
    who: Allowed<Edit>,
    KeyedParams { params, request }: KeyedParams<UpdateTokens, LARGE>,
    app: web::Data<App>,
) -> Result<Answer<Once<ChangedMany>>, Error> {
    let (link, zone) = (app.clone(), app.zone);
    let read = web::block(move || {
        let change = |(place, update): (usize, TokenUpdate)| {
            let (uid, fields) = update.fields();
            check_link(&link.public_url, fields.value.as_value().map(String::as_str), uid)
                .and_then(|()| Ok((uid, fields.change(zone)?)))
                .map_err(|error| error.in_list("tokens", place))
        };
        ListChange::update(params.tokens.into_iter().enumerate().map(change).collect::<Result<_, _>>()?)
    });
    let list = read.await.map_err(|error| Error::fault(error.to_string()))??;
    change_list(&app, who.caller, request, list).await
}

impl TokenUpdate {
    fn fields(self) -> (Uid, TokenFields) {
        let Self { token_uid, valid_from, valid_to, usage_count, lock_time, value, label, add_uses } = self;
        (token_uid, TokenFields { value, label, valid_from, valid_to, usage_count, lock_time, add_uses })
    }
}

/// Voids all tokens of a list, or none.
pub(crate) async fn void_tokens(
    who: Allowed<Void>,
    KeyedParams { params, request }: KeyedParams<VoidTokens, LARGE>,
    app: web::Data<App>,
) -> Result<Answer<Once<ChangedMany>>, Error> {
    let reason = params.reason.map(|text| read_reason(&text)).transpose()?.flatten();
    change_list(&app, who.caller, request, ListChange::void(params.token_uids, reason)).await
}

/// Restores all tokens of a list, or none.
pub(crate) async fn restore_tokens(
    who: Allowed<Void>,
    KeyedParams { params, request }: KeyedParams<RestoreTokens, LARGE>,
    app: web::Data<App>,
) -> Result<Answer<Once<ChangedMany>>, Error> {
    change_list(&app, who.caller, request, ListChange::restore(params.token_uids)).await
}

/// Changes a list once, however often the same request is sent with the same key.
pub(super) async fn change_list(
    app: &App,
    caller: Caller,
    request: Option<KeyedRequest>,
    list: ListChange,
) -> Result<Answer<Once<ChangedMany>>, Error> {
    if let Some(kept) = kept(app, request.as_ref()).await? {
        return Ok(kept.into());
    }
    let permit = app.background.long_list_permit().await?;
    app.recheck(&caller).await?;
    let (count, deletes) = (list.uids().len(), list.deletes());
    let answer = ChangedMany { count };
    let changed = lists::change(&app.background, list, (caller.principal, permit), request, answer).await?;
    if deletes {
        app.counts.forget();
    }
    Ok(changed.into())
}
