-- Times are microseconds since 1970 in UTC, uids hyphenated lower-case text. Integer keys are for joins and paging.
-- No index stands on a column that a consume changes.

CREATE TABLE tokens (
    id          INTEGER NOT NULL PRIMARY KEY,
    uid         TEXT NOT NULL,
    value       TEXT NOT NULL,
    label       TEXT,
    valid_from  INTEGER,
    valid_to    INTEGER,
    usage_count INTEGER NOT NULL CHECK (usage_count >= -1),
    lock_time   INTEGER NOT NULL CHECK (lock_time >= 0),
    last_used   INTEGER,
    -- From when lock_time runs: last_used, or when the clock was found to have jumped back before it.
    lock_start  INTEGER,
    creator     TEXT NOT NULL,
    created     INTEGER NOT NULL,
    modified    INTEGER NOT NULL,
    -- Value and label in lower case as Unicode has it: what is searched in.
    search      TEXT NOT NULL,
    deleted_at  INTEGER,
    deleted_by  TEXT
) STRICT;

-- A uid is never given twice, also not after a deletion; a value is free again after one.
CREATE UNIQUE INDEX tokens_uid ON tokens (uid);
CREATE UNIQUE INDEX tokens_value ON tokens (value) WHERE deleted_at IS NULL;
-- The orders of the list: each page is found by walking its index. By value, tokens_value does it.
CREATE INDEX tokens_created ON tokens (created, id) WHERE deleted_at IS NULL;
CREATE INDEX tokens_label ON tokens (COALESCE(label, ''), id) WHERE deleted_at IS NULL;
CREATE INDEX tokens_valid_to ON tokens (COALESCE(valid_to, 9223372036854775807), id) WHERE deleted_at IS NULL;
CREATE INDEX tokens_deleted ON tokens (deleted_at, id) WHERE deleted_at IS NOT NULL;

-- The log of attempts. It outlives tokens: no foreign key.
CREATE TABLE usage (
    id          INTEGER NOT NULL PRIMARY KEY,
    uid         TEXT NOT NULL,
    token_uid   TEXT,
    token_value TEXT,
    timestamp   INTEGER NOT NULL,
    principal   TEXT NOT NULL,
    error_code  INTEGER
) STRICT;

-- By uid, as also attempts at a token that is not there yet or any more are asked for.
CREATE INDEX usage_token ON usage (token_uid, id);

-- The first success of each idempotency key, to be given again for a day.
CREATE TABLE replies (
    principal   TEXT NOT NULL,
    key         TEXT NOT NULL,
    created     INTEGER NOT NULL,
    token_uid   TEXT NOT NULL,
    value       TEXT NOT NULL,
    label       TEXT,
    usage_count INTEGER NOT NULL,
    last_used   INTEGER,
    valid_from  INTEGER,
    valid_to    INTEGER,
    PRIMARY KEY (principal, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX replies_created ON replies (created);

CREATE TABLE users (
    id            INTEGER NOT NULL PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('scanner', 'viewer', 'editor', 'admin', 'manager')),
    created       INTEGER NOT NULL,
    modified      INTEGER NOT NULL,
    disabled_at   INTEGER,
    last_sign_in  INTEGER
) STRICT;

-- A session's cookie holds a random id; its SHA-256 stands here.
CREATE TABLE sessions (
    id        INTEGER NOT NULL PRIMARY KEY,
    hash      BLOB NOT NULL UNIQUE,
    user_id   INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created   INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    address   TEXT NOT NULL,
    agent     TEXT NOT NULL
) STRICT;

CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE keys (
    id        INTEGER NOT NULL PRIMARY KEY,
    name      TEXT NOT NULL UNIQUE,
    hash      BLOB NOT NULL UNIQUE,
    role      TEXT NOT NULL CHECK (role IN ('scanner', 'viewer', 'editor', 'admin', 'manager')),
    creator   TEXT NOT NULL,
    created   INTEGER NOT NULL,
    expires   INTEGER,
    last_used INTEGER
) STRICT;

-- A setting that has no row here has its default. Values are JSON.
CREATE TABLE settings (
    name       TEXT NOT NULL PRIMARY KEY,
    value      TEXT NOT NULL,
    changed    INTEGER NOT NULL,
    changed_by TEXT NOT NULL
) STRICT;

-- What was done to users, keys and settings, and by whom.
CREATE TABLE audit (
    id        INTEGER NOT NULL PRIMARY KEY,
    timestamp INTEGER NOT NULL,
    principal TEXT NOT NULL,
    action    TEXT NOT NULL,
    subject   TEXT NOT NULL,
    detail    TEXT NOT NULL DEFAULT ''
) STRICT;

-- Failed sign-ins of the last minutes, by account and by address.
CREATE TABLE attempts (
    id        INTEGER NOT NULL PRIMARY KEY,
    subject   TEXT NOT NULL,
    timestamp INTEGER NOT NULL
) STRICT;

CREATE INDEX attempts_subject ON attempts (subject, timestamp);
