//! What is odd today, a sentence and a link each.

use super::numbers::Links;
use crate::store::overview::Numbers;
use crate::token::odd::{are_unknown_codes_odd, is_gate_odd};
use crate::token::{Refusal, UsageOutcome, shortened};
use crate::web::format::TimeFormatter;
use crate::web::usage::chart_words::exact;
use crate::web::usage::query::UsageQuery;
use crate::web::words::usage as words;

/// Characters of a token's name.
const NAME: usize = 40;

/// Something odd, and the entries that show it.
pub(crate) struct Odd {
    pub(crate) sentence: String,
    pub(crate) href: String,
}

/// Everything that is odd, the most urgent first.
pub(crate) fn odd(numbers: &Numbers, links: Links, clock: TimeFormatter) -> Vec<Odd> {
    let refused = numbers.refused.iter().map(|token| {
        let burst = token.burst;
        let (from, to) = (exact(burst.first, clock.zone), exact(burst.last, clock.zone));
        let query = UsageQuery { token_uid: token.uid.clone(), from, to, ..UsageQuery::default() };
        let (first, last) = (clock.time_of_day(burst.first), clock.time_of_day(burst.last));
        let sentence = words::refused_again_and_again(&shortened(&token.name, NAME), burst.count, (&first, &last));
        Odd { sentence, href: links.usage(UsageOutcome::Refused, query) }
    });
    let gates = numbers.gates.iter().filter(|(_, attempts)| is_gate_odd(attempts.used, attempts.refused));
    let gates = gates.map(|(name, attempts)| Odd {
        sentence: words::gate_refuses_most(name, attempts.refused, attempts.used + attempts.refused),
        href: links.usage(UsageOutcome::Refused, UsageQuery { gate: name.clone(), ..UsageQuery::default() }),
    });
    let code = Refusal::NotExists.code();
    let unknown = numbers.today.reasons.get(&code).copied().filter(|count| are_unknown_codes_odd(*count));
    let unknown = unknown.map(|count| Odd {
        sentence: words::many_unknown_codes(count),
        href: links.usage(UsageOutcome::Because(code), UsageQuery::default()),
    });
    refused.chain(gates).chain(unknown).collect()
}
