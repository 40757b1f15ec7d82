//! What is vendored is what its package has.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::sha256;

/// The files of `static/vendor/` and their SHA-256. `bin/vendor` writes them, but for LICENSE-BSD.txt.
const VENDORED: [(&str, &str); 5] = [
    ("zxing/LICENSE-APACHE.txt", "62c7a1e35f56406896d7aa7ca52d0cc0d272ac022b5d2796e7d6905db8a3636a"),
    ("zxing/LICENSE-BSD.txt", "3c103995788ff1324806717ce19ed1690e21dcd4a2726bfe80e2a26ee64aac98"),
    ("zxing/LICENSE-MIT.txt", "fb506e4ade12d7a9efa67c9d76a9a28c8e15d347ca49a69e48e29b40b34ad2ab"),
    ("zxing/zxing_reader.js", "ffd72d59d54082194f7c086b384dcd930bdeb0c5b39fbb13779694e69bb0d344"),
    ("zxing/zxing_reader.wasm", "5003fb4b88c4fbd1fd518a2fd8c8ad365c519e183a08c03a322dddfea3cea84e"),
];

#[test]
fn vendored_files_are_as_they_came_out_of_their_packages() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("static/vendor");
    let mut hashes = BTreeMap::new();
    for package in fs::read_dir(&folder).unwrap() {
        for file in fs::read_dir(package.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let hash = sha256(&fs::read(&path).unwrap());
            hashes.insert(path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned(), hash);
        }
    }
    assert_eq!(hashes, VENDORED.map(|(name, hash)| (name.to_owned(), hash.to_owned())).into());
}
