/** Results and args made of what MessagePack has, or refused with a sentence. Pure. */

import * as codec from "./codec.js";
import { NOTHING } from "./fields.js";
import { DEPTH_MAX } from "./scan.js";

/** The largest result, as MessagePack. */
export const RESULT_MAX_BYTES = 1024 * 1024;

/** A value that no payload can have; the text says which part, and the way out. */
export class CannotTravel extends Error {}

/** The payload of a value; undefined and null become no bytes. Throws `CannotTravel`. */
export function pack(value: unknown, what: string): Uint8Array {
  return value === undefined || value === null ? NOTHING : codec.encode(plain(value, what, 0));
}

/** As `pack`, within the limit of a result. */
export function packResult(value: unknown): Uint8Array {
  const packed = pack(value, "result");
  if (packed.length > RESULT_MAX_BYTES) {
    const size = `the result has ${packed.length} bytes, the limit is ${RESULT_MAX_BYTES}`;
    throw new CannotTravel(`${size}; write it to a file and return its path`);
  }
  return packed;
}

function plain(value: unknown, path: string, depth: number): unknown {
  switch (typeof value) {
    case "undefined":
    case "boolean":
      return value ?? null;
    case "number":
      return codec.wholeNumber(value);
    case "bigint":
      if (value >= codec.INT_MIN && value <= codec.INT_MAX) return value;
      throw new CannotTravel(`${path} is an integer of more than 64 bits; return it as text`);
    case "string":
      if (value.isWellFormed()) return value;
      throw new CannotTravel(`${path} has half of a surrogate pair, which UTF-8 lacks; return it as bytes`);
    case "object":
      return value === null ? null : plainObject(value, path, depth);
    default:
      throw new CannotTravel(`${path} is a ${typeof value}, which cannot travel; return numbers, text, bytes or objects`);
  }
}

function plainObject(value: object, path: string, depth: number): unknown {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (depth === DEPTH_MAX) {
    throw new CannotTravel(`${path} is nested more than ${DEPTH_MAX} deep, or contains itself; flatten it`);
  }
  if (Array.isArray(value) || value instanceof Set) {
    return [...value].map((item, at) => plain(item, `${path}[${at}]`, depth + 1));
  }
  if (value instanceof Error || value instanceof Promise) {
    const way = value instanceof Promise ? "await it" : "throw it, or return its message";
    throw new CannotTravel(`${path} is of type ${value.constructor.name}, which cannot travel; ${way}`);
  }
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") return plain(toJSON.call(value, path), path, depth + 1);
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  // As in JSON, what is undefined is left out of an object.
  const given = entries.filter(([, item]) => item !== undefined);
  return Object.fromEntries(given.map(([key, item]) => [plainKey(key, path), plain(item, `${path}.${key}`, depth + 1)]));
}

function plainKey(key: unknown, path: string): string {
  if (typeof key !== "string" && typeof key !== "number") {
    throw new CannotTravel(`a key of ${path} is of type ${typeof key}; keys are text or numbers`);
  }
  return plain(String(key), `a key of ${path}`, 0) as string;
}
