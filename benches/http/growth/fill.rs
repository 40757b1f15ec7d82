//! The tokens of a growing database.

use std::io;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::Bench;
use crate::client::Client;
use crate::scenarios::PER_REQUEST;

/// Tokens that differ from all others in their label, and are among the first.
const ROOMS: usize = 5_000;
/// How many different tokens are asked for at most.
const ASKED: usize = 200_000;
/// Coprime to the sizes that anybody asks for, so that multiples of it meet all tokens.
const STRIDE: usize = 7_368_787;

/// All that were made.
#[derive(Default)]
pub struct Tokens {
    uids: Vec<Uuid>,
}

/// What making the tokens since the last size has cost.
pub struct Made {
    pub tokens: usize,
    /// Bytes, with all that is in the indexes.
    pub written: u64,
    /// For the calls, and until the search index knew them all.
    pub took: Duration,
    pub indexed: Duration,
}

impl Tokens {
    /// Makes tokens until there are so many, and waits for the search index.
    pub fn grow(&mut self, bench: &Bench, size: usize) -> io::Result<Made> {
        let before = (self.uids.len(), bench.written()?);
        let mut client = Client::connect(bench.server.address, bench.key)?;
        let start = Instant::now();
        if self.uids.is_empty() {
            self.make(&mut client, ROOMS, "Room")?;
        }
        while self.uids.len() < size {
            self.make(&mut client, PER_REQUEST.min(size - self.uids.len()), "Ticket")?;
        }
        let took = start.elapsed();
        bench.database.wait_for_index()?;
        let indexed = start.elapsed();
        bench.database.settle();
        Ok(Made { tokens: self.uids.len() - before.0, written: bench.written()? - before.1, took, indexed })
    }

    fn make(&mut self, client: &mut Client, count: usize, label: &str) -> io::Result<()> {
        let form = format!("count={count}&usage_count=-1&label={label}+%7Bn%3A06%7D");
        let made = client.post("/add_tokens", &form)?;
        let uids = made["token_uids"].as_array().into_iter().flatten().filter_map(|uid| uid.as_str()?.parse().ok());
        self.uids.extend::<Vec<Uuid>>(uids.collect());
        Ok(())
    }

    /// Tokens from all over the database, in no order.
    pub fn asked(&self) -> Vec<String> {
        let all = self.uids.len();
        (0..all.min(ASKED)).map(|n| self.uids[n * STRIDE % all].to_string()).collect()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.uids.len()
    }
}
