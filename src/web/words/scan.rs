//! What the pages say of verdicts at the door.
