//! What the pages say of the import of a file.
