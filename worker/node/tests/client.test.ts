/** The client against a door that misbehaves. No time passes but that of the clock. */

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";

import { slices, SLICE_BYTES_MAX, SLICE_TASKS_MAX } from "../src/client/requests.js";
import { choose } from "../src/client/place.js";
import {
  Client,
  ClientError,
  type ClientOptions,
  Refused,
  TaskCancelled,
  TaskFailed,
  Unavailable,
  Unreachable,
  WaitTimeout,
} from "../src/index.js";
import { CUT_SHORT, FakeDoor, type Fault, TASK, UNANSWERED, UNHEARD, refusal } from "./fake-door.js";

function clientOf(door: FakeDoor, options: ClientOptions = {}): Client {
  return new Client({ socket: door.path, clock: door.clock.clock, pause: door.clock.pause, ...options });
}

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  assert.fail("nothing was thrown");
}

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

test("whatever breaks, a task is added once", async () => {
  await using door = await new FakeDoor().open();
  const client = clientOf(door);
  const overloaded = refusal(429, "overloaded", { "retry-after": "1" });
  const faults: Fault[] = [UNHEARD, UNANSWERED, CUT_SHORT, overloaded, refusal(503, "stopping"), refusal(507, "disk_full")];
  let count = 0;
  for (const pair of faults.flatMap((one) => faults.map((other) => [one, other]))) {
    door.faults = [...pair];
    const added = await client.enqueue("resize", { path: "a" });
    assert.equal(added.id, ++count, JSON.stringify(pair));
    assert.match(added.name, /^js-.{36}$/);
    assert.deepEqual(door.faults, []);
  }
  assert.equal(door.tasks.size, faults.length ** 2);
  client.close();
});

test("a supervisor that is away for a while is only a pause", async () => {
  await using door = new FakeDoor();
  door.clock.atPause = async (number) => void (number === 3 && (await door.open()));
  assert.deepEqual(await clientOf(door).enqueue("resize", undefined, { name: "once" }), { id: 1, existing: false, name: "once" });
  assert.deepEqual(door.clock.pausesMs, [50, 100, 200]);
});

test("it is tried for as long as was said", async () => {
  for (const [retryForMs, tries] of [[0, 1], [40, 2], [1_000, 6], [30_000, 21]] as const) {
    await using door = await new FakeDoor().open();
    door.faults = Array.from({ length: tries + 1 }, () => UNHEARD);
    await assert.rejects(clientOf(door, { retryForMs }).enqueue("resize"), Unreachable);
    assert.equal(door.requests.length, tries, String(retryForMs));
    assert.equal(door.clock.pausesMs.reduce((sum, ms) => sum + ms, 0), retryForMs);
  }
});

test("a retry-after is kept, within reason", async () => {
  await using door = await new FakeDoor().open();
  door.faults = [refusal(429, "x", { "retry-after": "7" }), refusal(429, "x"), refusal(429, "x", { "retry-after": "9999" })];
  await clientOf(door, { retryForMs: 1e9 }).enqueue("resize");
  assert.deepEqual(door.clock.pausesMs, [7_000, 100, 60_000]);
});

test("what a supervisor refuses is thrown with its words, at once", async () => {
  await using door = await new FakeDoor().open();
  const table: [Fault, abstract new (...args: never[]) => Error, object][] = [
    [refusal(422, "invalid_args", {}, { id: 4 }), Refused, { code: "invalid_args", status: 422, hint: "do better", taskId: 4 }],
    [refusal(404, "not_found"), Refused, { status: 404 }],
    [refusal(500, "failed"), Unavailable, { status: 500 }],
    [{ is: "reply", status: 400, headers: {}, body: "<html>" }, Refused, { code: "unreadable" }],
    [{ is: "reply", status: 200, headers: {}, body: "[]" }, ClientError, { code: "unreadable" }],
    [{ is: "reply", status: 200, headers: {}, body: '{"id":"x"}' }, ClientError, { code: "unreadable" }],
  ];
  for (const [fault, kind, expected] of table) {
    door.faults = [fault];
    const error: unknown = await errorOf(clientOf(door).enqueue("resize"));
    assert.ok(error instanceof kind, JSON.stringify(fault));
    assert.deepEqual({ ...error, ...expected }, { ...error });
  }
  door.faults = [refusal(422, "a", {})];
  await assert.rejects(clientOf(door).get(1), { message: "it is a; do better", name: "Refused" });
  assert.deepEqual(door.clock.pausesMs, []);
});

