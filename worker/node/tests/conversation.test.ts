/** Whole conversations between a worker process and a supervisor that is played here, on both channels. */

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";

import { type ChannelName, FEATURES, FakeSupervisor, HANDLERS, SAMPLES, namedPipe } from "./fake-supervisor.js";

const LARGE_BYTES = 8 * 1024 * 1024;
const CHANNELS: ChannelName[] = ["stdio", "fd3"];

function handlers(env: Record<string, string> = {}): FakeSupervisor {
  return new FakeSupervisor([HANDLERS], { env });
}

for (const channel of CHANNELS) {
  test(`samples: a life from hello to bye (${channel})`, async () => {
    await using supervisor = new FakeSupervisor([SAMPLES], { channel });
    const hello = await supervisor.expect("hello");
    assert.deepEqual(hello.body.features, FEATURES);
    assert.equal(supervisor.heard.length, 1);
    supervisor.send("welcome", { protocol: 1, features: FEATURES });
    await supervisor.expect("ready");

    const args = { text: "é", list: [1, -2, 1.5, 2n ** 60n, null, true], blob: new Uint8Array([1, 2]) };
    supervisor.run(2n ** 64n - 1n, "echo", args);
    assert.deepEqual(await supervisor.result(2n ** 64n - 1n), args);
    supervisor.run(1, "echo");
    assert.equal(await supervisor.result(1), undefined);
    supervisor.run(2, "noop", [1]);
    assert.equal(await supervisor.result(2), undefined);
    supervisor.run(3, "blob", { bytes: 1024 * 1024 - 5 });
    assert.equal(((await supervisor.result(3)) as string).length, 1024 * 1024 - 5);
    supervisor.run(4, "blob", { bytes: 1024 * 1024 });
    assert.match((await supervisor.failure(4)).error, /the limit is 1048576/);
    supervisor.run(5, "context", undefined, { attempt: 3, effect_key: "k", time_left_ms: 90_000 });
    const { time_left_ms, ...facts } = (await supervisor.result(5)) as Record<string, unknown>;
    assert.deepEqual(facts, { task: 5, epoch: 1, attempt: 3, kind: "context", effect_key: "k" });
    assert.ok((time_left_ms as number) > 0 && (time_left_ms as number) <= 90_000);

    supervisor.run(6, "raise", { error: "boom" });
    const { error, retry } = await supervisor.failure(6);
    assert.match(error, /^Error: boom\n    at .*samples\.js/);
    assert.equal(retry, "default");
    for (const [wish, told] of [["default", "default"], ["never", "never"], [{ after_ms: 5 }, { after_ms: 5 }]]) {
      supervisor.run(7, "fail", { error: "why", retry: wish });
      const failure = await supervisor.failure(7);
      assert.ok(failure.error.includes("why"));
      assert.deepEqual(failure.retry, told);
    }
    supervisor.run(8, "unheard-of");
    assert.deepEqual((await supervisor.failure(8)).retry, "never");
    supervisor.run(9, "echo", undefined, { args: Buffer.from([0xc1]) });
    assert.deepEqual((await supervisor.failure(9)).retry, "never");
    assert.equal(await supervisor.drain(), 0);
  });

  test(`prints of a handler, a thread and a child go to the log (${channel})`, async () => {
    await using supervisor = await new FakeSupervisor([SAMPLES], { channel }).greet();
    let task = 0;
    for (const from of ["handler", "thread", "child"]) {
      supervisor.run(++task, "print", { text: `by the ${from}`, lines: 3, from });
      assert.equal(await supervisor.result(task), 6);
    }
    assert.equal(await supervisor.drain(), 0);
    const lines = (await supervisor.printed()).split("\n");
    for (const from of ["handler", "thread", "child"]) {
      assert.equal(lines.filter((line) => line === `by the ${from}`).length, 6, from);
    }
  });

  test(`both sides write 8 MiB at once: reading never waits for writing (${channel})`, async () => {
    const env = { SAMPLE_CONCURRENCY: "8" };
    await using supervisor = await new FakeSupervisor([SAMPLES], { channel, env }).greet(FEATURES, { beat_ms: 10 });
    const text = "y".repeat(LARGE_BYTES / 8 - 10);
    const runs = Array.from({ length: 8 }, (_, task) => supervisor.run(task, "echo", text));
    // Nothing is read until all is written: the worker reads while its own answers fill the pipe.
    await Promise.all(runs);
    for (let task = 0; task < 8; task++) {
      const answer = await supervisor.expect("done");
      assert.equal(answer.body.result.length, text.length + 5);
    }
    assert.equal(await supervisor.drain(), 0);
  });

  test(`a worker beats while its handler does not give way (${channel})`, async () => {
    await using supervisor = await new FakeSupervisor([HANDLERS], { channel }).greet(FEATURES, { beat_ms: 20 });
    supervisor.run(1, "obey-in-a-loop");
    await supervisor.expectLog("looping");
    for (let beat = 0; beat < 20; beat++) await supervisor.expect("beat");
    supervisor.stop(1, "timeout");
    assert.equal(await supervisor.result(1), "timeout");
    assert.equal(await supervisor.drain(), 0);
  });
}

