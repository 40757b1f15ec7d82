-- Tokens that were made together. `made` is empty while they are being made, and stays so with a `failure`.
CREATE TABLE batches (
    id      INTEGER NOT NULL PRIMARY KEY,
    uid     TEXT NOT NULL UNIQUE,
    name    TEXT NOT NULL,
    count   INTEGER NOT NULL,
    creator TEXT NOT NULL,
    created INTEGER NOT NULL,
    made    INTEGER,
    failure TEXT
) STRICT;

ALTER TABLE tokens ADD COLUMN batch INTEGER;
-- How often it was used since there is this column. The log cannot tell: it is cut, and clocks jump.
ALTER TABLE tokens ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
CREATE INDEX tokens_batch ON tokens (batch, created, id) WHERE batch IS NOT NULL AND deleted_at IS NULL;

-- What was done to many tokens at once, or to one by a click, so that it can be undone. `what` is JSON.
CREATE TABLE actions (
    id        INTEGER NOT NULL PRIMARY KEY,
    uid       TEXT NOT NULL UNIQUE,
    what      TEXT NOT NULL,
    principal TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    refused   INTEGER NOT NULL,
    undone    INTEGER,
    undone_by TEXT
) STRICT;

-- What each token was before an action. `stamp` is the change's moment that the action left in the token: if another one
-- stands there, somebody changed it later. `modified` is the one that stood there before. `used` is how often the token was used until then. `kept` says why an undo
-- left the token as it was.
CREATE TABLE action_tokens (
    action      INTEGER NOT NULL,
    token       INTEGER NOT NULL,
    stamp       INTEGER NOT NULL,
    modified    INTEGER NOT NULL,
    label       TEXT,
    valid_from  INTEGER,
    valid_to    INTEGER,
    usage_count INTEGER NOT NULL,
    lock_time   INTEGER NOT NULL,
    used        INTEGER NOT NULL,
    kept        TEXT,
    PRIMARY KEY (action, token)
) STRICT, WITHOUT ROWID;

-- The log by time, with what a chart counts: grows at its end only.
CREATE INDEX usage_timestamp ON usage (timestamp, error_code);
