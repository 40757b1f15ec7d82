//! Tokens from a file of another program: which column says what, what a line says, and what is wrong with it.

pub(crate) mod columns;
pub(crate) mod damage;
pub(crate) mod field;
pub(crate) mod line;
pub(crate) mod options;
pub(crate) mod report;
