//! What a group of tokens is called: in lists, in titles and in file names.

use super::shortened;

/// Characters of a label in a title.
const LABEL_CHARS: usize = 40;
/// Characters of a file name.
const FILE_NAME_MAX: usize = 80;

/// The batch's name if all tokens are of one batch; otherwise the first and the last token, as in
/// `Locker 001 – Locker 300`.
pub(crate) fn group_title(batch: Option<&str>, first: &str, last: &str) -> String {
    match batch {
        Some(batch) => batch.to_owned(),
        None if first == last => shortened(first, LABEL_CHARS),
        None => format!("{} – {}", shortened(first, LABEL_CHARS), shortened(last, LABEL_CHARS)),
    }
}

/// A title as part of a file name: letters and digits of ASCII in lower case, with hyphens between them; `labels` if
/// nothing is left.
pub(crate) fn file_name(title: &str) -> String {
    let mut name = String::new();
    for c in title.to_lowercase().chars() {
        let ascii = match c {
            'a'..='z' | '0'..='9' => c,
            'ä' | 'à' | 'á' | 'â' | 'å' | 'ã' => 'a',
            'ö' | 'ò' | 'ó' | 'ô' | 'ø' | 'õ' => 'o',
            'ü' | 'ù' | 'ú' | 'û' => 'u',
            'é' | 'è' | 'ê' | 'ë' => 'e',
            'ß' => 's',
            'ñ' => 'n',
            'ç' => 'c',
            _ if name.is_empty() || name.ends_with('-') => continue,
            _ => '-',
        };
        name.push(ascii);
        if name.len() >= FILE_NAME_MAX {
            break;
        }
    }
    let name = name.trim_end_matches('-');
    if name.is_empty() { "labels".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_called_by_its_batch_or_its_first_and_last() {
        assert_eq!(group_title(Some("Summer party"), "A", "B"), "Summer party");
        assert_eq!(group_title(None, "Locker 001", "Locker 300"), "Locker 001 – Locker 300");
        assert_eq!(group_title(None, "Locker 001", "Locker 001"), "Locker 001");
        let long = "x".repeat(200);
        assert_eq!(group_title(None, &long, "B"), format!("{}… – B", "x".repeat(40)));
    }

    #[test]
    fn file_names_are_ascii() {
        assert_eq!(file_name("Locker 001 – Locker 300"), "locker-001-locker-300");
        assert_eq!(file_name("Käse \"/../\\\r\n für Zoë"), "kase-fur-zoe");
        assert_eq!(file_name("Ярлык 入"), "labels");
        assert!(file_name(&"a b".repeat(100)).len() <= FILE_NAME_MAX);
    }
}
