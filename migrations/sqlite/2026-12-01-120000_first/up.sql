-- The whole schema. Until a first version is released, each database has this one migration, which is edited, and whose
-- folder gets a later date whenever it is. migrations/postgres makes the same tables, columns (but tokens.room) and indexes.
--
-- Times are microseconds since 1970 in UTC, uids hyphenated lower-case text, principals `user:anna` or `key:door-3`.
-- Integer keys are for joins and paging. The logs outlive what they name, so they have no foreign keys. STRICT holds
-- SQLite to a column's type. A table with another key is stored in its order (WITHOUT ROWID).

-- No index stands on a column that a consume changes. A row stays when its token is deleted.
CREATE TABLE tokens (
    id          INTEGER NOT NULL PRIMARY KEY,
    uid         TEXT NOT NULL,
    -- What the QR code says; empty if it is the uid, which has an index already.
    value       TEXT,
    label       TEXT,
    valid_from  INTEGER,
    valid_to    INTEGER,
    -- Uses that are left; -1 is unlimited.
    usage_count INTEGER NOT NULL CHECK (usage_count >= -1),
    -- Seconds.
    lock_time   INTEGER NOT NULL CHECK (lock_time >= 0),
    last_used   INTEGER,
    -- From when lock_time runs: last_used, or when the clock was found to have jumped back before it.
    lock_start  INTEGER,
    creator     TEXT NOT NULL,
    created     INTEGER NOT NULL,
    -- When a person or an integrator last changed it. Each change has another one, by which an undo knows its own.
    modified    INTEGER NOT NULL,
    deleted_at  INTEGER,
    deleted_by  TEXT,
    batch       INTEGER,
    -- How often it was used. The log cannot tell: it is cut, and clocks jump.
    used        INTEGER NOT NULL DEFAULT 0,
    -- Its newest entry in the log, if it has any.
    last_entry  INTEGER,
    -- A voided token stays where it is and may not be used: since when, who said so, and why, if that was said.
    voided_at   INTEGER,
    voided_by   TEXT,
    void_reason TEXT,
    -- Room for what the first use writes, which takes it away: the row would not fit its page any more, which was filled to
    -- its end, and with its page a second one would be written. PostgreSQL leaves room in its pages (fillfactor).
    room        BLOB DEFAULT x'000000000000000000000000000000000000000000000000'
) STRICT;

