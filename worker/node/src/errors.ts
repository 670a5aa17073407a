/** The errors of a worker: those that a handler throws, and those that say what is wrong. No input or output here. */

import { type Delay, delayMs } from "./duration.js";

const SCOPES = ["task", "key", "queue"] as const;
/** Who waits for a time that a handler has said. */
export type Scope = (typeof SCOPES)[number];

/** A worker put together wrongly: an illegal kind, two handlers of one kind, none at all. */
export class WorkerError extends Error {
  override readonly name = "WorkerError";
}

/**
 * Thrown by a handler: the run failed, and the task is not tried again before `delay` from now.
 *
 * `delay` is in milliseconds, or a text such as `"30s"`, `"1h30m"` or `"500ms"`; from 0 to ten years. Throws
 * `RangeError` for anything else. `scope` says who waits: `"task"`, this one; `"key"`, all tasks of its key; `"queue"`, all
 * of its queue, for a service that says "too many requests".
 */
export class RetryAfter extends Error {
  override readonly name = "RetryAfter";
  readonly delayMs: number;

  constructor(
    delay: Delay,
    message?: string,
    readonly scope: Scope = "task",
  ) {
    const exact = delayMs(delay);
    super(message ?? `try again after ${exact / 1_000} s`);
    this.delayMs = exact;
    if (!SCOPES.includes(scope)) throw new RangeError(`scope ${scope}: must be one of ${SCOPES.join(", ")}`);
  }
}

/** Thrown by a handler: the task has failed for good and is never tried again. The message is for people. */
export class Fail extends Error {
  override readonly name = "Fail";
}

/** The order that a run stop. It is the `reason` of `cx.signal`, so what obeys that signal throws it: let it pass. */
export class StopRequest extends Error {
  override readonly name = "StopRequest";

  constructor(
    /**
     * `cancel`, `timeout`, `shutdown`, `scaling`, `recycling`, `reload`, `sibling`, `budget`, `memory`, or a later
     * word.
     */
    readonly reason: string,
    /** When the process is killed, on the clock of `performance.now()`, in milliseconds. */
    readonly deadlineMs: number,
  ) {
    super(`stopped: ${reason}`);
  }
}

/** Bytes that are not the contract. `kind` is a name of section 5 of its specification, or `order` for section 4. */
export class ContractError extends Error {
  override readonly name = "ContractError";

  constructor(
    readonly kind: string,
    sentence: string,
  ) {
    super(sentence);
  }
}

/** The channel to the supervisor cannot be had, read or written. */
export class ChannelError extends Error {
  override readonly name = "ChannelError";
}
