//! What there is among 256 tokens with ids in a row, so that whoever looks for few leaves out the others.

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::Ids;
use crate::store::connection::{Connection, MultiBackend};
use crate::store::cursor::Key;
use crate::store::schema::token_zones;
use crate::store::tokens::visible::IS_THERE_BY_ID;
use crate::token::settle::TokenId;
use crate::token::soon::Soon;
use crate::token::value_prefix::ValuePrefix;
use crate::token::{Micros, State};

/// How far the id of a token is shifted for that of its zone.
const SHIFT: u32 = 8;
/// Characters of a label or value that are kept of the least and the greatest.
const CUT: usize = 64;

/// The number of a zone.
pub(crate) type ZoneId = i64;

/// The zone of a token.
pub(crate) fn zone_of(token: TokenId) -> ZoneId {
    token >> SHIFT
}

/// The ids of the tokens of zones in a row.
pub(crate) fn ids_of(first: ZoneId, last: ZoneId) -> Ids {
    (first << SHIFT, ((last + 1) << SHIFT) - 1)
}

/// By which key the tokens of a zone are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ZoneOrder {
    Created,
    /// Tokens whose value is the uid may have any.
    Value,
    Label,
    ValidTo,
}

impl ZoneOrder {
    /// The least key of a zone, or the greatest.
    fn bound(self, greatest: bool) -> &'static str {
        match (self, greatest) {
            (Self::Created, false) => "token_zones.created_min",
            (Self::Created, true) => "token_zones.created_max",
            (Self::Value, false) => {
                "(CASE WHEN token_zones.by_uid > 0 THEN '' ELSE COALESCE(token_zones.value_min, '') END)"
            }
            (Self::Value, true) => {
                "(CASE WHEN token_zones.by_uid > 0 THEN '\u{10ffff}' ELSE COALESCE(token_zones.value_max, '') END)"
            }
            (Self::Label, false) => "token_zones.label_min",
            (Self::Label, true) => "token_zones.label_max",
            (Self::ValidTo, false) => "token_zones.valid_to_min",
            (Self::ValidTo, true) => "token_zones.valid_to_max",
        }
    }

    fn is_text(self) -> bool {
        matches!(self, Self::Value | Self::Label)
    }
}

/// What a zone has to have.
#[derive(Clone, Debug, Default)]
pub(crate) struct ZoneFilter {
    pub(crate) state: Option<State>,
    pub(crate) voided: bool,
    pub(crate) created_from: Option<Micros>,
    pub(crate) created_to: Option<Micros>,
    pub(crate) label: Option<String>,
    pub(crate) value_prefix: Option<ValuePrefix>,
    pub(crate) valid_at: Option<Micros>,
    pub(crate) soon: Option<Soon>,
}

/// A key as it is compared with those of zones.
pub(in crate::store) fn cut(key: &Key) -> Key {
    match key {
        Key::Number(number) => Key::Number(*number),
        Key::Text(text) => Key::Text(cut_text(text)),
    }
}

fn cut_text(text: &str) -> String {
    text.chars().take(CUT).collect()
}

type Condition = Box<dyn BoxableExpression<token_zones::table, MultiBackend, SqlType = Bool>>;

