/** Plays a worker, from `hello` to its end: what the desk decides is done here, on the first thread. */

import type { Channel } from "./channel.js";
import { Context, type Facts, type Outlet } from "./context.js";
import { Desk, FEATURES, type Next, type Outcome } from "./desk.js";
import { ContractError } from "./errors.js";
import { EXIT_CHANNEL_ENDED, EXIT_IO, EXIT_PROTOCOL } from "./exit-codes.js";
import { type Handler, unknownKind, unpackArgs } from "./handler.js";
import { Inbox } from "./inbox.js";
import type { Report } from "./io-thread.js";
import { PROTOCOL, type RunRef } from "./messages.js";
import { leave } from "./output.js";
import { Post } from "./post.js";
import { SDK } from "./version.js";

export type Ended = Extract<Next, { do: "end" }>;

/** What a worker consists of. */
export interface Parts {
  handlers: ReadonlyMap<string, Handler>;
  concurrency: number;
  /** Called between `welcome` and `ready`. */
  prepare: () => Promise<void>;
}

export class Runtime {
  readonly post: Post;
  readonly #desk: Desk;
  readonly #channel: Channel;
  readonly #parts: Parts;
  #inbox: Inbox | undefined;
  #isTurning = false;
  #end: (ended: Ended) => void = () => {};

  constructor(channel: Channel, parts: Parts) {
    this.#channel = channel;
    this.#parts = parts;
    this.#desk = new Desk(parts.concurrency);
    this.post = new Post(channel.writer, this.#desk);
  }

  /** Ends when the worker was told to stop and everything is answered, or when it was refused. */
  run(): Promise<Ended> {
    const ended = new Promise<Ended>((resolve) => (this.#end = resolve));
    this.post.send([
      {
        name: "hello",
        body: {
          protocol_min: PROTOCOL,
          protocol_max: PROTOCOL,
          cookie: this.#channel.cookie,
          sdk: SDK,
          kinds: this.#kinds(),
          concurrency: this.#parts.concurrency,
          features: [...FEATURES],
        },
      },
    ]);
    const failed = (error: Error) => leave(EXIT_IO, `cannot read from the supervisor: ${error.message}`);
    this.#inbox = new Inbox(this.#channel, this.#parts.concurrency, (report) => this.#received(report), failed);
    process.on("SIGTERM", () => {
      this.#desk.interrupt(performance.now());
      this.#turn();
    });
    return ended;
  }

  #kinds(): string[] {
    return [...this.#parts.handlers.keys()].sort();
  }

  #received(report: Report): void {
    if (report.is === "broken") leave(report.code, report.sentence);
    else if (report.is === "ended") {
      if (!this.#desk.mayLoseChannel) leave(EXIT_CHANNEL_ENDED, "the supervisor is gone");
      this.#desk.abandoned();
    } else {
      try {
        for (const message of report.messages) this.#desk.received(message, performance.now());
      } catch (error) {
        if (!(error instanceof ContractError)) throw error;
        leave(EXIT_PROTOCOL, `the supervisor broke the contract: ${error.message}`);
      }
    }
    this.#turn();
  }

  /** Does what is to be done. What a handler brings about meanwhile is a part of the turn that started it. */
  #turn(): void {
    if (this.#isTurning) return;
    this.#isTurning = true;
    try {
      for (let next = this.#next(); next !== undefined; next = this.#next()) {
        if (next.do === "send") this.post.send(next.messages);
        else if (next.do === "prepare") this.#prepare();
        else if (next.do === "end") return this.#end(next);
        else {
          this.#start(next);
          // Its answer, should it have ended at once, leaves before another handler is started.
          setImmediate(() => this.#turn());
          return;
        }
      }
      this.post.sendNotes();
    } finally {
      this.#isTurning = false;
    }
  }

  #next(): Next | undefined {
    return this.#desk.next(performance.now());
  }

  #prepare(): void {
    // An error of the user's own code ends the process as a crash does.
    void this.#parts.prepare().then(() => {
      this.#desk.prepared();
      this.#turn();
    });
  }

  #start({ run, running }: Extract<Next, { do: "start" }>): void {
    const facts: Facts = {
      task: run.task,
      epoch: run.epoch,
      kind: run.kind,
      attempt: run.attempt,
      effectKey: run.effect_key,
      deadlineMs: run.time_left_ms === null ? undefined : performance.now() + run.time_left_ms,
      takesFollowUps: this.#desk.has("enqueue"),
    };
    const handler = this.#parts.handlers.get(run.kind);
    if (handler === undefined) return this.#finish(running.ref, unknownKind(run.kind, this.#kinds()));
    const context = new Context(facts, unpackArgs(run.args), running.sign, this.#outlet(running.ref));
    void handler.run(context).then((outcome) => this.#finish(running.ref, outcome));
  }

  #finish(ref: RunRef, outcome: Outcome): void {
    this.#desk.finished(ref, outcome);
    this.#turn();
  }

  #outlet(ref: RunRef): Outlet {
    return {
      progress: (done, total, message) => {
        this.post.say(ref, (running) => running.notes.progress(done, total, message));
      },
      note: (message) => {
        this.post.say(ref, (running) => running.notes.say(message));
      },
      spend: (unit, amount) => this.post.say(ref, (running) => running.spend(unit, amount)) ?? Promise.resolve(false),
      log: (level, text) => this.post.log(ref, level, text),
      retire: () => {
        this.#desk.retire();
        this.#turn();
      },
      look: () => {
        this.#inbox?.look();
      },
    };
  }
}
