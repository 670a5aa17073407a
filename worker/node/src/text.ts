/** Names, and texts of unknown length and origin made fit for a frame. Pure. */

const NAME = /^[a-z0-9][a-z0-9_.-]{0,63}$/;

/** Throws `RangeError` with the rule when `name` is not spelled as names of kinds, queues and units are. */
export function checkName(what: string, name: unknown): void {
  if (typeof name !== "string" || !NAME.test(name)) {
    const rule = "a name has 1 to 64 of a-z 0-9 _ . - and begins with a letter or digit";
    throw new RangeError(`${what} ${JSON.stringify(String(name))}: ${rule}`);
  }
}

/** The longest beginning of at most `maxBytes` bytes of UTF-8 that ends between characters. */
export function clip(text: string, maxBytes: number): string {
  const whole = text.slice(0, maxBytes).toWellFormed();
  if (whole.length * 3 <= maxBytes) return whole;
  const bytes = Buffer.from(whole);
  let end = Math.min(bytes.length, maxBytes);
  // A byte 10xxxxxx goes on with a character that began before.
  while (end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end -= 1;
  return bytes.toString("utf8", 0, end);
}
