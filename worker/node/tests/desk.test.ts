/** What a worker decides, in tables: no thread, no bytes, and the time is given. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Desk, type Next } from "../src/desk.js";
import { DELAY_MAX_MS, delayMs } from "../src/duration.js";
import { ContractError } from "../src/errors.js";
import { FOLLOW_UPS_ARGS_MAX_BYTES, FollowUps } from "../src/follow-ups.js";
import { type RunRef, type ToWorker, decode, encode } from "../src/messages.js";
import { Notes, PROGRESS_INTERVAL_MS } from "../src/notes.js";
import { checkName, clip } from "../src/text.js";

const WELCOME = said("welcome", { protocol: 1, features: ["beat", "note", "enqueue"] });
const REF: RunRef = { task: 7, epoch: 1 };
const OK = { result: new Uint8Array(0), enqueue: [] };

/** A message as it is read. */
function said(name: string, body: object): ToWorker {
  return decode(encode({ name, body }).subarray(4), "to_worker");
}

function run(task: number, more: object = {}): ToWorker {
  return said("run", { task, epoch: 1, kind: "echo", ...more });
}

function stop(task: number | null, reason = "cancel"): ToWorker {
  return said("stop", { run: task === null ? null : { task, epoch: 1 }, reason, grace_ms: 10 });
}

function ack(seq: number): ToWorker {
  return said("ack", { ...REF, seq });
}

/** All that is to be done now, in short. */
function todo(desk: Desk): string[] {
  const found: string[] = [];
  for (let next = desk.next(0); next !== undefined; next = desk.next(0)) {
    found.push(short(next));
    if (next.do === "end") break;
  }
  return found;
}

function short(next: Next): string {
  if (next.do === "send") return next.messages.map(({ name, body }) => ("task" in body ? `${name} ${body.task}` : name)).join();
  return next.do === "start" ? `start ${next.run.task}` : next.do === "end" ? `end ${next.code}` : next.do;
}

function deskAt(state: "greeted" | "welcomed" | "ready" | "running" | "draining" | "told" | "closed", concurrency = 1): Desk {
  const desk = new Desk(concurrency);
  if (state === "greeted") return desk;
  desk.received(WELCOME, 0);
  if (state === "welcomed") return desk;
  assert.deepEqual(todo(desk), ["prepare"]);
  desk.prepared();
  assert.deepEqual(todo(desk), ["ready"]);
  if (state === "ready") return desk;
  desk.received(run(7), 0);
  assert.deepEqual(todo(desk), ["start 7"]);
  if (state === "running") return desk;
  if (state === "draining") desk.retire();
  if (state === "told" || state === "closed") desk.received(stop(null, "shutdown"), 0);
  if (state === "closed") {
    desk.finished(REF, OK);
    assert.deepEqual(todo(desk), ["done 7", "bye", "end 0"]);
  }
  return desk;
}

test("each message is legal where the contract says so", () => {
  const table: Record<string, [ToWorker, string[]]> = {
    welcome: [WELCOME, ["greeted"]],
    "welcome of another protocol": [said("welcome", { protocol: 2 }), []],
    reject: [said("reject", { reason: "no" }), ["greeted"]],
    run: [run(8), ["ready", "closed"]],
    "run with what needs features that this package has not": [
      run(8, { checkpoint: new Uint8Array(1), facts: { a: new Uint8Array(1) } }),
      ["ready", "closed"],
    ],
    "run twice": [run(7), ["ready", "closed"]],
    "stop of the worker": [stop(null), ["welcomed", "ready", "running", "draining", "told", "closed"]],
    "stop of a run": [stop(7), ["ready", "running", "draining", "told", "closed"]],
    "ack that nothing waits for": [ack(1), ["ready", "closed"]],
  };
  for (const [name, [message, legal]] of Object.entries(table)) {
    for (const state of ["greeted", "welcomed", "ready", "running", "draining", "told", "closed"] as const) {
      const desk = deskAt(state);
      const see = () => desk.received(message, 0);
      if (legal.includes(state)) assert.doesNotThrow(see, `${name} while ${state}`);
      else assert.throws(see, ContractError, `${name} while ${state}`);
    }
  }
});

test("an answer is given before the next run is started, in the order of the runs", () => {
  const desk = deskAt("running");
  assert.throws(() => desk.received(run(8), 0), /all 1 credits/);
  desk.finished(REF, OK);
  assert.deepEqual(todo(desk), ["done 7"]);
  desk.received(run(8), 0);
  assert.deepEqual(todo(desk), ["start 8"]);
  const wide = deskAt("ready", 3);
  for (const task of [3, 1, 2]) wide.received(run(task), 0);
  assert.deepEqual(todo(wide), ["start 3", "start 1", "start 2"]);
});

