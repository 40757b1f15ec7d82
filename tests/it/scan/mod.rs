//! Reading codes at the door.

mod hard_frames;
mod page;
mod read;
