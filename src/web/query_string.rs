//! Addresses that carry a filter.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// The address at `path` with the parameters that are not empty, and `more` unescaped behind them.
pub(crate) fn with<'a>(path: &str, parameters: impl IntoIterator<Item = (&'a str, &'a str)>, more: &str) -> String {
    let filled = parameters.into_iter().filter(|(_, value)| !value.is_empty());
    let written = filled.map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
    let query: Vec<String> = written.chain((!more.is_empty()).then(|| more.to_owned())).collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

/// One field of a filter.
pub(crate) type Part<A> = fn(&mut A) -> &mut String;

/// The parts of a filter that are not empty, and the address of the filter without each.
pub(crate) fn without_each<A: Clone>(
    filter: &A,
    parts: impl IntoIterator<Item = (&'static str, Part<A>)>,
    href: impl Fn(&A) -> String,
) -> Vec<(&'static str, String)> {
    let without = |(name, part): (&'static str, Part<A>)| {
        let mut other = filter.clone();
        let text = std::mem::take(part(&mut other));
        (!text.is_empty()).then(|| (name, href(&other)))
    };
    parts.into_iter().filter_map(without).collect()
}

#[cfg(test)]
mod tests {
    use super::with;

    #[test]
    fn an_address_has_what_says_something() {
        assert_eq!(with("/", [("q", ""), ("state", "")], ""), "/");
        assert_eq!(with("/a", [("q", "ä&b"), ("state", "")], "last=1"), "/a?q=%C3%A4%26b&last=1");
        assert_eq!(with("/a", [], "x=1"), "/a?x=1");
    }
}
