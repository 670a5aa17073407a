/** The other side of the channel: starts a worker, speaks frames with it, and keeps what it prints. */

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import * as codec from "../src/codec.js";
import type { Id } from "../src/fields.js";
import { FrameDecoder } from "../src/frames.js";
import { type FromWorker, decode, encode } from "../src/messages.js";
import { pack } from "../src/values.js";

export const SAMPLES = fileURLToPath(new URL("../src/samples.js", import.meta.url));
export const HANDLERS = fileURLToPath(new URL("handlers.js", import.meta.url));

export const COOKIE = "a cookie";
export const FEATURES = ["beat", "note", "enqueue"];

export type ChannelName = "stdio" | "fd3";
type Named<Name extends FromWorker["name"]> = Extract<FromWorker, { name: Name }>;

/** The path of a new pipe, in a folder of its own. */
export function namedPipe(): string {
  const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "mutirao-")), "pipe");
  execFileSync("mkfifo", [file]);
  return file;
}

/** Both ends of a real pipe: those that Node makes for a child are sockets. */
function pipe(): { reader: number; writer: number } {
  const file = namedPipe();
  const both = fs.openSync(file, fs.constants.O_RDWR);
  const ends = { reader: fs.openSync(file, "r"), writer: fs.openSync(file, "w") };
  fs.closeSync(both);
  fs.rmSync(path.dirname(file), { recursive: true });
  return ends;
}

/** Waits for what the worker says: one that is silent for ever hangs the test, which is how the test fails. */
export class FakeSupervisor {
  readonly process: ChildProcess;
  readonly #toWorker: net.Socket;
  readonly #fromWorker: AsyncIterator<Buffer>;
  readonly #decoder = new FrameDecoder();
  readonly #printed: Promise<string>;
  readonly #exit: Promise<number | string>;
  /** Every message, in the order of arrival. */
  readonly heard: FromWorker[] = [];

  constructor(program: string[] = [SAMPLES], { channel = "stdio" as ChannelName, env = {} } = {}) {
    const [down, up, log] = [pipe(), pipe(), pipe()];
    const stdio =
      channel === "stdio" ? [down.reader, up.writer, log.writer] : ["ignore" as const, log.writer, log.writer, down.reader, up.writer];
    this.process = spawn(process.execPath, program, {
      stdio,
      env: { ...process.env, MUTIRAO_COOKIE: COOKIE, MUTIRAO_CHANNEL: channel, ...env },
    });
    for (const end of [down.reader, up.writer, log.writer]) fs.closeSync(end);
    this.#toWorker = new net.Socket({ fd: down.writer, readable: false, writable: true });
    // A worker that has ended does not read any more.
    this.#toWorker.on("error", () => {});
    this.#fromWorker = new net.Socket({ fd: up.reader, readable: true, writable: false })[Symbol.asyncIterator]();
    this.#printed = textOf(new net.Socket({ fd: log.reader, readable: true, writable: false }));
    this.#exit = once(this.process, "exit").then(([code, signal]: (number | string)[]) => code ?? signal ?? "?");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill("SIGKILL");
    await this.#exit;
    this.#toWorker.destroy();
    await this.#fromWorker.return?.();
  }

  // Speaking.

  /** Ends when all of it has left for the worker. */
  sendBytes(data: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.#toWorker.write(data, () => resolve()));
  }

  send(name: string, body: object): Promise<void> {
    return this.sendBytes(encode({ name, body }));
  }

  run(task: Id, kind: string, args?: unknown, more: object = {}): Promise<void> {
    return this.send("run", { task, epoch: 1, kind, ...(args !== undefined && { args: pack(args, "args") }), ...more });
  }

  stop(task?: Id, reason = "cancel"): Promise<void> {
    return this.send("stop", { run: task === undefined ? null : { task, epoch: 1 }, reason, grace_ms: 60_000 });
  }

  ack(note: FromWorker): void {
    assert.equal(note.name, "note");
    const { task, seq } = (note as Named<"note">).body;
    this.send("ack", { task, epoch: 1, seq });
  }

  /** Nothing more comes from the supervisor. */
  close(): void {
    this.#toWorker.end();
  }

  // Listening.

  /** The next message; undefined at the end of the channel, which must not be within a frame. */
  async next(): Promise<FromWorker | undefined> {
    for (;;) {
      const frame = this.#decoder.nextFrame();
      if (frame !== undefined) {
        const message = decode(frame, "from_worker");
        this.heard.push(message);
        return message;
      }
      const { done, value } = await this.#fromWorker.next();
      if (done) {
        assert.ok(!this.#decoder.isPartial, "the last frame of the worker is cut off");
        return undefined;
      }
      this.#decoder.push(value);
    }
  }

  /** The next message of one of these names, whatever comes before. */
  async expect<Name extends FromWorker["name"]>(...names: Name[]): Promise<Named<Name>> {
    for (let message = await this.next(); message !== undefined; message = await this.next()) {
      if ((names as string[]).includes(message.name)) return message as Named<Name>;
    }
    throw new Error(`the worker ended without ${names.join(", ")}: ${await this.#printed}`);
  }

  /** The log line with this text: the named signal by which a handler says how far it is. */
  async expectLog(text: string): Promise<Named<"log">> {
    for (;;) {
      const log = await this.expect("log");
      if (log.body.message === text) return log;
    }
  }

  async answer(task: Id): Promise<Named<"done" | "fail" | "back">> {
    for (;;) {
      const answer = await this.expect("done", "fail", "back");
      if (answer.body.task === task) return answer;
    }
  }

  /** What the run of this task returned. */
  async result(task: Id): Promise<unknown> {
    const answer = await this.answer(task);
    if (answer.name !== "done") throw new Error(`not done: ${JSON.stringify(answer)}`);
    return answer.body.result.length === 0 ? undefined : codec.decode(answer.body.result);
  }

  /** Why the run of this task failed, and its wish for another. */
  async failure(task: Id): Promise<{ error: string; retry: unknown }> {
    const answer = await this.answer(task);
    if (answer.name !== "fail") throw new Error(`not failed: ${answer.name}`);
    return { error: answer.body.error, retry: answer.body.retry };
  }

  /** From the start to `ready`. */
  async greet(features = FEATURES, welcome: object = {}): Promise<this> {
    const hello = await this.expect("hello");
    assert.equal(hello.body.cookie, COOKIE);
    this.send("welcome", { protocol: 1, worker: 1, features, ...welcome });
    await this.expect("ready");
    return this;
  }

  /** The exit code, or the signal, when the worker has ended by itself. */
  async end(): Promise<number | string> {
    while ((await this.next()) !== undefined);
    return this.#exit;
  }

  /** All that the worker and its children have printed, when they have ended. */
  printed(): Promise<string> {
    return this.#printed;
  }

  /** Tells the worker to stop and waits for its end. */
  async drain(): Promise<number | string> {
    this.stop(undefined, "shutdown");
    await this.expect("bye");
    return this.end();
  }
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}
