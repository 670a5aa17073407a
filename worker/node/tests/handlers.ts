/** Handlers for the tests of conversations, each of which the samples do not have. */

import { Fail, RetryAfter, Worker, current } from "../src/index.js";

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

const app = new Worker();

app.task("obey-in-a-loop", (_: unknown, cx) => {
  cx.info("looping");
  while (!cx.stopping);
  return cx.stop?.reason;
});

app.task("abort", async (_: unknown, cx) => {
  cx.info("waiting");
  await wait(2 ** 30, undefined, { signal: cx.signal });
});

app.task("ignore", async (_: unknown, cx) => {
  cx.info("waiting");
  await new Promise((resolve) => cx.signal.addEventListener("abort", resolve));
  return "finished all the same";
});

app.task("forever", (_: unknown, cx) => {
  cx.info("looping");
  for (;;);
});

app.task("block", ({ until }: { until: string }) => fs.readFileSync(until).length);

app.task("console", () => {
  console.log("from %s", "console.log", { a: 1 });
  console.warn("a warning");
  process.stdout.write("printed\n");
});

app.task("whose", async ({ turns }: { turns: number }) => {
  for (let turn = 0; turn < turns; turn++) await wait(1);
  console.log(`task ${String(current()?.task)}`);
});

app.task("follow-then-fail", (_: unknown, cx) => {
  cx.enqueue("echo", 1);
  throw new RetryAfter("2s", "not now");
});

app.task("bad-result", () => ({ deep: [() => 1] }));
app.task("large-result", () => new Uint8Array(1024 * 1024));
app.task("fail-for-good", () => Promise.reject(new Fail("no")));
app.task("throw-a-word", () => Promise.reject("a word"));
app.task("fatal", () => Promise.reject(new TypeError("typed")), { fatal: [TypeError] });
app.task("later", (_: unknown, cx) => {
  setImmediate(() => {
    throw new Error("nobody catches this");
  });
  return new Promise(() => cx.info("thrown soon"));
});
app.task("strict", ({ n }: { n: number }) => n + 1, {
  schema: {
    parse: (value) => {
      const { n } = value as { n?: unknown };
      if (typeof n !== "number") throw new Error("n must be a number");
      return { n };
    },
  },
});

app.task("descriptors", () => {
  const own = fs.readdirSync("/proc/self/fd").map((name) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${name}`);
    } catch {
      return "the folder itself, closed again";
    }
  });
  const listed = spawnSync("sh", ["-c", "ls -l /proc/self/fd; echo $MUTIRAO_COOKIE$MUTIRAO_CHANNEL"]);
  return { own: own.join("\n"), child: listed.stdout.toString() };
});

app.task("stdin", async () => {
  let bytes = 0;
  for await (const piece of process.stdin as AsyncIterable<Buffer>) bytes += piece.length;
  return bytes;
});

app.task("notes", async (_: unknown, cx) => {
  for (let done = 1; done <= 1000; done++) cx.progress(done, 1000);
  cx.note("at the end");
});

app.task("spend-much", async (_: unknown, cx) => {
  const receipts = Array.from({ length: 5 }, () => cx.spend("tokens", 2));
  return (await Promise.all(receipts)).every(Boolean);
});

app.task("spend-then-abort", async (_: unknown, cx) => {
  await cx.spend("tokens", 1);
  cx.info("stored");
  await wait(2 ** 30, undefined, { signal: cx.signal });
});

app.task("lost-receipt", async (_: unknown, cx) => {
  cx.info("spending");
  return cx.spend("tokens", 1);
});

await app.run({ concurrency: Number(process.env["CONCURRENCY"] ?? 1) });
