//! Reads every row, and finds what is wrong with each and between them.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

use sha2::{Digest, Sha256};

use super::cells::{EntryCells, TokenCells};
use super::findings::{Findings, Kind};
use super::mapping::{Mapping, ValueSource};
use super::plan::{Known, Plan};
use super::tally::Tally;
use crate::token::limits::check_value;
use crate::token::{UNLIMITED, Uid, quoted};

/// Which token has a value: a number for each, by a digest of the value. A million values themselves would fill the memory.
type Owners = HashMap<[u8; 16], u32>;

/// What is known once some rows have been read.
pub(crate) struct Inspection {
    mapping: Mapping,
    findings: Findings,
    tally: Tally,
    /// Each token's number: its place in the order in which they come.
    numbers: HashMap<Uid, u32>,
    known: Vec<Known>,
    owners: Owners,
    /// Tokens whose value another one has, with that value.
    duplicates: Vec<(u32, String)>,
    /// Tokens whose value looks like the uid of another one.
    foreign: Vec<(u32, Uid)>,
    entries: u64,
    new_values: HashMap<u32, String>,
}

impl Inspection {
    /// Nothing is known.
    pub(crate) fn new(mapping: Mapping) -> Self {
        Self {
            mapping,
            findings: Findings::default(),
            tally: Tally::default(),
            numbers: HashMap::new(),
            known: Vec::new(),
            owners: HashMap::new(),
            duplicates: Vec::new(),
            foreign: Vec::new(),
            entries: 0,
            new_values: HashMap::new(),
        }
    }

    /// Reads the next token.
    pub(crate) fn token(&mut self, cells: &TokenCells) {
        let Some((token, source)) = self.mapping.token(cells, &mut self.findings) else { return };
        // There are fewer tokens in any database of cone.tokens than a number holds.
        let number = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        match self.numbers.entry(token.uid) {
            Slot::Occupied(_) => {
                self.findings.add(Kind::SameUid, || (token.uid.to_string(), quoted(&token.value)));
                return;
            }
            Slot::Vacant(slot) => drop(slot.insert(number)),
        }
        self.known.push(Known::new(source, token.usage_count == UNLIMITED));
        self.tally.count(&token, self.mapping.now);
        if source != ValueSource::Text {
            return;
        }
        if let Ok(uid) = token.value.parse() {
            self.foreign.push((number, uid));
        }
        match self.owners.entry(digest(&token.value)) {
            Slot::Occupied(_) => self.duplicates.push((number, token.value)),
            Slot::Vacant(slot) => drop(slot.insert(number)),
        }
    }

    /// All tokens were read: finds values for those whose value another one has.
    pub(crate) fn end_tokens(&mut self) {
        let kept = std::mem::take(&mut self.foreign);
        let mut duplicates = std::mem::take(&mut self.duplicates);
        for (number, uid) in kept {
            // Only the first of those with this value: the others are duplicates already.
            if self.owners.get(&digest(&uid.to_string())) != Some(&number) {
                continue;
            }
            let Some(other) = self.numbers.get(&uid).copied() else { continue };
            match self.known[other as usize].source {
                ValueSource::Text => {}
                // What had no value has no code that could mean it.
                ValueSource::Nothing => duplicates.push((other, uid.to_string())),
                ValueSource::OwnUid => duplicates.push((number.max(other), uid.to_string())),
            }
        }
        duplicates.sort_unstable();
        let uids = self.uids_of(&duplicates);
        let mut next: HashMap<String, u32> = HashMap::new();
        for (number, value) in duplicates {
            let next = next.entry(value.clone()).or_insert(2);
            let new = loop {
                let new = format!("{value}-{next}");
                *next += 1;
                if let Slot::Vacant(slot) = self.owners.entry(digest(&new)) {
                    slot.insert(number);
                    break new;
                }
            };
            let uid = || uids.get(&number).map(Uid::to_string).unwrap_or_default();
            self.findings.add(Kind::SameValue, || (uid(), format!("{} would become {}", quoted(&value), quoted(&new))));
            if let Err(error) = check_value(&new) {
                self.findings.add(Kind::UnusableValue, || (uid(), format!("{}: {error}", quoted(&new))));
            }
            let is_first_own = self.known[number as usize].source != ValueSource::Text;
            self.tally.own_values += i64::from(is_first_own);
            self.new_values.insert(number, new);
        }
    }

    fn uids_of(&self, duplicates: &[(u32, String)]) -> HashMap<u32, Uid> {
        if duplicates.is_empty() {
            return HashMap::new();
        }
        let is_one = |number: &u32| duplicates.binary_search_by_key(number, |(number, _)| *number).is_ok();
        self.numbers.iter().filter(|(_, number)| is_one(number)).map(|(uid, number)| (*number, *uid)).collect()
    }

    /// Reads the next log entry.
    pub(crate) fn entry(&mut self, cells: &EntryCells) {
        let Some(entry) = self.mapping.entry(cells, &mut self.findings) else { return };
        self.entries += 1;
        self.tally.count_entry(entry.code, entry.at);
        let number = entry.token_uid.and_then(|uid| self.numbers.get(&uid).copied());
        let Some(number) = number else {
            let token = || entry.token_uid.map_or_else(|| "no token".to_owned(), |uid| format!("token {uid}"));
            self.findings.add(Kind::GoneToken, || (entry.uid.to_string(), token()));
            return;
        };
        let known = &mut self.known[number as usize];
        if entry.code.is_none() {
            known.used += 1;
            self.tally.used += 1;
        }
        known.last_entry = self.entries;
    }

    /// There is no log.
    pub(crate) fn no_log(&mut self) {
        self.findings.add(Kind::NoLog, || ("token_usage".into(), "there is no such table".into()));
    }

    /// What was found, and what each row becomes.
    pub(crate) fn end(self) -> (Findings, Plan) {
        let Self { mapping, findings, tally, numbers, known, new_values, .. } = self;
        (findings, Plan::new(mapping, tally, numbers, known, new_values))
    }
}

/// Enough of a SHA-256 that no two values of a database have the same by accident.
fn digest(value: &str) -> [u8; 16] {
    let digest = Sha256::digest(value);
    std::array::from_fn(|place| digest[place])
}

#[cfg(test)]
#[path = "inspection_tests.rs"]
mod tests;
