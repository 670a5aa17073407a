/**
 * What one run says of itself, put together into few notes: progress at most ten times a second, one note that spends at
 * a time. Pure: time is an argument.
 */

import { type Outgoing, type RunRef, UNITS_MAX } from "./messages.js";
import { clip } from "./text.js";

/** Notes without spend are this far apart; what is said in between is replaced by what is said later. */
export const PROGRESS_INTERVAL_MS = 100;

export const MESSAGE_MAX_BYTES = 1024;

/** What one note may spend of one unit. */
export const AMOUNT_MAX = 2 ** 53;

/** Notes that spend and wait for their turn. More than one only when a run spends more than 16 units at once. */
export const UNSENT_MAX_NOTES = 64;

/** How far a run is, as it was said last. */
export interface Progress {
  done: number | null;
  total: number | null;
  message: string | null;
}

/** The notes of one run: what was said and not sent, and what was sent and not acknowledged. */
export class Notes {
  #progress: Progress = { done: null, total: null, message: null };
  #isFresh = false;
  #progressAtMs: number | undefined;
  #unsent: Record<string, number>[] = [];
  #sentSeq = 0;
  #ackedSeq = 0;

  constructor(readonly run: RunRef) {}

  /** Replaces what was said before, but keeps the message when there is no new one. */
  progress(done: number, total: number | null, message: string | null): void {
    const kept = message === null ? this.#progress.message : clip(message, MESSAGE_MAX_BYTES);
    this.#progress = { done, total, message: kept };
    this.#isFresh = true;
  }

  /** Replaces the message alone. */
  say(message: string): void {
    this.#progress = { ...this.#progress, message: clip(message, MESSAGE_MAX_BYTES) };
    this.#isFresh = true;
  }

  /** Adds up. Gives the number of the note that will tell it. Throws `RangeError` when too many notes wait. */
  spend(unit: string, amount: number): number {
    const last = this.#unsent.at(-1);
    if (amount > 0 && last !== undefined && hasRoom(last, unit, amount)) {
      last[unit] = (last[unit] ?? 0) + amount;
    } else if (amount > 0) {
      if (this.#unsent.length === UNSENT_MAX_NOTES) {
        throw new RangeError(`${UNSENT_MAX_NOTES * UNITS_MAX} units are spent and not stored; await one of them first`);
      }
      this.#unsent.push({ [unit]: amount });
    }
    return this.#sentSeq + this.#unsent.length;
  }

  /** Takes an ack; false when no note waits for it. */
  acked(seq: number | bigint): boolean {
    if (this.#ackedSeq === this.#sentSeq || seq !== this.#sentSeq) return false;
    this.#ackedSeq = seq;
    return true;
  }

  get ackedSeq(): number {
    return this.#ackedSeq;
  }

  /** True when all that was spent is acknowledged. */
  get isSettled(): boolean {
    return this.#unsent.length === 0 && !this.#awaitsAck;
  }

  get #awaitsAck(): boolean {
    return this.#ackedSeq !== this.#sentSeq;
  }

  /** When there is something to send: now, later, or (undefined) not before something else happens. */
  dueAtMs(nowMs: number): number | undefined {
    if (this.#unsent.length > 0 && !this.#awaitsAck) return nowMs;
    if (!this.#isFresh) return undefined;
    return this.#progressAtMs === undefined ? nowMs : Math.max(nowMs, this.#progressAtMs + PROGRESS_INTERVAL_MS);
  }

  /** The note that is to be sent now. */
  take(nowMs: number): Outgoing | undefined {
    const dueAtMs = this.dueAtMs(nowMs);
    return dueAtMs === undefined || dueAtMs > nowMs ? undefined : this.#note(nowMs);
  }

  /** The progress that was not told yet, however soon after the last: the run is about to be answered. */
  takeLast(nowMs: number): Outgoing | undefined {
    return this.#isFresh ? this.#note(nowMs) : undefined;
  }

  #note(nowMs: number): Outgoing {
    const body: Extract<Outgoing, { name: "note" }>["body"] = { ...this.run };
    if (this.#isFresh) {
      Object.assign(body, this.#progress);
      this.#isFresh = false;
      this.#progressAtMs = nowMs;
    }
    if (this.#unsent.length > 0 && !this.#awaitsAck) {
      this.#sentSeq += 1;
      body.spend = this.#unsent.shift()!;
      body.seq = this.#sentSeq;
    }
    return { name: "note", body };
  }
}

function hasRoom(spend: Record<string, number>, unit: string, amount: number): boolean {
  const isKnown = Object.hasOwn(spend, unit);
  // Beyond the limit sums are not exact any more.
  return isKnown ? spend[unit]! <= AMOUNT_MAX - amount : Object.keys(spend).length < UNITS_MAX;
}
