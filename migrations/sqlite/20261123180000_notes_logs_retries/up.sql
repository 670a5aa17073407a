-- What runs say of themselves while they run, what they print, and which tasks were tried again by hand.

-- The last progress of a task; of the run `epoch`.
CREATE TABLE progress (
    id       INTEGER PRIMARY KEY,
    epoch    INTEGER NOT NULL,
    done     REAL,                          -- of `total`, in units of the handler's own
    total    REAL,
    message  TEXT,
    noted_at INTEGER NOT NULL
);

-- What a task has spent in all its runs, by unit.
CREATE TABLE spend (
    task   INTEGER NOT NULL,
    unit   TEXT    NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (task, unit)
) WITHOUT ROWID;

-- What a run printed: parts in order, with a gap where the middle of a long log was.
CREATE TABLE log (
    task  INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    part  INTEGER NOT NULL,
    bytes BLOB    NOT NULL,
    PRIMARY KEY (task, epoch, part)
);

-- A final task that was made available again: its budgets count the runs after `epoch`.
CREATE TABLE retry (
    task       INTEGER NOT NULL,
    epoch      INTEGER NOT NULL,
    retried_at INTEGER NOT NULL,
    PRIMARY KEY (task, epoch)
) WITHOUT ROWID;
