/** The package as others get it: packed, installed offline into an empty folder, used from there. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { SDK, VERSION } from "../src/version.js";
import { FakeSupervisor } from "./fake-supervisor.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CONSUMER = `
import { Client, type Context, Fail, RetryAfter, VERSION, Worker } from "mutirao";
import { run } from "mutirao/testing";
const app = new Worker();
app.task("resize", async (args: { path: string }, cx: Context) => {
  if (args.path === "") throw new Fail("no path");
  await fetch(args.path, { signal: cx.signal });
  if (await cx.spend("tokens", 1)) throw new RetryAfter("30s");
  return { width: 1 };
});
app.task("typed", (args, cx) => args.n.toFixed(cx.attempt), { schema: { parse: (value: unknown) => ({ n: Number(value) }) } });
const told = await run(app, { path: "" }, { kind: "resize" });
console.log(told.error, VERSION, new Client({ socket: "x" }) instanceof Client);
// @ts-expect-error: args that the handler does not take.
app.task<{ a: string }>("a", (args: { a: number }) => args.a);
`;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "mutirao-package-"));
const installed = path.join(folder, "app/node_modules/mutirao");

function run(cwd: string, program: string, ...args: string[]): string {
  return execFileSync(program, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

before(() => {
  run(ROOT, "npm", "pack", "--silent", "--pack-destination", folder);
  fs.mkdirSync(path.join(folder, "app"));
  fs.writeFileSync(path.join(folder, "app/package.json"), '{"type":"module","private":true}');
  const cache = ["--cache", path.join(folder, "an-empty-cache")];
  run(path.join(folder, "app"), "npm", "install", "--offline", ...cache, `../mutirao-${VERSION}.tgz`);
});

after(() => fs.rmSync(folder, { recursive: true }));

test("the package has its version, its licences, its types and its one dependency, and nothing else", () => {
  const { version } = JSON.parse(fs.readFileSync(path.join(installed, "package.json"), "utf8")) as { version: string };
  assert.equal(version, VERSION);
  const entries = fs.readdirSync(installed).sort();
  assert.deepEqual(entries, ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "dist", "node_modules", "package.json"]);
  assert.deepEqual(fs.readdirSync(path.join(installed, "node_modules")), ["@msgpack"]);
  assert.ok(fs.existsSync(path.join(installed, "dist/index.d.ts")));
});

test("the sample worker of the installed package works", async () => {
  await using supervisor = new FakeSupervisor([path.join(installed, "dist/samples.js")]);
  const hello = await supervisor.expect("hello");
  assert.equal(hello.body.sdk, SDK);
  supervisor.send("welcome", { protocol: 1 });
  await supervisor.expect("ready");
  supervisor.run(1, "echo", { a: 1 });
  assert.deepEqual(await supervisor.result(1), { a: 1 });
  assert.equal(await supervisor.drain(), 0);
});

test("a program in TypeScript is checked against the types, and runs", () => {
  const app = path.join(folder, "app");
  fs.writeFileSync(path.join(app, "app.ts"), CONSUMER);
  const types = ["--typeRoots", path.join(ROOT, "node_modules/@types"), "--types", "node"];
  const options = ["--strict", "--target", "es2022", "--module", "node20", ...types, "app.ts"];
  run(app, process.execPath, path.join(ROOT, "node_modules/typescript/bin/tsc"), ...options);
  assert.equal(run(app, process.execPath, "app.js"), `no path ${VERSION} true\n`);
});
