//! A verdict, as it stands on the screen: one colour, one word, one sentence, and the rest below.

use askama::Template;

use crate::access::who;
use crate::store::usage::LastUse;
use crate::token::settle::{Receipt, RefusedAsk, TokenSummary};
use crate::token::{Micros, Refusal, Token, Uid, Voided, shortened};
use crate::web::format::{FormattedTime, TimeFormatter};
use crate::web::words::scan as words;

/// How long after a use the same gate calls a refusal a repeat, in microseconds: people hold their code up for longer than
/// they are looked at.
const MOMENT_AGO: i64 = 10_000_000;

/// Characters that are shown of a code that is nobody's.
const CODE_CHARS: usize = 64;

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Let in.
    Good,
    /// Do not let in.
    Refused,
    /// Somebody has to look.
    Look,
}

impl Kind {
    /// The word in the stylesheet and for the script.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Refused => "refused",
            Self::Look => "look",
        }
    }

    /// A tick, a cross, an exclamation mark: the path of an SVG, 48 to a side.
    fn icon(self) -> &'static str {
        match self {
            Self::Good => "M8 25l11 11 21-24",
            Self::Refused => "M10 10l28 28M38 10L10 38",
            Self::Look => "M24 8v20M24 39v.5",
        }
    }
}

/// A verdict.
#[derive(Template)]
#[template(path = "scan/verdict.html")]
pub(super) struct Verdict {
    pub(super) kind: Kind,
    /// The one word that is read from two metres.
    pub(super) word: &'static str,
    /// What the token is called.
    pub(super) title: String,
    pub(super) sentence: String,
    /// All else that is against it.
    pub(super) reasons: Vec<String>,
    /// What else is known of it.
    pub(super) facts: Vec<(&'static str, String)>,
    /// The moment from which it can be used, to be counted down to, and what is said before it.
    pub(super) opens: Option<(&'static str, FormattedTime)>,
    /// The moment of the decision, by the server's clock.
    pub(super) at: String,
    /// The use's entry, if it can be undone from here, and until when.
    pub(super) undo: Option<(String, String)>,
    /// Whether another gate has to be chosen first.
    pub(super) lost_gate: bool,
    /// What to send to use the token now; only if it was looked up, or is a repeat.
    pub(super) use_code: Option<String>,
    /// What the button for that says.
    use_button: &'static str,
    /// It was only asked what would happen.
    pub(super) is_test: bool,
    /// Tokens to choose from.
    pub(super) choices: Vec<Choice>,
    /// The path before every address.
    base: String,
    /// The gate's name.
    gate: String,
    /// The idempotency key of the use that a button makes.
    nonce: String,
}

/// A token to choose, where a part of a label was looked up.
pub(super) struct Choice {
    code: String,
    title: String,
    value: String,
}

impl Choice {
    pub(super) fn new(token: Token, code: String) -> Self {
        Self { code, title: token.label.unwrap_or_else(|| token.value.clone()), value: token.value }
    }
}

/// What the page knows beside the token.
pub(super) struct Context<'a> {
    pub(super) clock: TimeFormatter,
    /// The path before every address.
    pub(super) base: &'a str,
    /// The gate's name.
    pub(super) gate: Option<&'a str>,
    /// Seconds within which a use can be undone here.
    pub(super) undo_seconds: Option<i32>,
    /// Whether names of users are shown.
    pub(super) may_see: bool,
    pub(super) is_test: bool,
}

impl Context<'_> {
    /// Somebody's name, where names of users are shown.
    fn who(&self, by: &str) -> Option<String> {
        self.may_see.then(|| who(by))
    }
}

impl Verdict {
    fn plain(kind: Kind, word: &'static str, sentence: String, context: &Context<'_>) -> Self {
        Self {
            kind,
            word,
            title: String::new(),
            sentence,
            reasons: Vec::new(),
            facts: Vec::new(),
            opens: None,
            at: context.clock.now.to_string(),
            undo: None,
            lost_gate: false,
            use_code: None,
            use_button: words::USE_ONCE,
            is_test: context.is_test,
            choices: Vec::new(),
            base: context.base.to_owned(),
            gate: context.gate.unwrap_or_default().to_owned(),
            nonce: Uid::random().to_string(),
        }
    }

    /// A token was used, or would be.
    pub(super) fn used(receipt: &Receipt, context: &Context<'_>) -> Self {
        let left = receipt.summary.usage_count;
        let sentence = if context.is_test { words::left(left) } else { words::used(receipt.uses, left) };
        let undo = context
            .undo_seconds
            .filter(|_| !context.is_test)
            .map(|seconds| (receipt.usage_uid.to_string(), context.clock.now.plus_seconds(seconds).to_string()));
        Self { undo, ..Self::plain(Kind::Good, words::GOOD, sentence, context) }.titled(&receipt.summary)
    }

    /// A token that was looked up could be used now; `use_code` has a button use it.
    pub(super) fn can_be_used(token: &Token, last: Option<&LastUse>, use_code: String, context: &Context<'_>) -> Self {
        let summary = TokenSummary::from(token);
        let sentence = words::can_be_used(token.usage_count);
        let mut verdict = Self::plain(Kind::Look, words::LOOKED_UP, sentence, context);
        verdict.use_code = Some(use_code);
        verdict.reasons.extend(last.map(|last| last_use(last, context)));
        let range = |name, at: Option<Micros>| at.map(|at| (name, context.clock.day_and_time(at)));
        let mut verdict = verdict.titled(&summary).valued(&summary);
        verdict.facts.extend(range(words::VALID_FROM, summary.valid_from));
        verdict.facts.extend(range(words::VALID_UNTIL, summary.valid_to));
        verdict
    }

