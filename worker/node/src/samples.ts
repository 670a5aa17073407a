/** The sample worker: the handlers that the contract's checker expects of every library. `node samples.js` runs it. */

import { Fail, type HandlerOptions, type Level, RetryAfter, type Scope, type TaskOptions, Worker } from "./index.js";

import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { Worker as Thread } from "node:worker_threads";

type Place = "stdout" | "stderr";

interface Print {
  text?: string;
  lines?: number;
  to?: Place | "both";
  from?: "handler" | "thread" | "child";
}

/** A follow-up as the contract spells it. */
interface FollowUp {
  kind: string;
  args?: unknown;
  queue?: string;
  name?: string;
  priority?: number | string;
  delay_ms?: number;
  timeout_ms?: number;
  max_attempts?: number;
  max_crashes?: number;
  key?: string;
  cost?: Record<string, number>;
  budget?: Record<string, number>;
}

type Check = (value: unknown) => boolean;
const whole: Check = (value) => Number.isInteger(value);
const size: Check = (value) => Number.isInteger(value) && (value as number) >= 0;
const real: Check = (value) => typeof value === "number";
const text: Check = (value) => typeof value === "string";
const object: Check = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const listOfObjects: Check = (value) => Array.isArray(value) && value.every(object);
const oneOf = (...words: string[]): Check => (value) => words.includes(value as string);
const after: Check = (value) => object(value) && size((value as { after_ms?: unknown }).after_ms);
const wish: Check = (value) => oneOf("default", "never")(value) || after(value);
const maybe = (check: Check): Check => (value) => value === undefined || check(value);

/** Args of these types. nil is as good as a missing field. */
function args<Args>(checks: { [Name in keyof Required<Args>]: Check }): HandlerOptions<Args> {
  const parse = (value: unknown): Args => {
    if (!object(value)) throw new Error("must be a map");
    const given = Object.fromEntries(Object.entries(value as object).filter(([, item]) => item !== null));
    for (const [name, check] of Object.entries<Check>(checks)) {
      if (!check(given[name])) throw new Error(`${name} is missing or of another type`);
    }
    return given as Args;
  };
  return { schema: { parse } };
}

const app = new Worker();

app.task("echo", (_: unknown, cx) => cx.args);

app.task("noop", () => {});

const sleeps = args<{ ms: number }>({ ms: size });

app.task(
  "sleep",
  async ({ ms }, cx) => {
    await wait(ms, undefined, { signal: cx.signal });
    return ms;
  },
  sleeps,
);

app.task(
  "stubborn",
  async ({ ms }) => {
    await wait(ms);
    return ms;
  },
  sleeps,
);

app.task(
  "fail",
  ({ error = "", retry = "default", scope = "task" }) => {
    if (typeof retry === "object") throw new RetryAfter(retry.after_ms, error, scope);
    throw retry === "never" ? new Fail(error) : new Error(error);
  },
  args<{ error?: string; retry?: string | { after_ms: number }; scope?: Scope }>({
    error: maybe(text),
    retry: maybe(wish),
    scope: maybe(text),
  }),
);

app.task(
  "raise",
  ({ error = "" }) => {
    throw new Error(error);
  },
  args<{ error?: string }>({ error: maybe(text) }),
);

app.task(
  "print",
  async ({ text = "hello", lines = 1, to = "both", from = "handler" }) => {
    const places: Place[] = to === "both" ? ["stdout", "stderr"] : [to];
    for (let line = 0; line < lines; line++) {
      for (const place of places) await PRINTERS[from](text, place);
    }
    return lines * places.length;
  },
  args<Print>({
    text: maybe(text),
    lines: maybe(size),
    to: maybe(oneOf("stdout", "stderr", "both")),
    from: maybe(oneOf("handler", "thread", "child")),
  }),
);

const PRINTERS = {
  handler: (text: string, place: Place) => process[place].write(`${text}\n`),
  thread: (text: string, place: Place) => {
    const script = "const { place, text } = require('worker_threads').workerData; process[place].write(`${text}\\n`);";
    return once(new Thread(script, { eval: true, workerData: { text, place } }), "exit");
  },
  child: (text: string, place: Place) => {
    const script = place === "stdout" ? 'echo "$0"' : 'echo "$0" >&2';
    return once(spawn("sh", ["-c", script, text], { stdio: "inherit" }), "exit");
  },
};

app.task(
  "crash",
  ({ exit, signal = 11 }) => {
    if (exit !== undefined) process.exit(exit);
    // The library has a listener of its own for it.
    process.removeAllListeners("SIGTERM");
    process.kill(process.pid, signal);
    // The signal may come a moment later, and the run must not be answered before.
    return new Promise(() => {});
  },
  args<{ exit?: number; signal?: number }>({ exit: maybe(whole), signal: maybe(size) }),
);

app.task("context", (_: unknown, cx) => {
  const { task, epoch, attempt, kind } = cx;
  const leftMs = cx.timeLeftMs();
  const time_left_ms = leftMs === undefined ? null : Math.round(leftMs);
  return { task, epoch, attempt, kind, effect_key: cx.effectKey, time_left_ms };
});

app.task("blob", ({ bytes }) => "x".repeat(bytes), args<{ bytes: number }>({ bytes: size }));

app.task(
  "busy",
  ({ ms }) => {
    const end = performance.now() + ms;
    while (performance.now() < end);
    return ms;
  },
  sleeps,
);

app.task(
  "log",
  ({ level = "info", message }, cx) => cx.log(level, message),
  args<{ level?: Level; message: string }>({ level: maybe(oneOf("debug", "info", "warn", "error")), message: text }),
);

app.task(
  "progress",
  ({ done, total, message }, cx) => cx.progress(done, total, message),
  args<{ done: number; total?: number; message?: string }>({ done: real, total: maybe(real), message: maybe(text) }),
);

app.task(
  "spend",
  async ({ unit, amount, times = 1 }, cx) => {
    for (let time = 0; time < times; time++) {
      if (!(await cx.spend(unit, amount))) throw new Error("what was spent is not stored");
    }
    return times;
  },
  args<{ unit: string; amount: number; times?: number }>({ unit: text, amount: size, times: maybe(size) }),
);

app.task(
  "enqueue",
  ({ tasks }, cx) => {
    for (const task of tasks) cx.enqueue(task.kind, task.args, optionsOf(task));
    return tasks.length;
  },
  args<{ tasks: FollowUp[] }>({ tasks: listOfObjects }),
);

function optionsOf(task: FollowUp): TaskOptions {
  return {
    name: task.name ?? undefined,
    queue: task.queue ?? undefined,
    priority: task.priority ?? undefined,
    delay: task.delay_ms ?? undefined,
    timeout: task.timeout_ms ?? undefined,
    maxAttempts: task.max_attempts ?? undefined,
    maxCrashes: task.max_crashes ?? undefined,
    key: task.key ?? undefined,
    cost: task.cost ?? undefined,
    budget: task.budget ?? undefined,
  };
}

app.task("retire", (_: unknown, cx) => cx.retire());

const booting = Number(process.env["SAMPLE_BOOTING"] ?? 0);
const sayBooting = () => {
  for (let said = 0; said < booting; said++) app.booting();
};

sayBooting();
if (booting > 0) {
  app.onStart(() => {
    sayBooting();
    app.log("info", "the sample worker is starting");
  });
}
await app.run({ concurrency: Number(process.env["SAMPLE_CONCURRENCY"] ?? 1) });
