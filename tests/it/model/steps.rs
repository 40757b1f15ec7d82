//! What is tried: steps of every kind, on few uids and few values, so that they meet each other.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use tessera::access::Role;

use super::ask::{Ask, Way};
use super::rules::Model;

/// Stands in for a uid that the server has not given yet.
pub const SPARE: &str = "0bad0bad-0bad-4bad-8bad-0bad0bad0bad";
/// Uids that a step may choose for a new token.
const CHOSEN: [&str; 3] = [
    "aaaaaaaa-54f7-4b1c-9d5e-0a3b7c2d4e6f",
    "bbbbbbbb-54f7-4b1c-9d5e-0a3b7c2d4e6f",
    "cccccccc-54f7-4b1c-9d5e-0a3b7c2d4e6f",
];

/// A uid, real or not.
#[derive(Clone, Debug)]
pub enum Who {
    Chosen(usize),
    /// Counted back from the one that the server gave last.
    Given(usize),
    Upper(usize),
    Spare,
    Malformed(&'static str),
}

/// A text of a parameter.
#[derive(Clone, Debug)]
pub enum Text {
    Plain(&'static str),
    Owned(String),
    Long(char, usize),
    Uid(Who),
    /// What a code with a link holds.
    Link(Who),
    Uids(Vec<Who>),
    /// The uid of a use, counted back from the last one.
    Use(usize),
}

type Field = Option<(&'static str, Text)>;

/// A request in which the uids still have no names: those that the server gives are known only when it runs.
#[derive(Clone, Debug)]
pub struct Step {
    view: &'static str,
    role: Role,
    way: Way,
    path: Option<Who>,
    fields: Vec<Field>,
    key: Option<Text>,
}

impl Step {
    /// The request, after all that the model knows.
    pub fn ask(&self, model: &Model) -> Ask {
        let (given, base) = (&model.given, &model.base);
        let uid = |who: &Who| match who {
            Who::Chosen(n) => CHOSEN[*n].to_owned(),
            Who::Upper(n) => CHOSEN[*n].to_uppercase(),
            Who::Given(back) => given.iter().rev().nth(*back).map_or(SPARE, String::as_str).to_owned(),
            Who::Spare => SPARE.to_owned(),
            Who::Malformed(text) => (*text).to_owned(),
        };
        let text = |text: &Text| match text {
            Text::Plain(text) => (*text).to_owned(),
            Text::Owned(text) => text.clone(),
            Text::Long(c, times) => c.to_string().repeat(*times),
            Text::Uid(who) => uid(who),
            Text::Link(who) => format!("{base}/{}", uid(who)),
            Text::Use(back) => model.uses.iter().rev().nth(*back).map_or(SPARE, |used| &used.uid).to_owned(),
            Text::Uids(all) => serde_json::to_string(&all.iter().map(uid).collect::<Vec<_>>()).unwrap(),
        };
        Ask {
            view: self.view,
            role: self.role,
            way: self.way,
            uid: self.path.as_ref().map(uid),
            fields: self.fields.iter().flatten().map(|(name, value)| (*name, text(value))).collect(),
            key: self.key.as_ref().map(text),
        }
    }
}

/// Any sequence of steps; none is the last request once more, as of a client that got no answer.
pub fn sequence() -> impl Strategy<Value = Vec<Option<Step>>> {
    // A sequence that fails is made shorter: so it may be short from the start.
    let first = vec(add_token().prop_map(Some), 0..6);
    let then = vec(weighted(0.8, step()), 1..120);
    (first, then).prop_map(|(first, then)| first.into_iter().chain(then).collect())
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        11 => add_token(),
        1 => add_tokens(),
        20 => consume(),
        12 => undo(),
        3 => changing("edit_token", weighted(0.9, who()), true, false),
        9 => changing("update_token", weighted(0.9, who()), false, true),
        6 => on_one("delete_token"),
        1 => delete_tokens(),
        4 => void_token(),
        4 => on_one("restore_token"),
        5 => who().prop_map(|who| Step { path: Some(who), ..plain("restore") }),
        3 => query_token(),
    ]
}

fn plain(view: &'static str) -> Step {
    Step { view, role: Role::Manager, way: Way::Form, path: None, fields: Vec::new(), key: None }
}

fn posted() -> impl Strategy<Value = Way> {
    select(vec![Way::Form, Way::Json, Way::Query])
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![
        25 => (0..CHOSEN.len()).prop_map(Who::Chosen),
        25 => (0..3_usize).prop_map(Who::Given),
        2 => (0..CHOSEN.len()).prop_map(Who::Upper),
        1 => Just(Who::Spare),
        1 => select(vec!["not-a-uid", "aaaaaaaa54f74b1c9d5e0a3b7c2d4e6f", "aaaaaaaa-54f7-4b1c-9d5e-0a3b7c2d4e6g"])
            .prop_map(Who::Malformed),
    ]
}

/// Mostly a good text; now and then one that is outside what is allowed.
fn text(good: &'static [&'static str], bad: &'static [&'static str]) -> BoxedStrategy<Text> {
    prop_oneof![40 => select(good).prop_map(Text::Plain), 1 => select(bad).prop_map(Text::Plain)].boxed()
}

