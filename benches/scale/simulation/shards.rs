//! Which database a token is in: the hash of its uid is a shard, and a map says where each shard is, as in Citus ("Shards",
//! "Shard Placements"). Only the map changes when a shard moves.

use sha2::{Digest, Sha256};
use tessera::token::Uid;

/// More than there will ever be databases, so that moving one shard moves little.
pub const SHARDS: usize = 1_024;

/// The database of each shard.
pub struct ShardMap(Vec<usize>);

impl ShardMap {
    /// Every database has as many shards as any other, or one more.
    pub fn even(databases: usize) -> Self {
        Self((0..SHARDS).map(|shard| shard % databases).collect())
    }

    pub fn database(&self, uid: Uid) -> usize {
        self.0[shard(uid)]
    }
}

/// Hashed although most uids are random: integrators choose some.
pub fn shard(uid: Uid) -> usize {
    let digest = Sha256::digest(uid.to_string());
    usize::from(u16::from_be_bytes([digest[0], digest[1]])) % SHARDS
}
