/** The messages of the contract: which fields each has, one table for each direction. No order of messages here. */

import * as codec from "./codec.js";
import { ContractError } from "./errors.js";
import {
  type Body,
  type Fields,
  type Id,
  Misfit,
  NOTHING,
  bodyOf,
  boolean,
  either,
  field,
  i32,
  listOf,
  mapOf,
  millis,
  needed,
  oneOf,
  only,
  optional,
  payload,
  priority,
  readBody,
  real,
  text,
  u16,
  u32,
  u64,
} from "./fields.js";
import { frame } from "./frames.js";

export const PROTOCOL = 1;

export const KINDS_MAX = 1024;
export const FEATURES_MAX = 64;
export const UNITS_MAX = 16;
export const FOLLOW_UPS_MAX = 1000;
const STEPS_MAX = 10_000;
const FACTS_MAX = 256;

const nil = () => null;
const empty = () => NOTHING;

const RUN = { task: needed(u64), epoch: needed(u64) };
const MAYBE_RUN = field(optional(bodyOf(RUN)), nil);
const MAYBE_U32 = field(optional(u32), nil);
const MAYBE_MS = field(optional(millis), nil);
const MAYBE_REAL = field(optional(real), nil);
const MAYBE_TEXT = field(optional(text), nil);
const FEATURES = field(listOf(text, FEATURES_MAX), () => [] as string[]);
const AFTER = only("after_ms", millis);

const AMOUNTS = field(mapOf(u64, UNITS_MAX), () => ({}) as Record<string, Id>);

const EXIT = {
  code: field(optional(i32), nil),
  signal: field(optional(i32), nil),
  oom: field(boolean, () => false),
  peak_rss_bytes: field(optional(u64), nil),
  cpu_ms: MAYBE_MS,
};

const FOLLOW_UP = {
  kind: needed(text),
  args: field(payload, empty),
  queue: MAYBE_TEXT,
  name: MAYBE_TEXT,
  priority: field(optional(either(priority, text)), nil),
  delay_ms: MAYBE_MS,
  timeout_ms: MAYBE_MS,
  max_attempts: MAYBE_U32,
  max_crashes: MAYBE_U32,
  key: MAYBE_TEXT,
  cost: AMOUNTS,
  budget: AMOUNTS,
};

const FROM_WORKER = {
  hello: {
    protocol_min: needed(u16),
    protocol_max: needed(u16),
    cookie: field(text, () => ""),
    sdk: field(text, () => ""),
    kinds: field(listOf(text, KINDS_MAX), () => [] as string[]),
    concurrency: field(u32, () => 1),
    features: FEATURES,
  },
  booting: {},
  ready: {},
  beat: {},
  log: {
    run: MAYBE_RUN,
    level: field(oneOf("debug", "info", "warn", "error"), () => "info" as const),
    message: needed(text),
  },
  note: {
    ...RUN,
    done: MAYBE_REAL,
    total: MAYBE_REAL,
    message: MAYBE_TEXT,
    spend: AMOUNTS,
    seq: field(u64, () => 0 as Id),
  },
  save: { ...RUN, step: MAYBE_TEXT, value: field(payload, empty), seq: needed(u64) },
  done: {
    ...RUN,
    result: field(payload, empty),
    cut: field(boolean, () => false),
    enqueue: field(listOf(bodyOf(FOLLOW_UP), FOLLOW_UPS_MAX), () => [] as Body<typeof FOLLOW_UP>[]),
  },
  fail: {
    ...RUN,
    error: field(text, () => ""),
    retry: field(either(AFTER, oneOf("default", "never")), () => "default" as const),
    scope: field(oneOf("task", "key", "queue"), () => "task" as const),
    exit: field(optional(bodyOf(EXIT)), nil),
  },
  park: {
    ...RUN,
    until: needed(either(AFTER, either(only("facts", listOf(text, FACTS_MAX)), oneOf("children")))),
    timeout_ms: MAYBE_MS,
  },
  back: RUN,
  bye: { spawn_error: MAYBE_TEXT },
} satisfies Record<string, Fields>;

