//! A verdict, as it stands on the screen: one colour, one word, one sentence, and the rest below.

use askama::Template;

use crate::store::usage::LastUse;
use crate::token::settle::{Receipt, RefusedAsk, TokenSummary};
use crate::token::{Micros, Refusal, Token, UNLIMITED, Uid, Voided, shortened};
use crate::web::format::{FormattedTime, TimeFormatter, grouped};

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
            use_button: "Use once",
            is_test: context.is_test,
            choices: Vec::new(),
            base: context.base.to_owned(),
            gate: context.gate.unwrap_or_default().to_owned(),
            nonce: Uid::random().to_string(),
        }
    }

    /// A token was used, or would be.
    pub(super) fn used(receipt: &Receipt, context: &Context<'_>) -> Self {
        let sentence = match (receipt.uses, left(receipt.summary.usage_count)) {
            (1, left) => left,
            (uses, left) => format!("{} uses at once. {left}", grouped(uses)),
        };
        let undo = context
            .undo_seconds
            .filter(|_| !context.is_test)
            .map(|seconds| (receipt.usage_uid.to_string(), context.clock.now.plus_seconds(seconds).to_string()));
        Self { undo, ..Self::plain(Kind::Good, "Good", sentence, context) }.titled(&receipt.summary)
    }

    /// A token that was looked up could be used now; `use_code` has a button use it.
    pub(super) fn can_be_used(token: &Token, last: Option<&LastUse>, use_code: String, context: &Context<'_>) -> Self {
        let summary = TokenSummary::from(token);
        let sentence = format!("Can be used. {}", left(token.usage_count));
        let mut verdict = Self::plain(Kind::Look, "Looked up", sentence, context);
        verdict.use_code = Some(use_code);
        verdict.reasons.extend(last.map(|last| format!("Last used {}.", last_use(last, context))));
        let range = |name, at: Option<Micros>| at.map(|at| (name, context.clock.day_and_time(at)));
        let mut verdict = verdict.titled(&summary).valued(&summary);
        verdict.facts.extend(range("Valid from", summary.valid_from));
        verdict.facts.extend(range("Valid until", summary.valid_to));
        verdict
    }

    /// What was looked up may not be used, or is not there.
    pub(super) fn cannot_be_used(refused: Self) -> Self {
        let sentence = format!("Cannot be used. {}", refused.sentence);
        Self { kind: Kind::Look, word: "Looked up", sentence, use_code: None, ..refused }
    }

    /// Several tokens have what was looked up in their label.
    pub(super) fn choose(choices: Vec<Choice>, context: &Context<'_>) -> Self {
        let sentence = "No token has this code. These have it in their label or value:".to_owned();
        Self { choices, ..Self::plain(Kind::Look, "Choose", sentence, context) }
    }

    /// A token may not be used.
    pub(super) fn refused(refused: &RefusedAsk, code: &str, last: Option<&LastUse>, context: &Context<'_>) -> Self {
        let repeat = last.filter(|last| is_repeat(refused, last, context));
        let mut reasons = refused.refusals.iter().map(|refusal| reason(refusal, last, context));
        let (kind, word, sentence) = match repeat {
            Some(last) => {
                let ago = match context.clock.now.seconds_after(last.timestamp) {
                    ..=1 => "a second ago".to_owned(),
                    seconds => format!("{seconds} seconds ago"),
                };
                let place = if context.gate.is_some() { "at this gate" } else { "here" };
                (Kind::Look, "Look", format!("Already used {place} {ago}."))
            }
            None => (Kind::Refused, "Refused", reasons.next().unwrap_or_default()),
        };
        let mut verdict = Self::plain(kind, word, sentence, context);
        // A token that is used up, or void, stays so.
        let can_be_again = refused.refusals.iter().all(|refusal| matches!(refusal, Refusal::LockTimeViolation { .. }));
        let again = repeat.filter(|_| can_be_again).map(|_| code.to_owned());
        (verdict.use_code, verdict.use_button) = (again, "Use again");
        verdict.reasons = reasons.collect();
        let opens = match refused.refusals.first() {
            Some(Refusal::LockTimeViolation { .. }) => "Free again",
            _ => "Opens",
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
        Self::plain(Kind::Look, "Undone", left(receipt.summary.usage_count), context).titled(&receipt.summary)
    }

    /// Nothing was done, and this is why.
    pub(super) fn mistake(sentence: String, context: &Context<'_>) -> Self {
        Self::plain(Kind::Look, "Not done", sentence, context)
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
            self.facts.push(("Value", summary.value.clone()));
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

fn left(count: i32) -> String {
    match count {
        UNLIMITED => "Unlimited uses.".into(),
        0 => "That was its last use.".into(),
        1 => "1 use left.".into(),
        count => format!("{} uses left.", grouped(count)),
    }
}

fn reason(refusal: &Refusal, last: Option<&LastUse>, context: &Context<'_>) -> String {
    let clock = context.clock;
    match refusal {
        Refusal::NotExists => "There is no token with this code.".into(),
        Refusal::Voided(Voided { at, by, reason }) => {
            let by = if context.may_see { format!(" by {by}") } else { String::new() };
            let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("Voided {}{by}{reason}.", clock.day_and_time(*at))
        }
        Refusal::UsageCountExceeded { left: 0 } => match last {
            Some(last) => format!("Used up. Last used {}.", last_use(last, context)),
            None => "Used up.".into(),
        },
        Refusal::UsageCountExceeded { left: 1 } => "Only 1 use left.".into(),
        Refusal::UsageCountExceeded { left } => format!("Only {} uses left.", grouped(*left)),
        Refusal::LockTimeViolation { until } => {
            let used = last.map(|last| format!(" Last used {}.", last_use(last, context))).unwrap_or_default();
            format!("Locked until {}.{used}", clock.to_the_second(*until))
        }
        Refusal::TooEarly { from } => format!("Not valid before {}.", clock.day_and_time(*from)),
        Refusal::TooLate { to } => format!("Was valid until {}.", clock.day_and_time(*to)),
    }
}

/// When, where and by whom: as in `today 13:47 at North by anna`.
fn last_use(last: &LastUse, context: &Context<'_>) -> String {
    let gate = last.gate.as_ref().map(|gate| format!(" at {gate}")).unwrap_or_default();
    let by = if context.may_see { format!(" by {}", last.user) } else { String::new() };
    format!("{}{gate}{by}", context.clock.day_and_time(last.timestamp))
}
