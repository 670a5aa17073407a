/** The HTTP API, the other way: what each answer means, as a value or an error. Pure. */

import { ClientError, Refused, Unavailable } from "./errors.js";
import type { Attempt, Enqueued, LogLine, State, TaskInfo, TaskProgress } from "./types.js";

export interface Answer {
  status: number;
  /** In seconds, when the answer says one. */
  retryAfterS: number | undefined;
  body: string;
}

type Raw = Record<string, unknown>;
type Reader<T> = (raw: Raw) => T;

const FINAL: State[] = ["completed", "failed", "cancelled"];

/** The error of an answer that is not 2xx. */
export function refusal({ status, body }: Answer): ClientError {
  const Kind = status >= 400 && status < 500 && status !== 429 ? Refused : Unavailable;
  try {
    const raw = object(JSON.parse(body));
    const error = new Kind(text(raw["code"]), text(raw["message"]), text(raw["hint"]), status);
    error.index = typeof raw["index"] === "number" ? raw["index"] : undefined;
    error.taskId = typeof raw["id"] === "number" ? raw["id"] : undefined;
    return error;
  } catch {
    const sentence = `the answer has status ${status} and is not of a supervisor`;
    return new Kind("unreadable", sentence, "see whose socket it is", status);
  }
}

/** The value of a JSON text. Throws `ClientError` with the code `unreadable`. */
export function read<T>(body: string, reader: Reader<T>): T {
  try {
    return reader(object(JSON.parse(body)));
  } catch (error) {
    const sentence = `the answer cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    throw new ClientError("unreadable", sentence, "supervisor and package may be of different versions");
  }
}

export function enqueued(name: string): Reader<Enqueued> {
  return (raw) => ({ id: number(raw["id"]), existing: raw["existing"] === true, name });
}

export function bulk(names: string[]): Reader<Enqueued[]> {
  return (raw) => {
    const tasks = list(raw["tasks"]);
    if (tasks.length !== names.length) throw new TypeError(`${tasks.length} tasks instead of ${names.length}`);
    return tasks.map((one, at) => enqueued(names[at]!)(object(one)));
  };
}

export function page(raw: Raw): { tasks: TaskInfo[]; next: string | undefined } {
  return { tasks: list(raw["tasks"]).map((one) => task(object(one))), next: maybe(text, raw["next"]) ?? undefined };
}

export function outcome(raw: Raw): string {
  return text(raw["outcome"]);
}

export function task(raw: Raw): TaskInfo {
  const state = text(raw["state"]) as State;
  return {
    id: number(raw["id"]),
    kind: text(raw["kind"]),
    queue: text(raw["queue"]),
    state,
    reason: maybe(text, raw["reason"]),
    name: maybe(text, raw["name"]),
    priority: number(raw["priority"]),
    cancelling: raw["cancelling"] === true,
    createdAt: time(raw["created_at"]),
    dueAt: maybe(time, raw["due_at"]),
    startedAt: maybe(time, raw["started_at"]),
    finishedAt: maybe(time, raw["finished_at"]),
    waitMs: maybe(number, raw["wait_ms"]),
    runMs: maybe(number, raw["run_ms"]),
    runs: number(raw["runs"]),
    attemptsSpent: number(raw["attempts_spent"]),
    crashesSpent: number(raw["crashes_spent"]),
    args: raw["args"],
    result: raw["result"],
    resultCut: raw["result_cut"] === true,
    attempts: list(raw["attempts"] ?? []).map((one) => attempt(object(one))),
    progress: maybe(progress, raw["progress"]),
    spent: object(raw["spent"] ?? {}) as Record<string, number>,
    key: maybe(text, raw["key"] ?? null),
    cost: object(raw["cost"] ?? {}) as Record<string, number>,
    budget: object(raw["budget"] ?? {}) as TaskInfo["budget"],
    isFinal: FINAL.includes(state),
  };
}

function attempt(raw: Raw): Attempt {
  return {
    run: number(raw["run"]),
    outcome: text(raw["outcome"]),
    detail: text(raw["detail"]),
    exitCode: maybe(number, raw["exit_code"]),
    signal: maybe(number, raw["signal"]),
    runMs: number(raw["run_ms"]),
    peakRssBytes: maybe(number, raw["peak_rss_bytes"]),
    output: text(raw["output"]),
  };
}

function progress(value: unknown): TaskProgress {
  const raw = object(value);
  return {
    done: maybe(number, raw["done"]),
    total: maybe(number, raw["total"]),
    message: maybe(text, raw["message"]),
    at: maybe(time, raw["at"]),
  };
}

export function logLine(raw: Raw): LogLine {
  return {
    run: maybe(number, raw["run"]),
    at: time(raw["at"]),
    source: text(raw["source"]),
    level: maybe(text, raw["level"]),
    text: text(raw["text"]),
  };
}

export function object(value: unknown): Raw {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Raw;
  throw new TypeError("an object is missing");
}

function list(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError("an array is missing");
}

function number(value: unknown): number {
  if (typeof value === "number") return value;
  throw new TypeError("a number is missing");
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  throw new TypeError("a text is missing");
}

function time(value: unknown): Date {
  const date = new Date(text(value));
  if (!Number.isNaN(date.getTime())) return date;
  throw new TypeError(`${String(value)} is no time`);
}

function maybe<T>(reader: (value: unknown) => T, value: unknown): T | null {
  return value === null || value === undefined ? null : reader(value);
}