test("what waits is given back when the worker is to stop, what runs is answered, then it leaves", () => {
  const desk = deskAt("ready", 2);
  desk.received(run(7), 0);
  desk.received(run(8), 0);
  assert.equal(short(desk.next(0)!), "start 7");
  desk.received(stop(null), 0);
  assert.deepEqual(todo(desk), ["back 8"]);
  desk.finished(REF, { error: "x", retry: "never" });
  assert.deepEqual(todo(desk), ["fail 7", "bye", "end 0"]);
});

test("a run that was recalled before it began is given back, later it goes on", () => {
  const desk = deskAt("ready", 2);
  for (const task of [7, 8]) desk.received(run(task), 0);
  const start = desk.next(0);
  assert.equal(start?.do, "start");
  for (const task of [7, 8]) desk.received(stop(task, "recall"), 0);
  assert.deepEqual(todo(desk), ["back 8"]);
  assert.ok(start?.do === "start" && start.running.sign.order === undefined);
});

test("only the first order to stop a run counts", () => {
  const desk = deskAt("ready");
  desk.received(run(7), 0);
  const start = desk.next(0);
  assert.ok(start?.do === "start");
  desk.received(stop(7, "cancel"), 5);
  desk.received(stop(7, "timeout"), 6);
  const order = start.running.sign.order;
  assert.deepEqual([order?.reason, order?.deadlineMs, start.running.sign.signal.reason], ["cancel", 15, order]);
});

test("a worker that leaves by itself answers what runs and gives back what comes", () => {
  const desk = deskAt("draining");
  assert.throws(() => desk.received(run(7), 0), /already runs/);
  desk.finished(REF, OK);
  assert.equal(short(desk.next(0)!), "done 7");
  desk.received(run(8), 0);
  assert.deepEqual(todo(desk), ["back 8", "bye", "end 0"]);
  const early = deskAt("welcomed");
  early.retire();
  assert.deepEqual(todo(early), ["prepare"], "nothing runs yet that could ask for it");
});

test("being told to terminate means what the state says", () => {
  const greeted = deskAt("greeted");
  greeted.interrupt(0);
  assert.deepEqual(todo(greeted), ["end 143"]);
  const ready = deskAt("ready");
  ready.interrupt(0);
  assert.deepEqual(todo(ready), ["bye", "end 0"]);
  const told = deskAt("ready");
  told.received(run(7), 0);
  const start = told.next(0);
  told.received(stop(null, "shutdown"), 0);
  told.interrupt(9);
  assert.ok(start?.do === "start");
  assert.deepEqual([start.running.sign.order?.reason, start.running.sign.order?.deadlineMs], ["shutdown", 9]);
});

test("a refused worker ends and says why", () => {
  const desk = deskAt("greeted");
  desk.received(said("reject", { reason: "too old" }), 0);
  assert.deepEqual(desk.next(0), { do: "end", code: 78, sentence: "the supervisor refused this worker: too old" });
});

test("a run is answered when all that it spent is stored, and its receipts tell", async () => {
  const desk = deskAt("running");
  const running = desk.speaking(REF)!;
  const first = running.spend("tokens", 1);
  assert.deepEqual(desk.takeNote(0)?.body, { ...REF, spend: { tokens: 1 }, seq: 1 });
  const second = running.spend("tokens", 2);
  assert.equal(running.spend("tokens", 3), second, "one receipt for one note");
  desk.finished(REF, OK);
  assert.deepEqual(todo(desk), []);
  assert.equal(desk.takeNote(0), undefined, "not before the ack");
  assert.throws(() => desk.received(ack(2), 0), ContractError);
  desk.received(ack(1), 0);
  assert.equal(await first, true);
  assert.deepEqual(desk.takeNote(0)?.body, { ...REF, spend: { tokens: 5 }, seq: 2 });
  assert.deepEqual(todo(desk), []);
  desk.received(ack(2), 0);
  assert.equal(await second, true);
  assert.deepEqual(todo(desk), ["done 7"]);
});

test("receipts that will never come are settled, and the run is answered", async () => {
  const desk = deskAt("told");
  const receipt = desk.speaking(REF)!.spend("tokens", 1);
  desk.takeNote(0);
  desk.abandoned();
  assert.equal(await receipt, false);
  desk.finished(REF, OK);
  assert.deepEqual(todo(desk), ["done 7", "bye", "end 0"]);
});

test("nothing is noted that the supervisor does not take", () => {
  const desk = new Desk(1);
  desk.received(said("welcome", { protocol: 1, features: ["beat"] }), 0);
  todo(desk);
  desk.prepared();
  todo(desk);
  desk.received(run(7), 0);
  todo(desk);
  assert.equal(desk.speaking(REF), undefined);
  assert.equal(desk.has("enqueue"), false);
  desk.finished(REF, OK);
  assert.deepEqual(todo(desk), ["done 7"]);
});

