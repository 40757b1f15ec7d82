//! Reading codes at the door.

mod crowd;
mod hard_frames;
mod page;
mod read;
