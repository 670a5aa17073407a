/** `Client`: asks a supervisor. What it sends and reads is in `client/`. */

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import * as answers from "./client/answers.js";
import { ClientError, Refused, TaskCancelled, TaskFailed, Unreachable, WaitTimeout } from "./client/errors.js";
import { type Place, choose } from "./client/place.js";
import * as requests from "./client/requests.js";
import type { Request } from "./client/requests.js";
import { type Lost, RETRY_FOR_MS, judge } from "./client/retry.js";
import type { Enqueued, LogLine, NewTask, PauseOptions, State, TaskInfo } from "./client/types.js";
import { type Stream, Wire } from "./client/wire.js";
import type { TaskOptions } from "./follow-ups.js";

/** One request for the end of a task, at most; the supervisor's limit is twice this. */
const WAIT_SLICE_MS = 30_000;
/** The pause after a task that had not ended was answered before the time, as a supervisor does that stops. */
const EARLY_ANSWER_PAUSE_MS = 100;
/** A line of a log, at most; the supervisor's are far shorter. */
const LOG_LINE_MAX_BYTES = 1024 * 1024;

export interface ClientOptions {
  /** The database of the supervisor, whose lock file names the socket. */
  db?: string;
  /** The socket itself. */
  socket?: string;
  /** How long a request is tried again, in milliseconds; 0 is never. 30,000 by default. */
  retryForMs?: number;
  clock?: () => number;
  pause?: (ms: number) => Promise<unknown>;
  newName?: () => string;
}

/** For how long to wait, in milliseconds; without it, as long as it takes. */
export interface WaitOptions {
  timeoutMs?: number;
}

/**
 * Asks the supervisor of a database: that of `socket`, else of `db`, else of the environment (MUTIRAO_SOCKET, then
 * MUTIRAO_DB), else of `./queue.db`. Nothing is opened before the first request.
 *
 * A request that finds nobody, breaks off, or is answered with "not now" is sent again for `retryForMs`, since a
 * supervisor may be restarting. Every task has a name, so this never adds one twice.
 *
 * All methods throw `ClientError`: `Unreachable`, `Refused` or `Unavailable`.
 */
export class Client {
  readonly #wire: Wire;
  readonly #retryForMs: number;
  readonly #clock: () => number;
  readonly #pause: (ms: number) => Promise<unknown>;
  readonly #newName: () => string;

  constructor(options: ClientOptions = {}) {
    const place: Place = choose(options, process.env, process.cwd());
    this.#wire = new Wire(place);
    this.#retryForMs = options.retryForMs ?? RETRY_FOR_MS;
    this.#clock = options.clock ?? (() => performance.now());
    this.#pause = options.pause ?? sleep;
    this.#newName = options.newName ?? (() => `js-${randomUUID()}`);
  }

  /**
   * Adds a task; returns once it is on the disk.
   *
   * Under a `name` that the same task has already, nothing is added; another task's name is `Refused`.
   */
  async enqueue(kind: string, args?: unknown, options: TaskOptions = {}): Promise<Enqueued> {
    const name = options.name ?? this.#newName();
    return this.#one(requests.enqueue(requests.specJson({ ...options, kind, args }, name)), answers.enqueued(name));
  }

