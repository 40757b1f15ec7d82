//! Pages of the list that cost no more than their rows.

use super::list::{self, TokenFilter, TokenSlice};
use crate::store::connection::Connection;
use crate::store::cursor::Cursor;
use crate::store::error::Error;
use crate::store::lookups::{Lane, LookUp};
use crate::token::{Micros, Token};

/// A page of tokens in an order that has an index. Whoever opens the same page at the same time gets the same answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct QuickPage {
    filter: TokenFilter,
    slice: TokenSlice,
}

impl QuickPage {
    /// Most tokens on such a page.
    const ROWS: i64 = 101;

    /// The page, if it is such a one.
    pub(crate) fn new(filter: &TokenFilter, slice: &TokenSlice) -> Option<Self> {
        let is_quick = filter.walks_an_index(slice.sort) && slice.limit <= Self::ROWS;
        is_quick.then(|| Self { filter: filter.clone(), slice: slice.clone() })
    }
}

impl LookUp for QuickPage {
    /// Each token with its cursor.
    type Found = Vec<(Cursor, Token)>;
    const LANE: Lane = Lane::Pages;

    fn find(connection: &mut Connection, pages: &[Self]) -> Result<Vec<Self::Found>, Error> {
        // The time is for states, which no index has.
        let now = Micros::now();
        let pages = pages.iter().map(|page| Ok(list::page(connection, &page.filter, now, &page.slice)?));
        pages.collect()
    }
}