test("a retry is not asked twice when it may have been heard", async () => {
  await using door = await new FakeDoor().open();
  const client = clientOf(door);
  await client.retry(1);
  door.faults = [UNANSWERED];
  const error = await errorOf(client.retry(1));
  assert.ok(error instanceof Unreachable && error.hint.startsWith("it may have taken effect"));
  assert.equal(door.requests.length, 2);
  door.faults = [refusal(503, "stopping")];
  await client.retry(1);
  assert.equal(door.requests.length, 4);
});

test("a task is spelled as the supervisor reads it", async () => {
  await using door = await new FakeDoor().open();
  const whose = { key: "user:7", cost: { tokens: 500 }, budget: { usd: 0 } };
  const limits = { timeout: 1_500, maxAttempts: 2, maxCrashes: 1 };
  const options = { name: "n", queue: "q", priority: "high", delay: "1m", ...limits, ...whose };
  await clientOf(door).enqueue("resize", { big: 7, at: new Date(0), none: undefined }, options);
  assert.deepEqual(door.requests[0]?.body, {
    kind: "resize",
    queue: "q",
    priority: "high",
    delay_ms: 60_000,
    name: "n",
    timeout_ms: 1_500,
    max_attempts: 2,
    max_crashes: 1,
    ...whose,
    args: { big: 7, at: "1970-01-01T00:00:00.000Z" },
  });
  await clientOf(door).enqueue("resize", [2n ** 63n], { name: "m" });
  assert.equal(JSON.stringify(door.requests[1]?.body), '{"kind":"resize","name":"m","args":[9223372036854776000]}');
});

test("what cannot travel is refused before anything is sent", async () => {
  await using door = await new FakeDoor().open();
  const client = clientOf(door);
  const self: unknown[] = [];
  self.push(self);
  const bad: unknown[] = [Number.NaN, 2n ** 64n, new Uint8Array(1), () => 1, new Map(), self, Promise.resolve(1)];
  for (const args of bad) await assert.rejects(client.enqueue("resize", args), Refused);
  await assert.rejects(client.enqueue("resize", 1, { delay: -1 }), Refused);
  await assert.rejects(client.bulk([{ kind: "a" }, { kind: "b", args: Number.NaN }]), { index: 1 });
  assert.throws(() => client.get(1.5), Refused);
  assert.equal(door.requests.length, 0);
});

test("a bulk is sent in slices, and an error says what was added before", async () => {
  await using door = await new FakeDoor().open();
  const tasks = Array.from({ length: SLICE_TASKS_MAX + 5 }, (_, at) => ({ kind: "resize", args: at }));
  const added = await clientOf(door).bulk(tasks);
  assert.deepEqual([added.length, added.at(-1)?.id, door.requests.length], [tasks.length, tasks.length, 2]);
  assert.deepEqual(await clientOf(door).bulk([]), []);
  const named = tasks.map((task, at) => ({ ...task, name: `n${at}` }));
  door.faults = [UNANSWERED];
  const again = await clientOf(door).bulk(named);
  assert.ok(again.slice(0, 5).every(({ existing }) => existing), "the first answer was lost");
  door.faults = [undefined, refusal(422, "invalid_args", {}, { index: 3 })];
  const error = await errorOf(clientOf(door).bulk(tasks));
  assert.ok(error instanceof Refused);
  assert.deepEqual([error.index, error.added.length], [SLICE_TASKS_MAX + 3, SLICE_TASKS_MAX]);
});

