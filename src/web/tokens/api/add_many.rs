//! `add_tokens`.

use std::collections::HashMap;
use std::sync::Arc;

use actix_web::web;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use validator::Validate;

use super::add::{defaults, origin};
use super::{check_link, kept};
use crate::store::batches::NewBatch;
use crate::store::idempotency::Kept;
use crate::token::batch::{self, UidSeed};
use crate::token::input::{Defaults, Origin, TokenFields};
use crate::token::label::{LabelSeries, fill_in_number};
use crate::token::validation::chars;
use crate::token::{
    Given, LABEL_MAX_CHARS, LIST_MAX, Problem, Token, TokenError, UNLIMITED, Uid, VALUE_MAX_CHARS, WrittenTime,
};
use crate::web::error::Error;
use crate::web::guard::{Allowed, Edit};
use crate::web::json::{Answer, Once};
use crate::web::openapi::operation::{ViewAnswer, ViewParams};
use crate::web::params::{KeyedParams, LARGE};
use crate::web::state::App;
use crate::work::batches::add_tokens as add_all;
use crate::work::kept::or_kept;

/// Adds many tokens: all or none.
///
/// Either `count` tokens that differ in their uids and running numbers, or `tokens` with values of their own.
#[derive(Deserialize, JsonSchema, Validate)]
#[schemars(extend("x-exactly-one-of" = ["count", "tokens"]))]
pub(crate) struct AddTokens {
    /// How many.
    #[serde(default)]
    #[validate(range(min = 1, max = LIST_MAX))]
    count: Given<usize>,
    /// The tokens, as a JSON list of objects; in a form and in a query string as its text. What an object leaves out is taken
    /// from the parameters below. An error names the place in the list, from 0.
    #[validate(nested)]
    #[schemars(length(min = 1, max = LIST_MAX))]
    tokens: Option<Vec<NewToken>>,
    /// The first moment at which they are valid. Empty: no bound.
    #[serde(default)]
    valid_from: Given<WrittenTime>,
    /// The last moment at which they are valid, later than `valid_from`. Empty: no bound.
    #[serde(default)]
    valid_to: Given<WrittenTime>,
    /// How often each can be used; -1 is unlimited. Empty: the default from the settings, which is 1 at first.
    #[serde(default)]
    #[validate(range(min = UNLIMITED, max = i32::MAX))]
    usage_count: Given<i32>,
    /// Seconds for which each is locked after a use. Empty: the default from the settings, which is 0 at first.
    #[serde(default)]
    #[validate(range(min = 0, max = i32::MAX))]
    lock_time: Given<i32>,
    /// The label of each, at most 200 characters, in which `{n}` or `{n:04}` is a running number from 1. Empty: no label.
    label: Option<String>,
    /// Makes them a batch with this name, without invisible characters. Empty: no batch.
    #[validate(length(max = chars(batch::NAME_MAX_CHARS)))]
    batch_name: Option<String>,
}

/// A token of the list.
#[derive(Deserialize, JsonSchema, Validate)]
pub(crate) struct NewToken {
    /// What its QR code says, as in `add_token`. Empty or left out: the uid.
    #[serde(default)]
    #[validate(length(max = chars(VALUE_MAX_CHARS)))]
    value: Given<String>,
    /// Text for people. Empty, or white space alone: no label.
    #[serde(default)]
    #[validate(length(max = chars(LABEL_MAX_CHARS)))]
    label: Given<String>,
    /// The first moment at which it is valid. Empty: no bound.
    #[serde(default)]
    valid_from: Given<WrittenTime>,
    /// The last moment at which it is valid, later than `valid_from`. Empty: no bound.
    #[serde(default)]
    valid_to: Given<WrittenTime>,
    /// How often it can be used; -1 is unlimited. Empty: the default from the settings.
    #[serde(default)]
    #[validate(range(min = UNLIMITED, max = i32::MAX))]
    usage_count: Given<i32>,
    /// Seconds for which it is locked after a use. Empty: the default from the settings.
    #[serde(default)]
    #[validate(range(min = 0, max = i32::MAX))]
    lock_time: Given<i32>,
}

impl ViewParams for AddTokens {
    fn example() -> Value {
        json!({
            "tokens": [
                {"value": "SEAT-A-17", "label": "Anna"},
                {"value": "SEAT-A-18", "label": "Ben", "usage_count": 2}
            ],
            "valid_to": "2026-09-22",
            "batch_name": "Summer party"
        })
    }

    fn errors() -> Vec<Error> {
        let value = |param: &'static str, problem| TokenError::value(param, problem);
        vec![
            TokenError::missing_one_of(&["count", "tokens"]).into(),
            value("count", Problem::OutOfRange { min: 1, max: i64::try_from(LIST_MAX).unwrap_or(i64::MAX) }).into(),
            value("label", Problem::MalformedNumber).into(),
            value("value", Problem::NotUnique).in_list("tokens", 6).into(),
        ]
    }
}

/// Tokens were added.
#[derive(Serialize, JsonSchema)]
pub(crate) struct AddedMany {
    /// How many.
    count: usize,
    /// Their uids, in the order of the list or of their running numbers.
    token_uids: Vec<Uid>,
    /// The batch's uid, if a `batch_name` was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_uid: Option<Uid>,
}

impl ViewAnswer for AddedMany {
    fn example() -> Value {
        json!({
            "count": 2,
            "token_uids": [Uid::example(), "5d3b6e0f-2a4c-4e8d-9b17-6c0f8a2d4e61"],
            "batch_uid": "7c9e6679-7425-40de-944b-e07fc1f90ae7"
        })
    }
}

