//! `tessera backup --keep`: several backups beside each other.

use super::bad_files::make_pipe;
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
    // Nor is one that was cut off counted or removed, or what is no file.
    write_file(&place.path("tessera-20261106T000000Z.db"), &good[..good.len() - 1]);
    write_file(&place.path("tessera-20261107T000000Z.db"), b"");
    make_pipe(&place.path("tessera-20261108T000000Z.db"));
    // Of another second than the one before.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    place.works(&["backup", "tessera.db", "--keep", "3"]);
    assert!(place.path("tessera-20261105T000000Z.db").exists() && !place.path("tessera-20261104T000000Z.db").exists());
    for day in 6..=8 {
        assert!(place.path(&format!("tessera-2026110{day}T000000Z.db")).exists(), "{:?}", names(&place));
    }
    let left: Vec<String> =
        names(&place).into_iter().filter(|name| left[3] <= *name && name.ends_with("Z.db")).collect();
    // If the new one is not good, none is removed.
    write_file(&place.path(".tessera.db.partial"), b"");
    let held = std::fs::File::open(place.path(".tessera.db.partial")).unwrap();
    held.try_lock().unwrap();
    place.fails(&["backup", "tessera.db", "--keep", "1"], 1, "cannot be written");
    assert!(left.iter().all(|name| place.path(name).exists()), "{left:?}");
}

#[test]
fn the_new_one_is_kept_though_a_clock_was_ahead() {
    let place = Place::new();
    place.works(&["migrate"]);
    place.works(&["backup", "good.db"]);
    let good = std::fs::read(place.path("good.db")).unwrap();
    let name = |year: u32| format!("tessera-{year}0101T000000Z.db");
    for (keep, years) in [("3", 2091..=2094), ("2", 2092..=2094), ("1", 2091..=2092)] {
        years.clone().for_each(|year| write_file(&place.path(&name(year)), &good));
        let before = names(&place);
        let said = text(&place.run(&["backup", "tessera.db", "--keep", keep]).stderr);
        let new = names(&place).into_iter().find(|name| !before.contains(name) && name.ends_with("Z.db"));
        let new = new.unwrap_or_else(|| panic!("the new one is gone: {said}"));
        place.works(&["backup", "--verify", &new]);
        let others = keep.parse::<u32>().unwrap() - 1;
        let left = years.clone().filter(|year| place.path(&name(*year)).exists());
        let newest: Vec<u32> = years.rev().take(others as usize).collect();
        assert_eq!(left.collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>(), newest, "{said}");
        std::fs::remove_file(place.path(&new)).unwrap();
    }
}