fn conditions(filter: &ZoneFilter, now: Micros) -> Vec<Condition> {
    let mut all: Vec<Condition> = Vec::new();
    let (now, soon) = (now.get(), Soon::until(now).get());
    match filter.soon {
        None => {}
        Some(Soon::Opening) => {
            let begins = token_zones::begin_max.gt(now).and(token_zones::begin_min.le(soon));
            all.push(Box::new(token_zones::usable.gt(0).and(begins)));
        }
        Some(Soon::Ending) => {
            let ends = token_zones::end_max.ge(now).and(token_zones::end_min.le(soon));
            all.push(Box::new(token_zones::usable.gt(0).and(ends)));
        }
    }
    match filter.state {
        None => {}
        Some(State::Voided) => all.push(Box::new(token_zones::voided.gt(0))),
        Some(State::UsedUp) => all.push(Box::new(token_zones::used_up.ne(0))),
        Some(State::Locked) => all.push(Box::new(token_zones::locked_until.gt(now))),
        Some(State::Pending) => all.push(Box::new(token_zones::usable.gt(0).and(token_zones::begin_max.gt(now)))),
        Some(State::Expired) => all.push(Box::new(token_zones::usable.gt(0).and(token_zones::end_min.lt(now)))),
        Some(State::Active) => {
            let is_begun = token_zones::usable.gt(0).and(token_zones::begin_min.le(now));
            all.push(Box::new(is_begun.and(token_zones::end_max.ge(now))));
        }
    }
    if filter.voided {
        all.push(Box::new(token_zones::voided.gt(0)));
    }
    if let Some(from) = filter.created_from {
        all.push(Box::new(token_zones::created_max.ge(from.get())));
    }
    if let Some(to) = filter.created_to {
        all.push(Box::new(token_zones::created_min.le(to.get())));
    }
    if let Some(label) = filter.label.as_deref().map(cut_text) {
        all.push(Box::new(token_zones::label_min.le(label.clone()).and(token_zones::label_max.ge(label))));
    }
    if let Some(prefix) = &filter.value_prefix {
        all.push(may_have(prefix));
    }
    if let Some(at) = filter.valid_at.map(Micros::get) {
        // Of those that are voided or used up, it is not known when they begin.
        let begun = token_zones::begin_min.le(at).or(token_zones::usable.lt(token_zones::present));
        all.push(Box::new(token_zones::valid_to_max.ge(at).and(begun)));
    }
    all
}

fn may_have(prefix: &ValuePrefix) -> Condition {
    let least = prefix.end().map_or_else(|| "\u{10ffff}".repeat(CUT), |end| cut_text(&end));
    let greatest = cut_text(prefix.first());
    let own =
        token_zones::value_max.assume_not_null().ge(greatest).and(token_zones::value_min.assume_not_null().le(least));
    let own = token_zones::value_min.is_not_null().and(own);
    if prefix.may_begin_a_uid() { Box::new(own.or(token_zones::by_uid.gt(0))) } else { Box::new(own) }
}

/// Zones that may have tokens behind a key, from the one with the best key on, each with this key.
pub(in crate::store) fn list(
    connection: &mut Connection,
    filter: &ZoneFilter,
    now: Micros,
    (order, descending, after): (ZoneOrder, bool, Option<&Key>),
) -> QueryResult<Vec<(ZoneId, Key)>> {
    let mut zones = token_zones::table.into_boxed::<MultiBackend>();
    for condition in conditions(filter, now) {
        zones = zones.filter(condition);
    }
    if let Some(key) = after.map(cut) {
        let behind = format!("{} {} ", order.bound(!descending), if descending { "<=" } else { ">=" });
        let behind = sql::<Bool>(&behind);
        zones = match key {
            Key::Number(number) => zones.filter(behind.bind::<BigInt, _>(number)),
            Key::Text(text) => zones.filter(behind.bind::<Text, _>(text)),
        };
    }
    let (best, direction) = (order.bound(descending), if descending { "DESC" } else { "ASC" });
    let zones = zones.order(sql::<BigInt>(&format!("{best} {direction}, token_zones.zone {direction}")));
    if order.is_text() {
        let zones = zones.select((token_zones::zone, sql::<Text>(best))).load::<(ZoneId, String)>(connection)?;
        return Ok(zones.into_iter().map(|(zone, key)| (zone, Key::Text(key))).collect());
    }
    let zones = zones.select((token_zones::zone, sql::<BigInt>(best))).load::<(ZoneId, i64)>(connection)?;
    Ok(zones.into_iter().map(|(zone, key)| (zone, Key::Number(key))).collect())
}

