/** What a handler is given: facts about its run, the wish that it stop, and ways to tell how it goes. Decides nothing. */

import { AsyncLocalStorage } from "node:async_hooks";

import type { StopRequest } from "./errors.js";
import type { Id } from "./fields.js";
import { FollowUps, type TaskOptions } from "./follow-ups.js";
import type { FollowUp, Level } from "./messages.js";
import { AMOUNT_MAX } from "./notes.js";
import type { StopSign } from "./stop.js";
import { checkName, clip } from "./text.js";

/** One line of the log; the rest is cut off. */
export const LOG_MAX_BYTES = 8 * 1024;

/** What is known of a run when it starts. */
export interface Facts {
  task: Id;
  epoch: Id;
  kind: string;
  attempt: number;
  effectKey: string;
  /** On the clock of `performance.now()`, in milliseconds; undefined means no limit. */
  deadlineMs: number | undefined;
  /** The supervisor takes follow-ups. */
  takesFollowUps: boolean;
}

/** Where what a run tells goes. Nothing happens once the run is answered. */
export interface Outlet {
  progress(done: number, total: number | null, message: string | null): void;
  note(message: string): void;
  spend(unit: string, amount: number): Promise<boolean>;
  log(level: Level, text: string): void;
  retire(): void;
  /** Takes note of what has arrived, also while a handler does not give way. */
  look(): void;
}

/** One run of one task, as its handler sees it. Every method may be called also after the run's end. */
export class Context {
  readonly #facts: Facts;
  readonly #sign: StopSign;
  readonly #outlet: Outlet;
  readonly #followUps = new FollowUps();

  /** What the task was given, as it came, before any schema; undefined when it was given nothing. */
  readonly args: unknown;

  constructor(facts: Facts, args: unknown, sign: StopSign, outlet: Outlet) {
    this.#facts = facts;
    this.#sign = sign;
    this.#outlet = outlet;
    this.args = args;
  }

  /** The task's number. A bigint beyond 2 ** 53. */
  get task(): Id {
    return this.#facts.task;
  }

  /** Counts the leases of the task: what a service outside needs to refuse a run that was replaced. */
  get epoch(): Id {
    return this.#facts.epoch;
  }

  /** 1 in the first run. */
  get attempt(): number {
    return this.#facts.attempt;
  }

  /** The kind that the task was enqueued as. */
  get kind(): string {
    return this.#facts.kind;
  }

  /** The same in all runs of a task: send it along with effects outside, so that they happen once. */
  get effectKey(): string {
    return this.#facts.effectKey;
  }

  /** Milliseconds until the run is stopped, 0 or more; undefined means no limit. */
  timeLeftMs(): number | undefined {
    const { deadlineMs } = this.#facts;
    return deadlineMs === undefined ? undefined : Math.max(0, deadlineMs - performance.now());
  }

  /**
   * How far the run is, in units of its own, such as 3 of 10. The last word of each 100 ms is sent.
   *
   * Without `message` the last one stays; it is cut off at 1 KiB. Throws `RangeError` for what is no finite number.
   */
  progress(done: number, total?: number, message?: string): void {
    this.#outlet.progress(finite("done", done), total === undefined ? null : finite("total", total), message ?? null);
  }

  /** What the run is doing, in one line of at most 1 KiB. Numbers of `progress` stay as they are. */
  note(message: string): void {
    this.#outlet.note(message);
  }

  /**
   * Adds `amount` (0 to 2 ** 53) of `unit` (a name such as `tokens`) to what the task has cost.
   *
   * The promise gives true once that is on the disk, false when nobody is left to store it; it is never broken. Await
   * it before the next step that costs, or do not await it: a run is not answered before all is stored. Throws
   * `RangeError` for another unit or amount, and when over 1,024 units wait to be stored.
   */
  spend(unit: string, amount: number): Promise<boolean> {
    checkName("unit", unit);
    if (!Number.isInteger(amount) || amount < 0 || amount > AMOUNT_MAX) {
      throw new RangeError(`amount ${amount} of ${unit}: must be an integer from 0 to 2 ** 53`);
    }
    return this.#outlet.spend(unit, amount);
  }

  /** Writes a line to the log of the run, cut off at 8 KiB. */
  log(level: Level, text: string): void {
    this.#outlet.log(level, clip(text, LOG_MAX_BYTES));
  }

  debug(text: string): void {
    this.log("debug", text);
  }

  info(text: string): void {
    this.log("info", text);
  }

  warn(text: string): void {
    this.log("warn", text);
  }

  error(text: string): void {
    this.log("error", text);
  }

  /**
   * Adds a follow-up task. All of them come to be in the moment in which the result is kept; when the run does not end
   * well, none does. At most 1,000, with args of 1 MiB together.
   *
   * Throws `RangeError` for what no task can have, and `Error` when the supervisor is too old to take follow-ups.
   */
  enqueue(kind: string, args?: unknown, options: TaskOptions = {}): void {
    if (!this.#facts.takesFollowUps) throw new Error("the supervisor takes no follow-up tasks; use a Client, or update it");
    this.#followUps.add(kind, args, options);
  }

  /** The follow-ups so far. */
  get followUps(): readonly FollowUp[] {
    return this.#followUps.list;
  }

  /** Has the worker leave by itself, once this run and those beside it are answered. Another one is started for it. */
  retire(): void {
    this.#outlet.retire();
  }

  /** Aborted when the run shall stop, with the `StopRequest` as its reason: give it to whatever waits. */
  get signal(): AbortSignal {
    return this.#sign.signal;
  }

  /** Why the run shall stop, and when the process is killed; undefined while it may go on. Up to date in any loop. */
  get stop(): StopRequest | undefined {
    this.#outlet.look();
    return this.#sign.order;
  }

  /** True once the run shall stop: save what is needed and return, or call `check`. */
  get stopping(): boolean {
    return this.stop !== undefined;
  }

  /** Throws the `StopRequest` once the run shall stop. */
  check(): void {
    if (this.stop !== undefined) throw this.#sign.order;
  }
}

const storage = new AsyncLocalStorage<Context>();

/** The context of the run that this code is a part of; undefined outside of any. */
export function current(): Context | undefined {
  return storage.getStore();
}

/** Calls `work` with a context as the current one, also for all that `work` starts. */
export function within<T>(context: Context, work: () => T): T {
  return storage.run(context, work);
}

function finite(name: string, value: number): number {
  if (!Number.isFinite(value)) throw new RangeError(`${name} ${value}: must be a finite number`);
  return value;
}
