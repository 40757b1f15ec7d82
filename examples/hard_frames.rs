//! Writes the frames that are hard to read into a folder, for the tests in a browser: shades of grey row by row, a file each,
//! and `frames.json`, which says what they are.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a tool of the tests that cannot go on fails")]

#[allow(missing_docs)]
#[path = "../tests/it/support/frames.rs"]
mod frames;

use std::path::PathBuf;
use std::{env, fs, thread};

use serde_json::{Value, json};

use frames::{COUNT, HEIGHT, WIDTH, frame};

fn main() {
    let folder = PathBuf::from(env::args().nth(1).expect("the folder to write to"));
    let write = |number: u32| -> Value {
        let frame = frame(number);
        fs::write(folder.join(format!("{number}.grey")), frame.pixels).unwrap();
        json!({"name": frame.name, "text": frame.text})
    };
    let half = COUNT / 2;
    let (first, second): (Vec<Value>, Vec<Value>) = thread::scope(|scope| {
        let first = scope.spawn(|| (0..half).map(write).collect());
        let second = (half..COUNT).map(write).collect();
        (first.join().unwrap(), second)
    });
    let frames = [first, second].concat();
    let all = json!({"width": WIDTH, "height": HEIGHT, "frames": frames});
    fs::write(folder.join("frames.json"), all.to_string()).unwrap();
}
