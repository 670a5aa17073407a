/** An error for the author of a handler: its stack and causes, without the frames of this library and of Node. Pure. */

import { inspect } from "node:util";

/** Causes that are told, at most. */
const CAUSES_MAX = 4;

const PACKAGE = new URL(".", import.meta.url).href;
const SAMPLES = new URL("samples.js", import.meta.url).href;

export function errorText(error: unknown): string {
  const texts: string[] = [];
  for (let one = error; texts.length <= CAUSES_MAX; one = one.cause) {
    if (!(one instanceof Error)) {
      if (texts.length === 0 || one !== undefined) texts.push(typeof one === "string" ? one : inspect(one));
      break;
    }
    texts.push(stackOf(one));
  }
  return texts.join("\ncaused by: ");
}

/** The stack begins with the name and message, as they were when the error was made. */
function stackOf(error: Error): string {
  const lines = (error.stack ?? `${error.name}: ${error.message}`).split("\n");
  return lines.filter((line) => !isOwn(line)).join("\n");
}

function isOwn(line: string): boolean {
  return line.startsWith("    at ") && (line.includes("(node:") || (line.includes(PACKAGE) && !line.includes(SAMPLES)));
}
