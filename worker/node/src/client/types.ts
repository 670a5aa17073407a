/** The values that a client takes and gives. */

import type { TaskOptions } from "../follow-ups.js";

/** A task to be. What is left out is decided by the kind, then the queue, then the built-in default. */
export interface NewTask extends TaskOptions {
  kind: string;
  /** The input of the handler: JSON values, and bigints of 64 bits. */
  args?: unknown;
}

/** The answer to an enqueue: the task is on the disk. */
export interface Enqueued {
  id: number;
  /** The name was taken by this same task before: nothing was added. */
  existing: boolean;
  name: string;
}

/** What a running task has told last. */
export interface TaskProgress {
  done: number | null;
  total: number | null;
  message: string | null;
  at: Date | null;
}

/** How one run ended. */
export interface Attempt {
  /** Numbers the runs of the task, from 1. */
  run: number;
  /** `ok`, `error`, `timeout`, `oom`, `signal`, `exit`, `protocol`, `lost`, `cancelled` or `recalled`. */
  outcome: string;
  detail: string;
  exitCode: number | null;
  signal: number | null;
  runMs: number;
  peakRssBytes: number | null;
  /** The last part of what it printed. */
  output: string;
}

export type State =
  | "blocked"
  | "scheduled"
  | "available"
  | "running"
  | "retryable"
  | "completed"
  | "failed"
  | "cancelled";

/**
 * A task as it stands. In a list there are no `args`, `result` and `attempts`: ask for the task to have them. Integers of
 * more than 53 bits are rounded, as ever in JSON; return them as text.
 */
export interface TaskInfo {
  id: number;
  kind: string;
  queue: string;
  state: State;
  /** Why it is failed: `attempts`, `crashes`, `rejected`, `too_many_runs` or `budget`. */
  reason: string | null;
  name: string | null;
  /** -100 to 100, lower runs first. */
  priority: number;
  /** It runs, and is cancelled once its processes are gone. */
  cancelling: boolean;
  createdAt: Date;
  /** When a scheduled or retryable task becomes available. */
  dueAt: Date | null;
  /** Of a running task. */
  startedAt: Date | null;
  finishedAt: Date | null;
  /** From available to running, before the last run. */
  waitMs: number | null;
  /** Of the last run. */
  runMs: number | null;
  /** Runs that ended by their own doing. */
  runs: number;
  /** Ends in an error or timeout. */
  attemptsSpent: number;
  /** Ends by the death of the worker or of the command. */
  crashesSpent: number;
  /** A preview: long ones are cut. */
  args: unknown;
  result: unknown;
  /** `result` is only the last part of what there was. */
  resultCut: boolean;
  /** Oldest first. A first run that succeeded is not among them. */
  attempts: Attempt[];
  progress: TaskProgress | null;
  /** Amounts by unit. */
  spent: Record<string, number>;
  /** Limits per key and fair turns go by it. */
  key: string | null;
  /** By unit: what its start is charged. Not in a list, nor is `budget`. */
  cost: Record<string, number>;
  /** By unit: what its runs may spend, and have spent. */
  budget: Record<string, { amount: number; spent: number }>;
  /** Nothing more will happen to it. */
  isFinal: boolean;
}

export interface PauseOptions {
  /** Only the tasks of this key. */
  key?: string;
  /** Time after which tasks start again by themselves: milliseconds, or a text such as "10m". */
  duration?: NewTask["delay"];
  /** For people. */
  reason?: string;
}

/** One line of a task's log. */
export interface LogLine {
  run: number | null;
  at: Date;
  /** `output` is what was printed, `log` came through the library, `supervisor` is said about the run. */
  source: string;
  level: string | null;
  text: string;
}