test("slices are cut by count and by bytes", () => {
  const table: [number[], [number, number][]][] = [
    [[], []],
    [[1], [[0, 1]]],
    [[SLICE_BYTES_MAX, 1], [[0, 1], [1, 2]]],
    [[SLICE_BYTES_MAX + 1], [[0, 1]]],
    [[1, SLICE_BYTES_MAX + 1, 1], [[0, 1], [1, 2], [2, 3]]],
    [Array.from({ length: SLICE_TASKS_MAX + 1 }, () => 1), [[0, SLICE_TASKS_MAX], [SLICE_TASKS_MAX, SLICE_TASKS_MAX + 1]]],
  ];
  for (const [sizes, cut] of table) assert.deepEqual(slices(sizes), cut.map(([from, to]) => ({ from, to })));
});

test("waiting asks in slices, pauses after an early answer, and survives a break", async () => {
  await using door = await new FakeDoor().open();
  door.looksUntilFinal = 2;
  door.faults = [UNHEARD];
  const info = await clientOf(door).wait(7);
  assert.deepEqual([info.isFinal, info.state, info.createdAt.getTime()], [true, "completed", Date.parse(TASK.created_at)]);
  assert.deepEqual(door.requests.map(({ target }) => target), Array.from({ length: 4 }, () => "/v1/tasks/7?wait=30000ms"));
  assert.deepEqual(door.clock.pausesMs, [50, 100, 100]);
  door.looksUntilFinal = 1e9;
  const error = await errorOf(clientOf(door).wait(7, { timeoutMs: 250 }));
  assert.ok(error instanceof WaitTimeout && error.info.state === "available");
  assert.equal(door.requests.at(-1)?.target, "/v1/tasks/7");
});

test("a result is had, or the end is thrown with every attempt", async () => {
  await using door = await new FakeDoor().open();
  assert.deepEqual(await clientOf(door).result(1), { width: 1 });
  door.ended = { state: "cancelled" };
  await assert.rejects(clientOf(door).result(1), TaskCancelled);
  const told = { run: 1, outcome: "exit", detail: "exit code 3", signal: null, output: "out" };
  const attempts = [{ ...told, exit_code: 3, run_ms: 5, peak_rss_bytes: 9 }];
  const progress = { done: 1, total: null, message: "m", at: TASK.created_at };
  door.ended = { state: "failed", reason: "crashes", attempts, spent: { tokens: 5 }, progress };
  const error = await errorOf(clientOf(door).result(1));
  assert.ok(error instanceof TaskFailed);
  assert.match(error.message, /^task 1 \(resize\) failed \(crashes\): exit code 3; /);
  assert.deepEqual(error.info.attempts[0], { ...told, exitCode: 3, runMs: 5, peakRssBytes: 9 });
  assert.deepEqual([error.info.spent, error.info.progress?.done], [{ tokens: 5 }, 1]);
  const ids = (await collected(clientOf(door).waitAll([3, 1, 2]))).map(({ id }) => id);
  assert.deepEqual(ids, [3, 1, 2]);
});

test("lists follow the cursor to its end", async () => {
  await using door = await new FakeDoor().open();
  const task = (id: number) => ({ id, ...TASK });
  door.pages = { "": { tasks: [task(1)], next: "a" }, a: { tasks: [], next: "b" }, b: { tasks: [task(2)] } };
  const found = await collected(clientOf(door).list({ state: "available", queue: "a b" }));
  assert.deepEqual(found.map(({ id }) => id), [1, 2]);
  assert.equal(door.requests[1]?.target, "/v1/tasks?state=available&queue=a+b&limit=500&cursor=a");
  door.pages = { "": { tasks: [], next: "a" }, a: { tasks: [], next: "a" } };
  await assert.rejects(collected(clientOf(door).list()), { code: "unreadable" });
});

