/**
 * The channel to the supervisor: taking it away from the rest of the process, and writing frames to it, one thread at a
 * time. What is in a frame is not known here.
 */

import fs from "node:fs";
import { isMainThread } from "node:worker_threads";

import { ChannelError } from "./errors.js";

const COOKIE_VARIABLE = "MUTIRAO_COOKIE";
const CHANNEL_VARIABLE = "MUTIRAO_CHANNEL";

/** The pause before a write is tried again on a descriptor that does not wait by itself. */
const FULL_PAUSE_MS = 1;

/** Places in the memory that the threads share. */
const LOCK = 0;
const IS_SILENT = 1;
const NEVER = 2;
const PLACES = 3;

/** What a thread needs to write to the channel. It can be handed to another thread. */
export interface Writers {
  /** Waits while the channel is full. */
  patient: number;
  /** Does not wait where that can be had, which is on pipes. */
  hasty: number;
  shared: Int32Array;
}

/** Writes whole frames. Each thread has its own; the lock in shared memory keeps frames apart. */
export class FrameWriter {
  constructor(readonly writers: Writers) {}

  static over(patient: number, hasty: number): FrameWriter {
    return new FrameWriter({ patient, hasty, shared: new Int32Array(new SharedArrayBuffer(4 * PLACES)) });
  }

  /**
   * Writes all of the bytes, whole frames; when this returns they have left the process. With `isLast`, nothing is
   * written after them by anybody. Throws `ChannelError`.
   */
  write(bytes: Uint8Array, isLast = false): void {
    const { patient, shared } = this.writers;
    while (Atomics.compareExchange(shared, LOCK, 0, 1) !== 0) Atomics.wait(shared, LOCK, 1);
    try {
      for (let at = 0; at < bytes.length; ) at += writeSome(patient, bytes, at) ?? this.#pause();
      if (isLast) Atomics.store(shared, IS_SILENT, 1);
    } finally {
      this.#unlock();
    }
  }

  /** Writes one small frame, or nothing when that would mean to wait: somebody is writing, or the channel is full. */
  tryWrite(bytes: Uint8Array): void {
    const { hasty, shared } = this.writers;
    if (this.isSilent || Atomics.compareExchange(shared, LOCK, 0, 1) !== 0) return;
    try {
      if (!this.isSilent) writeSome(hasty, bytes, 0);
    } finally {
      this.#unlock();
    }
  }

  /** The last frame has been written. */
  get isSilent(): boolean {
    return Atomics.load(this.writers.shared, IS_SILENT) === 1;
  }

  #unlock(): void {
    Atomics.store(this.writers.shared, LOCK, 0);
    Atomics.notify(this.writers.shared, LOCK);
  }

  #pause(): number {
    Atomics.wait(this.writers.shared, NEVER, 0, FULL_PAUSE_MS);
    return 0;
  }
}

/** How many bytes were written; undefined when the channel is full. */
function writeSome(descriptor: number, bytes: Uint8Array, at: number): number | undefined {
  try {
    return fs.writeSync(descriptor, bytes, at);
  } catch (error) {
    if (codeOf(error) === "EAGAIN") return undefined;
    throw new ChannelError(`cannot write to the supervisor: ${words(error)}`);
  }
}

/** The channel of this process. */
export interface Channel {
  reader: number;
  writer: FrameWriter;
  cookie: string;
}

/** Takes the channel when a supervisor has started this process; undefined when not, and then nothing is changed. */
function take(env: NodeJS.ProcessEnv): Channel | undefined {
  const cookie = env[COOKIE_VARIABLE];
  const name = env[CHANNEL_VARIABLE] ?? "stdio";
  // A program that is started from here must not take its own stdin and stdout for a channel.
  delete env[COOKIE_VARIABLE];
  delete env[CHANNEL_VARIABLE];
  if (cookie === undefined) return undefined;
  if (name === "stdio") return { ...takeStdio(), cookie };
  if (name === "fd3") return { ...takeFd3(), cookie };
  throw new ChannelError(`this package speaks over \`stdio\` and \`fd3\`, not over ${JSON.stringify(name)}`);
}

/** Node marks what it was started with as close-on-exec by itself. */
function takeFd3(): Omit<Channel, "cookie"> {
  // What is not given is not free: Node has put descriptors of its own there.
  if (![3, 4].every(isChannel)) {
    throw new ChannelError("descriptors 3 and 4 are no channel; start the worker from a supervisor");
  }
  return { reader: 3, writer: FrameWriter.over(4, reopened(4, fs.constants.O_NONBLOCK) ?? 4) };
}

function isChannel(descriptor: number): boolean {
  const stats = fs.fstatSync(descriptor);
  return stats.isFIFO() || stats.isSocket();
}

/**
 * Opens the pipes on 0 and 1 anew, private and close-on-exec, then fills their places: Node cannot duplicate
 * descriptors, but the lowest free number is given to what is opened next.
 */
function takeStdio(): Omit<Channel, "cookie"> {
  const { O_RDONLY, O_WRONLY, O_APPEND, O_NONBLOCK } = fs.constants;
  try {
    const reader = reopen(0, O_RDONLY);
    const writer = FrameWriter.over(reopen(1, O_WRONLY), reopen(1, O_WRONLY | O_NONBLOCK));
    // Proven possible before anything is closed.
    fs.closeSync(reopen(2, O_WRONLY | O_APPEND));
    fs.closeSync(0);
    expectNumber(0, fs.openSync("/dev/null", "r"));
    fs.closeSync(1);
    expectNumber(1, reopen(2, O_WRONLY | O_APPEND));
    return { reader, writer };
  } catch (error) {
    const why = `cannot take over stdin and stdout: ${words(error)}`;
    throw new ChannelError(`${why}; Node can do so only with pipes of its own user: set channel = "fd3" for the pool`);
  }
}

function reopen(descriptor: number, flags: number): number {
  return fs.openSync(`/proc/self/fd/${descriptor}`, flags);
}

function reopened(descriptor: number, flags: number): number | undefined {
  try {
    return reopen(descriptor, fs.constants.O_WRONLY | flags);
  } catch {
    // A socket cannot be opened anew.
    return undefined;
  }
}

function expectNumber(wanted: number, given: number): void {
  if (given !== wanted) throw new ChannelError(`descriptor ${wanted} was taken by something else`);
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

let taken: Channel | ChannelError | undefined;

/** Takes the channel, once, when the package is imported. What goes wrong is told by `claimed`. */
export function claim(): void {
  try {
    if (isMainThread) taken = take(process.env);
  } catch (error) {
    if (!(error instanceof ChannelError)) throw error;
    taken = error;
  }
}

/** The channel of this process; undefined without a supervisor. Throws `ChannelError`. */
export function claimed(): Channel | undefined {
  if (taken instanceof ChannelError) throw taken;
  return taken;
}
