//! What the pages say of the audit log.