const TO_WORKER = {
  welcome: {
    protocol: needed(u16),
    worker: field(u64, () => 0 as Id),
    features: FEATURES,
    beat_ms: field(millis, () => 5000),
  },
  reject: { reason: needed(text) },
  run: {
    ...RUN,
    kind: needed(text),
    args: field(payload, empty),
    attempt: field(u32, () => 1),
    effect_key: field(text, () => ""),
    time_left_ms: MAYBE_MS,
    steps: field(mapOf(payload, STEPS_MAX), () => ({}) as Record<string, Uint8Array>),
    checkpoint: field(payload, empty),
    facts: field(mapOf(payload, FACTS_MAX), () => ({}) as Record<string, Uint8Array>),
  },
  stop: { run: MAYBE_RUN, reason: needed(text), grace_ms: needed(millis) },
  ack: { ...RUN, seq: needed(u64) },
} satisfies Record<string, Fields>;

const TABLES = { from_worker: FROM_WORKER, to_worker: TO_WORKER };

type OneOf<Table extends Record<string, Fields>> = {
  [Name in keyof Table]: { name: Name; body: Body<Table[Name]> };
}[keyof Table];

/** A message with all its known fields, as it is read. */
export type FromWorker = OneOf<typeof FROM_WORKER>;
export type ToWorker = OneOf<typeof TO_WORKER>;
export type Run = Body<typeof TO_WORKER.run>;
export type Level = Body<typeof FROM_WORKER.log>["level"];
export type Retry = Body<typeof FROM_WORKER.fail>["retry"];

/** A message as it is written: fields that are left out have their defaults for the reader. */
export type Outgoing = {
  [Name in keyof typeof FROM_WORKER]: { name: Name; body: Partial<Body<(typeof FROM_WORKER)[Name]>> };
}[keyof typeof FROM_WORKER];
export type FollowUp = Partial<Body<typeof FOLLOW_UP>> & { kind: string };

/** One run of one task, as every message about it names it. */
export interface RunRef {
  task: Id;
  epoch: Id;
}

/** The whole frame of a message. Throws `ContractError` (`too_long`) when it does not fit into a frame. */
export function encode(message: { name: string; body: object }): Uint8Array {
  return frame(codec.encode({ [message.name]: wholeNumbers(message.body) }));
}

/** Of a message, only numbers of its own fields may be beyond 32 bits; payloads are bytes. */
function wholeNumbers(value: unknown): unknown {
  if (typeof value === "number") return codec.wholeNumber(value);
  if (Array.isArray(value)) return value.map(wholeNumbers);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, wholeNumbers(item)]));
}

/** Reads a message of one direction. Throws `ContractError` with the names of the contract's section 5. */
export function decode(payloadOfFrame: Uint8Array, direction: "to_worker"): ToWorker;
export function decode(payloadOfFrame: Uint8Array, direction: "from_worker"): FromWorker;
export function decode(payloadOfFrame: Uint8Array, direction: keyof typeof TABLES): unknown {
  const { value, flawed } = codec.decodeScanned(payloadOfFrame);
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
  const entries = isMap ? Object.entries(value) : [];
  // A key that is no text becomes one: the byte of the first key tells them apart.
  if (entries.length !== 1 || !isTextMarker(payloadOfFrame[mapHeadBytes(payloadOfFrame)])) {
    throw new ContractError("not_a_message", "a frame is a map of one key that is text, the name of the message");
  }
  const [name, body] = entries[0]!;
  const fields = Object.hasOwn(TABLES[direction], name) ? (TABLES[direction] as Record<string, Fields>)[name] : undefined;
  if (fields === undefined) throw unknown(name, direction);
  // What is wrong below a field that nobody knows is ignored with it.
  const bad = [...flawed].find((key) => key === undefined || Object.hasOwn(fields, key));
  if (flawed.has(undefined) || bad !== undefined) {
    throw new ContractError("body", `${name}: ${bad ?? "a field"}: a key stands twice, or is no text`);
  }
  try {
    return { name, body: readBody(fields, body) };
  } catch (error) {
    if (error instanceof Misfit) throw new ContractError("body", `${name}: ${error.message}`);
    throw error;
  }
}

function mapHeadBytes(bytes: Uint8Array): number {
  return bytes[0] === 0xde ? 3 : bytes[0] === 0xdf ? 5 : 1;
}

function isTextMarker(marker: number | undefined): boolean {
  return marker !== undefined && ((marker >= 0xa0 && marker < 0xc0) || (marker >= 0xd9 && marker <= 0xdb));
}

function unknown(name: string, direction: string): ContractError {
  if (Object.values(TABLES).some((table) => Object.hasOwn(table, name))) {
    return new ContractError("wrong_direction", `${name} is never sent in this direction (${direction})`);
  }
  return new ContractError("unknown_message", `no message is named ${JSON.stringify(name.slice(0, 64))}`);
}
