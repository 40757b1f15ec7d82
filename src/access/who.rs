//! Principals in words.

/// Who a principal is, as people say it: `anna`, `API key door-3`, `root (command line)`.
pub(crate) fn who(principal: &str) -> String {
    match principal.split_once(':') {
        Some(("user", name)) => name.to_owned(),
        Some(("key", name)) => format!("API key {name}"),
        Some(("shell", name)) => format!("{name} (command line)"),
        _ if principal == "tessera" => "Tessera".into(),
        _ if principal == "nobody" => "Not signed in".into(),
        _ => principal.to_owned(),
    }
}

/// What is looked for among principals, as people type it: `API key door` is `key:door`.
pub(super) fn who_part(typed: &str) -> String {
    const KEY: &str = "api key ";
    match typed.get(..KEY.len()) {
        Some(start) if start.eq_ignore_ascii_case(KEY) => format!("key:{}", typed[KEY.len()..].trim_start()),
        _ => typed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_are_said_in_words() {
        for (principal, words) in [
            ("user:anna", "anna"),
            ("key:door-3", "API key door-3"),
            ("shell:root", "root (command line)"),
            ("tessera", "Tessera"),
            ("nobody", "Not signed in"),
            ("of:another version", "of:another version"),
            ("", ""),
        ] {
            assert_eq!(who(principal), words);
        }
        for (typed, part) in
            [("API key door", "key:door"), ("api KEY  x", "key:x"), ("anna", "anna"), ("äöüäöüä", "äöüäöüä"), ("", "")]
        {
            assert_eq!(who_part(typed), part);
        }
    }
}
