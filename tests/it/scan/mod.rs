//! Reading codes at the door.

mod hard_frames;
mod read;
