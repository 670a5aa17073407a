-- Who must wait, and what a start costs: lanes, gates, meters. A rank is computed now, from `since` and the priority, so that
-- the worth of a step of priority may change.

ALTER TABLE task RENAME COLUMN rank TO since;          -- by the queue clock: when it became available first
UPDATE task SET since = since - priority * 60000000;
ALTER TABLE task ADD COLUMN key TEXT;                   -- fairness and limits go by it

ALTER TABLE tally RENAME COLUMN rank TO since;
UPDATE tally SET since = since - (SELECT priority FROM task WHERE task.id = tally.id) * 60000000;
ALTER TABLE tally ADD COLUMN priority INTEGER;          -- absent means the body's

ALTER TABLE running RENAME COLUMN rank TO since;
UPDATE running SET since = since - (SELECT priority FROM task WHERE task.id = running.id) * 60000000;

ALTER TABLE ready ADD COLUMN key TEXT;                  -- of the lane that admitted it; its rank is a turn in a fair queue

-- Available tasks that wait until their lane may have one more in `ready`.
CREATE TABLE lane (
    queue TEXT    NOT NULL,
    key   TEXT    NOT NULL,
    rank  INTEGER NOT NULL,
    id    INTEGER NOT NULL,
    PRIMARY KEY (queue, key, rank, id)
) WITHOUT ROWID;

-- Available tasks that are between two ways of standing in line, after the configuration of their queue has changed.
CREATE TABLE relay (
    id INTEGER PRIMARY KEY
);

-- Queues (their key is '') and keys that start nothing.
CREATE TABLE gate (
    queue  TEXT NOT NULL,
    key    TEXT NOT NULL,
    until  INTEGER,                                     -- absent means until somebody opens it
    reason TEXT NOT NULL,
    PRIMARY KEY (queue, key)
) WITHOUT ROWID;

-- What was let through within the last period, in slots, and what is owed.
CREATE TABLE meter (
    queue   TEXT    NOT NULL,
    unit    TEXT    NOT NULL,
    allowed INTEGER NOT NULL,                           -- this and the next: the rate under which it was counted
    per_us  INTEGER NOT NULL,
    slot    INTEGER NOT NULL,
    charged BLOB    NOT NULL,                           -- eight bytes a slot, big-endian
    debt    INTEGER NOT NULL,
    PRIMARY KEY (queue, unit)
) WITHOUT ROWID;

-- What the start of a task is charged on the meters of its queue; a unit that is absent goes by its meter.
CREATE TABLE cost (
    task   INTEGER NOT NULL,
    unit   TEXT    NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (task, unit)
) WITHOUT ROWID;

-- What all runs of a task may spend, and have spent since it was enqueued or tried again.
CREATE TABLE budget (
    task   INTEGER NOT NULL,
    unit   TEXT    NOT NULL,
    amount INTEGER NOT NULL,
    spent  INTEGER NOT NULL,
    PRIMARY KEY (task, unit)
) WITHOUT ROWID;

-- How the tasks of a queue stand in line; absent means by rank, with a minute for a step of priority.
CREATE TABLE layout (
    queue      TEXT    PRIMARY KEY,
    is_fair    INTEGER NOT NULL,
    aging_step INTEGER NOT NULL
) WITHOUT ROWID;
