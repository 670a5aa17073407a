/**
 * The second thread of a worker: it reads the channel and beats, whatever the handlers do on the first one. It never
 * waits for a writer, and ends the process when the first thread does not.
 */

import net from "node:net";
import { type MessagePort, workerData } from "node:worker_threads";

import { FrameWriter, type Writers } from "./channel.js";
import { ChannelError, ContractError } from "./errors.js";
import { EXIT_IO, EXIT_PROTOCOL } from "./exit-codes.js";
import { FrameDecoder } from "./frames.js";
import { type ToWorker, decode, encode } from "./messages.js";
import { printWhole } from "./output.js";

/** How long the first thread may take to end a process that has nobody left to talk to. */
const LAST_RESORT_MS = 1_000;

/** What a value takes beside its content. */
const VALUE_BYTES = 64;

/** What the thread is started with. */
export interface IoStart {
  reader: number;
  writers: Writers;
  port: MessagePort;
  /** What was read and not taken by the first thread, at most, by `weightBytes`; more stays in the channel. */
  untakenMaxBytes: number;
}

/** What it tells the first thread. That answers with the bytes that it has taken. */
export type Report =
  | { is: "messages"; messages: ToWorker[]; sizeBytes: number }
  | { is: "ended" }
  | { is: "broken"; code: number; sentence: string };

class IoThread {
  readonly #port: MessagePort;
  readonly #writer: FrameWriter;
  readonly #socket: net.Socket;
  readonly #untakenMaxBytes: number;
  readonly #decoder = new FrameDecoder();
  #untakenBytes = 0;
  #wasTold = false;

  constructor(start: IoStart) {
    this.#port = start.port;
    this.#writer = new FrameWriter(start.writers);
    this.#untakenMaxBytes = start.untakenMaxBytes;
    this.#socket = new net.Socket({ fd: start.reader, readable: true, writable: false });
    this.#socket.on("data", (data) => this.#guarded(() => this.#read(data)));
    this.#socket.on("end", () => this.#ended());
    this.#socket.on("error", (error) => this.#broken(EXIT_IO, `cannot read from the supervisor: ${error.message}`));
    this.#port.on("message", (takenBytes: number) => {
      this.#untakenBytes -= takenBytes;
      if (this.#untakenBytes <= this.#untakenMaxBytes) this.#socket.resume();
    });
  }

  #read(data: Buffer): void {
    this.#decoder.push(data);
    const messages: ToWorker[] = [];
    let sizeBytes = 0;
    try {
      for (let frame = this.#decoder.nextFrame(); frame !== undefined; frame = this.#decoder.nextFrame()) {
        const message = decode(frame, "to_worker");
        messages.push(message);
        sizeBytes += weightBytes(message);
        if (message.name === "welcome") this.#beat(message.body.features, message.body.beat_ms);
        if (message.name === "stop" && message.body.run === null) this.#wasTold = true;
      }
    } finally {
      this.#untakenBytes += sizeBytes;
      if (messages.length > 0) this.#tell({ is: "messages", messages, sizeBytes });
    }
    if (this.#untakenBytes > this.#untakenMaxBytes) this.#socket.pause();
  }

  #beat(features: string[], intervalMs: number): void {
    if (!features.includes("beat")) return;
    const beat = encode({ name: "beat", body: {} });
    setInterval(() => this.#guarded(() => this.#writer.tryWrite(beat)), intervalMs);
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (error instanceof ChannelError) this.#broken(EXIT_IO, error.message);
      else if (error instanceof ContractError) {
        this.#broken(EXIT_PROTOCOL, `the supervisor broke the contract: ${error.kind}: ${error.message}`);
      } else throw error;
    }
  }

  #ended(): void {
    if (this.#decoder.isPartial) return this.#broken(EXIT_PROTOCOL, "the supervisor's last frame is cut off");
    this.#tell({ is: "ended" });
    if (!this.#wasTold) this.#endSoon("the supervisor is gone");
  }

  #broken(code: number, sentence: string): void {
    this.#socket.destroy();
    this.#tell({ is: "broken", code, sentence });
    this.#endSoon(sentence);
  }

  #tell(report: Report): void {
    this.#port.postMessage(report);
  }

  /** A thread cannot exit for the process, but it can kill it. */
  #endSoon(sentence: string): void {
    setTimeout(() => {
      if (this.#writer.isSilent) return;
      printWhole(`${sentence}; a handler does not give way, so the process is killed`);
      process.kill(process.pid, "SIGKILL");
    }, LAST_RESORT_MS);
  }
}

/** About as much memory as a value takes. What nobody knows of a message is not a part of it any more. */
function weightBytes(value: unknown): number {
  if (typeof value === "string" || value instanceof Uint8Array) return VALUE_BYTES + value.length;
  if (typeof value !== "object" || value === null) return VALUE_BYTES;
  return Object.values(value).reduce<number>((sum, item) => sum + weightBytes(item), VALUE_BYTES);
}

new IoThread(workerData as IoStart);
