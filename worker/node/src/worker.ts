/** The worker that a user writes: handlers put together, then run over the channel. How a run goes is not decided here. */

import * as byHand from "./by-hand.js";
import { type Channel, claimed } from "./channel.js";
import { captureConsole } from "./console.js";
import { ChannelError, WorkerError } from "./errors.js";
import { EXIT_CONFIG } from "./exit-codes.js";
import { Handler, type HandlerFunction, type HandlerOptions } from "./handler.js";
import { KINDS_MAX, type Level, encode } from "./messages.js";
import { leave, printWhole } from "./output.js";
import { Runtime } from "./runtime.js";

export const CONCURRENCY_MAX = 1024;

export interface RunOptions {
  /** Runs at once, 1 to 1,024. Handlers share one thread: more than one is for handlers that mostly wait. */
  concurrency?: number;
  /** Send what handlers say to `console` to the log of their task, with its level. True by default. */
  console?: boolean;
}

/**
 * A worker process in the making:
 *
 *     const app = new Worker();
 *     app.task("resize", async (args: { path: string }, cx) => `${args.path}@640`);
 *     await app.run();
 */
export class Worker {
  readonly #handlers = new Map<string, Handler>();
  readonly #preparations: (() => unknown)[] = [];
  #runtime: Runtime | undefined;

  /** The handlers by kind. */
  get handlers(): ReadonlyMap<string, Handler> {
    return this.#handlers;
  }

  /**
   * Makes a sync or async function the handler of `kind`.
   *
   * Throws `WorkerError` for a kind that is not spelled as names are, and for a second handler of one kind.
   */
  task<Args = any, Result = unknown>(
    kind: string,
    handler: HandlerFunction<Args, Result>,
    options: HandlerOptions<Args> = {},
  ): this {
    const made = new Handler(kind, handler, options as HandlerOptions<never>);
    if (this.#handlers.has(kind)) {
      throw new WorkerError(`the kind ${kind} has two handlers; remove one of them, or give it another name`);
    }
    this.#handlers.set(kind, made);
    return this;
  }

  /**
   * Calls `prepare` once the supervisor has accepted the worker, and waits for it before the first task. What it throws
   * ends the process.
   */
  onStart(prepare: () => unknown): this {
    this.#preparations.push(prepare);
    return this;
  }

  /**
   * Says "still starting", which gives the worker 10 s more (by default) until it must be ready. Call it between slow
   * imports, before `run`, and within `onStart`; later, and without a supervisor, it does nothing.
   */
  booting(): void {
    if (this.#runtime !== undefined) this.#runtime.post.booting();
    else channelOrLeave()?.writer.write(encode({ name: "booting", body: {} }));
  }

  /** Writes a line to the log of the worker, outside of any task; to stderr without a supervisor. */
  log(level: Level, text: string): void {
    if (this.#runtime !== undefined) this.#runtime.post.log(null, level, text);
    else printWhole(text);
  }

  /**
   * Runs tasks until the supervisor says stop, then ends the process. Call it once, on the main thread.
   *
   * Exit codes: 0 told to stop; 1 the supervisor is gone; 64 started by hand; 74 the channel failed; 76 the supervisor
   * sent something that is not the contract; 78 refused, or put together wrongly; 143 told to terminate before the
   * supervisor had answered.
   */
  async run({ concurrency = 1, console = true }: RunOptions = {}): Promise<never> {
    const channel = channelOrLeave();
    if (this.#handlers.size === 0) {
      leave(EXIT_CONFIG, 'the worker has no handlers; add one with app.task("name", handler) before app.run()');
    }
    if (this.#handlers.size > KINDS_MAX) {
      leave(EXIT_CONFIG, `the worker has ${this.#handlers.size} kinds, at most ${KINDS_MAX} are taken; split it`);
    }
    if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > CONCURRENCY_MAX) {
      leave(EXIT_CONFIG, `concurrency is ${concurrency}; it is a whole number from 1 to ${CONCURRENCY_MAX}`);
    }
    if (channel === undefined) process.exit(await byHand.main(this.#handlers, process.argv));
    const prepare = async () => {
      for (const one of this.#preparations) await one();
    };
    this.#runtime = new Runtime(channel, { handlers: this.#handlers, concurrency, prepare });
    if (console) captureConsole();
    const { code, sentence } = await this.#runtime.run();
    leave(code, sentence);
  }
}

function channelOrLeave(): Channel | undefined {
  try {
    return claimed();
  } catch (error) {
    if (error instanceof ChannelError) leave(EXIT_CONFIG, error.message);
    throw error;
  }
}
