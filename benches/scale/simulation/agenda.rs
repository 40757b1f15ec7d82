//! What happens when: events in the order of their times, and of their scheduling where times are equal.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// A moment of the simulation, from its start.
pub type Time = Duration;

/// Events to come.
pub struct Agenda<E> {
    events: BinaryHeap<Reverse<Entry<E>>>,
    scheduled: u64,
}

struct Entry<E> {
    at: Time,
    number: u64,
    event: E,
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl<E> Agenda<E> {
    pub fn new() -> Self {
        Self { events: BinaryHeap::new(), scheduled: 0 }
    }

    pub fn schedule(&mut self, at: Time, event: E) {
        self.scheduled += 1;
        self.events.push(Reverse(Entry { at, number: self.scheduled, event }));
    }

    pub fn next(&mut self) -> Option<(Time, E)> {
        self.events.pop().map(|Reverse(Entry { at, event, .. })| (at, event))
    }
}
