/** The helper for the tests of handlers, and the building of workers. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Context, Fail, RetryAfter, Worker, WorkerError, current } from "../src/index.js";
import { run } from "../src/testing.js";

const SCHEMA = {
  parse(value: unknown): { n: number } {
    const { n } = value as { n?: unknown };
    if (typeof n === "number") return { n };
    throw new TypeError("n must be a number");
  },
};

test("what a handler returns and tells is kept", async () => {
  const told = await run(
    async ({ path }: { path: string }, cx: Context) => {
      cx.progress(1, 2, "half");
      cx.note("more");
      cx.info("a line");
      assert.ok(await cx.spend("tokens", 3));
      await cx.spend("tokens", 4);
      cx.enqueue("next", { path }, { delay: "1s" });
      cx.retire();
      assert.equal(current(), cx);
      return { path, at: new Date(0), attempt: cx.attempt, left: cx.timeLeftMs() };
    },
    { path: "a.png" },
    { attempt: 2 },
  );
  assert.deepEqual(told, {
    result: { path: "a.png", at: "1970-01-01T00:00:00.000Z", attempt: 2 },
    error: undefined,
    retry: "default",
    scope: "task",
    progress: [
      { done: 1, total: 2, message: "half" },
      { done: null, total: null, message: "more" },
    ],
    spent: { tokens: 7 },
    logs: [{ level: "info", text: "a line" }],
    enqueued: [{ kind: "next", args: { path: "a.png" }, options: { delay_ms: 1_000 } }],
    retired: true,
  });
  assert.equal(current(), undefined);
});

test("who waits after a failure is told", async () => {
  for (const scope of ["task", "key", "queue"] as const) {
    const told = await run(() => Promise.reject(new RetryAfter("30s", "429", scope)));
    assert.deepEqual([told.scope, told.retry, told.error], [scope, 30_000, "429"]);
  }
});

test("failures are told with their wish, and drop the follow-ups", async () => {
  const table: [() => unknown, unknown, RegExp][] = [
    [() => Promise.reject(new RetryAfter("5s")), 5_000, /try again after 5 s/],
    [() => Promise.reject(new Fail("no")), "never", /^no$/],
    [() => { throw new Error("x", { cause: new RangeError("y") }); }, "default", /^Error: x\n[^]*caused by: RangeError: y/],
    [() => Symbol("s"), "never", /symbol/],
  ];
  for (const [work, retry, text] of table) {
    const told = await run((_: unknown, cx: Context) => {
      cx.enqueue("next");
      return work();
    });
    assert.equal(told.retry, retry);
    assert.match(told.error ?? "", text);
    assert.deepEqual(told.enqueued, []);
  }
});

test("a thrown value that cannot be told is an outcome all the same", async () => {
  const broken = new Error("x");
  Object.defineProperty(broken, "stack", { get: () => assert.fail("no stack") });
  const told = await run(() => Promise.reject(broken));
  assert.match(told.error ?? "", /cannot be told/);
});

test("a handler is stopped when it has told its progress so often", async () => {
  const handler = async (_: unknown, cx: Context) => {
    for (let step = 1; step <= 5; step++) {
      cx.check();
      cx.progress(step);
    }
    return "done";
  };
  assert.equal((await run(handler)).result, "done");
  for (const stopAfterProgress of [0, 2]) {
    const told = await run(handler, undefined, { stopAfterProgress });
    assert.equal(told.error, "stopped: cancel");
    assert.equal(told.progress.length, stopAfterProgress);
  }
});

test("a schema checks args and gives them their type", async () => {
  const app = new Worker().task("add", ({ n }, cx) => [n + 1, cx.args], { schema: SCHEMA });
  assert.deepEqual((await run(app, { n: 1 })).result, [2, { n: 1 }]);
  const told = await run(app, {});
  assert.deepEqual([told.retry, told.error], ["never", "add: the args do not fit: n must be a number"]);
});

test("nothing is a map without entries, and `cx.args` tells the difference", async () => {
  assert.deepEqual((await run((args: object, cx: Context) => [args, cx.args === undefined])).result, [{}, true]);
  assert.deepEqual((await run((args: object, cx: Context) => [args, cx.args === undefined], 0)).result, [0, false]);
});

test("the context refuses what cannot be told", async () => {
  const calls: ((cx: Context) => unknown)[] = [
    (cx) => cx.progress(Number.NaN),
    (cx) => cx.progress(1, Infinity),
    (cx) => cx.spend("Tokens", 1),
    (cx) => cx.spend("tokens", -1),
    (cx) => cx.spend("tokens", 0.5),
  ];
  for (const call of calls) {
    const told = await run((_: unknown, cx: Context) => void assert.throws(() => call(cx), RangeError));
    assert.equal(told.error, undefined, String(call));
  }
});

test("workers that are put together wrongly are refused", async () => {
  const app = new Worker().task("a", () => 1);
  assert.throws(() => app.task("a", () => 2), WorkerError);
  assert.throws(() => app.task("A b", () => 2), WorkerError);
  assert.throws(() => app.task("b", undefined as never), WorkerError);
  await assert.rejects(run(app, {}, { kind: "b" }), WorkerError);
  assert.throws(() => new RetryAfter("soon"), RangeError);
});
