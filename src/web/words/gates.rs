//! What the pages say of gates.
