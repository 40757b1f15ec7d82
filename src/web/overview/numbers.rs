//! Numbers as the page shows them, each with the address of what it counts.

use crate::store::overview::{Counted, Numbers};
use crate::token::soon::Soon;
use crate::token::{State, Token, UsageOutcome};
use crate::web::format::{FormattedTime, TimeFormatter, grouped};
use crate::web::tokens::query::{TokenOrder, TokenQuery};
use crate::web::tokens::view;
use crate::web::usage::query::UsageQuery;
use crate::web::words::usage as words;

/// Batches that are named.
const BATCHES: usize = 10;

/// A number that is a link.
pub(crate) struct Number {
    /// None where counting takes too long.
    pub(crate) digits: Option<String>,
    /// There are more.
    pub(crate) is_more: bool,
    pub(crate) is_zero: bool,
    pub(crate) href: String,
}

impl Number {
    fn new((count, are_all): Counted, href: String) -> Self {
        let digits = (count > 0 || are_all).then(|| grouped(count));
        Self { digits, is_more: !are_all, is_zero: count == 0 && are_all, href }
    }
}

/// What was used and refused somewhere.
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) used: Number,
    pub(crate) refused: Number,
}

/// A token of which something is soon.
pub(crate) struct NextToken {
    pub(crate) href: String,
    pub(crate) name: String,
    pub(crate) when: FormattedTime,
}

/// Everything that the page counts.
pub(crate) struct NumbersView {
    pub(crate) total: Number,
    pub(crate) active: Number,
    pub(crate) used: Number,
    pub(crate) undone: Number,
    pub(crate) refused: Number,
    pub(crate) opening: Number,
    pub(crate) ending: Number,
    pub(crate) reasons: Vec<(&'static str, Number)>,
    pub(crate) gates: Vec<Place>,
    pub(crate) batches: Vec<Place>,
    /// Finding the batches takes too long.
    pub(crate) are_batches_missing: bool,
    pub(crate) next_opening: Vec<NextToken>,
    pub(crate) next_ending: Vec<NextToken>,
}

/// Addresses of what is counted, below the base path, today from its first moment on.
#[derive(Clone, Copy)]
pub(crate) struct Links<'a> {
    pub(crate) base: &'a str,
    /// As in `2026-12-01`.
    pub(crate) day: &'a str,
}

impl Links<'_> {
    /// Today's entries of the log with an outcome.
    pub(crate) fn usage(self, outcome: UsageOutcome, query: UsageQuery) -> String {
        let from = if query.from.is_empty() { self.day.to_owned() } else { query.from };
        let query = UsageQuery { from, outcome: outcome.word().to_owned(), ..query };
        query.href(&format!("{}/usage", self.base), "")
    }

    fn tokens(self, query: &TokenQuery, more: &str) -> String {
        query.href(&TokenOrder::default(), &format!("{}/", self.base), more)
    }
}

impl NumbersView {
    /// The numbers in words and digits.
    pub(crate) fn new(numbers: &Numbers, links: Links, clock: TimeFormatter) -> Self {
        let today = &numbers.today;
        let of_day = |count, outcome, query| Number::new((count, !today.is_cut), links.usage(outcome, query));
        let all = |count, outcome| of_day(count, outcome, UsageQuery::default());
        let place = |name: &str, attempts: &crate::store::usage::Attempts, query: &dyn Fn() -> UsageQuery| Place {
            name: name.to_owned(),
            used: of_day(attempts.used, UsageOutcome::Used, query()),
            refused: of_day(attempts.refused, UsageOutcome::Refused, query()),
        };
        let soon =
            |soon: Soon, more| links.tokens(&TokenQuery { soon: soon.word().into(), ..TokenQuery::default() }, more);
        let active = TokenQuery { state: State::Active.word().into(), ..TokenQuery::default() };
        let reasons = today.reasons.iter();
        let mut reasons: Vec<_> = reasons.map(|(code, count)| (*count, UsageOutcome::Because(*code), *code)).collect();
        reasons.sort_by_key(|(count, _, code)| (std::cmp::Reverse(*count), *code));
        Self {
            total: Number::new(numbers.total, links.tokens(&TokenQuery::default(), "")),
            active: Number::new(numbers.active, links.tokens(&active, "")),
            used: all(today.all.used, UsageOutcome::Used),
            undone: all(today.all.undone, UsageOutcome::Undone),
            refused: all(today.all.refused, UsageOutcome::Refused),
            opening: Number::new(numbers.opening.count, soon(Soon::Opening, "")),
            ending: Number::new(numbers.ending.count, soon(Soon::Ending, "sort=valid_to")),
            reasons: reasons.into_iter().map(|(count, why, code)| (words::reason(code), all(count, why))).collect(),
            gates: numbers
                .gates
                .iter()
                .map(|(name, attempts)| {
                    place(name, attempts, &|| UsageQuery { gate: name.clone(), ..UsageQuery::default() })
                })
                .collect(),
            batches: numbers
                .batches
                .iter()
                .flatten()
                .take(BATCHES)
                .map(|(uid, name, attempts)| {
                    place(name, attempts, &|| UsageQuery { batch: uid.clone(), ..UsageQuery::default() })
                })
                .collect(),
            are_batches_missing: numbers.batches.is_none(),
            next_opening: next(&numbers.opening.next, |token| token.valid_from, links, clock),
            next_ending: next(&numbers.ending.next, |token| token.valid_to, links, clock),
        }
    }
}

fn next(
    tokens: &[Token],
    moment: fn(&Token) -> Option<crate::token::Micros>,
    links: Links,
    clock: TimeFormatter,
) -> Vec<NextToken> {
    let view = |token: &Token| {
        let href = format!("{}/{}", links.base, token.uid);
        let name = view::title(token.label.as_deref(), &token.value);
        Some(NextToken { href, name, when: clock.format(moment(token)?) })
    };
    tokens.iter().filter_map(view).collect()
}