test("a flood is left in the channel while nobody takes it, and read on afterwards", async () => {
  await using supervisor = await handlers().greet();
  const until = namedPipe();
  supervisor.run(1, "block", { until });
  const flood = () => Promise.all(Array.from({ length: 20 }, () => supervisor.stop(99, "x".repeat(1024 * 1024))));
  // A worker of one run must take so much, and leaves what follows.
  await flood();
  const tooMuch = flood();
  await fs.promises.writeFile(until, "go");
  await tooMuch;
  assert.equal(await supervisor.result(1), 2);
  assert.equal(await supervisor.drain(), 0);
  fs.rmSync(path.dirname(until), { recursive: true });
});

test("no beat without the feature", async () => {
  await using supervisor = await new FakeSupervisor([SAMPLES]).greet([], { beat_ms: 10 });
  supervisor.run(1, "busy", { ms: 100 });
  assert.equal(await supervisor.result(1), 100);
  assert.equal(await supervisor.drain(), 0);
  assert.ok(supervisor.heard.every(({ name }) => name !== "beat"));
});

test("a worker says that it is starting, before and after it is welcome", async () => {
  await using supervisor = new FakeSupervisor([SAMPLES], { env: { SAMPLE_BOOTING: "2", SAMPLE_CONCURRENCY: "5" } });
  await supervisor.greet();
  const names = ["booting", "booting", "hello", "booting", "booting", "log", "ready"];
  assert.deepEqual(supervisor.heard.map(({ name }) => name), names);
  const hello = supervisor.heard[2];
  assert.ok(hello?.name === "hello" && hello.body.concurrency === 5);
  assert.equal(await supervisor.drain(), 0);
});

test("a handler that is told to stop fails, finishes, or sees it in its loop", async () => {
  await using supervisor = await handlers().greet();
  supervisor.run(1, "abort");
  await supervisor.expectLog("waiting");
  supervisor.stop(1, "budget");
  assert.deepEqual(await supervisor.failure(1), { error: "stopped: budget", retry: "default" });
  supervisor.run(2, "ignore");
  await supervisor.expectLog("waiting");
  supervisor.stop(2);
  assert.equal(await supervisor.result(2), "finished all the same");
  supervisor.stop(2);
  supervisor.run(3, "obey-in-a-loop");
  await supervisor.expectLog("looping");
  supervisor.stop(3, "a word of later");
  assert.equal(await supervisor.result(3), "a word of later");
  assert.equal(await supervisor.drain(), 0);
});

test("every way to fail is told as what it is", async () => {
  await using supervisor = await handlers().greet();
  const table: [string, unknown, RegExp, unknown][] = [
    ["follow-then-fail", {}, /^not now$/, { after_ms: 2_000 }],
    ["bad-result", {}, /^bad-result: result\.deep\[0\] is a function/, "never"],
    ["large-result", {}, /limit is 1048576/, "never"],
    ["fail-for-good", {}, /^no$/, "never"],
    ["throw-a-word", {}, /^a word$/, "default"],
    ["fatal", {}, /TypeError: typed/, "never"],
    ["strict", { n: "1" }, /^strict: the args do not fit: n must be a number$/, "never"],
    ["strict", undefined, /^strict: the args do not fit/, "never"],
  ];
  for (const [kind, args, text, retry] of table) {
    supervisor.run(1, kind, args);
    const failure = await supervisor.failure(1);
    assert.match(failure.error, text);
    assert.deepEqual(failure.retry, retry, kind);
  }
  supervisor.run(1, "strict", { n: 1 });
  assert.equal(await supervisor.result(1), 2);
  assert.equal(await supervisor.drain(), 0);
});

