//! What the pages say of changes of many tokens, and the list of such changes.
