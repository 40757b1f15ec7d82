//! The order in which photos are read: one at a time, the small ones and those of patient devices first. What waits is
//! bounded, in number and in bytes.
//!
//! The order is that of start-time fair queueing (Goyal, Vin and Cheng, 1996): each device has a time of its own, which
//! runs by the pixels that are read for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The hash of a key or a session: a name would not do, as door staff often share one.
pub(crate) type Device = [u8; 32];

/// Photos that a device may have here: one that is read, and one that waits.
const OF_A_DEVICE: usize = 2;

/// Photos that may wait for their turn.
const MOST_WAITING: usize = 16;

/// What all bodies may take in memory.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// A photo counts as at least so many pixels: the smallest take some time, too.
const LEAST_PIXELS: u64 = 100_000;

/// The photos that are sent, wait or are read. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct PhotoQueue(Arc<Mutex<Photos>>);

#[derive(Default)]
struct Photos {
    devices: HashMap<Device, Busy>,
    bytes: usize,
    is_reading: bool,
    waiting: Vec<Waiting>,
    /// The start of the last photo that was given its turn, in pixels.
    now: u64,
}

/// What a device has here.
#[derive(Default)]
struct Busy {
    photos: usize,
    /// When its last photo is due.
    due: u64,
}

struct Waiting {
    start: u64,
    due: u64,
    turn: oneshot::Sender<Turn>,
}

/// A photo has no place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoPlace;

impl PhotoQueue {
    /// A place for a photo of a device, before its body is read.
    ///
    /// # Errors
    /// The device has as many photos here as it may.
    pub(crate) fn place(&self, device: Device) -> Result<Place, NoPlace> {
        let mut photos = self.photos();
        let busy = photos.devices.entry(device).or_default();
        if busy.photos >= OF_A_DEVICE {
            return Err(NoPlace);
        }
        busy.photos += 1;
        Ok(Place { queue: self.clone(), device, bytes: 0 })
    }

    /// No line that could panic leaves the queue inconsistent, so a poisoned lock is still good.
    fn photos(&self) -> MutexGuard<'_, Photos> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the next photo its turn, if none is read.
    fn begin_next(&self) {
        let mut photos = self.photos();
        let next = photos.waiting.iter().enumerate().min_by_key(|(_, waiting)| waiting.due);
        let Some((next, _)) = next.filter(|_| !photos.is_reading) else { return };
        let next = photos.waiting.remove(next);
        (photos.is_reading, photos.now) = (true, next.start);
        drop(photos);
        // If its request has gone, the turn comes back, is dropped, and so passed on.
        drop(next.turn.send(Turn(self.clone())));
    }
}

/// A photo's place, until this is dropped.
pub(crate) struct Place {
    queue: PhotoQueue,
    device: Device,
    bytes: usize,
}

impl Place {
    /// Counts bytes of the body. As much must be free as it has already, so that large photos leave room for small ones.
    ///
    /// # Errors
    /// All photos together have too many.
    pub(crate) fn add_bytes(&mut self, count: usize) -> Result<(), NoPlace> {
        let mut photos = self.queue.photos();
        if photos.bytes + self.bytes + count > MOST_BYTES {
            return Err(NoPlace);
        }
        photos.bytes += count;
        self.bytes += count;
        Ok(())
    }

    /// Waits until this photo, of so many pixels, may be read.
    ///
    /// # Errors
    /// Too many wait, and this one would come last.
    pub(crate) async fn turn(&self, pixels: usize) -> Result<Turn, NoPlace> {
        let (turn, receiver) = oneshot::channel();
        let refused = {
            let mut photos = self.queue.photos();
            let (start, due) = photos.due(self.device, pixels);
            photos.waiting.retain(|waiting| !waiting.turn.is_closed());
            photos.waiting.push(Waiting { start, due, turn });
            photos.one_too_many()
        };
        drop(refused);
        self.queue.begin_next();
        receiver.await.map_err(|_| NoPlace)
    }
}

impl Photos {
    /// When a photo starts and is due: the later the larger it is, and after what the same device still has here.
    fn due(&mut self, device: Device, pixels: usize) -> (u64, u64) {
        let pixels = u64::try_from(pixels).unwrap_or(u64::MAX).max(LEAST_PIXELS);
        let busy = self.devices.entry(device).or_default();
        let start = busy.due.max(self.now);
        busy.due = start.saturating_add(pixels);
        (start, busy.due)
    }

    /// The photo that is due last, if more wait than may.
    fn one_too_many(&mut self) -> Option<Waiting> {
        let last = self.waiting.iter().enumerate().max_by_key(|(_, waiting)| waiting.due)?.0;
        (self.waiting.len() > MOST_WAITING).then(|| self.waiting.remove(last))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut photos = self.queue.photos();
        photos.bytes -= self.bytes;
        if let Some(busy) = photos.devices.get_mut(&self.device) {
            busy.photos -= 1;
            if busy.photos == 0 {
                photos.devices.remove(&self.device);
            }
        }
    }
}

/// A photo's turn to be read, until this is dropped.
pub(crate) struct Turn(PhotoQueue);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.photos().is_reading = false;
        self.0.begin_next();
    }
}

#[cfg(test)]
#[path = "photo_queue_tests.rs"]
mod tests;
