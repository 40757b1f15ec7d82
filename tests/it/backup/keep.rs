//! `tessera backup --keep`: several backups beside each other.

use super::files::names;
use crate::support::process::{Place, text, write_file};

#[test]
fn the_newest_of_these_names_are_kept() {
    let place = Place::new();
    place.works(&["migrate"]);
    place.works(&["backup", "good.db"]);
    let good = std::fs::read(place.path("good.db")).unwrap();
    for day in 1..=5 {
        write_file(&place.path(&format!("tessera-2026110{day}T000000Z.db")), &good);
    }
    // Others' files.
    let others = [
        "tessera-20261101T000000Z.db.old",
        "tessera-20261101T000000.db",
        "other-20261101T000000Z.db",
        "tessera-20261101T00000xY.db",
    ];
    for name in others {
        write_file(&place.path(name), &good);
    }
    write_file(&place.path("tessera-20260101T000000Z.db"), b"Of this name, and no backup.");
    let said = text(&place.run(&["backup", "tessera.db", "--keep", "3"]).stderr);
    assert!(said.contains("3 older backups were removed."), "{said}");
    let mut left = names(&place);
    left.retain(|name| name.starts_with("tessera-") && name.ends_with("Z.db"));
    assert_eq!(
        left[..3],
        ["tessera-20260101T000000Z.db", "tessera-20261104T000000Z.db", "tessera-20261105T000000Z.db"]
    );
    assert_eq!(left.len(), 4, "{left:?}");
    place.works(&["backup", "--verify", &left[3]]);
    assert!(others.iter().all(|name| place.path(name).exists()));
    // If the new one is not good, none is removed.
    write_file(&place.path(".tessera.db.partial"), b"");
    let held = std::fs::File::open(place.path(".tessera.db.partial")).unwrap();
    held.try_lock().unwrap();
    place.fails(&["backup", "tessera.db", "--keep", "1"], 1, "cannot be written");
    assert!(place.path(&left[1]).exists() && place.path(&left[3]).exists());
}
