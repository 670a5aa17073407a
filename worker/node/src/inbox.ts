/** The first thread's end of what the second one reads: reports in their order, with or without giving way. */

import { MessageChannel, type MessagePort, Worker, receiveMessageOnPort } from "node:worker_threads";

import type { Channel } from "./channel.js";
import { FRAME_MAX_BYTES } from "./frames.js";
import type { IoStart, Report } from "./io-thread.js";

/** The largest args that a supervisor can be configured to send. */
const ARGS_MAX_BYTES = 4 * 1024 * 1024;

export class Inbox {
  readonly #port: MessagePort;

  /**
   * Starts to read. `onReport` is called for each report, `onFailure` when the thread has ended by itself.
   *
   * All that a supervisor may send to a worker that does not answer is read: reading never waits for a handler, or for
   * an answer that the supervisor does not read. Who sends more waits.
   */
  constructor(
    channel: Channel,
    concurrency: number,
    readonly onReport: (report: Report) => void,
    onFailure: (error: Error) => void,
  ) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const workerData: IoStart = {
      reader: channel.reader,
      writers: channel.writer.writers,
      port: port2,
      untakenMaxBytes: FRAME_MAX_BYTES + concurrency * ARGS_MAX_BYTES,
    };
    // What the program preloads is not for this thread.
    const options = { workerData, transferList: [port2], execArgv: [], env: {} };
    new Worker(new URL("./io-thread.js", import.meta.url), options).on("error", onFailure);
    port1.on("message", (report: Report) => this.#take(report));
  }

  /** Takes what has arrived, without giving way; true when there was something. */
  look(): boolean {
    let found = false;
    for (let one = receiveMessageOnPort(this.#port); one !== undefined; one = receiveMessageOnPort(this.#port)) {
      this.#take(one.message as Report);
      found = true;
    }
    return found;
  }

  #take(report: Report): void {
    if (report.is === "messages") this.#port.postMessage(report.sizeBytes);
    this.onReport(report);
  }
}
