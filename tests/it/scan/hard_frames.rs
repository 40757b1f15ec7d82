//! What the server reads of frames that are hard to read. The worker's turn is in `tests/browser/scan.test.mjs`.

use std::thread;
use std::time::{Duration, Instant};

use tessera::qr::read::{Grey, read_text};

use crate::support::frames::{COUNT, HEIGHT, WIDTH, frame};

/// What is read of each frame: its name, what it says, what was read, and how long that took.
fn read_all(numbers: impl Iterator<Item = u32>) -> Vec<(String, String, Option<String>, Duration)> {
    let one = |number| {
        let frame = frame(number);
        let (width, height) = (WIDTH.try_into().unwrap(), HEIGHT.try_into().unwrap());
        let picture = Grey::new(width, height, frame.pixels).unwrap();
        let start = Instant::now();
        let read = read_text(picture, &mut || true);
        (frame.name, frame.text, read, start.elapsed())
    };
    numbers.map(one).collect()
}

#[test]
fn the_server_reads_hard_frames_and_none_wrongly() {
    let halves = thread::scope(|scope| {
        let halves = [0, 1].map(|half| scope.spawn(move || read_all((half..COUNT).step_by(2))));
        halves.map(|half| half.join().unwrap())
    });
    let all: Vec<_> = halves.into_iter().flatten().collect();
    let wrong: Vec<_> =
        all.iter().filter(|(_, says, read, _)| read.as_ref().is_some_and(|read| read != says)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let missed: Vec<&str> = all.iter().filter(|(.., read, _)| read.is_none()).map(|(name, ..)| &**name).collect();
    let time: Duration = all.iter().map(|(.., time)| *time).sum();
    let each = time / COUNT;
    println!("{} of {COUNT} frames are read, in {each:?} each; missed are {missed:?}", all.len() - missed.len());
    assert!(
        all.len() - missed.len() >= 100,
        "only {} frames are read; missed are {missed:?}",
        all.len() - missed.len()
    );
}
