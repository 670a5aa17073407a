/**
 * The guard before the decoder: one pass over the bytes, no recursion. It refuses what the contract forbids and the
 * decoder would take. Knows no message.
 */

import { isUtf8 } from "node:buffer";

import { ContractError } from "./errors.js";

/** Arrays and maps that may enclose one another; the outermost counts as 1. */
export const DEPTH_MAX = 64;

/** What a decoder does not tell of the value that it gives. */
export interface Scan {
  /** It has an integer of 64 bits. */
  hasWide: boolean;
  /**
   * Of the map within the outermost map: its keys that stand twice, or below which a map has a key twice or one that is
   * no text. A key of its own that is no text counts as undefined.
   */
  flawed: ReadonlySet<string | undefined>;
}

/** An array or map whose content is being read. */
interface Open {
  /** Values that are missing. */
  missing: number;
  /** The keys of a map so far, where one is due while `missing` is even. */
  keys: Set<string> | undefined;
  /** The last of them. */
  key: string | undefined;
}

/** What follows a marker: bytes of the value itself, then of a text or blob, then values. */
interface Token {
  size: number;
  isText: boolean;
  values: number;
  isMap: boolean;
}

/**
 * Proves that `bytes` are exactly one value within the limits.
 *
 * Throws `ContractError`: `empty`, `truncated`, `trailing`, `too_deep` or `malformed`.
 */
export function scan(bytes: Uint8Array): Scan {
  if (bytes.length === 0) throw new ContractError("empty", "no bytes where a value must be; send at least nil");
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const open: Open[] = [];
  let at = 0;
  let owed = 1;
  let hasWide = false;
  const flawed = new Set<string | undefined>();
  while (owed > 0) {
    const marker = byteAt(view, at);
    const token = tokenAt(view, at);
    const start = at + headBytes(marker);
    const end = start + token.size;
    if (end > view.length) throw truncated();
    hasWide ||= marker === 0xcf || marker === 0xd3;
    if (token.isText && !isUtf8(view.subarray(start, end))) throw new ContractError("malformed", "a str is not UTF-8");
    noteKey(open, flawed, token.isText ? view.subarray(start, end) : undefined);
    const isContainer = token.values >= 0;
    if (isContainer && open.length === DEPTH_MAX) {
      throw new ContractError("too_deep", `arrays and maps are nested more than ${DEPTH_MAX} deep; flatten the value`);
    }
    at = end;
    owed += (isContainer ? token.values : 0) - 1;
    // A value takes a byte at least: a count beyond what is left is a lie, told before room is reserved for it.
    if (owed > view.length - at) throw truncated();
    if (token.values > 0) open.push({ missing: token.values, keys: token.isMap ? new Set() : undefined, key: undefined });
    else close(open);
  }
  if (at < view.length) {
    throw new ContractError("trailing", `${view.length - at} bytes follow the value; a frame carries exactly one`);
  }
  return { hasWide, flawed };
}

/** The value is whole, and with it perhaps the containers around it. */
function close(open: Open[]): void {
  for (let last = open.at(-1); last !== undefined; last = open.at(-1)) {
    last.missing -= 1;
    if (last.missing > 0) return;
    open.pop();
  }
}

/** Takes note of a value where a key is due; `text` is undefined for one that is no text. */
function noteKey(open: Open[], flawed: Set<string | undefined>, text: Buffer | undefined): void {
  const within = open.at(-1);
  if (within?.keys === undefined || within.missing % 2 !== 0) return;
  const key = text?.toString();
  const isGood = key !== undefined && !within.keys.has(key);
  within.key = key;
  if (isGood) within.keys.add(key);
  else if (open.length > 1) flawed.add(open[1]!.key);
}

/** Bytes from the marker to the content: the marker itself, and a size where there is one. */
function headBytes(marker: number): number {
  if (marker >= 0xc4 && marker <= 0xc6) return 1 + (1 << (marker - 0xc4));
  if (marker >= 0xd9 && marker <= 0xdb) return 1 + (1 << (marker - 0xd9));
  if (marker >= 0xdc && marker <= 0xdf) return marker % 2 === 0 ? 3 : 5;
  return 1;
}

function tokenAt(view: Buffer, at: number): Token {
  const marker = byteAt(view, at);
  const scalar = (size: number): Token => ({ size, isText: false, values: -1, isMap: false });
  const text = (size: number): Token => ({ size, isText: true, values: -1, isMap: false });
  const array = (items: number): Token => ({ size: 0, isText: false, values: items, isMap: false });
  const map = (pairs: number): Token => ({ size: 0, isText: false, values: 2 * pairs, isMap: true });
  if (marker < 0x80 || marker >= 0xe0) return scalar(0);
  if (marker < 0x90) return map(marker & 0x0f);
  if (marker < 0xa0) return array(marker & 0x0f);
  if (marker < 0xc0) return text(marker & 0x1f);
  if (marker === 0xc0 || marker === 0xc2 || marker === 0xc3) return scalar(0);
  if (marker >= 0xc4 && marker <= 0xc6) return scalar(numberAt(view, at + 1, 1 << (marker - 0xc4)));
  if (marker === 0xca || marker === 0xcb) return scalar(4 << (marker - 0xca));
  if (marker >= 0xcc && marker <= 0xd3) return scalar(1 << ((marker - 0xcc) % 4));
  if (marker >= 0xd9 && marker <= 0xdb) return text(numberAt(view, at + 1, 1 << (marker - 0xd9)));
  if (marker === 0xdc || marker === 0xdd) return array(numberAt(view, at + 1, marker === 0xdc ? 2 : 4));
  if (marker === 0xde || marker === 0xdf) return map(numberAt(view, at + 1, marker === 0xde ? 2 : 4));
  throw new ContractError("malformed", `byte 0x${marker.toString(16)} is an extension type or no MessagePack`);
}

function byteAt(view: Buffer, at: number): number {
  const byte = view[at];
  if (byte === undefined) throw truncated();
  return byte;
}

function numberAt(view: Buffer, at: number, sizeBytes: number): number {
  if (at + sizeBytes > view.length) throw truncated();
  return view.readUIntBE(at, sizeBytes);
}

function truncated(): ContractError {
  return new ContractError("truncated", "a value, array or map announces more than there is; send whole values");
}