test("what a run notes, spends, logs and enqueues is said before its answer", async () => {
  await using supervisor = await new FakeSupervisor([SAMPLES]).greet();
  supervisor.run(1, "progress", { done: 1, total: 2.5, message: "half" });
  const note = await supervisor.expect("note");
  assert.deepEqual([note.body.done, note.body.total, note.body.message, note.body.seq], [1, 2.5, "half", 0]);
  assert.equal(await supervisor.result(1), undefined);
  supervisor.run(2, "spend", { unit: "tokens", amount: 2 ** 53, times: 2 });
  for (const seq of [1, 2]) {
    const spent = await supervisor.expect("note");
    assert.deepEqual([spent.body.seq, spent.body.spend], [seq, { tokens: 2 ** 53 }]);
    supervisor.ack(spent);
  }
  assert.equal(await supervisor.result(2), 2);
  supervisor.run(3, "log", { level: "warn", message: "look" });
  const log = await supervisor.expect("log");
  assert.deepEqual(log.body, { run: { task: 3, epoch: 1 }, level: "warn", message: "look" });
  const tasks = [{ kind: "echo", args: [1], delay_ms: 5, priority: -1 }, { kind: "noop", name: "n", queue: "q" }];
  supervisor.run(4, "enqueue", { tasks });
  const done = await supervisor.answer(4);
  assert.ok(done.name === "done");
  const [first, second] = done.body.enqueue;
  assert.deepEqual([first?.kind, first?.args, first?.delay_ms, first?.priority], ["echo", new Uint8Array([0x91, 1]), 5, -1]);
  assert.deepEqual([second?.kind, second?.name, second?.queue, second?.args.length], ["noop", "n", "q", 0]);
  assert.equal(await supervisor.drain(), 0);
});

test("follow-ups need a supervisor that takes them", async () => {
  await using supervisor = await new FakeSupervisor([SAMPLES]).greet(["beat"]);
  supervisor.run(1, "enqueue", { tasks: [{ kind: "echo" }] });
  assert.match((await supervisor.failure(1)).error, /takes no follow-up tasks/);
  supervisor.run(2, "progress", { done: 1 });
  assert.equal(await supervisor.result(2), undefined);
  assert.equal(await supervisor.drain(), 0);
  assert.ok(supervisor.heard.every(({ name }) => name !== "note"));
});

test("many words of progress are few notes, and the last one is told", async () => {
  await using supervisor = await handlers().greet();
  supervisor.run(1, "notes");
  await supervisor.expect("done");
  const notes = supervisor.heard.filter((message) => message.name === "note");
  assert.ok(notes.length < 100);
  const last = notes.at(-1)!.body;
  assert.deepEqual([last.done, last.total, last.message], [1000, 1000, "at the end"]);
  assert.equal(await supervisor.drain(), 0);
});

test("what is spent while a note is on its way goes with the next", async () => {
  await using supervisor = await handlers().greet();
  supervisor.run(1, "spend-much");
  const first = await supervisor.expect("note");
  assert.deepEqual(first.body.spend, { tokens: 2 });
  supervisor.ack(first);
  const second = await supervisor.expect("note");
  assert.deepEqual(second.body.spend, { tokens: 8 });
  supervisor.ack(second);
  assert.equal(await supervisor.result(1), true);
  assert.equal(await supervisor.drain(), 0);
});

test("console belongs to the log of the run that speaks, also beside others", async () => {
  await using supervisor = await handlers({ CONCURRENCY: "3" }).greet();
  supervisor.run(9, "console");
  await supervisor.result(9);
  const logs = supervisor.heard.flatMap((message) => (message.name === "log" ? [message.body] : []));
  const run = { task: 9, epoch: 1 };
  assert.deepEqual(logs, [
    { run, level: "info", message: "from console.log { a: 1 }" },
    { run, level: "warn", message: "a warning" },
  ]);
  for (const task of [1, 2, 3]) supervisor.run(task, "whose", { turns: 4 - task });
  for (const task of [3, 2, 1]) {
    const log = await supervisor.expectLog(`task ${task}`);
    assert.deepEqual(log.body.run, { task, epoch: 1 });
    await supervisor.answer(task);
  }
  assert.equal(await supervisor.drain(), 0);
  assert.equal(await supervisor.printed(), "printed\n");
});