-- A uid is never given twice, also not after a deletion; a value is free again after one.
CREATE UNIQUE INDEX tokens_uid ON tokens (uid);
CREATE UNIQUE INDEX tokens_value ON tokens (value) WHERE value IS NOT NULL AND deleted_at IS NULL;
-- The orders of the list: each page is found by walking its index. By value, tokens_value and tokens_uid do it.
CREATE INDEX tokens_created ON tokens (created, id) WHERE deleted_at IS NULL;
CREATE INDEX tokens_label ON tokens (COALESCE(label, ''), id) WHERE deleted_at IS NULL;
CREATE INDEX tokens_valid_to ON tokens (COALESCE(valid_to, 9223372036854775807), id) WHERE deleted_at IS NULL;
-- Few are deleted or voided, and many in no batch: these are found without reading the others.
CREATE INDEX tokens_deleted ON tokens (deleted_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX tokens_batch ON tokens (batch, created, id) WHERE batch IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX tokens_voided ON tokens (created, id) WHERE voided_at IS NOT NULL AND deleted_at IS NULL;

-- Tokens that were added or changed, and that token_zones and token_grams do not know yet as they are. Whoever looks for
-- tokens looks at these as well. A token may stand here several times. `text` is 1 if its value or label is new.
CREATE TABLE index_queue (
    id    INTEGER NOT NULL PRIMARY KEY,
    token INTEGER NOT NULL,
    text  INTEGER NOT NULL
) STRICT;

-- What there is among the tokens of 256 ids in a row (a zone map): whoever looks for few of them leaves out the zones that
-- can have none. Uses do not change a zone, and so it says what is there at most.
CREATE TABLE token_zones (
    -- The tokens' ids divided by 256.
    zone         INTEGER NOT NULL PRIMARY KEY,
    -- Tokens that are not deleted; of these, those whose value is the uid, and the voided ones.
    present      INTEGER NOT NULL,
    by_uid       INTEGER NOT NULL,
    voided       INTEGER NOT NULL,
    -- 0 if none of the others has no uses left.
    used_up      INTEGER NOT NULL,
    created_min  INTEGER NOT NULL,
    created_max  INTEGER NOT NULL,
    -- The first 64 characters of the least and the greatest.
    label_min    TEXT NOT NULL,
    label_max    TEXT NOT NULL,
    value_min    TEXT,
    value_max    TEXT,
    valid_to_min INTEGER NOT NULL,
    valid_to_max INTEGER NOT NULL,
    -- Tokens with uses left that are not voided, and when these begin and end to be valid.
    usable       INTEGER NOT NULL,
    begin_min    INTEGER NOT NULL,
    begin_max    INTEGER NOT NULL,
    end_min      INTEGER NOT NULL,
    end_max      INTEGER NOT NULL,
    -- Until when the last of these is locked.
    locked_until INTEGER NOT NULL
) STRICT;

-- Up to which entry of the log token_zones knows which tokens were used up and locked.
CREATE TABLE index_progress (
    id    INTEGER NOT NULL PRIMARY KEY,
    entry INTEGER NOT NULL,
    -- For PostgreSQL (src/store/index/uses.rs): how far it goes next, and once no transaction before this one is under way.
    next_entry       INTEGER,
    next_transaction INTEGER
) STRICT;

INSERT INTO index_progress (id, entry) VALUES (1, 0);

-- In which of a zone's tokens some characters stand in a row (src/store/index/grams/postings.rs): the places of these tokens
-- in their zone, a byte for each; or 32 bytes with a bit for each of the 256. A block is eight zones: a gram's rows in them
-- stand together, so that a search reads one page for all of them.
CREATE TABLE token_grams (
    block  INTEGER NOT NULL,
    gram   INTEGER NOT NULL,
    zone   INTEGER NOT NULL,
    tokens BLOB NOT NULL,
    PRIMARY KEY (block, gram, zone)
) STRICT, WITHOUT ROWID;

-- Which of them stand in large ranges of ids, or have stood there: the others need not be looked for.
CREATE TABLE token_grams_ranges (
    range INTEGER NOT NULL,
    gram  INTEGER NOT NULL,
    PRIMARY KEY (range, gram)
) STRICT, WITHOUT ROWID;

-- Not at a use, which sets neither of these columns.
CREATE TRIGGER tokens_added AFTER INSERT ON tokens BEGIN
    INSERT INTO index_queue (token, text) VALUES (new.id, 1);
END;
CREATE TRIGGER tokens_removed AFTER DELETE ON tokens BEGIN
    INSERT INTO index_queue (token, text) VALUES (old.id, 1);
END;
CREATE TRIGGER tokens_changed AFTER UPDATE OF modified, deleted_at ON tokens BEGIN
    INSERT INTO index_queue (token, text) VALUES (new.id, new.label IS NOT old.label OR new.value IS NOT old.value);
END;

-- Tokens that were made together. They are written in pieces, and nobody sees them before `made` is set; it stays empty with
-- a `failure`, and the tokens are removed. `touched` is when the last piece was written. A batch without a name is one call of
-- the JSON view for many tokens.
CREATE TABLE batches (
    id      INTEGER NOT NULL PRIMARY KEY,
    uid     TEXT NOT NULL,
    name    TEXT NOT NULL,
    count   INTEGER NOT NULL,
    creator TEXT NOT NULL,
    created INTEGER NOT NULL,
    touched INTEGER NOT NULL,
    made    INTEGER,
    failure TEXT
) STRICT;

-- A form that is sent twice is one batch; so it is with actions, print jobs and print runs.
CREATE UNIQUE INDEX batches_uid ON batches (uid);
-- Whose tokens nobody sees: asked at every look at many tokens.
CREATE INDEX batches_unmade ON batches (id) WHERE made IS NULL;

-- What was done to many tokens at once, or to one by a click, so that it can be undone. `what` is JSON. `count` tokens
-- were changed, and `refused` not, as it was not allowed.
CREATE TABLE actions (
    id        INTEGER NOT NULL PRIMARY KEY,
    uid       TEXT NOT NULL,
    what      TEXT NOT NULL,
    principal TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    refused   INTEGER NOT NULL,
    undone    INTEGER,
    undone_by TEXT,
    -- What is still to be done, piece by piece: 'staging' or 'listing' while its tokens are written down, 'changing' and
    -- 'undoing' once that is decided; 'abandoned' if it was not to be.
    pending   TEXT,
    -- The piece ended at this token, and these many tokens are done with, at this time.
    cursor    INTEGER NOT NULL DEFAULT 0,
    handled   INTEGER NOT NULL DEFAULT 0,
    touched   INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX actions_uid ON actions (uid);
-- Asked at every change of a token.
CREATE INDEX actions_pending ON actions (id) WHERE pending IS NOT NULL;

-- What each token was before an action.
CREATE TABLE action_tokens (
    action      INTEGER NOT NULL,
    token       INTEGER NOT NULL,
    -- The token's place in the selection, counted from 1: what `{n}` in a label is.
    number      INTEGER NOT NULL,
    -- The `modified` that the action left in the token: if another one stands there, somebody changed it later. Empty as
    -- long as it is not done, and when it was undone.
    stamp       INTEGER,
    -- The one that stood there before.
    modified    INTEGER NOT NULL,
    label       TEXT,
    valid_from  INTEGER,
    valid_to    INTEGER,
    usage_count INTEGER NOT NULL,
    lock_time   INTEGER NOT NULL,
    used        INTEGER NOT NULL,
    -- Why an undo left the token as it was.
    kept        TEXT,
    voided_at   INTEGER,
    voided_by   TEXT,
    void_reason TEXT,
    -- What an import makes of it, as JSON.
    target      TEXT,
    PRIMARY KEY (action, token)
) STRICT, WITHOUT ROWID;

-- An undo looks for what earlier actions left in the same tokens.
CREATE INDEX action_tokens_token ON action_tokens (token);

-- The log of attempts. It outlives tokens.
CREATE TABLE usage (
    id          INTEGER NOT NULL PRIMARY KEY,
    uid         TEXT NOT NULL,
    -- The token's number: a fifth of its uid's size, and next to the numbers of tokens made with it, as the index is
    -- a third of what a consume writes. An attempt at a uid that no token had then, or that was deleted, has none.
    token       INTEGER,
    -- What was asked for, or what the token had then.
    token_uid   TEXT,
    token_value TEXT,
    timestamp   INTEGER NOT NULL,
    principal   TEXT NOT NULL,
    -- Why it was refused; empty when it was consumed.
    error_code  INTEGER,
    -- At which gate.
    gate        INTEGER,
    -- How many uses: asked for, used, or, in an undo's entry, given back: then negative, so that successes sum to what was used.
    uses        INTEGER NOT NULL,
    -- How many of them the token lost: none, if its uses were unlimited.
    taken       INTEGER NOT NULL,
    -- From when the token's lock ran before, which an undo brings back.
    lock_before INTEGER,
    -- The uid of the use that this entry undoes.
    undoes      TEXT,
    -- The token's entry before this one, if it had any: the log of a token needs no index, which would cost each use a
    -- random page.
    previous    INTEGER
) STRICT;

-- Attempts at a uid that no token had then. Those at a token follow from its last_entry.
CREATE INDEX usage_unknown ON usage (token_uid, id) WHERE token IS NULL;
-- The log by time, with what a chart counts: grows at its end only.
CREATE INDEX usage_timestamp ON usage (timestamp, error_code, uses);
-- The same of each gate.
CREATE INDEX usage_gate ON usage (gate, timestamp, error_code, uses) WHERE gate IS NOT NULL;
-- A use is undone once.
CREATE UNIQUE INDEX usage_undoes ON usage (undoes) WHERE undoes IS NOT NULL;

-- The first success of each idempotency key, to be given again for a day. `owner` is `user:anna`, or `key:` and the uid of
-- the API key.
CREATE TABLE replies (
    owner       TEXT NOT NULL,
    key         TEXT NOT NULL,
    created     INTEGER NOT NULL,
    -- Of a use or its undo:
    token_uid   TEXT,
    value       TEXT,
    label       TEXT,
    usage_count INTEGER,
    last_used   INTEGER,
    valid_from  INTEGER,
    valid_to    INTEGER,
    -- The use's entry in the log, its gate, and how many uses: negative if it was an undo.
    usage_uid   TEXT,
    gate        INTEGER,
    uses        INTEGER,
    -- Of any other request: the digest of what was asked for, the answer as JSON, and as long as it is being done, the uid of
    -- the batch or the action that does it.
    request     TEXT,
    answer      TEXT,
    work        TEXT,
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;

-- The oldest are removed first.
CREATE INDEX replies_created ON replies (created);
-- Whoever completes a batch or an action completes its reply.
CREATE INDEX replies_work ON replies (work) WHERE work IS NOT NULL;

-- Who signs in with a password. Someone with a `disabled_at` may not.
CREATE TABLE users (
    id            INTEGER NOT NULL PRIMARY KEY,
    name          TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('scanner', 'viewer', 'editor', 'admin', 'manager')),
    created       INTEGER NOT NULL,
    modified      INTEGER NOT NULL,
    disabled_at   INTEGER,
    last_sign_in  INTEGER
) STRICT;

CREATE UNIQUE INDEX users_name ON users (name);

-- Who is signed in. The cookie holds a random id; its SHA-256 stands here, so that nobody can sign in with a backup.
CREATE TABLE sessions (
    id        INTEGER NOT NULL PRIMARY KEY,
    hash      BLOB NOT NULL,
    user_id   INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created   INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    -- From where and with which browser: users tell their sessions apart by them.
    address   TEXT NOT NULL,
    agent     TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX sessions_hash ON sessions (hash);
-- A user's sessions: to list them, and to end them all.
CREATE INDEX sessions_user ON sessions (user_id);

-- API keys. Of a key, too, only the SHA-256 is known.
CREATE TABLE keys (
    id        INTEGER NOT NULL PRIMARY KEY,
    -- Its idempotency keys belong to it, and not to the next key of this name.
    uid       TEXT NOT NULL,
    name      TEXT NOT NULL,
    hash      BLOB NOT NULL,
    role      TEXT NOT NULL CHECK (role IN ('scanner', 'viewer', 'editor', 'admin', 'manager')),
    creator   TEXT NOT NULL,
    created   INTEGER NOT NULL,
    expires   INTEGER,
    last_used INTEGER,
    -- Uses by this key are made at this gate.
    gate      INTEGER,
    -- The first characters of its text, by which people tell keys apart.
    prefix    TEXT NOT NULL,
    -- Requests a second that each instance takes; no limit if it is null.
    rate      INTEGER CHECK (rate BETWEEN 1 AND 10000),
    -- Where the last use came from.
    last_address TEXT
) STRICT;

CREATE UNIQUE INDEX keys_uid ON keys (uid);
CREATE UNIQUE INDEX keys_name ON keys (name);
CREATE UNIQUE INDEX keys_hash ON keys (hash);

-- Where tokens are used: a door, a till. `rules` is JSON. Its number stands in the log, so none is ever removed; one with a
-- `disabled_at` is not open any more.
CREATE TABLE gates (
    id          INTEGER NOT NULL PRIMARY KEY,
    uid         TEXT NOT NULL,
    name        TEXT NOT NULL,
    rules       TEXT NOT NULL,
    disabled_at INTEGER,
    created     INTEGER NOT NULL,
    changed     INTEGER NOT NULL,
    changed_by  TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX gates_uid ON gates (uid);
CREATE UNIQUE INDEX gates_name ON gates (name);

-- A setting that has no row here has its default. Values are JSON.
CREATE TABLE settings (
    name       TEXT NOT NULL PRIMARY KEY,
    value      TEXT NOT NULL,
    changed    INTEGER NOT NULL,
    changed_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What was done to users, keys, settings and tokens, and by whom; who signed in, and who could not.
CREATE TABLE audit (
    id        INTEGER NOT NULL PRIMARY KEY,
    timestamp INTEGER NOT NULL,
    principal TEXT NOT NULL,
    action    TEXT NOT NULL,
    -- To whom or what.
    subject   TEXT NOT NULL,
    -- What else is to be known.
    detail    TEXT NOT NULL DEFAULT ''
) STRICT;

-- Failed sign-ins of the last minutes, by account and by address.
CREATE TABLE attempts (
    id        INTEGER NOT NULL PRIMARY KEY,
    subject   TEXT NOT NULL,
    timestamp INTEGER NOT NULL
) STRICT;

CREATE INDEX attempts_subject ON attempts (subject, timestamp);

-- What only one may do at a time: on PostgreSQL, whoever has locked the row of that name. Here every transaction that
-- writes keeps out all others, and nobody reads this table.
CREATE TABLE advisory_locks (
    name TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

INSERT INTO advisory_locks (name) VALUES ('users'), ('settings'), ('sign_in'), ('retention'), ('index');

-- Printing more than one PDF can hold: `parts` PDFs, each a print run with these `options`. `selection` says which
-- tokens, `cursor` how far it is: both are JSON of the pages. `seen` moves as long as somebody works on it.
CREATE TABLE print_jobs (
    id        INTEGER NOT NULL PRIMARY KEY,
    uid       TEXT NOT NULL,
    principal TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    sheet     TEXT NOT NULL,
    options   TEXT NOT NULL,
    selection TEXT NOT NULL,
    total     INTEGER NOT NULL,
    printed   INTEGER NOT NULL,
    parts     INTEGER NOT NULL,
    cursor    TEXT NOT NULL,
    seen      INTEGER NOT NULL,
    ended     INTEGER,
    failure   TEXT
) STRICT;

CREATE UNIQUE INDEX print_jobs_uid ON print_jobs (uid);
-- How many labels somebody has still to come.
CREATE INDEX print_jobs_open ON print_jobs (principal) WHERE ended IS NULL;

-- Sheets that were printed: the `part` of a `job`, or by themselves.
CREATE TABLE print_runs (
    id        INTEGER NOT NULL PRIMARY KEY,
    uid       TEXT NOT NULL,
    job       INTEGER,
    part      INTEGER NOT NULL,
    principal TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    -- The sheet's slug.
    sheet     TEXT NOT NULL,
    -- JSON, with the whole geometry, as the sheet of that slug may change.
    options   TEXT NOT NULL,
    -- The first label, from 1.
    start     INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    pages     INTEGER NOT NULL,
    -- The PDF's bytes.
    size      INTEGER NOT NULL,
    -- Of the PDF and its tokens, in base64url.
    digest    TEXT NOT NULL,
    -- Empty while the PDF is being written.
    done      INTEGER
) STRICT;

CREATE UNIQUE INDEX print_runs_uid ON print_runs (uid);
-- Who prints the same again gets the same run.
CREATE UNIQUE INDEX print_runs_digest ON print_runs (principal, digest) WHERE done IS NOT NULL;
CREATE INDEX print_runs_job ON print_runs (job, part) WHERE job IS NOT NULL;
-- How many labels somebody has printed in a day.
CREATE INDEX print_runs_principal ON print_runs (principal, timestamp);
-- What was begun long ago and never done is removed.
CREATE INDEX print_runs_begun ON print_runs (timestamp) WHERE done IS NULL;

-- A run's tokens in the order of its labels, from 1.
CREATE TABLE print_run_tokens (
    run      INTEGER NOT NULL,
    position INTEGER NOT NULL,
    token    INTEGER NOT NULL,
    PRIMARY KEY (run, position)
) STRICT, WITHOUT ROWID;

-- In which runs a token was printed, and whether it was.
CREATE INDEX print_run_tokens_token ON print_run_tokens (token, run);

-- A run's PDF in pieces, from 0.
CREATE TABLE print_run_parts (
    id    INTEGER NOT NULL PRIMARY KEY,
    run   INTEGER NOT NULL,
    part  INTEGER NOT NULL,
    bytes BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX print_run_parts_part ON print_run_parts (run, part);

-- Own label sheets. Measures are micrometres; `across` and `down` count labels.
CREATE TABLE sheets (
    slug        TEXT NOT NULL PRIMARY KEY,
    name        TEXT NOT NULL,
    page_width  INTEGER NOT NULL,
    page_height INTEGER NOT NULL,
    across      INTEGER NOT NULL,
    down        INTEGER NOT NULL,
    width       INTEGER NOT NULL,
    height      INTEGER NOT NULL,
    from_left   INTEGER NOT NULL,
    from_top    INTEGER NOT NULL,
    pitch_x     INTEGER NOT NULL,
    pitch_y     INTEGER NOT NULL,
    margin      INTEGER NOT NULL,
    changed     INTEGER NOT NULL,
    changed_by  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX sheets_name ON sheets (name);

-- What each printer adds to every position, in micrometres, so that it comes out where it should.
CREATE TABLE printers (
    name       TEXT NOT NULL PRIMARY KEY,
    offset_x   INTEGER NOT NULL,
    offset_y   INTEGER NOT NULL,
    dpi        INTEGER NOT NULL,
    changed    INTEGER NOT NULL,
    changed_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The first free label of the sheet that each has in hand, from 1.
CREATE TABLE next_labels (
    principal TEXT NOT NULL,
    sheet     TEXT NOT NULL,
    label     INTEGER NOT NULL,
    PRIMARY KEY (principal, sheet)
) STRICT, WITHOUT ROWID;

-- Files of tokens that were sent to be imported, and what became of each. `stage` says what is being done with it: 'sending',
-- 'sent', 'checking', 'checked', 'importing', 'done' or 'failed'; `options` and `report` are JSON. `touched` moves as long as
-- somebody works on it. `handled` counts lines.
CREATE TABLE imports (
    id        INTEGER NOT NULL PRIMARY KEY,
    uid       TEXT NOT NULL,
    principal TEXT NOT NULL,
    created   INTEGER NOT NULL,
    touched   INTEGER NOT NULL,
    -- The file's name and bytes.
    name      TEXT NOT NULL,
    size      INTEGER NOT NULL,
    options   TEXT NOT NULL,
    stage     TEXT NOT NULL,
    handled   INTEGER NOT NULL,
    report    TEXT,
    failure   TEXT
) STRICT;

CREATE UNIQUE INDEX imports_uid ON imports (uid);

-- Such a file in pieces, from 0. They are removed when it is imported, or after a day.
CREATE TABLE import_parts (
    id     INTEGER NOT NULL PRIMARY KEY,
    import INTEGER NOT NULL,
    part   INTEGER NOT NULL,
    bytes  BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX import_parts_part ON import_parts (import, part);
