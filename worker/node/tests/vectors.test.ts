/** The golden vectors of the contract, each read as a decoder of its direction would. */

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import * as codec from "../src/codec.js";
import { ContractError } from "../src/errors.js";
import { FrameDecoder } from "../src/frames.js";
import { decode, encode } from "../src/messages.js";

const ROOT = fileURLToPath(new URL("../../../../ipc-contract/spec/v1/vectors", import.meta.url));

interface Meaning {
  direction: "from_worker" | "to_worker";
  message?: object;
  canonical?: boolean;
  error?: string;
}

const vectors = fs.readdirSync(ROOT).flatMap((group) =>
  fs
    .readdirSync(path.join(ROOT, group))
    .filter((file) => file.endsWith(".json"))
    .map((file) => {
      const stem = path.join(ROOT, group, path.parse(file).name);
      const hex = fs.readFileSync(`${stem}.hex`, "utf8").replaceAll(/\s/g, "");
      // Numbers beyond 2 ** 53 are bigints in messages, and text here.
      const json = fs.readFileSync(`${stem}.json`, "utf8").replaceAll(/: (\d{17,})/g, ': "$1"');
      return { name: `${group}/${path.parse(file).name}`, bytes: Buffer.from(hex, "hex"), meaning: JSON.parse(json) as Meaning };
    }),
);

function read(bytes: Uint8Array, direction: Meaning["direction"]): { name: string; body: object } {
  const decoder = new FrameDecoder();
  decoder.push(bytes);
  const frame = decoder.nextFrame();
  assert.ok(frame !== undefined && !decoder.isPartial);
  return direction === "to_worker" ? decode(frame, direction) : decode(frame, direction);
}

const NOT_SHOWN_WHEN_EMPTY = ["steps", "facts", "enqueue", "cost", "budget"];

/** As the vectors spell messages: payloads as the values in them, bigints as text. */
function shown(value: unknown): unknown {
  if (value instanceof Uint8Array) return value.length === 0 ? null : shown(codec.decode(value));
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, shown(item)]));
}

/** Fields that have their default may be left out of either. */
function assertSame(actual: unknown, expected: unknown, at: string): void {
  if (typeof expected !== "object" || expected === null || Array.isArray(expected) !== Array.isArray(actual)) {
    return assert.deepEqual(actual, expected, at);
  }
  const [one, other] = [actual as Record<string, unknown>, expected as Record<string, unknown>];
  for (const name of Object.keys(other)) assertSame(one[name], other[name], `${at}.${name}`);
  for (const name of Object.keys(one).filter((name) => !(name in other))) {
    const isDefault = one[name] === null || NOT_SHOWN_WHEN_EMPTY.includes(name);
    assert.ok(isDefault && Object.keys(one[name] ?? {}).length === 0, `${at}.${name} is not expected`);
  }
}

test("valid vectors mean what they say, and so does what is written for them", () => {
  const valid = vectors.filter(({ meaning }) => meaning.message !== undefined);
  assert.ok(valid.length > 30);
  for (const { name, bytes, meaning } of valid) {
    const message = read(bytes, meaning.direction);
    const body = shown(message.body) as Record<string, unknown>;
    // The vector shows what its writer makes of a later word; this package hands the word itself to the handler.
    if (name === "stop/unknown-reason") body["reason"] = body["reason"] === "weather" ? "unknown" : "?";
    assertSame({ [message.name]: body }, meaning.message, name);
    assert.deepEqual(read(encode(message), meaning.direction), message, name);
  }
});

test("invalid vectors are refused for their reason", () => {
  const invalid = vectors.filter(({ meaning }) => meaning.error !== undefined);
  assert.ok(invalid.length > 30);
  for (const { name, bytes, meaning } of invalid) {
    const isKind = (error: unknown) => error instanceof ContractError && error.kind === meaning.error;
    assert.throws(() => read(bytes, meaning.direction), isKind, `${name}: ${meaning.error}`);
  }
});

test("a part of a frame is incomplete and never an error, a part of a payload is truncated", () => {
  for (const { name, bytes, meaning } of vectors.filter(({ meaning }) => meaning.message !== undefined)) {
    for (let length = 0; length < bytes.length; length++) {
      const decoder = new FrameDecoder();
      decoder.push(bytes.subarray(0, length));
      assert.equal(decoder.nextFrame(), undefined, name);
      assert.equal(decoder.isPartial, length > 0, name);
    }
    for (let length = 1; length < bytes.length - 4; length++) {
      const isTruncated = (error: unknown) => error instanceof ContractError && error.kind === "truncated";
      assert.throws(() => codec.decode(bytes.subarray(4, 4 + length)), isTruncated, `${name} to ${length}`);
    }
    assert.ok(read(bytes, meaning.direction));
  }
});