/// Zones with tokens whose value is the uid, if these are no more than so many.
pub(crate) fn few_by_uid(connection: &mut Connection, at_most: i64) -> QueryResult<Option<Vec<ZoneId>>> {
    let zones = token_zones::table.filter(token_zones::by_uid.gt(0)).order(token_zones::zone);
    let zones: Vec<(ZoneId, i32)> = zones.select((token_zones::zone, token_zones::by_uid)).load(connection)?;
    let all: i64 = zones.iter().map(|(_, count)| i64::from(*count)).sum();
    Ok((all <= at_most).then(|| zones.into_iter().map(|(zone, _)| zone).collect()))
}

/// How many tokens there are in all zones but these.
pub(crate) fn count_others(connection: &mut Connection, without: &[ZoneId]) -> QueryResult<i64> {
    let zones: Vec<(ZoneId, i32)> =
        token_zones::table.select((token_zones::zone, token_zones::present)).load(connection)?;
    let others = zones.into_iter().filter(|(zone, _)| without.binary_search(zone).is_err());
    Ok(others.map(|(_, present)| i64::from(present)).sum())
}

/// Looks at a zone's tokens anew.
pub(super) fn refresh(connection: &mut Connection, zone: ZoneId) -> QueryResult<()> {
    let (lowest, highest) = ids_of(zone, zone);
    let usable = "voided_at IS NULL AND usage_count <> 0";
    connection.batch_execute(&format!(
        "DELETE FROM token_zones WHERE zone = {zone};
         INSERT INTO token_zones (zone, present, by_uid, voided, used_up, created_min, created_max, label_min, label_max,
             value_min, value_max, valid_to_min, valid_to_max, usable, begin_min, begin_max, end_min, end_max, locked_until)
         SELECT {zone}, COUNT(*), COUNT(CASE WHEN value IS NULL THEN 1 END), COUNT(voided_at),
             COUNT(CASE WHEN voided_at IS NULL AND usage_count = 0 THEN 1 END), MIN(created), MAX(created),
             MIN(substr(COALESCE(label, ''), 1, {CUT})), MAX(substr(COALESCE(label, ''), 1, {CUT})),
             MIN(substr(value, 1, {CUT})), MAX(substr(value, 1, {CUT})),
             MIN(COALESCE(valid_to, {MAX})), MAX(COALESCE(valid_to, {MAX})), COUNT(CASE WHEN {usable} THEN 1 END),
             COALESCE(MIN(CASE WHEN {usable} THEN COALESCE(valid_from, 0) END), 0),
             COALESCE(MAX(CASE WHEN {usable} THEN COALESCE(valid_from, 0) END), 0),
             COALESCE(MIN(CASE WHEN {usable} THEN COALESCE(valid_to, {MAX}) END), 0),
             COALESCE(MAX(CASE WHEN {usable} THEN COALESCE(valid_to, {MAX}) END), 0),
             COALESCE(MAX(CASE WHEN {usable} AND lock_time > 0 THEN lock_start + lock_time * CAST(1000000 AS BIGINT) END), 0)
         FROM tokens WHERE id >= {lowest} AND id <= {highest} AND {IS_THERE_BY_ID} HAVING COUNT(*) > 0",
        MAX = i64::MAX
    ))
}

/// Says of a zone that tokens in it were used up, or are locked until then at least.
pub(super) fn widen(connection: &mut Connection, zone: ZoneId, used_up: bool, locked_until: i64) -> QueryResult<()> {
    let row = token_zones::table.find(zone);
    if used_up {
        diesel::update(row.filter(token_zones::used_up.eq(0))).set(token_zones::used_up.eq(1)).execute(connection)?;
    }
    if locked_until > 0 {
        let set = token_zones::locked_until.eq(locked_until);
        diesel::update(row.filter(token_zones::locked_until.lt(locked_until))).set(set).execute(connection)?;
    }
    Ok(())
}
