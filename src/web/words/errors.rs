//! What the pages say of errors that any page can meet.