    /// What was looked up may not be used, or is not there.
    pub(super) fn cannot_be_used(refused: Self) -> Self {
        let sentence = words::cannot_be_used(&refused.sentence);
        Self { kind: Kind::Look, word: words::LOOKED_UP, sentence, use_code: None, ..refused }
    }

    /// Several tokens have what was looked up in their label.
    pub(super) fn choose(choices: Vec<Choice>, context: &Context<'_>) -> Self {
        Self { choices, ..Self::plain(Kind::Look, words::CHOOSE, words::CHOOSE_SENTENCE.to_owned(), context) }
    }

    /// A token may not be used.
    pub(super) fn refused(refused: &RefusedAsk, code: &str, last: Option<&LastUse>, context: &Context<'_>) -> Self {
        let repeat = last.filter(|last| is_repeat(refused, last, context));
        let mut reasons = refused.refusals.iter().map(|refusal| reason(refusal, last, context));
        let (kind, word, sentence) = match repeat {
            Some(last) => {
                let seconds = context.clock.now.seconds_after(last.timestamp);
                (Kind::Look, words::ALREADY_USED, words::used_before(seconds, context.gate.is_some()))
            }
            None => (Kind::Refused, words::REFUSED, reasons.next().unwrap_or_default()),
        };
        let mut verdict = Self::plain(kind, word, sentence, context);
        // A token that is used up, or void, stays so.
        let can_be_again = refused.refusals.iter().all(|refusal| matches!(refusal, Refusal::LockTimeViolation { .. }));
        let again = repeat.filter(|_| can_be_again).map(|_| code.to_owned());
        (verdict.use_code, verdict.use_button) = (again, words::USE_AGAIN);
        verdict.reasons = reasons.collect();
        let opens = match refused.refusals.first() {
            Some(Refusal::LockTimeViolation { .. }) => words::FREE_AGAIN,
            _ => words::STARTS,
        };
        let retry_at = refused.retry_at.filter(|at| *at > context.clock.now);
        verdict.opens = retry_at.map(|at| (opens, context.clock.format(at)));
        match &refused.summary {
            Some(summary) => verdict.titled(summary).valued(summary),
            None => Self { title: shortened(code, CODE_CHARS), ..verdict },
        }
    }

    /// A use was undone.
    pub(super) fn undone(receipt: &Receipt, context: &Context<'_>) -> Self {
        Self::plain(Kind::Look, words::UNDONE, words::left(receipt.summary.usage_count), context)
            .titled(&receipt.summary)
    }

    /// Nothing was done, and this is why.
    pub(super) fn mistake(sentence: String, context: &Context<'_>) -> Self {
        Self::plain(Kind::Look, words::NOT_DONE, sentence, context)
    }

    /// The gate at which somebody scans is closed, or is not there any more.
    pub(super) fn lost_gate(sentence: String, context: &Context<'_>) -> Self {
        Self { lost_gate: true, ..Self::mistake(sentence, context) }
    }

    /// Without the button that uses the token.
    pub(super) fn without_use(self) -> Self {
        Self { use_code: None, ..self }
    }

    fn titled(self, summary: &TokenSummary) -> Self {
        Self { title: summary.label.clone().unwrap_or_else(|| summary.value.clone()), ..self }
    }

    fn valued(mut self, summary: &TokenSummary) -> Self {
        if summary.label.is_some() {
            self.facts.push((words::VALUE, summary.value.clone()));
        }
        self
    }
}

/// Whether the same gate has used it a moment ago, and that alone is against it.
fn is_repeat(refused: &RefusedAsk, last: &LastUse, context: &Context<'_>) -> bool {
    let by_that_use = matches!(
        refused.refusals.first(),
        Some(Refusal::UsageCountExceeded { left: 0 } | Refusal::LockTimeViolation { .. })
    );
    let ago = context.clock.now.get() - last.timestamp.get();
    by_that_use && last.gate.as_deref() == context.gate && (0..MOMENT_AGO).contains(&ago)
}

fn reason(refusal: &Refusal, last: Option<&LastUse>, context: &Context<'_>) -> String {
    let clock = context.clock;
    let used = || last.map(|last| last_use(last, context)).unwrap_or_default();
    match refusal {
        Refusal::NotExists => words::UNKNOWN_CODE.into(),
        Refusal::Voided(Voided { at, by, reason }) => {
            words::voided(&clock.day_and_time(*at), context.who(by).as_deref(), reason.as_deref())
        }
        Refusal::UsageCountExceeded { left: 0 } => words::used_up(&used()),
        Refusal::UsageCountExceeded { left } => words::too_few_left(*left),
        Refusal::LockTimeViolation { until } => words::locked(&clock.to_the_second(*until), &used()),
        Refusal::TooEarly { from } => words::not_yet_valid(&clock.day_and_time(*from)),
        Refusal::TooLate { to } => words::expired(&clock.day_and_time(*to)),
    }
}

/// When, where and by whom it was last used.
fn last_use(last: &LastUse, context: &Context<'_>) -> String {
    let when = context.clock.day_and_time(last.timestamp);
    words::last_used(&when, last.gate.as_deref(), context.who(&last.user).as_deref())
}
