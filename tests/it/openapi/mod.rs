//! The description of the API: equal to the route table, and true.

mod description;
mod errors;
mod examples;
mod input;
