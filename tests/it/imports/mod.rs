//! Files of tokens come in, by page and by command.

mod change;
mod command;
mod crash;
mod page;
mod pasted;
mod round_trip;