  /**
   * Adds any number of tasks, in slices of at most 1,000 and 4 MiB. Each slice is all or nothing.
   *
   * An error has the `index` of the task that is at fault, and what earlier slices have `added`.
   */
  async bulk(tasks: Iterable<NewTask>): Promise<Enqueued[]> {
    const names: string[] = [];
    const specs = Array.from(tasks, (task, index) => {
      names.push(task.name ?? this.#newName());
      return atIndex(index, () => requests.specJson(task, names[index]!));
    });
    const added: Enqueued[] = [];
    for (const { from, to } of requests.slices(specs.map((spec) => Buffer.byteLength(spec)))) {
      try {
        added.push(...(await this.#one(requests.bulk(specs.slice(from, to)), answers.bulk(names.slice(from, to)))));
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
        error.added = added;
        if (error.index !== undefined) error.index += from;
        throw error;
      }
    }
    return added;
  }

  /** The task as it stands. */
  get(id: number): Promise<TaskInfo> {
    return this.#one(requests.task(id), answers.task);
  }

  /** The task once it has ended, however it did. Survives a restart of the supervisor. Throws `WaitTimeout`. */
  async wait(id: number, { timeoutMs = Infinity }: WaitOptions = {}): Promise<TaskInfo> {
    const untilMs = this.#clock() + timeoutMs;
    for (;;) {
      const askedAtMs = this.#clock();
      const sliceMs = Math.max(0, Math.min(WAIT_SLICE_MS, untilMs - askedAtMs));
      const info = await this.#one(requests.task(id, sliceMs), answers.task, untilMs);
      const nowMs = this.#clock();
      if (info.isFinal) return info;
      if (nowMs >= untilMs) {
        const hint = "wait longer, or see `supervisor show`";
        throw new WaitTimeout("wait_timeout", `task ${id} is still ${info.state}`, hint, info);
      }
      if (nowMs < askedAtMs + sliceMs) await this.#pause(Math.min(EARLY_ANSWER_PAUSE_MS, untilMs - nowMs));
    }
  }

  /** Waits, and gives the result. Throws `TaskFailed`, `TaskCancelled` and `WaitTimeout`. */
  async result(id: number, options: WaitOptions = {}): Promise<unknown> {
    const info = await this.wait(id, options);
    if (info.state === "completed") return info.result;
    const hint = `\`supervisor show ${id}\` tells every attempt`;
    const what = `task ${id} (${info.kind})`;
    if (info.state === "cancelled") throw new TaskCancelled("task_cancelled", `${what} was cancelled`, hint, info);
    const detail = info.attempts.at(-1)?.detail;
    throw new TaskFailed("task_failed", `${what} failed (${info.reason})${detail ? `: ${detail}` : ""}`, hint, info);
  }

  /** Each task once it has ended, in the order given. `timeoutMs` is for all of them together. */
  async *waitAll(ids: Iterable<number>, { timeoutMs = Infinity }: WaitOptions = {}): AsyncGenerator<TaskInfo, void> {
    const untilMs = this.#clock() + timeoutMs;
    for (const id of ids) yield await this.wait(id, { timeoutMs: Math.max(0, untilMs - this.#clock()) });
  }

  /** The tasks that fit, fetched page by page as they are taken. */
  async *list(filters: { state?: State; kind?: string; queue?: string } = {}): AsyncGenerator<TaskInfo, void> {
    const { state, kind, queue } = filters;
    for (let cursor: string | undefined; ; ) {
      // A page may be short or empty and still have a next one.
      const { tasks, next } = await this.#one(requests.page({ state, kind, queue }, cursor), answers.page);
      yield* tasks;
      if (next === undefined) return;
      if (next === cursor) throw new ClientError("unreadable", `the page after ${next} is itself`, "report this defect");
      cursor = next;
    }
  }

  /** `cancelled`; `stopping`: it is cancelled once its processes are gone; or `already` and the final state. */
  cancel(id: number): Promise<string> {
    return this.#one(requests.cancel(id), answers.outcome);
  }

  /** Makes a final task available again, with new budgets. One that is not final is `Refused`. */
  async retry(id: number): Promise<void> {
    await this.#one(requests.retry(id), answers.outcome);
  }

  /** Gives a waiting task another priority, as if it had always had it. One that runs or has ended is `Refused`. */
  async reprioritise(id: number, priority: number | string): Promise<void> {
    await this.#one(requests.reprioritise(id, priority), answers.object);
  }

  /** Starts no further tasks of a queue, or of one key of it, for a time or until it is resumed; what runs goes on. */
  async pause(queue: string, options: PauseOptions = {}): Promise<void> {
    await this.#one(requests.pause(queue, options), answers.object);
  }

  /** Starts tasks of a queue or key again, whatever closed it. Keys that are paused by themselves stay so. */
  async resume(queue: string, { key }: { key?: string } = {}): Promise<void> {
    await this.#one(requests.resume(queue, key), answers.object);
  }

  /** Why a task waits: a `sentence` for people, what `holds` it, how many are `before` it, `about_ms`. */
  explain(id: number): Promise<Record<string, unknown>> {
    return this.#one(requests.explain(id), answers.object);
  }

  /** Why a queue as a whole waits: a `sentence` for people, what `holds` it, the `keys` that hold most back. */
  explainQueue(queue: string): Promise<Record<string, unknown>> {
    return this.#one(requests.explainQueue(queue), answers.object);
  }

  /** The counters of queues and pools, as the supervisor tells them. */
  stats(): Promise<Record<string, unknown>> {
    return this.#one(requests.stats(), answers.object);
  }

  /** What the task printed and logged: in all its runs or in one. With `follow`, until the task has ended. */
  async *logs(id: number, options: { attempt?: number; follow?: boolean } = {}): AsyncGenerator<LogLine, void> {
    const { attempt, follow = false } = options;
    // Only the opening is tried again: what was read cannot be told from what comes anew.
    const { stream } = await this.#ask<Stream>(requests.logs(id, attempt, follow), (request) => this.#wire.follow(request));
    try {
      for await (const line of linesOf(stream as AsyncIterable<Buffer>)) {
        if (line !== "") yield answers.read(line, answers.logLine);
      }
    } catch (error) {
      if (error instanceof ClientError) throw error;
      const { sentence } = this.#wire.lost(error);
      throw new Unreachable("log_broken_off", sentence, "ask again; the log starts from the beginning");
    } finally {
      stream.destroy();
    }
  }

  /** Closes the connections. A later request opens a new one. */
  close(): void {
    this.#wire.close();
  }

  async #one<T>(request: Request, reader: (raw: Record<string, unknown>) => T, untilMs = Infinity): Promise<T> {
    const answer = await this.#ask<answers.Answer>(request, (one) => this.#wire.ask(one), untilMs);
    return answers.read(answer.body, reader);
  }

  /** The good reply. Tries until `retryForMs` is over or `untilMs` has come. */
  async #ask<Good>(
    request: Request,
    send: (request: Request) => Promise<Stream | answers.Answer | Lost>,
    untilMs = Infinity,
  ): Promise<Good> {
    const giveUpAtMs = Math.min(untilMs, this.#clock() + this.#retryForMs);
    for (let failures = 0; ; failures++) {
      const reply = await send(request);
      const isStream = "stream" in reply;
      const verdict = isStream ? undefined : judge(request, reply, failures, giveUpAtMs - this.#clock());
      if (verdict === undefined) return reply as Good;
      if ("error" in verdict) throw verdict.error;
      await this.#pause(verdict.pauseMs);
    }
  }
}

function atIndex<T>(index: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refused) error.index = index;
    throw error;
  }
}

async function* linesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<string, void> {
  let rest = Buffer.alloc(0);
  for await (const piece of stream) {
    rest = Buffer.concat([rest, piece]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield rest.toString("utf8", 0, end).trim();
      rest = rest.subarray(end + 1);
    }
    if (rest.length > LOG_LINE_MAX_BYTES) {
      throw new ClientError("unreadable", `a log line is over ${LOG_LINE_MAX_BYTES} bytes`, "report it");
    }
  }
  yield rest.toString("utf8").trim();
}
