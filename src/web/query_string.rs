//! Addresses that carry a filter.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What is escaped in a name: some names are a client's.
const NOT_IN_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'-');

/// The address at `path` with the parameters that are not empty, and `more` unescaped behind them.
pub(crate) fn with<'a, V: AsRef<str>>(
    path: &str,
    parameters: impl IntoIterator<Item = (&'a str, V)>,
    more: &str,
) -> String {
    let filled = parameters.into_iter().filter(|(_, value)| !value.as_ref().is_empty());
    let written = filled.map(|(name, value)| {
        let name = utf8_percent_encode(name, NOT_IN_NAME);
        format!("{name}={}", utf8_percent_encode(value.as_ref(), NON_ALPHANUMERIC))
    });
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
        assert_eq!(with("/a", [("q", "")], "x=1"), "/a?x=1");
        assert_eq!(with("/a", [("from-&\r\nb", "1")], ""), "/a?from-%26%0D%0Ab=1");
    }
}
