/** The follow-up tasks of one run, checked as they are added. They leave with its result. Pure. */

import { type Delay, delayMs } from "./duration.js";
import { FOLLOW_UPS_MAX, type FollowUp, UNITS_MAX } from "./messages.js";
import { checkName } from "./text.js";
import { pack } from "./values.js";

/** Args of all follow-ups of a run together. */
export const FOLLOW_UPS_ARGS_MAX_BYTES = 1024 * 1024;
/** Of a name and of a key. */
const LINE_MAX_BYTES = 512;
const COST_MAX = 2 ** 32 - 1;
const PRIORITY_MAX = 100;
const BUDGET_MAX_RUNS = 1000;
const TIMEOUT_MAX_MS = 365 * 24 * 60 * 60 * 1000;

/** What a task may say beside its kind and args. What is left out is decided by the kind, then the queue. */
export interface TaskOptions {
  /** Its unique name: when a task of that name is there, it stands for this one. One line, at most 512 bytes. */
  name?: string | undefined;
  queue?: string | undefined;
  /** -100 to 100, lower runs first; or a name: `critical`, `high`, `normal`, `low`, `bulk`. */
  priority?: number | string | undefined;
  /** Time until it may run: milliseconds, or a text such as `"30s"`. */
  delay?: Delay | undefined;
  /** Time that one run may take, spelled as `delay`; from 1 ms to a year. */
  timeout?: Delay | undefined;
  /** Runs that may end in an error or timeout, 1 to 1000; the last of them fails the task. */
  maxAttempts?: number | undefined;
  /** Runs that may end in a crash, 1 to 1000; the last of them fails the task. */
  maxCrashes?: number | undefined;
  /** Whose task it is, such as a customer: limits per key and fair turns go by it. One line, at most 512 bytes. */
  key?: string | undefined;
  /** By unit, such as `tokens`: what its start is charged where its queue has a rate for the unit, 0 and more. */
  cost?: Record<string, number> | undefined;
  /** By unit: what all its runs may spend, 0 and more. The run that spends more is stopped, and the task has failed. */
  budget?: Record<string, number> | undefined;
}

/** What was added so far. */
export class FollowUps {
  readonly list: FollowUp[] = [];
  #argsBytes = 0;

  /** Throws `RangeError` for what no task can have and for too many, `CannotTravel` for such args. */
  add(kind: string, args: unknown, options: TaskOptions): void {
    if (this.list.length === FOLLOW_UPS_MAX) throw new RangeError(`a run has at most ${FOLLOW_UPS_MAX} follow-ups`);
    const followUp = { kind, args: pack(args, "args"), ...spelled(kind, options) };
    const argsBytes = this.#argsBytes + followUp.args.length;
    if (argsBytes > FOLLOW_UPS_ARGS_MAX_BYTES) {
      const limit = `args of all follow-ups of a run have at most ${FOLLOW_UPS_ARGS_MAX_BYTES} bytes`;
      throw new RangeError(`${limit}; write them to a file and pass its path`);
    }
    this.#argsBytes = argsBytes;
    this.list.push(followUp);
  }
}

function spelled(kind: string, options: TaskOptions): Partial<FollowUp> {
  checkName("kind", kind);
  const { name, queue, priority, delay, timeout, maxAttempts, maxCrashes, key, cost, budget } = options;
  if (queue !== undefined) checkName("queue", queue);
  if (name !== undefined) checkLine("name", name);
  if (key !== undefined) checkLine("key", key);
  checkAmounts("cost", cost, COST_MAX);
  checkAmounts("budget", budget, Number.MAX_SAFE_INTEGER);
  if (typeof priority === "number") checkWhole("priority", priority, -PRIORITY_MAX, PRIORITY_MAX);
  if (maxAttempts !== undefined) checkWhole("maxAttempts", maxAttempts, 1, BUDGET_MAX_RUNS);
  if (maxCrashes !== undefined) checkWhole("maxCrashes", maxCrashes, 1, BUDGET_MAX_RUNS);
  const timeoutMs = timeout === undefined ? undefined : delayMs(timeout);
  if (timeoutMs !== undefined) checkWhole("timeout", timeoutMs, 1, TIMEOUT_MAX_MS);
  const given = {
    queue,
    name,
    priority,
    delay_ms: delay === undefined ? undefined : delayMs(delay),
    timeout_ms: timeoutMs,
    max_attempts: maxAttempts,
    max_crashes: maxCrashes,
    key,
    cost,
    budget,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function checkLine(what: string, text: string): void {
  if (!/^\P{C}+$/u.test(text) || Buffer.byteLength(text) > LINE_MAX_BYTES) {
    throw new RangeError(`${what} ${JSON.stringify(text)}: one line of printable text, at most ${LINE_MAX_BYTES} bytes`);
  }
}

function checkAmounts(what: string, byUnit: Record<string, number> | undefined, most: number): void {
  const units = Object.entries(byUnit ?? {});
  if (units.length > UNITS_MAX) throw new RangeError(`${what} has ${units.length} units, the limit is ${UNITS_MAX}`);
  for (const [unit, amount] of units) {
    checkName("unit", unit);
    checkWhole(`${what} of ${unit}`, amount, 0, most);
  }
}

function checkWhole(what: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${what} ${value}: must be an integer from ${least} to ${most}`);
  }
}
