-- Printing more than one PDF can hold. `selection` says which tokens, `cursor` how far it is: both are JSON of the pages.
-- `seen` moves as long as somebody works on it.
CREATE TABLE print_jobs (
    id        INTEGER NOT NULL PRIMARY KEY,
    uid       TEXT NOT NULL UNIQUE,
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

-- Sheets that were printed. `options` is JSON, with the whole geometry, as the sheet of that slug may change. `done` is
-- empty while its PDF is being written. `digest` is of the PDF and its tokens, in base64url.
CREATE TABLE print_runs (
    id        INTEGER NOT NULL PRIMARY KEY,
    uid       TEXT NOT NULL UNIQUE,
    job       INTEGER,
    part      INTEGER NOT NULL,
    principal TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    sheet     TEXT NOT NULL,
    options   TEXT NOT NULL,
    start     INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    pages     INTEGER NOT NULL,
    size      INTEGER NOT NULL,
    digest    TEXT NOT NULL,
    done      INTEGER
) STRICT;

CREATE UNIQUE INDEX print_runs_digest ON print_runs (principal, digest) WHERE done IS NOT NULL;
CREATE INDEX print_runs_job ON print_runs (job, part) WHERE job IS NOT NULL;
CREATE INDEX print_runs_begun ON print_runs (timestamp) WHERE done IS NULL;

-- A run's tokens in the order of its labels, from 1.
CREATE TABLE print_run_tokens (
    run      INTEGER NOT NULL,
    position INTEGER NOT NULL,
    token    INTEGER NOT NULL,
    PRIMARY KEY (run, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX print_run_tokens_token ON print_run_tokens (token, run);

-- A run's PDF in pieces, from 0.
CREATE TABLE print_run_parts (
    id    INTEGER NOT NULL PRIMARY KEY,
    run   INTEGER NOT NULL,
    part  INTEGER NOT NULL,
    bytes BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX print_run_parts_part ON print_run_parts (run, part);

-- Own label sheets. Measures are micrometres.
CREATE TABLE sheets (
    slug        TEXT NOT NULL PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
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
