//! What the pages say of settings.
