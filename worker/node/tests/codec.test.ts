/** The guard, the codec and the cutting of frames, in tables and against a plain model. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { decode, encode } from "../src/codec.js";
import { ContractError } from "../src/errors.js";
import { FRAME_MAX_BYTES, FrameDecoder, frame } from "../src/frames.js";
import { DEPTH_MAX, scan } from "../src/scan.js";
import { CannotTravel, RESULT_MAX_BYTES, pack, packResult } from "../src/values.js";
import { random } from "./random.js";

function bytes(hex: string): Uint8Array {
  return Buffer.from(hex.replaceAll(" ", ""), "hex");
}

function kindOf(data: Uint8Array): string | undefined {
  try {
    decode(data);
    return undefined;
  } catch (error) {
    if (error instanceof ContractError) return error.kind;
    throw error;
  }
}

test("exactly one whole value is accepted", () => {
  const table: [string, string | undefined][] = [
    ["", "empty"],
    ["c0", undefined],
    ["c0 c0", "trailing"],
    ["80", undefined],
    ["81 a1 6b c3", undefined],
    ["81 a1 6b", "truncated"],
    ["92 01 92 02 03", undefined],
    ["92 91 01 02", undefined],
    ["92 91 01", "truncated"],
    ["93 90 80 90", undefined],
    ["cf 00 00 00 00 00 00 00", "truncated"],
    ["cf 00 00 00 00 00 00 00 01", undefined],
    ["d0", "truncated"],
    ["cb 00 00 00 00 00 00 00", "truncated"],
    ["a2 c3 28", "malformed"],
    ["c4 02 c3 28", undefined],
    ["c1", "malformed"],
    ["d4 01 00", "malformed"],
    ["c7 01 00 00", "malformed"],
    ["d6 ff 00 00 00 00", "malformed"],
    ["dd ff ff ff ff c0", "truncated"],
    ["df ff ff ff ff c0", "truncated"],
    ["db ff ff ff ff c0", "truncated"],
    ["c6 ff ff ff ff c0", "truncated"],
    ["dc 00", "truncated"],
    ["82 a1 6b c0 a1 6b c0", undefined],
    ["81 90 c0", undefined],
    ["84 c0 c0 01 c0 c4 01 00 c0 82 01 02 03 04 c0", undefined],
    ["81 a9 5f 5f 70 72 6f 74 6f 5f 5f c0", "malformed"],
  ];
  for (const [hex, kind] of table) assert.equal(kindOf(bytes(hex)), kind, hex);
});

test("keys that stand twice or are no text are found, and told by the field that they are in", () => {
  const table: [string, (string | undefined)[]][] = [
    ["81 a1 6d 82 a1 61 01 a1 62 01", []],
    ["81 a1 6d 82 a1 61 01 a1 61 01", ["a"]],
    ["81 a1 6d 82 a1 61 01 d9 01 61 01", ["a"]],
    ["81 a1 6d 82 a1 61 82 a1 63 01 a1 63 01 a1 62 01", ["a"]],
    ["81 a1 6d 82 a1 61 01 a1 62 91 82 a1 63 01 a1 63 01", ["b"]],
    ["81 a1 6d 81 a1 61 81 05 01", ["a"]],
    ["81 a1 6d 81 05 01", [undefined]],
    ["81 a1 6d 82 a1 61 81 a1 62 01 a1 62 01", []],
  ];
  for (const [hex, flawed] of table) assert.deepEqual([...scan(bytes(hex)).flawed], flawed, hex);
});

test("depth ends at the limit", () => {
  const nested = (depth: number, open: number) => Buffer.concat([Buffer.alloc(depth, open), bytes("c0")]);
  assert.equal(kindOf(nested(DEPTH_MAX, 0x91)), undefined);
  assert.equal(kindOf(nested(DEPTH_MAX + 1, 0x91)), "too_deep");
  assert.equal(kindOf(nested(1_000_000, 0x91)), "too_deep");
  const wide = Buffer.concat([bytes("dc 03 e8"), ...Array.from({ length: 1_000 }, () => bytes("91 c0"))]);
  assert.equal(kindOf(wide), undefined, "siblings do not add up");
});

test("a lie about a count is told before what follows is looked at", () => {
  for (const head of ["dd ff ff ff ff", "df ff ff ff ff", "92 c0 dd ff ff ff ff"]) {
    assert.equal(kindOf(Buffer.concat([bytes(head), Buffer.alloc(100_000, 0x91)])), "truncated", head);
  }
});

test("every form of an integer is read, exactly", () => {
  const table: [string, number | bigint][] = [
    ["07", 7],
    ["cc 07", 7],
    ["cd 00 07", 7],
    ["ce 00 00 00 07", 7],
    ["cf 00 00 00 00 00 00 00 07", 7],
    ["d3 00 00 00 00 00 00 00 07", 7],
    ["e0", -32],
    ["d0 80", -128],
    ["d1 ff 80", -128],
    ["d2 ff ff ff 80", -128],
    ["d3 ff ff ff ff ff ff ff 80", -128],
    ["cf 00 1f ff ff ff ff ff ff", Number.MAX_SAFE_INTEGER],
    ["cf 00 20 00 00 00 00 00 00", 2 ** 53],
    ["cf 00 20 00 00 00 00 00 01", 2n ** 53n + 1n],
    ["cf ff ff ff ff ff ff ff ff", 2n ** 64n - 1n],
    ["d3 80 00 00 00 00 00 00 00", -(2n ** 63n)],
  ];
  for (const [hex, value] of table) {
    assert.strictEqual(decode(bytes(hex)), value, hex);
    assert.deepEqual(decode(bytes(`82 a1 61 91 ${hex} a1 62 c4 01 07`)), { a: [value], b: new Uint8Array([7]) }, hex);
  }
});

test("whole numbers are written as integers, in their shortest form", () => {
  const table: [unknown, string][] = [
    [7, "07"],
    [-1, "ff"],
    [0xffff_ffff, "ceffffffff"],
    [2 ** 32, "cf0000000100000000"],
    [-(2 ** 31) - 1, "d3ffffffff7fffffff"],
    [2 ** 53, "cf0020000000000000"],
    [2n ** 64n - 1n, "cfffffffffffffffff"],
    [1.5, "cb3ff8000000000000"],
    [2 ** 54, "cb4350000000000000"],
  ];
  for (const [value, hex] of table) assert.equal(Buffer.from(pack(value, "value")).toString("hex"), hex, String(value));
});

test("what was packed is read again", () => {
  const next = random(7);
  const value = (depth: number): unknown => {
    switch (next(depth < 5 ? 8 : 6)) {
      case 0:
        return null;
      case 1:
        return next(2) === 1;
      case 2:
        return next(2 ** 31) * (next(2) === 0 ? -1 : 2 ** next(21));
      case 3:
        return BigInt(next(2 ** 31)) * 2n ** 32n + 2n ** 53n + 1n;
      case 4:
        return "é𝄞x".repeat(next(40));
      case 5:
        return new Uint8Array(next(300));
      case 6:
        return Array.from({ length: next(20) }, () => value(depth + 1));
      default:
        return Object.fromEntries(Array.from({ length: next(20) }, (_, at) => [`k${at}`, value(depth + 1)]));
    }
  };
  for (let seed = 0; seed < 300; seed++) {
    const one = [value(0)];
    assert.deepEqual(decode(pack(one, "value")), one);
  }
});

test("what cannot travel is refused by name", () => {
  const self: unknown[] = [];
  self.push(self);
  const table: [unknown, RegExp][] = [
    [{ a: [() => 1] }, /^result\.a\[0\] is a function/],
    [Symbol("x"), /symbol/],
    [2n ** 64n, /64 bits/],
    ["\ud800", /surrogate/],
    [{ "\ud800": 1 }, /key.*surrogate/],
    [self, /deep, or contains itself/],
    [Promise.resolve(1), /await it/],
    [new Error("x"), /throw it/],
    [new Map([[{}, 1]]), /keys are text/],
    ["x".repeat(RESULT_MAX_BYTES), /limit is 1048576; write it to a file/],
  ];
  for (const [value, text] of table) {
    assert.throws(() => packResult(value), (error) => error instanceof CannotTravel && text.test(error.message), String(text));
  }
});

test("values become what MessagePack has", () => {
  const table: [unknown, unknown][] = [
    [{ at: new Date(0), none: undefined }, { at: "1970-01-01T00:00:00.000Z" }],
    [[undefined, new Set([1]), new Map([["a", 1]])], [null, [1], { a: 1 }]],
    [[Buffer.from("x"), new ArrayBuffer(1)], [new Uint8Array([120]), new Uint8Array(1)]],
    [new URL("http://a/b"), "http://a/b"],
  ];
  for (const [value, expected] of table) assert.deepEqual(decode(packResult(value)), expected);
  assert.equal(packResult(undefined).length, 0);
  assert.equal(packResult(null).length, 0);
});

test("frames are cut out of pieces of any size", () => {
  const next = random(11);
  for (let round = 0; round < 50; round++) {
    const payloads = Array.from({ length: 1 + next(20) }, () => Buffer.alloc(1 + next(round % 5 === 0 ? 400_000 : 90), next(256)));
    const stream = Buffer.concat(payloads.map(frame));
    const decoder = new FrameDecoder();
    const found: Buffer[] = [];
    for (let at = 0; at < stream.length; ) {
      const size = 1 + next(round % 2 === 0 ? 7 * payloads.length : 100_000);
      decoder.push(stream.subarray(at, at + size));
      at += size;
      // A payload is valid until the next push.
      for (let one = decoder.nextFrame(); one !== undefined; one = decoder.nextFrame()) found.push(Buffer.from(one));
    }
    assert.deepEqual(found, payloads);
    assert.ok(!decoder.isPartial);
  }
});

test("a bad length is refused as soon as it is there", () => {
  const table: [string, string | undefined][] = [
    ["00 00 00 00", "empty"],
    ["01 00 00 01", "too_long"],
    ["01 00 00 00", undefined],
    ["68 65 6c 6c", "too_long"],
    ["68 65 6c", undefined],
  ];
  for (const [hex, kind] of table) {
    const decoder = new FrameDecoder();
    decoder.push(bytes(hex));
    if (kind === undefined) assert.equal(decoder.nextFrame(), undefined);
    else assert.throws(() => decoder.nextFrame(), { kind });
  }
  assert.throws(() => frame(Buffer.alloc(FRAME_MAX_BYTES + 1)), { kind: "too_long" });
  assert.ok(encode({ beat: {} }).length > 0);
});
