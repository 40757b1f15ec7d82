//! Backups that are not what they were.

use super::files::{SEAL, change_and_seal, names};
use crate::support::process::{Place, write_file};

/// A place with a backup of some tokens, `b.db`, and its bytes.
pub fn backed_up() -> (Place, Vec<u8>) {
    let place = Place::migrated();
    place.key("manager");
    for n in 0..20 {
        place.works(&["key", "add", &format!("door-{n}"), "--role", "scanner"]);
    }
    place.works(&["backup", "b.db"]);
    let bytes = std::fs::read(place.path("b.db")).unwrap();
    (place, bytes)
}

/// Holds that neither a look nor a restore takes these bytes for a good backup, and that nothing is changed by it.
#[track_caller]
fn check_refused(place: &Place, bytes: &[u8], words: &str) {
    write_file(&place.path("bad.db"), bytes);
    place.fails(&["backup", "--verify", "bad.db"], 1, words);
    place.fails(&["--database-url", "sqlite:new.db", "restore", "bad.db"], 1, words);
    place.fails(&["restore", "bad.db"], 1, words);
    assert!(!place.path("new.db").exists());
    assert!(!names(place).iter().any(|name| name.contains("partial") || name.contains("before")), "{:?}", names(place));
}

#[test]
fn a_backup_that_was_cut_off_says_so() {
    let (place, bytes) = backed_up();
    let length = bytes.len();
    for tenth in 1..10 {
        check_refused(&place, &bytes[..length * tenth / 10], "was cut off");
    }
    for end in [1, 15, 50, 72, 99, 100, SEAL, length - SEAL, length - SEAL + 1, length - 1] {
        check_refused(&place, &bytes[..end], "was cut off");
    }
    check_refused(&place, &[], "is no backup of Tessera");
    assert_eq!(place.works(&["key", "list"]).lines().count(), 22, "what was there is still there");
}

#[test]
fn sixty_four_rotten_bytes_are_noticed_wherever_they_are() {
    let (place, bytes) = backed_up();
    let length = bytes.len();
    let places = (0..12).map(|n| (length - SEAL) / 12 * n).chain([40, length - SEAL, length - SEAL + 100, length - 64]);
    for start in places {
        let mut rotten = bytes.clone();
        rotten[start..start + 64].iter_mut().for_each(|byte| *byte ^= 0x55);
        check_refused(&place, &rotten, "is damaged: ");
    }
    // One letter of a text, which SQLite would not notice.
    let mut rotten = bytes.clone();
    let name = rotten.windows(7).position(|window| window == b"door-13").unwrap();
    rotten[name + 6] = b'4';
    check_refused(&place, &rotten, "something in it is not what it was when it was sealed");
    // Something in the middle, or behind it.
    let longer = [&bytes[..SEAL], &bytes[..]].concat();
    check_refused(&place, &longer, "is damaged: it is longer or shorter than its seal says");
    let longer = [&bytes[..], &bytes[..SEAL]].concat();
    check_refused(&place, &longer, "is damaged: it has no seal at its end");
}

#[test]
fn what_is_sealed_is_looked_at_all_the_same() {
    let (place, bytes) = backed_up();
    let with = |statements: &str| {
        write_file(&place.path("bad.db"), &bytes);
        change_and_seal(&place.path("bad.db"), statements);
        std::fs::read(place.path("bad.db")).unwrap()
    };
    // As it was, so that what follows is about what it changes.
    let same = with("SELECT 1");
    assert_eq!(same, bytes);
    check_refused(
        &place,
        &with("DELETE FROM keys WHERE name = 'door-3'"),
        "its table keys has 20 rows, and not what its seal",
    );
    let token = "INSERT INTO tokens (uid, usage_count, lock_time, creator, created, modified, used) VALUES";
    let mine = "'0f52e66b-b400-4243-b735-e57ce356897b', 1, 0, 'user:anna', 0, 0, 3";
    check_refused(&place, &with(&format!("{token} ({mine})")), "is damaged: ");
    check_refused(
        &place,
        &with(&format!("{token} ('no uid', 1, 0, 'x', 0, 0, 0)")),
        "the token with the id 1 cannot be read",
    );
    check_refused(
        &place,
        &with(&format!("{token} ({mine})")),
        "the token with the id 1 was used 3 times, and its log says 0",
    );
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99999999999999')";
    check_refused(&place, &with(newer), "was made by a newer version of Tessera");
    let unreleased = "UPDATE __diesel_schema_migrations SET version = '20200101000000'";
    check_refused(&place, &with(unreleased), "was made by an unreleased version of Tessera");
    // Another format.
    let seal = bytes.len() - SEAL;
    let mut newer = bytes.clone();
    newer[seal + 15] = b'2';
    check_refused(&place, &newer, "was made by a newer version of Tessera");
}