/// What is kept of the answer: the uids are made again.
#[derive(Clone, Serialize, Deserialize)]
struct KeptMany {
    count: usize,
    seed: UidSeed,
    batch_uid: Option<Uid>,
}

/// Adds many tokens.
pub(crate) async fn add_tokens(
    who: Allowed<Edit>,
    KeyedParams { params, request }: KeyedParams<AddTokens, LARGE>,
    app: web::Data<App>,
) -> Result<Answer<Once<AddedMany>>, Error> {
    if let Some(kept) = kept::<KeptMany>(&app, request.as_ref()).await? {
        return again(kept).await;
    }
    let permit = app.background.long_list_permit().await?;
    app.recheck(&who.caller).await?;
    let by = who.caller.principal;
    let (count, batch_name) = (check_count(&params)?, params.batch_name.clone().filter(|name| !name.is_empty()));
    batch_name.as_deref().map(batch::check_name).transpose()?;
    let batch = batch_name.map(|name| NewBatch { uid: Uid::random(), name, count });
    let new = KeptMany { count, seed: UidSeed::random(), batch_uid: batch.as_ref().map(|batch| batch.uid) };
    let maker = Maker { origin: origin(&app, Uid::random(), &by), defaults: defaults(&app).await?, app: app.clone() };
    let seed = new.seed;
    let made = web::block(move || maker.tokens(params, seed.uids(count))).await;
    let tokens = made.map_err(|error| Error::fault(error.to_string()))??;
    let token_uids = tokens.iter().map(|token| token.uid).collect();
    let added = add_all(&app.background, tokens, (batch, by), (permit, request.clone()), new).await;
    match or_kept(&app.store, request, added).await? {
        Kept::Now(KeptMany { count, batch_uid, .. }) => {
            Ok(Kept::Now(AddedMany { count, token_uids, batch_uid }).into())
        }
        before @ Kept::Before(_) => again(before).await,
    }
}

/// The answer that was given before.
async fn again(kept: Kept<KeptMany>) -> Result<Answer<Once<AddedMany>>, Error> {
    let made = web::block(move || {
        kept.map(|KeptMany { count, seed, batch_uid }| AddedMany { count, token_uids: seed.uids(count), batch_uid })
    });
    Ok(made.await.map_err(|error| Error::fault(error.to_string()))?.into())
}

fn check_count(params: &AddTokens) -> Result<usize, TokenError> {
    match (params.count, &params.tokens) {
        (Given::Value(count), None) => Ok(count),
        (Given::Value(_), Some(_)) => Err(TokenError::value("tokens", Problem::NotTogether { with: "count".into() })),
        (_, Some(tokens)) if tokens.is_empty() => Err(TokenError::value("tokens", Problem::Empty)),
        (_, Some(tokens)) => Ok(tokens.len()),
        (Given::Empty, None) => Err(TokenError::value("count", Problem::Empty)),
        (Given::Absent, None) => Err(TokenError::missing_one_of(&["count", "tokens"])),
    }
}

/// Makes tokens of what was sent.
struct Maker {
    origin: Origin,
    defaults: Defaults,
    app: web::Data<App>,
}

impl Maker {
    fn tokens(&self, params: AddTokens, uids: Vec<Uid>) -> Result<Vec<Token>, TokenError> {
        let AddTokens { valid_from, valid_to, usage_count, lock_time, label, .. } = params;
        let all = TokenFields { valid_from, valid_to, usage_count, lock_time, ..TokenFields::default() };
        let pattern = label.unwrap_or_default();
        let Some(listed) = params.tokens else {
            let model = all.new_token(self.origin.clone(), self.defaults, self.app.zone)?;
            return batch::tokens(&model, &LabelSeries::from_one(pattern), uids);
        };
        let mut tokens = Vec::with_capacity(uids.len());
        let mut places = HashMap::with_capacity(uids.len());
        for (place, (item, uid)) in listed.into_iter().zip(uids).enumerate() {
            let token = self.token(item, &all, (&pattern, place + 1), uid);
            let token = token.map_err(|error| error.in_list("tokens", place))?;
            if let Some(first) = places.insert(Arc::<str>::from(token.value.as_str()), place) {
                let problem = Problem::ListedTwice { first: first as u64 };
                return Err(TokenError::value("value", problem).in_list("tokens", place));
            }
            tokens.push(token);
        }
        Ok(tokens)
    }

    fn token(
        &self,
        item: NewToken,
        all: &TokenFields,
        (pattern, number): (&str, usize),
        uid: Uid,
    ) -> Result<Token, TokenError> {
        check_link(&self.app.public_url, item.value.as_value().map(String::as_str), uid)?;
        let label = match item.label {
            Given::Absent if !pattern.is_empty() => Given::Value(fill_in_number(pattern, number)?),
            label => label,
        };
        let fields = TokenFields {
            value: item.value,
            label,
            valid_from: item.valid_from.or(&all.valid_from),
            valid_to: item.valid_to.or(&all.valid_to),
            usage_count: item.usage_count.or(&all.usage_count),
            lock_time: item.lock_time.or(&all.lock_time),
            add_uses: Given::Absent,
        };
        Ok(fields.new_token(Origin { uid, ..self.origin.clone() }, self.defaults, self.app.zone)?)
    }
}
