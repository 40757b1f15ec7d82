//! What the pages say of signing in, users, API keys and the own account.
