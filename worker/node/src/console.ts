/** What a handler says to `console` becomes lines of its task's log, with their level. */

import { formatWithOptions } from "node:util";

import { LOG_MAX_BYTES, current } from "./context.js";
import type { Level } from "./messages.js";

const LEVELS = { debug: "debug", log: "info", info: "info", warn: "warn", error: "error" } as const;

/** Outside of a handler, and for what is too long for a line, `console` prints as ever. */
export function captureConsole(): void {
  for (const [name, level] of Object.entries(LEVELS) as [keyof typeof LEVELS, Level][]) {
    const print = console[name].bind(console);
    console[name] = (...words: unknown[]) => {
      const context = current();
      const text = context === undefined ? "" : formatWithOptions({ colors: false }, ...words);
      if (context === undefined || Buffer.byteLength(text) > LOG_MAX_BYTES) print(...words);
      else context.log(level, text);
    };
  }
}