fn value() -> BoxedStrategy<Text> {
    let long = vec![('x', 1_000), ('x', 1_001), ('ä', 600), ('ä', 601)];
    let odd = prop_oneof![
        select(long).prop_map(|(c, n)| Text::Long(c, n)),
        text(&["A "], &[" ", "A\nB", "A\u{200b}", "\u{202e}A"])
    ];
    prop_oneof![
        40 => select(vec!["A", "A", "A", "A", "B", "B", "a", "Ä 1"]).prop_map(Text::Plain),
        2 => who().prop_map(Text::Uid),
        2 => odd,
    ]
    .boxed()
}

/// A value for a token: empty means its uid.
fn new_value() -> BoxedStrategy<Text> {
    prop_oneof![8 => value(), 1 => Just(Text::Plain(""))].boxed()
}

fn label() -> BoxedStrategy<Text> {
    let long = select(vec![200, 201]).prop_map(|n| Text::Long('ä', n));
    prop_oneof![20 => text(&["", "Anna", "Ä {n:02}", "{n}", "  "], &["a\tb"]), 1 => long].boxed()
}

fn usage_count() -> BoxedStrategy<Text> {
    text(&["2", "1", "3", "-1", "0", "2", "-1", "2147483647"], &["", "-2", "2147483648", "1.5", "x"])
}

fn lock_time() -> BoxedStrategy<Text> {
    text(&["0", "0", "0", "3600", "2147483647"], &["", "-1", "2147483648", "0.5"])
}

/// In `odd` of 12 cases it is not valid yet.
fn valid_from(odd: u32) -> BoxedStrategy<Text> {
    const PAST: &[&str] = &["", "", "", "", "1970-01-01T00:00:00Z", "2001-01-01", "2001-07-01T10:30:05"];
    const BAD: &[&str] = &["soon", "1969-12-31", "2001-02-29", "2026-03-29T02:30"];
    const FUTURE: &[&str] = &["2999-01-01", "2999-06-01T12:00"];
    prop_oneof![12 - odd => text(PAST, BAD), odd => text(FUTURE, &["2999"])].boxed()
}

/// In `odd` of 12 cases it is not valid any more.
fn valid_to(odd: u32) -> BoxedStrategy<Text> {
    const FUTURE: &[&str] = &["", "", "", "2999-01-01", "2999-06-01T12:00+02:00", "9999-12-31T23:59:59.999999Z"];
    const PAST: &[&str] = &["2001-01-01", "2001-07-01T10:30:00.1234569+02:00"];
    prop_oneof![12 - odd => text(FUTURE, &["soon", "9999-12-31T23:59:59-01:00"]), odd => text(PAST, &["x"])].boxed()
}

