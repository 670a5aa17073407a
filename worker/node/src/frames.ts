/** Frames: a big-endian length of four bytes, then one MessagePack value. No message or descriptor is known here. */

import { ContractError } from "./errors.js";

/** Largest payload of a frame, after its length. */
export const FRAME_MAX_BYTES = 16 * 1024 * 1024;

/** Room that a decoder keeps between frames. */
const KEPT_BYTES = 256 * 1024;

const LENGTH_BYTES = 4;

/** A whole frame. Throws `ContractError` (`too_long`) when the payload is over 16 MiB. */
export function frame(payload: Uint8Array): Uint8Array {
  if (payload.length > FRAME_MAX_BYTES) throw tooLong(payload.length);
  const whole = Buffer.allocUnsafe(LENGTH_BYTES + payload.length);
  whole.writeUInt32BE(payload.length);
  whole.set(payload, LENGTH_BYTES);
  return whole;
}

function tooLong(sizeBytes: number): ContractError {
  return new ContractError("too_long", `a frame of ${sizeBytes} bytes exceeds the limit of ${FRAME_MAX_BYTES}`);
}

/** Cuts a stream of bytes into payloads. It holds what arrived and never reserves what was only announced. */
export class FrameDecoder {
  #buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  /** Adds what arrived. Take all frames out before pushing more. */
  push(data: Uint8Array): void {
    const left = this.#end - this.#start;
    if (this.#end + data.length > this.#buffer.length) {
      // At least doubled, so that a frame that comes byte by byte is not copied for each of them.
      const isTooSmall = left + data.length > this.#buffer.length / 2;
      const isTooLarge = this.#buffer.length > KEPT_BYTES && left === 0;
      const room = isTooSmall || isTooLarge ? Buffer.allocUnsafeSlow(2 * (left + data.length)) : this.#buffer;
      this.#buffer.copy(room, 0, this.#start, this.#end);
      [this.#buffer, this.#start, this.#end] = [room, 0, left];
    }
    this.#buffer.set(data, this.#end);
    this.#end += data.length;
  }

  /**
   * The payload of the next whole frame, or undefined when more bytes are needed. It is valid until the next `push`.
   *
   * Throws `ContractError` (`empty`, `too_long`) as soon as the four bytes of the length are there.
   */
  nextFrame(): Uint8Array | undefined {
    if (this.#end - this.#start < LENGTH_BYTES) return undefined;
    const sizeBytes = this.#buffer.readUInt32BE(this.#start);
    if (sizeBytes === 0) throw new ContractError("empty", "a frame announces no bytes");
    if (sizeBytes > FRAME_MAX_BYTES) throw tooLong(sizeBytes);
    const from = this.#start + LENGTH_BYTES;
    if (this.#end - from < sizeBytes) return undefined;
    this.#start = from + sizeBytes;
    return this.#buffer.subarray(from, this.#start);
  }

  /** True while a frame has begun and is not complete: the end of the stream here is an error of the sender. */
  get isPartial(): boolean {
    return this.#end > this.#start;
  }
}
