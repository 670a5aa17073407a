-- Where a task stands is which phase table its row is in: ready, later, running or final. `task` is never updated.

CREATE TABLE store (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    uid         BLOB    NOT NULL,           -- of this database; every worker's tag begins with it
    next_task   INTEGER NOT NULL,           -- ids are never reused
    next_worker INTEGER NOT NULL,
    clock_us    INTEGER NOT NULL            -- the queue clock: time that a supervisor was up
);
INSERT INTO store VALUES (1, randomblob(8), 1, 1, 0);

CREATE TABLE task (
    id           INTEGER PRIMARY KEY,
    kind         TEXT    NOT NULL,
    queue        TEXT    NOT NULL,
    priority     INTEGER NOT NULL,
    rank         INTEGER NOT NULL,          -- of its first availability, unless tally has another
    args         BLOB    NOT NULL,
    name         TEXT,
    timeout_ms   INTEGER,                   -- this and the two below: absent means by kind
    max_attempts INTEGER,
    max_crashes  INTEGER,
    created_at   INTEGER NOT NULL           -- all times: microseconds since 1970
);

CREATE TABLE ready (
    queue TEXT    NOT NULL,
    rank  INTEGER NOT NULL,
    id    INTEGER NOT NULL,
    PRIMARY KEY (queue, rank, id)
) WITHOUT ROWID;

CREATE TABLE later (
    id     INTEGER PRIMARY KEY,
    due_at INTEGER NOT NULL,
    state  INTEGER NOT NULL
);
CREATE INDEX later_due ON later (due_at, id);

CREATE TABLE running (
    id         INTEGER PRIMARY KEY,
    epoch      INTEGER NOT NULL,
    rank       INTEGER NOT NULL,
    wait_us    INTEGER NOT NULL,
    claimed_at INTEGER NOT NULL,
    stop       INTEGER NOT NULL             -- 1: cancelled, to be stopped
);

CREATE TABLE final (
    state       INTEGER NOT NULL,
    id          INTEGER NOT NULL,
    reason      INTEGER,
    epoch       INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    wait_us     INTEGER NOT NULL,           -- of the last run, as the queue clock counts
    run_us      INTEGER NOT NULL,
    cut         INTEGER NOT NULL,
    PRIMARY KEY (state, id)
) WITHOUT ROWID;

CREATE TABLE result (
    id    INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL
);

-- What a task has spent. Absent means zeros and the body's rank.
CREATE TABLE tally (
    id       INTEGER PRIMARY KEY,
    epoch    INTEGER NOT NULL,
    runs     INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    crashes  INTEGER NOT NULL,
    lost     INTEGER NOT NULL,
    rank     INTEGER NOT NULL
);

-- How each run ended; a first run that succeeds has no row.
CREATE TABLE attempt (
    task           INTEGER NOT NULL,
    epoch          INTEGER NOT NULL,
    outcome        INTEGER NOT NULL,
    detail         TEXT    NOT NULL,
    code           INTEGER,
    signal         INTEGER,
    peak_rss_bytes INTEGER,
    cpu_ms         INTEGER,
    started_at     INTEGER NOT NULL,
    ended_at       INTEGER NOT NULL,
    run_us         INTEGER NOT NULL,
    worker         INTEGER,
    pid            INTEGER,
    output         BLOB    NOT NULL,
    PRIMARY KEY (task, epoch)
);

CREATE TABLE name (
    name TEXT    PRIMARY KEY,
    id   INTEGER NOT NULL
) WITHOUT ROWID;

-- Every process that may run tasks, from before its first run until it is proven dead.
CREATE TABLE worker (
    id         INTEGER PRIMARY KEY,
    pool       TEXT    NOT NULL,
    pid        INTEGER NOT NULL,
    start_time INTEGER NOT NULL,            -- in clock ticks since boot, as /proc/PID/stat has it
    boot_id    TEXT    NOT NULL,
    tag        TEXT    NOT NULL,
    started_at INTEGER NOT NULL
);

-- The kinds that each pool's workers said that they can run, in their last hello.
CREATE TABLE offer (
    pool TEXT NOT NULL,
    kind TEXT NOT NULL,
    PRIMARY KEY (pool, kind)
) WITHOUT ROWID;
