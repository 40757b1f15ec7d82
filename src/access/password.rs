//! Passwords: the rules for them, and their Argon2id hashes.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use bip0039::English;

/// Fewest characters of a password.
pub(crate) const MIN_CHARS: usize = 12;
/// Most characters of a password: hashing a megabyte would be an attack.
pub(crate) const MAX_CHARS: usize = 1_000;
/// Guesses that a password must withstand: zxcvbn's score 3, "safely unguessable", if guessing is rate-limited.
pub(crate) const GUESSES: u64 = 100_000_000;
/// Words of a generated password, 11 bits each: 55 bits, which outlast guesses at the hash for longer than a password that
/// is handed over is kept.
const GENERATED_WORDS: usize = 5;

/// Checks whether `password` may be the password of `name`.
///
/// zxcvbn judges how common it is, with lists of leaked passwords, words, names, dates, keyboard rows and repetitions.
/// A password that takes fewer than [`GUESSES`] is refused.
///
pub(crate) fn check(password: &str, name: &str) -> Result<(), String> {
    let chars = password.chars().count();
    if !(MIN_CHARS..=MAX_CHARS).contains(&chars) {
        return Err(format!("A password must have {MIN_CHARS} to 1,000 characters. This one has {chars}."));
    }
    let guesses = zxcvbn::zxcvbn(password, &[name, "tessera"]).guesses();
    if guesses < GUESSES {
        return Err("This password is too easy to guess. Choose another one.".into());
    }
    Ok(())
}

/// A random password for `name`, of short words that can be read out and typed on a phone, as in `maple-river-stone-candy-orbit`.
pub(crate) fn generate(name: &str) -> String {
    loop {
        let password = random_words();
        // Words that repeat, or are the name, might be too easy.
        if check(&password, name).is_ok() {
            return password;
        }
    }
}

fn random_words() -> String {
    let mut numbers = [0u16; GENERATED_WORDS];
    rand::fill(&mut numbers);
    let list = English::words();
    // The list has 2,048 words: 11 bits choose each alike.
    numbers.map(|number| list[usize::from(number) % list.len()]).join("-")
}

/// The PHC string of `password`: Argon2id with 19 MiB, two passes and one lane, as OWASP's Password Storage Cheat Sheet
/// recommends. Takes tens of milliseconds.
///
/// # Errors
/// A sentence when there is no random salt or no memory.
pub fn hash(password: &str) -> Result<String, String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| format!("The password could not be hashed: {error}."))
}

/// Whether `password` matches the PHC string `hash`. Takes tens of milliseconds.
pub(crate) fn verify(password: &str, hash: &str) -> bool {
    Argon2::default().verify_password(password.as_bytes(), hash).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn short_long_and_common_passwords_are_refused() {
        for bad in [
            "",
            "short",
            "elevenchars",
            "password1234",
            "123456789012",
            "qwertyuiop12",
            "aaaaaaaaaaaa",
            "administrator",
            "passwordpassword",
            "annaannaanna",
            "tesseratessera",
            "letmeinletmein",
            "iloveyou1234",
            "mercedesbenz",
            "zaq12wsxcde3",
        ] {
            assert!(check(bad, "anna").is_err(), "{bad}");
        }
        assert!(check(&"x7".repeat(501), "anna").is_err());
        for good in ["correct horse battery", "mosaic-tile-1887-ok", "ü§ß€đ ŋħłµ·×"] {
            assert_eq!(check(good, "anna"), Ok(()), "{good}");
        }
    }

    #[test]
    fn a_generated_password_is_words_that_the_rules_allow() {
        let mut seen = HashSet::new();
        for _ in 0..200 {
            let password = generate("abandon");
            assert_eq!(check(&password, "abandon"), Ok(()), "{password}");
            let words: Vec<_> = password.split('-').collect();
            assert_eq!(words.len(), 5, "{password}");
            let is_typed_easily = |word: &&str| word.len() >= 3 && word.chars().all(|c| c.is_ascii_lowercase());
            assert!(words.iter().all(is_typed_easily), "{password}");
            seen.extend(words.into_iter().map(str::to_owned));
        }
        assert_eq!(English::words().iter().collect::<HashSet<_>>().len(), 2_048, "five of them have 55 bits");
        assert!(seen.len() > 600, "{} words of 1,000 draws: about 790 are to be expected", seen.len());
    }

    #[test]
    fn a_hash_verifies_its_password() {
        let hash = hash("correct horse battery").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify("correct horse battery", &hash));
        assert!(!verify("correct horse batterx", &hash));
        assert!(!verify("", "not a hash"));
    }
}
