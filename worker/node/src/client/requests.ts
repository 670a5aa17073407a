/** The HTTP API, one way: what is sent for each request. Pure. */

import { delayMs } from "../duration.js";
import { Refused } from "./errors.js";
import { toJson } from "./json.js";
import type { NewTask, PauseOptions } from "./types.js";

/** Tasks of one request, at most: the supervisor's limit. */
export const SLICE_TASKS_MAX = 1_000;
/** Bytes of one request, at most, unless a single task is larger. The supervisor's own limit is twice this. */
export const SLICE_BYTES_MAX = 4 * 1024 * 1024;
/** How long each part of an answer may take, beyond the wait that was asked for. */
export const ANSWER_WAIT_MS = 30_000;
/** The same while a log is followed: the supervisor sends an empty line every 10 s when it has no other. */
export const FOLLOW_SILENCE_MS = 60_000;
/** Tasks asked for at once by a list: the supervisor's limit. */
export const PAGE_TASKS = 500;

export interface Request {
  method: "GET" | "POST";
  path: string;
  body?: string;
  /** Asking twice does no more than asking once. */
  isSafe: boolean;
  /** How long each part of the answer may take. */
  silenceMs: number;
}

function get(path: string, silenceMs = ANSWER_WAIT_MS): Request {
  return { method: "GET", path, isSafe: true, silenceMs };
}

function post(path: string, body?: string): Request {
  return { method: "POST", path, isSafe: true, silenceMs: ANSWER_WAIT_MS, ...(body !== undefined && { body }) };
}

/** The body of an enqueue. Throws `Refused`. */
export function specJson(task: NewTask, name: string): string {
  const spec = {
    kind: task.kind,
    queue: task.queue,
    priority: task.priority,
    delay_ms: millis("delay", task.delay),
    name,
    timeout_ms: millis("timeout", task.timeout),
    max_attempts: task.maxAttempts,
    max_crashes: task.maxCrashes,
    key: task.key,
    cost: task.cost,
    budget: task.budget,
  };
  return `${toJson(spec, "task").slice(0, -1)},"args":${toJson(task.args, "args")}}`;
}

function millis(what: string, delay: NewTask["delay"]): number | undefined {
  try {
    return delay === undefined ? undefined : delayMs(delay);
  } catch (error) {
    throw new Refused("invalid_spec", `${what}: ${(error as Error).message}`, 'for example 1500, or "2m"');
  }
}

export function enqueue(spec: string): Request {
  return post("/v1/tasks", spec);
}

export function bulk(specs: string[]): Request {
  return post("/v1/tasks/bulk", `{"tasks":[${specs.join()}]}`);
}

/** Cuts a bulk so that each slice is within the limits; a task over the limit of bytes goes alone. */
export function slices(sizesBytes: number[]): { from: number; to: number }[] {
  const cut: { from: number; to: number }[] = [];
  let from = 0;
  let totalBytes = 0;
  sizesBytes.forEach((sizeBytes, at) => {
    if (at > from && (totalBytes + sizeBytes > SLICE_BYTES_MAX || at - from === SLICE_TASKS_MAX)) {
      cut.push({ from, to: at });
      [from, totalBytes] = [at, 0];
    }
    totalBytes += sizeBytes;
  });
  if (from < sizesBytes.length) cut.push({ from, to: sizesBytes.length });
  return cut;
}

/** The supervisor may put off its answer for `waitMs`, until the task has ended. */
export function task(id: number, waitMs = 0): Request {
  const path = `/v1/tasks/${idOf(id)}`;
  return waitMs > 0 ? get(`${path}?wait=${Math.round(waitMs)}ms`, ANSWER_WAIT_MS + waitMs) : get(path);
}

export function page(filters: Record<string, string | undefined>, cursor: string | undefined): Request {
  return get(`/v1/tasks?${query({ ...filters, limit: String(PAGE_TASKS), cursor })}`);
}

export function cancel(id: number): Request {
  return post(`/v1/tasks/${idOf(id)}/cancel`);
}

export function retry(id: number): Request {
  // Asked twice it could start a task again that has failed anew in between.
  return { ...post(`/v1/tasks/${idOf(id)}/retry`), isSafe: false };
}

export function reprioritise(id: number, priority: number | string): Request {
  return post(`/v1/tasks/${idOf(id)}/priority`, toJson({ priority }, "request"));
}

export function pause(queue: string, options: PauseOptions): Request {
  const { key, duration, reason } = options;
  const body = { key, for_ms: millis("duration", duration), reason };
  return post(`/v1/queues/${encodeURIComponent(queue)}/pause`, toJson(body, "request"));
}

export function resume(queue: string, key: string | undefined): Request {
  return post(`/v1/queues/${encodeURIComponent(queue)}/resume`, toJson({ key }, "request"));
}

export function explain(id: number): Request {
  return get(`/v1/tasks/${idOf(id)}/explain`);
}

export function explainQueue(queue: string): Request {
  return get(`/v1/queues/${encodeURIComponent(queue)}/explain`);
}

export function stats(): Request {
  return get("/v1/stats");
}

export function logs(id: number, attempt: number | undefined, follow: boolean): Request {
  const given = query({ attempt: attempt?.toString(), follow: follow ? "true" : undefined });
  return get(`/v1/tasks/${idOf(id)}/logs${given && `?${given}`}`, follow ? FOLLOW_SILENCE_MS : ANSWER_WAIT_MS);
}

function query(values: Record<string, string | undefined>): string {
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return new URLSearchParams(given).toString();
}

function idOf(id: number): number {
  if (Number.isSafeInteger(id)) return id;
  throw new Refused("invalid_id", `${String(id)} is no task`, "a task is a whole number, such as (await enqueue(...)).id");
}
