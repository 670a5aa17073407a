/** Values as JSON text, refused with the path of what does not fit. Pure. */

import { INT_MAX, INT_MIN } from "../codec.js";
import { DEPTH_MAX } from "../scan.js";
import { Refused } from "./errors.js";

/** The text of `value`, in which `path` names it. Undefined is null, and left out of objects. Throws `Refused`. */
export function toJson(value: unknown, path: string, depth = 0): string {
  switch (typeof value) {
    case "undefined":
      return "null";
    case "number":
      if (!Number.isFinite(value)) throw refused(`${path}: JSON has no ${value}`, "send null or text in its place");
      return JSON.stringify(value);
    case "bigint":
      if (value >= INT_MIN && value <= INT_MAX) return String(value);
      throw refused(`${path}: an integer beyond 64 bits cannot travel`, "send it as text");
    case "string":
    case "boolean":
      return JSON.stringify(value);
    case "object":
      return value === null ? "null" : objectJson(value, path, depth);
    default:
      throw refused(`${path}: a ${typeof value} cannot travel as JSON`, "args are JSON values");
  }
}

function objectJson(value: object, path: string, depth: number): string {
  if (depth === DEPTH_MAX) {
    throw refused(`${path}: nested more than ${DEPTH_MAX} deep`, "send a reference such as a path");
  }
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    throw refused(`${path}: JSON has no bytes`, "send text such as base64, or the path of a file");
  }
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") return toJson(toJSON.call(value, path), path, depth + 1);
  if (Array.isArray(value)) return `[${value.map((item, at) => toJson(item, `${path}[${at}]`, depth + 1)).join()}]`;
  if (value instanceof Map || value instanceof Set || value instanceof Promise || value instanceof Error) {
    const way = "args are JSON values: use objects and arrays";
    throw refused(`${path}: a ${value.constructor.name} cannot travel as JSON`, way);
  }
  const given = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${given.map(([key, item]) => `${JSON.stringify(key)}:${toJson(item, `${path}.${key}`, depth + 1)}`).join()}}`;
}

function refused(sentence: string, hint: string): Refused {
  return new Refused("invalid_args", sentence, hint);
}
