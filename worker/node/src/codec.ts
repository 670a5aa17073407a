/** MessagePack as the contract uses it: one value, no extension types, bounded. Knows no message. */

import { decode as decodeAny, encode as encodeAny } from "@msgpack/msgpack";

import { ContractError } from "./errors.js";
import { type Scan, scan } from "./scan.js";

export const INT_MIN = -(2n ** 63n);
export const INT_MAX = 2n ** 64n - 1n;

/** Up to here every integer is a number; integers beyond are bigints, so this one stands for no other. */
const EXACT_MAX = 2 ** 53;

const DECODING = {
  useBigInt64: true,
  // Keys of an object are text, whatever they were.
  mapKeyConverter: (key: unknown): string => String(key),
};

/** As `decode`, with what the guard has found. */
export function decodeScanned(bytes: Uint8Array): Scan & { value: unknown } {
  const found = scan(bytes);
  let value: unknown;
  try {
    // Of a `Buffer`, the decoder would give `Buffer`s.
    value = decodeAny(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), DECODING);
  } catch (error) {
    throw new ContractError("malformed", `the decoder refuses it: ${error instanceof Error ? error.message : "?"}`);
  }
  return { ...found, value: found.hasWide ? narrow(value) : value };
}

/**
 * The one value in `bytes`. Integers are numbers where these are exact, else bigints; maps are objects, where the last of
 * equal keys counts; `bin` is a `Uint8Array` on the memory of `bytes`.
 *
 * Throws `ContractError` as `scan` does.
 */
export function decode(bytes: Uint8Array): unknown {
  return decodeScanned(bytes).value;
}

/** Makes numbers of the bigints that fit one, in place. The guard has bounded the depth. */
function narrow(value: unknown): unknown {
  if (typeof value === "bigint") return isExact(value) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(narrow);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  const map = value as Record<string, unknown>;
  for (const key of Object.keys(map)) map[key] = narrow(map[key]);
  return map;
}

function isExact(value: bigint): boolean {
  return value >= -BigInt(EXACT_MAX) && value <= BigInt(EXACT_MAX);
}

/** The bytes of a value made of null, booleans, numbers, bigints of 64 bits, text, `Uint8Array`, arrays and objects. */
export function encode(value: unknown): Uint8Array {
  return encodeAny(value, { useBigInt64: true, maxDepth: Number.MAX_SAFE_INTEGER, ignoreUndefined: true });
}

/** An integer in the form that `encode` writes as an integer: the encoder makes floats of those beyond 32 bits. */
export function wholeNumber(value: number): number | bigint {
  const isWide = value > 0xffff_ffff || value < -0x8000_0000;
  return isWide && Number.isInteger(value) && Math.abs(value) <= EXACT_MAX ? BigInt(value) : value;
}