test("logs come line by line, however they are cut, and a break is told", async () => {
  await using door = await new FakeDoor().open();
  const line = (text: string) => JSON.stringify({ run: 1, at: TASK.created_at, source: "output", level: null, text });
  let release = () => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  // The rest of a line comes when the line before it has been read.
  door.log = [`${line("a")}\n${line("é").slice(0, 20)}`, gate, `${line("é").slice(20)}\n\n${line("b")}\n${line("c")}`];
  const texts: string[] = [];
  for await (const { text } of clientOf(door).logs(5, { attempt: 2, follow: true })) {
    texts.push(text);
    release();
  }
  assert.deepEqual(texts, ["a", "é", "b", "c"]);
  assert.equal(door.requests[0]?.target, "/v1/tasks/5/logs?attempt=2&follow=true");
  door.log = [`${line("a")}\n`, undefined];
  const heard: string[] = [];
  const follow = async () => {
    for await (const { text } of clientOf(door).logs(5)) heard.push(text);
  };
  await assert.rejects(follow(), { name: "Unreachable", code: "log_broken_off" });
  assert.deepEqual(heard, ["a"]);
  door.faults = [refusal(404, "not_found")];
  await assert.rejects(collected(clientOf(door).logs(6)), Refused);
});

test("who goes first is said and asked", async () => {
  await using door = await new FakeDoor().open();
  const client = clientOf(door);
  await client.reprioritise(7, "high");
  await client.pause("a b", { key: "user:7", duration: "10m", reason: "deploy" });
  await client.resume("images");
  assert.deepEqual(await client.explain(7), { sentence: "is about to start" });
  await client.explainQueue("images");
  assert.deepEqual(door.requests.map(({ method, target, body }) => [`${method} ${target}`, body]), [
    ["POST /v1/tasks/7/priority", { priority: "high" }],
    ["POST /v1/queues/a%20b/pause", { key: "user:7", for_ms: 600_000, reason: "deploy" }],
    ["POST /v1/queues/images/resume", {}],
    ["GET /v1/tasks/7/explain", undefined],
    ["GET /v1/queues/images/explain", undefined],
  ]);
  await assert.rejects(client.pause("images", { duration: "soon" }), /duration: /);
});

test("cancel and stats", async () => {
  await using door = await new FakeDoor().open();
  assert.equal(await clientOf(door).cancel(3), "cancelled");
  assert.deepEqual(await clientOf(door).stats(), { queues: [] });
  assert.deepEqual(door.requests.map(({ method, target }) => `${method} ${target}`), ["POST /v1/tasks/3/cancel", "GET /v1/stats"]);
});

test("the supervisor is found by socket, database, environment, or the default", async () => {
  await using door = await new FakeDoor().open();
  const db = path.join(door.folder, "queue.db");
  fs.writeFileSync(`${db}.lock`, JSON.stringify({ socket: door.path }));
  assert.equal((await new Client({ db }).enqueue("resize")).id, 1);
  const nobody = { db: path.join(door.folder, "other.db"), retryForMs: 0 };
  await assert.rejects(new Client(nobody).get(1), /no supervisor is up for the database .*other\.db \(given as db\)/);
  await assert.rejects(new Client({ socket: "/no/such", retryForMs: 0 }).get(1), /no supervisor answers at \/no\/such/);
  const table: [object, NodeJS.ProcessEnv, object][] = [
    [{ socket: "s", db: "d" }, { MUTIRAO_SOCKET: "e" }, { socket: "s" }],
    [{ db: "d" }, { MUTIRAO_SOCKET: "e" }, { db: "d" }],
    [{}, { MUTIRAO_SOCKET: "e", MUTIRAO_DB: "f" }, { socket: "e" }],
    [{}, { MUTIRAO_DB: "f" }, { db: "f" }],
    [{}, {}, { db: "queue.db" }],
  ];
  for (const [given, env, expected] of table) {
    const place = choose(given, env, "/here");
    assert.deepEqual({ ...place, ...expected }, place);
  }
});
