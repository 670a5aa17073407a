/** What people read: the log of the process, beside the channel. It may be closed, or read by nobody. */

import fs from "node:fs";

/** Prints a line to stderr in one piece; nothing happens when nobody can read it. */
export function printWhole(line: string): void {
  try {
    fs.writeSync(2, `${line}\n`);
  } catch {
    // Nobody is left to tell.
  }
}

/** Ends the process, with a sentence when there is one. */
export function leave(code: number, sentence: string): never {
  if (sentence !== "") printWhole(sentence);
  process.exit(code);
}