test("a worker that retires answers, says bye and ends; a run that crossed that is given back", async () => {
  await using supervisor = await new FakeSupervisor([SAMPLES], { env: { SAMPLE_CONCURRENCY: "2" } }).greet();
  supervisor.run(1, "stubborn", { ms: 300 });
  supervisor.run(2, "retire");
  assert.equal(await supervisor.result(2), undefined);
  supervisor.run(3, "echo");
  assert.equal((await supervisor.answer(3)).name, "back");
  assert.equal(await supervisor.result(1), 300);
  await supervisor.expect("bye");
  assert.equal(await supervisor.end(), 0);
});

test("a supervisor that is gone ends the worker, whatever its handler does", async () => {
  for (const kind of ["abort", "forever"]) {
    await using supervisor = await handlers().greet();
    supervisor.run(1, kind);
    await supervisor.expectLog(kind === "abort" ? "waiting" : "looping");
    supervisor.close();
    assert.equal(await supervisor.end(), kind === "abort" ? 1 : "SIGKILL");
    assert.match(await supervisor.printed(), /the supervisor is gone/);
  }
});

test("after a stop the end of the channel is no surprise, and receipts tell that nobody stores", async () => {
  await using supervisor = await handlers().greet();
  supervisor.run(1, "lost-receipt");
  await supervisor.expect("note");
  supervisor.stop(undefined, "shutdown");
  supervisor.close();
  assert.equal(await supervisor.result(1), false);
  assert.equal(await supervisor.end(), 0);
});

test("SIGTERM drains a worker, and tells the runs of one that is draining that time is up", async () => {
  await using idle = await handlers().greet();
  idle.process.kill("SIGTERM");
  await idle.expect("bye");
  assert.equal(await idle.end(), 0);
  await using busy = await handlers().greet();
  busy.run(1, "spend-then-abort");
  const note = await busy.expect("note");
  busy.stop(undefined, "shutdown");
  // What is read after the stop tells that it was read.
  busy.ack(note);
  await busy.expectLog("stored");
  busy.process.kill("SIGTERM");
  assert.deepEqual(await busy.failure(1), { error: "stopped: shutdown", retry: "default" });
  await busy.expect("bye");
  assert.equal(await busy.end(), 0);
});

test("what breaks the contract ends the worker with its name", async () => {
  const table: [string, (supervisor: FakeSupervisor) => unknown, RegExp][] = [
    ["a print", (supervisor) => supervisor.sendBytes(Buffer.from("hello, worker\n")), /too_long/],
    ["an empty frame", (supervisor) => supervisor.sendBytes(Buffer.alloc(4)), /empty/],
    ["a message of its own", (supervisor) => supervisor.send("ready", {}), /wrong_direction/],
    ["two runs for one credit", (supervisor) => [1, 2].map((task) => supervisor.run(task, "abort")), /all 1 credits/],
    ["an ack of nothing", (supervisor) => {
      supervisor.run(1, "abort");
      supervisor.send("ack", { task: 1, epoch: 1, seq: 1 });
    }, /no note 1 waits/],
    ["a part of a frame", (supervisor) => {
      supervisor.sendBytes(Buffer.from([0, 0, 0, 9, 0x81]));
      supervisor.close();
    }, /cut off/],
  ];
  for (const [name, send, text] of table) {
    await using supervisor = await handlers().greet();
    send(supervisor);
    assert.equal(await supervisor.end(), 76, name);
    assert.match(await supervisor.printed(), text, name);
  }
});

test("a refused worker prints why and is not started again", async () => {
  await using supervisor = handlers();
  await supervisor.expect("hello");
  supervisor.send("reject", { reason: "this worker is too old; update it" });
  assert.equal(await supervisor.end(), 78);
  assert.match(await supervisor.printed(), /this worker is too old; update it/);
});

test("a crash is a crash: by exit, by signal, by what nobody catches", async () => {
  const table: [object, number | string][] = [
    [{ exit: 3 }, 3],
    [{ exit: 0 }, 0],
    [{ signal: 15 }, "SIGTERM"],
    [{}, "SIGSEGV"],
  ];
  for (const [args, end] of table) {
    await using supervisor = await new FakeSupervisor([SAMPLES]).greet();
    supervisor.run(1, "crash", args);
    assert.equal(await supervisor.end(), end, JSON.stringify(args));
    assert.ok(supervisor.heard.every(({ name }) => name !== "done" && name !== "fail"));
  }
  await using supervisor = await handlers().greet();
  supervisor.run(1, "later");
  assert.equal(await supervisor.end(), 1);
  assert.match(await supervisor.printed(), /nobody catches this/);
});
