//! Walks the list of tokens in an order, by keys, in statements that each read a bounded number of rows. Between them no
//! snapshot is held.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use crate::store::connection::{Connection, MultiBackend, in_order};
use crate::store::cursor::{Cursor, Key};
use crate::store::error::Error;
use crate::store::schema::tokens;
use crate::store::search::SearchLimit;
use crate::store::tokens::list::{Condition, Sort, TokenFilter, compare};
use crate::token::Micros;

/// Rows of the list that are looked at between two questions whether the search may go on. Where many share a sort key,
/// twice as many.
const PIECE: i64 = 5_000;

/// An index in whose order tokens are walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// All tokens.
    All(Sort),
    /// Those with a value of their own, by value.
    OwnValue,
    /// Those whose value is the uid, by uid.
    Uid,
}

impl Order {
    /// The orders that together are this sort order.
    pub(super) fn of(sort: Sort) -> &'static [Self] {
        match sort {
            Sort::Created => &[Self::All(Sort::Created)],
            Sort::Label => &[Self::All(Sort::Label)],
            Sort::ValidTo => &[Self::All(Sort::ValidTo)],
            Sort::Value => &[Self::OwnValue, Self::Uid],
        }
    }

    fn expression(self) -> &'static str {
        match self {
            Self::All(sort) => sort.expression(),
            Self::OwnValue => "tokens.value",
            Self::Uid => "tokens.uid",
        }
    }

    /// Whether no two tokens have the same key.
    fn is_unique(self) -> bool {
        matches!(self, Self::OwnValue | Self::Uid)
    }

    fn is_text(self) -> bool {
        match self {
            Self::All(sort) => sort.is_text(),
            Self::OwnValue | Self::Uid => true,
        }
    }

    /// Which tokens are in it, if not all.
    fn tokens(self) -> Option<Condition> {
        match self {
            Self::All(_) => None,
            Self::OwnValue => Some(Box::new(tokens::value.is_not_null())),
            Self::Uid => Some(Box::new(tokens::value.is_null())),
        }
    }

    /// Which tokens are in its index: in that of uids are all, and it alone is read where nothing else of them is asked.
    fn indexed(self) -> Condition {
        let is_there = tokens::deleted_at.is_null();
        match self {
            Self::All(_) => Box::new(is_there),
            Self::OwnValue => Box::new(is_there.and(tokens::value.is_not_null())),
            Self::Uid => Box::new(tokens::uid.ne("")),
        }
    }
}

/// A walk through all tokens in an order.
pub(super) struct Walk {
    order: Order,
    descending: bool,
    /// It begins behind this position.
    after: Option<Cursor>,
    /// Nothing that the filter matches comes behind this key.
    last: Option<Key>,
}

/// A part of the list between two positions.
pub(super) struct Part {
    conditions: Vec<Condition>,
    /// All of its tokens share their sort key.
    is_one_key: bool,
}

impl Part {
    pub(super) fn of(
        self,
        query: tokens::BoxedQuery<'static, MultiBackend>,
    ) -> tokens::BoxedQuery<'static, MultiBackend> {
        self.conditions.into_iter().fold(query, QueryDsl::filter)
    }
}

impl Walk {
    /// From `after` on; only through what the filter leaves of the order.
    pub(super) fn new(filter: &TokenFilter, order: Order, descending: bool, after: Option<Cursor>) -> Self {
        let moment = |moment: Option<Micros>| moment.map(|moment| Key::Number(moment.get()));
        let (from, to) = match order {
            Order::All(Sort::Created) => (moment(filter.created_from), moment(filter.created_to)),
            Order::All(Sort::Label) => {
                let label = || filter.label.clone().map(Key::Text);
                (label(), label())
            }
            Order::All(Sort::ValidTo) => (moment(filter.valid_at), None),
            _ => (None, None),
        };
        let (first, last) = if descending { (to, from) } else { (from, to) };
        let first = first.map(|key| Cursor { key, id: if descending { i64::MAX } else { i64::MIN } });
        let after = match (after, first) {
            (Some(after), Some(first)) => Some(if descending { after.min(first) } else { after.max(first) }),
            (after, first) => after.or(first),
        };
        Self { order, descending, after, last }
    }

    /// Calls `visit` for each piece of the list, until that returns false, and for no more than so many. Returns whether it is
    /// done; if not, another call goes on.
    pub(super) fn run(
        &mut self,
        connection: &mut Connection,
        (pieces, limit): (usize, &SearchLimit),
        mut visit: impl FnMut(&mut Connection, &Self, Vec<Part>) -> Result<bool, Error>,
    ) -> Result<bool, Error> {
        for _ in 0..pieces {
            limit.check()?;
            let (end, goes_on) = in_order(connection, |connection| {
                let end = self.piece_end(connection, self.after.as_ref())?;
                let goes_on = visit(connection, self, self.parts(self.after.as_ref(), end.as_ref()))?;
                Ok((end, goes_on))
            })?;
            if !goes_on || end.as_ref().is_none_or(|end| self.is_behind_last(end)) {
                return Ok(true);
            }
            self.after = end;
        }
        Ok(false)
    }