test("progress is sent at once, then at most every 100 ms, and its last word before the answer", () => {
  const notes = new Notes(REF);
  notes.progress(1, 10, "begun");
  assert.deepEqual(notes.take(1_000)?.body, { ...REF, done: 1, total: 10, message: "begun" });
  notes.progress(2, 10, null);
  notes.progress(3, 10, null);
  assert.equal(notes.take(1_000 + PROGRESS_INTERVAL_MS - 1), undefined);
  assert.equal(notes.dueAtMs(1_001), 1_000 + PROGRESS_INTERVAL_MS);
  assert.deepEqual(notes.take(1_000 + PROGRESS_INTERVAL_MS)?.body, { ...REF, done: 3, total: 10, message: "begun" });
  notes.say("x".repeat(2_000));
  assert.deepEqual(notes.takeLast(1_101)?.body, { ...REF, done: 3, total: 10, message: "x".repeat(1_024) });
  assert.equal(notes.takeLast(1_101), undefined);
});

test("what is spent is split by units and amounts, and bounded", () => {
  const notes = new Notes(REF);
  for (let unit = 0; unit < 17; unit++) notes.spend(`u${unit}`, 1);
  assert.equal(Object.keys((notes.take(0)!.body as { spend: object }).spend).length, 16);
  assert.ok(notes.acked(1) && !notes.acked(1));
  notes.spend("u16", 2 ** 53 - 1);
  assert.equal(notes.spend("u16", 1), 3, "a second note for what the first has no room for");
  for (let unit = 0; unit < 16 * 63 - 1; unit++) notes.spend(`v${unit}`, 1);
  assert.throws(() => notes.spend("w", 1), RangeError);
  assert.equal(notes.spend("v0", 0), 65, "nothing is nothing, however much waits");
});

test("follow-ups are checked one by one and bounded together", () => {
  const followUps = new FollowUps();
  followUps.add("mail", undefined, { delay: "1m", priority: "low", timeout: 5, maxAttempts: 2, name: "a b" });
  assert.deepEqual(followUps.list, [
    { kind: "mail", args: new Uint8Array(0), name: "a b", priority: "low", delay_ms: 60_000, timeout_ms: 5, max_attempts: 2 },
  ]);
  const table: [string, object][] = [
    ["Mail", {}],
    ["mail", { queue: "" }],
    ["mail", { priority: 101 }],
    ["mail", { priority: 0.5 }],
    ["mail", { delay: -1 }],
    ["mail", { timeout: 0 }],
    ["mail", { maxAttempts: 0 }],
    ["mail", { key: "" }],
    ["mail", { cost: { Usd: 1 } }],
    ["mail", { cost: { usd: 2 ** 32 } }],
    ["mail", { budget: { usd: 0.5 } }],
    ["mail", { budget: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`u${n}`, 1])) }],
    ["mail", { maxCrashes: 1001 }],
    ["mail", { name: "" }],
    ["mail", { name: "a\nb" }],
    ["mail", { name: "x".repeat(513) }],
  ];
  for (const [kind, options] of table) {
    assert.throws(() => followUps.add(kind, 1, options), RangeError, JSON.stringify([kind, options]));
  }
  const half = "x".repeat(FOLLOW_UPS_ARGS_MAX_BYTES / 2 - 5);
  followUps.add("mail", half, {});
  followUps.add("mail", half, {});
  assert.throws(() => followUps.add("mail", half, {}), /at most 1048576 bytes/);
  while (followUps.list.length < 1_000) followUps.add("mail", null, {});
  assert.throws(() => followUps.add("mail", null, {}), /at most 1000/);
});

test("delays, names and clipping", () => {
  const good: [number | string, number][] = [
    [0, 0],
    [1.4, 1],
    ["30s", 30_000],
    ["1h30m", 5_400_000],
    ["1.5 s", 1_500],
    [" 500ms ", 500],
    ["2d", 172_800_000],
    [DELAY_MAX_MS, DELAY_MAX_MS],
  ];
  for (const [delay, ms] of good) assert.equal(delayMs(delay), ms, String(delay));
  for (const bad of [-1, Number.NaN, Infinity, DELAY_MAX_MS + 1, "", "30", "s", "1x", "-1s", "1s x", null as never, {} as never]) {
    assert.throws(() => delayMs(bad), RangeError, String(bad));
  }
  for (const bad of ["", "A", "-a", "a b", "é", "x".repeat(65), 7]) assert.throws(() => checkName("kind", bad), RangeError);
  checkName("kind", "a".repeat(64));
  const cut: [string, number, string][] = [
    ["abc", 3, "abc"],
    ["abcd", 3, "abc"],
    ["aé", 2, "a"],
    ["𝄞𝄞", 7, "𝄞"],
    ["a\ud834", 10, "a\ufffd"],
  ];
  for (const [text, maxBytes, expected] of cut) assert.equal(clip(text, maxBytes), expected);
});
