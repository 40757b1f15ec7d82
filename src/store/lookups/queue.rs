//! The look-ups that wait for a thread, in groups that are answered together.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::look_up::{Lane, LookUp};
use super::reader::Reader;
use crate::store::error::Error;

/// Most keys in one statement.
pub(super) const TOGETHER: usize = 256;
/// Most look-ups that may wait. Beyond that, requests are refused: a longer queue would only turn an overload into
/// timeouts.
const QUEUE: usize = 4_096;

/// Whoever waits for what belongs to a key.
type Sender<L> = oneshot::Sender<Result<<L as LookUp>::Found, Error>>;

/// Look-ups of one kind that are answered together: who waits, by key.
struct Group<L: LookUp>(HashMap<L, Vec<Sender<L>>>);

impl<L: LookUp> Group<L> {
    /// Whether this key can be looked up with the others.
    fn takes(&self, key: &L) -> bool {
        let most = match L::LANE {
            Lane::Keys => TOGETHER,
            Lane::Pages => 1,
        };
        self.0.len() < most || self.0.contains_key(key)
    }
}

/// A group of any kind.
pub(super) trait AnyGroup: Any + Send {
    /// How many wait for an answer.
    fn waiting(&self) -> usize;

    /// Looks everything up, and answers.
    fn answer(self: Box<Self>, reader: &mut Reader);
}

impl<L: LookUp> AnyGroup for Group<L> {
    fn waiting(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    fn answer(mut self: Box<Self>, reader: &mut Reader) {
        // Whoever has gone, or has waited too long, needs no answer.
        self.0.retain(|_, senders| {
            senders.retain(|sender| !sender.is_closed());
            !senders.is_empty()
        });
        let (keys, senders): (Vec<L>, Vec<_>) = self.0.into_iter().unzip();
        if keys.is_empty() {
            return;
        }
        for (mut senders, found) in senders.into_iter().zip(reader.find(&keys)) {
            let last = senders.pop();
            for sender in senders {
                let _ = sender.send(found.clone());
            }
            if let Some(last) = last {
                let _ = last.send(found);
            }
        }
    }
}

#[derive(Default)]
struct Queue {
    /// The oldest first.
    groups: VecDeque<Box<dyn AnyGroup>>,
    /// How many look-ups are in them.
    waiting: usize,
    /// How many threads have nothing to do.
    idle: usize,
    closed: bool,
}

/// What the threads of a lane share with those who look something up.
#[derive(Default)]
pub(super) struct Shared {
    queue: Mutex<Queue>,
    arrived: Condvar,
}

impl Shared {
    /// Queues a look-up. A group that a thread has taken gets no more keys: so each look-up sees what was written before it.
    ///
    /// # Errors
    /// Unavailable, when too many wait.
    pub(super) fn push<L: LookUp>(&self, key: L, sender: Sender<L>) -> Result<(), Error> {
        let mut queue = self.queue();
        if queue.waiting >= QUEUE {
            return Err(Error::Unavailable("too many look-ups wait".into()));
        }
        queue.waiting += 1;
        let groups = queue.groups.iter_mut().filter_map(|group| {
            let group: &mut dyn Any = group.as_mut();
            group.downcast_mut::<Group<L>>()
        });
        match groups.into_iter().find(|group| group.takes(&key)) {
            Some(group) => group.0.entry(key).or_default().push(sender),
            None => queue.groups.push_back(Box::new(Group(HashMap::from([(key, vec![sender])])))),
        }
        let is_awaited = queue.idle > 0;
        drop(queue);
        if is_awaited {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Waits for the next group. Returns none when there will be no more.
    pub(super) fn take(&self) -> Option<Box<dyn AnyGroup>> {
        let mut queue = self.queue();
        loop {
            if let Some(group) = queue.groups.pop_front() {
                queue.waiting -= group.waiting();
                return Some(group);
            }
            if queue.closed {
                return None;
            }
            queue.idle += 1;
            queue = self.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner);
            queue.idle -= 1;
        }
    }

    /// Lets the threads end when nothing waits any more.
    pub(super) fn close(&self) {
        self.queue().closed = true;
        self.arrived.notify_all();
    }

    /// No line that could panic leaves the queue inconsistent, so a poisoned lock is still good.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
