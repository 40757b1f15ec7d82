//! The order in which photos are read: one at a time, the small ones and those of patient devices first. What waits is
//! bounded, in number and in bytes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// The hash of a key or a session: a name would not do, as door staff often share one.
pub(crate) type Device = [u8; 32];

/// Photos that a device may have here: one that is read, and one that waits.
const OF_A_DEVICE: usize = 2;

/// Photos that may wait for their turn.
const MOST_WAITING: usize = 16;

/// What all bodies may take in memory.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// How much later a photo is due for each of its pixels: a few times what reading one takes.
const PER_PIXEL: Duration = Duration::from_nanos(400);

/// The photos that are sent, wait or are read. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct PhotoQueue(Arc<Mutex<Photos>>);

#[derive(Default)]
struct Photos {
    devices: HashMap<Device, Busy>,
    bytes: usize,
    is_reading: bool,
    waiting: Vec<Waiting>,
}

/// What a device has here.
#[derive(Default)]
struct Busy {
    photos: usize,
    /// When its last photo is due.
    due: Option<Instant>,
}

struct Waiting {
    due: Instant,
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
        let next = photos.waiting.swap_remove(next);
        photos.is_reading = true;
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
            let due = photos.due(self.device, pixels);
            photos.waiting.retain(|waiting| !waiting.turn.is_closed());
            photos.waiting.push(Waiting { due, turn });
            photos.one_too_many()
        };
        drop(refused);
        self.queue.begin_next();
        receiver.await.map_err(|_| NoPlace)
    }
}

impl Photos {
    /// When a photo is due: the later the larger it is, and after what the same device still has here.
    fn due(&mut self, device: Device, pixels: usize) -> Instant {
        let busy = self.devices.entry(device).or_default();
        let cost = PER_PIXEL.saturating_mul(pixels.try_into().unwrap_or(u32::MAX));
        let now = Instant::now();
        let due = busy.due.map_or(now, |due| due.max(now)) + cost;
        busy.due = Some(due);
        due
    }

    /// The photo that is due last, if more wait than may.
    fn one_too_many(&mut self) -> Option<Waiting> {
        let last = self.waiting.iter().enumerate().max_by_key(|(_, waiting)| waiting.due)?.0;
        (self.waiting.len() > MOST_WAITING).then(|| self.waiting.swap_remove(last))
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