    /// Whether nothing that the filter matches comes behind a position.
    fn is_behind_last(&self, end: &Cursor) -> bool {
        self.last.as_ref().is_some_and(|last| if self.descending { end.key < *last } else { end.key > *last })
    }

    /// The position of the last row of the piece after a position; none if the rest of the list is a piece.
    fn piece_end(&self, connection: &mut Connection, after: Option<&Cursor>) -> QueryResult<Option<Cursor>> {
        if let Some(after) = after.filter(|_| !self.order.is_unique()) {
            let ties = Part { conditions: vec![self.same(&after.key), self.id_beyond(after.id)], is_one_key: true };
            if let Some(end) = self.last_of_piece(connection, ties)? {
                return Ok(Some(end));
            }
        }
        let conditions = after.map(|after| self.beyond(&after.key)).into_iter().collect();
        self.last_of_piece(connection, Part { conditions, is_one_key: false })
    }

    fn last_of_piece(&self, connection: &mut Connection, part: Part) -> QueryResult<Option<Cursor>> {
        let order = if part.is_one_key { self.order_by_id() } else { self.order() };
        let existing = part.of(tokens::table.into_boxed().filter(self.order.indexed()));
        let row = existing.order(sql::<BigInt>(&order)).offset(PIECE - 1).limit(1);
        let expression = self.order.expression();
        let end = if self.order.is_text() {
            let row = row.select((sql::<Text>(expression), tokens::id)).get_result::<(String, i64)>(connection);
            row.optional()?.map(|(key, id)| Cursor { key: Key::Text(key), id })
        } else {
            let row = row.select((sql::<BigInt>(expression), tokens::id)).get_result::<(i64, i64)>(connection);
            row.optional()?.map(|(key, id)| Cursor::number(key, id))
        };
        Ok(end)
    }

    /// What lies behind `after` up to `end`, in parts that each are a range of an index.
    fn parts(&self, after: Option<&Cursor>, end: Option<&Cursor>) -> Vec<Part> {
        let of_one_key = |conditions| Part { conditions, is_one_key: true };
        let between = |conditions| Part { conditions, is_one_key: false };
        if self.order.is_unique() {
            let bounds = [after.map(|after| self.beyond(&after.key)), end.map(|end| self.up_to(&end.key))];
            return vec![between(bounds.into_iter().flatten().collect())];
        }
        match (after, end) {
            (None, None) => vec![between(Vec::new())],
            (None, Some(end)) => {
                vec![between(vec![self.before(&end.key)]), of_one_key(vec![self.same(&end.key), self.id_up_to(end.id)])]
            }
            (Some(after), None) => vec![
                of_one_key(vec![self.same(&after.key), self.id_beyond(after.id)]),
                between(vec![self.beyond(&after.key)]),
            ],
            (Some(after), Some(end)) if after.key == end.key => {
                vec![of_one_key(vec![self.same(&end.key), self.id_beyond(after.id), self.id_up_to(end.id)])]
            }
            (Some(after), Some(end)) => vec![
                of_one_key(vec![self.same(&after.key), self.id_beyond(after.id)]),
                between(vec![self.beyond(&after.key), self.before(&end.key)]),
                of_one_key(vec![self.same(&end.key), self.id_up_to(end.id)]),
            ],
        }
    }

    /// The rows of a part among those of a query, and their order in SQL.
    pub(super) fn rows(
        &self,
        part: Part,
        query: tokens::BoxedQuery<'static, MultiBackend>,
    ) -> (tokens::BoxedQuery<'static, MultiBackend>, String) {
        let order = if part.is_one_key { self.order_by_id() } else { self.order() };
        let rows = part.of(query);
        (if let Some(tokens) = self.order.tokens() { rows.filter(tokens) } else { rows }, order)
    }

    fn order(&self) -> String {
        let (expression, direction) = (self.order.expression(), self.direction());
        format!("{expression} {direction}, tokens.id {direction}")
    }

    fn order_by_id(&self) -> String {
        format!("tokens.id {}", self.direction())
    }

    fn direction(&self) -> &'static str {
        if self.descending { "DESC" } else { "ASC" }
    }

    fn same(&self, key: &Key) -> Condition {
        compare(self.order.expression(), "=", key)
    }

    fn beyond(&self, key: &Key) -> Condition {
        compare(self.order.expression(), if self.descending { "<" } else { ">" }, key)
    }

    fn before(&self, key: &Key) -> Condition {
        compare(self.order.expression(), if self.descending { ">" } else { "<" }, key)
    }

    fn up_to(&self, key: &Key) -> Condition {
        compare(self.order.expression(), if self.descending { ">=" } else { "<=" }, key)
    }

    fn id_beyond(&self, id: i64) -> Condition {
        let comparison = if self.descending { "tokens.id < " } else { "tokens.id > " };
        Box::new(sql::<Bool>(comparison).bind::<BigInt, _>(id))
    }

    fn id_up_to(&self, id: i64) -> Condition {
        let comparison = if self.descending { "tokens.id >= " } else { "tokens.id <= " };
        Box::new(sql::<Bool>(comparison).bind::<BigInt, _>(id))
    }
}
