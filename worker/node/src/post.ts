/** The way out of the first thread: what runs say becomes frames, at once or when their time has come. */

import type { FrameWriter } from "./channel.js";
import type { Desk, Running } from "./desk.js";
import { ChannelError, ContractError } from "./errors.js";
import { EXIT_IO, EXIT_PROTOCOL } from "./exit-codes.js";
import { type Level, type Outgoing, type RunRef, encode } from "./messages.js";
import { leave, printWhole } from "./output.js";

export class Post {
  readonly #writer: FrameWriter;
  readonly #desk: Desk;
  #timer: NodeJS.Timeout | undefined;

  constructor(writer: FrameWriter, desk: Desk) {
    this.#writer = writer;
    this.#desk = desk;
  }

  /** Writes messages; when this returns they have left the process. */
  send(messages: Outgoing[]): void {
    const isLast = messages.at(-1)?.name === "bye";
    try {
      this.#writer.write(Buffer.concat(messages.map(encode)), isLast);
    } catch (error) {
      if (error instanceof ChannelError) leave(EXIT_IO, error.message);
      if (error instanceof ContractError) leave(EXIT_PROTOCOL, error.message);
      throw error;
    }
  }

  /** Changes the notes of a run and sends what is due; undefined when it is answered, or none are wanted. */
  say<T>(ref: RunRef, change: (running: Running) => T): T | undefined {
    const running = this.#desk.speaking(ref);
    if (running === undefined) return undefined;
    const said = change(running);
    this.sendNotes();
    return said;
  }

  /** Sends the notes whose time has come, and sees to it that the others are sent in time. */
  sendNotes(): void {
    const nowMs = performance.now();
    for (let note = this.#desk.takeNote(nowMs); note !== undefined; note = this.#desk.takeNote(nowMs)) {
      this.send([note]);
    }
    const dueAtMs = this.#desk.noteDueAtMs(nowMs);
    if (dueAtMs === undefined || this.#timer !== undefined) return;
    const later = () => {
      this.#timer = undefined;
      this.sendNotes();
    };
    this.#timer = setTimeout(later, Math.ceil(dueAtMs - nowMs));
  }

  /** Writes a line for the log; to stderr when no supervisor takes it. */
  log(run: RunRef | null, level: Level, message: string): void {
    if (this.#desk.maySpeak) this.send([{ name: "log", body: { run, level, message: message.toWellFormed() } }]);
    else printWhole(message);
  }

  /** "Still starting", where that is legal. */
  booting(): void {
    if (this.#desk.isPreparing) this.send([{ name: "booting", body: {} }]);
  }
}
