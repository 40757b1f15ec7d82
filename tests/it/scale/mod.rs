//! The tests of the simulation in `benches/scale`: a benchmark without a harness has none of its own.

mod parts;
mod whole;

#[path = "../../../benches/scale/simulation/mod.rs"]
#[allow(dead_code, reason = "the benchmark reports more than the tests look at")]
mod simulation;
