//! `tessera backup` and `tessera restore`.

mod bad_files;
mod before_open;
mod beside_doors;
mod damage;
mod files;
mod keep;
mod kill;
mod lost;
mod page;
mod restore;
mod round_trip;
