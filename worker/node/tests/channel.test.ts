/** Taking the channel: what is private, what is left in its place, and what is said where it cannot be taken. */

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";

import { type ChannelName, FakeSupervisor, HANDLERS, SAMPLES } from "./fake-supervisor.js";

/** Runs a program whose standard streams are not a supervisor's. */
function start(program: string[], env: Record<string, string> = {}): { code: number | null; out: string; err: string } {
  const { MUTIRAO_COOKIE: _, ...rest } = process.env;
  const ended = spawnSync(process.execPath, program, { env: { ...rest, ...env }, input: "" });
  return { code: ended.status, out: ended.stdout.toString(), err: ended.stderr.toString() };
}

for (const channel of ["stdio", "fd3"] as ChannelName[]) {
  test(`children have neither the channel nor the variables, and stdin is at its end (${channel})`, async () => {
    await using supervisor = await new FakeSupervisor([HANDLERS], { channel }).greet();
    supervisor.run(1, "descriptors");
    const { own, child } = (await supervisor.result(1)) as { own: string; child: string };
    // The channel and the log are named pipes here; of a child's three streams none is inherited.
    assert.ok((own.match(/mutirao-/g) ?? []).length >= 4, own);
    assert.ok(!/mutirao-|cookie|stdio|fd3/.test(child), child);
    supervisor.run(2, "stdin");
    assert.equal(await supervisor.result(2), 0);
    assert.equal(await supervisor.drain(), 0);
  });
}

test("what cannot be taken is said, with the way out, and the worker is not started again", async () => {
  // Node gives its children sockets.
  const sockets = start([SAMPLES], { MUTIRAO_COOKIE: "c" });
  assert.equal(sockets.code, 78);
  assert.match(sockets.err, /cannot take over stdin and stdout: .*set channel = "fd3" for the pool/);
  const unknown = start([SAMPLES], { MUTIRAO_COOKIE: "c", MUTIRAO_CHANNEL: "tcp" });
  assert.deepEqual([unknown.code, /speaks over `stdio` and `fd3`, not over "tcp"/.test(unknown.err)], [78, true]);
  const absent = start(["-e", `import(${JSON.stringify(SAMPLES)})`], { MUTIRAO_COOKIE: "c", MUTIRAO_CHANNEL: "fd3" });
  assert.equal(absent.code, 78, absent.err);
  assert.match(absent.err, /descriptors 3 and 4 are no channel/);
});

test("fd3 may be a pair of sockets", async () => {
  const child = spawn(process.execPath, [SAMPLES], {
    stdio: ["ignore", "inherit", "inherit", "pipe", "pipe"],
    env: { ...process.env, MUTIRAO_COOKIE: "c", MUTIRAO_CHANNEL: "fd3" },
  });
  const [hello] = (await once(child.stdio[4]!, "data")) as [Buffer];
  assert.match(hello.toString("latin1"), /hello/);
  child.stdio[3]!.destroy();
  child.stdio[4]!.destroy();
  assert.deepEqual(await once(child, "exit"), [1, null]);
});

test("started by hand, a worker says what it is and tries one handler", () => {
  const asked = start([SAMPLES]);
  assert.equal(asked.code, 64);
  for (const text of ["task worker (mutirao-node/", "    echo\n", "[pools.samples]\n", "supervisor enqueue blob", "--try blob"]) {
    assert.ok(asked.err.includes(text), `${text} in ${asked.err}`);
  }
  const table: [string[], number, RegExp, RegExp][] = [
    [["echo", "a=1", "b:=[2]"], 0, /^\{"a":"1","b":\[2\]\}\n$/, /^$/],
    [["log", "message=hello", "level=warn"], 0, /^null\n$/, /^warn: hello\n$/],
    [["enqueue", 'tasks:=[{"kind":"echo","args":1}]'], 0, /^1\n$/, /^enqueue: echo 1\n$/],
    [["fail", "error=why"], 20, /^$/, /Error: why/],
    [["echo", "a"], 64, /^$/, /write key=value for text/],
    [["echo", "a:=x"], 64, /^$/, /what follows := is no JSON/],
    [["unheard-of"], 64, /^$/, /known kinds are blob, busy/],
    [[], 64, /^$/, /needs the kind of a task/],
  ];
  for (const [words, code, out, err] of table) {
    const tried = start([SAMPLES, "--try", ...words]);
    assert.equal(tried.code, code, words.join(" "));
    assert.match(tried.out, out);
    assert.match(tried.err, err);
  }
});

test("a worker that is put together wrongly says so", () => {
  const index = JSON.stringify(new URL("../src/index.js", import.meta.url).href);
  const table: [string, RegExp][] = [
    ["await new Worker().run();", /has no handlers/],
    ["await new Worker().task('a', () => 1).run({ concurrency: 0 });", /concurrency is 0; it is a whole number from 1/],
  ];
  for (const [program, text] of table) {
    const ended = start(["--input-type=module", "-e", `import { Worker } from ${index}; ${program}`]);
    assert.equal(ended.code, 78);
    assert.match(ended.err, text);
  }
});