fn add_uses() -> BoxedStrategy<Text> {
    text(&["1", "-1", "2", "-2", "0"], &["", "x", "1.5", "2147483647", "-2147483648"])
}

fn fields(parts: Vec<(&'static str, f64, BoxedStrategy<Text>)>) -> impl Strategy<Value = Vec<Field>> {
    let extra = Just(Text::Plain("1")).boxed();
    let parts = parts.into_iter().chain([("_", 0.02, extra.clone()), ("valeu", 0.01, extra)]);
    parts.map(|(name, often, text)| weighted(often, text.prop_map(move |text| (name, text)))).collect::<Vec<_>>()
}

/// Adds or changes one token. Where `all` is set, four fields must be present.
fn changing(
    view: &'static str,
    path: impl Strategy<Value = Option<Who>>,
    all: bool,
    adds_uses: bool,
) -> impl Strategy<Value = Step> {
    // A token is mostly made as one that can be used, and is out of its time later.
    let (often, odd) = if all { (0.99, 1) } else { (0.2, 5) };
    let names_uid = if view == "add_token" { 0.005 } else { 0.1 };
    let fields = fields(vec![
        ("valid_from", often, valid_from(odd)),
        ("valid_to", often, valid_to(odd)),
        ("usage_count", often, usage_count()),
        ("lock_time", often, lock_time()),
        ("value", if all { 0.8 } else { 0.4 }, new_value()),
        ("label", 0.3, label()),
        ("token_uid", names_uid, who().prop_map(Text::Uid).boxed()),
        ("add_uses", if adds_uses { 0.4 } else { 0.005 }, add_uses()),
    ]);
    (path, posted(), fields).prop_map(move |(path, way, fields)| Step { way, path, fields, ..plain(view) })
}

fn add_token() -> impl Strategy<Value = Step> {
    changing("add_token", weighted(0.5, who()), true, false)
}

fn add_tokens() -> impl Strategy<Value = Step> {
    let fields = fields(vec![
        ("count", 0.98, text(&["1", "2", "3"], &["", "0", "x", "100001"])),
        ("valid_from", 0.2, valid_from(1)),
        ("valid_to", 0.2, valid_to(1)),
        ("usage_count", 0.7, usage_count()),
        ("lock_time", 0.2, lock_time()),
        ("label", 0.7, label()),
    ]);
    (posted(), fields).prop_map(|(way, fields)| Step { way, fields, ..plain("add_tokens") })
}

/// Names a token by its uid, its value or link, both, or not at all: in the path and in fields.
fn named() -> impl Strategy<Value = (Option<Who>, Vec<Field>)> {
    let uid = || who().prop_map(|who| Some(("token_uid", Text::Uid(who))));
    let value = prop_oneof![6 => value(), 1 => who().prop_map(Text::Link)];
    let value = value.prop_map(|value| Some(("value", value))).boxed();
    prop_oneof![
        20 => who().prop_map(|who| (Some(who), Vec::new())),
        6 => uid().prop_map(|uid| (None, vec![uid])),
        12 => value.clone().prop_map(|value| (None, vec![value])),
        6 => (uid(), value).prop_map(|(uid, value)| (None, vec![uid, value])),
        2 => (who(), uid()).prop_map(|(who, uid)| (Some(who), vec![uid])),
        1 => Just((None, Vec::new())),
    ]
}

fn consume() -> impl Strategy<Value = Step> {
    let key = || {
        let long = select(vec![255, 256]).prop_map(|n| Text::Long('k', n));
        prop_oneof![30 => text(&["k-1", "k-2", "k-3", "k-4"], &[""]), 1 => long]
    };
    let keys = Union::new_weighted(vec![
        (8, Just((None, None)).boxed()),
        (6, key().prop_map(|key| (Some(key), None)).boxed()),
        (2, key().prop_map(|key| (None, Some(("nonce", key)))).boxed()),
        (1, (key(), key()).prop_map(|(key, nonce)| (Some(key), Some(("nonce", nonce)))).boxed()),
    ]);
    let role = prop_oneof![3 => Just(Role::Manager), 1 => Just(Role::Scanner)];
    let way = prop_oneof![3 => posted(), 1 => Just(Way::Get)];
    let more = fields(vec![
        ("uses", 0.2, text(&["1", "2", "3", "2147483647"], &["0", "-1", "x", "1.5", "2147483648"])),
        ("test", 0.05, Just(Text::Plain("1")).boxed()),
    ]);
    (named(), keys, role, way, more).prop_map(|((path, named), (key, nonce), role, way, extra)| {
        let fields = named.into_iter().chain([nonce]).chain(extra).collect();
        Step { role, way, path, fields, key, ..plain("consume_token") }
    })
}

fn undo() -> impl Strategy<Value = Step> {
    let newest = prop_oneof![3 => Just(Text::Use(0)), 1 => (1..4_usize).prop_map(Text::Use)];
    let uid =
        || prop_oneof![30 => newest.clone(), 1 => Just(Text::Plain("x"))].prop_map(|uid| Some(("usage_uid", uid)));
    let key = || text(&["k-1", "k-2", "k-3", "k-4", "u-1", "u-2"], &[""]).prop_map(|key| Some(("nonce", key)));
    let named = prop_oneof![
        20 => uid().prop_map(|uid| vec![uid]),
        8 => key().prop_map(|key| vec![key]),
        1 => (uid(), key()).prop_map(|(uid, key)| vec![uid, key]),
        1 => Just(Vec::new()),
    ];
    let role = prop_oneof![3 => Just(Role::Manager), 1 => Just(Role::Scanner)];
    let odd_key = text(&["u-1", "u-2", "k-1"], &[""]);
    let own_key = weighted(0.8, prop_oneof![4 => "u-[a-z]{4}".prop_map(Text::Owned), 1 => odd_key]);
    (role, posted(), named, fields(Vec::new()), own_key).prop_map(|(role, way, named, extra, key)| Step {
        role,
        way,
        fields: named.into_iter().chain(extra).collect(),
        key,
        ..plain("undo_consume")
    })
}

fn query_token() -> impl Strategy<Value = Step> {
    let role = prop_oneof![3 => Just(Role::Manager), 1 => Just(Role::Scanner)];
    // This view has no path with a uid.
    let named = named().prop_map(|(path, fields)| match path {
        Some(who) => vec![Some(("token_uid", Text::Uid(who)))],
        None => fields,
    });
    (named, role).prop_map(|(fields, role)| Step { role, way: Way::Get, fields, ..plain("query_token") })
}

fn on_one(view: &'static str) -> impl Strategy<Value = Step> {
    let token_uid = ("token_uid", 0.1, who().prop_map(Text::Uid).boxed());
    (weighted(0.9, who()), posted(), fields(vec![token_uid])).prop_map(move |(path, way, fields)| Step {
        way,
        path,
        fields,
        ..plain(view)
    })
}

fn void_token() -> impl Strategy<Value = Step> {
    let long = select(vec![200, 201]).prop_map(|n| Text::Long('ä', n));
    let reason = prop_oneof![20 => text(&["Lost", "Stolen", " Lost ", "", " "], &["a\tb"]), 1 => long].boxed();
    let token_uid = ("token_uid", 0.1, who().prop_map(Text::Uid).boxed());
    let fields = fields(vec![token_uid, ("reason", 0.6, reason)]);
    (weighted(0.9, who()), posted(), fields).prop_map(|(path, way, fields)| Step {
        way,
        path,
        fields,
        ..plain("void_token")
    })
}

fn delete_tokens() -> impl Strategy<Value = Step> {
    let uids = vec(who(), 0..4).prop_map(Text::Uids).boxed();
    let fields = fields(vec![("token_uids", 0.98, uids)]);
    (posted(), fields).prop_map(|(way, fields)| Step { way, fields, ..plain("delete_tokens") })
}
