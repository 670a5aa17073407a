/** What a worker does when a person starts it: it says what it is, and tries one handler when asked to. */

import path from "node:path";

import { EXIT_FAILED, EXIT_USAGE } from "./exit-codes.js";
import type { Handler } from "./handler.js";
import { printWhole } from "./output.js";
import { rehearse } from "./rehearsal.js";
import { SDK } from "./version.js";

const TRY = "--try";

/** Gives the exit code. `argv` is that of the process: the interpreter, the script, its arguments. */
export async function main(handlers: ReadonlyMap<string, Handler>, argv: string[]): Promise<number> {
  if (argv[2] === TRY) return tryOne(handlers, argv.slice(3));
  printWhole(explanation([...handlers.keys()].sort(), commandOf(argv, process.execArgv, process.cwd())));
  return EXIT_USAGE;
}

/** The command that starts this program again, for the folder that it was started in. */
export function commandOf(argv: string[], execArgv: string[], folder: string): string[] {
  const script = argv[1] ?? "worker.js";
  const near = path.relative(folder, script);
  return ["node", ...execArgv, near.startsWith("..") ? script : near, ...argv.slice(2)];
}

/** What this program is, and what to type next. */
export function explanation(kinds: string[], command: string[]): string {
  const script = command.find((word) => /\.[cm]?[jt]s$/.test(word)) ?? "example";
  const stem = path.basename(script).replace(/\.[^.]*$/, "");
  const pool = stem.toLowerCase().replace(/[^a-z0-9_.-]/g, "-").replace(/^[-_.]+|[-_.]+$/g, "").slice(0, 64) || "example";
  return [
    `This is a task worker (${SDK}). It does nothing by itself: a supervisor starts it and sends it tasks.`,
    "",
    "Its kinds of task:",
    ...kinds.map((kind) => `    ${kind}`),
    "",
    "To use it, name it in supervisor.toml, start `supervisor run`, and enqueue a task:",
    "",
    `    [pools.${pool.includes(".") ? JSON.stringify(pool) : pool}]`,
    `    command = ${JSON.stringify(command)}`,
    "",
    `    supervisor enqueue ${kinds[0]} key=value`,
    "",
    "To try one handler here, without a supervisor:",
    "",
    `    ${command.map(quoted).join(" ")} ${TRY} ${kinds[0]} key=value`,
  ].join("\n");
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

async function tryOne(handlers: ReadonlyMap<string, Handler>, words: string[]): Promise<number> {
  const handler = handlers.get(words[0] ?? "");
  if (handler === undefined) {
    printWhole(`${TRY} needs the kind of a task; known kinds are ${[...handlers.keys()].sort().join(", ")}`);
    return EXIT_USAGE;
  }
  let args: Record<string, unknown>;
  try {
    args = parseArgs(words.slice(1));
  } catch (error) {
    printWhole((error as Error).message);
    return EXIT_USAGE;
  }
  const told = await rehearse(handler, args);
  for (const { level, text } of told.logs) printWhole(`${level}: ${text}`);
  for (const { kind, args: given } of told.enqueued) printWhole(`enqueue: ${kind} ${shown(given)}`);
  if (told.error !== undefined) {
    printWhole(told.error);
    return EXIT_FAILED;
  }
  process.stdout.write(`${shown(told.result)}\n`);
  return 0;
}

/** Of what a result can have, JSON lacks bytes, and integers beyond 2 ** 53. */
function shown(value: unknown): string {
  const replace = (_: string, item: unknown) => {
    if (typeof item === "bigint") return item.toString();
    return item instanceof Uint8Array ? { $bin_bytes: item.length } : item;
  };
  return JSON.stringify(value ?? null, replace);
}

/** `key=value` is text, `key:=json` any value. Throws `RangeError` for anything else. */
export function parseArgs(words: string[]): Record<string, unknown> {
  return Object.fromEntries(words.map(parseArg));
}

function parseArg(word: string): [string, unknown] {
  const [, name, colon, value] = /^([^=]*?)(:?)=(.*)$/s.exec(word) ?? [];
  if (!name || value === undefined) {
    throw new RangeError(`${JSON.stringify(word)} is no argument; write key=value for text, or key:=json for any value`);
  }
  if (!colon) return [name, value];
  try {
    return [name, JSON.parse(value) as unknown];
  } catch (error) {
    const why = `what follows := is no JSON (${(error as Error).message})`;
    throw new RangeError(`${JSON.stringify(word)}: ${why}; write ${name}=... for text`);
  }
}
