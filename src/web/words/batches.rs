//! What the pages say of batches.
